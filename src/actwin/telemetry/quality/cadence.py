"""The order of rows: what repeats, runs backwards, begins anew, pauses or is missing."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.ac.pages import PHYSICS_STEP
from actwin.telemetry.quality.findings import (
    DUPLICATE,
    EVERY,
    GAP,
    PAUSE,
    RESTART,
    TIME,
    Finding,
    Flags,
    Floats,
    Rows,
    runs,
)
from actwin.telemetry.quality.recording import Recording

LATE: Final = 1.5
"""[-] A step longer than this many usual ones hides at least one row."""
LONGEST: Final = 1e10
"""[s] Larger times, three centuries, are no times."""
PAUSE_AFTER: Final = 0.25
"""[s] Time that the game's clock must stand to be called a pause; less is the recorder's jitter."""
SLOWED: Final = (0.75, 1.35)
"""[-] Time of a physics step by the recorder's clock over its time in the game: a machine that is too slow, or a clock
that is wrong, stretches it; a counter of something else is further away."""
CLOSE: Final = 0.25
"""[s] Rows that are not further apart are compared with each other, even if some are missing between them."""
USUAL: Final = 90.0
"""[%] Percentile of the steps that is called the usual one: sources that alternate (39, 39, 42 ms; 1, 1, 2 packets
where a 250 Hz reader polls a 333 Hz game) count their longer step as usual."""
_CONFIRMED: Final = 3
"""Rows on either side that must agree before a clock that fell is called a restart and not a stray row."""


class Cadence(NamedTuple):
    """The order of a recording's rows."""

    kept: Rows
    """Rows that carry something new, in order of time."""
    linked: Flags
    """[K] Whether the row follows the kept row before it closely enough to compare them; False for the first."""
    step: Floats
    """[s] [K] Time since the kept row before, by the game's counter of steps where it has one; NaN where not linked."""
    period: float
    """[s] Median step; NaN when there is none."""
    usual: float
    """[s] The usual longest step."""
    packets: bool
    """Whether `packet_id` counts: it advances through the recording."""
    stretches: Rows
    """[K] Number of the stretch between restarts, from 0."""


def cadence(recording: Recording) -> tuple[Cadence, list[Finding]]:
    """Orders the rows.

    Args:
        recording: To check.
    """
    packets = _packets_count(recording)
    repeated = _repeats(recording, packets)
    broken = ~(np.abs(recording.time) < LONGEST)
    findings = [
        Finding(DUPLICATE, first, last, EVERY, last - first + 1.0, f"{_rows(last - first + 1)} repeated")
        for first, last in runs(repeated & ~broken)
    ]
    fresh = np.flatnonzero(~repeated & ~broken)
    clocks = [recording.time[fresh]] + ([recording.frames["packet_id"][fresh].astype(float)] if packets else [])
    restarts = np.zeros(len(fresh), bool)
    for clock in clocks:
        restarts |= _restarts(clock)
    stretches = np.cumsum(restarts)
    stray = np.zeros(len(fresh), bool)
    for clock in clocks:
        stray |= _strays(clock, stretches, strictly=clock is clocks[0])
    wrong = broken.copy()
    wrong[fresh[stray]] = True
    findings += [_stray_finding(recording, first, last) for first, last in runs(wrong)]
    kept = fresh[~stray]
    order, breaks = _breaks(recording, kept, stretches[~stray], packets, _left_out(recording.time, kept, wrong))
    return order, findings + breaks


def _packets_count(recording: Recording) -> bool:
    if not recording.has("packet_id") or len(recording) < 2:
        return False
    step = np.diff(recording.frames["packet_id"].astype(np.int64))
    forward, changed = np.count_nonzero(step > 0), np.count_nonzero(step)
    return bool(forward >= 0.9 * changed and forward >= 0.05 * len(step))


def _repeats(recording: Recording, packets: bool) -> Flags:
    """Rows with the game step of the row before; without a step counter, rows equal to it in every column."""
    same = np.zeros(len(recording), bool)
    if len(recording) < 2:
        return same
    if packets:
        same[1:] = np.diff(recording.frames["packet_id"]) == 0
        return same
    same[1:] = bool(recording.given)
    for name in sorted(recording.given):
        values = recording.column(name)
        same[1:] &= (values[1:] == values[:-1]) | ((values[1:] != values[1:]) & (values[:-1] != values[:-1]))
    return same


def _restarts(clock: Floats) -> Flags:
    """Where a clock falls and goes on from there."""
    found = np.zeros(len(clock), bool)
    for row in (np.flatnonzero(np.diff(clock) < 0.0) + 1).tolist():
        before, after = clock[max(0, row - _CONFIRMED) : row], clock[row : row + _CONFIRMED]
        enough = len(before) >= min(_CONFIRMED, row) and len(after) >= min(_CONFIRMED, len(clock) - row)
        found[row] = enough and after.max() < before.min()
    return found


def _strays(clock: Floats, stretches: Rows, strictly: bool) -> Flags:
    """The fewest rows without which the clock only rises in each stretch."""
    stray = np.zeros(len(clock), bool)
    wrong = np.diff(clock) <= 0.0 if strictly else np.diff(clock) < 0.0
    for stretch in np.unique(stretches[1:][wrong & (np.diff(stretches) == 0)]):
        rows = slice(*np.searchsorted(stretches, (stretch, stretch + 1)))
        stray[rows] = ~_longest_rise(clock[rows])
    return stray


def _longest_rise(values: Floats) -> Flags:
    """Members of a longest strictly increasing subsequence (patience sorting)."""
    tops: list[float] = []
    rows: list[int] = []
    before = np.full(len(values), -1)
    for i, value in enumerate(values.tolist()):
        pile = bisect_left(tops, value)
        before[i] = rows[pile - 1] if pile else -1
        tops[pile : pile + 1] = [value]
        rows[pile : pile + 1] = [i]
    member = np.zeros(len(values), bool)
    row = rows[-1] if rows else -1
    while row >= 0:
        member[row] = True
        row = int(before[row])
    return member


def _left_out(time: Floats, kept: Rows, wrong: Flags) -> Flags:
    """[K] Whether a row that was dropped lies between a kept row and the one before, in the file or in time."""
    times = np.sort(time[wrong & np.isfinite(time)])
    by_time = np.diff(np.searchsorted(times, time[kept]), prepend=0) > 0
    return np.asarray(by_time | (np.diff(np.cumsum(wrong)[kept], prepend=0) > 0))


def _stray_finding(recording: Recording, first: int, last: int) -> Finding:
    step = float(recording.time[first] - recording.time[first - 1]) if first else 0.0
    what = "out of order" if np.isfinite(step) else "without a time"
    words = f"{_rows(last - first + 1)} {what}, {step:+.3f} s from the row before"
    return Finding(TIME, first, last, "time", step, words)


class _Steps(NamedTuple):
    """From kept row to kept row."""

    told: Floats
    """[s] [K] By the time column."""
    passed: Floats
    """[s] [K] By the game's clock, in which the car moves; NaN where it does not tell."""
    rows: Floats
    """[-] [K] Usual steps in it: 1 where nothing is missing."""
    missing: Flags
    """[K] Whether rows are missing, by the counter of steps or else by time."""


def _breaks(
    recording: Recording, kept: Rows, stretches: Rows, packets: bool, dropped: Flags
) -> tuple[Cadence, list[Finding]]:
    """Gaps, pauses and restarts between kept rows; where a stray row was dropped, its neighbours are no gap."""
    told = np.diff(recording.time[kept], prepend=np.nan)
    restart = np.diff(stretches, prepend=0) > 0
    inner = ~restart & np.isfinite(told)
    findings = _restart_findings(recording, kept, restart)
    if not inner.any():
        return Cadence(kept, inner, told, np.nan, np.nan, packets, stretches), findings
    usual = float(np.percentile(told[inner], USUAL))
    steps = _counted(recording, kept, told, inner) if packets else _timed(recording, kept, told, inner, usual)
    paused = inner & (steps.told - steps.passed > max(PAUSE_AFTER, 2.0 * usual))
    step = np.where(np.isfinite(steps.passed) & (packets | paused), steps.passed, steps.told)
    missing = inner & steps.missing & (packets | ~paused) & ~dropped
    linked = inner & ~paused & (step <= max(LATE * usual, CLOSE))
    period = float(np.median(step[inner]))
    for i in np.flatnonzero(paused).tolist():
        stood = float(steps.told[i] - steps.passed[i])
        words = f"the game's clock stood for {stood:.2f} s"
        findings.append(Finding(PAUSE, int(kept[i]), int(kept[i]), EVERY, stood, words))
    for i in np.flatnonzero(missing).tolist():
        words = f"{_rows(max(1, round(steps.rows[i]) - 1))} missing, {step[i]:.3f} s since the row before"
        findings.append(Finding(GAP, int(kept[i]), int(kept[i]), EVERY, float(step[i]), words))
    return Cadence(kept, linked, np.where(linked, step, np.nan), period, usual, packets, stretches), findings


def _counted(recording: Recording, kept: Rows, told: Floats, inner: Flags) -> _Steps:
    """Steps by the game's counter: readers and networks deliver late and in bunches, it does not."""
    count = np.diff(recording.frames["packet_id"][kept].astype(np.float64), prepend=np.nan)
    even = inner & (told - count * np.median(told[inner] / count[inner]) <= PAUSE_AFTER)
    step = float(told[even].sum() / count[even].sum()) if even.any() else np.nan
    step = PHYSICS_STEP if SLOWED[0] < step / PHYSICS_STEP < SLOWED[1] else step
    expected = float(np.percentile(count[inner], USUAL))
    missing = count >= expected + max(1.0, (LATE - 1.0) * expected)
    return _Steps(told, count * step, count / np.median(count[inner]), missing)


def _timed(recording: Recording, kept: Rows, told: Floats, inner: Flags, usual: float) -> _Steps:
    """Steps by the time column; the lap clock, where it runs, tells how much of one the game was paused."""
    passed = np.diff(recording.floats("lap_time")[kept], prepend=np.nan)
    passed = np.where(passed > 0.0, passed, np.nan)
    return _Steps(told, passed, told / np.median(told[inner]), told > LATE * usual)


def _restart_findings(recording: Recording, kept: Rows, restart: Flags) -> list[Finding]:
    findings = []
    for i in np.flatnonzero(restart):
        row, before = int(kept[i]), int(kept[i - 1])
        counts = recording.frames["packet_id"]
        words = f"the clock began anew: time {recording.time[before]:.3f} to {recording.time[row]:.3f} s"
        if counts[row] < counts[before]:
            words += f", step {counts[before]} to {counts[row]}"
        findings.append(Finding(RESTART, row, row, EVERY, float(recording.time[row] - recording.time[before]), words))
    return findings


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def linked_pairs(order: Cadence) -> tuple[Rows, Rows]:
    """Row numbers (before, after) of each pair of kept rows that follow one another without a break."""
    after = np.flatnonzero(order.linked)
    return order.kept[after - 1], order.kept[after]
