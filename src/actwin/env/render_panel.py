"""The instruments below a picture from above."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from actwin.env.drawing import (
    AMBER,
    CAR,
    EDGE,
    GREEN,
    LINE,
    PANEL,
    QUIET,
    RED,
    TRACE,
    Colour,
    Pen,
    turned,
)  # fmt: skip
from actwin.env.render_car import tyre_colour
from actwin.units import GRAVITY, kmh, lap_time_text

HEIGHT: Final = 132
"""[px]"""
LIGHTS: Final = 15
"""Of the engine's speed."""
FIRST_LIGHT: Final = 0.6
"""Share of the fastest engine speed at which the first one goes on."""
CIRCLE: Final = 5.0
"""[g] Of the outer ring."""


class Panel:
    """Speed, gear, pedals, steering, accelerations, tyres, lap times.

    Args:
        width, top: [px] Of the panel, and where in the picture it begins.
        fastest: [1/min] Engine speed at which all lights are on.
    """

    def __init__(self, width: int, top: int, fastest: float) -> None:
        self._width, self._top, self._fastest = width, top, fastest

    def draw(self, pen: Pen, frame: Any, controls: Any) -> None:
        """Draws one moment: records of FRAME and CONTROLS, the latter may be None."""
        top = self._top
        pen.box(0, top, self._width, HEIGHT, PANEL)
        self._draw_lights(pen, float(frame["rpm"]))
        gear, middle = int(frame["gear"]), top + 72
        pen.figures(176, middle, f"{kmh(float(frame['speed'])):.0f}", 62, EDGE)
        pen.text(184, middle + 15, "km/h", 16, QUIET)
        pen.text(288, middle, {-1: "R", 0: "N"}.get(gear, str(gear)), 62, LINE, "mm")
        asked = (None, None) if controls is None else (float(controls["throttle"]), float(controls["brake"]))
        _bar(pen, 372, top + 34, float(frame["throttle"]), asked[0], GREEN, "throttle")
        _bar(pen, 432, top + 34, float(frame["brake"]), asked[1], RED, "brake")
        _wheel(pen, 540, middle - 6, float(frame["steer"]))
        _accelerations(pen, 668, middle - 4, float(frame["ax"]), float(frame["ay"]))
        _tyres(pen, 790, middle - 4, frame)
        _times(pen, self._width - 40, top, frame)

    def _draw_lights(self, pen: Pen, rpm: float) -> None:
        gap, wide = 4.0, (self._width - 4.0) / LIGHTS
        lit = LIGHTS * (rpm / self._fastest - FIRST_LIGHT) / (1.0 - FIRST_LIGHT)
        for i in range(LIGHTS):
            colour = GREEN if i < 6 else (AMBER if i < 11 else RED)
            pen.box(gap + i * wide, self._top + 5, wide - gap, 8, colour if lit > i + 0.5 else TRACE, 2)


def _bar(pen: Pen, x: float, y: float, share: float, asked: float | None, colour: Colour, label: str) -> None:
    """What acts at the car, with a mark where the driver's foot is."""
    tall, wide = 68.0, 30.0
    full = tall * min(max(share, 0.0), 1.0)
    pen.box(x - 0.5 * wide, y, wide, tall, TRACE, 3)
    pen.box(x - 0.5 * wide, y + tall - full, wide, full, colour, 3)
    if asked is not None and math.isfinite(asked):
        pen.box(x - 0.5 * wide - 4, y + tall * (1.0 - min(max(asked, 0.0), 1.0)) - 1.5, wide + 8, 3, EDGE)
    pen.text(x, y + tall + 15, label, 13, QUIET, "mm")


def _wheel(pen: Pen, x: float, y: float, steer: float) -> None:
    """A steering wheel; full lock is drawn as half a turn."""
    angle, radius = 0.5 * math.pi * steer, 30.0
    pen.ring(x, y, radius + 2.5, EDGE, 5)
    for arm in (((0.0, -1.0), (0.0, 1.0)), ((0.0, 0.0), (-1.0, 0.0))):
        pen.line(turned(arm, x, y, angle, radius), EDGE, 5)
    [(column, row)] = turned([(1.0, 0.0)], x, y, angle, radius + 0.5)
    pen.dot(column, row, 5, CAR)
    pen.text(x, y + 53, f"{steer:+.2f}", 13, QUIET, "mm")


def _accelerations(pen: Pen, x: float, y: float, ax: float, ay: float) -> None:
    """Braking forward, a left turn to the right, as the driver feels it."""
    radius = 34.0
    for share in (1.0, 0.6, 0.2):
        pen.ring(x, y, share * radius, TRACE, 1.5)
    pen.line([(x - radius, y), (x + radius, y)], TRACE)
    pen.line([(x, y - radius), (x, y + radius)], TRACE)
    felt = np.array([ay, ax]) / (GRAVITY * CIRCLE)
    felt = np.nan_to_num(felt / max(1.0, float(np.hypot(*felt))))
    pen.line([(x, y), (x + radius * felt[0], y + radius * felt[1])], AMBER, 2)
    pen.dot(x + radius * felt[0], y + radius * felt[1], 5, AMBER)
    pen.text(x, y + 51, f"{math.hypot(ax, ay) / GRAVITY:.1f} g", 13, QUIET, "mm")


def _tyres(pen: Pen, x: float, y: float, frame: Any) -> None:
    """Use of the grip; a tyre off the road and the kerbs has a red frame."""
    for wheel, (use, surface) in enumerate(zip(frame["grip_use"], frame["surface"], strict=True)):
        column, row = x + (18 if wheel % 2 else -18), y + (-17 if wheel < 2 else 17)
        if surface > 1:
            pen.box(column - 11, row - 16, 22, 32, RED, 4)
        pen.box(column - 8, row - 13, 16, 26, tyre_colour(float(use), TRACE), 3)
    out = int(frame["tyres_out"])
    pen.text(x, y + 51, f"{out} off" if out else "grip", 13, RED if out > 2 else QUIET, "mm")


def _times(pen: Pen, right: float, top: float, frame: Any) -> None:
    pen.text(right - 250, top + 45, f"lap {int(frame['lap_count']) + 1}", 17, QUIET)
    running = EDGE if frame["lap_valid"] else RED
    pen.figures(right, top + 45, lap_time_text(float(frame["lap_time"])), 36, running)
    for column, label, value in ((right - 150, "last", "last_lap_time"), (right, "best", "best_lap_time")):
        pen.figures(column, top + 95, lap_time_text(float(frame[value])), 20, EDGE)
        pen.text(column - 92, top + 95, label, 14, QUIET, "rm")
