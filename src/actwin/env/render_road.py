"""The ground of a picture from above: road, kerbs, run-off, walls, racing line, all fixed in the world."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.env.drawing import (
    APRON,
    BEYOND,
    EDGE,
    GRASS,
    GRAVEL,
    LINE,
    RED,
    ROAD,
    WALL,
    Array,
    Colour,
    Pen,
    Points,
)  # fmt: skip
from actwin.env.reference import VIEW_COLUMN, Reference

BEHIND, AHEAD = 90.0, 220.0
"""[m] Length of road drawn."""
TILE: Final = 24.0
"""[m] Of the mown pattern, which shows how fast the ground goes by."""
RUNOFF: Final[dict[int, Colour]] = {2: GRASS[0], 3: GRAVEL, 4: APRON}
"""By code of the channel `surface`."""
CHEQUERS: Final = 12
"""Across the road."""

Cells = npt.NDArray[np.int64]


class Camera(NamedTuple):
    """From where a picture is taken."""

    x: float
    """[m] World point ..."""
    y: float
    yaw: float
    """[rad] World direction that points up."""
    column: float
    """[px] ... and where in the picture it is."""
    row: float
    scale: float
    """[px/m]"""

    def see(self, x: Array, y: Array) -> list[tuple[float, float]]:
        """World points in pixels."""
        dx, dy = x - self.x, y - self.y
        sine, cosine = float(np.sin(self.yaw)), float(np.cos(self.yaw))
        columns = self.column - self.scale * (cosine * dy - sine * dx)
        rows = self.row - self.scale * (cosine * dx + sine * dy)
        return list(zip(columns.tolist(), rows.tolist(), strict=True))


class RoadPicture:
    """Draws the road of a reference.

    Args:
        reference: The road with its racing line.
    """

    def __init__(self, reference: Reference) -> None:
        track = reference.track
        self.reference, self.cells = reference, reference.cells
        lap = reference.table[: reference.cells].astype(np.float64)
        self._edges = {
            side: (lap[:, VIEW_COLUMN[f"{side}_x"]], lap[:, VIEW_COLUMN[f"{side}_y"]])
            for side in ("left", "right", "line")
        }
        s = np.arange(self.cells) * reference.cell_length
        self._kerb = {"left": track.kerb_left(s), "right": track.kerb_right(s)}
        self._code = {"left": track.runoff_left(s), "right": track.runoff_right(s)}
        outer = {"left": track.width_left(s) + self._kerb["left"], "right": track.width_right(s) + self._kerb["right"]}
        wall = {"left": track.wall_left(s), "right": track.wall_right(s)}
        self._kerb_line, self._wall = {}, {}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            self._kerb_line[side] = track.to_world(s, sign * outer[side])[:2]
            self._wall[side] = track.to_world(s, sign * np.maximum(wall[side], outer[side]))[:2]

    @property
    def centre(self) -> tuple[Array, Array]:
        """[m] World points of the middle of the road, one a cell."""
        (left_x, left_y), (right_x, right_y) = self._edges["left"], self._edges["right"]
        return 0.5 * (left_x + right_x), 0.5 * (left_y + right_y)

    def heading(self, distance: float, before: float, after: float) -> float:
        """[rad] World direction of the road from some metres before a lap distance to some after it."""
        places = np.mod(np.array([distance - before, distance + after]), self.reference.track.length)
        x, y, _ = self.reference.track.to_world(places, np.zeros(2))
        return float(np.arctan2(y[1] - y[0], x[1] - x[0]))

    def draw(self, pen: Pen, camera: Camera, distance: float) -> None:
        """Draws what is around a lap distance [m]."""
        step = self.reference.cell_length
        here = int(distance / step)
        cells = np.arange(here - int(BEHIND / step), here + int(AHEAD / step), dtype=np.int64) % self.cells
        seen = {name: camera.see(x[cells], y[cells]) for name, (x, y) in self._edges.items()}
        _draw_tiles(pen, camera, BEYOND)
        for side in ("left", "right"):
            self._draw_runoff(pen, camera, cells, side, seen[side])
        pen.polygon([*seen["left"], *reversed(seen["right"])], ROAD)
        for side in ("left", "right"):
            self._draw_kerbs(pen, camera, cells, side, seen[side])
            pen.line(seen[side], EDGE, 0.14 * camera.scale)
        for start in range(0, len(cells) - 4, 5):
            # By cell, so that the dashes stay where they are on the road.
            first = start + int(-cells[0] % 5)
            pen.line(seen["line"][first : first + 4], LINE, max(1.0, 0.2 * camera.scale))
        if 0 in cells:
            self._draw_start(pen, camera)

    def _draw_runoff(self, pen: Pen, camera: Camera, cells: Cells, side: str, edge: Points) -> None:
        wall_x, wall_y = self._wall[side]
        wall = camera.see(wall_x[cells], wall_y[cells])
        code = self._code[side][cells]
        begins = [0, *(np.flatnonzero(np.diff(code)) + 1).tolist(), len(cells)]
        for first, last in pairwise(begins):
            end = min(last + 1, len(cells))
            area = [*edge[first:end], *reversed(wall[first:end])]
            pen.polygon(area, RUNOFF.get(int(code[first]), GRASS[0]))
        pen.line(wall, WALL, max(1.0, 0.3 * camera.scale))

    def _draw_kerbs(self, pen: Pen, camera: Camera, cells: Cells, side: str, edge: Points) -> None:
        x, y = self._kerb_line[side]
        outer = camera.see(x[cells], y[cells])
        width = self._kerb[side][cells]
        for i in np.flatnonzero((width[:-1] > 0.05) | (width[1:] > 0.05)).tolist():
            colour = RED if int(cells[i]) % 2 else EDGE
            pen.polygon([edge[i], edge[i + 1], outer[i + 1], outer[i]], colour)

    def _draw_start(self, pen: Pen, camera: Camera) -> None:
        """Two rows of chequers across the road."""
        track = self.reference.track
        left, right = float(track.width_left(0.0)), float(track.width_right(0.0))
        across = np.linspace(left, -right, CHEQUERS + 1)
        for row in range(2):
            near, far = (np.full(CHEQUERS + 1, (0.6 * (row + k)) % track.length) for k in (0, 1))
            one, two = (camera.see(*track.to_world(s, across)[:2]) for s in (near, far))
            for i in range(CHEQUERS):
                pen.polygon([one[i], one[i + 1], two[i + 1], two[i]], EDGE if (i + row) % 2 else (20, 21, 24))


def _draw_tiles(pen: Pen, camera: Camera, colours: tuple[Colour, Colour]) -> None:
    """A chequered ground; its colour is there already, every second tile is drawn."""
    reach = float(np.hypot(pen.width, pen.height)) / camera.scale
    first_x, first_y = (int(np.floor((value - reach) / TILE)) for value in (camera.x, camera.y))
    count = int(2.0 * reach / TILE) + 2
    i, j = np.meshgrid(np.arange(first_x, first_x + count), np.arange(first_y, first_y + count), indexing="ij")
    odd = (i + j) % 2 == 1
    x, y = i[odd] * TILE, j[odd] * TILE
    corners = [camera.see(x + a * TILE, y + b * TILE) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    for tile in zip(*corners, strict=True):
        columns, rows = [point[0] for point in tile], [point[1] for point in tile]
        if max(columns) > 0 and min(columns) < pen.width and max(rows) > 0 and min(rows) < pen.height:
            pen.polygon(tile, colours[1])
