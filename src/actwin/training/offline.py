"""A world without cars, for agents that learn from recorded drives alone."""

from __future__ import annotations

from actwin.agents.registry import DrivingPolicy
from actwin.training.no_cars import NoCars
from actwin.training.protocols import Score
from actwin.training.world import TwinWorld


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
        return NoCars(n, self.observations, "An agent that learns from recorded drives alone does not drive.")

    def evaluate(self, policy: DrivingPolicy, thorough: bool = False) -> Score:
        """As in the twin."""
        return self._twin.evaluate(policy, thorough)
