"""Brakes: torque by pedal and bias, and anti-lock control."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit

RELEASE_GAIN = 10.0
"""[-] Share of the torque that is released for each unit of slip ratio beyond the threshold."""


class BrakeParams(NamedTuple):
    """Brakes of a car.

    Attributes:
        torque_front, torque_rear: [N m] Torque at one wheel with the pedal fully pressed.
        response: [s] Time constant of the pressure.
        abs_slip: [-] Slip ratio (positive number) at which anti-lock control begins to release; huge without it.
    """

    torque_front: float
    torque_rear: float
    response: float
    abs_slip: float


@jit
def abs_factor(slip_ratio: float, abs_slip: float, enabled: float) -> float:
    """Share of the brake torque that anti-lock control leaves a wheel.

    Full up to the threshold, none at 0.1 more slip.

    Args:
        slip_ratio: [-] Of the wheel, braking negative.
        abs_slip: [-] Threshold; huge for a car without the aid.
        enabled: 1 on, 0 off.
    """
    return 1.0 - enabled * clip(-RELEASE_GAIN * (slip_ratio + abs_slip), 0.0, 1.0)
