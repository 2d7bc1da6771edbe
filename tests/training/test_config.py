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
        ("agent.clip=-1", r"agent.clip: .*greater than 0, not -1"),
        ("agent.type=pppo", r"agent.type"),
        ("train.steps=many", r"train\.steps: .*valid integer, not 'many'"),
        ("agent.horizon=.nan", r"agent.horizon"),
        ("agent.actor_lr", r"Write it like"),
        ("agent.hidden=[1", r"cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(None, [override])


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            ["agent.type=iqn", "env.action.kind=rate"],
            r"agent\.type: IQN chooses among named actions.*kind=discrete",
        ),
        (["agent.type=td3", "env.action.kind=discrete"], r"TD3 decides continuous controls.*use agent\.type=iqn"),
        (["env.action.kind=discrete"], r"PPO decides continuous controls"),
        (["agent.type=sac", "env.action.gear=learned"], r"env\.action\.gear is learned.*agent\.type=ppo"),
        (
            ["agent.type=sac", "agent.batch=512", "agent.replay=500"],
            r"agent\.batch: .*512 does not fit a memory of 500",
        ),
    ],
)
def test_what_cannot_work_together_is_refused_at_once(overrides: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(None, overrides)


def test_an_unknown_reward_term_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"'progres'. Did you mean progress"):
        load_config(None, ["env.reward={progres: 1.0}"])


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"Give the YAML file of a run"):
        load_config(tmp_path)
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


DOCUMENT = """
env:
  track: "spa"
  car: "FormulaAlpha2022"
  weather: "clear"
  lap_start: "pit_out"

agent:
  type: "IQN"
  gamma: 0.99
  lr: 3e-4
  batch_size: 64
  n_quantiles: 32
  hidden_units: 512

train:
  total_timesteps: 5_000_000
  eval_interval: 50_000
  save_interval: 100_000
"""


def test_the_documents_configuration_means_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "iqn.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    config = load_config(path)
    agent, train = config.agent, config.train
    assert (config.env.track, config.env.weather, config.env.action.kind) == ("spa", "clear", "discrete")
    assert config.env.start.mixture["pit_out"] > 0.0
    assert (agent.type, agent.lr, agent.batch, agent.quantiles, agent.hidden) == ("iqn", 3e-4, 64, 32, (512, 512))
    assert 1.0 - config.env.period / agent.horizon == pytest.approx(0.99)
    assert (train.steps, train.evaluate_every, train.save_every) == (5_000_000, 50_000, 100_000)


def test_the_documents_names_work_for_every_algorithm() -> None:
    sac = load_config(None, ["agent.type=SAC", "agent.lr=1e-4", "agent.batch_size=128", "agent.hidden_units=64"]).agent
    assert (sac.actor_lr, sac.critic_lr, sac.batch, sac.hidden) == (1e-4, 1e-4, 128, (64, 64))
    assert load_config(None, ["agent.batch_size=1024"]).agent.minibatch == 1024
    assert load_config(None, ["agent.type=QR-SAC", "agent.n_quantiles=16"]).agent.quantiles == 16


def test_a_setting_under_both_its_names_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"agent\.gamma and agent\.horizon"):
        load_config(None, ["agent.gamma=0.99", "agent.horizon=5"])
    with pytest.raises(ConfigError, match="between 0 and 1"):
        load_config(None, ["agent.gamma=1.5"])
    with pytest.raises(UnknownNameError, match="rainy"):
        load_config(None, ["env.weather=rainy"])
