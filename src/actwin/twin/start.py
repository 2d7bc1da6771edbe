"""The state of a car that is put on the road: rolling without slip, suspension settled under its downforce."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, select
from actwin.twin.aero import aero_force
from actwin.twin.drivetrain import gear_ratio
from actwin.twin.params import CarParams
from actwin.twin.state import CarState, Clock, SlowState
from actwin.twin.tyres import TyreParams
from actwin.twin.world import World
from actwin.units import GRAVITY, RADS_PER_RPM

GRID_LENGTH = 500.0
"""[m] A standing start this near the timing line is a race start; at Monza the grid lies 300 m beyond it."""

AUTOMATIC = -2.0
"""Gear value that lets the twin choose the gear for the speed."""


class Start(NamedTuple):
    """Where and how a car starts.

    Attributes:
        distance: [m] Lap distance.
        lateral: [m] Offset from the centre line, left positive.
        heading: [rad] Relative to the road.
        speed: [m/s] Forward speed, not negative.
        gear: [-] -2 chooses one for the speed.
        fuel: [kg] On board; negative takes the car's default.
        tyre_temperature: [°C] Surface and core.
        tyre_wear: [-] Share of the virtual kilometres of a worn-out tyre.
        wind_x, wind_y: [m/s] Velocity of the air in world axes, beside the weather's.
    """

    distance: float
    lateral: float
    heading: float
    speed: float
    gear: float
    fuel: float
    tyre_temperature: float
    tyre_wear: float
    wind_x: float
    wind_y: float


@jit
def _chosen_gear(speed: float, p: CarParams) -> float:
    """The lowest gear that stays clear of the up-shift speed."""
    limit = 0.93 * p.drive.up_rpm * RADS_PER_RPM
    spin = speed / p.rear_tyre.radius
    gear = 1.0
    gear = select((gear_ratio(1.0, p.drive) * spin > limit) & (p.drive.gears > 1.5), 2.0, gear)
    gear = select((gear_ratio(2.0, p.drive) * spin > limit) & (p.drive.gears > 2.5), 3.0, gear)
    gear = select((gear_ratio(3.0, p.drive) * spin > limit) & (p.drive.gears > 3.5), 4.0, gear)
    gear = select((gear_ratio(4.0, p.drive) * spin > limit) & (p.drive.gears > 4.5), 5.0, gear)
    gear = select((gear_ratio(5.0, p.drive) * spin > limit) & (p.drive.gears > 5.5), 6.0, gear)
    gear = select((gear_ratio(6.0, p.drive) * spin > limit) & (p.drive.gears > 6.5), 7.0, gear)
    return select((gear_ratio(7.0, p.drive) * spin > limit) & (p.drive.gears > 7.5), 8.0, gear)


@jit
def _rolling_spin(speed: float, tyre: TyreParams) -> float:
    """[rad/s] Spin without slip; one fixed-point step of the growing radius is enough."""
    first = speed / tyre.radius
    return speed / (tyre.radius + tyre.angular_growth * first)


@jit
def start_state(
    start: Start, place: float, curvature: float, sector: float, world: World, p: CarParams
) -> tuple[CarState, SlowState]:
    """State of a car at its start.

    Args:
        start: Where and how.
        place: [m] Way into the road cell.
        curvature: [1/m] Of the road there.
        sector: [-] Index of the sector there.
        world: The place.
        p: Parameters.
    """
    body, front, rear = p.chassis, p.front_axle, p.rear_axle
    fuel = start.fuel
    air = aero_force(start.speed, 0.0, front.static_height, rear.static_height, 0.0, world.density, p.aero)
    mass = body.mass + fuel
    wheelbase = body.front_arm + body.rear_arm
    weight_front = mass * GRAVITY * body.rear_arm / wheelbase
    weight_rear = mass * GRAVITY * body.front_arm / wheelbase
    load_front = 0.5 * (weight_front + air.down_front)
    load_rear = 0.5 * (weight_rear + air.down_rear)
    front_drop = (load_front - front.static_load) / front.rate
    rear_drop = (load_rear - rear.static_load) / rear.rate
    pitch = (front_drop - rear_drop) / wheelbase
    heave = body.front_arm * pitch - front_drop
    gear = select(start.gear < -1.5, _chosen_gear(start.speed, p), start.gear)
    spin_front, spin_rear = _rolling_spin(start.speed, p.front_tyre), _rolling_spin(start.speed, p.rear_tyre)
    engine = maximum(gear_ratio(gear, p.drive) * spin_rear, p.engine.idle * RADS_PER_RPM)
    none = (0.0, 0.0, 0.0, 0.0)
    turning = curvature / (1.0 - start.lateral * curvature)
    car = CarState(
        place=place,
        offset=start.lateral,
        heading=start.heading,
        vx=start.speed,
        vy=0.0,
        yaw_rate=start.speed * turning,
        heave=heave,
        heave_rate=0.0,
        pitch=pitch,
        pitch_rate=0.0,
        roll=0.0,
        roll_rate=0.0,
        wheel_speed=(spin_front, spin_front, spin_rear, spin_rear),
        slip_ratio=none,
        slip_tangent=none,
        engine_speed=engine,
        boost=0.0,
        steer=clip(wheelbase * turning / body.lock, -1.0, 1.0),
        throttle=0.0,
        brake=0.0,
        shift_timer=0.0,
        force_x=0.0,
        force_y_front=0.0,
        force_y_rear=0.0,
        load=(load_front, load_front, load_rear, load_rear),
        use=none,
        slip_work=none,
        wall_work=0.0,
        ax=0.0,
        ay=0.0,
        az=0.0,
        height_front=front.static_height + heave - body.front_arm * pitch,
        height_rear=rear.static_height + heave + body.rear_arm * pitch,
        abs_cut=0.0,
        tc_cut=0.0,
    )
    warm = start.tyre_temperature
    worn_front, worn_rear = start.tyre_wear * p.front_tyre.wear_full, start.tyre_wear * p.rear_tyre.wear_full
    # A standing start at the line is a race start: its first lap counts from here, and the line itself does not. Any
    # other start begins an out-lap, whose crossing of the line opens the first timed lap.
    standing = start.speed < 1.0
    behind_line = start.distance > world.length - GRID_LENGTH
    after_line = start.distance < GRID_LENGTH
    opening = select(standing & behind_line, 2.0, select(standing & after_line, 0.0, 1.0))
    slow = SlowState(
        gear=gear,
        drs=0.0,
        fuel=fuel,
        surface_temperature=(warm, warm, warm, warm),
        core_temperature=(warm, warm, warm, warm),
        wear=(worn_front, worn_front, worn_rear, worn_rear),
        wind_x=start.wind_x,
        wind_y=start.wind_y,
        clock=Clock(
            lap_periods=0.0,
            lap_offset=0.0,
            sector_start=0.0,
            sector=select(opening > 1.5, 0.0, sector),
            lap_count=0.0,
            lap_valid=1.0,
            last_lap_valid=0.0,
            last_lap_time=0.0,
            best_lap_time=0.0,
            last_sector_time=0.0,
            opening=opening,
            behind=0.0,
        ),
    )
    return car, slow
