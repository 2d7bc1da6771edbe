"""Values that cannot be: no number, out of range, standing still in a moving car."""

from __future__ import annotations

from collections.abc import Set
from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.quality.bench import Bench, rate_of
from actwin.telemetry.quality.findings import EVERY, FROZEN, NOT_FINITE, RANGE, Finding, Flags, Floats, runs
from actwin.telemetry.quality.recording import COLUMNS, Recording

MOVING: Final = 2.0
"""[m/s] Above it a car's position, speed and clocks change with every sample."""
STALE_ROWS: Final = 3
"""Repeats that a short hold must have; one or two equal values happen."""
STALE_HOLDS: Final = 4.0
"""[-] ... and how many times longer than the channel usually holds: a 60 Hz page read at 333 Hz holds six rows."""
_ALL: Final = 0.8
"""[-] Share of the live channels that must stand together to call the whole row stale."""
_ROUNDING: Final = 1e-6
"""[-] Of single precision, at the ends of a range."""


class Live(NamedTuple):
    """Columns of which at least one changes from sample to sample while the car moves."""

    columns: tuple[str, ...]
    patience: float
    """[s] A shorter hold is no finding."""
    rests_at_zero: bool = False
    """Whether 0 may last: a locked wheel, a wheel in the air."""


def _each_wheel(name: str, patience: float) -> list[Live]:
    return [Live((f"{name}_{wheel}",), patience, rests_at_zero=True) for wheel in ("fl", "fr", "rl", "rr")]


LIVE: Final[tuple[Live, ...]] = (
    Live(("x", "y"), 0.1),
    Live(("vel",), 0.3),
    Live(("vx", "vy"), 0.3),
    Live(("yaw",), 0.5),
    Live(("yaw_rate",), 0.5),
    Live(("acceleration_longitudinal",), 0.5),
    Live(("acceleration_lateral",), 0.5),
    Live(("rpm",), 1.0),
    Live(("lap_time",), 0.3),
    Live(("lap_distance",), 0.3),
    Live(("lap_progress",), 0.3),
    Live(("spline_position",), 0.3),
    Live(("distance_driven",), 0.3),
    *_each_wheel("wheel_speed", 0.5),
    *_each_wheel("load", 0.5),
)
"""What is watched for standing still."""


def check_numbers(recording: Recording) -> list[Finding]:
    """Values that are no numbers in columns that otherwise have some."""
    findings = []
    for name in sorted(recording.given):
        values = recording.column(name)
        if values.dtype.kind == "f":
            for first, last in runs(~np.isfinite(values)):
                count = last - first + 1
                words = f"{name} is {values[first]} on {count} row{'s' * (count > 1)}"
                findings.append(Finding(NOT_FINITE, first, last, name, float(count), words))
    return findings


def check_ranges(recording: Recording, unknown: Set[str] = frozenset()) -> list[Finding]:
    """Values outside the range of the channel table; `size` is the most extreme one.

    Args:
        recording: In SI units.
        unknown: Columns in a unit that is not known, which are out of range as a whole.
    """
    findings = []
    for name in sorted(recording.given - unknown):
        channel, values = COLUMNS[name].channel, recording.column(name)
        margin = _ROUNDING * max(1.0, abs(channel.low), abs(channel.high))
        with np.errstate(invalid="ignore"):
            below, above = values < channel.low - margin, values > channel.high + margin
        for first, last in runs((below | above) & np.isfinite(values)):
            part = values[first : last + 1].astype(np.float64)
            excess = np.maximum(channel.low - part, part - channel.high)
            worst = float(part[np.argmax(excess)])
            words = f"{name} is {worst:.6g} {channel.unit}, expected {channel.low:g} to {channel.high:g}"
            findings.append(Finding(RANGE, first, last, name, worst, words))
    return findings


def check_frozen(bench: Bench) -> list[Finding]:
    """Channels that stand still while the car moves.

    The row on which the value was new is not marked, only its repeats. When most channels stand still together the
    rows are stale as a whole, which is one finding.
    """
    moving = _moving(bench)
    groups = [live for live in LIVE if bench.recording.has(*live.columns) and not _copy(bench.recording, live)]
    stale = {live.columns: _stale(bench, live, moving) for live in groups}
    found = []
    if len(stale) >= 3:
        share = np.mean(list(stale.values()), axis=0)
        everything = share >= _ALL
        found += [_frozen(bench, first, last, (EVERY,)) for first, last in runs(everything)]
    else:
        everything = np.zeros(len(bench), bool)
    for columns, rows in stale.items():
        alone = [(first, last) for first, last in runs(rows) if not everything[first : last + 1].any()]
        found += [_frozen(bench, first, last, columns) for first, last in alone]
    return found


def _copy(recording: Recording, live: Live) -> bool:
    """Whether the column repeats another one: some sources give the share of the lap twice."""
    return (
        live.columns == ("spline_position",)
        and recording.has("lap_progress")
        and np.array_equal(recording.column("spline_position"), recording.column("lap_progress"), equal_nan=True)
    )


def _moving(bench: Bench) -> Flags:
    """[K] Whether anything says that the car moves."""
    speeds = [bench.raw("vel"), bench.velocity()]
    if bench.recording.has("x", "y"):
        speeds.append(rate_of(bench.time, bench.linked, np.column_stack([bench.clean("x"), bench.clean("y")])))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.any([speed > MOVING for speed in speeds], axis=0))


def _stale(bench: Bench, live: Live, moving: Flags) -> Flags:
    """[K] Rows on which a group of columns repeats itself for longer than it can."""
    stale = np.zeros(len(bench), bool)
    values = np.column_stack([bench.raw(name) for name in live.columns])
    same = bench.linked & moving & np.all(np.diff(values, axis=0, prepend=np.nan) == 0.0, axis=1)
    if live.rests_at_zero:
        same &= np.any(values != 0.0, axis=1)
    holds = runs(same)
    usual = _usual_hold(same, moving & bench.linked)
    for first, last in holds:
        count, duration = last - first + 1, float(bench.time[last] - bench.time[max(first - 1, 0)])
        stale[first : last + 1] = (
            count >= STALE_ROWS and count > STALE_HOLDS * usual and duration >= live.patience - 1e-9
        )
    return stale


def _usual_hold(same: Flags, counted: Flags) -> float:
    """Rows that the column usually keeps a value beyond the first: 0 for one that changes with every row."""
    changes = np.flatnonzero(counted & ~same)
    return float(np.percentile(np.diff(changes) - 1, 90.0)) if len(changes) > 1 else 0.0


def _frozen(bench: Bench, first: int, last: int, columns: tuple[str, ...]) -> Finding:
    channel, *also = columns
    duration = float(bench.time[last] - bench.time[max(first - 1, 0)])
    what = "every live channel" if channel == EVERY else channel
    if channel != EVERY and not np.any(np.diff(bench.raw(channel)) != 0.0):
        words = f"{what} never changes while the car moves"
    else:
        words = f"{what} stands still for {duration:.2f} s while the car moves"
    return Finding(FROZEN, bench.row(first), bench.row(last), channel, duration, words, also=tuple(also))


def flat_columns(recording: Recording) -> dict[str, float]:
    """Float columns that have one value throughout, with it: not wrong by itself, but seldom a measurement."""
    found: dict[str, float] = {}
    for name in sorted(recording.given):
        values: Floats = recording.floats(name)
        known = values[np.isfinite(values)]
        if not COLUMNS[name].channel.integer and len(known) > 1 and known.min() == known.max():
            found[name] = float(known[0])
    return found
