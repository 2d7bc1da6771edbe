"""One wheel through one physics step: contact velocity, relaxed slip, tyre force, brake.

Slip follows the contact with the relaxation length sigma, d(slip)/dt = (slip speed - |Vx| slip) / sigma, which needs
no division by speed and so holds down to standstill. Together with the wheel's spin it is stiff (hundreds of radians a
second), so both are solved implicitly with the tyre's secant stiffness K: force = K · slip at the end of the step.
What remains is a wheel with a larger effective inertia on which every other torque acts as an impulse.
"""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum
from actwin.twin.tyres import TyreParams, rolling_radius, tyre_force

SLIP_LIMIT = 3.0
"""[-] Bound of the relaxed slips: beyond it the force no longer changes, and recovery would take too long a way."""


class Wheel(NamedTuple):
    """A wheel at the beginning of a step.

    Attributes:
        speed: [rad/s] Spin.
        slip_ratio, slip_tangent: [-] Relaxed slips.
        load: [N] Of the tyre.
        grip, rolling: [-] Factors of the surface under it.
    """

    speed: float
    slip_ratio: float
    slip_tangent: float
    load: float
    grip: float
    rolling: float


class Rolling(NamedTuple):
    """A wheel between the reaction of its tyre and the torques of the car.

    Attributes:
        speed: [rad/s] Spin after the tyre's reaction.
        inertia, mobility: [kg m²], [1/(kg m²)] Effective inertia against further torques, and its reciprocal.
        slip_base: [-] Slip ratio at the end of the step if the wheel stood still.
        slip_gain: [s/m] Slip ratio added for each metre a second of rim speed.
        slip_tangent: [-] Relaxed lateral slip at the end of the step.
        secant: [N] Longitudinal force for each unit of slip ratio.
        side: [N] Lateral force.
        use: [-] Combined slip over the slip of peak force.
        radius: [m] Rolling radius.
        vx, vy: [m/s] Contact velocity in wheel axes.
    """

    speed: float
    inertia: float
    mobility: float
    slip_base: float
    slip_gain: float
    slip_tangent: float
    secant: float
    side: float
    use: float
    radius: float
    vx: float
    vy: float


@jit
def roll_wheel(
    wheel: Wheel,
    hub_x: float,
    hub_y: float,
    sine: float,
    cosine: float,
    camber: float,
    dt: float,
    tyre: TyreParams,
) -> Rolling:
    """Moves the slips of one wheel and lets its tyre act on its spin.

    Args:
        wheel: The wheel before the step.
        hub_x, hub_y: [m/s] Velocity of the contact in car axes.
        sine, cosine: Of the steering angle of this wheel.
        camber: [rad] Inclination, top to the left positive.
        dt: [s] Step length.
        tyre: The tyre.
    """
    vx = cosine * hub_x + sine * hub_y
    vy = cosine * hub_y - sine * hub_x
    rolling = maximum(vx, -vx)
    radius = rolling_radius(wheel.speed, tyre)

    # The force follows the new lateral slip: at standstill slip and velocity make a spring, which only this order
    # keeps from growing.
    across, along = dt * tyre.per_relaxation_y, dt * tyre.per_relaxation_x
    # One division serves both directions.
    slower_y, slower_x = 1.0 + across * rolling, 1.0 + along * rolling
    both = 1.0 / (slower_x * slower_y)
    new_tangent = clip((wheel.slip_tangent + across * vy) * (both * slower_x), -SLIP_LIMIT, SLIP_LIMIT)
    force = tyre_force(wheel.slip_ratio, new_tangent, wheel.load, camber, wheel.grip, tyre)

    damping = both * slower_y
    slip_gain = along * damping
    slip_base = (wheel.slip_ratio - along * vx) * damping
    lever = dt * radius * force.secant
    inertia = tyre.inertia + lever * radius * slip_gain
    mobility = 1.0 / inertia
    held = slip_base + slip_gain * radius * wheel.speed
    speed = wheel.speed - lever * held * mobility
    return Rolling(
        speed, inertia, mobility, slip_base, slip_gain, new_tangent, force.secant, force.fy, force.use, radius, vx, vy
    )


@jit
def wheel_slip(wheel: Rolling, speed: float) -> float:
    """Slip ratio at the end of the step, given the wheel's final spin [rad/s]."""
    return clip(wheel.slip_base + wheel.slip_gain * wheel.radius * speed, -SLIP_LIMIT, SLIP_LIMIT)
