"""The observation: FRAME[N] turned into float32[N, O]."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.env.features import Layout
from actwin.env.look_ahead import cast_rays, locate, look_up, points_ahead, reach_of, samples_ahead
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
    points: Any,
    samples: Any,
    shares: Any,
    ray_cosines: Any,
    ray_sines: Any,
    scales: Any,
    lows: Any,
    highs: Any,
    numbers: Any,
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
        lines, points, samples: uint32 Columns of the road table to show at the car, as points ahead, as samples ahead.
        shares: float32[P] Points as shares of the reach.
        ray_cosines, ray_sines: float32[R] Directions of rays; empty for none.
        scales, lows, highs: float32[O] Factor and limits of each column.
        numbers: float32: horizon [s], least reach [m], greatest reach [m], cells in a metre, lap length [m], ray range
            [m].
        out: float32[N, O].
        first, last: Which cars.
    """
    count = len(shares)
    horizon, least, most = numbers[0], numbers[1], numbers[2]
    cell_rate, length, far = numbers[3], numbers[4], numbers[5]
    ahead = len(points) + len(samples)
    for car in range(first, last):
        frame, row_out = frames[car], out[car]
        distance = clip(frame[DISTANCE], 0.0, length)
        _copy_channels(row_out, frame, channels)
        column = len(channels)
        _copy_codes(row_out[column:], codes[car], code_channels)
        column += len(code_channels)
        _copy_controls(row_out[column:], history[car], shown)
        column += shown
        if len(lines) > 0:
            row, share = locate(distance, cell_rate)
            column = _line_features(row_out, column, frame, table, row, share, lines)
        if ahead > 0:
            reach = reach_of(frame[SPEED], horizon, least, most)
            sine, cosine = sin_cos(frame[YAW])
            for k in range(len(points)):
                points_ahead(
                    row_out[column:],
                    row_out[column + count :],
                    table,
                    points[k],
                    shares,
                    distance,
                    reach,
                    cell_rate,
                    frame[X],
                    frame[Y],
                    sine,
                    cosine,
                )
                column += 2 * count
            for k in range(len(samples)):
                samples_ahead(row_out[column:], table, samples[k], shares, distance, reach, cell_rate)
                column += count
        if len(ray_cosines) > 0:
            cast_rays(
                row_out[column : column + len(ray_cosines)],
                table,
                frame[X],
                frame[Y],
                frame[YAW],
                distance,
                length,
                cell_rate,
                ray_cosines,
                ray_sines,
                far,
            )
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
        table_columns = {
            source: np.array([VIEW_COLUMN[feature.column] for feature in layout.of(source)], np.uint32)
            for source in ("line", "points", "samples")
        }
        most = (len(reference.table) - reference.cells - 2) * reference.cell_length
        angles = layout.angles if layout.of("rays") else layout.angles[:0]
        self._settings: tuple[Any, ...] = (
            reference.table.reshape(-1),
            layout.channel_columns("channel"),
            layout.channel_columns("code"),
            3 * config.history if layout.of("controls") else 0,
            table_columns["line"],
            table_columns["points"],
            table_columns["samples"],
            layout.shares,
            np.cos(angles),
            np.sin(angles),
            *(
                np.array(values, np.float32)
                for values in (
                    [1.0 / c.scale for c in layout.columns],
                    [c.low for c in layout.columns],
                    [c.high for c in layout.columns],
                    [
                        config.horizon,
                        min(config.least_reach, most),
                        most,
                        1.0 / reference.cell_length,
                        reference.track.length,
                        min(config.ray_range, most),
                    ],
                )
            ),
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
        arguments: tuple[Any, ...] = (as_floats(frames), as_integers(frames), history, *self._settings, out, first, end)
        observe_cars(*arguments)
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
        arguments: tuple[Any, ...] = (some, some.view(np.int32), history[rows], *self._settings, seen, 0, len(rows))
        observe_cars(*arguments)
        out[rows] = seen
