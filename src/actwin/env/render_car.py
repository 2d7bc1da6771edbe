"""A car in a picture from above."""

from __future__ import annotations

from typing import Any, Final

from actwin.env.drawing import AMBER, CAR, DARK, EDGE, GREEN, RED, Colour, Pen, turned
from actwin.env.render_road import Camera

LENGTH, WIDTH = 5.4, 2.0
"""[m] Of the drawing."""
HEAVY: Final = 1000.0
"""[kg] A car above it is drawn closed, below it as a formula car."""

Shape = tuple[tuple[float, float], ...]
"""Corners as (ahead, left) [m] from the centre of gravity, left half first, from front to rear."""


def _mirrored(half: Shape) -> Shape:
    return (*half, *((ahead, -left) for ahead, left in reversed(half)))


FORMULA: Final[tuple[tuple[Shape, Colour], ...]] = (
    (_mirrored(((2.75, 0.0), (2.7, 0.95), (2.3, 0.95), (2.35, 0.2))), (196, 206, 216)),
    (_mirrored(((-2.2, 0.0), (-2.2, 0.62), (-2.75, 0.62), (-2.75, 0.0))), (196, 206, 216)),
    (_mirrored(((2.6, 0.12), (1.3, 0.24), (0.7, 0.3), (0.35, 0.72), (-0.9, 0.7), (-1.6, 0.3), (-2.5, 0.2))), CAR),
    (_mirrored(((0.55, 0.16), (0.3, 0.24), (-0.15, 0.24), (-0.4, 0.12))), DARK),
)
CLOSED: Final[tuple[tuple[Shape, Colour], ...]] = (
    (_mirrored(((2.35, 0.0), (2.3, 0.6), (1.9, 0.92), (-1.7, 0.95), (-2.2, 0.8), (-2.3, 0.0))), CAR),
    (_mirrored(((0.75, 0.0), (0.7, 0.62), (0.35, 0.7), (-1.1, 0.66), (-1.5, 0.5), (-1.55, 0.0))), DARK),
    (_mirrored(((0.1, 0.0), (0.1, 0.55), (-0.95, 0.55), (-0.95, 0.0))), (52, 160, 210)),
    (_mirrored(((-2.15, 0.0), (-2.15, 0.9), (-2.4, 0.9), (-2.4, 0.0))), (196, 206, 216)),
)
TYRE: Final[Shape] = ((0.36, 0.17), (0.36, -0.17), (-0.36, -0.17), (-0.36, 0.17))
HALF_BASE, HALF_TRACK = 1.75, 0.8
STEER: Final = 0.35
"""[rad] Front wheels' angle at full lock, as drawn."""


def draw_car(pen: Pen, camera: Camera, frame: Any, closed: bool = False) -> None:
    """Body and wheels: the front wheels steer, and tyres change from black to red as their grip is used up.

    Args:
        pen: To draw with.
        camera: Where from.
        frame: One record of FRAME.
        closed: Whether it has a roof.
    """
    x, y = camera.column, camera.row
    angle, scale = float(frame["yaw"]) - camera.yaw, max(camera.scale, 4.5)
    steer = STEER * float(frame["steer"])
    for wheel, use in enumerate(frame["grip_use"]):
        ahead, left = (HALF_BASE if wheel < 2 else -HALF_BASE), (HALF_TRACK if wheel % 2 == 0 else -HALF_TRACK)
        [(column, row)] = turned([(ahead, left)], x, y, angle, scale)
        pen.polygon(turned(TYRE, column, row, angle + (steer if wheel < 2 else 0.0), scale), tyre_colour(float(use)))
    for shape, colour in CLOSED if closed else FORMULA:
        pen.polygon(turned(shape, x, y, angle, scale), colour)
    if not closed:
        [(column, row)] = turned([(0.05, 0.0)], x, y, angle, scale)
        pen.dot(column, row, 0.17 * scale, EDGE)


def tyre_colour(use: float, quiet: Colour = DARK) -> Colour:
    """Black where a tyre has grip to spare, then green, amber at its limit, red beyond."""
    if use > 1.15:
        return RED
    if use > 0.9:
        return AMBER
    return GREEN if use > 0.6 else quiet
