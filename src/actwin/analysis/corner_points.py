"""What a driver does in each corner of a lap: where the brakes bite, where the car turns, how slow it gets.

Definitions follow Segers, "Analysis Techniques for Racecar Data Acquisition", 2nd ed., ch. 4 to 7; thresholds stand in
the constants. All places are lap distances, interpolated between the samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from actwin.analysis.compare import Trace
from actwin.analysis.corner_readings import Readings, falls, rises, rows_between
from actwin.analysis.corner_spans import CornerSpan
from actwin.analysis.pattern_channels import Floats

TURNED: Final = 0.25
"""[-] Share of a corner's greatest steering at which the car is turned in."""
ON_THROTTLE: Final = 0.1
"""[-] Throttle from which the driver is on it ..."""
ON_FOR: Final = 0.2
"""[s] ... when it stays there so long; the blip of a downshift does not."""
FULL_THROTTLE: Final = 0.95
"""[-] Throttle that is full ..."""
FULL_FOR: Final = 0.3
"""[s] ... when it stays there so long."""
FEWEST: Final = 8
"""Samples of a lap below which there are no corners to speak of."""
REACH: Final = 5.0
"""[m] A corner that begins or ends so far outside the recorded part of a lap was not driven in it."""
FLAT_TOP: Final = 0.9
"""[-] Share of the greatest curvature around which the driven apex is the middle."""

NAN: Final = math.nan


class CornerPoints(NamedTuple):
    """One lap in one corner; NaN where something did not happen, or where the lap has no channel that would tell."""

    brake_point: float = NAN
    """[m] Where the pedal passes 5 % at the beginning of the corner's braking."""
    brake_before_apex: float = NAN
    """[m] From there to the apex of the corner (of the track, so that laps compare)."""
    approach_speed: float = NAN
    """[m/s] Highest since the corner before."""
    peak_brake: float = NAN
    """[-] Greatest pedal of that braking."""
    peak_brake_at: float = NAN
    """[m] Where it is reached first."""
    brake_release: float = NAN
    """[m] Where the pedal passes 5 % at its end."""
    lift: float = NAN
    """[m] Where the throttle leaves 95 % on the way into the corner."""
    turn_in: float = NAN
    """[m] Where the steering passes a quarter of its greatest value in the corner, last before that value."""
    apex: float = NAN
    """[m] Middle of the stretch in which the driven path bends by 90 % of its most or more."""
    apex_gap: float = NAN
    """[m] Least distance of the centre of gravity from the inner edge of the road."""
    minimum_speed: float = NAN
    """[m/s] Lowest from turn-in or braking to the exit."""
    minimum_speed_at: float = NAN
    """[m] Where."""
    gear: float = NAN
    """[1] There."""
    throttle_on: float = NAN
    """[m] Where the throttle passes 10 % after the braking and stays above for 0.2 s."""
    full_throttle: float = NAN
    """[m] Where it passes 95 % from there on and stays above for 0.3 s."""
    exit_speed: float = NAN
    """[m/s] Where the corner ends."""
    trail_distance: float = NAN
    """[m] From turn-in to brake release, 0 when the brakes are off before."""
    time: float = NAN
    """[s] From the corner's entry to its exit."""


NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "brake_point": ("brake",), "brake_before_apex": ("brake",), "approach_speed": ("speed",), "peak_brake": ("brake",),
    "peak_brake_at": ("brake",), "brake_release": ("brake",), "lift": ("throttle",),
    "turn_in": ("steer", "steer_angle"), "apex": ("yaw_rate and speed", "ay and speed", "x and y"),
    "apex_gap": ("border_left and border_right",), "minimum_speed": ("speed",), "minimum_speed_at": ("speed",),
    "gear": ("gear and speed",), "throttle_on": ("throttle",), "full_throttle": ("throttle",),
    "exit_speed": ("speed",), "trail_distance": ("brake and steer", "brake and steer_angle"), "time": (),
}  # fmt: skip
"""Channels that each number is made of; of several entries one is enough."""


def corner_points(lap: Trace, spans: Sequence[CornerSpan]) -> list[CornerPoints]:
    """What one lap did in each corner.

    A braking belongs to the corner whose apex comes next after its beginning. Of a corner across the line only the part
    after the line is searched, or the part before it when its apex lies there; its time is that of both parts. Corners
    that the lap was not recorded in are NaN throughout.

    Args:
        lap: On a distance axis from the line, common or its own.
        spans: In order of their apexes.
    """
    readings = Readings.of(lap)
    if not spans or len(readings.s) < FEWEST:
        return [CornerPoints()] * len(spans)
    before = [float(readings.s[0]), *(span.apex for span in spans[:-1])]
    after = [*(span.apex for span in spans[1:]), float(readings.s[-1])]
    return [_points(readings, span, *around) for span, *around in zip(spans, before, after, strict=True)]


def _points(lap: Readings, span: CornerSpan, before: float, after: float) -> CornerPoints:
    across = span.entry > span.exit
    if min(span.entry, span.exit) < lap.s[0] - REACH or max(span.entry, span.exit) > lap.s[-1] + REACH:
        return CornerPoints()
    first = span.entry if not across or span.apex >= span.entry else float(lap.s[0])
    last = span.exit if not across or span.apex < span.entry else float(lap.s[-1])
    points: dict[str, float] = {"time": _time(lap, span)}
    mine = lap.brakings[(lap.brakings[:, 0] > before) & (lap.brakings[:, 0] <= span.apex)]
    later = lap.brakings[(lap.brakings[:, 0] > span.apex) & (lap.brakings[:, 0] < after), 0]
    end = float(later[0]) if len(later) else after
    begin = first
    if lap.brake is not None and len(mine):
        points |= _braking(lap, lap.brake, mine, span)
        begin = min(first, points["brake_point"])
    if lap.steer is not None:
        points["turn_in"] = _turn_in(lap.s, span.direction * lap.steer, before, first, last)
        if {"brake_release", "turn_in"} <= points.keys():
            points["trail_distance"] = max(points["brake_release"] - points["turn_in"], 0.0)
    if lap.curvature is not None:
        points["apex"] = _middle(lap.s, span.direction * lap.curvature, first, last)
    if lap.gaps is not None:
        rows = lap.rows(first, last)
        points["apex_gap"] = float(lap.gaps[0 if span.direction > 0 else 1][rows].min())
    if lap.speed is not None:
        points |= _speeds(lap, lap.speed, begin, (before, min(last, max(end, span.apex))), last)
    if lap.throttle is not None:
        points |= _throttle(lap, lap.throttle, points.get("peak_brake_at", NAN), span, (before, max(end, last)))
    return CornerPoints(**points)


def _time(lap: Readings, span: CornerSpan) -> float:
    entry, end = lap.passed(np.array([span.entry, span.exit])).tolist()
    return float(end - entry + (lap.t[-1] - lap.t[0] if span.entry > span.exit else 0.0))


def _braking(lap: Readings, brake: Floats, mine: Floats, span: CornerSpan) -> dict[str, float]:
    """Of several brakings for one corner the hardest."""
    peaks = [float(brake[lap.rows(*zone)].max()) for zone in mine]
    begin, end = (float(place) for place in mine[int(np.argmax(peaks))])
    rows = lap.rows(begin, end)
    peak = int(np.argmax(brake[rows])) + rows.start
    return {
        "brake_point": begin,
        "brake_before_apex": span.apex - begin,
        "peak_brake": float(brake[peak]),
        "peak_brake_at": float(lap.s[peak]),
        "brake_release": end,
    }


def _turn_in(s: Floats, into: Floats, before: float, first: float, last: float) -> float:
    rows = rows_between(s, first, last)
    peak = int(np.argmax(into[rows])) + rows.start
    if into[peak] <= 0.0:
        return NAN
    places = rises(s[: peak + 1], into[: peak + 1], TURNED * float(into[peak]))
    return float(places[-1]) if len(places) and places[-1] > before else NAN


def _middle(s: Floats, bend: Floats, first: float, last: float) -> float:
    rows = rows_between(s, first, last)
    part, peak = bend[rows], float(bend[rows].max())
    if peak <= 0.0:
        return NAN
    over = np.maximum(part - FLAT_TOP * peak, 0.0)
    return float((over * s[rows]).sum() / over.sum())


def _speeds(lap: Readings, speed: Floats, begin: float, search: tuple[float, float], last: float) -> dict[str, float]:
    before, end = search
    rows = lap.rows(begin, end)
    low = int(np.argmin(speed[rows])) + rows.start
    at, least = _vertex(lap.s, speed, low)
    found = {
        "approach_speed": float(speed[lap.rows(before, at)].max()),
        "minimum_speed": least,
        "minimum_speed_at": at,
        "exit_speed": float(np.interp(last, lap.s, speed)),
    }
    if lap.gear is not None:
        near = lap.gear[rows.start : low + 1]
        engaged = near[near >= 1.0]  # the game passes through neutral
        found["gear"] = float(round(engaged[-1])) if len(engaged) else NAN
    return found


def _vertex(s: Floats, values: Floats, low: int) -> tuple[float, float]:
    """Place and height of the minimum by the parabola through the lowest sample and its neighbours."""
    if not 0 < low < len(s) - 1:
        return float(s[low]), float(values[low])
    (a, b), (p, q) = np.diff(s[low - 1 : low + 2]), np.diff(values[low - 1 : low + 2])
    bend = (q / b - p / a) / (a + b)
    if bend <= 0.0 or p > 0.0 or q < 0.0:
        return float(s[low]), float(values[low])
    slope = (p * b / a + q * a / b) / (a + b)
    shift = float(np.clip(-0.5 * slope / bend, -0.5 * a, 0.5 * b))
    return float(s[low]) + shift, float(values[low] + slope * shift + bend * shift**2)


def _throttle(
    lap: Readings, throttle: Floats, peak_brake: float, span: CornerSpan, search: tuple[float, float]
) -> dict[str, float]:
    rows = lap.rows(*search)
    s, t, pedal = lap.s[rows], lap.t[rows], throttle[rows]
    until = span.apex if math.isnan(peak_brake) else peak_brake
    full, some = falls(s, pedal, FULL_THROTTLE), falls(s, pedal, ON_THROTTLE)
    full, some = full[full <= until], some[some <= until]
    on = _held(s, t, pedal, (ON_THROTTLE, ON_FOR), _pressed_from(s, pedal, some, until, peak_brake))
    start = _pressed_from(s, pedal, np.concatenate((full, some)), until, peak_brake) if math.isnan(on) else on
    return {
        "lift": float(full[-1]) if len(full) else NAN,
        "throttle_on": on,
        "full_throttle": _held(s, t, pedal, (FULL_THROTTLE, FULL_FOR), start),
    }


def _pressed_from(s: Floats, pedal: Floats, left: Floats, until: float, peak_brake: float) -> float:
    """[m] From where the throttle is waited for: the hardest braking, else its least since it was left; NaN where the
    corner was taken without leaving it."""
    if math.isfinite(peak_brake) or not len(left):
        return peak_brake
    off = rows_between(s, float(left.max()), max(until, float(left.max())))
    return float(s[int(np.argmin(pedal[off])) + off.start])


def _held(s: Floats, t: Floats, pedal: Floats, level_for: tuple[float, float], start: float) -> float:
    """[m] Where the pedal passes a level after a place and stays above it for a time; NaN where it does not."""
    level, hold = level_for
    ups, downs = rises(s, pedal, level), falls(s, pedal, level)
    ups = ups[ups > start]
    release = np.append(downs, s[-1])[np.searchsorted(downs, ups, side="right")]
    held = np.interp(release, s, t) - np.interp(ups, s, t) >= hold
    return float(ups[held][0]) if held.any() else NAN
