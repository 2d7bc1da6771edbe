"""A picture of one car from above, with a telemetry strip; drawn without a display."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from actwin.env.reference import VIEW_COLUMN, Reference
from actwin.units import kmh, lap_time_text

WIDTH, HEIGHT, STRIP = 960, 640, 112
"""[px] Of the picture, and height of the telemetry strip at its foot."""
FINE: Final = 2
"""Drawn this much larger, then reduced, so that edges are smooth."""
SCALE: Final = 5.5
"""[px/m] Of the view."""
CAR_AT: Final = (0.5, 0.8)
"""Where in the view the car is; it points up."""
BEHIND, AHEAD = 60.0, 160.0
"""[m] Length of road drawn."""
CAR_LENGTH, CAR_WIDTH = 5.0, 2.0
MAP_SIZE: Final = 150
"""[px] Largest side of the map."""

Colour = tuple[int, int, int]
GROUND: Final[Colour] = (38, 52, 42)
ROAD: Final[Colour] = (58, 61, 68)
EDGE: Final[Colour] = (226, 228, 232)
LINE: Final[Colour] = (255, 176, 32)
CAR: Final[Colour] = (64, 196, 255)
PANEL: Final[Colour] = (20, 22, 27)
QUIET: Final[Colour] = (120, 126, 138)
GREEN: Final[Colour] = (76, 200, 110)
RED: Final[Colour] = (236, 84, 76)

Array = npt.NDArray[np.float64]


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size * FINE)


class _Pose(NamedTuple):
    """World pose of the car: [m], [m], [rad]."""

    x: float
    y: float
    yaw: float

    def to_view(self, x: Array, y: Array) -> list[tuple[float, float]]:
        """World points in fine pixels of the view, the car pointing up."""
        dx, dy = x - self.x, y - self.y
        ahead = np.cos(self.yaw) * dx + np.sin(self.yaw) * dy
        left = np.cos(self.yaw) * dy - np.sin(self.yaw) * dx
        columns = FINE * (CAR_AT[0] * WIDTH - SCALE * left)
        rows = FINE * (CAR_AT[1] * (HEIGHT - STRIP) - SCALE * ahead)
        return list(zip(columns.tolist(), rows.tolist(), strict=True))


class TopView:
    """Draws cars on one road.

    Args:
        reference: The road with its racing line.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        lap = reference.table[: reference.cells].astype(np.float64)
        self._columns = {name: lap[:, column] for name, column in VIEW_COLUMN.items()}
        self._map = self._fit_map()

    def draw(self, frame: Any, controls: Any) -> npt.NDArray[np.uint8]:
        """The picture of one moment.

        Args:
            frame: One record of FRAME.
            controls: One record of CONTROLS, what the driver asked for.

        Returns:
            uint8[HEIGHT, WIDTH, 3].
        """
        image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), GROUND)
        pen = ImageDraw.Draw(image)
        self._draw_road(pen, frame)
        _draw_car(pen, frame)
        self._draw_map(pen, frame)
        _draw_strip(pen, frame, controls)
        return np.asarray(image.reduce(FINE))

    def _draw_road(self, pen: Any, frame: Any) -> None:
        reference, pose = self._reference, _Pose(float(frame["x"]), float(frame["y"]), float(frame["yaw"]))
        here = int(float(frame["lap_distance"]) / reference.cell_length)
        step = reference.cell_length
        cells = np.arange(here - int(BEHIND / step), here + int(AHEAD / step)) % reference.cells
        left, right, line = (
            pose.to_view(self._columns[f"{name}_x"][cells], self._columns[f"{name}_y"][cells])
            for name in ("left", "right", "line")
        )
        pen.polygon([*left, *reversed(right)], fill=ROAD)
        for edge in (left, right):
            pen.line(edge, fill=EDGE, width=2 * FINE, joint="curve")
        for start in range(0, len(line) - 3, 6):
            pen.line(line[start : start + 4], fill=LINE, width=FINE, joint="curve")
        if 0 in cells:
            ends = [
                pose.to_view(self._columns[f"{side}_x"][:1], self._columns[f"{side}_y"][:1])[0]
                for side in ("left", "right")
            ]
            pen.line(ends, fill=EDGE, width=3 * FINE)

    def _fit_map(self) -> tuple[Array, Array]:
        """Centre line in fine pixels of the map in the upper right corner, north up."""
        x = 0.5 * (self._columns["left_x"] + self._columns["right_x"])
        y = 0.5 * (self._columns["left_y"] + self._columns["right_y"])
        scale = MAP_SIZE / max(float(np.ptp(x)), float(np.ptp(y)), 1.0)
        return FINE * (WIDTH - 24 - scale * (x.max() - x)), FINE * (24 + scale * (y.max() - y))

    def _draw_map(self, pen: Any, frame: Any) -> None:
        columns, rows = self._map
        points = list(zip(columns.tolist(), rows.tolist(), strict=True))
        pen.line([*points, points[0]], fill=(14, 18, 16), width=6 * FINE, joint="curve")
        pen.line([*points, points[0]], fill=EDGE, width=2 * FINE, joint="curve")
        cell = int(float(frame["lap_distance"]) / self._reference.cell_length) % len(points)
        x, y = points[cell]
        radius = 5 * FINE
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=CAR)


def _draw_car(pen: Any, frame: Any) -> None:
    """Body and wheels; the front wheels show the steering, a wheel beyond its grip is red."""
    x, y = FINE * CAR_AT[0] * WIDTH, FINE * CAR_AT[1] * (HEIGHT - STRIP)
    unit = FINE * SCALE
    steer = 0.35 * float(frame["steer"])
    for wheel, use in enumerate(frame["grip_use"]):
        ahead, left = (1.6 if wheel < 2 else -1.6), (0.85 if wheel % 2 == 0 else -0.85)
        angle = steer if wheel < 2 else 0.0
        tyre = _box(x - left * unit, y - ahead * unit, 0.42 * unit, 0.2 * unit, angle)
        pen.polygon(tyre, fill=RED if use > 1.0 else (12, 12, 14))
    half_length, half_width = 0.5 * CAR_LENGTH * unit, 0.28 * CAR_WIDTH * unit
    pen.polygon(
        [
            (x, y - half_length),
            (x + half_width, y - 0.1 * half_length),
            (x + half_width, y + 0.9 * half_length),
            (x - half_width, y + 0.9 * half_length),
            (x - half_width, y - 0.1 * half_length),
        ],
        fill=CAR,
    )


def _box(x: float, y: float, half_length: float, half_width: float, angle: float) -> list[tuple[float, float]]:
    """A rectangle that points up, turned to the left by an angle [rad]."""
    sine, cosine = float(np.sin(angle)), float(np.cos(angle))
    corners = (
        (-half_width, -half_length),
        (half_width, -half_length),
        (half_width, half_length),
        (-half_width, half_length),
    )
    return [(x + cosine * a + sine * b, y - sine * a + cosine * b) for a, b in corners]


def _draw_strip(pen: Any, frame: Any, controls: Any) -> None:
    """Speed, gear, engine speed, pedals, steering, laps."""
    top = HEIGHT - STRIP
    pen.rectangle((0, top * FINE, WIDTH * FINE, HEIGHT * FINE), fill=PANEL)
    gear = int(frame["gear"])
    _text(pen, 150, top + 46, f"{kmh(float(frame['speed'])):.0f}", 52, EDGE, "rm")
    _text(pen, 158, top + 58, "km/h", 15, QUIET, "lm")
    _text(pen, 246, top + 46, {-1: "R", 0: "N"}.get(gear, str(gear)), 52, LINE, "mm")
    _text(pen, 246, top + 92, f"{float(frame['rpm']):.0f} rpm", 15, QUIET, "mm")
    _bar(pen, 330, top + 22, 230, float(frame["throttle"]), float(controls["throttle"]), GREEN, "throttle")
    _bar(pen, 330, top + 50, 230, float(frame["brake"]), float(controls["brake"]), RED, "brake")
    _steering(pen, 330, top + 78, 230, float(frame["steer"]))
    lap = int(frame["lap_count"]) + 1
    for row, (label, value) in enumerate(
        (
            (f"lap {lap}", lap_time_text(float(frame["lap_time"]))),
            ("last", lap_time_text(float(frame["last_lap_time"]))),
            ("best", lap_time_text(float(frame["best_lap_time"]))),
        )
    ):
        _text(pen, 690, top + 26 + 28 * row, label, 15, QUIET, "lm")
        _text(pen, 850, top + 26 + 28 * row, value, 18, EDGE if row or frame["lap_valid"] else RED, "rm")
    out = int(frame["tyres_out"])
    _text(pen, 930, top + 46, str(out), 34, RED if out > 2 else QUIET, "rm")
    _text(pen, 930, top + 80, "out", 15, QUIET, "rm")


def _text(pen: Any, x: float, y: float, text: str, size: int, colour: Colour, anchor: str) -> None:
    pen.text((x * FINE, y * FINE), text, fill=colour, font=_font(size), anchor=anchor)


def _bar(pen: Any, x: float, y: float, length: float, share: float, asked: float, colour: Colour, label: str) -> None:
    """A bar of what acts at the car, with a mark where the driver's foot is."""
    pen.rectangle((x * FINE, (y - 7) * FINE, (x + length) * FINE, (y + 7) * FINE), fill=(44, 47, 54))
    pen.rectangle(
        (x * FINE, (y - 7) * FINE, (x + length * min(max(share, 0.0), 1.0)) * FINE, (y + 7) * FINE), fill=colour
    )
    mark = x + length * min(max(asked, 0.0), 1.0)
    pen.rectangle(((mark - 1) * FINE, (y - 9) * FINE, (mark + 1) * FINE, (y + 9) * FINE), fill=EDGE)
    _text(pen, x + length + 12, y, label, 15, QUIET, "lm")


def _steering(pen: Any, x: float, y: float, length: float, steer: float) -> None:
    middle = x + 0.5 * length
    pen.rectangle((x * FINE, (y - 7) * FINE, (x + length) * FINE, (y + 7) * FINE), fill=(44, 47, 54))
    end = middle - 0.5 * length * min(max(steer, -1.0), 1.0)
    pen.rectangle((min(middle, end) * FINE, (y - 7) * FINE, max(middle, end) * FINE, (y + 7) * FINE), fill=CAR)
    _text(pen, x + length + 12, y, "steering", 15, QUIET, "lm")
