"""Laps of a run: where they begin and end, what they took, which are best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from actwin.analysis.rollout import Rollout
from actwin.content.track import Track
from actwin.telemetry.channels import Frames

Floats = npt.NDArray[np.float64]

_CLOCK_TOLERANCE: Final = 0.005
"""[s] How far the car's own lap clock may be from the crossing seen in its distance and still be believed."""


@dataclass(frozen=True)
class Lap:
    """One time over the line to the next.

    Attributes:
        driver: Who drove it.
        number: From 1, in the order of the run.
        first, last: Frames of the run that lie within the lap, as `frames[first:last]`.
        begin, end: [s] Crossings of the line, counted from the run's first frame.
        sectors: [s] Time of each sector; they sum to `time`.
        valid: No track-limit offence was counted.
        top_speed: [m/s] Highest speed.
        tyres_out: Most wheels beyond the track limits at once.
    """

    driver: str
    number: int
    first: int
    last: int
    begin: float
    end: float
    sectors: tuple[float, ...]
    valid: bool
    top_speed: float
    tyres_out: int

    @property
    def time(self) -> float:
        """[s] Lap time."""
        return self.end - self.begin


def unwrap_distance(frames: Frames, length: float) -> Floats:
    """[m] Distance driven along the centre line, continuous over the line; the first frame keeps its `lap_distance`.

    Args:
        frames: FRAME[T].
        length: [m] Of the track.
    """
    return np.unwrap(frames["lap_distance"].astype(np.float64), period=length)


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


def find_laps(rollout: Rollout, track: Track) -> list[Lap]:
    """Full laps of a run, in order; what lies before the first and after the last crossing of the line is left out.

    A lap begins and ends where the car's own lap clock says so, and where the distance crosses the line when there is
    no such clock. A lap whose clock ran from a standing start before the line begins at that start.

    Args:
        rollout: The run.
        track: The track it was driven on; gives length and sectors.
    """
    return cut_laps(rollout, track.length, track.sectors)


def cut_laps(rollout: Rollout, length: float, sectors: Sequence[float]) -> list[Lap]:
    """`find_laps` for a track that is known by its numbers only.

    Args:
        rollout: The run.
        length: [m] Of the track.
        sectors: [m] Where each sector begins, the first at 0.
    """
    frames, time = rollout.frames, rollout.time
    if len(frames) < 2:
        return []
    distance = unwrap_distance(frames, length)
    lines = np.arange(math.floor(distance[0] / length) + 1, math.floor(distance.max() / length) + 1) * length
    splits = np.asarray(sectors[1:], np.float64)
    seen = crossing_times(time, distance, lines)
    passed = [_line_crossing(frames, time, distance, *line) for line in zip(lines, seen, strict=True)]
    inner = crossing_times(time, distance, (lines[:, None] + splits).ravel()).reshape(len(lines), len(splits))
    laps = []
    for number, (begin, end) in enumerate(pairwise(passed), start=1):
        marks = np.concatenate(([begin.clock], inner[number - 1], [end.clock]))
        inside = frames[begin.frame : end.frame]
        laps.append(
            Lap(
                driver=rollout.driver,
                number=number,
                first=begin.frame,
                last=end.frame,
                begin=begin.clock,
                end=end.clock,
                sectors=tuple(float(part) for part in np.diff(marks)),
                valid=_valid(frames, begin.frame, end.frame),
                top_speed=float(inside["speed"].max()),
                tyres_out=int(inside["tyres_out"].max()),
            )
        )
    return laps


class _Crossing(NamedTuple):
    frame: int
    """First frame at or beyond the line."""
    clock: float
    """[s] When the lap that begins here began."""


def _line_crossing(frames: Frames, time: Floats, distance: Floats, line: float, seen: float) -> _Crossing:
    after = int(np.argmax(distance >= line))
    before, now = frames["lap_time"][after - 1], frames["lap_time"][after]
    clock = float(time[after] - now)
    restarted = now > 0.0 and abs(clock - seen) < _CLOCK_TOLERANCE
    standing_start = now > before > 0.0
    return _Crossing(after, clock if restarted or standing_start else float(seen))


def _valid(frames: Frames, first: int, last: int) -> bool:
    """Whether a lap counts: as the car says when it counted the lap, else as its frames say."""
    if last < len(frames) and frames["lap_count"][last] > frames["lap_count"][last - 1]:
        return bool(frames["last_lap_valid"][last])
    return bool(frames["lap_valid"][first:last].all())


class Mark(Enum):
    """How a time compares, in the colours every timing screen uses."""

    OVERALL_BEST = "purple"
    PERSONAL_BEST = "green"
    SLOWER = "yellow"
    INVALID = "grey"


class LapRow(NamedTuple):
    """One line of a lap table."""

    lap: Lap
    gap: float
    """[s] Behind the best valid lap of all drivers; NaN when there is none."""
    mark: Mark
    """Of the lap time."""
    sector_marks: tuple[Mark, ...]


def lap_table(laps: Iterable[Lap]) -> list[LapRow]:
    """Laps with gaps and marks, in the given order. Only valid laps can be best.

    Args:
        laps: Of any number of drivers, all on one track.
    """
    laps = list(laps)
    lap_marks = _marks(laps, [lap.time for lap in laps])
    sectors = max((len(lap.sectors) for lap in laps), default=0)
    sector_marks = [_marks(laps, [lap.sectors[i] for lap in laps]) for i in range(sectors)]
    best = best_lap(laps)
    gaps = [lap.time - best.time if best else math.nan for lap in laps]
    return [LapRow(lap, gaps[i], lap_marks[i], tuple(marks[i] for marks in sector_marks)) for i, lap in enumerate(laps)]


def _marks(laps: Sequence[Lap], times: Sequence[float]) -> list[Mark]:
    best: dict[Any, float] = {}
    for lap, time in zip(laps, times, strict=True):
        if lap.valid:
            for scope in (None, lap.driver):
                best[scope] = min(best.get(scope, math.inf), time)
    marks = []
    for lap, time in zip(laps, times, strict=True):
        if not lap.valid:
            marks.append(Mark.INVALID)
        elif time <= best[None]:
            marks.append(Mark.OVERALL_BEST)
        else:
            marks.append(Mark.PERSONAL_BEST if time <= best[lap.driver] else Mark.SLOWER)
    return marks


def best_lap(laps: Iterable[Lap]) -> Lap | None:
    """The fastest valid lap, or None."""
    return min((lap for lap in laps if lap.valid), key=lambda lap: lap.time, default=None)


def theoretical_best(laps: Iterable[Lap]) -> float:
    """[s] Sum of the best sectors of the valid laps; NaN when there is no valid lap."""
    valid = [lap.sectors for lap in laps if lap.valid]
    return float(np.min(np.array(valid), axis=0).sum()) if valid else math.nan
