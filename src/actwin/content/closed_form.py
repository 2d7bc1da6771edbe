"""Tracks of known shape, for tests against closed forms."""

from __future__ import annotations

from typing import Final

import numpy as np

from actwin.content.clothoids import ClothoidLoop
from actwin.content.profiles import Linear, Smooth, Steps
from actwin.content.roadside import Roadside
from actwin.content.track import Corner, Track

ASPHALT: Final = 4


def oval(straight: float = 400.0, radius: float = 100.0, transition: float = 60.0, half_width: float = 7.0) -> Track:
    """Two straights joined by two half turns of constant radius, driven anticlockwise.

    Each half turn is a clothoid, an arc and the same clothoid backwards; its length is pi R + L_c, so that the lap is
    2 (a + pi R + L_c). The line lies in the middle of a straight.

    Args:
        straight: [m] Length a of each straight.
        radius: [m] Radius R of the arcs.
        transition: [m] Length L_c of each clothoid, less than pi R.
        half_width: [m] Centre line to either edge.
    """
    turn = np.pi * radius + transition
    half = straight + turn
    first = np.array(
        [0.5 * straight, 0.5 * straight + transition, 0.5 * straight + np.pi * radius, 0.5 * straight + turn]
    )
    knots = np.concatenate([[0.0], first, half + first])
    curvature = np.concatenate([[0.0], np.tile([0.0, 1.0 / radius, 1.0 / radius, 0.0], 2)])
    corners = tuple(
        Corner(i + 1, f"Turn {i + 1}", i * half + first[0], i * half + float(np.mean(first)), i * half + first[3])
        for i in range(2)
    )
    line = ClothoidLoop(knots, curvature, 2.0 * half)
    return _plain("oval", "Closed-form oval", line, half_width, corners)


def skid_pad(radius: float = 50.0, half_width: float = 6.0) -> Track:
    """A circle driven anticlockwise; its lap is 2 pi R.

    Args:
        radius: [m] Of the centre line.
        half_width: [m] Centre line to either edge.
    """
    line = ClothoidLoop([0.0], [1.0 / radius], 2.0 * np.pi * radius)
    return _plain("skid_pad", "Skid pad", line, half_width, ())


def _plain(name: str, title: str, line: ClothoidLoop, half_width: float, corners: tuple[Corner, ...]) -> Track:
    """A flat track of constant width with asphalt beside it and no kerbs."""

    def constant(value: float) -> Linear:
        return Linear([0.0], [value], line.length)

    asphalt = Steps([0.0], [ASPHALT], line.length)
    wall = constant(half_width + 20.0)
    return Track(
        name=name,
        title=title,
        line=line,
        edge_left=constant(half_width),
        edge_right=constant(half_width),
        height=Smooth([0.0], [0.0], line.length),
        bank=constant(0.0),
        roadside=Roadside(constant(0.0), constant(0.0), wall, wall, asphalt, asphalt),
        source="closed form",
        licence="MIT",
        sectors=(0.0, line.length / 3.0, 2.0 * line.length / 3.0),
        corners=corners,
        grid=line.length - 8.0,
        pit_out=(0.5 * half_width, -0.5 * half_width),
    )
