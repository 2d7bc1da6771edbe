"""Cars in running games and their task, as the trainer knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Flags, Floats
from actwin.agents.registry import DrivingPolicy
from actwin.errors import SourceError
from actwin.training.protocols import Score, World


class GameCars:
    """Cars that keep their own time, as the trainer knows them; a game cannot be put back into a former state.

    Args:
        n: How many.
        observations: Numbers in an observation.
    """

    def __init__(self, n: int, observations: int) -> None:
        self.num_envs = n
        self.final_observation: Floats = np.zeros((n, observations), np.float32)
        self.reward_terms: Mapping[str, npt.NDArray[Any]] = {}

    def start(self, seed: int) -> Floats:
        """Nothing is driven yet; float32[N, O]."""
        return self.final_observation

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """Games do not step together."""
        raise SourceError("Cars in running games keep their own time. Train them with section `live` of the settings.")

    def episode_stats(self) -> dict[str, float]:
        """Drivers report them."""
        return {}

    def state(self) -> dict[str, Any]:
        """Nothing: the games drive on."""
        return {}

    def load_state(self, state: dict[str, Any]) -> Floats:
        """Begins anew; float32[N, O]."""
        return self.final_observation


class GameWorld:
    """The task of a run whose cars are in running games.

    Args:
        twin: The same task in the twin, where demonstrations come from.
    """

    def __init__(self, twin: World) -> None:
        self.period, self.action, self.observations = twin.period, twin.action, twin.observations
        self.columns, self.task = twin.columns, twin.task

    def cars(self, n: int) -> GameCars:
        """The cars of N games."""
        return GameCars(n, self.observations)

    def evaluate(self, policy: DrivingPolicy, thorough: bool = False) -> Score:
        """Games are asked to, and answer when they have driven."""
        raise SourceError("Cars in running games are judged while they drive. Use `actwin drive` for a checkpoint.")
