"""One axle in steady motion: the forces of its two tyres, and the slip that gives a wanted lateral force."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import jit, kernel, maximum, minimum, sin_cos
from actwin.twin.axles import road_wheel_angles
from actwin.twin.params import CarParams
from actwin.twin.suspension import AxleParams
from actwin.twin.tyres import TyreParams, tyre_force

HALVINGS = 10
WIDEST_SLIP = 1.6
"""[-] Largest longitudinal slip of a wheel that is held from locking or spinning, in slips of peak force."""
SCAN = 15
SCAN_STEP = 0.125
"""[-] Step of the search for the axle slip, in slips of peak force at nominal load."""


class Duty(NamedTuple):
    """What an axle is asked to do.

    Attributes:
        vx: [m/s] Forward velocity of the car.
        hub_y: [m/s] Lateral velocity of the axle's middle; not read where the axle drifts to its slip.
        yaw_rate: [rad/s]
        steered: Whether the wheels turn to the slip (front) or the axle drifts to it (rear).
        fx_left, fx_right: [N] Longitudinal forces of the wheels.
        load_left, load_right: [N] Vertical loads.
        lean: [rad] Inclination of the wheels by body roll.
        grip: [-] Factor on tyre grip.
    """

    vx: float
    hub_y: float
    yaw_rate: float
    steered: bool
    fx_left: float
    fx_right: float
    load_left: float
    load_right: float
    lean: float
    grip: float


class Axle(NamedTuple):
    """What it gives.

    Attributes:
        x, y: [N] Force in car axes.
        moment: [N m] Yaw moment of the difference of longitudinal forces.
        slip: [-] Tangent of the angle from the velocity of the axle's middle to its wheels.
        held: 1 when the tyres carry what was asked, 0 when it is beyond them.
    """

    x: float
    y: float
    moment: float
    slip: float
    held: float


@jit
def _wheel(fx: float, tangent: float, load: float, camber: float, grip: float, tyre: TyreParams) -> tuple[float, float]:
    """Lateral force [N] of a wheel that is to carry fx [N] as well, and how much of fx it carries [N]."""
    size = maximum(fx, -fx)
    low, high = 0.0 * size, WIDEST_SLIP / tyre.per_slip_ratio + 0.0 * size
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        short = tyre_force(middle, tangent, load, camber, grip, tyre).fx < size
        low = middle if short else low
        high = high if short else middle
    force = tyre_force(high, tangent, load, camber, grip, tyre)
    carried = minimum(force.fx, size)
    return force.fy, carried if fx > 0.0 else -carried


@kernel
def axle_forces(slip: float, duty: Duty, axle: AxleParams, tyre: TyreParams, p: CarParams) -> Axle:
    """Forces of an axle at a given slip [-]."""
    turn = duty.yaw_rate * axle.half_track
    across = duty.hub_y if duty.steered else -slip * duty.vx
    left, right = -axle.toe, axle.toe
    if duty.steered:
        left, right = road_wheel_angles((slip + duty.hub_y / duty.vx) / p.chassis.lock, p)
    sine_left, cosine_left = sin_cos(left)
    sine_right, cosine_right = sin_cos(right)
    inner, outer = duty.vx - turn, duty.vx + turn
    tangent_left = (cosine_left * across - sine_left * inner) / (cosine_left * inner + sine_left * across)
    tangent_right = (cosine_right * across - sine_right * outer) / (cosine_right * outer + sine_right * across)
    camber_left, camber_right = axle.camber - duty.lean, -axle.camber - duty.lean
    fy_left, fx_left = _wheel(duty.fx_left, tangent_left, duty.load_left, camber_left, duty.grip, tyre)
    fy_right, fx_right = _wheel(duty.fx_right, tangent_right, duty.load_right, camber_right, duty.grip, tyre)
    asked = duty.fx_left + duty.fx_right
    missing = asked - fx_left - fx_right
    if missing < -1.0:
        # Under brakes the wheel with grip left takes what the other one, on the verge of locking, cannot.
        if duty.fx_left - fx_left < duty.fx_right - fx_right:
            fy_right, fx_right = _wheel(
                fx_right + missing, tangent_right, duty.load_right, camber_right, duty.grip, tyre
            )
        else:
            fy_left, fx_left = _wheel(fx_left + missing, tangent_left, duty.load_left, camber_left, duty.grip, tyre)
    short = asked - fx_left - fx_right
    held = 1.0 if maximum(short, -short) <= 0.005 * maximum(asked, -asked) + 2.0 else 0.0
    x_left, x_right = fx_left * cosine_left - fy_left * sine_left, fx_right * cosine_right - fy_right * sine_right
    y = fx_left * sine_left + fy_left * cosine_left + fx_right * sine_right + fy_right * cosine_right
    return Axle(x_left + x_right, y, axle.half_track * (x_right - x_left), slip, held)


@kernel
def solve_axle(wanted: float, duty: Duty, axle: AxleParams, tyre: TyreParams, p: CarParams) -> Axle:
    """The smallest slip that gives the wanted lateral force [N], or the best there is.

    Args:
        wanted: [N] To the left, in car axes.
        duty: What else the axle has to do.
        axle, tyre: The axle and its tyres.
        p: Parameters.
    """
    step = SCAN_STEP / tyre.per_slip_tangent
    best, most = 0.0 * wanted, -1.0e9 + 0.0 * wanted
    for k in range(SCAN):
        slip = step * (k - 1.0)
        force = axle_forces(slip, duty, axle, tyre, p)
        value = force.y - (1.0 - force.held) * 1.0e8
        if value > most:
            best, most = slip, value
        if most >= wanted:
            break
    low, high = best - step, best
    if most >= wanted:
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            short = axle_forces(middle, duty, axle, tyre, p).y < wanted
            low = middle if short else low
            high = high if short else middle
    found = axle_forces(high, duty, axle, tyre, p)
    held = found.held if found.y >= 0.998 * wanted - 2.0 else 0.0
    return Axle(found.x, found.y, found.moment, found.slip, held)
