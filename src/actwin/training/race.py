"""Laps of trained drivers, and what they say about an algorithm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from scipy import stats

from actwin.driving.policy import PolicyDriver
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import write_session
from actwin.training.evaluation import Drive, drive_laps
from actwin.training.runs import checkpoint_path

CARS: Final = 2
"""One starts from the grid, one flying."""
CONFIDENCE: Final = 0.95


def evaluate_checkpoint(
    place: str | Path, laps: int = 1, track: str | None = None, episodes: int = CARS
) -> list[Drive]:
    """Drives without exploration: from the grid, flying, and from places all around the lap.

    Args:
        place: A checkpoint, or the folder of a run, whose best one is taken.
        laps: Full laps from each start.
        track: Another track than that of the training.
        episodes: Number of starts.

    Returns:
        One drive for each episode.

    Raises:
        CheckpointError: It is missing, damaged, or of a task that means something else in this version.
    """
    path = checkpoint_path(place)
    around = max(episodes - CARS, 0)
    driver = PolicyDriver.from_checkpoint(path, CARS + around, track=track)
    return drive_laps(path.stem, driver, driver.task, around=around, laps=laps)[:episodes]


def save_rollouts(drives: Sequence[Drive], folder: Path) -> list[Path]:
    """Writes each drive as a recorded session, which every command for sessions reads.

    Args:
        drives: From `drive_laps`.
        folder: Of all sessions.

    Returns:
        Their folders.
    """
    written = []
    for number, drive in enumerate(drives, start=1):
        run = drive.rollout
        meta = SessionMeta(
            source="twin", car=run.car, track=run.track, driver=drive.driver, period=run.period,
            notes=f"episode {number}, start {drive.start}", settings={"reward": drive.reward, "start": drive.start},
        )  # fmt: skip
        written.append(write_session(folder, meta, run.time, run.frames).folder)
    return written


class Interval(NamedTuple):
    """A mean with the range in which it lies at 95 % confidence."""

    mean: float
    half: float
    """Half the width of the range; NaN for fewer than two values."""
    runs: int


def interval(values: Sequence[float]) -> Interval:
    """Mean and confidence interval by Student's t distribution, over runs of different seeds.

    Args:
        values: Finite ones count.
    """
    known = np.array([value for value in values if math.isfinite(value)])
    if not known.size:
        return Interval(math.nan, math.nan, 0)
    if known.size < 2:
        return Interval(float(known[0]), math.nan, 1)
    spread = known.std(ddof=1) / math.sqrt(known.size)
    half = float(stats.t.ppf(0.5 + 0.5 * CONFIDENCE, known.size - 1) * spread)
    return Interval(float(known.mean()), half, known.size)
