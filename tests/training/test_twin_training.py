"""Demonstrations, clone, training and evaluation in the twin, on the small oval."""

from pathlib import Path

import numpy as np
import pytest
import torch

from actwin.agents.checkpoints import load_checkpoint
from actwin.driving.policy import PolicyDriver
from actwin.env.config import TaskConfig
from actwin.errors import CheckpointError
from actwin.training.config import RunConfig, load_config
from actwin.training.imitation import demonstrate, new_clone
from actwin.training.pipeline import train
from actwin.training.trainer import Trainer
from actwin.training.world import TwinWorld

SETTINGS = (
    "env.track=oval", "imitation.cars=16", "imitation.seconds=20", "imitation.bc.epochs=8", "imitation.bc.batch=256",
    "agent.hidden=[32, 32]", "agent.rollout=8", "agent.critic_warmup=1", "train.cars=32", "train.threads=1",
    "train.steps=1024", "train.evaluate_every=1_000_000",
)  # fmt: skip


class Quiet:
    """Nobody watches."""

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return load_config(None, SETTINGS)


@pytest.fixture(scope="module")
def world(config: RunConfig) -> TwinWorld:
    return TwinWorld(config.env)


@pytest.fixture(scope="module")
def shown(config: RunConfig, world: TwinWorld):
    return demonstrate(config.env, config.imitation, 3, task=world.task_for(config.imitation.cars))[0]


@pytest.fixture(scope="module")
def trained(config: RunConfig, world: TwinWorld, shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    out = tmp_path_factory.mktemp("run")
    clone, _ = new_clone(config, shown, world.action)
    Trainer(config, world, out, clone).run()
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    return out


def test_demonstrations_fit_the_task(config: RunConfig, world: TwinWorld, shown) -> None:
    assert shown.observations.shape == (len(shown.laps), world.observations)
    assert shown.actions.shape == (len(shown.laps), world.action.width)
    assert np.abs(shown.actions).max() <= 1.0
    assert len(np.unique(shown.laps)) == config.imitation.cars
    assert len(shown.laps) > 0.8 * config.imitation.cars * config.imitation.seconds / config.env.period


def test_demonstrations_repeat_exactly(config: RunConfig, world: TwinWorld, shown) -> None:
    again, _ = demonstrate(config.env, config.imitation, 3, task=world.task_for(config.imitation.cars))
    assert all(np.array_equal(a, b) for a, b in zip(shown, again, strict=True))


def test_the_clone_acts_like_the_expert(config: RunConfig, world: TwinWorld, shown) -> None:
    clone, history = new_clone(config, shown, world.action)
    error = clone.drive(torch.from_numpy(shown.observations)).numpy() - shown.actions
    assert np.mean(error**2) < 0.3 * shown.actions.var(axis=0).mean()
    assert history[-1].validation_loss < history[0].validation_loss


def test_cars_go_on_exactly_from_their_state(world: TwinWorld) -> None:
    actions = np.random.default_rng(0).uniform(-1, 1, (60, 32, 2)).astype(np.float32)
    first, second = world.cars(32), world.cars(32)
    first.start(seed=1)
    for action in actions[:30]:
        first.step_arrays(action)
    state = first.state()
    first.step_arrays(actions[0])
    assert np.array_equal(first.load_state(state), second.load_state(state))
    for action in actions[30:]:
        for a, b in zip(first.step_arrays(action), second.step_arrays(action), strict=True):
            assert np.array_equal(a, b)


def test_randomised_cars_go_on_as_they_were() -> None:
    config = TaskConfig.of({"track": "oval", "randomisation": {"mass": 0.1, "power": 0.1}, "curriculum": {"window": 4}})
    first, second = (TwinWorld(config).cars(8) for _ in range(2))
    first.start(3)
    random = np.random.default_rng(0)
    actions = random.uniform(-1, 1, (200, 8, 2)).astype(np.float32)
    for each in actions[:150]:
        first.step_arrays(each)
    second.load_state(first.state())
    for each in actions[150:]:
        one, two = first.step_arrays(each), second.step_arrays(each)
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_policy_drives_from_its_checkpoint(world: TwinWorld, trained: Path) -> None:
    driver = PolicyDriver.from_checkpoint(trained / "last.pt", n=3)
    assert driver.task.identity() == world.task
    simulator = driver.task.simulator()
    frames = simulator.reset(distance=[0.0, 100.0, 200.0], speed=30.0)
    driver.reset()
    first = driver.act(frames).copy()
    simulator.step(first)
    driver.act(simulator.frames)
    frames = simulator.reset(distance=[0.0, 100.0, 200.0], speed=30.0)
    driver.reset()
    assert np.array_equal(driver.act(frames), first)
    assert set(np.unique(first["gear"])) == {-2}


def test_a_policy_drives_elsewhere_when_told(trained: Path) -> None:
    assert PolicyDriver.from_checkpoint(trained, track="skid_pad").task.track.name == "skid_pad"


def test_a_checkpoint_whose_task_changed_is_refused(trained: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(trained / "last.pt")
    checkpoint["task"]["fingerprint"] = "0" * 16
    torch.save(checkpoint, tmp_path / "old.pt")
    with pytest.raises(CheckpointError, match=r"old\.pt: was trained for another task"):
        PolicyDriver.from_checkpoint(tmp_path / "old.pt")


@pytest.mark.parametrize("kind", ["sac", "td3", "qr_sac", "iqn"])
def test_agents_with_a_memory_train_in_the_twin_and_drive_from_their_checkpoint(kind: str, tmp_path: Path) -> None:
    settings = [
        "env.track=oval", "imitation.cars=8", "imitation.seconds=20", "imitation.bc.epochs=2", f"agent.type={kind}",
        "agent.hidden=[32, 32]", "agent.batch=64", "agent.replay=5000", "agent.learning_starts=256", "train.cars=16",
        "train.threads=1", "train.steps=512", "train.evaluate_every=1_000_000",
    ]  # fmt: skip
    settings += ["env.action.kind=discrete", "agent.pretrain=20"] if kind == "iqn" else ["agent.critic_warmup=4"]
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    train(load_config(None, settings), tmp_path, Quiet())
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    driver = PolicyDriver.from_checkpoint(tmp_path / "last.pt", n=2)
    simulator = driver.task.simulator()
    driver.reset()
    for _ in range(10):
        simulator.step(driver.act(simulator.frames))
    assert np.isfinite(simulator.frames["speed"]).all()
