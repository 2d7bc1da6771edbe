"""The road as the physics reads it: one record for each of many equal cells along the centre line.

A car remembers its cell and the way into it. Single precision is then exact to micrometres anywhere on the lap, and a
look-up is one index, without a division or a search.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.content.track import Track
from actwin.jit import jit, sin_cos
from actwin.twin.layout import width

CELL_LENGTH = 2.0
"""[m] Length aimed at; a physics step never crosses more than one cell."""

MAX_SECTORS = 8


class RoadCell(NamedTuple):
    """The road at the start of one cell; rates are for each metre into it.

    Attributes:
        curvature, curvature_rate: [1/m], [1/m²] Of the centre line.
        heading: [rad] Of the centre line in the world.
        x, y, z: [m] World position.
        grade, vertical_curvature: [-], [1/m] Slope and its change.
        banking: [rad] Helps a left turn when positive.
        left, left_rate, right, right_rate: [m], [-] Centre line to the edges.
        kerb_left, kerb_right: [m] Width of kerbs beyond the edges.
        wall_left, wall_right: [m] Centre line to the walls.
        runoff_left, runoff_right: [-] Surface code beyond the kerbs.
    """

    curvature: float
    curvature_rate: float
    heading: float
    x: float
    y: float
    z: float
    grade: float
    vertical_curvature: float
    banking: float
    left: float
    left_rate: float
    right: float
    right_rate: float
    kerb_left: float
    kerb_right: float
    wall_left: float
    wall_right: float
    runoff_left: float
    runoff_right: float


ROAD_WIDTH = width(RoadCell)


class RoadTable:
    """A track cut into equal cells.

    Args:
        track: The track.
        cell_length: [m] Length aimed at; the true one divides the lap evenly.

    Attributes:
        cells: Number of cells.
        cell_length: [m] Their length.
        rows: float64[cells, ROAD_WIDTH] Fields of `RoadCell`.
        sectors: float64[MAX_SECTORS] Where sectors end; the last one, and all places after it, hold the track's length.
    """

    def __init__(self, track: Track, cell_length: float = CELL_LENGTH) -> None:
        self.track = track
        self.cells = max(round(track.length / cell_length), 8)
        self.cell_length = track.length / self.cells
        s = np.arange(self.cells) * self.cell_length
        ends = s + self.cell_length
        x, y = track.position(s)
        left, right = track.width_left(s), track.width_right(s)
        curvature = track.curvature(s)
        heading = track.heading(s)
        turned = np.mod(np.roll(heading, -1) - heading + np.pi, 2.0 * np.pi) - np.pi
        columns = {
            "curvature": curvature,
            # Chosen so that the heading turns through the cell by exactly what the track turns.
            "curvature_rate": 2.0 * (turned / self.cell_length - curvature) / self.cell_length,
            "heading": np.mod(heading + np.pi, 2.0 * np.pi) - np.pi,
            "x": x,
            "y": y,
            "z": track.elevation(s),
            "grade": track.grade(s + 0.5 * self.cell_length),
            "vertical_curvature": track.vertical_curvature(s + 0.5 * self.cell_length),
            "banking": track.banking(s + 0.5 * self.cell_length),
            "left": left,
            "left_rate": self._rate(left),
            "right": right,
            "right_rate": self._rate(right),
            "kerb_left": track.kerb_left(s),
            "kerb_right": track.kerb_right(s),
            "wall_left": np.minimum(track.wall_left(s), track.wall_left(ends)),
            "wall_right": np.minimum(track.wall_right(s), track.wall_right(ends)),
            "runoff_left": track.runoff_left(s),
            "runoff_right": track.runoff_right(s),
        }
        self.rows: npt.NDArray[np.float64] = np.stack([columns[field] for field in RoadCell._fields], axis=1)
        self.sectors = np.full(MAX_SECTORS, track.length)
        inner = np.asarray(track.sectors[1:MAX_SECTORS], float)
        self.sectors[: len(inner)] = inner

    def _rate(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return (np.roll(values, -1) - values) / self.cell_length

    def locate(self, distance: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Cell and way into it [m] of lap distances [m]; wraps around the lap."""
        wrapped = np.mod(np.asarray(distance, float), self.track.length)
        cell = np.minimum((wrapped / self.cell_length).astype(np.int64), self.cells - 1)
        return cell, wrapped - cell * self.cell_length


class WorldPose(NamedTuple):
    """Where a car is in the world: position [m] and heading [rad]."""

    x: float
    y: float
    z: float
    yaw: float


@jit
def world_pose(cell: RoadCell, place: float, offset: float, heading: float) -> WorldPose:
    """World pose of a point of the road.

    The centre line inside a cell is a clothoid; its chord is taken at the mean heading, exact to micrometres over two
    metres.

    Args:
        cell: The road cell.
        place: [m] Way into it.
        offset: [m] From the centre line, left positive.
        heading: [rad] Relative to the road.
    """
    turned = place * (cell.curvature + 0.5 * cell.curvature_rate * place)
    middle_sine, middle_cosine = sin_cos(
        cell.heading + place * (0.5 * cell.curvature + cell.curvature_rate * place / 6.0)
    )
    sine, cosine = sin_cos(cell.heading + turned)
    return WorldPose(
        cell.x + place * middle_cosine - offset * sine,
        cell.y + place * middle_sine + offset * cosine,
        cell.z + place * cell.grade + offset * (-cell.banking),
        cell.heading + turned + heading,
    )
