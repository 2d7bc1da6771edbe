"""What the emulator asks of each interface it serves."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


class Interface:
    """One way into the game; every method may be left as it is.

    An interface is made with the `Game` and reads its frames, rows and information there.
    """

    name = ""

    @property
    def places(self) -> dict[str, str]:
        """Where clients find it: addresses or names by what they are for."""
        return {}

    def receive(self) -> None:
        """Takes what clients asked for since the last step; never waits."""

    def controls(self, car: int) -> npt.NDArray[Any] | None:
        """What a client of this interface does with a car.

        Args:
            car: Which, from 0.

        Returns:
            CONTROLS[1], or None while nobody drives it this way.
        """
        return None

    def publish(self, rendered: bool) -> None:
        """Shows the game after a step; never waits.

        Args:
            rendered: Whether a picture is drawn after this step, too.
        """

    def close(self) -> None:
        """Ends the service; harmless when repeated."""
