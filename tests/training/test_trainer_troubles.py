"""Full disks, broken numbers, interruptions: what was good stays, and what happened is said."""

import math
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from line_world import Line, LineWorld

from actwin.agents import checkpoints
from actwin.agents.checkpoints import load_checkpoint
from actwin.errors import ActwinError, CheckpointError
from actwin.training.config import RunConfig, load_config
from actwin.training.folder import read_record
from actwin.training.metrics import read_metrics
from actwin.training.saving import step_checkpoints
from actwin.training.trainer import Trainer


def config(*overrides: str, steps: int = 4096) -> RunConfig:
    small = ["agent.hidden=[16]", "agent.minibatch=512", "agent.rollout=8", "train.cars=64", "train.threads=1"]
    often = ["train.evaluate_every=100_000", "train.save_every=512", f"train.steps={steps}"]
    return load_config(None, [*small, *often, *overrides])


class Disk:
    """Stands for `torch.save`; is full while `full`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, self.refused, self._save = False, 0, torch.save
        monkeypatch.setattr(checkpoints.torch, "save", self)

    def __call__(self, content, file) -> None:
        if self.full:
            self.refused += 1
            file.write(b"half")
            try:
                raise OSError(28, "No space left on device")
            except OSError:
                raise RuntimeError("unexpected pos 64 vs 0") from None  # as torch puts it
        self._save(content, file)


def test_a_disk_that_is_full_for_a_while_costs_only_those_checkpoints(tmp_path: Path, monkeypatch) -> None:
    disk, seen = Disk(monkeypatch), []

    def watch(progress) -> None:
        seen.append(progress.trouble)
        disk.full = 1500 < progress.steps < 3000
        if disk.full and disk.refused:
            assert load_checkpoint(tmp_path / "last.pt")["counters"]["env_steps"] <= 2048

    Trainer(config(), LineWorld(), tmp_path, on_progress=watch).run()
    assert disk.refused >= 2
    assert any("No space left" in each and "free disk space" in each for each in seen)
    assert seen[-1] == ""
    assert load_checkpoint(tmp_path / "last.pt")["counters"]["env_steps"] == 4096
    assert not list(tmp_path.glob("*.tmp"))
    assert read_record(tmp_path)["state"] == "finished"


def test_a_disk_that_stays_full_ends_the_run_with_the_last_good_checkpoint(tmp_path: Path, monkeypatch) -> None:
    disk = Disk(monkeypatch)

    def watch(progress) -> None:
        disk.full = progress.steps >= 2048

    with pytest.raises(CheckpointError, match=r"cannot be written.*free disk space"):
        Trainer(config(), LineWorld(), tmp_path, on_progress=watch).run()
    assert load_checkpoint(tmp_path / "last.pt")["counters"]["env_steps"] == 2048
    record = read_record(tmp_path)
    assert record["state"] == "failed"
    assert "No space left" in record["note"]
    disk.full = False
    again = Trainer(config(), LineWorld(), tmp_path)
    again.resume(tmp_path / "last.pt")
    assert again.run().steps == 4096


def test_only_the_newest_step_checkpoints_are_kept(tmp_path: Path) -> None:
    Trainer(config("train.keep=2"), LineWorld(), tmp_path / "two").run()
    assert [path.name for path in step_checkpoints(tmp_path / "two")] == ["step_3584.pt", "step_4096.pt"]
    Trainer(config("train.keep=0"), LineWorld(), tmp_path / "none").run()
    assert step_checkpoints(tmp_path / "none") == []
    Trainer(config(), LineWorld(), tmp_path / "all").run()
    assert len(step_checkpoints(tmp_path / "all")) == 8


class Broken(Line):
    """Sensors and judges that fail."""

    what = "observation"

    def step_arrays(self, actions):
        observation, reward, terminated, truncated = super().step_arrays(actions)
        if self.clock.max() == 20:
            if self.what == "observation":
                observation[3, 1] = math.nan
            else:
                reward[5] = self.reward_terms["middle"][5] = math.inf
        return observation, reward, terminated, truncated


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("observation", "the observation 'speed' of car 3 is nan"),
        ("reward", "the reward term 'middle' of car 5 is inf"),
    ],
)
def test_an_environment_that_breaks_is_told_by_car_and_name(tmp_path: Path, monkeypatch, what: str, told: str) -> None:
    monkeypatch.setattr(Broken, "what", what)
    world = LineWorld()
    world.cars = Broken
    with pytest.raises(ActwinError, match=rf"{told}.*broken\.pt"):
        Trainer(config(), world, tmp_path).run()
    kept = load_checkpoint(tmp_path / "broken.pt")
    assert told in kept["broken"]
    assert not torch.isfinite(kept["evidence"][what]).all()


def test_a_broken_network_is_told_with_its_batch(tmp_path: Path) -> None:
    trainer = Trainer(config(), LineWorld(), tmp_path)
    with torch.no_grad():
        trainer.agent.critic.body[0].weight.fill_(math.nan)
    with pytest.raises(ActwinError, match=r"agent/value.*while the batch that it learned from is finite"):
        trainer.run()
    kept = load_checkpoint(tmp_path / "broken.pt")
    assert kept["evidence"]["observations"].shape == (8, 64, 2)
    assert read_record(tmp_path)["state"] == "failed"
    assert not (tmp_path / "last.pt").exists()


SAC = (
    "agent.type=sac", "agent.hidden=[16,16]", "agent.batch=64", "agent.replay=4096", "agent.learning_starts=512",
    "agent.round_steps=2", "train.cars=64", "train.threads=1", "train.steps=4096",
)  # fmt: skip


def test_an_agent_with_a_memory_stops_at_the_batch_that_broke_it(tmp_path: Path) -> None:
    trainer = Trainer(load_config(None, SAC), LineWorld(), tmp_path)

    def poison(progress) -> None:
        trainer.agent.memory.rewards[:] = math.inf

    trainer._on_progress = poison
    with pytest.raises(ActwinError, match=r"agent/critic_loss.*so are .*returns.* in the batch"):
        trainer.run()
    assert load_checkpoint(tmp_path / "broken.pt")["evidence"]["returns"].shape == (64,)


def test_a_policy_that_asks_for_nothing_sensible_is_stopped_before_it_drives(tmp_path: Path) -> None:
    trainer = Trainer(config(), LineWorld(), tmp_path)
    trainer.agent.act = lambda observation: np.full((64, 1), math.nan, np.float32)
    with pytest.raises(ActwinError, match="the policy's action is not a finite number"):
        trainer.run()


def test_an_interrupted_run_goes_on_exactly(tmp_path: Path) -> None:
    straight = Trainer(config(), LineWorld(), tmp_path / "straight")
    straight.run()

    def interrupt(progress) -> None:
        if progress.steps == 1536:
            signal.raise_signal(signal.SIGINT)

    first = Trainer(config(), LineWorld(), tmp_path / "parts", on_progress=interrupt).run()
    assert (first.finished, first.steps) == (False, 1536)
    assert read_record(tmp_path / "parts")["state"] == "stopped"
    second = Trainer(config(), LineWorld(), tmp_path / "parts")
    second.resume(tmp_path / "parts" / "last.pt")
    assert second.run().finished
    for name, value in straight.agent.policy.state_dict().items():
        assert torch.equal(value, second.agent.policy.state_dict()[name]), name
    steps = [[row["step"] for row in read_metrics(tmp_path / name)] for name in ("straight", "parts")]
    assert steps[0] == steps[1]


def test_curves_have_every_value_of_the_table(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    Trainer(config(steps=2048), LineWorld(), tmp_path / "run", logs=tmp_path / "logs" / "run").run()
    curves = EventAccumulator(str(tmp_path / "logs" / "run"))
    curves.Reload()
    wanted = {name for row in read_metrics(tmp_path / "run") for name in row} - {"step", "seconds"}
    assert {"reward/middle", "agent/entropy", "evaluation/reward", "time/steps_per_second"} <= wanted
    assert set(curves.Tags()["scalars"]) == wanted
    assert not (tmp_path / "run" / "logs").exists()
