"""Conditions and assists that hold for every car of a simulator."""

from __future__ import annotations

import math
from typing import NamedTuple

from actwin.units import air_density


class Conditions(NamedTuple):
    """Weather, road and rules.

    Attributes:
        air_temperature, road_temperature: [°C]
        grip: [-] Factor on all tyre grip; 1 is a dry, rubbered-in road, about 0.6 a wet one.
        rolling: [-] Factor on rolling resistance: water on the road.
        wind_speed: [m/s] Of the air over the ground.
        wind_direction: [rad] Where the air moves to, in the world, anticlockwise from x.
        tyre_thermal: Whether tyre temperature and wear change grip; off is AC's "optimal, no wear".
        density_factor: [-] Factor on the air density of the place.
        allowed_tyres_out: [-] A lap stops counting when more wheels than this are beyond the track limits.
    """

    air_temperature: float = 20.0
    road_temperature: float = 25.0
    grip: float = 1.0
    rolling: float = 1.0
    wind_speed: float = 0.0
    wind_direction: float = 0.0
    tyre_thermal: bool = False
    density_factor: float = 1.0
    allowed_tyres_out: int = 2


class Assists(NamedTuple):
    """Electronic aids, where the car has them.

    Attributes:
        abs: Anti-lock braking.
        traction_control: Traction control.
    """

    abs: bool = True
    traction_control: bool = True


class World(NamedTuple):
    """Conditions and assists as the kernels read them, all numbers.

    Attributes:
        density: [kg/m³] Air density.
        air: [°C] Air temperature.
        grip, rolling: [-] Weather's factors on grip and rolling resistance.
        wind_x, wind_y: [m/s] Air velocity in world axes.
        thermal: [-] 1 when tyre temperature and wear act.
        abs_on, tc_on: [-] Assists.
        allowed_out: [-] Wheels that may be beyond the limits.
        length: [m] Of the lap.
        cell_length: [m] Of a road cell.
        cells: [-] Number of road cells.
        dt: [s] Physics step.
    """

    density: float
    air: float
    grip: float
    rolling: float
    wind_x: float
    wind_y: float
    thermal: float
    abs_on: float
    tc_on: float
    allowed_out: float
    length: float
    cell_length: float
    cells: float
    dt: float


def world(
    conditions: Conditions, assists: Assists, altitude: float, length: float, cell_length: float, cells: int, dt: float
) -> World:
    """Gathers what the kernels need to know about the place.

    Args:
        conditions: Weather, road, rules.
        assists: Electronic aids.
        altitude: [m] Of the track above sea level.
        length: [m] Of the lap.
        cell_length: [m] Of a road cell.
        cells: Number of road cells.
        dt: [s] Physics step.
    """
    return World(
        density=air_density(conditions.air_temperature, altitude) * conditions.density_factor,
        air=conditions.air_temperature,
        grip=conditions.grip,
        rolling=conditions.rolling,
        wind_x=conditions.wind_speed * math.cos(conditions.wind_direction),
        wind_y=conditions.wind_speed * math.sin(conditions.wind_direction),
        thermal=float(conditions.tyre_thermal),
        abs_on=float(assists.abs),
        tc_on=float(assists.traction_control),
        allowed_out=float(conditions.allowed_tyres_out),
        length=length,
        cell_length=cell_length,
        cells=float(cells),
        dt=dt,
    )
