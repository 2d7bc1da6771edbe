"""Steady cornering: the trim of a car that holds a speed, a lateral and a longitudinal acceleration.

The same tyres, suspension, air forces and engine as in `vehicle`, solved for equilibrium instead of stepped in time:
sideslip, steering and wheel forces such that the sums of forces equal mass times acceleration and the yaw moment is
zero. Left turns only; cars are symmetric. Simplifications against the stepped car: the differential sees the driven
wheels' slips through a linear stiffness; under brakes the outer wheel takes what the inner one, on the verge of
locking, cannot; slips are those of the rolling tyre (no relaxation); the boost is full.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from actwin.jit import clip, jit, kernel, maximum, minimum, sin_cos
from actwin.twin.aero import AeroForce
from actwin.twin.drivetrain import gear_ratio
from actwin.twin.engine import full_torque
from actwin.twin.params import CarParams
from actwin.twin.steady_axle import Duty, solve_axle
from actwin.twin.steady_ride import Place, Ride, settle
from actwin.twin.tyres import rolling_radius
from actwin.units import RPM_PER_RADS

SECANT = 0.6
"""[-] Slip stiffness of a hard-worked driven tyre over that of a free one, for the differential."""
PASSES = 5
"""Rounds in which loads, forces and attitude are made to agree; the last changes an acceleration by under 0.1 %."""
CLUTCH_SPEED = 2.0
"""[-] Share of idle speed at which the clutch holds the engine while the car is slower."""


class Trim(NamedTuple):
    """A steady state.

    Attributes:
        held: 1 when the car can do it, else 0; the rest then is the nearest attempt.
        steer: [-] Share of the steering lock.
        sideslip: [rad] Angle of the velocity to the car's x axis, left positive.
        drive: [-] Engine torque needed over full torque in the best gear; negative values are brake torque over its
            maximum.
        gear: [-] Gear with the largest reserve.
    """

    held: float
    steer: float
    sideslip: float
    drive: float
    gear: float


class Pull(NamedTuple):
    """Longitudinal forces of the wheels, and what engine or brakes must do for them.

    Attributes:
        front: [N] Of each front wheel.
        left, right: [N] Of the rear wheels.
        drive: [-] As in `Trim`.
        gear: [-] As in `Trim`.
        held: 1 when engine or brakes can.
    """

    front: float
    left: float
    right: float
    drive: float
    gear: float
    held: float


@jit
def best_gear(speed: float, ax: float, force: float, p: CarParams) -> tuple[float, float]:
    """Gear in which the engine has most in hand, and what it must give there.

    Args:
        speed: [m/s] Of the car.
        ax: [m/s²] Acceleration, which also spins up wheels and engine.
        force: [N] At the driven tyres, rolling resistance included.
        p: Parameters.

    Returns:
        Gear, and torque needed over full torque.
    """
    tyre, engine, drive = p.rear_tyre, p.engine, p.drive
    radius = rolling_radius(speed / tyre.radius, tyre)
    slowest = CLUTCH_SPEED * engine.idle
    best, least = 1.0 + 0.0 * speed, 1.0e9 + 0.0 * speed
    for k in range(8):
        gear = k + 1.0
        ratio = gear_ratio(gear, drive)
        if gear <= drive.gears:
            rpm = ratio * speed / radius * RPM_PER_RADS
            torque = full_torque(maximum(rpm, slowest), engine)
            spin = (2.0 * tyre.inertia / radius + ratio * ratio * drive.efficiency / (engine.per_inertia * radius)) * ax
            share = (force * radius + spin) / (ratio * drive.efficiency * maximum(torque, 1.0))
            if rpm < 0.998 * engine.limiter and share < least:
                best, least = gear, share
    return best, least


@jit
def _locking(force: float, ramp: float, load_left: float, load_right: float, spread: float, p: CarParams) -> float:
    """Force [N] that the differential moves from the left to the right driven wheel.

    Locked wheels turn alike, so that their slip ratios differ by the spread of their ground speeds; the force for that
    follows from the slip stiffnesses, which go with load, and is limited by the locking torque.

    Args:
        force: [N] Of both wheels from the engine, driving positive.
        ramp: [-] Locking torque over engine torque.
        load_left, load_right: [N]
        spread: [-] Difference of the ground speeds over their mean, positive when the right wheel is the outer one.
        p: Parameters.
    """
    tyre = p.rear_tyre
    slope = SECANT * tyre.stiffness * tyre.grip_x * tyre.per_slip_ratio
    soft_left, soft_right = 1.0 / (slope * maximum(load_left, 50.0)), 1.0 / (slope * maximum(load_right, 50.0))
    locked_left = (spread + force * soft_right) / (soft_left + soft_right)
    lock = p.drive.preload / tyre.radius + ramp * maximum(force, -force)
    return clip(0.5 * force - locked_left, -lock, lock)


@jit
def _share_out(force: float, speed: float, ax: float, spread: float, ride: Ride, p: CarParams) -> Pull:
    """Divides a longitudinal force [N]: engine through the differential, or engine braking and brakes."""
    rolling = p.chassis.rolling_resistance
    radius = p.front_tyre.radius
    front = rolling * (ride.fl + ride.fr) + 2.0 * p.front_tyre.inertia * ax / (radius * radius)
    drive = force + front
    if drive > 0.0:
        gear, effort = best_gear(speed, ax, drive + rolling * (ride.rl + ride.rr), p)
        shift = _locking(drive, p.drive.power, ride.rl, ride.rr, spread, p)
        held = 1.0 if effort <= 1.0 else 0.0
        return Pull(-0.5 * front, 0.5 * drive - shift, 0.5 * drive + shift, effort, gear, held)
    gear, _ = best_gear(speed, 0.0 * speed, 0.0 * speed, p)
    ratio = gear_ratio(gear, p.drive) / p.rear_tyre.radius
    coast = p.engine.coast_torque * minimum(speed * ratio * RPM_PER_RADS / p.engine.limiter, 1.2) * ratio
    bias = p.brakes.torque_front / radius
    bias = bias / (bias + p.brakes.torque_rear / p.rear_tyre.radius)
    braked, coasting = maximum(-drive - coast, 0.0), minimum(-drive, coast)
    shift = _locking(-coasting, p.drive.coast, ride.rl, ride.rr, spread, p)
    rear = -0.5 * ((1.0 - bias) * braked + coasting)
    effort = -bias * braked * radius / (2.0 * p.brakes.torque_front)
    return Pull(
        -0.5 * (bias * braked + front), rear - shift, rear + shift, effort, gear, 1.0 if effort >= -1.0 else 0.0
    )


@kernel
def trim(speed: float, ax: float, ay: float, push: float, place: Place, p: CarParams) -> Trim:
    """Steady state of the car at given accelerations.

    Args:
        speed: [m/s] Along the path, positive.
        ax, ay: [m/s²] Along the path and to its left (centripetal), ay not negative; what tyres and air must provide.
        push: [m/s²] Added to gravity by road curvature in the vertical plane.
        place: Air, grip, flap and mass.
        p: Parameters.
    """
    body, front, rear = p.chassis, p.front_axle, p.rear_axle
    wheelbase = body.front_arm + body.rear_arm
    mass, yaw_rate = place.mass, ay / speed
    zero = 0.0 * speed
    sideslip, scrub, moment = zero, zero, zero
    ride = Ride(zero, zero, zero, zero, zero, zero, zero, AeroForce(zero, zero, zero, zero))
    y_front, y_rear = mass * ay * body.rear_arm / wheelbase, mass * ay * body.front_arm / wheelbase
    state = Trim(zero, zero, zero, zero, zero)
    for _ in range(PASSES):
        sine, cosine = sin_cos(sideslip)
        vx, vy = speed * cosine, speed * sine
        x_total, y_total = mass * (ax * cosine + ay * sine), mass * (ay * cosine - ax * sine)
        ride = settle(ride, vx, vy, push, x_total, y_front, y_rear, place, p)
        spread = 2.0 * yaw_rate * rear.half_track / vx
        pull = _share_out(x_total - ride.air.fx + scrub, speed, ax, spread, ride, p)
        # The rear axle gives the sideslip, the front axle the steering.
        y_total = y_total - ride.air.fy
        y_rear = (body.front_arm * y_total + moment) / wheelbase
        y_front = y_total - y_rear
        lean = ride.roll * (1.0 - rear.camber_gain)
        duty = Duty(vx, zero, yaw_rate, False, pull.left, pull.right, ride.rl, ride.rr, lean, place.grip)
        behind = solve_axle(y_rear, duty, rear, p.rear_tyre, p)
        hub_y = yaw_rate * wheelbase - behind.slip * vx
        lean = ride.roll * (1.0 - front.camber_gain)
        duty = Duty(vx, hub_y, yaw_rate, True, pull.front, pull.front, ride.fl, ride.fr, lean, place.grip)
        ahead = solve_axle(y_front, duty, front, p.front_tyre, p)
        scrub, moment = 2.0 * pull.front - ahead.x, ahead.moment + behind.moment
        sideslip = clip(np.arctan(yaw_rate * body.rear_arm / vx - behind.slip), -0.6, 0.6)
        steer = (ahead.slip + hub_y / vx) / body.lock
        held = (1.0 + zero) * pull.held * behind.held * ahead.held * (1.0 if steer <= 1.0 else 0.0)
        state = Trim(held, steer, sideslip, pull.drive, pull.gear)
    return state
