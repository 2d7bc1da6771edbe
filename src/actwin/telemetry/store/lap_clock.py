"""Session time from a lap clock that begins anew at the line."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_CLOCK: Final = re.compile(r"\s*(\d{1,6}):(\d{1,2}):(\d{1,3})\s*")
LONGEST_LAP: Final = 1e6
"""[s] A lap clock that shows more, or less than 0, shows nothing."""
_NEARBY: Final = 2
"""Rows by which the game's clock and its place on the lap may be apart, since they come from different pages."""
_WRAP: Final = 0.5
"""Share of a lap by which the place must fall back to mean that the line was crossed."""


def clock_seconds(texts: npt.NDArray[Any]) -> Array:
    """[s] Times that the game writes as "m:ss:mmm"; NaN for "-:--:---" and anything else.

    Args:
        texts: [T].
    """
    seconds = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if match := _CLOCK.fullmatch(str(text)):
            minutes, whole, thousandths = (int(part) for part in match.groups())
            seconds[row] = minutes * 60 + whole + thousandths / 1000
    return seconds


def session_time(clock: Array) -> tuple[Array, npt.NDArray[np.intp]]:
    """Time since the first row, from a lap clock.

    Where the clock falls a new lap or session began; the time that passed there is not told. It is taken to be the
    usual step, or what the clock shows if that is more.

    Args:
        clock: [s] [T] NaN where it shows nothing.

    Returns:
        [s] [T] time, never falling; and the rows at which the clock began anew.
    """
    clock = np.where((clock >= 0.0) & (clock <= LONGEST_LAP), clock, np.nan)
    step = np.diff(clock)
    forward = step[step > 0.0]
    usual = float(np.median(forward)) if len(forward) else 0.0
    fell = step < 0.0
    step = np.where(fell, np.maximum(clock[1:], usual), np.where(np.isfinite(step), step, usual))
    # The clock counts milliseconds: rounding takes away what adding up thousands of steps would gather.
    return np.round(np.concatenate([[0.0], np.cumsum(step)]), 6), np.flatnonzero(fell) + 1


def laps_completed(restarts: npt.NDArray[np.intp], place: Array) -> npt.NDArray[np.int64]:
    """Laps completed at each row: the clock began anew where the place on the lap wrapped.

    A clock that begins anew elsewhere is a restart of the session and completes nothing.

    Args:
        restarts: Rows at which the clock began anew.
        place: [T] Share of the lap.
    """
    wraps = np.flatnonzero(np.diff(place) < -_WRAP) + 1
    count = np.zeros(len(place), np.int64)
    for row in restarts:
        if np.any(np.abs(wraps - row) <= _NEARBY):
            count[row:] += 1
    return count
