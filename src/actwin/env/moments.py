"""What earlier observations showed of the car, for tasks that show more than this moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.env.layout import Layout
from actwin.jit import clip, kernel
from actwin.telemetry.channels import Frames, as_floats, as_integers

Floats = npt.NDArray[np.float32]


@kernel
def show_moments(past: Any, known: Any, width: int, column: int, out: Any, first: int, last: int) -> None:
    """Appends earlier moments to the observations of the cars [first, last).

    Args:
        past: float32[N, M × width] Newest first.
        known: bool[N] Whether a car has a past; one that has none shows this moment in its place.
        width: Columns of a moment, the first ones of an observation.
        column: Of `out` where the past begins.
        out: float32[N, O].
        first, last: Which cars.
    """
    for car in range(first, last):
        row = out[car]
        for k in range(past.shape[1]):
            row[column + k] = past[car, k] if known[car] else row[k % width]


@kernel
def keep_moments(
    frames: Any,
    codes: Any,
    channels: Any,
    code_channels: Any,
    scales: Any,
    lows: Any,
    highs: Any,
    past: Any,
    known: Any,
) -> None:
    """Puts this moment at the front of every car's past; a car without one gets a past that was always like this.

    Args:
        frames, codes: float32[N, W] and int32[N, W], the same FRAMEs.
        channels, code_channels: uint32 Columns of `frames` and `codes` that a moment has.
        scales, lows, highs: float32 Factor and limits of each.
        past: float32[N, M × width].
        known: bool[N].
    """
    numbers, width = len(channels), len(channels) + len(code_channels)
    for car in range(len(past)):
        row = past[car]
        if known[car]:
            for k in range(len(row) - 1, width - 1, -1):
                row[k] = row[k - width]
        for k in range(width):
            value = frames[car, channels[k]] if k < numbers else np.float32(codes[car, code_channels[k - numbers]])
            row[k] = clip(value * scales[k], lows[k], highs[k])
        if not known[car]:
            for k in range(width, len(row)):
                row[k] = row[k - width]
            known[car] = True


class Moments:
    """The pasts of N cars, as `observation.frames` wants them shown.

    A past grows with each decision, like the controls that were sent; looking twice at one moment does not make two of
    it. A car whose episode has just begun seems to have been as it is for ever.

    Args:
        layout: Of the observation.
        n: Number of cars.

    Attributes:
        past: float32[N, M] Scaled channels of the control periods before, newest first; M is 0 when none are shown.
        known: bool[N] Whether a car has a past.
    """

    def __init__(self, layout: Layout, n: int) -> None:
        self.past: Floats = np.zeros((n, layout.size - layout.present), np.float32)
        self.known = np.zeros(n, np.bool_)
        self._column, self._width = layout.present, layout.moment
        columns = layout.columns[: layout.moment]
        self._settings = (
            layout.channel_columns("channel"),
            layout.channel_columns("code"),
            np.array([1.0 / column.scale for column in columns], np.float32),
            np.array([column.low for column in columns], np.float32),
            np.array([column.high for column in columns], np.float32),
        )

    def begin(self, rows: npt.NDArray[np.int64]) -> None:
        """Forgets the pasts of some cars."""
        self.known[rows] = False

    def keep(self, frames: Frames) -> None:
        """Takes FRAME[N] of a moment that was answered into the pasts."""
        if self.past.shape[1]:
            keep_moments(as_floats(frames), as_integers(frames), *self._settings, self.past, self.known)

    def show(self, out: Floats, first: int, last: int) -> None:
        """Appends the pasts of the cars [first, last) to their observations float32[N, O]."""
        if self.past.shape[1]:
            show_moments(self.past, self.known, self._width, self._column, out, first, last)

    def show_rows(self, rows: npt.NDArray[np.int64], out: Floats) -> None:
        """Appends the pasts of some cars, int64[K], to their rows of float32[N, O]."""
        if self.past.shape[1]:
            seen = out[rows]
            show_moments(self.past[rows], self.known[rows], self._width, self._column, seen, 0, len(rows))
            out[rows] = seen
