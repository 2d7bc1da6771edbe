"""What was driven differently in a stretch of two laps, by what it should have cost."""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

import numpy as np

from actwin.analysis.compare import Trace
from actwin.analysis.corner_points import FULL_THROTTLE, CornerPoints
from actwin.analysis.pattern_channels import clean, known, time_above
from actwin.units import KMH_PER_MS

Phase = Literal["braking", "middle", "exit", "straight"]

LEAST_PLACE: Final = 2.0
"""[m] Smaller differences of a place are not named ..."""
LEAST_SPEED: Final = 0.25
"""[m/s] ... nor of a speed ..."""
LEAST_PEDAL: Final = 0.05
"""[-] ... nor of a pedal ..."""
LEAST_WAY: Final = 0.5
"""[m] ... nor of the length of the path ..."""
LEAST_LIFT: Final = 0.1
"""[s] ... nor of the time at full throttle."""
LIFT_COST: Final = 0.2
"""[-] Of a second off full throttle on a straight, about."""
LEAST_SHARE: Final = 0.2
"""[-] Share of the loss that a difference must explain to be named as its cause."""


class Stretch(NamedTuple):
    """A piece of track in which time was lost.

    Attributes:
        phase: Of a corner, or a straight.
        begin, end: [m]
        seconds: [s] Lost there, positive = slower.
    """

    phase: Phase
    begin: float
    end: float
    seconds: float


class Cause(NamedTuple):
    """One difference.

    Attributes:
        words: What the driver did.
        where: What leads on to the name of the place: "into".
        effect: [s] What it should have cost by first order; negative is a gain.
    """

    words: str
    where: str
    effect: float


def cause_in_corner(
    lap: Trace, reference: Trace, points: tuple[CornerPoints, CornerPoints], stretch: Stretch
) -> Cause | None:
    """The difference that explains most of what was lost in a phase of a corner, None when none does.

    Args:
        lap, reference: On one axis.
        points: Of both in the corner.
        stretch: The phase.
    """
    find = {"braking": _into, "middle": _through, "exit": _out_of}[stretch.phase]
    found = [*find(*points, stretch), *_way(lap, reference, stretch)]
    if stretch.phase == "middle":
        found += _carried(lap, reference, stretch, "through")
    return _best(found, stretch.seconds)


def cause_on_straight(lap: Trace, reference: Trace, stretch: Stretch) -> Cause | None:
    """The same for a straight."""
    found = _way(lap, reference, stretch) + _carried(lap, reference, stretch, "onto the")
    inside = (lap.distance >= stretch.begin) & (lap.distance <= stretch.end)
    if known(lap, "throttle") and known(reference, "throttle") and np.count_nonzero(inside) > 1:
        mine, theirs = (
            time_above(each.time[inside], FULL_THROTTLE - clean(each, "throttle")[inside]) for each in (lap, reference)
        )
        if abs(mine - theirs) >= LEAST_LIFT:
            words = f"off full throttle {abs(mine - theirs):.1f} s {'longer' if mine > theirs else 'less long'}"
            found.append(Cause(words, "on the", LIFT_COST * (mine - theirs)))
    return _best(found, stretch.seconds)


def _best(found: list[Cause], seconds: float) -> Cause | None:
    fitting = [cause for cause in found if cause.effect * seconds > 0.0]
    best = max(fitting, key=lambda cause: abs(cause.effect), default=None)
    return best if best and abs(best.effect) >= LEAST_SHARE * abs(seconds) else None


def _into(mine: CornerPoints, theirs: CornerPoints, stretch: Stretch) -> list[Cause]:
    """A braking that is moved by d metres costs d (1 / speed after - 1 / speed before)."""
    fast, slow = theirs.approach_speed, theirs.minimum_speed
    metre = 1.0 / max(slow, 1.0) - 1.0 / max(fast, 1.0) if math.isfinite(slow) and math.isfinite(fast) else 0.02
    braked = [math.isfinite(points.brake_point) for points in (mine, theirs)]
    found = []
    if all(braked):
        found += _moved(mine.brake_point, theirs.brake_point, -metre, "brakes {} early", "brakes {} later", "into")
        softer = theirs.peak_brake - mine.peak_brake
        if abs(softer) >= LEAST_PEDAL:
            way = theirs.brake_release - theirs.brake_point
            words = f"brakes {abs(softer) * 100:.0f} % {'softer' if softer > 0.0 else 'harder'}"
            # A softer braking must have begun earlier; where it did, that is said by its place.
            found.append(Cause(words, "into", 0.25 * metre * way * softer / max(theirs.peak_brake, LEAST_PEDAL)))
    elif any(braked):
        one = mine if braked[0] else theirs
        way = one.brake_release - one.brake_point
        words = "brakes, which the reference does not," if braked[0] else "does not brake, as the reference does,"
        found.append(Cause(words, "into", metre * way * (1.0 if braked[0] else -1.0)))
    else:
        found += _moved(mine.lift, theirs.lift, -metre, "lifts {} early", "lifts {} later", "into")
    half = 0.5 * (stretch.end - stretch.begin)
    return found + _slower(mine.approach_speed, fast, half, "arrives {} slower", "arrives {} faster", "at")


def _through(mine: CornerPoints, theirs: CornerPoints, stretch: Stretch) -> list[Cause]:
    length = stretch.end - stretch.begin
    found = _slower(mine.minimum_speed, theirs.minimum_speed, length, "{} slower", "{} faster", "through")
    if theirs.brake_release > stretch.begin:  # trailed beyond the turn-in
        found += [cause._replace(effect=0.5 * cause.effect) for cause in _into(mine, theirs, stretch)]
    return found


def _out_of(mine: CornerPoints, theirs: CornerPoints, stretch: Stretch) -> list[Cause]:
    """An acceleration that is moved by d metres costs d (1 / speed before - 1 / speed after)."""
    slow, fast = theirs.minimum_speed, max(theirs.exit_speed, theirs.minimum_speed)
    metre = 1.0 / max(slow, 1.0) - 1.0 / max(fast, 1.0) if math.isfinite(slow) and math.isfinite(fast) else 0.01
    half = 0.5 * (stretch.end - stretch.begin)
    early, late = "on the throttle {} earlier", "on the throttle {} later"
    found = _moved(mine.throttle_on, theirs.throttle_on, metre, early, late, "out of")
    early, late = "at full throttle {} earlier", "at full throttle {} later"
    found += _moved(mine.full_throttle, theirs.full_throttle, 0.5 * metre, early, late, "out of")
    found += _slower(mine.exit_speed, theirs.exit_speed, half, "{} slower", "{} faster", "out of")
    return found + _slower(mine.minimum_speed, slow, half, "carries {} less", "carries {} more", "through")


def _moved(mine: float, theirs: float, per_metre: float, early: str, late: str, where: str) -> list[Cause]:
    later = mine - theirs
    if not abs(later) >= LEAST_PLACE:
        return []
    return [Cause((late if later > 0.0 else early).format(f"{abs(later):.0f} m"), where, per_metre * later)]


def _slower(mine: float, theirs: float, length: float, slower: str, faster: str, where: str) -> list[Cause]:
    missing = theirs - mine
    if not abs(missing) >= LEAST_SPEED:
        return []
    words = (slower if missing > 0.0 else faster).format(f"{abs(missing) * KMH_PER_MS:.0f} km/h")
    return [Cause(words, where, length * missing / max(mine * theirs, 1.0))]


def _carried(lap: Trace, reference: Trace, stretch: Stretch, where: str) -> list[Cause]:
    """The speed at the beginning; half of a difference is taken to be left on average."""
    if not (known(lap, "speed") and known(reference, "speed")):
        return []
    mine, theirs = (float(np.interp(stretch.begin, e.distance, clean(e, "speed"))) for e in (lap, reference))
    return _slower(mine, theirs, 0.5 * (stretch.end - stretch.begin), "carries {} less", "carries {} more", where)


def _way(lap: Trace, reference: Trace, stretch: Stretch) -> list[Cause]:
    """The length of the driven paths, where positions are known."""
    if not all(known(each, name) for each in (lap, reference) for name in ("x", "y")):
        return []
    inside = (lap.distance > stretch.begin) & (lap.distance < stretch.end)
    places = np.concatenate(([stretch.begin], lap.distance[inside], [stretch.end]))
    ways = []
    for each in (lap, reference):
        east, north = (np.diff(np.interp(places, each.distance, clean(each, name))) for name in ("x", "y"))
        ways.append(float(np.hypot(east, north).sum()))
    further = ways[0] - ways[1]
    if abs(further) < LEAST_WAY:
        return []
    took = float(np.ptp(np.interp([stretch.begin, stretch.end], lap.distance, reference.time)))
    words = f"drives {abs(further):.1f} m {'further' if further > 0.0 else 'less'}"
    where = {"braking": "into", "middle": "through", "exit": "out of", "straight": "on the"}[stretch.phase]
    return [Cause(words, where, further / max(ways[1], 1.0) * took)]
