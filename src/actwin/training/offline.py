"""A world without cars, for agents that learn from recorded drives alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Flags, Floats
from actwin.agents.registry import DrivingPolicy
from actwin.training.protocols import Score
from actwin.training.world import TwinWorld


class NoCars:
    """Nothing that could be driven; implements `protocols.CarArray`.

    Args:
        n: Cars that there would be.
        observations: Length of an observation.
    """

    def __init__(self, n: int, observations: int) -> None:
        self.num_envs = n
        self.final_observation: Floats = np.zeros((n, observations), np.float32)
        self.reward_terms: Mapping[str, npt.NDArray[Any]] = {}

    def start(self, seed: int) -> Floats:
        """float32[N, O] of zeros."""
        return self.final_observation

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """Never called: an agent that learns offline is always ready for it."""
        raise AssertionError("an agent that learns offline wants to drive")

    def episode_stats(self) -> Mapping[str, float]:
        """Nothing happened."""
        return {}

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state(self, state: dict[str, Any]) -> Floats:
        """float32[N, O] of zeros."""
        return self.final_observation


class OfflineWorld:
    """A task of which only its demonstrations are known; implements `protocols.World`.

    Args:
        twin: The same task in the twin, which test drives are made in.
    """

    def __init__(self, twin: TwinWorld) -> None:
        self._twin = twin
        self.period, self.action, self.observations = twin.period, twin.action, twin.observations
        self.columns, self.task = twin.columns, twin.task

    def cars(self, n: int) -> NoCars:
        """Nothing to train with."""
        return NoCars(n, self.observations)

    def evaluate(self, policy: DrivingPolicy, thorough: bool = False) -> Score:
        """As in the twin."""
        return self._twin.evaluate(policy, thorough)
