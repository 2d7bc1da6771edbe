"""How far a run is, for whoever shows it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Progress(NamedTuple):
    """Where a run is, for a display."""

    share: float
    """0 to 1 of the budget."""
    steps: int
    seconds: float
    """[s] Training time so far."""
    left: float
    """[s] Time left at the present rate."""
    rate: float
    """[1/s] Car steps a second."""
    best_lap: float
    """[s] Fastest clean evaluation lap, NaN before there is one."""
    scalars: dict[str, float]
    """Latest values on the board."""


class Result(NamedTuple):
    """What a run came to."""

    out: Path
    steps: int
    seconds: float
    best_lap: float
    """[s] Fastest clean evaluation lap of the best checkpoint, NaN when there is none."""
