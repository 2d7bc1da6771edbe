"""When the line was crossed, as the lap clock or the distance tells it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from actwin.analysis.place import SETTLE
from actwin.analysis.way import Way

Floats = npt.NDArray[np.float64]

GAP: Final = 1.0
"""[s] Without a row; a crossing in it is not interpolated to be trusted."""
AT_START: Final = 0.5
"""[s] A lap whose clock shows less at the first row was recorded from its beginning."""
NEAR: Final = 4
"""Rows on either side of a place that its crossing is interpolated from."""
_AFTER: Final = 16
"""Rows after the line whose lap clock tells when it was crossed."""


class Edge(NamedTuple):
    """A time over the line, or an end of a stretch: where one lap ends and the next begins."""

    driven: float
    """[s] When, without pauses."""
    row: int
    """First kept row at or after it."""
    line: bool
    """It is a crossing of the line, not an end of the recording."""
    clocked: bool
    """The lap clock told it."""
    sure: bool = True
    """Rows on both sides are near."""


def crossing_times(time: Floats, distance: Floats, places: Floats) -> Floats:
    """When each place was passed for the first time.

    The time over distance is interpolated by a monotone cubic: at 25 frames a second it errs by microseconds on a
    smooth lap, and by under 0.2 ms where the brakes bite between two frames.

    Args:
        time: [s] [T].
        distance: [m] Unwrapped, [T]; where the car rolled backwards only its furthest reach counts.
        places: [m] [K].

    Returns:
        [s] [K], NaN for places outside the run.
    """
    reach = np.maximum.accumulate(distance)
    forward = np.concatenate(([True], np.diff(reach) > 1e-9)) if len(reach) else np.zeros(0, bool)
    if np.count_nonzero(forward) < 2:
        return np.full(len(places), np.nan)
    return np.asarray(PchipInterpolator(reach[forward], time[forward], extrapolate=False)(places), np.float64)


def edges_of(way: Way, clock: Floats | None, first: int, last: int, settle: float) -> tuple[list[Edge], bool]:
    """Ends of a stretch and the crossings of the line in it, in order; whether it begins with a standing start.

    Args:
        way: Of the drive.
        clock: [s] [K] The lap clock at the way's rows, if one is told.
        first, last: Rows of the way that are the stretch.
        settle: [s] By which lap clock and place may follow one another.
    """
    length = way.length
    reach = np.maximum.accumulate(way.distance[first:last])
    places = np.arange(math.floor(reach[0] / length) + 1, math.floor(reach[-1] / length) + 1) * length
    lines = [_crossing(way, clock, first, last, float(place), reach, settle) for place in places]
    start = Edge(float(way.driven[first]), first, False, False)
    standing = False
    if clock is not None and 0.0 <= clock[first] < AT_START:
        standing = bool(lines) and not lines[0].clocked and _runs_through(way, clock, lines[0].row, settle)
        at_line = reach[0] % length < 0.02 * length
        if standing:
            lines = lines[1:]
        if standing or at_line:
            start = Edge(float(way.driven[first] - clock[first]), first, at_line and not standing, True)
    return [start, *lines, Edge(float(way.driven[last - 1]), last, False, False)], standing


def _runs_through(way: Way, clock: Floats, row: int, settle: float) -> bool:
    """Whether the lap clock goes on over a crossing just before a row, as it does at the first line after a standing
    start."""
    ran, passed = clock[row] - clock[row - 1], way.driven[row] - way.driven[row - 1]
    return bool(clock[row - 1] > 0.0 and ran > 0.0 and abs(ran - passed) < settle)


def _crossing(way: Way, clock: Floats | None, first: int, last: int, line: float, reach: Floats, settle: float) -> Edge:
    """When a line was crossed: as the lap clock says if it begins anew there, else as the distance says."""
    row = first + int(np.searchsorted(reach, line))
    low, high = max(first, row - NEAR), min(last, row + NEAR)
    seen = float(crossing_times(way.driven[low:high], way.distance[low:high], np.array([line]))[0])
    told = None if clock is None else _begun_anew(way, clock, first, last, seen, settle)
    driven = seen if told is None else told
    row = int(np.clip(np.searchsorted(way.driven, driven), first + 1, last - 1))
    step = way.driven[row] - way.driven[row - 1]
    return Edge(driven, row, True, told is not None, sure=bool(step < GAP))


def _begun_anew(way: Way, clock: Floats, first: int, last: int, seen: float, settle: float) -> float | None:
    """[s] When the lap clock began anew near a crossing that was seen at some time; None when it did not.

    Where rows are missing over the line, the first row after them tells it.
    """
    low, at, high = np.searchsorted(way.driven, (seen - settle, seen, seen + settle)).tolist()
    low, high = max(first + 1, min(low, at)), min(last, max(high, at + 1))
    slack = settle + 0.5 * float(way.driven[min(at, last - 1)] - way.driven[max(at - 1, first)])
    falls = low + np.flatnonzero(np.diff(clock[low - 1 : high]) < -SETTLE / 2)
    if not len(falls):
        return None
    reset = int(falls[0])
    after = slice(reset, min(high, reset + _AFTER))
    began = float(np.min(way.driven[after] - clock[after]))  # a picture's age makes the clock late, never early
    return began if abs(began - seen) < slack and clock[reset] >= 0.0 else None
