"""Whether the clocks in a recording run alike."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.findings import CLOCK, Finding, Flags, Floats, runs

PHYSICS_STEP: Final = 0.003
"""[s] Of Assetto Corsa, which counts its steps in `physics.packetId`: 333.3 a second."""
RATE_SHARE: Final = 0.005
"""[-] A clock may be off by this; crystals are a hundred times better."""
BLOCK: Final = 2.0
"""[s] Rates are taken over pieces of this length."""
BLOCK_ROWS: Final = 20
"""Rows that a piece has at least."""
_USUAL_JITTER: Final = 99.0
"""[%] Percentile of the deviation of single steps that a piece is allowed at its ends."""


class ClockRate(NamedTuple):
    """How a clock of the game runs against the time column."""

    name: str
    """Column of the clock."""
    rate: float
    """[1/s] Its units for each second of the time column; NaN when it does not run."""
    expected: float
    """[1/s] Where it should be."""
    jitter: float
    """[s] Single steps deviate by this from an even clock, 99th percentile."""


def check_clocks(bench: Bench) -> tuple[list[Finding], list[ClockRate]]:
    """Compares the game's step counter and its lap clock with the time column, piece by piece."""
    findings, rates = [], []
    for name, expected in (("packet_id", 1.0 / PHYSICS_STEP), ("lap_time", 1.0)):
        if not bench.recording.has(name) or (name == "packet_id" and not bench.order.packets):
            continue
        ticks = np.diff(bench.raw(name), prepend=np.nan)
        runs_on = bench.linked & (ticks > 0.0)
        if np.count_nonzero(runs_on) < BLOCK_ROWS:
            continue
        rate = _rate(bench, ticks, runs_on)
        jitter = float(np.percentile(np.abs(bench.order.step[runs_on] - ticks[runs_on] / rate), _USUAL_JITTER))
        rates.append(ClockRate(name, rate, expected, jitter))
        findings += _findings(bench, ticks, runs_on, rates[-1])
    return findings, rates


def _rate(bench: Bench, ticks: Floats, runs_on: Flags) -> float:
    """[1/s] Median over pieces, or over everything when it is shorter than one."""
    ratios = [rate for _, rate in _pieces(bench, ticks, runs_on)]
    if not ratios:
        return float(ticks[runs_on].sum() / bench.order.step[runs_on].sum())
    return float(np.median(ratios))


def _pieces(bench: Bench, ticks: Floats, runs_on: Flags) -> list[tuple[slice, float]]:
    found = []
    for block in bench.blocks(BLOCK, BLOCK_ROWS):
        inner = runs_on[block]
        if np.count_nonzero(inner[1:]) >= 0.9 * (len(inner) - 1):
            rows = np.flatnonzero(inner) + block.start
            rows = rows[rows > block.start]
            found.append((block, float(ticks[rows].sum() / bench.order.step[rows].sum())))
    return found


def _findings(bench: Bench, ticks: Floats, runs_on: Flags, clock: ClockRate) -> list[Finding]:
    """One finding for a rate that is wrong throughout, one for each part in which it differs from the rest."""
    off = clock.rate / clock.expected - 1.0
    findings = []
    if abs(off) > RATE_SHARE:
        findings.append(Finding(CLOCK, 0, len(bench.recording) - 1, clock.name, off, _words(clock)))
    pieces = _pieces(bench, ticks, runs_on)
    wrong = np.zeros(len(bench), bool)
    shares = np.full(len(bench), np.nan)
    for block, rate in pieces:
        length = float(bench.time[block.stop - 1] - bench.time[block.start])
        share = rate / clock.rate - 1.0
        if abs(share) > RATE_SHARE + 2.0 * clock.jitter / length:
            wrong[block], shares[block] = True, share
    for first, last in runs(wrong):
        share = float(np.nanmedian(shares[first : last + 1]))
        words = f"{clock.name} runs {abs(share):.2%} {'fast' if share > 0.0 else 'slow'} against time, unlike elsewhere"
        findings.append(Finding(CLOCK, bench.row(first), bench.row(last), clock.name, share, words))
    return findings


def _words(clock: ClockRate) -> str:
    if clock.name != "packet_id":
        return f"{clock.name} runs {clock.rate:.4g} times as fast as time"
    return (
        f"packet_id counts {clock.rate:.1f} a second, not the {clock.expected:.1f} physics steps of the game: "
        f"another counter, or a game at {clock.rate / clock.expected:.3g} times its speed"
    )
