"""Where the drag reduction may open: a general rule, for tracks whose zones no file states."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from actwin.planning.racing_line import RacingLine

STRAIGHT: Final = 1.0 / 500.0
"""[1/m] Curvature of the line below which it counts as straight."""
LONG_ENOUGH: Final = 450.0
"""[m] Shortest straight with a zone."""
OPENS_AFTER: Final = 100.0
"""[m] From the beginning of the straight to the zone, as activation lines usually lie behind the corner."""


def drs_zones(line: RacingLine) -> NDArray[np.bool_]:
    """Nodes of a line at which the drag reduction may be open.

    Zones lie on straights of at least 450 m and begin 100 m into them. Real zones are chosen by the organiser (in 2022
    two or three a track, mostly on such straights); this rule knows none of them.

    Args:
        line: The line.

    Returns:
        [M] One flag for each node.
    """
    straight = np.abs(line.curvature) < STRAIGHT
    if straight.all():
        return straight
    first = int(np.argmin(straight))
    straight, way = np.roll(straight, -first), np.roll(line.spacing, -first)
    begins = np.flatnonzero(straight & ~np.roll(straight, 1))
    ends = np.flatnonzero(straight & ~np.roll(straight, -1)) + 1
    flags = np.zeros(len(straight), bool)
    for begin, end in zip(begins, ends, strict=True):
        into = np.cumsum(way[begin:end])
        if into[-1] >= LONG_ENOUGH:
            flags[begin:end] = into >= OPENS_AFTER
    return np.roll(flags, first)
