"""Brakes: torque by pedal and bias, and anti-lock control."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit


class BrakeParams(NamedTuple):
    """Brakes of a car.

    Attributes:
        torque_front, torque_rear: [N m] Torque at one wheel with the pedal fully pressed.
        response: [s] Time constant of the pressure.
        abs_slip: [-] Slip ratio (positive number) at which anti-lock control begins to release; 0 without it.
    """

    torque_front: float
    torque_rear: float
    response: float
    abs_slip: float


@jit
def abs_factor(slip_ratio: float, abs_slip: float, enabled: float) -> float:
    """Share of the brake torque that anti-lock control leaves a wheel.

    Full up to the threshold, none at one and a half times its slip.

    Args:
        slip_ratio: [-] Of the wheel, braking negative.
        abs_slip: [-] Threshold.
        enabled: 1 on, 0 off.
    """
    excess = (-slip_ratio - abs_slip) / (0.5 * abs_slip + 1.0e-6)
    return 1.0 - enabled * clip(excess, 0.0, 1.0)
