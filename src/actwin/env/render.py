"""A picture of one car from above, with its instruments; drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.env.drawing import BEYOND, CAR, DARK, EDGE, GREEN, PANEL, QUIET, RED, Array, Pen, line_stamp
from actwin.env.reference import Reference
from actwin.env.render_car import HEAVY, draw_car
from actwin.env.render_panel import HEIGHT as PANEL_HEIGHT
from actwin.env.render_panel import Panel
from actwin.env.render_road import Camera, RoadPicture

WIDTH, HEIGHT = 1280, 720
"""[px] Of the picture."""
CAR_AT: Final = (0.5, 0.74)
"""Where in the view the car is; the road ahead goes up."""
NEAR, FAR, FAR_SPEED = 10.0, 5.2, 90.0
"""[px/m] Scale at standstill, and at a speed [m/s] from which it stays."""
LOOK_BACK, LOOK_AHEAD = 8.0, 40.0
"""[m] The road from and to which points up."""
MAP_SIZE: Final = 150
"""[px] Largest side of the map."""
ENGINE: Final = 12_000.0
"""[1/min] Fastest engine speed of a car that is not known."""


class Trail(NamedTuple):
    """Where the car came from."""

    x: Array
    """[m] [K] World points, the last one at the car."""
    y: Array
    pedals: Array
    """[-] [K] Throttle minus brake there."""


class TopView:
    """Draws one car on one road.

    Args:
        reference: The road with its racing line.
        car: Gives its shape and engine; None draws a formula car.
    """

    def __init__(self, reference: Reference, car: Car | None = None) -> None:
        self._road, self._track = RoadPicture(reference), reference.track
        self._closed = car is not None and car.chassis.mass > HEAVY
        self._panel = Panel(WIDTH, HEIGHT - PANEL_HEIGHT, car.engine.limiter_rpm if car else ENGINE)
        self._map = self._fit_map()
        closed = [*self._map, self._map[0]]
        self._stamps = [(line_stamp(closed, wide), colour) for wide, colour in ((8, DARK), (2.5, EDGE))]

    def draw(
        self, frame: Any, controls: Any = None, trail: Trail | None = None, captions: Sequence[str] = ()
    ) -> npt.NDArray[np.uint8]:
        """The picture of one moment.

        Args:
            frame: One record of FRAME.
            controls: One record of CONTROLS, what the driver asked for; None when it is not known.
            trail: Drawn behind the car.
            captions: Lines in the upper left corner, the first one large.

        Returns:
            uint8[HEIGHT, WIDTH, 3].
        """
        pen = Pen(WIDTH, HEIGHT, BEYOND[0])
        camera = self._camera(frame)
        self._road.draw(pen, camera, float(frame["lap_distance"]))
        if trail is not None:
            _draw_trail(pen, camera, trail)
        draw_car(pen, camera, frame, self._closed)
        self._draw_map(pen, float(frame["lap_distance"]))
        self._draw_corner(pen, float(frame["lap_distance"]))
        _draw_captions(pen, captions)
        self._panel.draw(pen, frame, controls)
        return pen.finished()

    def _camera(self, frame: Any) -> Camera:
        near = min(max(float(frame["speed"]) / FAR_SPEED, 0.0), 1.0)
        return Camera(
            float(frame["x"]), float(frame["y"]),
            self._road.heading(float(frame["lap_distance"]), LOOK_BACK, LOOK_AHEAD),
            CAR_AT[0] * WIDTH, CAR_AT[1] * (HEIGHT - PANEL_HEIGHT), NEAR + (FAR - NEAR) * near,
        )  # fmt: skip

    def _fit_map(self) -> list[tuple[float, float]]:
        """Centre line in pixels of the map in the upper right corner, north up."""
        x, y = self._road.centre
        scale = MAP_SIZE / max(float(np.ptp(x)), float(np.ptp(y)), 1.0)
        columns, rows = WIDTH - 36 - scale * (x.max() - x), 36 + scale * (y.max() - y)
        return list(zip(columns.tolist(), rows.tolist(), strict=True))

    def _draw_map(self, pen: Pen, distance: float) -> None:
        for stamp, colour in self._stamps:
            pen.stamp(stamp, colour)
        x, y = self._map[int(distance / self._road.reference.cell_length) % len(self._map)]
        pen.dot(x, y, 8, PANEL)
        pen.dot(x, y, 6, CAR)

    def _draw_corner(self, pen: Pen, distance: float) -> None:
        """The name of the corner that the car is in."""
        length = self._track.length
        for corner in self._track.corners:
            if (distance - corner.start) % length <= (corner.end - corner.start) % length:
                text = corner.name or f"Turn {corner.number}"
                wide = pen.width_of(text, 22) + 36
                pen.box(0.5 * (WIDTH - wide), HEIGHT - PANEL_HEIGHT - 52, wide, 38, PANEL, 8)
                pen.text(0.5 * WIDTH, HEIGHT - PANEL_HEIGHT - 33, text, 22, EDGE, "mm")
                return


def _draw_trail(pen: Pen, camera: Camera, trail: Trail) -> None:
    """Green where it accelerated, red where it braked, pale where it rolled."""
    points = camera.see(trail.x, trail.y)
    for i in range(len(points) - 1):
        share = float(trail.pedals[i])
        fade = 0.35 + 0.65 * i / len(points)
        aim = GREEN if share > 0.0 else RED
        strength = min(abs(share), 1.0)
        colour = [
            fade * (strength * a + (1.0 - strength) * q) + (1.0 - fade) * 58 for a, q in zip(aim, QUIET, strict=True)
        ]
        pen.line(points[i : i + 2], (int(colour[0]), int(colour[1]), int(colour[2])), max(2.0, 0.45 * camera.scale))


def _draw_captions(pen: Pen, captions: Sequence[str]) -> None:
    if not captions:
        return
    sizes = [24, *[15] * (len(captions) - 1)]
    wide = max(pen.width_of(text, size) for text, size in zip(captions, sizes, strict=True))
    pen.box(24, 24, wide + 36, 24 + 34 + 22 * (len(captions) - 1), PANEL, 8)
    row = 52.0
    for text, size in zip(captions, sizes, strict=True):
        pen.text(42, row, text, size, EDGE if size == sizes[0] else QUIET)
        row += 27 if size == sizes[0] else 22
