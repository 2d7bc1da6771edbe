import math
from pathlib import Path

import pytest
import torch
from line_world import LineWorld

from actwin.agents.checkpoints import load_checkpoint
from actwin.agents.networks import Policy
from actwin.errors import ActwinError, CheckpointError
from actwin.training.board import read_metrics
from actwin.training.config import RunConfig, load_config
from actwin.training.protocols import Score
from actwin.training.runs import checkpoint_path
from actwin.training.trainer import Trainer


class LappingWorld(LineWorld):
    """Every policy laps, each slower than the one before; longer drives lose a second."""

    def __init__(self) -> None:
        super().__init__()
        self.exams: list[bool] = []

    def evaluate(self, policy: Policy, thorough: bool = False) -> Score:
        """Tells the number of exams so far."""
        self.exams.append(thorough)
        lap = 80.0 + self.exams.count(False) + thorough
        return Score(-lap, lap, {"best_lap": lap})


def config(*overrides: str) -> RunConfig:
    small = ["agent.hidden=[16]", "agent.minibatch=512", "agent.rollout=8", "train.cars=64", "train.threads=1"]
    return load_config(None, [*small, "train.evaluate_every=2048", "train.save_every=2048", *overrides])


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([each.flatten() for each in trainer.agent.policy.state_dict().values()])


def test_a_run_leaves_what_is_needed_to_understand_and_repeat_it(tmp_path: Path) -> None:
    seen = []
    trainer = Trainer(config("train.steps=8192"), LineWorld(), tmp_path, on_progress=seen.append)
    result = trainer.run()
    assert result.steps == 8192
    names = {path.name for path in tmp_path.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "logs", "last.pt", "best.pt", "step_4096.pt"} <= names
    assert load_config(tmp_path / "config.yaml") == trainer.config
    checkpoint = load_checkpoint(tmp_path / "last.pt")
    assert checkpoint["counters"]["env_steps"] == 8192
    assert checkpoint["task"] == LineWorld().task
    assert set(checkpoint["versions"]) >= {"python", "torch", "git"}
    rows = read_metrics(tmp_path)
    assert {"reward/middle", "agent/divergence", "agent/std", "episode/count"} <= set(rows[-2])
    assert max(row.get("evaluation/reward", -math.inf) for row in rows) == pytest.approx(checkpoint["best"]["value"])
    assert [each.steps for each in seen] == list(range(512, 8193, 512))
    assert seen[-1].share == 1.0
    assert all(each.left >= 0.0 for each in seen)


def test_training_improves_what_is_evaluated(tmp_path: Path) -> None:
    trainer = Trainer(config("train.steps=60_000", "agent.actor_lr=1e-3"), LineWorld(), tmp_path)
    before = trainer.world.evaluate(trainer.agent.policy).value
    trainer.run()
    assert trainer.best.value > before + 10.0


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    straight = Trainer(config("train.steps=6144"), LineWorld(), tmp_path / "straight")
    straight.run()
    first = Trainer(config("train.steps=3072"), LineWorld(), tmp_path / "first")
    first.run()
    second = Trainer(config("train.steps=6144"), LineWorld(), tmp_path / "second")
    second.resume(tmp_path / "first" / "last.pt")
    second.run()
    assert torch.equal(weights(straight), weights(second))
    assert second.steps == 6144


def test_a_checkpoint_of_another_task_is_refused(tmp_path: Path) -> None:
    Trainer(config("train.steps=512"), LineWorld(), tmp_path).run()
    other = Trainer(config("train.steps=512"), LineWorld("circle"), tmp_path)
    with pytest.raises(CheckpointError, match=r"track was 'line', here 'circle'"):
        other.resume(tmp_path / "last.pt")


def test_a_time_budget_ends_a_run(tmp_path: Path) -> None:
    result = Trainer(config("train.minutes=1e-6"), LineWorld(), tmp_path).run()
    assert result.steps == 0


def test_broken_losses_stop_the_run_and_keep_the_evidence(tmp_path: Path) -> None:
    trainer = Trainer(config("train.steps=4096"), LineWorld(), tmp_path)
    with torch.no_grad():
        trainer.agent.critic.body[0].weight.fill_(math.nan)
    with pytest.raises(ActwinError, match=r"agent/.*not (a )?finite number.*broken\.pt"):
        trainer.run()
    assert (tmp_path / "broken.pt").is_file()


def test_a_run_folder_means_its_best_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no best\.pt"):
        checkpoint_path(tmp_path)
    for name in ("last.pt", "best.pt"):
        (tmp_path / name).touch()
        assert checkpoint_path(tmp_path).name == name
    assert checkpoint_path(tmp_path / "last.pt").name == "last.pt"


SMALL_SAC = (
    "agent.type=sac", "agent.hidden=[16,16]", "agent.batch=64", "agent.replay=4096", "agent.learning_starts=512",
    "agent.round_steps=2", "train.cars=64", "train.threads=1", "train.evaluate_every=1024", "train.save_every=1024",
)  # fmt: skip


def test_an_agent_with_a_memory_goes_on_from_exactly_what_it_remembered(tmp_path: Path) -> None:
    straight = Trainer(load_config(None, [*SMALL_SAC, "train.steps=4096"]), LineWorld(), tmp_path / "straight")
    straight.run()
    Trainer(load_config(None, [*SMALL_SAC, "train.steps=2048"]), LineWorld(), tmp_path / "first").run()
    second = Trainer(load_config(None, [*SMALL_SAC, "train.steps=4096"]), LineWorld(), tmp_path / "second")
    second.resume(tmp_path / "first" / "last.pt")
    second.run()
    assert torch.equal(weights(straight), weights(second))


def test_a_kill_between_memory_and_checkpoint_loses_nothing(tmp_path: Path) -> None:
    """Killed before the checkpoint there is a newer memory beside; killed after it, its own is not yet in its place."""
    settings = load_config(None, [*SMALL_SAC, "train.steps=2048"])
    Trainer(settings, LineWorld(), tmp_path).run()
    memory, following = tmp_path / "replay.pt", tmp_path / "replay_next.pt"
    assert not following.exists()
    following.write_bytes(b"cut off")
    Trainer(settings, LineWorld(), tmp_path / "a").resume(tmp_path / "last.pt")
    memory.replace(following)
    memory.write_bytes(b"of an earlier checkpoint")
    Trainer(settings, LineWorld(), tmp_path / "b").resume(tmp_path / "last.pt")


def test_a_checkpoint_without_its_memory_is_refused(tmp_path: Path) -> None:
    settings = load_config(None, [*SMALL_SAC, "train.steps=1024"])
    Trainer(settings, LineWorld(), tmp_path).run()
    (tmp_path / "replay.pt").unlink()
    with pytest.raises(CheckpointError, match=r"replay\.pt"):
        Trainer(settings, LineWorld(), tmp_path / "again").resume(tmp_path / "last.pt")


def test_every_algorithm_is_chosen_by_its_type() -> None:
    for kind in ("ppo", "sac", "qr_sac", "td3", "iqn"):
        assert load_config(None, [f"agent.type={kind}"]).agent.type == kind
    with pytest.raises(ActwinError, match="dqn"):
        load_config(None, ["agent.type=dqn"])
    with pytest.raises(ActwinError, match="quantiles"):
        load_config(None, ["agent.type=qr_sac", "agent.quantile=8"])


def test_the_best_is_who_passes_the_long_drive(tmp_path: Path) -> None:
    world = LappingWorld()
    trainer = Trainer(config("train.steps=6144"), world, tmp_path)
    trainer.run()
    assert world.exams == [False, True, False, False, False]
    assert trainer.best is not None
    assert trainer.best.best_lap == 82.0
    rows = read_metrics(tmp_path)
    assert [row["thorough/best_lap"] for row in rows if "thorough/best_lap" in row] == [82.0]
