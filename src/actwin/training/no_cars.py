"""Places for cars that a trainer cannot step: they drive elsewhere, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Flags, Floats
from actwin.errors import SourceError


class NoCars:
    """Nothing that could be stepped or put back into a former state; implements `protocols.CarArray`.

    Args:
        n: Cars that there would be.
        observations: Length of an observation.
        why: What is said to whoever steps them.
    """

    def __init__(self, n: int, observations: int, why: str) -> None:
        self.num_envs, self._why = n, why
        self.final_observation: Floats = np.zeros((n, observations), np.float32)
        self.reward_terms: Mapping[str, npt.NDArray[Any]] = {}

    def start(self, seed: int) -> Floats:
        """float32[N, O] of zeros."""
        return self.final_observation

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """Cannot be.

        Raises:
            SourceError: Always.
        """
        raise SourceError(self._why)

    def episode_stats(self) -> Mapping[str, float]:
        """Nothing happened here."""
        return {}

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state(self, state: dict[str, Any]) -> Floats:
        """Begins anew; float32[N, O] of zeros."""
        return self.final_observation
