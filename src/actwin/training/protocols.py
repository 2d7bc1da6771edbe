"""What the trainer needs to know of cars and of the world that they drive in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from actwin.agents.arrays import Flags, Floats
from actwin.agents.networks import ActionSpec
from actwin.agents.registry import DrivingPolicy


class CarArray(Protocol):
    """What the trainer needs of N environments; the arrays are reused by the next step."""

    num_envs: int
    final_observation: Floats
    """float32[N, O]: observations before the reset, valid where an episode ended in the last step."""
    reward_terms: Mapping[str, npt.NDArray[Any]]
    """float32[N] for each term of the last reward."""

    def start(self, seed: int) -> Floats:
        """Resets all cars; float32[N, O]."""
        ...

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """One control step; observation, reward, terminated, truncated."""
        ...

    def episode_stats(self) -> Mapping[str, float]:
        """Means over the episodes that ended since the last call, by name."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on, as tensors, numbers, text, lists and dicts."""
        ...

    def load_state(self, state: dict[str, Any]) -> Floats:
        """Goes on from `state()`; the observation float32[N, O]."""
        ...


class Score(NamedTuple):
    """How well a policy drives without exploration."""

    value: float
    """Higher is better; the checkpoint with the highest is `best.pt`."""
    best_lap: float
    """[s] Fastest clean lap, NaN when there is none."""
    scalars: dict[str, float]
    """What the board shows, by name."""


class World(Protocol):
    """The side of a run that knows cars: environments, demonstrations, evaluation."""

    period: float
    """[s] Control period."""
    action: ActionSpec
    observations: int
    columns: Sequence[str]
    """What each number of an observation is."""
    task: dict[str, Any]
    """`{"fingerprint", "config"}`, kept in checkpoints."""

    def cars(self, n: int) -> CarArray:
        """N cars to train with."""
        ...

    def evaluate(self, policy: DrivingPolicy, thorough: bool = False) -> Score:
        """Drives fixed starts without exploration; longer when thorough, before a policy is called the best."""
        ...
