"""Who drives: what all that turns frames into controls has in common."""

from __future__ import annotations

from typing import Protocol

import numpy.typing as npt

from actwin.telemetry.channels import Controls, Frames


class Driver(Protocol):
    """Drives N cars at once, one call a control period."""

    def reset(self, index: npt.ArrayLike | None = None) -> None:
        """Forgets what it remembers of some cars, after they were put somewhere else.

        Args:
            index: Which cars; None means all.
        """

    def act(self, frames: Frames) -> Controls:
        """Decides on the controls of the next control period.

        Args:
            frames: FRAME[N] What is read from the cars now.

        Returns:
            CONTROLS[N], an array that the driver may reuse at the next call.
        """
