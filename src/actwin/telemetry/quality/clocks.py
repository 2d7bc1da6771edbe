"""Whether the clocks in a recording run alike."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.ac.pages import PHYSICS_STEP
from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.findings import CLOCK, Finding, Floats, Rows, runs

RATE_SHARE: Final = 0.005
"""[-] A clock may be off by this; crystals are a hundred times better."""
FAST: Final = 10.0
"""[m/s] Below it the way of a step is too short to tell the time."""
BLOCK: Final = 2.0
"""[s] Rates are taken over pieces of this length."""
BLOCK_ROWS: Final = 20
"""Rows that a piece has at least."""
COVERED: Final = 0.8
"""[-] Share of a piece that the clock must run through for its rate to be judged."""
STOOD: Final = 4.0
"""[-] A clock that kept a value for so many times its usual hold stood still."""
_USUAL_JITTER: Final = 99.0
"""[%] Percentile of the deviation of single steps that a piece is allowed at its ends."""


class ClockRate(NamedTuple):
    """How a clock of the game runs against the time column."""

    name: str
    """Column of the clock; `place` for the time that way and speed tell."""
    rate: float
    """[1/s] Its units for each second of the time column; NaN when it does not run."""
    expected: float
    """[1/s] Where it should be."""
    jitter: float
    """[s] Single steps deviate by this from an even clock, 99th percentile."""


class Ticks(NamedTuple):
    """The clock from one of its changes to the next: a page that is read more often than it is written holds."""

    rows: Rows
    """[U] Kept rows on which it changed."""
    step: Floats
    """[s] [U] Time since the change before."""
    units: Floats
    """[U] What it advanced by."""


def check_clocks(bench: Bench) -> tuple[list[Finding], list[ClockRate]]:
    """Compares the game's step counter and its lap clock with the time column, piece by piece."""
    findings, rates = [], []
    for name, expected in (("packet_id", 1.0 / PHYSICS_STEP), ("lap_time", 1.0)):
        if not bench.recording.has(name) or (name == "packet_id" and not bench.order.packets):
            continue
        ticks = ticks_of(bench, name)
        if len(ticks.rows) < BLOCK_ROWS:
            continue
        pieces = _pieces(bench, ticks)
        ratios = [rate for _, rate in pieces] or [float(ticks.units.sum() / ticks.step.sum())]
        rate = float(np.median(ratios))
        jitter = float(np.percentile(np.abs(ticks.step - ticks.units / rate), _USUAL_JITTER))
        rates.append(ClockRate(name, rate, expected, jitter))
        findings += _findings(bench, pieces, rates[-1])
    return findings, rates + _place_clock(bench)


def _place_clock(bench: Bench) -> list[ClockRate]:
    """Time as the place tells it: the way moved over the speed, step by step while the car is fast.

    It needs no clock of the game, and shows what the time column is rounded to.
    """
    if not bench.recording.has("x", "y"):
        return []
    place, way = np.column_stack([bench.clean("x"), bench.clean("y")]), bench.integral(bench.speed())
    new = np.flatnonzero(
        np.any(np.diff(place, axis=0, prepend=np.nan) != 0.0, axis=1) & ~bench.bad("x", "y", "vel", "vx")
    )
    moved, driven = np.linalg.norm(np.diff(place[new], axis=0), axis=1), np.diff(way[new])
    step, passed = np.diff(bench.time[new]), np.diff(bench.integral(np.ones(len(bench)))[new])
    fast = (np.diff(np.cumsum(~bench.linked)[new]) == 0) & (driven > FAST * passed)
    if np.count_nonzero(fast) < BLOCK_ROWS:
        return []
    told = moved[fast] / driven[fast] * passed[fast]
    rate = float(told.sum() / step[fast].sum())
    jitter = float(np.percentile(np.abs(step[fast] - told), _USUAL_JITTER))
    return [ClockRate("place", rate, 1.0, jitter)]


def ticks_of(bench: Bench, name: str) -> Ticks:
    """Advances of a clock, without those over a break and those after it stood."""
    value = bench.raw(name)
    known = np.flatnonzero(np.isfinite(value))
    new = known[np.diff(value[known], prepend=np.nan) != 0.0]
    breaks = np.cumsum(~bench.linked)
    rows, step, units = new[1:], np.diff(bench.time[new]), np.diff(value[new])
    runs_on = (np.diff(breaks[new]) == 0) & (units > 0.0)
    if runs_on.any():
        runs_on &= step <= STOOD * np.percentile(step[runs_on], 90.0)
    return Ticks(rows[runs_on], step[runs_on], units[runs_on])


def _pieces(bench: Bench, ticks: Ticks) -> list[tuple[slice, float]]:
    """Rate of the clock in each piece of the recording that it runs through."""
    found = []
    for block in bench.blocks(BLOCK, BLOCK_ROWS):
        inside = slice(*np.searchsorted(ticks.rows, (block.start + 1, block.stop)))
        covered = float(ticks.step[inside].sum())
        if covered >= COVERED * float(bench.time[block.stop - 1] - bench.time[block.start]):
            found.append((block, float(ticks.units[inside].sum()) / covered))
    return found


def _findings(bench: Bench, pieces: list[tuple[slice, float]], clock: ClockRate) -> list[Finding]:
    """One finding for a rate that is wrong throughout, one for each part in which it differs from the rest."""
    off = clock.rate / clock.expected - 1.0
    findings = []
    if abs(off) > RATE_SHARE:
        findings.append(Finding(CLOCK, 0, len(bench.recording) - 1, clock.name, off, _words(clock)))
    shares = np.full(len(bench), np.nan)
    for block, rate in pieces:
        length = float(bench.time[block.stop - 1] - bench.time[block.start])
        if abs(rate / clock.rate - 1.0) > RATE_SHARE + 2.0 * clock.jitter / length:
            shares[block] = rate / clock.rate - 1.0
    for first, last in runs(np.isfinite(shares)):
        part = shares[first : last + 1]
        share = float(part[np.argmax(np.abs(part))])
        pace = f"{abs(share):.2%} {'fast' if share > 0.0 else 'slow'}"
        words = f"{clock.name} runs up to {pace} against time, unlike elsewhere"
        findings.append(Finding(CLOCK, bench.row(first), bench.row(last), clock.name, share, words))
    return findings


def _words(clock: ClockRate) -> str:
    if clock.name != "packet_id":
        return f"{clock.name} runs {clock.rate:.4g} times as fast as time"
    return (
        f"packet_id counts {clock.rate:.1f} a second, not the {clock.expected:.1f} physics steps of the game: "
        f"another counter, or a game at {clock.rate / clock.expected:.3g} times its speed"
    )
