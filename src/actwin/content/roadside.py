"""What lies beyond the edges of the road: kerbs, run-off and walls, from a file or by rule."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.spatial import cKDTree

from actwin.content.clothoids import ClothoidLoop
from actwin.content.profiles import Linear, Steps

Array = NDArray[np.float64]

GRASS: Final = 2
GRAVEL: Final = 3

STEP: Final = 5.0
"""[m] Spacing of the lists that the rule makes."""
KERB_WIDTH: Final = 1.0
"""[m] Width of a kerb made by rule."""
VERGE: Final = 8.0
"""[m] From the edge to the wall along a straight."""
ESCAPE: Final = 30.0
"""[m] From the edge to the wall at the outside of a sharp corner."""
TAPER: Final = 0.5
"""[-] Steepest angle of a wall to the road, metres sideways a metre."""
BEND: Final = 1.0 / 250.0
"""[1/m] Curvature above which a corner has kerbs."""


class Roadside(NamedTuple):
    """Kerbs, run-off and walls as functions of lap distance."""

    kerb_left: Linear
    """[m] Width beyond the left edge."""
    kerb_right: Linear
    """[m] Width beyond the right edge."""
    wall_left: Linear
    """[m] Centre line to the solid border on the left."""
    wall_right: Linear
    """[m] Centre line to the solid border on the right."""
    runoff_left: Steps
    """Surface code beyond the left kerb."""
    runoff_right: Steps
    """Surface code beyond the right kerb."""


def _shifted(values: Array, behind: float, ahead: float) -> Array:
    """Largest value within `behind` metres before and `ahead` metres after each point of a periodic list."""
    back, front = round(behind / STEP), round(ahead / STEP)
    size = back + front + 1
    return np.asarray(maximum_filter1d(values, size, mode="wrap", origin=(back - front) // 2))


def _gentle(wall: Array) -> Array:
    """[m] The farthest wall no farther than a given one that comes nearer by at most `TAPER` metres a metre."""
    result = wall
    for away in range(1, round((ESCAPE / TAPER) / STEP) + 1):
        reach = TAPER * STEP * away
        result = np.minimum(result, np.minimum(np.roll(wall, away), np.roll(wall, -away)) + reach)
    return result


def _clearance(line: ClothoidLoop, s: Array, side: int, edge: Array) -> Array:
    """[m] How far from the centre line a wall may stand before it comes near another part of the road.

    For each point, walls are tried outwards; the first that is nearer to another part of the road than its own edge
    distance plus a gap ends the search.
    """
    x, y = line.position(s)
    angle = line.heading(s)
    tree = cKDTree(np.column_stack([x, y]))
    limit = np.full(len(s), np.inf)
    for reach in np.arange(VERGE, edge.max() + ESCAPE + 2.0, 2.0):
        px, py = x - side * reach * np.sin(angle), y + side * reach * np.cos(angle)
        gap, index = tree.query(np.column_stack([px, py]))
        away = np.abs(np.mod(s[index] - s + 0.5 * line.length, line.length) - 0.5 * line.length) > 60.0
        crowded = away & (gap < edge[index] + 4.0)
        limit = np.where(crowded & np.isinf(limit), reach - 2.0, limit)
    return limit


def roadside_by_rule(line: ClothoidLoop, left: Linear, right: Linear) -> Roadside:
    """Kerbs, run-off and walls of a track of which only the road is known.

    - Kerbs, 1 m wide: at the inside wherever the radius is under 250 m, at the outside from the corner to 40 m beyond
      it.
    - Walls: 8 m beyond the edge on straights, up to 30 m at the outside of corners and for 80 m after them; never
      farther than 80 % of the radius at the inside, nor into another part of the road, and never nearing the road at a
      steeper angle than 1 : 2.
    - Run-off: gravel at the outside of corners and for 80 m after them, grass elsewhere.

    Args:
        line: Centre line.
        left: [m] Centre line to the left edge.
        right: [m] Centre line to the right edge.
    """
    count = max(8, round(line.length / STEP))
    s: Array = np.arange(count, dtype=np.float64) * (line.length / count)
    curvature = line.curvature(s)
    kerbs, walls, runoffs = [], [], []
    for side, width in ((1, left(s)), (-1, right(s))):
        inside = _shifted(np.clip(side * curvature / BEND - 0.5, 0.0, 1.0), 5.0, 5.0)
        outside = _shifted(np.clip(-side * curvature / BEND - 0.5, 0.0, 1.0), 40.0, 0.0)
        kerb = KERB_WIDTH * np.maximum(inside, outside)
        escape = _shifted(np.clip(-side * curvature * 60.0, 0.0, 1.0), 80.0, 10.0)
        wall = width + VERGE + (ESCAPE - VERGE) * escape
        radius = 0.8 / np.maximum(_shifted(side * curvature, 5.0, 5.0), 1e-6)
        limit = minimum_filter1d(np.minimum(radius, _clearance(line, s, side, width)), 3, mode="wrap")
        kerbs.append(Linear(s, kerb, line.length))
        # beside a hairpin whose edge is near the centre of the bend there is no room for a verge
        wall = np.maximum(_gentle(np.minimum(wall, limit)), width + 1.5)
        wall = np.maximum(np.minimum(wall, 1.15 * radius), width + 0.1)
        walls.append(Linear(s, wall, line.length))
        code = np.where(escape > 0.4, GRAVEL, GRASS)
        first = np.flatnonzero(code != np.roll(code, 1))
        first = first if len(first) else np.array([0])
        runoffs.append(Steps(s[first], code[first], line.length))
    return Roadside(kerbs[0], kerbs[1], walls[0], walls[1], runoffs[0], runoffs[1])
