"""Moments before mistakes: exact states of cars that failed soon after, to practise again."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.env.config import StartConfig
from actwin.env.starts import random_units
from actwin.twin.simulator import Simulator, State

SPACING: Final = 0.5
"""[s] Between the snapshots from which a moment is chosen."""
DRAW_AGE, DRAW_MOMENT = 5, 6

Indices = npt.NDArray[np.int64]


class Mistakes:
    """Watches N cars and keeps what they were like shortly before they failed.

    Args:
        config: The settings.
        simulator: The twin.
        seed: Of the run.
    """

    def __init__(self, config: StartConfig, simulator: Simulator, seed: int) -> None:
        period = simulator.control_period
        self._simulator, self._seed = simulator, seed
        self._nearest, self._furthest = (round(before / period) for before in config.replay_before)
        self._every = max(1, round(SPACING / period))
        self._recent: deque[tuple[int, State]] = deque(maxlen=self._furthest // self._every + 2)
        self._room, self._count = config.replay_pool, 0
        self._pool: State | None = None
        self._now = 0
        self._since = np.zeros(simulator.n, np.int64)

    def __len__(self) -> int:
        return min(self._count, self._room)

    def watch(self) -> None:
        """Takes note of one more control period."""
        self._now += 1
        if self._now % self._every == 0:
            self._recent.append((self._now, self._simulator.snapshot()))

    def begin(self, rows: Indices) -> None:
        """Some cars begin new episodes now."""
        self._since[rows] = self._now

    def add(self, rows: Indices, episodes: Indices) -> None:
        """Some cars have just failed.

        Args:
            rows: int64[K] Which cars.
            episodes: int64[N] Counter of each car's episodes.
        """
        for car, share in zip(rows, self._draw(rows, episodes, DRAW_AGE), strict=True):
            wanted = self._now - self._nearest - int(share * (self._furthest - self._nearest))
            fitting = [state for taken, state in self._recent if self._since[car] <= taken <= wanted]
            if fitting:
                self._keep(fitting[-1][np.array([car])])

    def _keep(self, state: State) -> None:
        if self._pool is None:
            self._pool = State(
                np.zeros((self._room, state.values.shape[1]), state.values.dtype),
                np.zeros((self._room, state.ints.shape[1]), state.ints.dtype),
            )
        place = self._count % self._room
        self._pool.values[place], self._pool.ints[place] = state.values[0], state.ints[0]
        self._count += 1

    def pick(self, rows: Indices, episodes: Indices) -> State:
        """One moment for each of some cars; there must be one.

        Args:
            rows: int64[K] Which cars.
            episodes: int64[N] Counter of each car's episodes.
        """
        assert self._pool is not None
        return self._pool[(self._draw(rows, episodes, DRAW_MOMENT) * len(self)).astype(np.int64)]

    def state(self) -> dict[str, Any]:
        """Everything that the next moment depends on: arrays and numbers."""
        kept = {"now": self._now, "count": self._count, "since": self._since.copy()}
        if self._pool is not None:
            kept |= {"values": self._pool.values[: len(self)].copy(), "ints": self._pool.ints[: len(self)].copy()}
        if self._recent:
            taken, states = zip(*self._recent, strict=True)
            kept |= {
                "taken": np.array(taken), "recent_values": np.stack([state.values for state in states]),
                "recent_ints": np.stack([state.ints for state in states]),
            }  # fmt: skip
        return kept

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state()` of as many cars."""
        self._now, self._since[:] = int(state["now"]), state["since"]
        self._pool, self._count = None, 0
        for values, ints in zip(state.get("values", ()), state.get("ints", ()), strict=True):
            self._keep(State(values[None], ints[None]))
        self._count = int(state["count"])
        recent = (state.get(name, ()) for name in ("taken", "recent_values", "recent_ints"))
        self._recent.clear()
        self._recent.extend((int(taken), State(values, ints)) for taken, values, ints in zip(*recent, strict=True))

    def _draw(self, rows: Indices, episodes: Indices, draw: int) -> npt.NDArray[np.float64]:
        shares = np.empty(len(rows))
        random_units(self._seed, rows, episodes, draw, shares)
        return shares
