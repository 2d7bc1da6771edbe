"""The laps of a session, kept over teleports: the simulator forgets a car's laps when it is put somewhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.telemetry.channels import FRAME, Frames, as_floats

Indices = npt.NDArray[np.int64]


class LapBook:
    """Turns the simulator's frames into those of a session.

    A car that was put somewhere keeps its laps, and the lap it is on does not count until it crosses the line.

    Args:
        n: Number of cars.

    Attributes:
        frames: FRAME[N] as the game shows them, renewed by `update`.
    """

    def __init__(self, n: int) -> None:
        self.frames: Frames = np.zeros(n, FRAME)
        self._laps = np.zeros(n, np.int64)
        self._last, self._best = np.zeros(n), np.zeros(n)
        self._last_valid = np.zeros(n, np.int64)
        self._spoiled = np.zeros(n, bool)
        self._seen = np.zeros(n, np.int64)
        self._clock = np.zeros(n)

    def restart(self) -> None:
        """A new session: no laps, nothing spoiled. The simulator's cars must have been reset."""
        self.frames[...] = np.zeros(1, FRAME)
        for kept in (self._laps, self._last, self._best, self._last_valid, self._spoiled, self._seen, self._clock):
            kept[:] = 0

    def moved(self, index: Indices) -> None:
        """Some cars were put somewhere else; the lap they are on is spoiled.

        Args:
            index: Which.
        """
        self._spoiled[index] = True
        self._seen[index] = 0
        self._clock[index] = 0.0

    def update(self, frames: Frames, ticks: int) -> Frames:
        """Frames of this moment.

        Args:
            frames: FRAME[N] of the simulator.
            ticks: Physics steps since the game began; unlike the simulator's own count it never goes back.

        Returns:
            FRAME[N], the array `frames`.
        """
        crossed = frames["lap_time"] < self._clock
        if crossed.any() or (frames["lap_count"] != self._seen).any():
            self._cross(frames, crossed)
        self._clock[:] = frames["lap_time"]
        shown = self.frames
        sector = frames["last_sector_time"]
        sector = np.where(sector > 0.0, sector, shown["last_sector_time"])
        as_floats(shown)[:] = as_floats(frames)  # the same bytes, in one go instead of field by field
        shown["packet_id"] = ticks
        shown["lap_count"] = self._laps
        shown["last_lap_time"], shown["best_lap_time"] = self._last, self._best
        shown["last_lap_valid"], shown["last_sector_time"] = self._last_valid, sector
        shown["lap_valid"] *= ~self._spoiled
        return shown

    def _cross(self, frames: Frames, crossed: Any) -> None:
        completed = frames["lap_count"] != self._seen
        valid = completed & (frames["last_lap_valid"] > 0) & ~self._spoiled
        time = frames["last_lap_time"]
        better = valid & ((self._best <= 0.0) | (time < self._best))
        self._best[better] = time[better]
        self._last[completed] = time[completed]
        self._last_valid[completed] = valid[completed]
        self._laps += completed
        self._seen[:] = frames["lap_count"]
        self._spoiled &= ~(crossed | completed)
