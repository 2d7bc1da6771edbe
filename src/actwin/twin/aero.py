"""Aerodynamics: drag, downforce of both axles by ride height, drag reduction, wind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from actwin.jit import clip, jit


class AeroParams(NamedTuple):
    """Areas are coefficient times area: force = density / 2 · speed² · area.

    Attributes:
        drag_area: [m²] Drag.
        downforce_front, downforce_rear: [m²] Downforce of the axles at design ride heights.
        gain_front, gain_rear: [1/m] Relative change of an axle's downforce for each metre of ride height above design.
        height_front, height_rear: [m] Design ride heights.
        drs_drag, drs_downforce: [-] Factors on drag and rear downforce with the flap open; 1 without one.
    """

    drag_area: float
    downforce_front: float
    downforce_rear: float
    gain_front: float
    gain_rear: float
    height_front: float
    height_rear: float
    drs_drag: float
    drs_downforce: float


class AeroForce(NamedTuple):
    """Air forces in car axes.

    Attributes:
        fx: [N] Forward, normally negative.
        fy: [N] To the left.
        down_front, down_rear: [N] Downforce on the axles.
    """

    fx: float
    fy: float
    down_front: float
    down_rear: float


@jit
def aero_force(
    air_x: float, air_y: float, height_front: float, height_rear: float, drs: float, density: float, aero: AeroParams
) -> AeroForce:
    """Air forces on the body.

    Drag acts against the airspeed; downforce follows its forward part only, so it fades in a spin.

    Args:
        air_x, air_y: [m/s] Velocity of the car relative to the air, in car axes.
        height_front, height_rear: [m] Ride heights now.
        drs: [-] Flap, 0 closed to 1 open.
        density: [kg/m³] Air density.
        aero: The body.
    """
    half = 0.5 * density
    speed = np.sqrt(air_x * air_x + air_y * air_y + 1.0e-9)
    drag = half * speed * aero.drag_area * (1.0 + drs * (aero.drs_drag - 1.0))
    pressure = half * air_x * air_x
    front = clip(1.0 + aero.gain_front * (height_front - aero.height_front), 0.4, 1.5)
    rear = clip(1.0 + aero.gain_rear * (height_rear - aero.height_rear), 0.4, 1.5)
    rear_area = aero.downforce_rear * (1.0 + drs * (aero.drs_downforce - 1.0))
    return AeroForce(-drag * air_x, -drag * air_y, pressure * aero.downforce_front * front, pressure * rear_area * rear)
