"""Laps of a recorded drive: which row belongs to which, and which laps are wanted."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Flags
from actwin.errors import ConfigError
from actwin.telemetry.channels import Frames
from actwin.telemetry.store.even_rows import EvenRows
from actwin.training.imitation_config import ImitationConfig

PUT_BACK: Final = 0.02
"""Share of the lap; a car that is so much further back in the next piece was put there, and drives another lap."""

Laps = npt.NDArray[np.int64]


def lap_numbers(frames: Frames, begins: Flags, length: float) -> Laps:
    """The lap of each row, from 0; a new one begins at the line and where the car was put back.

    Args:
        frames: FRAME[G].
        begins: [G] Where the drive is broken.
        length: [m] Of the lap; 1 when only the share of it is known.
    """
    place = frames["lap_distance"] / length if length > 1.0 else frames["lap_progress"]
    if np.isfinite(place).all():
        back = -np.diff(place, prepend=place[:1])
        fresh = (back > 0.5) | (begins & (back > PUT_BACK))
    else:
        fresh = np.diff(frames["lap_count"], prepend=frames["lap_count"][:1]) != 0
    return np.cumsum(fresh).astype(np.int64)


def rows_of_laps(
    frames: Frames, even: EvenRows, laps: Laps, config: ImitationConfig, tells_validity: bool, name: str
) -> tuple[list[Flags], list[str]]:
    """Which rows the filters for laps leave, and what to call those that they do not.

    Args:
        frames: FRAME[G].
        even: The drive.
        laps: [G] From `lap_numbers`.
        config: With the filters.
        tells_validity: Whether `lap_valid` is known.
        name: Of the drive, for errors.

    Raises:
        ConfigError: Valid laps are wanted, and nobody knows which are.
    """
    fine, names = list[Flags](), list[str]()
    if config.only_valid:
        if not tells_validity:
            raise ConfigError(
                f"{name}: does not tell which laps count. Leave it out of imitation.sessions, or set "
                "imitation.only_valid=false."
            )
        spoilt = np.unique(laps[frames["lap_valid"] == 0])
        fine.append(~np.isin(laps, spoilt))
        names.append("laps that do not count")
    if config.slowest is not None:
        times = _whole_laps(even, laps)
        longest = config.slowest * min(times.values(), default=0.0)
        quick = [lap for lap, time in times.items() if time <= longest]
        fine.append(np.isin(laps, quick))
        names.append("slow laps and parts of laps")
    return fine, names


def _whole_laps(even: EvenRows, laps: Laps) -> dict[int, float]:
    """[s] Times of the laps that were recorded from line to line without a break, by their numbers."""
    edges = np.flatnonzero(np.diff(laps)) + 1
    times = {}
    for first, last in pairwise(edges):
        if not even.begins[first : last + 1].any():
            times[int(laps[first])] = float(even.time[last] - even.time[first])
    return times
