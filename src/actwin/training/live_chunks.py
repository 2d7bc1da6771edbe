"""Cuts what one car does into chunks of consecutive steps, and says how chunks travel."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from actwin.agents.arrays import Floats
from actwin.agents.intake import Chunk
from actwin.errors import SourceError
from actwin.training.live_wire import Message, pack

LONGEST: Final = 50
"""[steps] Of a chunk."""
KIND: Final = "chunk"


class Cutter:
    """Collects the steps of one car and hands them on in chunks.

    The newest step is held back until it is known what comes after it: when the next one is lost, the episode can still
    be ended there as one that was cut off.

    Args:
        stream: Which car.
        observations, width: Columns of an observation and of an action.
        emit: Takes each chunk; its arrays are its own.
    """

    def __init__(self, stream: int, observations: int, width: int, emit: Callable[[Chunk], None]) -> None:
        self._stream, self._emit = stream, emit
        self._observations = np.zeros((LONGEST + 2, observations), np.float32)
        self._actions = np.zeros((LONGEST + 1, width), np.float32)
        self._rewards = np.zeros(LONGEST + 1, np.float32)
        self._versions = np.zeros(LONGEST + 1, np.int64)
        self._count = self._sequence = 0
        self._episode = 0

    def begin(self) -> None:
        """A new episode begins; what was held back of the last one is ended as cut off."""
        self.cut()
        # By the clock, so that it comes after the episodes of every earlier process that drove this car.
        self._episode, self._sequence = max(self._episode + 1, round(1000.0 * time.time())), 0

    def add(
        self,
        observation: Floats,
        action: Floats,
        reward: float,
        following: Floats,
        version: int,
        terminated: bool = False,
        truncated: bool = False,
    ) -> None:
        """Takes one step.

        Args:
            observation: float32[O] before it.
            action: float32[width] as it was decided.
            reward: Paid for it.
            following: float32[O] after it, before a reset.
            version: Of the policy that decided.
            terminated, truncated: Whether, and how, the episode ended with it; then `begin` comes next.
        """
        row = self._count
        self._observations[row], self._observations[row + 1] = observation, following
        self._actions[row], self._rewards[row], self._versions[row] = action, reward, version
        self._count += 1
        if terminated or truncated:
            self._hand_on(self._count, terminated, truncated and not terminated)
        elif self._count > LONGEST:
            self._hand_on(LONGEST, False, False)

    def cut(self) -> None:
        """The next step is lost: the newest one ends its episode as cut off."""
        if self._count:
            self._hand_on(self._count, False, True)

    def _hand_on(self, steps: int, terminated: bool, truncated: bool) -> None:
        arrays = self._observations[: steps + 1].copy(), self._actions[:steps].copy(), self._rewards[:steps].copy()
        version = int(self._versions[0])
        self._emit(Chunk(self._stream, self._episode, self._sequence, version, *arrays, terminated, truncated))
        rest = self._count - steps
        for kept in (self._actions, self._rewards, self._versions):
            kept[:rest] = kept[steps : self._count]
        self._observations[: rest + 1] = self._observations[steps : self._count + 1]
        self._count, self._sequence = rest, self._sequence + steps


def pack_chunk(chunk: Chunk) -> bytes:
    """A chunk as a message."""
    parts = chunk._asdict()
    arrays = {name: parts.pop(name) for name in ("observations", "actions", "rewards")}
    return pack(KIND, parts, arrays)


def chunk_of(message: Message) -> Chunk:
    """The chunk in a message of the kind `KIND`; whether it fits is for the one who takes it to say.

    Raises:
        SourceError: It lacks something.
    """
    try:
        facts, arrays = message.facts, message.arrays
        return Chunk(
            stream=int(facts["stream"]),
            episode=int(facts["episode"]),
            sequence=int(facts["sequence"]),
            policy_version=int(facts["policy_version"]),
            observations=arrays["observations"],
            actions=arrays["actions"],
            rewards=arrays["rewards"],
            terminated=bool(facts["terminated"]),
            truncated=bool(facts["truncated"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"A chunk came without {error}. Both sides must run the same version of actwin.") from error
