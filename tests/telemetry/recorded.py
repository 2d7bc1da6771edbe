"""Samples and sessions that look like a drive, for tests of the store."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.telemetry.ac.source import GameInfo, Sample
from actwin.telemetry.channels import CONTROLS, FRAME, GAME

INFO = GameInfo(source="memory", car="bmw_z4_gt3", track="Monza", driver="Ada", ac_version="1.16", max_rpm=9000.0)


def random_records(dtype: np.dtype[Any], count: int, seed: int) -> npt.NDArray[Any]:
    """Finite numbers in every field."""
    dice = np.random.default_rng(seed)
    records = np.zeros(count, dtype)
    assert dtype.fields is not None
    for name, (kind, *_) in dtype.fields.items():
        shape = (count, *kind.shape)
        integer = kind.base.kind == "i"
        records[name] = dice.integers(-9, 99, shape) if integer else dice.normal(0.0, 50.0, shape)
    return records


def drive(count: int, seed: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """FRAME[count], GAME[count] and CONTROLS[count] with numbers everywhere, without laps."""
    frames = random_records(FRAME, count, seed)
    frames["lap_count"], frames["packet_id"] = 0, np.arange(count)
    return frames, random_records(GAME, count, seed + 1), random_records(CONTROLS, count, seed + 2)


def samples(
    frames: npt.NDArray[Any], game: npt.NDArray[Any], period: float = 0.003, start: float = 100.0
) -> list[Sample]:
    """One sample a row, on a clock that does not begin at 0."""
    return [Sample(start + i * period, frames[i : i + 1], game[i : i + 1]) for i in range(len(frames))]
