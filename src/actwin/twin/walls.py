"""Walls: contact of the body with the solid borders of the road."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, select
from actwin.twin.params import ChassisParams

STIFFNESS = 1600.0
"""[1/s²] Contact stiffness for each kilogram of car; a touch at 10 m/s gives way 0.2 m."""

DAMPING = 60.0
"""[1/s] Contact damping for each kilogram of car: takes most of the normal speed."""

RELEASE = 0.15
"""[-] Share of the contact stiffness that is left while the car moves away again: crushed bodywork gives little
back."""

FRICTION = 0.35
"""[-] Friction of bodywork on barriers."""


class WallForce(NamedTuple):
    """Force of the walls on the car.

    Attributes:
        fx, fy: [N] In car axes.
        yaw_moment: [N m] To the left.
        power: [W] Energy lost for each second.
    """

    fx: float
    fy: float
    yaw_moment: float
    power: float


@jit
def wall_force(
    offset: float,
    sine: float,
    cosine: float,
    along: float,
    across: float,
    yaw_rate: float,
    walls: tuple[float, float],
    body: ChassisParams,
    mass: float,
) -> WallForce:
    """Force of the nearer wall on the car's box.

    Args:
        offset: [m] Of the centre of gravity from the centre line, left positive.
        sine, cosine: Of the heading relative to the road.
        along, across: [m/s] Velocity of the centre of gravity along the road and to its left.
        yaw_rate: [rad/s] To the left.
        walls: [m] Distances of the left and the right one from the centre line.
        body: Gives the size of the car's box.
        mass: [kg] Of the car.
    """
    left, right = walls
    half_width, half_length = body.half_width, body.half_length
    reach = half_width * maximum(cosine, -cosine) + half_length * maximum(sine, -sine)
    depth_left = offset + reach - left
    depth_right = reach - offset - right
    side = select(depth_left > depth_right, 1.0, -1.0)
    depth = maximum(maximum(depth_left, depth_right), 0.0)
    touching = select(depth > 0.0, 1.0, 0.0)
    # The corner that leads into the wall carries the force; side by side it moves to the middle.
    arm_x = half_length * side * clip(4.0 * sine, -1.0, 1.0)
    arm_y = half_width * side * clip(4.0 * cosine, -1.0, 1.0)
    closing = side * (across + yaw_rate * (arm_x * cosine - arm_y * sine))
    sliding = along - yaw_rate * (arm_x * sine + arm_y * cosine)
    inwards = touching * maximum(closing, 0.0)
    normal = mass * (STIFFNESS * depth * select(closing > 0.0, 1.0, RELEASE) + DAMPING * inwards)
    drag = FRICTION * normal * clip(sliding, -1.0, 1.0)
    # Road axes to car axes: the wall pushes back across the road and brakes along it.
    fx = -drag * cosine - side * normal * sine
    fy = drag * sine - side * normal * cosine
    power = drag * sliding + mass * DAMPING * inwards * inwards
    return WallForce(fx, fy, arm_x * fy - arm_y * fx, power)
