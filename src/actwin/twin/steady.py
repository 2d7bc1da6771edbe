"""Steady cornering: the trim of a car that holds a speed, a lateral and a longitudinal acceleration.

The same tyres, suspension, air forces and engine as in `vehicle`, solved for equilibrium instead of stepped in time:
sideslip, steering and wheel forces such that the sums of forces equal mass times acceleration and the yaw moment is
zero. Left turns only; cars are symmetric. Three simplifications against the stepped car: the driven wheels share
torque in proportion to their loads as far as the differential's locking torque allows, slips are those of the rolling
tyre (no relaxation), and the boost is full.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from actwin.jit import clip, jit, kernel, maximum, minimum, sin_cos
from actwin.twin.aero import aero_force
from actwin.twin.drivetrain import gear_ratio
from actwin.twin.engine import full_torque
from actwin.twin.params import CarParams
from actwin.twin.suspension import AxleParams, corner_force, roll_stiffness
from actwin.twin.tyres import TyreParams, rolling_radius, tyre_force
from actwin.twin.vehicle import road_wheel_angles
from actwin.units import GRAVITY, RPM_PER_RADS

SLIP_HALVINGS = 10
SCAN = 15
SCAN_STEP = 0.125
"""[-] Step of the search for the axle slip, in slips of peak force at nominal load."""
SECANT = 0.6
"""[-] Slip stiffness of a hard-worked driven tyre over that of a free one, for the differential."""
PASSES = 5
SETTLING = 6
CLUTCH_SPEED = 2.0
"""[-] Share of idle speed at which the clutch holds the engine while the car is slower."""


class Place(NamedTuple):
    """What surrounds a trim.

    Attributes:
        density: [kg/m³] Air density.
        grip: [-] Factor on tyre grip.
        drs: [-] Flap, 0 closed to 1 open.
        mass: [kg] Car with fuel.
    """

    density: float
    grip: float
    drs: float
    mass: float


class Axle(NamedTuple):
    """One axle in a trim.

    Attributes:
        x, y: [N] Force in car axes.
        moment: [N m] Yaw moment of the difference of longitudinal forces.
        slip: [-] Axle slip: tangent of the angle from the velocity of the axle's middle to its wheels.
        held: 1 when the tyres carry what was asked, 0 when it is beyond them.
    """

    x: float
    y: float
    moment: float
    slip: float
    held: float


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


@jit
def _wheel(fx: float, tangent: float, load: float, camber: float, grip: float, tyre: TyreParams) -> tuple[float, float]:
    """Lateral force [N] of a wheel that is to carry fx [N] as well, and how much of fx it carries [N]."""
    size = maximum(fx, -fx)
    low, high = 0.0 * size, 1.6 / tyre.per_slip_ratio + 0.0 * size
    for _ in range(SLIP_HALVINGS):
        middle = 0.5 * (low + high)
        short = tyre_force(middle, tangent, load, camber, grip, tyre).fx < size
        low = middle if short else low
        high = high if short else middle
    force = tyre_force(high, tangent, load, camber, grip, tyre)
    carried = minimum(force.fx, size)
    return force.fy, carried if fx > 0.0 else -carried


@kernel
def _axle_forces(
    slip: float,
    vx: float,
    hub_y: float,
    yaw_rate: float,
    steered: bool,
    fx_left: float,
    fx_right: float,
    load_left: float,
    load_right: float,
    lean: float,
    grip: float,
    axle: AxleParams,
    tyre: TyreParams,
    p: CarParams,
) -> Axle:
    """Forces of an axle at a given slip; a steered axle turns its wheels to it, the other one drifts to it."""
    turn = yaw_rate * axle.half_track
    across = hub_y if steered else -slip * vx
    left, right = -axle.toe, axle.toe
    if steered:
        left, right = road_wheel_angles((slip + hub_y / vx) / p.chassis.lock, p)
    sine_left, cosine_left = sin_cos(left)
    sine_right, cosine_right = sin_cos(right)
    tangent_left = (cosine_left * across - sine_left * (vx - turn)) / (cosine_left * (vx - turn) + sine_left * across)
    tangent_right = (cosine_right * across - sine_right * (vx + turn)) / (
        cosine_right * (vx + turn) + sine_right * across
    )
    fy_left, got_left = _wheel(fx_left, tangent_left, load_left, axle.camber - lean, grip, tyre)
    fy_right, got_right = _wheel(fx_right, tangent_right, load_right, -axle.camber - lean, grip, tyre)
    missing = fx_left - got_left + fx_right - got_right
    if missing < -1.0:
        # Under brakes the wheel with grip left takes what the other one, on the verge of locking, cannot.
        if fx_left - got_left < fx_right - got_right:
            wanted = got_right + missing
            fy_right, got_right = _wheel(wanted, tangent_right, load_right, -axle.camber - lean, grip, tyre)
        else:
            wanted = got_left + missing
            fy_left, got_left = _wheel(wanted, tangent_left, load_left, axle.camber - lean, grip, tyre)
    short = fx_left + fx_right - got_left - got_right
    held = 1.0 if maximum(short, -short) <= 0.005 * maximum(fx_left + fx_right, -fx_left - fx_right) + 2.0 else 0.0
    fx_left, fx_right = got_left, got_right
    x_left, x_right = fx_left * cosine_left - fy_left * sine_left, fx_right * cosine_right - fy_right * sine_right
    y = fx_left * sine_left + fy_left * cosine_left + fx_right * sine_right + fy_right * cosine_right
    return Axle(x_left + x_right, y, axle.half_track * (x_right - x_left), slip, held)


@kernel
def _solve_axle(
    wanted: float,
    vx: float,
    hub_y: float,
    yaw_rate: float,
    steered: bool,
    fx_left: float,
    fx_right: float,
    load_left: float,
    load_right: float,
    lean: float,
    grip: float,
    axle: AxleParams,
    tyre: TyreParams,
    p: CarParams,
) -> Axle:
    """The smallest axle slip that gives the wanted lateral force [N], or the best there is."""
    step = SCAN_STEP / tyre.per_slip_tangent
    best, most = 0.0 * wanted, -1.0e9 + 0.0 * wanted
    for k in range(SCAN):
        slip = step * (k - 1.0)
        force = _axle_forces(
            slip, vx, hub_y, yaw_rate, steered, fx_left, fx_right, load_left, load_right, lean, grip, axle, tyre, p
        )
        value = force.y - (1.0 - force.held) * 1.0e8
        if value > most:
            best, most = slip, value
        if most >= wanted:
            break
    low, high = best - step, best
    if most >= wanted:
        for _ in range(SLIP_HALVINGS):
            middle = 0.5 * (low + high)
            short = (
                _axle_forces(
                    middle,
                    vx,
                    hub_y,
                    yaw_rate,
                    steered,
                    fx_left,
                    fx_right,
                    load_left,
                    load_right,
                    lean,
                    grip,
                    axle,
                    tyre,
                    p,
                ).y
                < wanted
            )
            low = middle if short else low
            high = high if short else middle
    found = _axle_forces(
        high, vx, hub_y, yaw_rate, steered, fx_left, fx_right, load_left, load_right, lean, grip, axle, tyre, p
    )
    held = found.held if found.y >= 0.998 * wanted - 2.0 else 0.0
    return Axle(found.x, found.y, found.moment, found.slip, held)


class Settled(NamedTuple):
    """An axle's springs after one Newton step: drop [m], loads [N], their roll moment [N m], stiffness of touched
    stops [N/m]."""

    drop: float
    left: float
    right: float
    moment: float
    stops: float


@jit
def _settle(drop: float, roll: float, wanted: float, axle: AxleParams) -> Settled:
    """One Newton step of an axle's ride height towards a wanted load [N]; the force is convex in the drop, so it
    converges."""
    side = axle.half_track * roll
    left = corner_force(drop - side, 0.0, drop + side, axle)
    right = corner_force(drop + side, 0.0, drop - side, axle)
    stops = (axle.stop_rate if drop - side > axle.stop_gap else 0.0) + (
        axle.stop_rate if drop + side > axle.stop_gap else 0.0
    )
    return Settled(
        drop - (left + right - wanted) / (2.0 * axle.rate + stops), left, right, axle.half_track * (left - right), stops
    )


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

    Locked wheels turn alike, so that their slip ratios differ by the spread of their ground speeds; the force for that follows from
    the slip stiffnesses, which go with load, and is limited by the locking torque.

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
    mass = place.mass
    weight = mass * (GRAVITY + push)
    yaw_rate = ay / speed
    stiffness = roll_stiffness(front) + roll_stiffness(rear)
    zero = 0.0 * speed
    sideslip, drop_front, drop_rear, roll, scrub, moment = zero, zero, zero, zero, zero, zero
    effort, gear, steer, held = zero, 1.0 + zero, zero, 1.0 + zero
    y_front, y_rear = mass * ay * body.rear_arm / wheelbase, mass * ay * body.front_arm / wheelbase
    for _ in range(PASSES):
        sine, cosine = sin_cos(sideslip)
        vx, vy = speed * cosine, speed * sine
        x_total = mass * (ax * cosine + ay * sine)
        y_total = mass * (ay * cosine - ax * sine)
        held = 1.0 + zero
        # Ride heights, air and loads
        load_fl, load_fr, load_rl, load_rr = zero, zero, zero, zero
        want_front, want_rear = zero, zero
        transfer = body.cog_height * x_total / wheelbase
        links = body.anti_pitch * transfer
        for _ in range(SETTLING):
            air = aero_force(
                vx,
                vy,
                front.static_height - drop_front,
                rear.static_height - drop_rear,
                place.drs,
                place.density,
                p.aero,
            )
            transfer = body.cog_height * (x_total - air.fx) / wheelbase
            links = body.anti_pitch * transfer
            want_front = weight * body.rear_arm / wheelbase + air.down_front - transfer + links
            want_rear = weight * body.front_arm / wheelbase + air.down_rear + transfer - links
            ahead_springs = _settle(drop_front, roll, want_front, front)
            back_springs = _settle(drop_rear, roll, want_rear, rear)
            drop_front, drop_rear = ahead_springs.drop, back_springs.drop
            over = (body.cog_height - front.roll_centre) * y_front + (body.cog_height - rear.roll_centre) * y_rear
            stops = (
                ahead_springs.stops * front.half_track * front.half_track
                + back_springs.stops * rear.half_track * rear.half_track
            )
            roll += (over + ahead_springs.moment + back_springs.moment) / (stiffness + stops)
            load_fl, load_fr, load_rl, load_rr = (
                ahead_springs.left,
                ahead_springs.right,
                back_springs.left,
                back_springs.right,
            )
        direct_front = y_front * front.roll_centre / (2.0 * front.half_track)
        direct_rear = y_rear * rear.roll_centre / (2.0 * rear.half_track)
        load_fl = maximum(load_fl - direct_front - 0.5 * links, 0.0)
        load_rl = maximum(load_rl - direct_rear + 0.5 * links, 0.0)
        # Once the inner wheel has lifted, the outer one carries the axle and no more.
        load_fr = clip(load_fr + direct_front - 0.5 * links, 0.0, maximum(want_front - links, 0.0))
        load_rr = clip(load_rr + direct_rear + 0.5 * links, 0.0, maximum(want_rear + links, 0.0))
        # Longitudinal forces of the wheels
        rolling_front = body.rolling_resistance * (load_fl + load_fr)
        rolling_rear = body.rolling_resistance * (load_rl + load_rr)
        spin_front = 2.0 * p.front_tyre.inertia * ax / (p.front_tyre.radius * p.front_tyre.radius)
        needed = x_total - air.fx + scrub
        drive = needed + rolling_front + spin_front
        if drive > 0.0:
            gear, effort = best_gear(speed, ax, drive + rolling_rear, p)
            shift = _locking(drive, p.drive.power, load_rl, load_rr, 2.0 * yaw_rate * rear.half_track / vx, p)
            fx_fl = -0.5 * (rolling_front + spin_front)
            fx_fr, fx_rl, fx_rr = fx_fl, 0.5 * drive - shift, 0.5 * drive + shift
            held = 1.0 if effort <= 1.0 else 0.0
        else:
            gear, _share = best_gear(speed, zero, zero, p)
            ratio = gear_ratio(gear, p.drive) / p.rear_tyre.radius
            coast = p.engine.coast_torque * minimum(speed * ratio * RPM_PER_RADS / p.engine.limiter, 1.2) * ratio
            bias = p.brakes.torque_front / p.front_tyre.radius
            bias = bias / (bias + p.brakes.torque_rear / p.rear_tyre.radius)
            braked = maximum(-drive - coast, 0.0)
            coasting = minimum(-drive, coast)
            fx_fl = -0.5 * (bias * braked + rolling_front + spin_front)
            fx_fr = fx_fl
            shift = _locking(-coasting, p.drive.coast, load_rl, load_rr, 2.0 * yaw_rate * rear.half_track / vx, p)
            fx_rl = -0.5 * ((1.0 - bias) * braked + coasting) - shift
            fx_rr = fx_rl + 2.0 * shift
            effort = -bias * braked * p.front_tyre.radius / (2.0 * p.brakes.torque_front)
            held = 1.0 if effort >= -1.0 else 0.0
        # Rear axle gives sideslip, front axle gives steering
        lean_front, lean_rear = roll * (1.0 - front.camber_gain), roll * (1.0 - rear.camber_gain)
        side_rear = (body.front_arm * (y_total - air.fy) + moment) / wheelbase
        back = _solve_axle(
            side_rear,
            vx,
            zero,
            yaw_rate,
            False,
            fx_rl,
            fx_rr,
            load_rl,
            load_rr,
            lean_rear,
            place.grip,
            rear,
            p.rear_tyre,
            p,
        )
        hub_y = -back.slip * vx + yaw_rate * wheelbase
        side_front = y_total - air.fy - side_rear
        ahead = _solve_axle(
            side_front,
            vx,
            hub_y,
            yaw_rate,
            True,
            fx_fl,
            fx_fr,
            load_fl,
            load_fr,
            lean_front,
            place.grip,
            front,
            p.front_tyre,
            p,
        )
        held = held * back.held * ahead.held
        y_front, y_rear = side_front, side_rear
        scrub = fx_fl + fx_fr - ahead.x
        moment = ahead.moment + back.moment
        sideslip = clip(np.arctan(yaw_rate * body.rear_arm / vx - back.slip), -0.6, 0.6)
        steer = (ahead.slip + hub_y / vx) / body.lock
        held = held if steer <= 1.0 else 0.0
    return Trim(held, steer, sideslip, effort, gear)
