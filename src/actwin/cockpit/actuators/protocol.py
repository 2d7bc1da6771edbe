"""What every way to move the controls offers."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from actwin.errors import ConfigError
from actwin.telemetry.channels import CONTROL_CHANNELS, Controls, neutral_controls

SILENCE: Final = 0.35
"""[s] Without controls after which a car is left neutral."""
NEUTRAL_BRAKE: Final = 0.4
"""[-] Brake of a car that nobody drives: it comes to a halt without locking its wheels at speed."""


class Pose(NamedTuple):
    """A place to put a car: world position [m] and heading [rad], anticlockwise from x."""

    x: float
    y: float
    z: float
    yaw: float


class Actuator(Protocol):
    """Moves the controls of one car. It is ready when it is made; `close` leaves the car neutral."""

    name: str
    """How `open_actuator` names it."""

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """Moves the controls.

        Args:
            controls: CONTROLS[1]; values beyond their range are cut to it.
            gear: Engaged now, as in FRAME, for actuators that can only shift up and down.

        Returns:
            CONTROLS[1] as really sent; what cannot be moved (a clutch) has the value that it keeps.

        Raises:
            ControlError: A value that is not finite, or another shape; nothing is sent.
            SourceError: The controls cannot be reached any more.
        """
        ...

    def reset(self, pose: Pose | None = None) -> bool:
        """Puts the car somewhere, at rest.

        Args:
            pose: Where; None is where the game puts a car.

        Returns:
            Whether the car was put there: False when this actuator cannot, True for `None` wherever it ended up.
        """
        ...

    def close(self) -> None:
        """Leaves the car neutral and lets go; harmless when done already."""
        ...


_RANGES: Final = tuple((channel.name, channel.low, channel.high) for channel in CONTROL_CHANNELS)


def neutral(brake: float = NEUTRAL_BRAKE) -> Controls:
    """CONTROLS[1] for a car that nobody drives: throttle off, wheels straight.

    Args:
        brake: [-] Pedal, 0 to 1.
    """
    if not 0.0 <= brake <= 1.0:
        raise ConfigError(f"The brake of a car that nobody drives must lie between 0 and 1, not {brake}.")
    controls = neutral_controls(1)
    controls["brake"] = brake
    return controls


def within_range(controls: Controls) -> Controls:
    """A copy of CONTROLS[1] cut to the range of each channel."""
    sent = controls.copy()
    row = sent[0]
    # One row at a time, as plain numbers: a tenth of the time that array functions take.
    for name, low, high in _RANGES:
        row[name] = min(max(row[name].item(), low), high)
    return sent
