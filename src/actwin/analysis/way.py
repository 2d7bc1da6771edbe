"""Where a drive is on its laps: distance over time, in stretches that nothing broke."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.analysis.place import JUMP, SETTLE, place_of
from actwin.content.track import Track

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FASTEST: Final = 150.0
"""[m/s] Nothing that drives is faster; what moves faster was put there."""
PAUSE_AFTER: Final = 0.25
"""[s] Time that the lap clock and the car must stand to be called a pause."""


class Way(NamedTuple):
    """A drive as distance over time. Rows that repeat a moment or tell no place are left out.

    Attributes:
        rows: [K] Rows of the recording that are kept.
        time: [s] [K] As recorded, strictly rising.
        driven: [s] [K] When the car was there: the same without pauses of the game, and without the jitter of the
            recorder where the lap clock comes with the position. Never falls.
        distance: [m] [K] Continuous over the line; the line is at whole multiples of `length`.
        stretch: [K] Number of the stretch: it rises where the car was put somewhere else or the session began anew.
        length: [m] Of the lap; NaN when nobody knows it.
        source: Which channel the distance comes from: `lap_distance`, `position`, `lap_progress`, `spline_position`,
            `speed`; empty when there is none.
    """

    rows: Rows
    time: Floats
    driven: Floats
    distance: Floats
    stretch: Rows
    length: float
    source: str

    def __len__(self) -> int:
        return len(self.rows)


def way_of(columns: Columns, track: Track | None = None, length: float = math.nan) -> Way:
    """The way of a drive.

    Args:
        columns: The drive.
        track: The track, if it is known.
        length: [m] Of the lap, if it is known without the track.
    """
    columns.load(("lap_distance", "lap_progress", "spline_position", "lap_time", "lap_count", "speed", "status"))
    length = track.length if track is not None else length
    place, length, source = place_of(columns, track, length)
    time = np.asarray(columns.time, np.float64)
    rows = _forward(time, np.isfinite(time) & np.isfinite(place))
    time, place = time[rows], place[rows]
    if len(rows) < 2 or not length > 0.0:
        none = np.zeros(0)
        return Way(rows[:0], none, none, none, rows[:0], length, source)
    step = np.diff(place)
    step -= np.round(step / length) * length
    clock = _told(columns, "lap_time", rows)
    if clock is not None and not _runs(clock, step):
        clock = None
    driven = time - _paused(time, step, clock, _told(columns, "status", rows), _told(columns, "speed", rows))
    count = _told(columns, "lap_count", rows)
    broken = _broken(np.diff(driven), step, clock, count, place, length)
    if clock is not None:
        driven = _by_clock(driven, step, clock, broken)
    stretch = np.concatenate(([0], np.cumsum(broken)))
    distance = place[0] + np.concatenate(([0.0], np.cumsum(np.where(broken, 0.0, step))))
    # Each stretch begins where its first row is, so that its lines are at multiples of the length.
    begins = np.concatenate(([0], np.flatnonzero(broken) + 1))
    distance += (place[begins] - distance[begins])[stretch]
    return Way(rows, time, driven, distance, stretch, length, source)


def _forward(time: Floats, usable: Flags) -> Rows:
    """Usable rows at which time is later than ever before."""
    rows = np.flatnonzero(usable)
    if not len(rows):
        return rows
    latest = np.maximum.accumulate(time[rows])
    return rows[np.concatenate(([True], np.diff(latest) > 0.0))]


def _told(columns: Columns, name: str, rows: Rows) -> Floats | None:
    values = columns.get(name)
    return None if values is None else np.asarray(values[rows], np.float64)


def _runs(clock: Floats, step: Floats) -> bool:
    """Whether a lap clock does what a clock does while the car moves."""
    moving = np.abs(step) > 0.0
    return bool(moving.any() and np.mean(np.diff(clock)[moving] > 0.0) > 0.05)


def _paused(time: Floats, step: Floats, clock: Floats | None, status: Floats | None, speed: Floats | None) -> Floats:
    """[s] [K] How long the game had paused up to each row: while the car stood where it was and its clock stood too.

    A recorder that writes nothing during a pause leaves one long step over which the clock did not run either. Where
    there is no lap clock, a car that has a speed and stays where it is stands still with its game.
    """
    passed = np.diff(time)
    if clock is not None:
        ran = np.diff(clock)
        near = np.abs(step) < FASTEST * (ran + PAUSE_AFTER)
    elif status is not None and np.any(status == _PAUSE):
        ran = np.where((status[1:] == _PAUSE) & (status[:-1] == _PAUSE), 0.0, passed)
        near = np.ones(len(step), bool)
    elif speed is not None:
        ran = np.minimum(passed, np.abs(step) / np.maximum(np.minimum(speed[1:], speed[:-1]), _ROLLING))
        near = np.minimum(speed[1:], speed[:-1]) > _ROLLING
        ran = np.where(near & (ran < _CRAWL * passed), ran, passed)
    else:
        return np.zeros(len(time))
    stands = near & (np.abs(step) < 0.01) & (ran < _CRAWL * passed)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], stands, [False])).astype(np.int8)))
    total = np.concatenate(([0.0], np.cumsum(passed)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if total[last] - total[first] <= PAUSE_AFTER:
            stands[first:last] = False
    hole = near & (passed - ran > PAUSE_AFTER) & (ran >= 0.0)
    return np.concatenate(([0.0], np.cumsum(np.where(stands, passed, np.where(hole, passed - ran, 0.0)))))


def _by_clock(driven: Floats, step: Floats, clock: Floats, broken: Flags) -> Floats:
    """[s] [K] The time at which the car was where a row says, by the lap clock that was read together with the place.

    A row may have been taken, or have arrived, later than what it tells happened: by up to a picture of the game, or by
    a delay of the network. Clock and place of one message belong together. A clock that stands while the place moves on
    comes from elsewhere and is not used.
    """
    ran = np.diff(clock)
    moving = np.abs(step) > 0.01
    if moving.any() and np.mean((ran == 0.0)[moving]) > _STALE:
        return driven
    edges = np.flatnonzero(broken | (ran < 0.0)) + 1
    shown = driven.copy()
    for first, last in pairwise([0, *edges.tolist(), len(driven)]):
        late = driven[first:last] - clock[first:last]
        if last - first > 2 and _EXACT < np.ptp(late) < LATEST:
            shown[first:last] = np.median(late) + clock[first:last]
    return np.maximum.accumulate(shown)


_STALE: Final = 0.05
"""[-] Share of moving rows at which the lap clock may stand and still be as fresh as the place."""
_EXACT: Final = 1e-4
"""[s] Rows that are nowhere further from the lap clock are taken when they say."""
LATEST: Final = 1.0
"""[s] By which rows may be late; beyond it the clock measures something else."""
_ROLLING: Final = 2.0
"""[m/s] A car that is faster does not stay where it is."""
_CRAWL: Final = 0.1
"""[-] Of the time that passed; a clock that ran less stood."""
_PAUSE: Final = 3
"""Value of the channel `status` while the game is paused."""


def _broken(
    passed: Floats, step: Floats, clock: Floats | None, count: Floats | None, place: Floats, length: float
) -> Flags:
    """[K - 1] Whether a row does not follow from the one before: a teleport, a restart, or too long a gap."""
    broken = np.abs(step) > FASTEST * passed + JUMP
    # Over a gap of more than half a lap nobody knows how many laps were driven.
    broken |= FASTEST * passed > 0.5 * length + JUMP
    if count is not None:
        broken |= np.diff(count) < 0.0
    if clock is not None:
        after = np.concatenate(([0.0], np.cumsum(passed)))
        for row in np.flatnonzero(np.diff(clock) < -SETTLE).tolist():
            low, high = np.searchsorted(after, (after[row] - SETTLE, after[row + 1] + SETTLE))
            near = slice(max(low - 2, 0), high + 2)
            crossed = np.abs(np.diff(np.mod(place[near], length))) > 0.5 * length
            if not crossed.any():
                broken[row] = True
    return np.asarray(broken)
