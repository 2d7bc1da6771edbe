"""Drives whose every crossing is known in closed form, as different sources would record them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from actwin.analysis.columns import Columns
from actwin.analysis.laps import Lap, all_laps
from actwin.analysis.way import way_of

LENGTH = 3000.0
SECTORS = (0.0, 900.0, 2100.0)
PICTURE = 1.0 / 60.0
"""[s] The game's graphics page is as old as this at most."""


@dataclass(frozen=True)
class Law:
    """Time over distance: steady, a wave with the period of a lap, and a slower one that makes every lap another."""

    speed: float = 60.0
    wave: float = 2.0
    drift: float = 1.5

    def time(self, distance: np.ndarray | float) -> np.ndarray:
        """[s] When the car is at an unwrapped distance; 0 at the first line."""
        s = np.asarray(distance, np.float64)
        slow = self.drift * np.sin(2.0 * np.pi * s / (3.7 * LENGTH))
        return s / self.speed + self.wave * np.sin(2.0 * np.pi * s / LENGTH) + slow

    def pace(self, distance: np.ndarray) -> np.ndarray:
        """[s/m] Derivative of `time`."""
        fast, slow = 2.0 * np.pi / LENGTH, 2.0 * np.pi / (3.7 * LENGTH)
        bend = self.wave * fast * np.cos(fast * distance) + self.drift * slow * np.cos(slow * distance)
        return 1.0 / self.speed + bend

    def place(self, time: np.ndarray) -> np.ndarray:
        """[m] The inverse of `time`, by Newton's method, which converges since the pace is never far from its mean."""
        s = np.asarray(time, np.float64) * self.speed
        for _ in range(12):
            s = s - (self.time(s) - time) / self.pace(s)
        assert np.abs(self.time(s) - time).max() < 1e-9
        return s

    def lap_time(self, number: int) -> float:
        """[s] Of the lap that begins at line `number`, from 0."""
        return float(np.diff(self.time(np.array([number, number + 1]) * LENGTH))[0])

    def sector_times(self, number: int) -> np.ndarray:
        """[s] Of the same lap."""
        return np.diff(self.time(number * LENGTH + np.array([*SECTORS, LENGTH])))


@dataclass(frozen=True)
class Recording:
    """Channels [T] over time stamps [s] [T]."""

    time: np.ndarray
    channels: dict[str, np.ndarray]

    @property
    def columns(self) -> Columns:
        return Columns.of_arrays(self.time, "A", **self.channels)

    def laps(self, length: float = LENGTH, sectors: tuple[float, ...] = SECTORS) -> list[Lap]:
        columns = self.columns
        return all_laps(columns, way_of(columns, length=length), sectors)

    def changed(self, **channels: np.ndarray) -> Recording:
        return replace(self, channels=self.channels | channels)

    def keep(self, *names: str) -> Recording:
        return replace(self, channels={name: self.channels[name] for name in names})

    def without(self, *names: str) -> Recording:
        return self.keep(*(name for name in self.channels if name not in names))

    def rows(self, rows: np.ndarray) -> Recording:
        return Recording(self.time[rows], {name: values[rows] for name, values in self.channels.items()})

    def then(self, other: Recording, gap: float) -> Recording:
        """Another recording after this one."""
        time = np.concatenate([self.time, other.time - other.time[0] + self.time[-1] + gap])
        return Recording(time, {name: np.concatenate([v, other.channels[name]]) for name, v in self.channels.items()})


@cache
def drive(
    law: Law, rate: float, start: float = -137.0, end: float = 3 * LENGTH + 200.0, offset: float = 17.3
) -> Recording:
    """What a perfect source tells: everything at the moment of the row, in double precision. Not to be written to.

    Args:
        law: Of motion.
        rate: [1/s] Rows.
        start, end: [m] Unwrapped.
        offset: [s] Session time of the first row.
    """
    moments = np.arange(float(law.time(start)), float(law.time(end)), 1.0 / rate)
    return Recording(moments - moments[0] + offset, _told(law, moments, law.place(moments), start))


def _told(law: Law, moments: np.ndarray, distance: np.ndarray, start: float) -> dict[str, np.ndarray]:
    line = np.floor(distance / LENGTH)
    first = int(np.floor(start / LENGTH))
    begun = np.where(line == first, law.time(start), law.time(line * LENGTH))
    place = distance - line * LENGTH
    sector = np.searchsorted(np.array(SECTORS), place, side="right") - 1
    ends = line * LENGTH + np.array(SECTORS)[sector]  # where the last completed sector ended
    starts = np.where(sector > 0, line * LENGTH + np.array(SECTORS)[sector - 1], (line - 1) * LENGTH + SECTORS[-1])
    known = starts >= start
    whole = line - 1 > first
    angle = 2.0 * np.pi * distance / LENGTH
    return {
        "lap_distance": place,
        "lap_progress": place / LENGTH,
        "spline_position": place / LENGTH,
        "lap_time": moments - begun,
        "lap_count": np.maximum(line - first - 1, 0).astype(np.int32),
        "last_lap_time": np.where(whole, law.time(line * LENGTH) - law.time((line - 1) * LENGTH), 0.0),
        "sector": sector.astype(np.int32),
        "last_sector_time": np.where(known, law.time(ends) - law.time(starts), 0.0),
        "lap_valid": np.ones(len(moments), np.int32),
        "last_lap_valid": np.ones(len(moments), np.int32),
        "speed": 1.0 / law.pace(distance),
        "throttle": 0.5 + 0.5 * np.cos(angle),
        "gear": (1 + np.floor(1.0 / law.pace(distance) / 15.0)).astype(np.int32),
        "x": LENGTH / (2.0 * np.pi) * np.cos(angle),
        "y": LENGTH / (2.0 * np.pi) * np.sin(angle),
    }


def in_single_precision(recording: Recording) -> Recording:
    """As FRAME holds it; time stamps stay doubles."""
    single = {n: v.astype(np.float32) if v.dtype.kind == "f" else v for n, v in recording.channels.items()}
    return replace(recording, channels=single)


@cache
def as_the_game_shows(law: Law, rate: float, seed: int = 0, **more: float) -> Recording:
    """As it is read from the game's shared memory: place and clocks are those of the last picture, clocks are whole
    milliseconds, the running one in physics steps of 3 ms; speed and pedals are fresh; rows are late by up to 2 ms."""
    fresh = drive(law, rate, **more)
    chance = np.random.default_rng(seed)
    moments = fresh.time - fresh.time[0] + float(law.time(more.get("start", -137.0)))
    seen = np.maximum(np.floor(moments / PICTURE) * PICTURE, moments[0])
    shown = _told(law, seen, law.place(seen), more.get("start", -137.0))
    shown |= {name: fresh.channels[name] for name in ("speed", "throttle", "gear")}
    shown["lap_time"] = np.floor(shown["lap_time"] / 0.003) * 0.003
    for name in ("last_lap_time", "last_sector_time"):
        shown[name] = np.round(shown[name], 3)
    late = np.sort(fresh.time + chance.uniform(0.0, 0.002, len(fresh.time)))
    return in_single_precision(Recording(late, shown)).without("lap_distance", "lap_progress")
