"""What went wrong on a lap, with times and places: lock-ups, spinning wheels, spins, offs, hits, missed apexes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from actwin.analysis.compare import Trace
from actwin.analysis.corner_spans import CornerSpan
from actwin.analysis.pattern_channels import (
    AbsentError,
    Flags,
    Floats,
    clean,
    forward_speed,
    has_wheels,
    known,
    runs,
    wheels,
)
from actwin.telemetry.channels import WHEELS
from actwin.units import KMH_PER_MS, degrees

LOCKED: Final = -0.3
"""[-] Slip ratio of a wheel that locks; race tyres brake best at about a third of it."""
SPINNING: Final = 0.3
"""[-] Slip ratio of a wheel that spins."""
HELD: Final = 0.1
"""[s] How long a wheel must slip so much."""
JOIN: Final = 0.3
"""[s] Events of one kind that are no further apart are one."""
ROLLING: Final = 5.0
"""[m/s] Below it slip is not judged."""
SIDEWAYS: Final = np.deg2rad(45.0)
"""[rad] Angle between the car and its motion from which it spins."""
WHEELS_OUT: Final = 3
"""Wheels beyond the track limits from which the car is off."""
WIDE: Final = 1.0
"""[m] Further from the inside than usual that makes an apex missed, ..."""
STEADY: Final = 3.0
"""[-] ... or so many times what the laps usually differ by, if that is more; the same for slow sections."""
SECTION: Final = 100.0
"""[m] Length of the sections that are compared."""
SLOW: Final = 0.15
"""[s] Lost in a section that makes it slow."""
FEWEST: Final = 3
"""Other laps that it takes to know what is usual."""
_MAD: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


class Anomaly(NamedTuple):
    """One event of a lap."""

    kind: str
    time: float
    """[s] Since the lap began."""
    distance: float
    """[m] On the lap."""
    duration: float
    """[s]"""
    size: float
    """How bad: the slip ratio, the angle [rad], the wheels, the energy [J], the metres, the seconds."""
    words: str


def find(lap: Trace, spans: Sequence[CornerSpan] = (), others: Sequence[Trace] = ()) -> list[Anomaly]:
    """Everything unusual of a lap, in order of time. What the lap has no channels for is left out, see `unseen`.

    Args:
        lap: At its own samples (`lap_of`), so that short events are seen.
        spans: Corners, for missed apexes and for words about places.
        others: Other laps of the same track, for what is usual there; three at least.
    """
    found: list[Anomaly] = []
    for look in LOOKS.values():
        try:
            found += look(lap, spans, others)
        except AbsentError:
            continue
    return sorted(found, key=lambda anomaly: anomaly.time)


def unseen(lap: Trace, spans: Sequence[CornerSpan] = (), others: Sequence[Trace] = ()) -> dict[str, str]:
    """Why kinds of anomalies were not looked for, by kind."""
    reasons = {}
    for kind, look in LOOKS.items():
        try:
            look(lap, spans, others)
        except AbsentError as error:
            reasons[kind] = error.reason
    return reasons


def place_name(spans: Sequence[CornerSpan], distance: float) -> str:
    """Where on the lap: `in Lesmo 1`, `before Lesmo 1`, or the metres."""
    for span in spans:
        inside = span.entry <= distance <= span.exit
        if inside or (span.entry > span.exit and (distance >= span.entry or distance <= span.exit)):
            return f"in {span.label}"
    ahead = [span for span in spans if span.entry > distance] or list(spans[:1])
    return f"before {min(ahead, key=lambda span: span.entry).label}" if ahead else f"at {distance:,.0f} m"


def slip_ratios(lap: Trace) -> Floats:
    """[-] Slip ratio of each wheel, [M, 4]; from wheel speeds and the rolling radii that they show where the car rolls
    freely, when it was not recorded.

    Raises:
        AbsentError: Neither is there.
    """
    if has_wheels(lap, "slip_ratio"):
        return wheels(lap, "slip_ratio")
    try:
        turning = wheels(lap, "wheel_speed")
    except AbsentError:
        raise AbsentError(("slip_ratio", "wheel_speed")) from None
    speed = forward_speed(lap)
    gentle = (speed > 2.0 * ROLLING) & (np.abs(np.gradient(speed, lap.time)) < 2.0) & (turning > 1.0).all(axis=1)
    if np.count_nonzero(gentle) < 10:
        raise AbsentError(("slip_ratio", "wheel_speed with free rolling"))
    radius = np.median(speed[gentle, None] / turning[gentle], axis=0)
    return np.asarray(turning * radius / np.maximum(speed, ROLLING)[:, None] - 1.0)


def _events(time: Floats, over: Flags, least: float) -> list[tuple[int, int, float]]:
    """First and last sample and duration of stretches that last; a sample stands for half the way to its neighbours."""
    joined: list[list[int]] = []
    for first, last in runs(over):
        if joined and time[first] - time[joined[-1][1]] <= JOIN:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    found = []
    for first, last in joined:
        begin = 0.5 * (time[first] + time[max(first - 1, 0)])
        duration = 0.5 * (time[last] + time[min(last + 1, len(time) - 1)]) - begin
        if duration >= least:
            found.append((first, last, float(duration)))
    return found


def _slip_events(
    lap: Trace, spans: Sequence[CornerSpan], kind: str, side: float, limit: float, pedal: str, words: str
) -> list[Anomaly]:
    slip = side * slip_ratios(lap)
    speed = forward_speed(lap)
    asked = clean(lap, pedal) > 0.05 if known(lap, pedal) else np.ones(len(lap.time), bool)
    slip = np.where(((speed >= ROLLING) & asked)[:, None], slip, 0.0)
    found = []
    for first, last, duration in _events(lap.time, slip.max(axis=1) >= abs(limit), HELD):
        part = slip[first : last + 1]
        row = first + int(np.argmax(part.max(axis=1)))
        names = " and ".join(WHEELS[i].upper() for i in np.flatnonzero(part.max(axis=0) >= abs(limit)))
        place = place_name(spans, float(lap.distance[row]))
        text = f"{names} {words} for {duration:.2f} s {place}, {100.0 * part.max():.0f} % slip"
        found.append(_anomaly(lap, kind, first, row, duration, float(side * part.max()), text))
    return found


def _anomaly(lap: Trace, kind: str, first: int, row: int, duration: float, size: float, words: str) -> Anomaly:
    return Anomaly(kind, float(lap.time[first]), float(lap.distance[row]), duration, size, words)


def _lock_ups(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    return _slip_events(lap, spans, "lock-up", -1.0, LOCKED, "brake", "locked")


def _wheel_spin(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    return _slip_events(lap, spans, "wheel spin", 1.0, SPINNING, "throttle", "spinning")


def _spins(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    ahead, aside = clean(lap, "vx"), clean(lap, "vy")
    angle = np.where(np.hypot(ahead, aside) >= ROLLING, np.abs(np.arctan2(aside, ahead)), 0.0)
    found = []
    for first, last, duration in _events(lap.time, angle >= SIDEWAYS, HELD):
        row = first + int(np.argmax(angle[first : last + 1]))
        worst = float(angle[row])
        place = place_name(spans, float(lap.distance[first]))
        words = f"spins {place}, {degrees(worst):.0f} degrees across"
        found.append(_anomaly(lap, "spin", first, first, duration, worst, words))
    return found


def _offs(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    if known(lap, "tyres_out"):
        out = clean(lap, "tyres_out")
        limit, unit = float(WHEELS_OUT), "wheels"
    elif known(lap, "border_left") and known(lap, "border_right"):
        out = -np.minimum(clean(lap, "border_left"), clean(lap, "border_right"))
        limit, unit = 0.0, "m"
    else:
        raise AbsentError(("tyres_out", "border_left and border_right"))
    found = []
    for first, last, duration in _events(lap.time, out >= limit if unit == "wheels" else out > limit, 0.0):
        row = first + int(np.argmax(out[first : last + 1]))
        amount = f"{out[row]:.0f} wheels" if unit == "wheels" else f"{out[row]:.1f} m"
        words = f"{amount} off for {duration:.2f} s {place_name(spans, float(lap.distance[first]))}"
        found.append(_anomaly(lap, "off track", first, row, duration, float(out[row]), words))
    return found


def _hits(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    energy = clean(lap, "collision")
    found = []
    for first, last, duration in _events(lap.time, energy > 0.0, 0.0):
        total = float(energy[first : last + 1].sum())
        words = f"hits something {place_name(spans, float(lap.distance[first]))}, {total / 1000.0:.1f} kJ"
        found.append(_anomaly(lap, "hit", first, first, duration, total, words))
    return found


def _inside(lap: Trace, span: CornerSpan) -> tuple[float, int]:
    """[m] How far towards the inside of a corner a lap came, and the sample."""
    aside = span.direction * clean(lap, "lateral_offset")
    across = span.entry > span.exit
    after, before = lap.distance >= span.entry, lap.distance <= span.exit
    aside = np.where((after | before) if across else (after & before), aside, -np.inf)
    row = int(np.argmax(aside))
    return float(aside[row]), row


def _missed_apexes(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    if not known(lap, "lateral_offset"):
        raise AbsentError(("lateral_offset",))
    fit = [other for other in others if known(other, "lateral_offset")]
    if not spans or len(fit) < FEWEST:
        raise AbsentError(needs=f"corners and {FEWEST} other laps")
    found = []
    for span in spans:
        reached, row = _inside(lap, span)
        usual = np.array([_inside(other, span)[0] for other in fit])
        usual = usual[np.isfinite(usual)]
        if not np.isfinite(reached) or len(usual) < FEWEST:
            continue
        wide = float(np.median(usual)) - reached
        if wide >= max(WIDE, STEADY * _spread(usual)):
            words = f"misses the apex of {span.label} by {wide:.1f} m"
            found.append(_anomaly(lap, "missed apex", row, row, 0.0, wide, words))
    return found


def _spread(values: Floats) -> float:
    return _MAD * float(np.median(np.abs(values - np.median(values))))


def _slow_sections(lap: Trace, spans: Sequence[CornerSpan], others: Sequence[Trace]) -> list[Anomaly]:
    if len(others) < FEWEST:
        raise AbsentError(needs=f"{FEWEST} other laps")
    length = min(float(each.distance[-1]) for each in (lap, *others))
    bounds = np.linspace(0.0, length, max(2, round(length / SECTION) + 1))
    took = np.array([np.diff(np.interp(bounds, np.maximum.accumulate(o.distance), o.time)) for o in (lap, *others)])
    usual = np.median(took[1:], axis=0)
    spread = _MAD * np.median(np.abs(took[1:] - usual), axis=0)
    lost = took[0] - usual
    found = []
    for first, last in runs(lost >= np.maximum(SLOW, STEADY * spread)):
        row = int(np.argmin(np.abs(lap.distance - bounds[first])))
        total, speed = (
            float(lost[first : last + 1].sum()),
            float((bounds[last + 1] - bounds[first]) / took[0, first : last + 1].sum()),
        )
        words = (
            f"{total:.2f} s slower than usual from {bounds[first]:,.0f} to {bounds[last + 1]:,.0f} m "
            f"{place_name(spans, float(bounds[first]))}, {speed * KMH_PER_MS:.0f} km/h on average"
        )
        duration = float(took[0, first : last + 1].sum())
        found.append(_anomaly(lap, "slow section", row, row, duration, total, words))
    return found


Look = Callable[[Trace, Sequence[CornerSpan], Sequence[Trace]], list[Anomaly]]

LOOKS: Final[dict[str, Look]] = {
    "lock-up": _lock_ups,
    "wheel spin": _wheel_spin,
    "spin": _spins,
    "off track": _offs,
    "hit": _hits,
    "missed apex": _missed_apexes,
    "slow section": _slow_sections,
}
"""What is looked for, by kind."""
