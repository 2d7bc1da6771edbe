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


class _Events(NamedTuple):
    """Kept rows on which something about laps happened."""

    crossings: Rows
    """First row beyond the line."""
    counts: Rows
    """`lap_count` rose."""
    resets: Rows
    """`lap_time` fell."""


def check_laps(bench: Bench) -> list[Finding]:
    """Crossings that do not count, counts away from the line, lap times that are not the time driven.

    The first crossing after the beginning, a restart or a teleport need not count nor reset the clock: it ends an
    out lap.
    """
    line = _line_column(bench)
    events = _Events(_crossings(bench, line), _rises(bench, "lap_count"), _falls(bench, "lap_time"))
    findings = _count_findings(bench)
    if line:
        findings += _unmatched(bench, events)
    return findings + _lap_times(bench, events, line)


def _line_column(bench: Bench) -> str:
    names = ("lap_progress", "lap_distance", "spline_position")
    return next((name for name in names if bench.recording.has(name)), "")


def _share(bench: Bench, name: str) -> Floats:
    """[-] [K] Share of the lap."""
    values = bench.clean(name)
    return values / values.max() if name == "lap_distance" else values


def _crossings(bench: Bench, name: str) -> Rows:
    if not name:
        return np.zeros(0, np.int64)
    share = _share(bench, name)
    fall = np.diff(share, prepend=share[:1])
    return np.flatnonzero(bench.linked & (fall < LINE_SHARE - 1.0))


def _rises(bench: Bench, name: str) -> Rows:
    step = np.diff(bench.recording.floats(name)[bench.order.kept], prepend=np.nan)
    return np.flatnonzero(bench.linked & (step > 0.0))


def _falls(bench: Bench, name: str) -> Rows:
    step = np.diff(bench.raw(name), prepend=np.nan)
    return np.flatnonzero(bench.linked & (step < 0.0))


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


def _unmatched(bench: Bench, events: _Events) -> list[Finding]:
    """Events of one sort without their partner of another."""
    stretch = (bench.order.stretches + _moved_before(bench))[events.crossings]
    later = events.crossings[1:][stretch[1:] == stretch[:-1]]
    clocked = later if bench.recording.has("lap_time") else later[:0]
    counted = later[_counts(bench, later)] if bench.recording.has("lap_count") else later[:0]
    pairs = (
        (counted, events.counts, "lap_count", "the line is crossed and lap_count stays"),
        (clocked, events.resets, "lap_time", "the line is crossed and lap_time runs on"),
        (events.counts, events.crossings, "lap_count", "lap_count rises away from the line"),
        (events.resets, events.crossings, "lap_time", "lap_time is reset away from the line"),
    )
    return [
        Finding(LAP, bench.row(row), bench.row(row), name, 0.0, words)
        for rows, partners, name, words in pairs
        for row in rows.tolist()
        if not _has_partner(bench, row, partners)
    ]


def _teleports(bench: Bench) -> Rows:
    """Kept rows on which the car was put somewhere else."""
    rows = [each.first for each in bench.findings if each.kind is TELEPORT and not each.spoils]
    return np.searchsorted(bench.order.kept, np.array(rows, np.int64)).astype(np.int64)


def _moved_before(bench: Bench) -> Rows:
    """[K] How often the car was put somewhere else up to a row."""
    found = np.zeros(len(bench), np.int64)
    np.add.at(found, _teleports(bench), 1)
    return np.cumsum(found)


def _counts(bench: Bench, crossings: Rows) -> Flags:
    """Whether the lap that ends at each crossing counts: the game's lap count may leave invalid laps out."""
    if not bench.recording.has("lap_valid"):
        return np.ones(len(crossings), bool)
    return np.asarray(bench.recording.frames["lap_valid"][bench.order.kept[crossings - 1]] == 1)


def _near(bench: Bench, rows: Rows, row: int) -> Rows:
    """Those of the rows that are as good as at the same time."""
    near: Rows = rows[np.abs(bench.time[rows] - bench.time[row]) <= SETTLE + 2.0 * bench.order.usual]
    return near


def _has_partner(bench: Bench, row: int, partners: Rows) -> bool:
    """Whether a partner is near a row, or a break or a teleport that excuses it."""
    excuses = (partners, np.flatnonzero(~bench.linked), _teleports(bench))
    return any(len(_near(bench, rows, row)) > 0 for rows in excuses)


def _lap_times(bench: Bench, events: _Events, line: str) -> list[Finding]:
    """Last lap times that differ from the lap clock before the count, or from the time between two crossings."""
    if not bench.recording.has("last_lap_time"):
        return []
    told = bench.raw("last_lap_time")
    margin = CLOCK_MARGIN + bench.order.usual
    clock, share = bench.raw("lap_time"), _share(bench, line) if line else None
    findings = []
    for i in np.flatnonzero(bench.linked & (np.diff(told, prepend=np.nan) != 0.0) & (told > 0.0)).tolist():
        times = {}
        reset = _near(bench, events.resets, i)
        if len(reset):
            before = int(reset[0]) - 1
            times["the lap clock stopped at"] = clock[before] + 0.5 * float(np.nan_to_num(bench.order.step[reset[0]]))
        if share is not None and (passed := _between_crossings(bench, events.crossings, share, i)):
            times["the line was crossed after"] = passed
        for words, time in times.items():
            if abs(time - told[i]) > margin:
                said = f"last_lap_time is {told[i]:.3f} s, {words} {time:.3f} s"
                findings.append(Finding(LAP, bench.row(i), bench.row(i), "last_lap_time", float(told[i] - time), said))
    return findings


def _between_crossings(bench: Bench, crossings: Rows, share: Floats, row: int) -> float:
    """[s] Between the crossing at a row and the one before it; 0 when the recording does not have both unbroken."""
    near = _near(bench, crossings, row)
    if not len(near) or near[0] == crossings[0]:
        return 0.0
    now = int(near[0])
    before = int(crossings[np.searchsorted(crossings, now) - 1])
    if not bench.linked[before : now + 1].all() or _clock_differs(bench, before, now):
        return 0.0
    return float(_moment(bench, share, now) - _moment(bench, share, before))


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
