"""One control period: what is decided before its physics steps, and what is settled after them."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, select, sin_cos
from actwin.twin.drivetrain import gear_ratio
from actwin.twin.engine import full_torque
from actwin.twin.params import CarParams
from actwin.twin.road import RoadCell
from actwin.twin.shifting import shift_gear
from actwin.twin.state import CarState, Period, SlowState
from actwin.twin.surfaces import surface_under
from actwin.twin.timing import tick
from actwin.twin.tyres import TyreParams, heat, temperature_grip, wear_grip
from actwin.twin.world import World
from actwin.units import RPM_PER_RADS


class Pedals(NamedTuple):
    """CONTROLS of one car; fields and ranges as in the channel table."""

    steer: float
    throttle: float
    brake: float
    clutch: float
    gear: float
    drs: float


class Held(NamedTuple):
    """What the controls ask of the actuators; fields as in `Period`."""

    steer: float
    throttle: float
    brake: float
    clutch: float


class Begun(NamedTuple):
    """What a control period starts from.

    Attributes:
        period: Fixed for its physics steps.
        gear: [-] Gear after the shift decision.
        timer: [s] Time left in a shift.
    """

    period: Period
    gear: float
    timer: float


@jit
def held(pedals: Pedals, fuel: float) -> Held:
    """Limits the controls to their range; without fuel [kg] the throttle does nothing."""
    return Held(
        clip(pedals.steer, -1.0, 1.0),
        clip(pedals.throttle, 0.0, 1.0) * select(fuel > 0.0, 1.0, 0.0),
        clip(pedals.brake, 0.0, 1.0),
        clip(pedals.clutch, 0.0, 1.0),
    )


@jit
def begin_period(
    car: CarState, slow: SlowState, pedals: Pedals, cell: RoadCell, cell_index: float, world: World, p: CarParams
) -> Begun:
    """Reads controls and road, decides on gears, and fixes what the physics steps share.

    Args:
        car, slow: State of the car.
        pedals: Controls; values beyond their range are limited to it.
        cell: Road under the car.
        cell_index: [-] Its index.
        world: The place.
        p: Parameters.
    """
    asked = held(pedals, slow.fuel)
    wheel_speed = 0.5 * (car.wheel_speed[2] + car.wheel_speed[3])
    shift = shift_gear(
        pedals.gear,
        slow.gear,
        car.shift_timer,
        wheel_speed,
        car.vx / p.rear_tyre.radius,
        clip(pedals.throttle, 0.0, 1.0),
        p.engine.limiter,
        p.drive,
    )
    sine, cosine = sin_cos(car.heading)
    front_x, rear_x = p.chassis.front_arm * sine, -p.chassis.rear_arm * sine
    front_y, rear_y = p.front_axle.half_track * cosine, p.rear_axle.half_track * cosine
    fl = surface_under(car.offset + front_x + front_y, car.place, cell)
    fr = surface_under(car.offset + front_x - front_y, car.place, cell)
    rl = surface_under(car.offset + rear_x + rear_y, car.place, cell)
    rr = surface_under(car.offset + rear_x - rear_y, car.place, cell)
    road_sine, road_cosine = sin_cos(cell.heading)
    wind_x, wind_y = world.wind_x + slow.wind_x, world.wind_y + slow.wind_y
    along = car.vx * cosine - car.vy * sine
    fuelled = p.chassis.mass + slow.fuel
    period = Period(
        steer=asked.steer,
        throttle=asked.throttle,
        brake=asked.brake,
        clutch=asked.clutch,
        ratio=gear_ratio(shift.gear, p.drive),
        drs=select(pedals.drs > 0.5, 1.0, 0.0) * select(asked.brake > 0.0, 0.0, 1.0),
        per_mass=1.0 / fuelled,
        mass=fuelled,
        grip=(
            fl.grip * _tyre_state_grip(slow, 0, world, p.front_tyre),
            fr.grip * _tyre_state_grip(slow, 1, world, p.front_tyre),
            rl.grip * _tyre_state_grip(slow, 2, world, p.rear_tyre),
            rr.grip * _tyre_state_grip(slow, 3, world, p.rear_tyre),
        ),
        rolling=(
            fl.rolling * world.rolling,
            fr.rolling * world.rolling,
            rl.rolling * world.rolling,
            rr.rolling * world.rolling,
        ),
        grade=cell.grade,
        banking=cell.banking,
        vertical_curvature=cell.vertical_curvature,
        wall_left=cell.wall_left,
        wall_right=cell.wall_right,
        wind_x=wind_x * road_cosine + wind_y * road_sine,
        wind_y=wind_y * road_cosine - wind_x * road_sine,
        density=world.density,
        abs_on=world.abs_on,
        tc_on=world.tc_on,
        start_distance=cell_index * world.cell_length + car.place,
        start_rate=along / (1.0 - car.offset * cell.curvature),
        surface=(fl.code, fr.code, rl.code, rr.code),
        tyres_out=fl.out + fr.out + rl.out + rr.out,
    )
    return Begun(period, shift.gear, shift.timer)


@jit
def _tyre_state_grip(slow: SlowState, wheel: int, world: World, tyre: TyreParams) -> float:
    state = temperature_grip(slow.surface_temperature[wheel], slow.core_temperature[wheel], tyre)
    worn = state * wear_grip(slow.wear[wheel], tyre)
    return world.grip * (1.0 + world.thermal * (worn - 1.0))


@jit
def end_period(
    car: CarState,
    slow: SlowState,
    period: Period,
    gear: float,
    end_distance: float,
    sector_end: float,
    steps: float,
    world: World,
    p: CarParams,
) -> SlowState:
    """Settles laps, fuel and tyres after the physics steps of a control period.

    Args:
        car: Fast state after the steps.
        slow: Slow state before them.
        period: What was fixed during them.
        gear: [-] Engaged gear.
        end_distance: [m] Lap distance now.
        sector_end: [m] End of the sector in which the car was.
        steps: [-] Number of physics steps.
        world: The place.
        p: Parameters.
    """
    duration = steps * world.dt
    clock = tick(
        slow.clock,
        period.start_distance,
        end_distance,
        period.start_rate,
        sector_end,
        world.length,
        duration,
        period.tyres_out,
        world.allowed_out,
    )
    drive = maximum(full_torque(car.engine_speed * RPM_PER_RADS, p.engine), 0.0) * car.throttle * car.engine_speed
    fuel = maximum(slow.fuel - drive * p.engine.fuel_rate * duration, 0.0)
    way = maximum(car.vx, -car.vx) * duration
    fl = _tyre_after(slow, car, 0, way, duration, world, p.front_tyre)
    fr = _tyre_after(slow, car, 1, way, duration, world, p.front_tyre)
    rl = _tyre_after(slow, car, 2, way, duration, world, p.rear_tyre)
    rr = _tyre_after(slow, car, 3, way, duration, world, p.rear_tyre)
    return SlowState(
        gear=gear,
        drs=period.drs,
        fuel=fuel,
        surface_temperature=(fl[0], fr[0], rl[0], rr[0]),
        core_temperature=(fl[1], fr[1], rl[1], rr[1]),
        wear=(fl[2], fr[2], rl[2], rr[2]),
        wind_x=slow.wind_x,
        wind_y=slow.wind_y,
        clock=clock,
    )


@jit
def _tyre_after(
    slow: SlowState, car: CarState, wheel: int, way: float, duration: float, world: World, tyre: TyreParams
) -> tuple[float, float, float]:
    """Surface temperature, core temperature [°C] and wear [km] of one tyre after a control period."""
    work = car.slip_work[wheel]
    surface, core = heat(
        slow.surface_temperature[wheel],
        slow.core_temperature[wheel],
        work,
        car.load[wheel],
        way,
        world.air,
        duration,
        tyre,
    )
    return surface, core, slow.wear[wheel] + work * tyre.wear_rate
