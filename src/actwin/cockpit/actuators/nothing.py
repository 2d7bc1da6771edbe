"""An actuator that moves nothing, to watch somebody else drive."""

from __future__ import annotations

from actwin.cockpit.actuators.protocol import Pose
from actwin.cockpit.limits import refuse_broken
from actwin.telemetry.channels import Controls, neutral_controls


class Nothing:
    """Accepts controls, sends none."""

    name = "none"

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """CONTROLS[1], neutral: nothing was sent."""
        refuse_broken(controls, 1)
        return neutral_controls(1)

    def reset(self, pose: Pose | None = None) -> bool:
        """False: the car stays where it is."""
        return False

    def close(self) -> None:
        """Nothing to let go."""
