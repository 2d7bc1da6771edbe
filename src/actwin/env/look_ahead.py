"""Looking along the road: points of borders and line in the car frame, samples and rays, for one car at a time.

The functions are inlined into the observation kernel. Points lie in loops without branches, so that the compiler
computes one point per vector lane.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from actwin.env.reference import VIEW_COLUMN, VIEW_WIDTH
from actwin.jit import clip, jit, lane_loop, minimum, select, sin_cos

WIDTH = VIEW_WIDTH
RAY_RISE = VIEW_COLUMN["right_x"] - VIEW_COLUMN["left_x"]
BEHIND = 40.0
"""[m] Of border behind the car that rays to the side may meet."""


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


@lane_loop
def _shorten(out: Any, cosines: Any, sines: Any, ax: Any, ay: Any, bx: Any, by: Any) -> None:
    """Ends rays from the origin at the segment a-b where they meet it.

    Args:
        out: float32[R] [m] Lengths of the rays.
        cosines, sines: float32[R] Their directions.
        ax, ay, bx, by: [m] Ends of the segment.
    """
    along_x, along_y = bx - ax, by - ay
    reach = ax * along_y - ay * along_x
    for ray in range(len(cosines)):
        across = cosines[ray] * along_y - sines[ray] * along_x
        parallel = across * across < 1.0e-12
        scale = 1.0 / select(parallel, 1.0, across)
        length, place = reach * scale, (ax * sines[ray] - ay * cosines[ray]) * scale
        missed = parallel | (place < 0.0) | (place > 1.0) | (length < 0.0)
        out[ray] = select(missed, out[ray], minimum(length, out[ray]))


@jit
def cast_rays(
    out: Any,
    table: Any,
    x: float,
    y: float,
    yaw: float,
    distance: float,
    length: float,
    cell_rate: float,
    cosines: Any,
    sines: Any,
    far: float,
) -> None:
    """Distances to the nearest border along rays.

    Args:
        out: float32[R] Gets the distances [m].
        table: float32[rows × VIEW_WIDTH].
        x, y, yaw: [m, m, rad] World pose of the car.
        distance: [m] Lap distance.
        length: [m] Of the lap.
        cell_rate: [1/m] Cells in a metre.
        cosines, sines: float32[R] Directions of the rays from the car's nose, left positive.
        far: [m] Distance at which a ray gives up.
    """
    for ray in range(len(cosines)):
        out[ray] = far
    back = minimum(BEHIND, 0.25 * far)
    first = distance - back
    row, _ = locate(select(first < 0.0, first + length, first), cell_rate)
    sine, cosine = sin_cos(yaw)
    for side in range(np.uint32(2)):
        before_x, before_y = np.float32(0.0), np.float32(0.0)
        for cell in range(np.uint32((back + far) * cell_rate)):
            corner = row + cell * np.uint32(WIDTH) + side * np.uint32(RAY_RISE)
            dx, dy = table[corner] - x, table[corner + np.uint32(1)] - y
            ahead, left = cosine * dx + sine * dy, cosine * dy - sine * dx
            if cell > 0:
                _shorten(out, cosines, sines, before_x, before_y, ahead, left)
            before_x, before_y = ahead, left
