"""What is resumed goes on bit for bit as if there had been no interruption, whatever the task draws and remembers."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from actwin.agents.checkpoints import load_checkpoint
from actwin.env.config import TaskConfig
from actwin.errors import CheckpointError
from actwin.training.config import RunConfig, load_config
from actwin.training.metrics import read_metrics
from actwin.training.protocols import Score
from actwin.training.trainer import Trainer
from actwin.training.world import TwinWorld

EVERYTHING = {
    "track": "oval",
    "start": {"mixture": {"anywhere": 0.5, "replay": 1.0}, "replay_before": [0.5, 1.5], "replay_pool": 16},
    "curriculum": {"window": 4, "begin": 0.5, "step": 0.5, "rise_at": 0.6, "extra_grip": 0.3},
    "randomisation": {"mass": 0.1, "fuel": 0.5, "cold_tyres": 20.0, "sensor_noise": 0.02},
    "physics": {"control_delay": 0.06},
    "observation": {"frames": 2},
    "end": {"time_limit": 6.0, "off_track_time": 0.2},
}


def test_cars_with_pool_curriculum_noise_delay_and_history_go_on_as_they_were(tmp_path: Path) -> None:
    world = TwinWorld(TaskConfig.of(EVERYTHING))
    first, second = world.cars(8), world.cars(8)
    first.start(3)
    second.start(99)
    random = np.random.default_rng(0)
    actions = random.uniform(-1, 1, (500, 8, 2)).astype(np.float32)
    actions[:, :, 1] = 0.9  # full throttle into the corners: mistakes
    for each in actions[:300]:
        observation, *_ = first.step_arrays(each)
    kept = first.state()
    assert kept["mistakes"]["count"] > 16
    assert kept["curriculum"]["difficulty"] != 0.5
    torch.save(kept, tmp_path / "state.pt")
    kept = torch.load(tmp_path / "state.pt", weights_only=True)
    before = observation.copy()
    assert np.array_equal(second.load_state(kept), before)
    for each in actions[300:]:
        one, two = first.step_arrays(each), second.step_arrays(each)
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


class Unjudged(TwinWorld):
    """The twin, whose evaluations drive nothing; they are tested elsewhere."""

    def evaluate(self, policy: object, thorough: bool = False) -> Score:
        return Score(0.0, math.nan, {})


@pytest.fixture(scope="module")
def world() -> Unjudged:
    return Unjudged(a_run(1).env)


def a_run(steps: int, *overrides: str) -> RunConfig:
    return load_config(
        None,
        [
            "env.track=oval", "env.start.mixture={anywhere: 0.5, replay: 1}", "env.end.time_limit=6",
            "env.curriculum.window=4", "env.curriculum.begin=0.5", "env.randomisation.sensor_noise=0.01",
            "imitation=null", "agent.hidden=[16, 16]", "agent.rollout=16", "agent.minibatch=256", "train.threads=1",
            "train.cars=16", f"train.steps={steps}", "train.evaluate_every=1_000_000", "train.save_every=2048",
            *overrides,
        ],
    )  # fmt: skip


def weights(path: Path) -> list[torch.Tensor]:
    return list(load_checkpoint(path)["agent"]["learner"].values())


def test_a_run_in_the_twin_that_was_stopped_ends_as_one_that_was_not(world: Unjudged, tmp_path: Path) -> None:
    straight = Trainer(a_run(6144), world, tmp_path / "straight")
    straight.run()
    Trainer(a_run(4096), world, tmp_path / "parts").run()
    second = Trainer(a_run(6144), world, tmp_path / "parts")
    second.resume(tmp_path / "parts" / "last.pt")
    second.run()
    one, two = (weights(tmp_path / name / "last.pt") for name in ("straight", "parts"))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    rows = [[row for row in read_metrics(tmp_path / name) if "reward/total" in row] for name in ("straight", "parts")]
    timeless = [
        [{k: v for k, v in row.items() if not k.startswith(("time/", "seconds"))} for row in run] for run in rows
    ]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("train.cars=8", r"train\.cars was 16, here 8"),
        ("agent.hidden=[8, 8]", r"agent\.hidden was \[16, 16\], here \[8, 8\]"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused_with_the_difference(
    world: Unjudged, tmp_path: Path, setting: str, told: str
) -> None:
    Trainer(a_run(256), world, tmp_path).run()
    with pytest.raises(CheckpointError, match=told):
        Trainer(a_run(512, setting), world, tmp_path).resume(tmp_path / "last.pt")


def test_a_checkpoint_of_another_algorithm_is_refused(world: Unjudged, tmp_path: Path) -> None:
    Trainer(a_run(256), world, tmp_path).run()
    sac = load_config(None, ["agent.type=sac", "agent.hidden=[8]", "agent.replay=5000", "train.cars=16"])
    sac = sac.model_copy(update={"env": a_run(1).env})
    with pytest.raises(CheckpointError, match=r"agent\.type was 'ppo', here 'sac'"):
        Trainer(sac, world, tmp_path).resume(tmp_path / "last.pt")
