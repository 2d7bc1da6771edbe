"""What a driver does in each corner of a lap: where the brakes bite, where the car turns, how slow it gets.

Definitions follow Segers, "Analysis Techniques for Racecar Data Acquisition", 2nd ed., ch. 4 to 7; thresholds stand in
the constants. All places are lap distances, interpolated between the samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from actwin.analysis.compare import Trace
from actwin.analysis.corner_spans import CornerSpan, path_curvature
from actwin.analysis.pattern_channels import AbsentError, Floats, clean, known, steering

BRAKING: Final = 0.05
"""[-] Brake pedal from which the car is braked."""
LEAST_PEAK: Final = 0.1
"""[-] A touch of the pedal that stays below is no braking."""
BRAKE_PAUSE: Final = 0.2
"""[s] The pedal may come up for so long within one braking."""
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
    """[m] Where it passes 95 % and stays above for 0.3 s."""
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


@dataclass(frozen=True)
class Readings:
    """One lap's channels for the corner search; None where the lap does not have one.

    Attributes:
        s, t: [m], [s] [M], never falling.
        curvature: [1/m] Of the driven path.
        gaps: [m] [2, M] To the left and to the right edge of the road.
        brakings: [m] [K, 2] Where each braking begins and ends.
    """

    s: Floats
    t: Floats
    speed: Floats | None
    brake: Floats | None
    throttle: Floats | None
    steer: Floats | None
    gear: Floats | None
    curvature: Floats | None
    gaps: Floats | None
    brakings: Floats
    clock: Any

    @classmethod
    def of(cls, lap: Trace) -> Readings:
        """Those of a lap, on a common axis or at its own samples."""
        told = np.flatnonzero(np.isfinite(lap.time) & np.isfinite(lap.distance))
        lap = Trace(lap.driver, lap.distance[told], lap.time[told], {name: v[told] for name, v in lap.channels.items()})
        s = np.maximum.accumulate(lap.distance)
        ahead = np.concatenate(([True], np.diff(s) > 1e-9))[: len(s)]
        lap = Trace(lap.driver, s[ahead], lap.time[ahead], {name: v[ahead] for name, v in lap.channels.items()})
        found = {
            name: clean(lap, name) if known(lap, name) else None for name in ("speed", "brake", "throttle", "gear")
        }
        gaps = [clean(lap, name) for name in ("border_left", "border_right") if known(lap, name)]
        brake = found["brake"]
        return cls(
            s=lap.distance,
            t=lap.time,
            steer=_or_none(steering, lap),
            curvature=_or_none(path_curvature, lap),
            gaps=np.array(gaps) if len(gaps) == 2 else None,
            brakings=brakings(lap.distance, lap.time, brake) if brake is not None else np.empty((0, 2)),
            clock=PchipInterpolator(lap.distance, lap.time, extrapolate=False) if len(lap.time) > 1 else None,
            **found,
        )


def _or_none(read: Any, lap: Trace) -> Floats | None:
    try:
        return np.asarray(read(lap))
    except AbsentError:
        return None


def rises(s: Floats, values: Floats, level: float) -> Floats:
    """[m] Places at which a channel, linear between its samples, passes a level upwards, [K].

    Args:
        s: [m] [M].
        values: [M].
        level: To be passed.
    """
    rows = np.flatnonzero((values[:-1] < level) & (values[1:] >= level))
    share = (level - values[rows]) / (values[rows + 1] - values[rows])
    return np.asarray(s[rows] + share * (s[rows + 1] - s[rows]))


def falls(s: Floats, values: Floats, level: float) -> Floats:
    """[m] The same downwards."""
    return rises(s, -values, -level)


def brakings(s: Floats, t: Floats, brake: Floats) -> Floats:
    """[m] Where each braking begins and ends, [K, 2]; one that was on when the lap began begins at its first place."""
    begin, end = rises(s, brake, BRAKING), falls(s, brake, BRAKING)
    if brake[0] >= BRAKING:
        begin = np.concatenate(([s[0]], begin))
    if brake[-1] >= BRAKING:
        end = np.concatenate((end, [s[-1]]))
    pause = np.interp(begin[1:], s, t) - np.interp(end[:-1], s, t)
    apart = np.concatenate(([True], pause > BRAKE_PAUSE))
    zones = np.stack([begin[apart], end[np.append(apart[1:], True)]], axis=1) if len(begin) else np.empty((0, 2))
    hard = [bool(brake[_rows(s, *zone)].max() >= LEAST_PEAK) for zone in zones]
    braked: Floats = zones[np.array(hard, bool)]
    return braked


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
        rows = _rows(lap.s, first, last)
        points["apex_gap"] = float(lap.gaps[0 if span.direction > 0 else 1][rows].min())
    if lap.speed is not None:
        points |= _speeds(lap, lap.speed, begin, (before, min(last, max(end, span.apex))), last)
    if lap.throttle is not None:
        points |= _throttle(lap, lap.throttle, points.get("peak_brake_at", NAN), span, (before, max(end, last)))
    return CornerPoints(**points)


def _rows(s: Floats, first: float, last: float) -> slice:
    """Samples from one place to another, at least one."""
    low, high = np.searchsorted(s, (first, last))
    low = min(int(low), len(s) - 1)
    return slice(low, max(int(high) + 1, low + 1))


def _time(lap: Readings, span: CornerSpan) -> float:
    places = np.clip((span.entry, span.exit), lap.s[0], lap.s[-1])
    entry, end = (float(moment) for moment in lap.clock(places))
    return end - entry + (float(lap.t[-1]) - float(lap.t[0]) if span.entry > span.exit else 0.0)


def _braking(lap: Readings, brake: Floats, mine: Floats, span: CornerSpan) -> dict[str, float]:
    """Of several brakings for one corner the hardest."""
    peaks = [float(brake[_rows(lap.s, *zone)].max()) for zone in mine]
    begin, end = (float(place) for place in mine[int(np.argmax(peaks))])
    rows = _rows(lap.s, begin, end)
    peak = int(np.argmax(brake[rows])) + rows.start
    return {
        "brake_point": begin,
        "brake_before_apex": span.apex - begin,
        "peak_brake": float(brake[peak]),
        "peak_brake_at": float(lap.s[peak]),
        "brake_release": end,
    }


def _turn_in(s: Floats, into: Floats, before: float, first: float, last: float) -> float:
    rows = _rows(s, first, last)
    peak = int(np.argmax(into[rows])) + rows.start
    if into[peak] <= 0.0:
        return NAN
    places = rises(s[: peak + 1], into[: peak + 1], TURNED * float(into[peak]))
    return float(places[-1]) if len(places) and places[-1] > before else NAN


def _middle(s: Floats, bend: Floats, first: float, last: float) -> float:
    rows = _rows(s, first, last)
    part, peak = bend[rows], float(bend[rows].max())
    if peak <= 0.0:
        return NAN
    over = np.maximum(part - FLAT_TOP * peak, 0.0)
    return float((over * s[rows]).sum() / over.sum())


def _speeds(lap: Readings, speed: Floats, begin: float, search: tuple[float, float], last: float) -> dict[str, float]:
    before, end = search
    rows = _rows(lap.s, begin, end)
    low = int(np.argmin(speed[rows])) + rows.start
    at, least = _vertex(lap.s, speed, low)
    found = {
        "approach_speed": float(speed[_rows(lap.s, before, at)].max()),
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
    before, end = search
    rows = _rows(lap.s, before, end)
    s, t, pedal = lap.s[rows], lap.t[rows], throttle[rows]
    until = span.apex if math.isnan(peak_brake) else peak_brake
    into = _rows(s, before, max(until, before))
    lifts = falls(s, pedal, FULL_THROTTLE)
    lifts = lifts[lifts <= until]
    found = {"lift": float(lifts[-1])} if len(lifts) else {}
    for name, level, hold in (("throttle_on", ON_THROTTLE, ON_FOR), ("full_throttle", FULL_THROTTLE, FULL_FOR)):
        ups, downs = rises(s, pedal, level), falls(s, pedal, level)
        came_off = np.concatenate((downs, falls(s, pedal, ON_THROTTLE)))
        came_off = np.sort(came_off[came_off <= until])
        if len(came_off) == 0 and math.isnan(peak_brake):
            continue  # the corner was taken without leaving the throttle so far
        start = peak_brake
        if math.isnan(peak_brake):
            off = _rows(s, float(came_off[-1]), max(float(s[into.stop - 1]), float(came_off[-1])))
            start = float(s[int(np.argmin(pedal[off])) + off.start])
        ups = ups[ups > start]
        ends = np.append(downs, s[-1])
        release = ends[np.searchsorted(ends[:-1], ups, side="right")]
        held = np.interp(release, s, t) - np.interp(ups, s, t) >= hold
        if held.any():
            found[name] = float(ups[held][0])
    return found
