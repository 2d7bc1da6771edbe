"""Whether lap count, lap clock and the line agree."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.findings import CLOCK, LAP, TELEPORT, Finding, Flags, Floats, Rows
from actwin.telemetry.quality.kinematics import LINE_SHARE

SETTLE: Final = 0.25
"""[s] Lap count, lap clock and position may follow one another by this and two rows: the game writes them at the rate
of its pictures."""
CLOCK_MARGIN: Final = 0.05
"""[s] Lap times may differ by this and the time between two rows."""


class _Marks(NamedTuple):
    """Kept rows on which something happened, in order."""

    rows: Rows
    at: Floats
    """[s] Elapsed time on them."""
    settle: float
    """[s] What counts as the same moment."""

    def near(self, moment: float) -> Rows:
        """Those at a moment."""
        low, high = np.searchsorted(self.at, (moment - self.settle, moment + self.settle))
        return self.rows[low:high]

    def lie_near(self, others: Floats) -> Flags:
        """Whether any of them is at each of the other moments."""
        return np.asarray(
            np.searchsorted(self.at, others - self.settle) < np.searchsorted(self.at, others + self.settle)
        )


class _Laps:
    """What a recording tells about laps, found once."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        names = ("lap_progress", "lap_distance", "spline_position")
        line = next((name for name in names if bench.recording.has(name)), "")
        self.share: Floats | None = _share(bench, line) if line else None
        self.elapsed = np.cumsum(np.nan_to_num(bench.order.step))
        fall = np.diff(self.share, prepend=self.share[:1]) if self.share is not None else np.zeros(len(bench))
        self.lap_time = bench.raw("lap_time")
        self.crossings = self._marks(fall < LINE_SHARE - 1.0)
        self.counts = self._marks(_change(bench, "lap_count") > 0.0)
        self.resets = self._marks(_change(bench, "lap_time") < -SETTLE)
        self.moved = np.zeros(len(bench), bool)
        placed = [each.first for each in bench.findings if each.kind is TELEPORT and not each.spoils]
        self.moved[np.searchsorted(bench.order.kept, np.array(placed, np.int64))] = True

    def _marks(self, happened: Flags) -> _Marks:
        rows = np.flatnonzero(self.bench.linked & happened)
        return self.marks_of(rows)

    def marks_of(self, rows: Rows) -> _Marks:
        return _Marks(rows, self.elapsed[rows], SETTLE + 2.0 * self.bench.order.usual)


def _share(bench: Bench, name: str) -> Floats:
    """[-] [K] Share of the lap."""
    values = bench.clean(name)
    return values / values.max() if name == "lap_distance" else values


def _change(bench: Bench, name: str) -> Floats:
    """[K] Change of a column since the row before."""
    return np.diff(bench.raw(name), prepend=np.nan)


def check_laps(bench: Bench) -> list[Finding]:
    """Crossings that do not count, counts away from the line, lap times that are not the time driven.

    The first crossing after the beginning, a restart or a teleport need not count nor reset the clock: it ends an
    out lap.
    """
    laps = _Laps(bench)
    findings = _count_findings(bench)
    if laps.share is not None:
        findings += _unmatched(laps)
    return findings + _lap_times(laps)


def _count_findings(bench: Bench) -> list[Finding]:
    """Lap counts that fall, or rise by more than one."""
    if not bench.recording.has("lap_count"):
        return []
    count = bench.recording.frames["lap_count"][bench.order.kept].astype(np.int64)
    step = np.diff(count, prepend=count[:1])
    same = np.diff(bench.order.stretches, prepend=0) == 0
    findings = []
    for i in np.flatnonzero(same & ((step < 0) | (step > 1))).tolist():
        words = f"lap_count goes from {count[i - 1]} to {count[i]}"
        findings.append(Finding(LAP, bench.row(i), bench.row(i), "lap_count", float(step[i]), words))
    return findings


def _unmatched(laps: _Laps) -> list[Finding]:
    """Events of one sort without their partner of another; breaks and teleports excuse what is near them."""
    bench = laps.bench
    stretch = (bench.order.stretches + np.cumsum(laps.moved))[laps.crossings.rows]
    later = laps.crossings.rows[1:][stretch[1:] == stretch[:-1]]
    clocked = later if bench.recording.has("lap_time") else later[:0]
    counted = later[_valid(bench, later)] if bench.recording.has("lap_count") else later[:0]
    excuses = laps.marks_of(np.flatnonzero(~bench.linked | laps.moved))
    pairs = (
        (counted, laps.counts, "lap_count", "the line is crossed and lap_count stays"),
        (clocked, laps.resets, "lap_time", "the line is crossed and lap_time runs on"),
        (laps.counts.rows, laps.crossings, "lap_count", "lap_count rises away from the line"),
        (laps.resets.rows, laps.crossings, "lap_time", "lap_time is reset away from the line"),
    )
    findings = []
    for rows, partners, name, words in pairs:
        at = laps.elapsed[rows]
        alone = rows[~(partners.lie_near(at) | excuses.lie_near(at))]
        findings += [Finding(LAP, bench.row(row), bench.row(row), name, 0.0, words) for row in alone.tolist()]
    return findings


def _valid(bench: Bench, crossings: Rows) -> Flags:
    """Whether the lap that ends at each crossing counts: the game's lap count may leave invalid laps out."""
    if not bench.recording.has("lap_valid"):
        return np.ones(len(crossings), bool)
    return np.asarray(bench.recording.frames["lap_valid"][bench.order.kept[crossings - 1]] == 1)


def _lap_times(laps: _Laps) -> list[Finding]:
    """Last lap times that differ from the lap clock before the reset, or from the time between two crossings."""
    bench = laps.bench
    if not bench.recording.has("last_lap_time"):
        return []
    told, margin = bench.raw("last_lap_time"), CLOCK_MARGIN + bench.order.usual
    findings = []
    new = bench.linked & (_change(bench, "last_lap_time") != 0.0) & (told > 0.0)
    settled = np.append(told[1:] == told[:-1], True)  # imports that resample a slow channel slide to the new value
    for i in np.flatnonzero(new & settled).tolist():
        measured = {
            "the lap clock stopped at": _clock_before(laps, i),
            "the line was crossed after": _between_crossings(laps, i),
        }
        for words, time in measured.items():
            if abs(time - told[i]) > margin:
                said = f"last_lap_time is {told[i]:.3f} s, {words} {time:.3f} s"
                findings.append(Finding(LAP, bench.row(i), bench.row(i), "last_lap_time", float(told[i] - time), said))
    return findings


def _clock_before(laps: _Laps, row: int) -> float:
    """[s] What the lap clock showed before its reset at a row, half a step on; NaN without a reset."""
    reset = laps.resets.near(laps.elapsed[row])
    if not len(reset):
        return np.nan
    return float(laps.lap_time[reset[0] - 1] + 0.5 * laps.bench.order.step[reset[0]])


def _between_crossings(laps: _Laps, row: int) -> float:
    """[s] Between the crossing at a row and the one before it; NaN when the recording does not have both unbroken."""
    bench, crossings = laps.bench, laps.crossings.rows
    near = laps.crossings.near(laps.elapsed[row])
    if laps.share is None or not len(near) or near[0] == crossings[0]:
        return np.nan
    now = int(near[0])
    before = int(crossings[np.searchsorted(crossings, now) - 1])
    if not bench.linked[before : now + 1].all() or _clock_differs(bench, before, now):
        return np.nan
    return _moment(bench, laps.share, now) - _moment(bench, laps.share, before)


def _clock_differs(bench: Bench, first: int, last: int) -> bool:
    """Whether time and lap clock are known to run differently between two kept rows."""
    begin, end = bench.row(first), bench.row(last)
    clocks = [each for each in bench.findings if each.kind is CLOCK and each.channel == "lap_time"]
    return any(each.first <= end and each.last >= begin for each in clocks)


def _moment(bench: Bench, share: Floats, row: int) -> float:
    """[s] When the line was passed before a row, by interpolation."""
    missing, beyond = 1.0 - share[row - 1], share[row]
    part = missing / max(missing + beyond, 1e-12)
    return float(bench.time[row - 1] + part * (bench.time[row] - bench.time[row - 1]))
