"""Drives a car through a virtual game controller."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from actwin.cockpit.actuators.protocol import Pose, neutral, within_range
from actwin.cockpit.actuators.shifter import Shifter
from actwin.cockpit.limits import refuse_broken
from actwin.telemetry.channels import Controls


class PadState(NamedTuple):
    """What a controller shows.

    Attributes:
        steer: [-] -1 to 1, positive to the right, as stick and game count it.
        throttle, brake: [-] 0 to 1.
        up, down, drs: Whether the buttons are held.
    """

    steer: float = 0.0
    throttle: float = 0.0
    brake: float = 0.0
    up: bool = False
    down: bool = False
    drs: bool = False


class Pad(Protocol):
    """A virtual controller; it disappears with its process."""

    def write(self, state: PadState) -> PadState:
        """Shows a state; returns it in the steps that the axes have."""
        ...

    def close(self) -> None:
        """Unplugs it; harmless when done already."""
        ...


def in_steps(value: float, low: int, high: int) -> int:
    """The step of an axis from `low` to `high` that is nearest to a share of it.

    Args:
        value: [-] 0 to 1.
        low, high: Ends of the axis.
    """
    return low + round(value * (high - low))


STICK: Final = 32_767
"""Steps of a stick from the centre to either side."""


class PadActuator:
    """The controls of the car that a controller is bound to in the game.

    A controller cannot move the clutch and cannot put the car anywhere. The game must have its automatic clutch on, its
    automatic gears unless the driver shifts, and the controller's own filters off; `actwin calibrate-controls` measures
    what the game makes of the axes.

    Args:
        name: How `open_actuator` names it.
        pad: The controller.
    """

    def __init__(self, name: str, pad: Pad) -> None:
        self.name, self.pad = name, pad
        self._shifter, self._open = Shifter(), True

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """Moves axes and buttons; see `Actuator.send`."""
        refuse_broken(controls, 1)
        sent = within_range(controls)
        row = sent[0]
        up, down = self._shifter.buttons(int(row["gear"]), gear)
        asked = PadState(-float(row["steer"]), float(row["throttle"]), float(row["brake"]), up, down, row["drs"] > 0.5)
        shown = self.pad.write(asked)
        sent["steer"], sent["throttle"], sent["brake"] = -shown.steer, shown.throttle, shown.brake
        sent["clutch"] = 1.0
        return sent

    def reset(self, pose: Pose | None = None) -> bool:
        """False: no button of the game puts a car somewhere reliably."""
        return False

    def close(self) -> None:
        """Leaves the car neutral and unplugs the controller."""
        if self._open:
            self._open = False
            try:
                self.send(neutral())
            finally:
                self.pad.close()
