"""What agents that learn from a memory have in common: filling it, drawing from it, the round of their updates."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from actwin.agents.arrays import Flags, Floats
from actwin.agents.cuda_graph import updates_on
from actwin.agents.device import HOST
from actwin.agents.disk_rows import belongs_on_disk
from actwin.agents.intake import Chunk, Intake
from actwin.agents.losses import discount
from actwin.agents.normaliser import Normaliser
from actwin.agents.optimiser import Adam
from actwin.agents.replay import Experience, Replay, Transitions
from actwin.errors import ConfigError

PRETRAINING_ROUND: Final = 100
"""Updates between two looks at the board before the first step."""


class MemoryConfig(BaseModel):
    """Settings that agents with a memory share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon: float = Field(default=6.0, gt=0, description="[s] mean time over which future reward counts")
    n_step: int = Field(default=5, ge=1, description="steps of reward before a target bootstraps")
    batch: int = Field(default=512, ge=1)
    replay: int = Field(default=500_000, ge=1, description="transitions that are kept")
    replay_on_disk: bool | Literal["auto"] = Field(
        default="auto",
        description="whether they lie in the run's folder; auto if they take 2 GB or a quarter of the RAM",
    )
    learning_starts: int = Field(default=20_000, ge=0, description="car steps before the first update")
    round_steps: int = Field(default=8, ge=1, description="steps of all cars between rounds of updates")
    updates_per_step: float = Field(default=1.0, gt=0, description="updates for each step of all cars together")
    gradient_norm: float = Field(default=10.0, gt=0)
    normaliser_steps: int = Field(
        default=200_000, ge=0, description="car steps until the observation statistics freeze"
    )
    pretrain: int = Field(default=0, ge=0, description="updates on demonstrations alone, before the first step")
    demo_share: float = Field(
        default=0.5, ge=0, lt=1, description="share of each batch that comes from demonstrations, where there are any"
    )


class DrivingNetwork(Protocol):
    """A network with observation statistics."""

    normaliser: Normaliser

    def state_dict(self) -> dict[str, Tensor]:
        """Weights and statistics by name."""
        ...


class MemoryAgent(ABC):
    """An agent that learns from a memory of what it and others did.

    Args:
        observations, width: Columns of an observation and of an action.
        cars: Number of parallel environments.
        period: [s] Control period, which turns the horizon into a discount.
        config: Settings.
        seed: Of exploration and batches.
        experience: Demonstrations with their rewards; part of every batch.
        folder: Of the run, for a memory on disk.
        device: Where updates are computed; the memory, random numbers and what drives are on the host.
        graphs: Whether updates on a graphics card are recorded and replayed.

    Raises:
        ConfigError: A memory smaller than a batch or a window.
    """

    kind: str
    normaliser: Normaliser
    """Of the policy, on the host."""

    def __init__(
        self,
        observations: int,
        width: int,
        cars: int,
        period: float,
        config: MemoryConfig,
        seed: int,
        experience: Experience | None,
        folder: Path | None,
        device: torch.device = HOST,
        graphs: bool = False,
    ) -> None:
        if config.replay < config.batch:
            raise ConfigError(
                f"A batch of {config.batch} does not fit a memory of {config.replay} transitions. "
                "Raise agent.replay or lower agent.batch."
            )
        self.settings, self.device, self.on_device = config, device, updates_on(device, graphs)
        self.gamma = discount(config.horizon, period)
        self.generator = torch.Generator().manual_seed(seed)
        steps = -(-config.replay // cars)
        on_disk = belongs_on_disk(config.replay_on_disk, 4 * steps * cars * (observations + width))
        if on_disk and folder is None and config.replay_on_disk is True:
            raise ConfigError("agent.replay_on_disk needs the folder of a run. Give one, or set it to false.")
        self.memory = Replay(steps, cars, observations, width, config.n_step, self.gamma, folder if on_disk else None)
        self.demonstrations: Replay | None = None
        if experience is not None and config.demo_share:
            self.demonstrations = Replay.of(experience, config.n_step, self.gamma)
        self.intake = Intake(cars, observations, width)
        self.steps, self.updates, self._owed, self._since = 0, 0, 0.0, 0.0
        self.offline = False
        """Whether it learns from its demonstrations alone and never drives."""
        self._pretraining = config.pretrain if self.demonstrations is not None else 0
        self._doing: tuple[Tensor, Tensor] | None = None
        self._drawn: Transitions | None = None

    @property
    @abstractmethod
    def policy(self) -> DrivingNetwork:
        """What drives, on the host."""

    @abstractmethod
    def explore(self, observations: Tensor) -> Tensor:
        """float32[N, width]: actions with exploration for raw observations float32[N, O]."""

    @abstractmethod
    def start_at(self, level: float) -> None:
        """Lets values begin at about `level`."""

    @abstractmethod
    def update_kind(self) -> Hashable:
        """What the next update does: updates of one kind compute the same, with other numbers."""

    @abstractmethod
    def compute(self) -> dict[str, Tensor]:
        """One update, on the device, with the scalars that the board should show.

        What differs from one update of its kind to the next comes in through `bring`; see `Updates`.
        """

    def learn(self) -> dict[str, float]:
        """One update, with what the board should show."""
        if self.updates == 0:
            self.start_at(self.level())
        self.updates += 1
        return self.on_device.run(self.update_kind(), self.compute)

    @property
    def ready(self) -> bool:
        """Whether a round of updates is due."""
        if self._pretraining or self.offline:
            return True
        enough = self.steps >= self.settings.learning_starts and len(self.memory) >= self.settings.batch
        return enough and self._since >= self.settings.round_steps and self._owed >= 1.0

    @torch.no_grad()
    def act(self, observation: Floats) -> Floats:
        """Explores: actions float32[N, width] for float32[N, observations]."""
        raw = torch.from_numpy(observation).clone()
        action = self.explore(raw)
        self._doing = raw, action
        result: Floats = action.numpy()
        return result

    @torch.no_grad()
    def process(
        self, reward: Floats, terminated: Flags, truncated: Flags, observation: Floats, final_observation: Floats
    ) -> None:
        """Remembers what the last actions led to; see `Agent.process`."""
        assert self._doing is not None
        before, action = self._doing
        arrays = (reward, terminated, truncated, final_observation)
        self.memory.add(before, action, *(torch.from_numpy(array) for array in arrays))
        self._learned_of(before)

    @torch.no_grad()
    def absorb(self, chunk: Chunk) -> int:
        """Remembers what a car that keeps its own time did, and returns how many steps of it were new.

        A chunk that comes again, or after a later one of its car, changes nothing. Where steps are missing, windows of
        rewards end as if the episode had been cut off there.

        Raises:
            ExperienceError: It is of another shape, not finite, or of a car that does not exist.
        """
        new, follows = self.intake.take(chunk)
        if new is None:
            return 0
        if not follows and self.memory.cut(chunk.stream):
            self.intake.gaps += 1
        terminated, truncated = np.zeros((2, len(new.rewards)), np.bool_)
        terminated[-1], truncated[-1] = new.terminated, new.truncated
        final = new.observations[-1:] if new.terminated or new.truncated else new.observations[:0]
        self.memory.extend(
            chunk.stream,
            new.observations[:-1],
            new.actions,
            new.rewards,
            terminated,
            truncated,
            final,
            new.observations[-1],
        )
        self._learned_of(torch.from_numpy(new.observations[:-1]))
        return len(new.rewards)

    def weights(self) -> tuple[int, dict[str, Tensor]]:
        """Version and weights, with statistics, of the policy that would drive now: for those who collect."""
        return self.updates, {name: value.detach().clone() for name, value in self.policy.state_dict().items()}

    def _learned_of(self, observations: Tensor) -> None:
        """Counts new steps, and the updates that they make due."""
        settings, count = self.settings, len(observations)
        self.normaliser.observe(observations)
        self.steps += count
        self._since += count / self.memory.cars
        if self.steps >= settings.normaliser_steps:
            self.normaliser.freeze()
        if self.steps >= settings.learning_starts:
            self._owed += settings.updates_per_step * count / self.memory.cars

    def update(self, most: int | None = None) -> dict[str, float]:
        """The updates that are due; what they showed, each averaged over the updates that showed it.

        Args:
            most: Updates after which to return, when more are due; they stay due.
        """
        if self.offline:
            count = PRETRAINING_ROUND if most is None else most
        elif self._pretraining:
            count = min(self._pretraining, PRETRAINING_ROUND if most is None else most)
            self._pretraining -= count
        else:
            count = int(self._owed) if most is None else min(int(self._owed), most)
            self._owed -= count
            self._since = self._since if self._owed >= 1.0 else 0.0
        values: dict[str, list[float]] = {}
        for _ in range(count):
            shown = self.learn()
            for name, value in shown.items():
                values.setdefault(name, []).append(value)
            if not all(map(math.isfinite, shown.values())):
                break  # with the batch that did it at hand
        return {name: sum(each) / len(each) for name, each in values.items()} | {"updates": float(self.updates)}

    def level(self) -> float:
        """About what a return is, by the rewards that are known: where values should begin."""
        known = self.memory if len(self.memory) else self.demonstrations
        assert known is not None
        return known.mean_reward() / (1.0 - self.gamma)

    @property
    def demonstrated(self) -> int:
        """How many of the last rows of a batch are demonstrations."""
        if self.demonstrations is None:
            return 0
        return round(self.settings.demo_share * self.settings.batch) if len(self.memory) else self.settings.batch

    @torch.no_grad()
    def draw(self) -> Transitions:
        """A batch with normalised observations, on the host; its last `demonstrated` rows are demonstrations."""
        size, shown = self.settings.batch, self.demonstrated
        if self.demonstrations is None:
            drawn = self.memory.sample(size, self.generator)
        elif not len(self.memory):
            drawn = self.demonstrations.sample(size, self.generator)
        else:
            pairs = zip(
                self.memory.sample(size - shown, self.generator),
                self.demonstrations.sample(shown, self.generator),
                strict=True,
            )
            drawn = Transitions(*(torch.cat(pair) for pair in pairs))
        normalise = self.normaliser
        self._drawn = drawn._replace(observations=normalise(drawn.observations), following=normalise(drawn.following))
        return self._drawn

    def batch(self) -> Transitions:
        """A drawn batch, on the device."""
        return self.on_device.bring_batch(self.draw)

    def evidence(self) -> dict[str, Tensor]:
        """The last batch, with normalised observations; see `Agent.evidence`."""
        return {} if self._drawn is None else self._drawn._asdict()

    @abstractmethod
    def parts(self) -> dict[str, nn.Module | Adam]:
        """Networks and optimisers, by the names they have in a checkpoint."""

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on, except the memory; see `Replay.state`."""
        return {name: part.state_dict() for name, part in self.parts().items()} | {
            "generator": self.generator.get_state(),
            "steps": self.steps,
            "updates": self.updates,
            "owed": self._owed,
            "since": self._since,
            "pretraining": self._pretraining,
            "intake": self.intake.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of an agent of the same configuration."""
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.generator.set_state(state["generator"])
        self.steps, self.updates = int(state["steps"]), int(state["updates"])
        self._owed, self._since = float(state["owed"]), float(state["since"])
        self._pretraining = int(state["pretraining"])
        if "intake" in state:  # checkpoints of versions before cars could keep their own time have none
            self.intake.load_state(state["intake"])
        self.on_device.forget()


def bootstrapped(batch: Transitions, following: Tensor) -> Tensor:
    """Targets: returns plus discounted values of what follows.

    A state that does not exist must not leak, whatever stands in its place, so nothing is multiplied by zero.

    Args:
        batch: Transitions.
        following: float32[B, M], values after the last step.

    Returns:
        float32[B, M]
    """
    discounts = batch.discounts.unsqueeze(-1)
    return batch.returns.unsqueeze(-1) + torch.where(
        discounts > 0.0, discounts * following, torch.zeros_like(following)
    )
