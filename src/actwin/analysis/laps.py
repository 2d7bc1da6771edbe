"""Laps of a drive: where they begin and end, what they took, why one does not count."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.analysis.crossings import GAP, NEAR, Edge, crossing_times, edges_of
from actwin.analysis.place import SETTLE
from actwin.analysis.rollout import Rollout
from actwin.analysis.sectors import sectors_of, told_splits
from actwin.analysis.way import Way, way_of
from actwin.content.track import Track
from actwin.telemetry.store.session import Session

Floats = npt.NDArray[np.float64]
Kind = Literal["flying", "standing", "out", "in", "partial"]

USED: Final = (
    "lap_time", "last_lap_time", "lap_count", "lap_valid", "last_lap_valid", "sector", "last_sector_time", "tyres_out",
    "speed", "in_pit", "in_pit_lane",
)  # fmt: skip
"""Channels that laps are cut by, besides those of the way."""
AGREE: Final = 0.1
"""[s] How far a lap time that the game tells may be from the one that is measured; two steps of the rows are added."""
CUTTING: Final = 3
"""Wheels beyond the track limits that count as an offence, where the source does not judge."""
SHORTEST: Final = 1.0
"""[s] A recording that goes on for less time after its last line tells no further lap."""


@dataclass(frozen=True)
class Lap:
    """One time over the line to the next, or the part of it that was recorded.

    Attributes:
        driver: Who drove it.
        number: In the order of the drive; 1 is the first lap that begins at the line, 0 what was driven before.
        first, last: Rows of the drive that lie within the lap, as `frames[first:last]`.
        begin, end: [s] Session time at which it began and ended.
        sectors: [s] Time of each sector; they sum to `time`. Empty where they are not known, as in a lap that is not
            whole.
        valid: It counts, and may be a best lap.
        top_speed: [m/s] Highest speed; NaN where no speed is told.
        tyres_out: Most wheels beyond the track limits at once.
        counted: [s] The lap time where it is not `end - begin`: as the game counted it, or without pauses.
        kind: "flying" from line to line; "standing" from a standing start; "out" began in the pits; "in" ended there;
            "partial" was not recorded from line to line, or cut short.
        reason: Why it is not valid, empty when it is.
        stint: From 1; a stint ends in the pits, or where the car is put somewhere else.
        whole: It ended at the line and began there or at a standing start; only whole laps have a lap time.
        clock: What told the lap time: the "game" itself, its lap "clock", or the "distance".
        driven_begin: [s] When it began on the clock `Way.driven`.
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
    counted: float = math.nan
    kind: Kind = "flying"
    reason: str = ""
    stint: int = 1
    whole: bool = True
    clock: str = "distance"
    driven_begin: float = math.nan

    @property
    def time(self) -> float:
        """[s] Lap time; the time that was recorded when the lap is not whole."""
        return self.end - self.begin if math.isnan(self.counted) else self.counted


def find_laps(drive: Rollout | Session | Columns, track: Track) -> list[Lap]:
    """Whole laps of a drive, in order: from line to line, or from a standing start to the second time over the line.

    Args:
        drive: Rollout, session or columns.
        track: The track it was driven on; gives length and sectors.
    """
    columns = Columns.of(drive)
    return [lap for lap in all_laps(columns, way_of(columns, track), track.sectors) if lap.whole]


def cut_laps(drive: Rollout | Session | Columns, length: float, sectors: Sequence[float] = (0.0,)) -> list[Lap]:
    """`find_laps` for a track that is known by its numbers only.

    Args:
        drive: Rollout, session or columns.
        length: [m] Of the track.
        sectors: [m] Where each sector begins, the first at 0.
    """
    columns = Columns.of(drive)
    return [lap for lap in all_laps(columns, way_of(columns, length=length), sectors) if lap.whole]


def best_lap(laps: Iterable[Lap]) -> Lap | None:
    """The fastest valid lap, or None."""
    return min((lap for lap in laps if lap.valid), key=lambda lap: lap.time, default=None)


def all_laps(columns: Columns, way: Way, sectors: Sequence[float] = (0.0,)) -> list[Lap]:
    """Every lap of a drive and every part of one, in order.

    Where several clocks tell when the line was crossed: the lap time is the game's own `last_lap_time`, which it counts
    in steps of its physics and which does not depend on when it was read; else the difference of the lap clock's
    beginnings, which one row each tells; else the difference of the crossings interpolated from the distance. Each must
    agree with the next to be believed.

    Args:
        columns: The drive.
        way: Its way.
        sectors: [m] Where each sector begins, the first at 0; used where the game does not tell sector times.
    """
    if len(way) < 2:
        return []
    columns.load(USED)
    return _Cutter(columns, way, sectors).laps()


class _Cutter:
    """Cuts one drive."""

    def __init__(self, columns: Columns, way: Way, sectors: Sequence[float]) -> None:
        self.columns, self.way = columns, way
        self.sectors = sectors_of(columns, way, sectors)
        self.usual = float(np.median(np.diff(way.driven))) if len(way) > 1 else 0.0
        self.settle = SETTLE + 2.0 * self.usual
        self.clock = self._told("lap_time")
        self.count, self.last = self._told("lap_count"), self._told("last_lap_time")

    def _told(self, name: str) -> Floats | None:
        values = self.columns.get(name)
        return None if values is None else np.asarray(values[self.way.rows], np.float64)

    def laps(self) -> list[Lap]:
        """All pieces of all stretches."""
        laps: list[Lap] = []
        breaks = np.flatnonzero(np.diff(self.way.stretch)) + 1
        for first, last in pairwise([0, *breaks.tolist(), len(self.way)]):
            if last - first < 2:
                continue
            cut = last < len(self.way)
            edges, standing = edges_of(self.way, self.clock, first, last, self.settle)
            for index, (begin, end) in enumerate(pairwise(edges)):
                if end.row > begin.row and (end.line or cut or not laps or end.driven - begin.driven > SHORTEST):
                    number = laps[-1].number + 1 if laps else (1 if begin.line or standing else 0)
                    laps.append(self._lap(number, begin, end, standing and index == 0, cut))
        return _with_stints(laps)

    def _lap(self, number: int, begin: Edge, end: Edge, standing: bool, cut: bool) -> Lap:
        way = self.way
        first, last = begin.row, min(end.row, len(way))
        whole = end.line and (begin.line or standing)
        measured = end.driven - begin.driven
        told, counted_valid = self._told_at(end, measured) if whole else (math.nan, None)
        time = measured if math.isnan(told) else told
        clock = "game" if not math.isnan(told) else "clock" if begin.clocked and end.clocked else "distance"
        kind, reason = self._kind(first, last, whole, standing)
        if not whole and not reason:
            reason = self._ended_by(last) if cut and not end.line else "incomplete"
        if whole and not reason and clock == "distance" and not (begin.sure and end.sure):
            reason = "gap"
        reason = reason or self._offence(first, last, counted_valid)
        speed = self._most("speed", first, last)
        rows = way.rows[first], way.rows[last - 1] + 1 if last == len(way) else way.rows[last]
        begun = self._session_time(begin)
        ended = self._session_time(end)
        return Lap(
            driver=self.columns.driver,
            number=number,
            first=int(rows[0]),
            last=int(rows[1]),
            begin=begun,
            end=ended,
            sectors=self._sectors(begin, end, time, measured) if whole else (),
            valid=not reason,
            top_speed=speed,
            tyres_out=int(np.nan_to_num(self._most("tyres_out", first, last))),
            counted=math.nan if time == ended - begun else time,
            kind=kind,
            reason=reason,
            whole=whole,
            clock=clock,
            driven_begin=begin.driven,
        )

    def _session_time(self, edge: Edge) -> float:
        """[s] An edge on the recording's clock, pauses counted."""
        row = min(edge.row, len(self.way) - 1)
        return float(self.way.time[row] - (self.way.driven[row] - edge.driven))

    def _most(self, name: str, first: int, last: int) -> float:
        values = self.columns.get(name)
        if values is None or last <= first:
            return math.nan
        inside = values[self.way.rows[first:last]]
        inside = inside[np.isfinite(inside)]
        return float(inside.max()) if len(inside) else math.nan

    def _told_at(self, end: Edge, measured: float) -> tuple[float, bool | None]:
        """[s] The lap time that the game tells after a crossing, NaN when it tells none; whether it says it counts."""
        way = self.way
        until = int(np.searchsorted(way.driven, end.driven + self.settle, side="right")) - 1
        until = min(max(until, end.row), len(way) - 1)
        while way.stretch[until] != way.stretch[end.row]:
            until -= 1
        before = max(end.row - 3, 0)
        rose = self.count is not None and self.count[until] > self.count[before]
        told, counts = math.nan, None
        if self.last is not None:
            value = float(self.last[until])
            fresh = rose or value != self.last[before]
            if fresh and value > 0.0 and abs(value - measured) < AGREE + 2.0 * self.usual:
                told = value
        if rose and (valid := self.columns.get("last_lap_valid")) is not None:
            counts = bool(valid[way.rows[until]])
        return told, counts

    def _ended_by(self, row: int) -> str:
        """What ended a stretch: rows that are missing, or a car that was put somewhere else."""
        return "gap" if self.way.driven[row] - self.way.driven[row - 1] > GAP else "reset"

    def _kind(self, first: int, last: int, whole: bool, standing: bool) -> tuple[Kind, str]:
        pits = [self.columns.get(name) for name in ("in_pit", "in_pit_lane")]
        rows = self.way.rows[first:last]
        inside = [np.asarray(pit[rows]) > 0 for pit in pits if pit is not None]
        pit = np.any(inside, axis=0) if inside else np.zeros(len(rows), bool)
        if pit.any() and not pit.all():
            half = len(pit) // 2
            return ("in", "pit") if pit[half:].any() and not pit[0] else ("out", "pit")
        if pit.any():
            return ("out" if whole else "partial"), "pit"
        if not whole:
            return "partial", ""
        return ("standing" if standing else "flying"), ""

    def _offence(self, first: int, last: int, counted_valid: bool | None) -> str:
        """Why a lap does not count, as the game says when it counts it, else as its rows say."""
        if counted_valid is not None:
            return "" if counted_valid else "track limits"
        valid = self.columns.get("lap_valid")
        if valid is not None:
            return "" if bool((valid[self.way.rows[first:last]] == 1).all()) else "track limits"
        return "track limits" if self._most("tyres_out", first, last) >= CUTTING else ""

    def _sectors(self, begin: Edge, end: Edge, time: float, measured: float) -> tuple[float, ...]:
        """[s] Sector times, which sum to the lap time."""
        way, lines = self.way, self.sectors.lines[1:]
        if not len(lines):
            return (time,)
        passed = told_splits(self.sectors, way, begin.row, end.row, begin.driven, self.usual)
        if passed is None:
            low, high = max(begin.row - NEAR, 0), min(end.row + NEAR, len(way))
            line = round(float(way.distance[end.row]) / way.length) * way.length - way.length
            passed = crossing_times(way.driven[low:high], way.distance[low:high], line + lines) - begin.driven
            passed *= time / measured
        if not np.isfinite(passed).all():
            return ()
        return tuple(float(part) for part in np.diff(np.concatenate(([0.0], passed, [time]))))


def _with_stints(laps: list[Lap]) -> list[Lap]:
    """Laps with the number of their stint: a new one begins with an out lap and after a lap that was cut short."""
    found, stint = [], 1
    for index, lap in enumerate(laps):
        before = laps[index - 1] if index else None
        if before is not None and (lap.kind == "out" or before.kind == "in" or before.reason == "reset"):
            stint += 1
        found.append(replace(lap, stint=stint))
    return found
