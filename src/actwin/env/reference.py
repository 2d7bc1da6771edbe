"""The road as the driver sees it: borders, racing line and racing speed, tabulated for look-ups by lap distance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.content.track import Track
from actwin.planning.envelope import performance_envelope
from actwin.planning.racing_line import RacingLine, minimum_curvature
from actwin.planning.speed_profile import speed_profile
from actwin.units import air_density

CELL_LENGTH = 2.0
"""[m] Length of a cell; a border of 20 m radius then lies within 25 mm of its chord."""
FASTEST = 130.0
"""[m/s] Speed up to which the look-ahead keeps its whole reach."""

Floats = npt.NDArray[np.float32]


class RoadView(NamedTuple):
    """Columns of the table, at one lap distance.

    Attributes:
        left_x, left_y, right_x, right_y: [m] Track edges in the world.
        line_x, line_y: [m] Racing line in the world.
        curvature: [1/m] Of the centre line, left turns positive.
        line_curvature: [1/m] Of the racing line.
        line_offset: [m] Racing line from the centre line, left positive.
        line_angle: [rad] Direction of the racing line minus direction of the road.
        line_distance: [m] Along the racing line since the start line; goes on rising past the end of the lap.
        speed: [m/s] Racing speed on the line.
        time: [s] Since the start line at that speed; goes on rising past the end of the lap.
        width_left, width_right: [m] Centre line to the edges.
        spare: Fills the row to 64 bytes, one cache line.
    """

    left_x: Any
    left_y: Any
    right_x: Any
    right_y: Any
    line_x: Any
    line_y: Any
    curvature: Any
    line_curvature: Any
    line_offset: Any
    line_angle: Any
    line_distance: Any
    speed: Any
    time: Any
    width_left: Any
    width_right: Any
    spare: Any = 0.0


VIEW_WIDTH = len(RoadView._fields)
VIEW_COLUMN = {name: index for index, name in enumerate(RoadView._fields)}


class Reference:
    """A track with its racing line and racing speed, in equal cells.

    Args:
        track: The track.
        line: The racing line; None computes the line of minimum curvature.
        speed: [m/s] [K] Racing speed at K evenly spaced lap distances from 0.
        reach: [m] How far past the end of the lap the table goes on, so that a look-ahead needs no wrapping.

    Attributes:
        cell_length: [m] True length of a cell; a whole number of them make a lap.
        cells: Cells of one lap.
        table: float32[cells and more, VIEW_WIDTH] Columns of `RoadView`.
        line_length: [m] Length of the racing line.
        lap_time: [s] Of a lap on the line at racing speed.
    """

    def __init__(self, track: Track, line: RacingLine | None, speed: npt.ArrayLike, reach: float) -> None:
        self.track = track
        self.line = minimum_curvature(track) if line is None else line
        self.cells = max(8, round(track.length / CELL_LENGTH))
        self.cell_length = track.length / self.cells
        self.line_length = self.line.length
        s = np.arange(self.cells, dtype=np.float64) * self.cell_length
        racing_speed = _periodic(np.asarray(speed, np.float64), s / track.length)
        lap = self._view(s, racing_speed)
        step = np.diff(np.append(lap.line_distance, self.line_length))
        elapsed = np.cumsum(2.0 * step / (racing_speed + np.roll(racing_speed, -1)))
        self.lap_time = float(elapsed[-1])
        lap = lap._replace(time=np.concatenate([[0.0], elapsed[:-1]]))
        rows = np.stack([np.broadcast_to(np.asarray(column, np.float64), s.shape) for column in lap], axis=1)
        count = self.cells + int(np.ceil(reach / self.cell_length)) + 2
        laps, cell = np.divmod(np.arange(count), self.cells)
        table = rows[cell]
        table[:, VIEW_COLUMN["line_distance"]] += laps * self.line_length
        table[:, VIEW_COLUMN["time"]] += laps * self.lap_time
        self.table: Floats = np.ascontiguousarray(table, np.float32)

    def _view(self, s: npt.NDArray[np.float64], speed: npt.NDArray[np.float64]) -> RoadView:
        track, line = self.track, self.line
        left, right = track.width_left(s), track.width_right(s)
        offset = line.offset(s)
        (left_x, left_y, _), (right_x, right_y, _) = track.to_world(s, left), track.to_world(s, -right)
        line_x, line_y, _ = track.to_world(s, offset)
        along = np.interp(s, np.append(line.distance, track.length), np.append(line.path, line.length))
        return RoadView(
            left_x,
            left_y,
            right_x,
            right_y,
            line_x,
            line_y,
            curvature=track.curvature(s),
            line_curvature=line.curvature_at(s),
            line_offset=offset,
            line_angle=line.angle_at(s),
            line_distance=along - along[0],
            speed=speed,
            time=0.0,
            width_left=left,
            width_right=right,
        )

    def at(self, name: str, s: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """A column of `RoadView`, linear between cells, at lap distance s [m] of any shape."""
        place = self.track.wrap(s) / self.cell_length
        cell = np.minimum(place.astype(np.int64), self.cells - 1)
        column = self.table[:, VIEW_COLUMN[name]].astype(np.float64)
        return np.asarray(column[cell] + (place - cell) * (column[cell + 1] - column[cell]))


def _periodic(values: npt.NDArray[np.float64], share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Evenly spaced periodic values at shares of the period."""
    return np.asarray(np.interp(share * len(values), np.arange(len(values) + 1), np.append(values, values[0])))


_KNOWN: dict[tuple[int, int, float, float], tuple[Track, Car, Reference]] = {}


def racing_reference(track: Track, car: Car, grip: float = 1.0, reach: float = 6.0 * FASTEST) -> Reference:
    """The reference of a car on a track: line of minimum curvature, speed profile over the car's performance envelope.

    Results are kept, because many tasks share a track and a car.

    Args:
        track: The track.
        car: The car.
        grip: Factor on the grip of the road.
        reach: [m] Of the look-ahead.
    """
    key = (id(track), id(car), float(grip), float(reach))
    known = _KNOWN.get(key)
    if known is not None:
        return known[2]
    line = minimum_curvature(track)
    envelope = performance_envelope(car, air_density(20.0, track.altitude), grip)
    reference = Reference(track, line, speed_profile(line, envelope, track).speed, reach)
    # Track and car are kept with it, so that their identities are not given to others.
    _KNOWN[key] = (track, car, reference)
    return reference
