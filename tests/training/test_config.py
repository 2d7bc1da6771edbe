from pathlib import Path

import pytest

from actwin.errors import ConfigError, UnknownNameError
from actwin.training.config import RunConfig, dump_config, load_config, parse_config


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_mean_what_they_look_like(tmp_path: Path) -> None:
    path = write(
        tmp_path, "agent: {type: ppo, actor_lr: 3e-4, critic_lr: 1E-3}\ntrain: {steps: 5_000_000, cars: 512}\n"
    )
    config = load_config(path)
    assert (config.agent.actor_lr, config.agent.critic_lr) == (3e-4, 1e-3)
    assert (config.train.steps, config.train.cars) == (5_000_000, 512)


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "")) == load_config() == RunConfig()


def test_overrides_win_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, "agent: {horizon: 4}")
    overrides = ["agent.actor_lr=1e-4", "train.minutes=2", "train.minutes=3.5", "env.track=spa", "imitation=null"]
    config = load_config(path, overrides)
    assert (config.agent.horizon, config.agent.actor_lr, config.train.minutes) == (4.0, 1e-4, 3.5)
    assert (config.env.track, config.imitation) == ("spa", None)


def test_a_resolved_configuration_reads_back(tmp_path: Path) -> None:
    config = load_config(None, ["seed=7", "agent.hidden=[64, 32]", "env.end.time_limit=20", "train.minutes=1.5"])
    assert load_config(write(tmp_path, dump_config(config))) == config
    assert parse_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("agent.actor_rl=1", r"no setting 'agent.actor_rl'. Did you mean 'agent.actor_lr'"),
        ("trian.steps=1", r"Did you mean 'train'"),
        ("imitation.bc.bach=2", r"Did you mean 'imitation.bc.batch'"),
        ("env.end.time_limt=2", r"Did you mean 'env.end.time_limit'"),
        ("agent.clip=-1", r"agent.clip: .*greater than 0"),
        ("agent.type=pppo", r"agent.type"),
        ("train.steps=many", r"train.steps"),
        ("agent.horizon=.nan", r"agent.horizon"),
        ("agent.actor_lr", r"Write it like"),
        ("agent.hidden=[1", r"cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(None, [override])


def test_an_unknown_reward_term_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"'progres'. Did you mean progress"):
        load_config(None, ["env.reward={progres: 1.0}"])


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"holds a list"):
        load_config(write(tmp_path, "- a\n- b\n"))
    with pytest.raises(ConfigError, match=r"cannot be read as YAML"):
        load_config(write(tmp_path, "agent: [1, 2"))
    with pytest.raises(ConfigError, match=r"cannot be read as YAML"):
        load_config(write(tmp_path, "agent: !!python/object/apply:os.getcwd []"))


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "configs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_presets_are_valid(path: Path) -> None:
    load_config(path)
