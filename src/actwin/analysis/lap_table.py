"""The lap table: gaps, and the colours of a timing screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, NamedTuple

import numpy as np

from actwin.analysis.laps import Lap, best_lap


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
    """[s] Behind the best valid lap of all drivers; NaN when there is none or the lap is not whole."""
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
    times = [[lap.sectors[i] if i < len(lap.sectors) else math.nan for lap in laps] for i in range(sectors)]
    sector_marks = [_marks(laps, column) for column in times]
    best = best_lap(laps)
    rows = []
    for i, lap in enumerate(laps):
        gap = lap.time - best.time if best and lap.whole else math.nan
        rows.append(LapRow(lap, gap, lap_marks[i], tuple(marks[i] for marks in sector_marks[: len(lap.sectors)])))
    return rows


def _marks(laps: Sequence[Lap], times: Sequence[float]) -> list[Mark]:
    best: dict[Any, float] = {}
    for lap, time in zip(laps, times, strict=True):
        if lap.valid and not math.isnan(time):
            for scope in (None, lap.driver):
                best[scope] = min(best.get(scope, math.inf), time)
    marks = []
    for lap, time in zip(laps, times, strict=True):
        if not lap.valid or math.isnan(time):
            marks.append(Mark.INVALID)
        elif time <= best[None]:
            marks.append(Mark.OVERALL_BEST)
        else:
            marks.append(Mark.PERSONAL_BEST if time <= best[lap.driver] else Mark.SLOWER)
    return marks


def theoretical_best(laps: Iterable[Lap]) -> float:
    """[s] Sum of the best sectors of the valid laps; NaN when there is no valid lap."""
    valid = [lap.sectors for lap in laps if lap.valid]
    count = max(map(len, valid), default=0)
    valid = [sectors for sectors in valid if len(sectors) == count]
    return float(np.min(np.array(valid), axis=0).sum()) if count else math.nan


def rolling_best(laps: Sequence[Lap]) -> float:
    """[s] Fastest way round that was driven in one piece, from any sector line to the same one; NaN when there is none.

    It may begin in one lap and end in the next; both must be valid and follow each other.

    Args:
        laps: Of one driver, in order.
    """
    best = math.nan
    for index, lap in enumerate(laps):
        if not lap.valid:
            continue
        best = float(np.fmin(best, lap.time))
        after = laps[index + 1] if index + 1 < len(laps) else None
        if after is None or not after.valid or after.number != lap.number + 1 or after.driver != lap.driver:
            continue
        for split in range(1, min(len(lap.sectors), len(after.sectors))):
            best = float(np.fmin(best, sum(lap.sectors[split:]) + sum(after.sectors[:split])))
    return best
