"""Looking along the road: points of borders and line in the car frame, samples and rays, for one car at a time.

The functions are inlined into the observation kernel. Points lie in loops without branches, so that the compiler
computes one point per vector lane.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from actwin.env.reference import VIEW_COLUMN, VIEW_WIDTH
from actwin.jit import clip, jit, lane_loop, maximum, minimum, select, sin_cos

WIDTH = VIEW_WIDTH
RAY_RISE = VIEW_COLUMN["right_x"] - VIEW_COLUMN["left_x"]


@jit
def locate(distance: Any, cell_rate: Any) -> tuple[Any, Any]:
    """Row of the table, as an offset into it, and share of the cell at a lap distance.

    Args:
        distance: [m] Not negative.
        cell_rate: [1/m] Cells in a metre.
    """
    place = distance * cell_rate
    cell = np.int32(place)
    # Unsigned, because a signed index would be checked for counting from the end.
    return np.uint32(cell) * np.uint32(WIDTH), place - np.float32(cell)


@jit
def look_up(table: Any, row: Any, share: Any, column: Any) -> Any:
    """A column, linear between two rows."""
    low = table[row + column]
    return low + share * (table[row + column + np.uint32(WIDTH)] - low)


@jit
def reach_of(speed: float, horizon: float, least: float, most: float) -> float:
    """[m] How far the look-ahead goes at a speed [m/s]."""
    return clip(speed * horizon, least, most)


@lane_loop
def points_ahead(
    out_x: Any,
    out_y: Any,
    table: Any,
    column: int,
    shares: Any,
    distance: float,
    reach: float,
    cell_rate: float,
    x: float,
    y: float,
    sine: float,
    cosine: float,
) -> None:
    """Points of one line in the car frame.

    Args:
        out_x, out_y: float32[P] Get the forward and the leftward coordinates [m].
        table: float32[rows × VIEW_WIDTH].
        column: Column of the line's x; y is the next one.
        shares: float32[P] Points as shares of the reach.
        distance: [m] Lap distance of the car.
        reach: [m] Of the look-ahead.
        cell_rate: [1/m] Cells in a metre.
        x, y: [m] World position of the car.
        sine, cosine: Of the car's yaw.
    """
    for p in range(len(shares)):
        row, share = locate(distance + reach * shares[p], cell_rate)
        dx = look_up(table, row, share, column) - x
        dy = look_up(table, row, share, column + np.uint32(1)) - y
        out_x[p] = cosine * dx + sine * dy
        out_y[p] = cosine * dy - sine * dx


@lane_loop
def samples_ahead(
    out: Any, table: Any, column: int, shares: Any, distance: float, reach: float, cell_rate: float
) -> None:
    """Samples of one column at the look-ahead points; arguments as in `points_ahead`."""
    for p in range(len(shares)):
        row, share = locate(distance + reach * shares[p], cell_rate)
        out[p] = look_up(table, row, share, column)


@jit
def _crossing(ax: float, ay: float, bx: float, by: float, cosine: float, sine: float, far: float) -> float:
    """Distance along a ray from the origin to the segment a-b, `far` when it misses."""
    along_x, along_y = bx - ax, by - ay
    across = cosine * along_y - sine * along_x
    safe = select(across * across > 1.0e-12, across, 1.0e-6)
    distance = (ax * along_y - ay * along_x) / safe
    place = (ax * sine - ay * cosine) / safe
    hit = (place >= 0.0) & (place <= 1.0) & (distance >= 0.0) & (across * across > 1.0e-12)
    return select(hit, minimum(distance, far), far)


@jit
def cast_rays(
    out: Any,
    start: int,
    table: Any,
    x: float,
    y: float,
    yaw: float,
    distance: float,
    length: float,
    cell_rate: float,
    angles: Any,
    far: float,
) -> None:
    """Distances to the nearest border along rays.

    Args:
        out: float32 row of the observation; gets one distance [m] for each ray.
        start: Its first column.
        table: float32[rows × VIEW_WIDTH].
        x, y, yaw: [m, m, rad] World pose of the car.
        distance: [m] Lap distance.
        length: [m] Of the lap.
        cell_rate: [1/m] Cells in a metre.
        angles: float32[R] [rad] Of the rays, from the car's nose, left positive.
        far: [m] Distance at which a ray gives up.
    """
    count = len(angles)
    for ray in range(count):
        out[start + ray] = far
    back = minimum(0.25 * far, 40.0)
    first = distance - back
    first = select(first < 0.0, first + length, first)
    row, _ = locate(first, cell_rate)
    sine, cosine = sin_cos(yaw)
    for cell in range(np.int32((back + far) * cell_rate)):
        here = row + cell * WIDTH
        there = here + WIDTH
        for side in range(0, 2 * RAY_RISE, RAY_RISE):
            ax, ay = table[here + side] - x, table[here + side + 1] - y
            bx, by = table[there + side] - x, table[there + side + 1] - y
            if minimum(ax * ax + ay * ay, bx * bx + by * by) > maximum(far * far, 1.0):
                continue
            car_ax, car_ay = cosine * ax + sine * ay, cosine * ay - sine * ax
            car_bx, car_by = cosine * bx + sine * by, cosine * by - sine * bx
            for ray in range(count):
                ray_sine, ray_cosine = sin_cos(angles[ray])
                out[start + ray] = minimum(
                    out[start + ray], _crossing(car_ax, car_ay, car_bx, car_by, ray_cosine, ray_sine, far)
                )
