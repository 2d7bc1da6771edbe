"""Laps on one distance axis, so that they can be laid over each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.laps import Lap, crossing_times, unwrap_distance
from actwin.analysis.rollout import Rollout
from actwin.content.track import Corner
from actwin.telemetry.channels import FRAME_CHANNEL

Floats = npt.NDArray[np.float64]

CHANNELS: Final = ("speed", "throttle", "brake", "steer", "gear", "ax", "ay", "x", "y", "lateral_offset")
"""Channels that a trace carries unless others are asked for."""
_MARGIN: Final = 4
"""Frames taken from before and after the lap, so that interpolation reaches the line from both sides."""
_LINE_TOLERANCE: Final = 0.005
"""[s] Within which a crossing seen in the distance is the crossing that the lap clock saw."""


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


def distance_axis(length: float, step: float = 2.0) -> Floats:
    """[m] The common axis of a track: 0 to `length`, both included, in equal steps of about `step`."""
    return np.linspace(0.0, length, max(2, round(length / step) + 1))


def trace(rollout: Rollout, lap: Lap, axis: Floats, channels: Sequence[str] = CHANNELS) -> Trace:
    """A lap resampled on a distance axis.

    Args:
        rollout: The run that holds the lap.
        lap: One of its laps.
        axis: [m] From 0 to the track's length, as `distance_axis` gives it.
        channels: Which to carry; integer channels keep the value last seen instead of being interpolated.
    """
    first, last = max(0, lap.first - _MARGIN), min(len(rollout), lap.last + _MARGIN)
    frames = rollout.frames[first:last]
    distance = unwrap_distance(frames, float(axis[-1]))
    line = round(distance[lap.first - first] / axis[-1]) * axis[-1]
    distance = distance - line
    time = crossing_times(rollout.time[first:last], distance, axis) - lap.begin
    # The ends are the crossings that gave the lap time: a difference at the line is the difference of lap times.
    time[-1] = lap.time
    if abs(time[0]) < _LINE_TOLERANCE:  # further off after a standing start before the line
        time[0] = 0.0
    return Trace(lap.driver, axis, time, {name: _resample(frames[name], name, distance, axis) for name in channels})


def _resample(values: npt.NDArray[Any], name: str, distance: Floats, axis: Floats) -> Floats:
    reach = np.maximum.accumulate(distance)
    if FRAME_CHANNEL[name].integer:
        rows = np.clip(np.searchsorted(reach, axis, side="right") - 1, 0, len(values) - 1)
        return values[rows].astype(np.float64)
    return np.interp(axis, reach, values.astype(np.float64))


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


class CornerComparison(NamedTuple):
    """One corner, all laps."""

    corner: Corner
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


def compare_corners(traces: Sequence[Trace], corners: Iterable[Corner]) -> list[CornerComparison]:
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
        inside = (axis >= start) & (axis <= end)
        laps = tuple(
            CornerTime(
                lap.driver,
                float(np.interp(end, axis, lap.time) - np.interp(start, axis, lap.time)),
                float(lap["speed"][inside].min()) if inside.any() else math.nan,
            )
            for lap in traces
        )
        rows.append(CornerComparison(corner, start, end, laps))
    return rows
