"""A task whose cars are in running games, as the trainer knows it."""

from __future__ import annotations

from typing import Final

from actwin.agents.registry import DrivingPolicy
from actwin.errors import SourceError
from actwin.training.no_cars import NoCars
from actwin.training.protocols import Score, World

TOGETHER: Final = "Cars in running games keep their own time. Train them with section `live` of the settings."


class GameWorld:
    """The task of a run whose cars are in running games.

    Args:
        twin: The same task in the twin, where demonstrations come from.
    """

    def __init__(self, twin: World) -> None:
        self.period, self.action, self.observations = twin.period, twin.action, twin.observations
        self.columns, self.task = twin.columns, twin.task

    def cars(self, n: int) -> NoCars:
        """The cars of N games."""
        return NoCars(n, self.observations, TOGETHER)

    def evaluate(self, policy: DrivingPolicy, thorough: bool = False) -> Score:
        """Games are asked to, and answer when they have driven."""
        raise SourceError("Cars in running games are judged while they drive. Use `actwin drive` for a checkpoint.")
