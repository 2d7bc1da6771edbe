"""Where a drive is on its laps: distance over time, in stretches that nothing broke."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.content.track import Track

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FASTEST: Final = 150.0
"""[m/s] Nothing that drives is faster; what moves faster was put there."""
JUMP: Final = 10.0
"""[m] A position may be off by so much without the car having been put somewhere else."""
SETTLE: Final = 0.25
"""[s] Lap count, lap clock and position may follow one another by this and two rows: the game writes them at the rate
of its pictures, and its timing line need not be where its reference line begins."""
PAUSE_AFTER: Final = 0.25
"""[s] Time that the lap clock and the car must stand to be called a pause."""
OFF_ROAD: Final = 30.0
"""[m] From the centre line: a car that is further away most of the time drives on another track."""
SAME_LENGTH: Final = 2.0
"""[m] Lengths of a lap that differ by less are the same, as far as a recording can tell."""
LIKE_LENGTH: Final = 0.03
"""[-] A lap distance whose lap is longer or shorter than the track's by less than this share runs along another line of
the same track, and is stretched to it."""


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

    The place on the lap is, in this order: `lap_distance` as told; the foot of the perpendicular on the track's centre
    line, if the positions lie on the track; the game's share of the lap times the length; the integral of the speed.

    Args:
        columns: The drive.
        track: The track, if it is known.
        length: [m] Of the lap, if it is known without the track.
    """
    columns.load(("lap_distance", "lap_progress", "spline_position", "lap_time", "lap_count", "speed", "status"))
    length = track.length if track is not None else length
    place, length, source = _place(columns, track, length)
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


def _place(columns: Columns, track: Track | None, length: float) -> tuple[Floats, float, str]:
    """[m] [T] Place on the lap, NaN where unknown; the lap's length; which channel told it."""
    told = columns.get("lap_distance")
    if told is not None:
        return *_as_long_as(np.asarray(told, np.float64), columns, length), "lap_distance"
    if track is not None and (place := _projected(columns, track)) is not None:
        return place, track.length, "position"
    for name in ("lap_progress", "spline_position"):
        share = columns.get(name)
        if share is not None:
            place = np.asarray(share, np.float64)
            length = length if length > 0.0 else _length_of_share(place, columns)
            return place * length, length, name
    return *_by_speed(columns, length), "speed"


def _by_speed(columns: Columns, length: float) -> tuple[Floats, float]:
    """[m] [T] Integrated speed between the lines that the lap clock or the lap count tells, stretched to the length of
    the lap; NaN without speed or lines."""
    speed, mark = columns.get("speed"), columns.get("lap_time")
    falls = np.zeros(0, np.int64) if mark is None else np.flatnonzero(np.diff(mark) < -SETTLE) + 1
    if not len(falls) and (count := columns.get("lap_count")) is not None:
        falls, mark = np.flatnonzero(np.diff(count) > 0) + 1, None
    if speed is None or not len(falls):
        return np.full(len(columns), np.nan), length
    time = columns.time
    way = np.nan_to_num(0.5 * (np.asarray(speed[1:], np.float64) + speed[:-1]) * np.maximum(np.diff(time), 0.0))
    way = np.concatenate(([0.0], np.cumsum(way)))
    begun = time[falls] - (0.0 if mark is None else mark[falls])
    lines = np.interp(begun, time, way)
    if not length > 0.0:
        length = float(np.median(np.diff(lines))) if len(lines) > 1 else float(max(lines[0], way[-1] - lines[0]))
    laps = length * np.arange(1, len(lines) + 1)
    place = np.interp(way, lines, laps)
    place = np.where(way < lines[0], laps[0] - np.minimum(lines[0] - way, 0.999 * length), place)
    return np.where(way > lines[-1], laps[-1] + np.minimum(way - lines[-1], 0.999 * length), place), length


def _as_long_as(place: Floats, columns: Columns, length: float) -> tuple[Floats, float]:
    """A lap distance whose lap is as long as the track's, stretched if it runs along another line of it."""
    own = _length_of_distance(place, columns)
    if not own > 0.0:
        return place, length if length > 0.0 else float(np.nanmax(place, initial=0.0)) + JUMP
    if not length > 0.0:
        return place, own
    if abs(own - length) < SAME_LENGTH:
        return place, length
    if abs(own / length - 1.0) < LIKE_LENGTH:
        return place * (length / own), length
    return place, own


def _length_of_distance(place: Floats, columns: Columns) -> float:
    """[m] Length of the lap, from how far a lap distance was before it began anew; NaN when it never did."""
    speed, time = columns.get("speed"), columns.time
    if speed is None:
        return math.nan
    falls = np.flatnonzero((np.diff(place) < -0.5 * np.nanmax(place, initial=0.0)) & (np.diff(time) < 1.0))
    way = 0.5 * (np.asarray(speed[falls], np.float64) + speed[falls + 1]) * (time[falls + 1] - time[falls])
    found = place[falls] - place[falls + 1] + way
    found = found[(place[falls + 1] < JUMP + way) & (found > 0.9 * np.nanmax(place, initial=0.0))]
    return float(np.median(found)) if len(found) else math.nan


def _length_of_share(share: Floats, columns: Columns) -> float:
    """[m] Length of the lap, from the way driven while the share of the lap grew; NaN without a speed."""
    speed, time = columns.get("speed"), columns.time
    if speed is None or len(time) < 2:
        return math.nan
    step, grown = np.diff(time), np.diff(share)
    way = 0.5 * (np.asarray(speed[1:], np.float64) + speed[:-1]) * step
    good = (step > 0.0) & (step < 1.0) & (grown > 0.0) & (grown < 0.1) & np.isfinite(way)
    total = float(grown[good].sum())
    return float(way[good].sum()) / total if total > 0.05 else math.nan


def _projected(columns: Columns, track: Track) -> Floats | None:
    """[m] [T] Lap distance of the feet of the perpendiculars; None when the positions are not on the track.

    The other road channels are known then too.
    """
    places = place_on(columns, track)
    if places is None:
        return None
    offset = np.abs(places["lateral_offset"])
    known = np.isfinite(offset)
    if not known.any() or np.mean(offset[known] > OFF_ROAD) > 0.5:
        return None
    columns.add(places)
    return places["lap_distance"]


def place_on(columns: Columns, track: Track) -> dict[str, npt.NDArray[Any]] | None:
    """Road channels from world positions, exactly: `lap_distance`, `lateral_offset`, …; None without positions.

    Args:
        columns: The drive.
        track: The road.

    Returns:
        [T] by channel name, NaN where no position is known.
    """
    from actwin.cockpit.road_position import PLACE, RoadPosition  # slow to import, and most sources need it not

    columns.load(("x", "y", "yaw"))
    x, y, yaw = (columns.get(name) for name in ("x", "y", "yaw"))
    if x is None or y is None:
        return None
    heading = np.full(len(x), np.nan) if yaw is None else yaw
    poses = np.stack([np.asarray(values, np.float64) for values in (x, y, heading)], axis=1)
    return dict(zip(PLACE, RoadPosition(track).places(poses).T, strict=True))


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
