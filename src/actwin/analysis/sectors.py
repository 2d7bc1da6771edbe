"""Sectors of laps: where their lines are, and what the game measured between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.analysis.place import SETTLE
from actwin.analysis.way import Way

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

MOST: Final = 10
"""Sectors a lap may have."""
SAME_LINE: Final = 0.02
"""[-] Share of the lap by which the game's sector line may seem to be away from the track's and still be the same."""


class Sectors(NamedTuple):
    """What a drive tells about sectors.

    Attributes:
        lines: [m] [S] Where each sector begins, the first at 0.
        changes: Rows of the way at which the game's sector index rises by one within a lap.
        numbers: [K] The game's sector index; empty when it tells none that can be believed.
        told: [s] [K] The game's time of the last completed sector; empty when it tells none.
    """

    lines: Floats
    changes: Rows
    numbers: Rows
    told: Floats


def sectors_of(columns: Columns, way: Way, lines: Sequence[float]) -> Sectors:
    """Sectors of a drive: the game's where it counts them, else the track's.

    Args:
        columns: The drive.
        way: Its way.
        lines: [m] The track's sector lines, the first at 0.
    """
    given, none = np.asarray(lines, np.float64), np.zeros(0, np.int64)
    index = columns.get("sector")
    if index is None or not len(way):
        return Sectors(given, none, none, np.zeros(0))
    index = np.asarray(index[way.rows], np.int64)
    same = np.diff(way.stretch) == 0
    changes = np.flatnonzero(same & (np.diff(index) == 1) & (index[:-1] >= 0)) + 1
    count = int(index[changes].max()) + 1 if len(changes) else 1
    seen = np.unique(index[changes])
    if not 1 < count <= MOST or len(seen) != count - 1:
        return Sectors(given, none, none, np.zeros(0))
    told = columns.get("last_sector_time")
    times = np.zeros(0) if told is None else np.asarray(told[way.rows], np.float64)
    return Sectors(_lines(way, index, changes, count, given), changes, index, times)


def _lines(way: Way, index: Rows, changes: Rows, count: int, given: Floats) -> Floats:
    """[m] Sector lines: the track's where the game's index changes there, else where it changes."""
    found = [0.0]
    for sector in range(1, count):
        rows = changes[index[changes] == sector]
        before, after = (np.mod(way.distance[each], way.length) for each in (rows - 1, rows))
        after = np.where(after < before, after + way.length, after)
        low, high = float(before.max()), float(after.min())
        found.append(0.5 * (low + high) if low < high else float(np.median(0.5 * (before + after))))
    measured = np.array(found)
    if len(given) == len(measured) and np.all(np.abs(given - measured) < SAME_LINE * way.length):
        return given
    return np.sort(np.mod(measured, way.length))


def told_splits(sectors: Sectors, way: Way, first: int, last: int, begin: float, usual: float) -> Floats | None:
    """[s] Times since a lap began at which the game saw its sector lines; None unless it tells all of them.

    The game's time of a sector must agree with when its index changed. Some games count it from the line.

    Args:
        sectors: Of the drive.
        way: Of the drive.
        first, last: Rows of the way that lie in the lap.
        begin: [s] When it began, without pauses.
        usual: [s] From row to row.
    """
    inner = len(sectors.lines) - 1
    changes = sectors.changes[(sectors.changes > first) & (sectors.changes < last)]
    if not len(sectors.told) or len(changes) != inner or np.any(sectors.numbers[changes] != np.arange(1, inner + 1)):
        return None
    settle = SETTLE + 2.0 * usual
    found, sum_before = [], 0.0
    ends = np.append(changes[1:], last)
    for row, end in zip(changes.tolist(), ends.tolist(), strict=True):
        seen = float(way.driven[row]) - begin
        until = int(np.searchsorted(way.driven, way.driven[row] + settle, side="right")) - 1
        value = float(sectors.told[min(max(until, row), end - 1)])
        at = next((time for time in (sum_before + value, value) if abs(time - seen) < settle), None)
        if at is None or value <= 0.0 or at <= sum_before:
            return None
        found.append(at)
        sum_before = at
    return np.array(found)
