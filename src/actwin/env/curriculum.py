"""From easy to hard, by how many episodes end well."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.env.config import CurriculumConfig


class Curriculum:
    """How hard new episodes are, from 0 to 1.

    After every window of episodes the share that did not end in a failure decides: enough of them, and it becomes
    harder; too few, and it becomes easier again.

    Args:
        config: The settings.

    Attributes:
        difficulty: [-] 0 is easiest, 1 is the task as it is configured.
    """

    def __init__(self, config: CurriculumConfig) -> None:
        self.config = config
        self.difficulty = config.begin if config.window else 1.0
        self._ended, self._failed = 0, 0

    @property
    def extra_grip(self) -> float:
        """[-] Factor on the grip of all tyres now."""
        return 1.0 + self.config.extra_grip * (1.0 - self.difficulty)

    def count(self, failed: npt.NDArray[np.bool_]) -> None:
        """Takes in episodes that ended.

        Args:
            failed: bool[K] Which of them ended in a failure.
        """
        if not self.config.window:
            return
        self._ended += len(failed)
        self._failed += int(np.count_nonzero(failed))
        if self._ended < self.config.window:
            return
        success = 1.0 - self._failed / self._ended
        step = self.config.step * (float(success >= self.config.rise_at) - float(success < self.config.fall_at))
        self.difficulty = min(max(self.difficulty + step, 0.0), 1.0)
        self._ended, self._failed = 0, 0

    def state(self) -> dict[str, Any]:
        """Everything that the next count depends on."""
        return {"difficulty": self.difficulty, "ended": self._ended, "failed": self._failed}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()`."""
        self.difficulty = float(state["difficulty"])
        self._ended, self._failed = int(state["ended"]), int(state["failed"])
