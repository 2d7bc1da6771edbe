"""Laps of trained drivers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from actwin.driving.policy import PolicyDriver
from actwin.training.evaluation import Drive, drive_laps
from actwin.training.runs import checkpoint_path

CARS: Final = 2
"""One starts from the grid, one flying."""


def evaluate_checkpoint(place: str | Path, laps: int = 1, track: str | None = None) -> list[Drive]:
    """Drives from the grid and flying, without exploration.

    Args:
        place: A checkpoint, or the folder of a run, whose best one is taken.
        laps: Full laps from each start.
        track: Another track than that of the training.

    Raises:
        CheckpointError: It is missing, damaged, or of a task that means something else in this version.
    """
    path = checkpoint_path(place)
    driver = PolicyDriver.from_checkpoint(path, CARS, track=track)
    return drive_laps(path.stem, driver, driver.task, laps=laps)
