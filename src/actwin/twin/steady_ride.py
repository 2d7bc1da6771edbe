"""The body at rest on its springs: ride heights, air forces and wheel loads of a steady state."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum
from actwin.twin.aero import AeroForce, aero_force
from actwin.twin.params import CarParams
from actwin.twin.suspension import AxleParams, corner_force, roll_stiffness
from actwin.units import GRAVITY

SETTLING = 6
"""Newton steps; the start is the state of the last pass of the trim."""


class Place(NamedTuple):
    """What surrounds a steady state.

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


class Ride(NamedTuple):
    """How the body stands.

    Attributes:
        drop_front, drop_rear: [m] How far the axles' springs are pressed from rest.
        roll: [rad] Right side down positive.
        fl, fr, rl, rr: [N] Wheel loads.
        air: Air forces.
    """

    drop_front: float
    drop_rear: float
    roll: float
    fl: float
    fr: float
    rl: float
    rr: float
    air: AeroForce


class Settled(NamedTuple):
    """An axle's springs after one Newton step.

    Attributes:
        drop: [m] How far they are pressed.
        left, right: [N] Their forces.
        moment: [N m] Roll moment of these.
        stops: [N/m] Stiffness of the bump stops that are touched.
    """

    drop: float
    left: float
    right: float
    moment: float
    stops: float


@jit
def _settle(drop: float, roll: float, wanted: float, axle: AxleParams) -> Settled:
    """One Newton step towards a wanted load [N]; the force is convex in the drop, so the steps converge."""
    side = axle.half_track * roll
    left = corner_force(drop - side, 0.0, drop + side, axle)
    right = corner_force(drop + side, 0.0, drop - side, axle)
    touched = (1.0 if drop - side > axle.stop_gap else 0.0) + (1.0 if drop + side > axle.stop_gap else 0.0)
    stops = touched * axle.stop_rate
    pressed = drop - (left + right - wanted) / (2.0 * axle.rate + stops)
    return Settled(pressed, left, right, axle.half_track * (left - right), stops)


@jit
def settle(
    last: Ride,
    vx: float,
    vy: float,
    push: float,
    x_total: float,
    y_front: float,
    y_rear: float,
    place: Place,
    p: CarParams,
) -> Ride:
    """Steady state of the body under given forces.

    Args:
        last: Where to start.
        vx, vy: [m/s] Velocity in car axes.
        push: [m/s²] Added to gravity by the road.
        x_total: [N] Mass times forward acceleration in car axes.
        y_front, y_rear: [N] Lateral tyre forces of the axles.
        place: Air, flap and mass.
        p: Parameters.
    """
    body, front, rear = p.chassis, p.front_axle, p.rear_axle
    wheelbase = body.front_arm + body.rear_arm
    weight = place.mass * (GRAVITY + push)
    drop_front, drop_rear, roll = last.drop_front, last.drop_rear, last.roll
    ride = last
    for _ in range(SETTLING):
        air = aero_force(
            vx, vy, front.static_height - drop_front, rear.static_height - drop_rear, place.drs, place.density, p.aero
        )
        transfer = body.cog_height * (x_total - air.fx) / wheelbase
        links = body.anti_pitch * transfer
        load_front = weight * body.rear_arm / wheelbase + air.down_front - transfer
        load_rear = weight * body.front_arm / wheelbase + air.down_rear + transfer
        ahead, behind = (
            _settle(drop_front, roll, load_front + links, front),
            _settle(drop_rear, roll, load_rear - links, rear),
        )
        over = (body.cog_height - front.roll_centre) * y_front + (body.cog_height - rear.roll_centre) * y_rear
        stops = ahead.stops * front.half_track * front.half_track + behind.stops * rear.half_track * rear.half_track
        stiffness = roll_stiffness(front) + roll_stiffness(rear) + stops
        # Links carry lateral force past the springs through the roll centres.
        direct_front = y_front * front.roll_centre / (2.0 * front.half_track)
        direct_rear = y_rear * rear.roll_centre / (2.0 * rear.half_track)
        # Once the inner wheel has lifted, the outer one carries the axle and no more.
        ride = Ride(
            ahead.drop,
            behind.drop,
            roll + (over + ahead.moment + behind.moment) / stiffness,
            maximum(ahead.left - direct_front - 0.5 * links, 0.0),
            clip(ahead.right + direct_front - 0.5 * links, 0.0, maximum(load_front, 0.0)),
            maximum(behind.left - direct_rear + 0.5 * links, 0.0),
            clip(behind.right + direct_rear + 0.5 * links, 0.0, maximum(load_rear, 0.0)),
            air,
        )
        drop_front, drop_rear, roll = ride.drop_front, ride.drop_rear, ride.roll
    return ride
