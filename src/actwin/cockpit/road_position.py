"""Where cars are on the road, from where they are in the world.

The game tells world positions; drivers and tasks think in lap distance, offset and heading relative to the road. The
foot of the perpendicular on the centre line is found by Newton's method from where the car was a moment ago. A car that
was put somewhere else is looked for on the whole lap.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.content.track import Track
from actwin.jit import clip, jit, kernel, maximum, select, wrap_angle
from actwin.telemetry.channels import Frames
from actwin.twin.layout import loader
from actwin.twin.params import ChassisParams, car_params
from actwin.twin.road import ROAD_WIDTH, RoadCell, RoadTable
from actwin.twin.surfaces import surface_under

CELL_LENGTH: Final = 0.5
"""[m] Of the table's cells."""
LOST: Final = 40.0
"""[m] From the centre line beyond which a nearer piece of road is looked for."""
LEAP: Final = 60.0
"""[m] Along the lap; a foot that is further from the last one is not trusted."""
WRONG_WAY: Final = 30.0
"""[m] How much nearer a piece of road must be that the car does not drive along, where roads cross or run side by
side."""
ITERATIONS: Final = 20
PLACE: Final = (
    "lap_distance",
    "lateral_offset",
    "heading_error",
    "border_left",
    "border_right",
    "road_curvature",
)
"""Channels that are always filled, in the order of the kernel's columns; `lap_progress` follows from the first."""
WIDTH: Final = len(PLACE)
ROW: Final = ROAD_WIDTH

load_cell = loader(RoadCell, stride=1)
X, Y, HEADING = (RoadCell._fields.index(name) for name in ("x", "y", "heading"))


@jit
def foot_step(x: Any, y: Any, place: Any, cell: Any) -> tuple[Any, Any, Any]:
    """How far the foot of the perpendicular still is, offset from the line, and heading of the line.

    Inside a cell the line is a clothoid: its chord points along the mean heading and is shorter than the arc by a
    twenty-fourth of the square of the turn.

    Args:
        x, y: [m] World position.
        place: [m] Way into the cell at which the foot is supposed.
        cell: The road cell.

    Returns:
        [m] to go along the line, [m] offset, left positive, [rad] heading.
    """
    turned = place * (cell.curvature + 0.5 * cell.curvature_rate * place)
    middle = cell.heading + place * (0.5 * cell.curvature + cell.curvature_rate * place / 6.0)
    bend = place * cell.curvature
    chord = place * (1.0 - bend * bend / 24.0)
    heading = cell.heading + turned
    sine, cosine = np.sin(heading), np.cos(heading)
    dx, dy = x - cell.x - chord * np.cos(middle), y - cell.y - chord * np.sin(middle)
    along, offset = dx * cosine + dy * sine, dy * cosine - dx * sine
    # Beyond the centre of curvature there is no foot; the floor keeps such points from running away.
    stretch = maximum(1.0 - offset * (cell.curvature + cell.curvature_rate * place), 0.2)
    return along / stretch, offset, heading


@jit
def find_foot(x: Any, y: Any, start: Any, rows: Any, length: Any, cell_length: Any, cells: int) -> tuple[Any, Any]:
    """Newton's method for the foot of the perpendicular: [m] lap distance, [m] way left to go when it gave up.

    Args:
        x, y: [m] World position.
        start: [m] Lap distance to begin at.
        rows: float64[cells × ROAD_WIDTH] The road.
        length: [m] Of the lap.
        cell_length: [m].
        cells: Their number.
    """
    s, rest = start, length
    for _ in range(ITERATIONS):
        s -= np.floor(s / length) * length
        index = min(int(s / cell_length), cells - 1)
        step, _offset, _heading = foot_step(x, y, s - index * cell_length, load_cell(rows, index * ROW))
        rest = abs(step)
        s += clip(step, -20.0, 20.0)
        if rest < 1.0e-7:
            break
    return s - np.floor(s / length) * length, rest


@jit
def search(x: Any, y: Any, yaw: Any, rows: Any, cells: int) -> int:
    """The cell of the whole lap that is nearest to a car, along which it drives if there is a choice."""
    best, least = 0, np.inf
    for index in range(cells):
        at = index * ROW
        dx, dy = x - rows[at + X], y - rows[at + Y]
        distance = np.sqrt(dx * dx + dy * dy)
        # A comparison with NaN is false: without a heading every direction is as good.
        if np.cos(yaw - rows[at + HEADING]) < 0.0:
            distance += WRONG_WAY
        if distance < least:
            best, least = index, distance
    return best


@kernel
def place_cars(poses: Any, near: Any, rows: Any, numbers: Any, chained: bool, out: Any) -> None:
    """Finds cars on the road.

    Args:
        poses: float64[N, 3] World x, y [m] and yaw [rad].
        near: float64[N] or float64[1] [m] Lap distance of the moment before, NaN where unknown; gets the new one.
        rows: float64[cells × ROAD_WIDTH] The road.
        numbers: float64 Lap length [m], cell length [m].
        chained: Whether the poses are one car's, one moment after the other.
        out: float64[N, PLACE] Gets the place; NaN for a pose that is not finite.
    """
    length, cell_length = numbers[0], numbers[1]
    cells = len(rows) // ROW
    for k in range(len(poses)):
        x, y, yaw = poses[k, 0], poses[k, 1], poses[k, 2]
        mine = 0 if chained else k
        if not (abs(x) < np.inf and abs(y) < np.inf):
            out[k, :] = np.nan
            near[mine] = np.nan
            continue
        before = near[mine]
        s, rest = length, length
        moved, offset = length, length
        if abs(before) < np.inf:
            s, rest = find_foot(x, y, before, rows, length, cell_length, cells)
            moved = abs(s - before)
            moved = select(moved > 0.5 * length, length - moved, moved)
            index = min(int(s / cell_length), cells - 1)
            _step, offset, _heading = foot_step(x, y, s - index * cell_length, load_cell(rows, index * ROW))
        if rest > 1.0e-3 or moved > LEAP or abs(offset) > LOST:
            start = search(x, y, yaw, rows, cells) * cell_length
            s, rest = find_foot(x, y, start, rows, length, cell_length, cells)
        index = min(int(s / cell_length), cells - 1)
        place = s - index * cell_length
        cell = load_cell(rows, index * ROW)
        _step, offset, heading = foot_step(x, y, place, cell)
        near[mine] = s
        out[k, 0], out[k, 1], out[k, 2] = s, offset, wrap_angle(yaw - heading)
        out[k, 3] = cell.left + cell.left_rate * place - offset
        out[k, 4] = cell.right + cell.right_rate * place + offset
        out[k, 5] = cell.curvature + cell.curvature_rate * place


@kernel
def ground_under_wheels(places: Any, rows: Any, numbers: Any, arms: Any, codes: Any, out: Any) -> None:
    """What the wheels of cars stand on.

    Args:
        places: float64[N, PLACE] As from `place_cars`.
        rows, numbers: As there.
        arms: float64[4, 2] [m] Wheels from the centre of gravity, forward and to the left.
        codes: int32[N, 4] Get the codes of the channel `surface`.
        out: int32[N] Get the number of wheels beyond the track limits.
    """
    cell_length = numbers[1]
    cells = len(rows) // ROW
    for k in range(len(places)):
        s, offset, heading = places[k, 0], places[k, 1], places[k, 2]
        count = 0
        if abs(s) < np.inf and abs(heading) < np.inf:
            index = min(int(s / cell_length), cells - 1)
            cell = load_cell(rows, index * ROW)
            for wheel in range(4):
                side = offset + arms[wheel, 0] * np.sin(heading) + arms[wheel, 1] * np.cos(heading)
                ground = surface_under(side, s - index * cell_length, cell)
                codes[k, wheel] = int(ground.code)
                count += int(ground.out)
        out[k] = count


def wheel_places(body: ChassisParams, half_track_front: float, half_track_rear: float) -> npt.NDArray[np.float64]:
    """float64[4, 2] [m] Wheels FL, FR, RL, RR from the centre of gravity, forward and to the left."""
    front, rear = body.front_arm, -body.rear_arm
    return np.array(
        [
            [front, half_track_front],
            [front, -half_track_front],
            [rear, half_track_rear],
            [rear, -half_track_rear],
        ]
    )


class RoadPosition:
    """Fills the road channels of frames from their world pose.

    Args:
        track: The road.
        car: For what its wheels stand on; without it they are taken to be at the centre of gravity.
        n: Number of cars.

    Attributes:
        track: As given.
    """

    def __init__(self, track: Track, car: Car | None = None, n: int = 1) -> None:
        self.track = track
        table = RoadTable(track, CELL_LENGTH)
        self._rows = np.ascontiguousarray(table.rows, np.float64).reshape(-1)
        self._numbers = np.array([track.length, table.cell_length])
        self._near = np.full(n, np.nan)
        self._arms = np.zeros((4, 2))
        if car is not None:
            params = car_params(car)
            self._arms = wheel_places(params.chassis, params.front_axle.half_track, params.rear_axle.half_track)

    def forget(self) -> None:
        """Looks for every car on the whole lap next time, after it was put somewhere else."""
        self._near[:] = np.nan

    def fill(self, frames: Frames, ground: bool = False) -> None:
        """Fills the road channels of N cars, each near where it was last time.

        Args:
            frames: FRAME[N] with `x`, `y`, `yaw`.
            ground: Also fills `surface` and `tyres_out`, for sources that do not tell them.
        """
        self._fill(frames, self._near, False, ground)

    def fill_series(self, frames: Frames, ground: bool = False) -> None:
        """Fills the road channels of one car's drive.

        Args:
            frames: FRAME[T] with `x`, `y`, `yaw`, one moment after the other, at most some 20 m apart for speed.
            ground: As in `fill`.
        """
        self._fill(frames, np.full(1, np.nan), True, ground)

    def places(self, poses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Road channels of one car's drive, in double precision.

        Args:
            poses: float64[T, 3] World x, y [m] and yaw [rad], one moment after the other; a yaw may be NaN.

        Returns:
            float64[T, PLACE], NaN where a position is not finite.
        """
        places = np.empty((len(poses), WIDTH))
        place_cars(np.ascontiguousarray(poses), np.full(1, np.nan), self._rows, self._numbers, True, places)
        return places

    def _fill(self, frames: Frames, near: npt.NDArray[np.float64], chained: bool, ground: bool) -> None:
        poses = np.stack([frames[name].astype(np.float64) for name in ("x", "y", "yaw")], axis=1)
        places = np.empty((len(frames), WIDTH))
        place_cars(poses, near, self._rows, self._numbers, chained, places)
        for column, name in enumerate(PLACE):
            frames[name] = places[:, column]
        frames["lap_progress"] = np.minimum(places[:, 0] / self.track.length, 1.0)
        if ground:
            codes, out = np.zeros((len(frames), 4), np.int32), np.zeros(len(frames), np.int32)
            ground_under_wheels(places, self._rows, self._numbers, self._arms, codes, out)
            frames["surface"], frames["tyres_out"] = codes, out
