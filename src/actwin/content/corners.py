"""Corners of a track, found in the curvature of its centre line."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from actwin.content.clothoids import ClothoidLoop
from actwin.content.track import Corner

Array = NDArray[np.float64]

STEP: Final = 1.0
"""[m] Spacing at which the curvature is searched."""
BEND: Final = 1.0 / 400.0
"""[1/m] Curvature from which a bend may be a corner."""
LEAST_TURN: Final = 0.2
"""[rad] Change of heading below which a bend is not counted as a corner."""
SHARE: Final = 0.15
"""[-] Share of the apex's curvature at which a corner begins and ends."""


def corner_at(line: ClothoidLoop, number: int, name: str, near: float, side: int, reach: float = 60.0) -> Corner:
    """The corner around an approximate apex.

    The apex is the greatest curvature to the given side within reach, which always lies at a knot. The corner extends
    to where the curvature has fallen to 15 % of it.

    Args:
        line: Centre line.
        number: Official number.
        name: Official name, or empty.
        near: [m] Lap distance near the apex.
        side: 1 for a left-hand corner, -1 for a right-hand one.
        reach: [m] How far the apex may lie from `near`.
    """
    away = np.abs(np.mod(line.knots - near + 0.5 * line.length, line.length) - 0.5 * line.length)
    bend = np.where(away <= reach, side * line.curvature_knots, -np.inf)
    apex = float(line.knots[int(np.argmax(bend))])
    return Corner(number, name, _edge(line, apex, side, -1.0), apex, _edge(line, apex, side, 1.0))


def _edge(line: ClothoidLoop, apex: float, side: int, direction: float) -> float:
    """[m] Lap distance at which the curvature has fallen to its share of the apex's, at most 400 m away."""
    ahead = np.arange(STEP, 400.0, STEP)
    curvature = side * line.curvature(apex + direction * ahead)
    below = curvature < SHARE * float(side * line.curvature(apex))
    away = float(ahead[int(np.argmax(below))]) if below.any() else 400.0
    return float(np.mod(apex + direction * away, line.length))


def find_corners(line: ClothoidLoop) -> tuple[Corner, ...]:
    """All corners of a track without official numbers, numbered from the line, without names.

    A corner is a stretch of one sign of curvature above 1/400 m in which the heading turns by at least 0.2 rad.

    Args:
        line: Centre line.
    """
    count = max(16, round(line.length / STEP))
    s = np.arange(count) * (line.length / count)
    curvature = line.curvature(s)
    sign = np.where(np.abs(curvature) > BEND, np.sign(curvature), 0.0)
    change = np.flatnonzero(sign != np.roll(sign, 1))
    if len(change) == 0:
        return ()
    found = []
    for first, last in zip(change, np.append(change[1:], change[0] + count), strict=True):
        inside = np.arange(first, last) % count
        if sign[first] == 0.0 or abs(curvature[inside].sum()) * s[1] < LEAST_TURN:
            continue
        apex = float(s[inside[int(np.argmax(np.abs(curvature[inside])))]])
        found.append((apex, int(sign[first])))
    return tuple(corner_at(line, i + 1, "", apex, side, reach=10.0) for i, (apex, side) in enumerate(sorted(found)))
