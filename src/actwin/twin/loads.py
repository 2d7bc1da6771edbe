"""Vertical loads: springs, dampers, bars and stops, and what the links carry past them."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import jit, maximum
from actwin.twin.params import CarParams
from actwin.twin.state import CarState, Four
from actwin.twin.suspension import AxleParams, corner_force


class Loads(NamedTuple):
    """Vertical tyre loads, and what they do to the body.

    Attributes:
        load: [N] Of the tyres, not negative.
        lift: [N] Sum of spring, damper and stop forces.
        pitch_moment, roll_moment: [N m] Of those forces on the body.
    """

    load: Four
    lift: float
    pitch_moment: float
    roll_moment: float


@jit
def _axle_loads(
    drop: float,
    drop_rate: float,
    roll: float,
    roll_rate: float,
    direct_roll: float,
    direct_pitch: float,
    axle: AxleParams,
) -> tuple[float, float, float, float]:
    """Loads (left, right), their spring sum and roll moment; what links carry is added to the loads alone."""
    side = axle.half_track * roll
    side_rate = axle.half_track * roll_rate
    left, right = drop - side, drop + side
    spring_left = corner_force(left, drop_rate - side_rate, right, axle)
    spring_right = corner_force(right, drop_rate + side_rate, left, axle)
    load_left = maximum(spring_left - direct_roll + direct_pitch, 0.0)
    load_right = maximum(spring_right + direct_roll + direct_pitch, 0.0)
    return load_left, load_right, spring_left + spring_right, axle.half_track * (spring_left - spring_right)


@jit
def wheel_loads(car: CarState, p: CarParams) -> Loads:
    """Tyre loads from body movement and from what the links carry directly.

    Args:
        car: The state; its last tyre forces load the links.
        p: Parameters.
    """
    front, rear = p.front_axle, p.rear_axle
    body = p.chassis
    direct_front = car.force_y_front * front.link_roll
    direct_rear = car.force_y_rear * rear.link_roll
    direct_pitch = body.link_pitch * car.force_x
    front_drop = body.front_arm * car.pitch - car.heave
    front_rate = body.front_arm * car.pitch_rate - car.heave_rate
    rear_drop = -body.rear_arm * car.pitch - car.heave
    rear_rate = -body.rear_arm * car.pitch_rate - car.heave_rate
    fl, fr, front_sum, front_roll = _axle_loads(
        front_drop, front_rate, car.roll, car.roll_rate, direct_front, -direct_pitch, front
    )
    rl, rr, rear_sum, rear_roll = _axle_loads(
        rear_drop, rear_rate, car.roll, car.roll_rate, direct_rear, direct_pitch, rear
    )
    pitch_moment = body.rear_arm * rear_sum - body.front_arm * front_sum
    return Loads((fl, fr, rl, rr), front_sum + rear_sum, pitch_moment, front_roll + rear_roll)
