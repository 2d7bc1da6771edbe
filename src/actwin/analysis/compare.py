"""Laps on one distance axis, so that they can be laid over each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import CHANNEL, Columns
from actwin.analysis.crossings import crossing_times
from actwin.analysis.laps import Lap
from actwin.analysis.rollout import Rollout
from actwin.analysis.way import Way, way_of
from actwin.errors import SessionError
from actwin.telemetry.store.session import Session

Floats = npt.NDArray[np.float64]

CHANNELS: Final = ("speed", "throttle", "brake", "steer", "gear", "rpm", "ax", "ay", "x", "y", "lateral_offset")
"""Channels that a trace carries unless others are asked for."""
_MARGIN: Final = 4
"""Frames taken from before and after the lap, so that interpolation reaches the line from both sides."""


@dataclass(frozen=True)
class Trace:
    """A lap over distance.

    Attributes:
        driver: Who drove.
        distance: [m] From the line, 0 to the track's length, [M].
        time: [s] Since the lap began, [M]; ends exactly with the lap time.
        channels: Other quantities by channel name, each [M], in the channel's unit.
    """

    driver: str
    distance: Floats
    time: Floats
    channels: dict[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        return self.channels[name]

    @property
    def lap_time(self) -> float:
        """[s] NaN unless it is known from line to line."""
        return float(self.time[-1]) if math.isfinite(self.time[0]) else math.nan


def distance_axis(length: float, step: float = 2.0) -> Floats:
    """[m] The common axis of a track: 0 to `length`, both included, in equal steps of about `step`."""
    return np.linspace(0.0, length, max(2, round(length / step) + 1))


def trace(drive: Rollout | Session | Columns, lap: Lap, axis: Floats, channels: Sequence[str] = CHANNELS) -> Trace:
    """A lap resampled on a distance axis.

    Args:
        drive: That holds the lap; its distance is `lap_distance`. Laps of other sources have `DrivenLap.trace`.
        lap: One of its laps.
        axis: [m] From 0 to the track's length, as `distance_axis` gives it.
        channels: Which to carry; integer channels keep the value last seen instead of being interpolated.
    """
    columns = Columns.of(drive)
    return trace_of(columns, way_of(columns, length=float(axis[-1])), lap, axis, channels)


def trace_of(columns: Columns, way: Way, lap: Lap, axis: Floats, channels: Sequence[str] = CHANNELS) -> Trace:
    """A lap resampled on a distance axis, from the way of its drive.

    The time is that from crossing to crossing, stretched to end exactly with the lap time: a difference at the line is
    the difference of lap times. Time and channels are NaN where a lap that is not whole was not driven.

    Args:
        columns: The drive.
        way: Its way.
        lap: A lap of it.
        axis: [m] From 0 to the track's length.
        channels: Which to carry; those that the source does not tell are left out.

    Raises:
        SessionError: It has less than two rows.
    """
    low, high = np.searchsorted(way.rows, (lap.first, lap.last))
    if high - low < 2:
        raise SessionError(f"Lap {lap.number} of {lap.driver or 'the drive'} has no rows to compare. Choose another.")
    around = np.arange(max(0, low - _MARGIN), min(len(way), high + _MARGIN))
    rows = around[way.stretch[around] == way.stretch[low]]  # only what hangs together with the lap's own rows
    distance = (way.distance[rows] - line_before(way, lap) * way.length) * (axis[-1] / way.length)
    time = crossing_times(way.driven[rows], distance, axis) - lap.driven_begin
    if lap.whole:
        time = _to_lap_time(time, lap, axis)
    kept = {}
    for name in channels:
        if name in columns and columns[name].ndim == 1:
            values = _resample(columns[name][way.rows[rows]], name, distance, axis)
            kept[name] = np.where(np.isnan(time), np.nan, values)
    return Trace(lap.driver, axis, time, kept)


def line_before(way: Way, lap: Lap) -> int:
    """Number of the line at which a lap begins: its distance is counted from there."""
    low, high = np.searchsorted(way.rows, (lap.first, lap.last))
    if lap.whole:
        return round(float(way.distance[min(high, len(way) - 1)]) / way.length) - 1
    return math.floor(float(way.distance[(low + high) // 2]) / way.length)


def _to_lap_time(time: Floats, lap: Lap, axis: Floats) -> Floats:
    """Times that begin at 0, after a standing start later, and end with the lap time."""
    known = np.flatnonzero(np.isfinite(time))
    if not len(known):
        return time
    start = time[0] if lap.kind == "standing" and known[0] == 0 else 0.0
    first, last = time[known[0]], time[known[-1]]
    if known[0] > 0:  # the first rows are missing: the lap begins at the line all the same
        time[: known[0]] = np.linspace(start, first, known[0] + 1)[:-1] if first > start else start
    if known[-1] < len(axis) - 1:
        time[known[-1] :] = np.linspace(last, max(lap.time, last), len(axis) - known[-1])
    first, last = time[0], time[-1]
    time = start + (time - first) * ((lap.time - start) / (last - first))
    time[-1] = lap.time
    return time


def _resample(values: npt.NDArray[Any], name: str, distance: Floats, axis: Floats) -> Floats:
    reach = np.maximum.accumulate(distance)
    if CHANNEL[name].integer:
        rows = np.clip(np.searchsorted(reach, axis, side="right") - 1, 0, len(values) - 1)
        return values[rows].astype(np.float64)
    told = np.isfinite(values)
    if told.all() or not told.any():
        return np.interp(axis, reach, values.astype(np.float64))
    # A sample without a value leaves its own surroundings unknown, not those of its neighbours too.
    nearest = np.rint(np.interp(axis, reach, np.arange(len(reach)))).astype(np.intp)
    return np.where(told[nearest], np.interp(axis, reach[told], values[told].astype(np.float64)), np.nan)


def told_apart(names: Sequence[str]) -> list[str]:
    """Names with a number where they would be the same, as several laps of one driver have."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told


def delta(lap: Trace, reference: Trace) -> Floats:
    """[s] How far a lap is behind the reference at each distance, [M]; positive = slower.

    Both must stand on the same axis. The last value is the difference of the lap times.
    """
    if lap.distance.shape != reference.distance.shape or not np.array_equal(lap.distance, reference.distance):
        raise ValueError("laps can be compared on one distance axis only; resample both with the same axis")
    return lap.time - reference.time


class CornerTime(NamedTuple):
    """What one lap did in one stretch of the track."""

    driver: str
    time: float
    """[s] Spent in the stretch."""
    minimum_speed: float
    """[m/s] Lowest in it."""


class Apex(Protocol):
    """Anything that has an apex: a corner of a track, or one that was found in a lap."""

    @property
    def apex(self) -> float:
        """[m] Lap distance."""


Bend = TypeVar("Bend", bound=Apex)


class CornerComparison(NamedTuple, Generic[Bend]):
    """One corner, all laps."""

    corner: Bend
    start: float
    """[m] Where the stretch begins: half way from the corner before."""
    end: float
    """[m] Where the next begins."""
    laps: tuple[CornerTime, ...]

    @property
    def spread(self) -> float:
        """[s] Between the fastest and the slowest."""
        times = [lap.time for lap in self.laps]
        return max(times) - min(times)


def compare_corners(traces: Sequence[Trace], corners: Iterable[Bend]) -> list[CornerComparison[Bend]]:
    """Time and lowest speed of each lap around each corner.

    The lap is divided half way between the apexes of neighbours, so the times of one lap add up to its lap time.

    Args:
        traces: Laps on one axis.
        corners: Of the track, in order of distance.
    """
    corners = sorted(corners, key=lambda corner: corner.apex)
    if not corners or not traces:
        return []
    axis = traces[0].distance
    middles = [(a.apex + b.apex) / 2.0 for a, b in pairwise(corners)]
    bounds = [0.0, *middles, float(axis[-1])]
    rows = []
    for corner, (start, end) in zip(corners, pairwise(bounds), strict=True):
        laps = tuple(CornerTime(lap.driver, *stretch_of(lap, start, end)) for lap in traces)
        rows.append(CornerComparison(corner, start, end, laps))
    return rows


def stretch_of(lap: Trace, begin: float, end: float) -> tuple[float, float]:
    """[s] Time that a lap spent between two distances [m], and [m/s] its lowest speed there; NaN where not known."""
    at = np.interp([begin, end], lap.distance, lap.time)
    speed, inside = lap.channels.get("speed"), (lap.distance >= begin) & (lap.distance <= end)
    return float(at[1] - at[0]), float(speed[inside].min()) if speed is not None and inside.any() else math.nan
