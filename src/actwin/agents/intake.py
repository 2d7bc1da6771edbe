"""Experience that cars send whenever they can: chunks that may come twice, late, or not at all."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from actwin.agents.arrays import Floats
from actwin.errors import ExperienceError


class Chunk(NamedTuple):
    """Consecutive steps of one car in one episode.

    `(stream, episode, sequence)` names the first step for ever, so that a chunk which is sent again changes nothing.
    """

    stream: int
    """Which car, from 0."""
    episode: int
    """Grows with every episode of the car, also when its driver was restarted; the clock's seconds will do."""
    sequence: int
    """Number of the first step in its episode, from 0."""
    policy_version: int
    """Of the weights that drove; see `MemoryAgent.weights`."""
    observations: Floats
    """float32[T + 1, O]: before each step, and after the last one, before the reset where the episode ended."""
    actions: Floats
    """float32[T, width] as they were decided."""
    rewards: Floats
    """float32[T]"""
    terminated: bool = False
    """The episode ended with the last step and nothing comes after it."""
    truncated: bool = False
    """The episode was cut off after the last step and would have gone on."""

    def since(self, step: int) -> Chunk:
        """The same from a step of the episode on."""
        skip = step - self.sequence
        return self._replace(
            sequence=step,
            observations=self.observations[skip:],
            actions=self.actions[skip:],
            rewards=self.rewards[skip:],
        )


class Intake:
    """Knows which step each car comes to next.

    Args:
        cars: N.
        observations, width: Columns of an observation and of an action.
    """

    def __init__(self, cars: int, observations: int, width: int) -> None:
        self.cars, self.observations, self.width = cars, observations, width
        self._next = [(-1, 0)] * cars
        self.dropped = 0
        """Steps that came again, or after later ones."""
        self.gaps = 0
        """Times that steps were missing."""

    def take(self, chunk: Chunk) -> tuple[Chunk | None, bool]:
        """What of a chunk is new, None when nothing is, and whether it follows the car's newest step.

        Raises:
            ExperienceError: It is of another shape, not finite, or of a car that does not exist.
        """
        self._check(chunk)
        steps, (episode, step) = len(chunk.rewards), self._next[chunk.stream]
        old = 0 if chunk.episode > episode else steps if chunk.episode < episode else max(step - chunk.sequence, 0)
        self.dropped += min(old, steps)
        if old >= steps:
            return None, False
        new = chunk.since(chunk.sequence + old) if old else chunk
        follows = (new.episode, new.sequence) == (episode, step)
        ended = chunk.terminated or chunk.truncated
        # An episode that ended is followed by any later one.
        self._next[chunk.stream] = (chunk.episode + 1, 0) if ended else (chunk.episode, chunk.sequence + steps)
        return new, follows

    def _check(self, chunk: Chunk) -> None:
        steps = len(chunk.rewards)
        if not 0 <= chunk.stream < self.cars:
            raise ExperienceError(
                f"A chunk of car {chunk.stream} came, but the agent knows cars 0 to {self.cars - 1}. Raise train.cars."
            )
        if chunk.sequence < 0 or chunk.episode < 0:
            raise ExperienceError(
                f"Car {chunk.stream} sent episode {chunk.episode}, step {chunk.sequence}; both count from 0."
            )
        shapes = chunk.observations.shape, chunk.actions.shape, chunk.rewards.shape
        wanted = (steps + 1, self.observations), (steps, self.width), (steps,)
        if shapes != wanted or not steps:
            raise ExperienceError(
                f"Car {chunk.stream} sent arrays of shapes {shapes} where {wanted} belong. "
                "Its driver must run the same task and version as the learner."
            )
        arrays = chunk.observations, chunk.actions, chunk.rewards
        if any(array.dtype != np.float32 for array in arrays) or not all(np.isfinite(array).all() for array in arrays):
            raise ExperienceError(
                f"Car {chunk.stream} sent values that are not finite single-precision numbers (episode "
                f"{chunk.episode}, step {chunk.sequence} on). Look at what its telemetry says; the chunk was not used."
            )

    def state(self) -> dict[str, Any]:
        """Everything that the next chunk depends on."""
        return {"next": [list(each) for each in self._next], "dropped": self.dropped, "gaps": self.gaps}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()`."""
        self._next = [(int(episode), int(step)) for episode, step in state["next"]]
        self.dropped, self.gaps = int(state["dropped"]), int(state["gaps"])
