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
RECORD_WIDTH = 4
RECORD = np.dtype([("numbers", "<f4", (RECORD_WIDTH,))])
"""As many numbers as one vector instruction copies."""
GROUP = 8
"""Cars whose points are fetched before the first are placed; a load right behind its store would wait for it."""
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


def pack(columns: Any) -> Any:
    """A table whose rows are copied as records: RECORD[rows], one row of `columns` in each, the next row behind it.

    A record is one vector load and store; gathering the same numbers one by one takes twice the time. Records are wider
    than a row and overlap, so that the copies of consecutive rows lie without gaps.

    Args:
        columns: float32[rows, L] With at most four columns.
    """
    rows, lines = columns.shape
    numbers = np.zeros(rows * lines + RECORD_WIDTH, np.float32)
    numbers[: rows * lines] = columns.reshape(-1)
    return np.ndarray((rows,), RECORD, numbers, strides=(4 * lines,))


def scratch(lines: int, count: int) -> tuple[Any, Any]:
    """Room for the table rows around the points of `GROUP` cars, the same memory seen as records and as numbers.

    Args:
        lines: L, lines with points.
        count: P, points on each.

    Returns:
        RECORD[GROUP, 4, P] and float32[GROUP, 4, P × L and more]; the four are x and y before, x and y behind a point.
    """
    numbers = np.zeros((GROUP, 4, count * lines + RECORD_WIDTH), np.float32)
    records = np.ndarray((GROUP, 4, count), RECORD, numbers, strides=(*numbers.strides[:2], 4 * lines))
    return records, numbers


@lane_loop
def fetch_points(
    records: Any, table_x: Any, table_y: Any, shares: Any, distance: Any, reach: Any, cell_rate: Any
) -> None:
    """Copies the table rows before and behind every look-ahead point.

    Args:
        records: RECORD[4, P] Of one car, from `scratch`.
        table_x, table_y: From `pack`.
        shares: float32[P] Points as shares of the reach.
        distance: [m] Lap distance of the car.
        reach: [m] Of the look-ahead.
        cell_rate: [1/m] Cells in a metre.
    """
    x_before, y_before, x_behind, y_behind = records[0], records[1], records[2], records[3]
    for p in range(np.uint32(len(shares))):
        cell = np.uint32(np.int32((distance + reach * shares[p]) * cell_rate))
        x_before[p], y_before[p] = table_x[cell], table_y[cell]
        x_behind[p], y_behind[p] = table_x[cell + np.uint32(1)], table_y[cell + np.uint32(1)]


@lane_loop
def place_points(
    out_x: Any,
    out_y: Any,
    found: Any,
    shares: Any,
    distance: Any,
    reach: Any,
    cell_rate: Any,
    x: Any,
    y: Any,
    sine: Any,
    cosine: Any,
) -> None:
    """Look-ahead points in the car frame.

    Args:
        out_x, out_y: float32[P L] Get the forward and the leftward coordinates [m], all lines of the first point first.
        found: float32[4, P L] What `fetch_points` found.
        shares: float32[P L] Points as shares of the reach, repeated for every line.
        distance, reach, cell_rate: As in `fetch_points`.
        x, y: [m] World position of the car.
        sine, cosine: Of the car's yaw.
    """
    x_before, y_before, x_behind, y_behind = found[0], found[1], found[2], found[3]
    for k in range(len(shares)):
        place = (distance + reach * shares[k]) * cell_rate
        share = place - np.float32(np.int32(place))
        dx = x_before[k] + share * (x_behind[k] - x_before[k]) - x
        dy = y_before[k] + share * (y_behind[k] - y_before[k]) - y
        out_x[k] = cosine * dx + sine * dy
        out_y[k] = cosine * dy - sine * dx


@lane_loop
def samples_ahead(
    out: Any, table: Any, column: int, shares: Any, distance: float, reach: float, cell_rate: float
) -> None:
    """Samples of one column at the look-ahead points; arguments as in `fetch_points`."""
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
