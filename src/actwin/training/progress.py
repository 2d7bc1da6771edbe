"""How far a run is, for whoever shows it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, NamedTuple

MEMORY: Final = 5.0
"""[s] Over which rates are averaged."""


class Progress(NamedTuple):
    """Where a run is, for a display."""

    share: float
    """0 to 1 of the budget."""
    steps: int
    seconds: float
    """[s] Training time so far."""
    left: float | None
    """[s] Time left at the present rate, None before there is one."""
    rate: float
    """[1/s] Car steps a second."""
    update_rate: float
    """[1/s] Updates of the agent a second."""
    best_lap: float
    """[s] Fastest clean evaluation lap, NaN before there is one."""
    scalars: dict[str, float]
    """Latest values on the board."""
    trouble: str
    """What could not be written, "" when all is well."""


class Result(NamedTuple):
    """What a run came to."""

    out: Path
    steps: int
    seconds: float
    best_lap: float
    """[s] Fastest clean evaluation lap of the best checkpoint, NaN when there is none."""
    finished: bool = True
    """False when somebody asked it to stop before its budget was used up."""


class Rate:
    """A count a second, averaged over the last seconds.

    Attributes:
        value: [1/s]
    """

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, count: float, seconds: float) -> None:
        """Takes in what was done.

        Args:
            count: How much.
            seconds: [s] In what time.
        """
        if seconds <= 0.0:
            return
        keep = math.exp(-seconds / MEMORY) if self.value else 0.0
        self.value = keep * self.value + (1.0 - keep) * count / seconds
