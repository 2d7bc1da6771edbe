"""A run that was killed and gone on with equals one that was not, bit for bit: each algorithm, from a clone too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from line_world import Line, LineWorld

from actwin.agents.bc import BCConfig, Demonstrations, clone
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.registry import clones, new_network, remembers
from actwin.agents.replay import Experience
from actwin.training.config import RunConfig, load_config
from actwin.training.metrics import read_metrics
from actwin.training.trainer import Trainer

MEMORY = (
    "agent.hidden=[16,16]", "agent.batch=64", "agent.replay=2048", "agent.learning_starts=512", "agent.round_steps=2",
    "agent.normaliser_steps=1600",
)  # fmt: skip
ALGORITHMS = {
    "ppo": ("agent.hidden=[16]", "agent.rollout=8", "agent.minibatch=512", "agent.clone_weight=0.5"),
    "sac": MEMORY,
    "td3": MEMORY,
    "qr_sac": (*MEMORY, "agent.quantiles=4", "agent.precision=bfloat16"),
    "iqn": (*MEMORY, "agent.quantiles=4", "agent.acting_quantiles=4", "agent.pretrain=150"),
}
CARS, KILLED_AT, SAVED_AT = 64, 2304, 2048


class Pushed(Line):
    """The line with three actions to choose from: left, nothing, right."""

    def step_arrays(self, actions):
        return super().step_arrays(actions - 1.0)


class ChoiceWorld(LineWorld):
    action = ActionSpec(0, 3)

    def cars(self, n: int) -> Line:
        return Pushed(n)

    def evaluate(self, policy: Any, thorough: bool = False):
        return super().evaluate(Policy(2, ActionSpec(1), (4,)))


def a_run(kind: str, *overrides: str) -> RunConfig:
    own = [f"agent.type={kind}", *ALGORITHMS[kind], f"train.cars={CARS}", "train.threads=1", "train.steps=4096"]
    if kind == "iqn":
        own.append("env.action.kind=discrete")
    if clones(load_config(None, own).agent):
        own.append("agent.critic_warmup=3")
    return load_config(None, [*own, "train.evaluate_every=100_000", "train.save_every=1024", *overrides])


def demonstrations(world: LineWorld) -> tuple[Demonstrations, Experience]:
    """Thirty steps of somebody who pushes towards the middle."""
    cars, rows = world.cars(16), []
    observation = cars.start(1)
    for _ in range(30):
        push = np.clip(-2.0 * observation.sum(1, keepdims=True), -1.0, 1.0).astype(np.float32)
        action = np.round(push + 1.0) if world.action.choices else push
        seen, (observation, *came) = observation, cars.step_arrays(action)
        rows.append((seen, action, *(each.copy() for each in came)))
    observations, actions, rewards, terminated, truncated = (np.stack(column) for column in zip(*rows, strict=True))
    truncated[-1] |= ~terminated[-1]
    usable = np.ones_like(truncated)
    usable[-1] = False
    laps = np.tile(np.arange(16), 30)
    shown = Demonstrations(observations.reshape(-1, 2), actions.reshape(-1, world.action.width), laps)
    return shown, Experience(observations, actions, rewards, terminated, truncated, usable)


def trainer(config: RunConfig, folder: Path, again: bool, on_progress=None) -> Trainer:
    """One that is new, or goes on from its folder's last checkpoint as the pipeline does: without a clone."""
    world = ChoiceWorld() if config.agent.type == "iqn" else LineWorld()
    shown, lived = demonstrations(world)
    policy = None
    if clones(config.agent) and not again:
        torch.manual_seed(0)
        policy = new_network(config.agent, 2, world.action)
        clone(policy, shown, BCConfig(epochs=2, batch=64), seed=0)
    made = Trainer(config, world, folder, policy, lived if remembers(config.agent) else None, on_progress)
    if again:
        made.resume(folder / "last.pt")
    return made


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree, key=str) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for each in tree for leaf in leaves(each)]
    return [tree]


def same(one: Any, two: Any) -> bool:
    pairs = zip(leaves(one), leaves(two), strict=True)
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def measured(folder: Path) -> list[dict[str, float]]:
    """What the board got of the learning, without clocks and what the line counts since its process began."""
    rows = [row for row in read_metrics(folder) if "reward/total" in row or "agent/updates" in row]
    skipped = ("time/", "seconds", "episode/")
    return [{name: value for name, value in row.items() if not name.startswith(skipped)} for row in rows]


class Killed(BaseException):
    """Nobody catches it."""


@pytest.mark.parametrize("kind", ALGORITHMS)
@pytest.mark.parametrize("place", ["memory", "disk"])
def test_a_run_that_was_killed_ends_as_one_that_was_not(kind: str, place: str, tmp_path: Path) -> None:
    if kind == "ppo" and place == "disk":
        pytest.skip("remembers nothing")
    config = a_run(kind, *([f"agent.replay_on_disk={place == 'disk'}"] if kind != "ppo" else []))
    straight = trainer(config, tmp_path / "straight", again=False)
    straight.run()

    def kill(progress) -> None:
        if progress.steps >= KILLED_AT:
            raise Killed

    first = trainer(config, tmp_path / "parts", again=False, on_progress=kill)
    with pytest.raises(Killed):
        first.run()
    second = trainer(config, tmp_path / "parts", again=True)
    assert (first.steps >= KILLED_AT, second.steps) == (True, SAVED_AT)
    second.run()
    assert same(straight.agent.state(), second.agent.state())
    assert measured(tmp_path / "straight") == measured(tmp_path / "parts")
    if kind != "ppo":
        assert straight.agent.updates > 10
        generators = [torch.Generator().manual_seed(7) for _ in range(2)]
        drawn = [each.agent.memory.sample(256, generators[k]) for k, each in enumerate((straight, second))]
        assert same(*drawn)


@pytest.mark.parametrize("kind", ["ppo", "sac"])
def test_other_learning_rates_are_taken_up(kind: str, tmp_path: Path) -> None:
    trainer(a_run(kind, "train.steps=1024"), tmp_path, again=False).run()
    agent = trainer(a_run(kind, "agent.actor_lr=2e-5", "agent.critic_lr=1e-6"), tmp_path, again=True).agent
    if kind == "ppo":
        assert [group["lr"] for group in agent.optimiser.param_groups] == [2e-5, 1e-6]
    else:
        assert (agent.actor_optimiser.rate, agent.critic_optimiser.rate) == (2e-5, 1e-6)
