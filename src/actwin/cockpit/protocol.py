"""The seat: what every place to drive from offers, be it the twin, its emulator or the game."""

from __future__ import annotations

from typing import Protocol

from actwin.telemetry.channels import Controls, Frames


class Cockpit(Protocol):
    """N cars that can be read, driven and put back.

    A loop is `frames = cockpit.reset()`, then again and again `cockpit.send(controls)` and `frames = cockpit.read()`.
    """

    @property
    def n(self) -> int:
        """Number of cars; one in the game."""
        ...

    @property
    def period(self) -> float:
        """[s] Control period."""
        ...

    def reset(self) -> Frames:
        """Puts the cars where a run begins.

        Returns:
            FRAME[N] of the cars there.
        """
        ...

    def send(self, controls: Controls) -> Controls:
        """Sets the controls for the coming control period.

        Args:
            controls: CONTROLS[N].

        Returns:
            CONTROLS[N] as really sent, after limits of range and rate.

        Raises:
            ControlError: A value that is not finite, or another shape; nothing is sent.
        """
        ...

    def read(self) -> Frames:
        """FRAME[N] at the end of the control period: the game waits for it, the twin computes it."""
        ...
