"""The observation: FRAME[N] turned into float32[N, O]."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.env.layout import Layout
from actwin.env.look_ahead import (
    GROUP,
    cast_rays,
    fetch_points,
    locate,
    look_up,
    pack,
    place_points,
    reach_of,
    samples_ahead,
    scratch,
)
from actwin.env.reference import VIEW_COLUMN, Reference
from actwin.jit import clip, jit, kernel, lane_loop, sin_cos, wrap_angle
from actwin.telemetry.channels import FRAME_COLUMN, Frames, as_floats, as_integers

DISTANCE, X, Y, YAW, SPEED = (FRAME_COLUMN[name] for name in ("lap_distance", "x", "y", "yaw", "speed"))
OFFSET, HEADING = FRAME_COLUMN["lateral_offset"], FRAME_COLUMN["heading_error"]
LINE_OFFSET, LINE_ANGLE = VIEW_COLUMN["line_offset"], VIEW_COLUMN["line_angle"]

Floats = npt.NDArray[np.float32]


@lane_loop
def _copy_channels(out: Any, frame: Any, columns: Any) -> None:
    for k in range(len(columns)):
        out[k] = frame[columns[k]]


@lane_loop
def _copy_codes(out: Any, codes: Any, columns: Any) -> None:
    for k in range(len(columns)):
        out[k] = np.float32(codes[columns[k]])


@lane_loop
def _copy_controls(out: Any, history: Any, count: int) -> None:
    for k in range(count):
        out[k] = history[k]


@lane_loop
def _scale(out: Any, scales: Any, lows: Any, highs: Any) -> None:
    """Scales and limits an observation; a value that is not a number becomes the lower limit."""
    for k in range(len(scales)):
        out[k] = clip(out[k] * scales[k], lows[k], highs[k])


@jit
def _line_features(out: Any, start: int, frame: Any, table: Any, row: int, share: float, columns: Any) -> int:
    """Values of the racing line at the car; the next free column."""
    for k in range(len(columns)):
        value = look_up(table, row, share, columns[k])
        if columns[k] == LINE_OFFSET:
            value = frame[OFFSET] - value
        elif columns[k] == LINE_ANGLE:
            value = wrap_angle(frame[HEADING] - value)
        out[start + k] = value
    return start + len(columns)


@kernel
def observe_cars(
    frames: Any,
    codes: Any,
    history: Any,
    table: Any,
    channels: Any,
    code_channels: Any,
    shown: int,
    lines: Any,
    table_x: Any,
    table_y: Any,
    point_shares: Any,
    samples: Any,
    shares: Any,
    ray_cosines: Any,
    ray_sines: Any,
    scales: Any,
    lows: Any,
    highs: Any,
    numbers: Any,
    records: Any,
    fetched: Any,
    out: Any,
    first: int,
    last: int,
) -> None:
    """Observations of the cars [first, last).

    Args:
        frames, codes: float32[N, W] and int32[N, W], the same FRAMEs.
        history: float32[N, H] Controls sent before.
        table: float32[rows × VIEW_WIDTH] The road.
        channels, code_channels: uint32 Columns of `frames` and `codes` to show.
        shown: Columns of `history` to show.
        lines, samples: uint32 Columns of the road table to show at the car, as samples ahead.
        table_x, table_y: RECORD[rows] World coordinates of the L lines whose points are shown.
        point_shares: float32[P L] Points as shares of the reach, each for every line.
        shares: float32[P] The same, each once.
        ray_cosines, ray_sines: float32[R] Directions of rays; empty for none.
        scales, lows, highs: float32[O] Factor and limits of each column.
        numbers: float32: horizon [s], least reach [m], greatest reach [m], cells in a metre, lap length [m], ray range
            [m].
        records, fetched: From `scratch`.
        out: float32[N, O].
        first, last: Which cars.
    """
    count, total, rays = len(shares), len(point_shares), len(ray_cosines)
    horizon, least, most, cell_rate, length, far = (
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
    )
    for begin in range(first, last, GROUP):
        end = min(begin + GROUP, last)
        if total > 0:
            for car in range(begin, end):
                frame = frames[car]
                reach = reach_of(frame[SPEED], horizon, least, most)
                distance = clip(frame[DISTANCE], 0.0, length)
                fetch_points(records[car - begin], table_x, table_y, shares, distance, reach, cell_rate)
        for car in range(begin, end):
            frame, row_out = frames[car], out[car]
            distance = clip(frame[DISTANCE], 0.0, length)
            reach = reach_of(frame[SPEED], horizon, least, most)
            _copy_channels(row_out, frame, channels)
            column = len(channels)
            _copy_codes(row_out[column:], codes[car], code_channels)
            column += len(code_channels)
            _copy_controls(row_out[column:], history[car], shown)
            column += shown
            if len(lines) > 0:
                row, share = locate(distance, cell_rate)
                column = _line_features(row_out, column, frame, table, row, share, lines)
            x, y, yaw = frame[X], frame[Y], frame[YAW]
            if total > 0:
                found = fetched[car - begin]
                sine, cosine = sin_cos(yaw)
                ahead, left = row_out[column : column + total], row_out[column + total : column + 2 * total]
                place_points(ahead, left, found, point_shares, distance, reach, cell_rate, x, y, sine, cosine)
                column += 2 * total
            for k in range(len(samples)):
                samples_ahead(row_out[column:], table, samples[k], shares, distance, reach, cell_rate)
                column += count
            if rays > 0:
                ends = row_out[column : column + rays]
                cast_rays(ends, table, x, y, yaw, distance, length, cell_rate, ray_cosines, ray_sines, far)
            _scale(row_out, scales, lows, highs)


class Observer:
    """Computes observations of one layout on one road.

    Args:
        layout: What to show.
        reference: The road.
    """

    def __init__(self, layout: Layout, reference: Reference) -> None:
        self.layout = layout
        config = layout.config
        line, ahead, sampled = (
            [VIEW_COLUMN[feature.column] for feature in layout.of(source)] for source in ("line", "points", "samples")
        )
        present = layout.columns[: layout.present]
        angles = layout.angles if layout.of("rays") else layout.angles[:0]
        most = (len(reference.table) - reference.cells - 2) * reference.cell_length
        numbers = [config.horizon, min(config.least_reach, most), most, 1.0 / reference.cell_length]
        numbers += [reference.track.length, min(config.ray_range, most)]
        self._shape = max(len(ahead), 1), config.points
        self._settings: tuple[Any, ...] = (
            reference.table.reshape(-1),
            layout.channel_columns("channel"),
            layout.channel_columns("code"),
            3 * config.history if layout.of("controls") else 0,
            np.array(line, np.uint32),
            pack(reference.table[:, ahead or [0]]),
            pack(reference.table[:, [column + 1 for column in ahead] or [0]]),
            np.repeat(layout.shares, len(ahead)),
            np.array(sampled, np.uint32),
            layout.shares,
            np.cos(angles),
            np.sin(angles),
            np.array([1.0 / column.scale for column in present], np.float32),
            np.array([column.low for column in present], np.float32),
            np.array([column.high for column in present], np.float32),
            np.array(numbers, np.float32),
        )

    def observe(self, frames: Frames, history: Floats, out: Floats, first: int = 0, last: int | None = None) -> Floats:
        """Fills observations.

        Args:
            frames: FRAME[N].
            history: float32[N, H] Steering, throttle, brake of the periods before, newest first.
            out: float32[N, O] Gets the observations.
            first, last: Which cars; by default all.

        Returns:
            `out`.
        """
        end = len(frames) if last is None else last
        self._run(as_floats(frames), as_integers(frames), history, out, first, end)
        return out

    def observe_rows(self, frames: Frames, history: Floats, rows: npt.NDArray[np.int64], out: Floats) -> None:
        """Renews the observations of some cars.

        Args:
            frames: FRAME[N].
            history: float32[N, H], as in `observe`.
            rows: int64[K] Which cars.
            out: float32[N, O] Gets the observations in these rows.
        """
        # Rows of floats are copied several times faster than rows of records.
        some = as_floats(frames)[rows]
        seen = np.empty((len(rows), self.layout.size), np.float32)
        self._run(some, some.view(np.int32), history[rows], seen, 0, len(rows))
        out[rows] = seen

    def _run(self, floats: Any, codes: Any, history: Floats, out: Floats, first: int, last: int) -> None:
        # Threads work on parts of the cars at the same time, so each call has its own scratch memory.
        arguments: tuple[Any, ...] = (floats, codes, history, *self._settings, *scratch(*self._shape), out, first, last)
        observe_cars(*arguments)
