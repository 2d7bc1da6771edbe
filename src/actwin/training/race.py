"""Laps of trained drivers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch

from actwin.driving.policy import PolicyDriver
from actwin.training.evaluation import Drive, drive_laps
from actwin.training.runs import checkpoint_path

CARS: Final = 2
"""One starts from the grid, one flying."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets networks compute in one thread: with a few cars, waiting for a second one costs more than it brings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    with one_thread():
        return drive_laps(path.stem, driver, driver.task, laps=laps)
