"""The gap to the best lap at the same place on the road, as the game's performance meter shows it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

CELLS: Final = 2048
"""Places on a lap at which times are compared; some 3 m apart on a circuit."""


class PaceMeter:
    """Compares the lap of one car with its best one.

    Attributes:
        gap: [s] Slower than the best lap at this place when positive; 0 before there is one.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new session: no best lap."""
        self.gap = 0.0
        self._best = np.full(CELLS, np.nan)
        self._now = np.full(CELLS, np.nan)
        self._best_time = self._time = 0.0
        self._cell = -1

    def update(self, frame: Any) -> float:
        """The gap at this moment.

        Args:
            frame: One FRAME of the car, as the game shows it.
        """
        time, best = float(frame["lap_time"]), float(frame["best_lap_time"])
        if time < self._time:
            if best != self._best_time:
                self._best, self._best_time = self._now.copy(), best
            self._now[:] = np.nan
            self._cell = -1
        self._time = time
        cell = int(frame["lap_progress"] * CELLS) % CELLS
        if cell != self._cell:
            self._cell = cell
            self._now[cell] = time
            there = self._best[cell]
            self.gap = 0.0 if np.isnan(there) else time - float(there)
        return self.gap
