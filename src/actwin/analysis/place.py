"""Where a car is on the lap, row by row, whatever channel tells it."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.content.track import Track

Floats = npt.NDArray[np.float64]

JUMP: Final = 10.0
"""[m] A position may be off by so much without the car having been put somewhere else."""
OFF_ROAD: Final = 30.0
"""[m] From the centre line: a car that is further away most of the time drives on another track."""
SAME_LENGTH: Final = 2.0
"""[m] Lengths of a lap that differ by less are the same, as far as a recording can tell."""
ANOTHER_LINE: Final = 1.0
"""[m] By which a lap distance must differ from that along the centre line to be another's."""
SAMPLE: Final = 200
"""Rows that are looked at to tell whether positions fit a track."""
LIKE_LENGTH: Final = 0.03
"""[-] A lap distance whose lap is longer or shorter than the track's by less than this share runs along another line of
the same track, and is stretched to it."""
ANOTHER_TRACK: Final = 0.1
"""[-] By which a lap whose length is integrated from the speed must differ from the track's to be of another track."""
SETTLE: Final = 0.25
"""[s] Lap count, lap clock and position may follow one another by this and two rows: the game writes them at the rate
of its pictures, and its timing line need not be where its reference line begins."""


def place_of(columns: Columns, track: Track | None, length: float) -> tuple[Floats, float, str]:
    """[m] [T] Place on the lap, NaN where unknown; the lap's length, NaN where unknown; which channel told it.

    In this order: `lap_distance` as told, if it runs along the track's centre line; the foot of the perpendicular on
    that line, if the positions lie on the track; `lap_distance` along another line, stretched to the track's length;
    the game's share of the lap times the length; the integral of the speed from line to line.

    Args:
        columns: The drive.
        track: The track, if it is known.
        length: [m] Of the lap, NaN if it is not known.
    """
    told = columns.get("lap_distance")
    if told is not None and not (track is not None and _along_another_line(columns, told, track)):
        return *_as_long_as(np.asarray(told, np.float64), columns, length), "lap_distance"
    if track is not None and (place := _projected(columns, track)) is not None:
        return place, track.length, "position"
    if told is not None:
        return *_as_long_as(np.asarray(told, np.float64), columns, length), "lap_distance"
    for name in ("lap_progress", "spline_position"):
        share = columns.get(name)
        if share is not None:
            place = np.asarray(share, np.float64)
            own = _length_of_share(place, columns)
            length = own if not length > 0.0 or abs(own / length - 1.0) > ANOTHER_TRACK else length
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


def _along_another_line(columns: Columns, told: npt.NDArray[Any], track: Track) -> bool:
    """Whether a lap distance is not that along the track's centre line, although the car is on the track: some sources
    measure along the game's own line."""
    x, y = columns.get("x"), columns.get("y")
    if x is None or y is None:
        return False
    sample = np.arange(0, len(told), max(1, len(told) // SAMPLE))
    sample = sample[np.isfinite(told[sample]) & np.isfinite(x[sample]) & np.isfinite(y[sample])]
    if not len(sample):
        return False
    s, offset = track.to_road(np.asarray(x[sample], np.float64), np.asarray(y[sample], np.float64))
    on = np.abs(offset) < OFF_ROAD
    if not np.mean(on) > 0.5:
        return False
    away = np.abs(track.difference(s[on], np.asarray(told[sample], np.float64)[on]))
    return bool(np.median(away) > ANOTHER_LINE)


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
    """[m] Length of the lap, from the way driven while the share of the lap grew; NaN without a speed.

    The share may stand for some rows, until the game's next picture, while the car drives on.
    """
    speed, time = columns.get("speed"), columns.time
    if speed is None or len(time) < 2:
        return math.nan
    way = np.nan_to_num(0.5 * (np.asarray(speed[1:], np.float64) + speed[:-1]) * np.diff(time))
    way = np.concatenate(([0.0], np.cumsum(way)))
    new = np.flatnonzero(np.concatenate(([True], np.diff(share) != 0.0)) & np.isfinite(share) & np.isfinite(time))
    step, grown, driven = np.diff(time[new]), np.diff(share[new]), np.diff(way[new])
    good = (step > 0.0) & (step < 1.0) & (grown > 0.0) & (grown < 0.1)
    total = float(grown[good].sum())
    return float(driven[good].sum()) / total if total > 0.05 else math.nan


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


def lies_on(columns: Columns, track: Track) -> bool:
    """Whether a sample of the positions lies on a track."""
    every = max(1, len(columns) // SAMPLE)
    x, y = columns.get("x"), columns.get("y")
    if x is None or y is None:
        return False
    x, y = np.asarray(x[::every], np.float64), np.asarray(y[::every], np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return False
    _s, offset = track.to_road(x[known], y[known])
    return bool(np.mean(np.abs(offset) < OFF_ROAD) > 0.5)
