"""Turns a wanted gear into presses of shift buttons."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from actwin.telemetry.channels import AUTO_GEAR

HOLD: Final = 0.03
"""[s] A press lasts at least so long: ten physics steps of the game."""
REST: Final = 0.12
"""[s] From one press to the next: a gear box shows neutral, or the old gear, until it is through."""


class Shifter:
    """Presses the buttons of a sequential gear box until the wanted gear is in.

    Without knowledge of the engaged gear it counts its own presses, from neutral.

    Args:
        clock: To use instead of `time.perf_counter`.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._pressed, self._direction, self._counted = -1.0e9, 0, 0

    def buttons(self, wanted: int, engaged: int | None) -> tuple[bool, bool]:
        """Which buttons to hold now.

        Args:
            wanted: Gear, or `AUTO_GEAR` to press nothing.
            engaged: Gear that is in; None when nobody knows.

        Returns:
            Shift up, shift down.
        """
        since = self._clock() - self._pressed
        if since < HOLD:
            return self._direction > 0, self._direction < 0
        gear = self._counted if engaged is None else engaged
        if wanted in (AUTO_GEAR, gear) or since < REST:
            return False, False
        self._pressed, self._direction = self._clock(), 1 if wanted > gear else -1
        self._counted += self._direction
        return self._direction > 0, self._direction < 0
