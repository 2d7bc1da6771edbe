"""Parameters of a car as the physics wants them: one NamedTuple for each chapter, made from a car file."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from actwin.content.car import Car
from actwin.errors import ContentError
from actwin.twin.aero import AeroParams
from actwin.twin.brakes import BrakeParams
from actwin.twin.drivetrain import DrivetrainParams
from actwin.twin.engine import EngineParams, Nine
from actwin.twin.suspension import AxleParams
from actwin.twin.tyres import TyreParams
from actwin.units import GRAVITY

FUEL_ENERGY = 43.0e6
"""[J/kg] Lower heating value of petrol (Heywood, "Internal Combustion Engine Fundamentals", table D.4)."""

ENGINE_EFFICIENCY = 0.35
"""[-] Share of the fuel's energy that reaches the crank; a usual figure for racing engines at full load."""

MAP_INTERVALS = 8

NEVER = 1.0e6
"""[-] Slip threshold of an aid that the car does not have."""


class ChassisParams(NamedTuple):
    """Masses and dimensions.

    Attributes:
        mass: [kg] With driver, without fuel.
        front_arm, rear_arm: [m] From the centre of gravity to the axles.
        cog_height: [m] Centre of gravity over the road at rest.
        per_yaw_inertia, per_pitch_inertia, per_roll_inertia: [1/(kg m²)] One over the inertias about the centre of
            gravity.
        half_width, half_length: [m] Of the body, for walls.
        rolling_resistance: [-] Rolling resistance over load.
        lock: [rad] Road-wheel angle at full steering.
        wheel_lock: [rad] Steering-wheel angle at full steering.
        steer_rate: [1/s] Fastest change of the steering, in full-scale units.
        ackermann: [1/rad] Angle added to the inner wheel for each squared radian of steering: half track over
            wheelbase for the full Ackermann geometry, 0 for parallel wheels.
        anti_pitch: [-] Share of the longitudinal load transfer that the links carry past the springs.
        link_pitch: [-] What that share takes off each front wheel for each newton of tyre force forward.
    """

    mass: float
    front_arm: float
    rear_arm: float
    cog_height: float
    per_yaw_inertia: float
    per_pitch_inertia: float
    per_roll_inertia: float
    half_width: float
    half_length: float
    rolling_resistance: float
    lock: float
    wheel_lock: float
    steer_rate: float
    ackermann: float
    anti_pitch: float
    link_pitch: float


class CarParams(NamedTuple):
    """All chapters of one car."""

    chassis: ChassisParams
    aero: AeroParams
    front_axle: AxleParams
    rear_axle: AxleParams
    front_tyre: TyreParams
    rear_tyre: TyreParams
    engine: EngineParams
    drive: DrivetrainParams
    brakes: BrakeParams


def car_params(car: Car) -> CarParams:
    """Turns a car file into physics parameters.

    Args:
        car: The car.

    Raises:
        ContentError: The gearbox has more gears than the twin models.
    """
    return CarParams(
        _chassis(car),
        _aero(car),
        _axle(car, 0),
        _axle(car, 1),
        _tyre(car, 0),
        _tyre(car, 1),
        _engine(car),
        _drive(car),
        _brakes(car),
    )


def _chassis(car: Car) -> ChassisParams:
    body, steering = car.chassis, car.steering
    anti_pitch = 0.5 * (car.suspension.front.anti + car.suspension.rear.anti)
    return ChassisParams(
        mass=body.mass,
        front_arm=body.wheelbase * (1.0 - body.front_share),
        rear_arm=body.wheelbase * body.front_share,
        cog_height=body.cog_height,
        per_yaw_inertia=1.0 / body.yaw_inertia,
        per_pitch_inertia=1.0 / body.pitch_inertia,
        per_roll_inertia=1.0 / body.roll_inertia,
        half_width=0.5 * body.width,
        half_length=0.5 * body.length,
        rolling_resistance=body.rolling_resistance,
        lock=steering.lock,
        wheel_lock=steering.wheel_lock,
        steer_rate=steering.rate,
        ackermann=steering.ackermann * 0.5 * body.track_front / body.wheelbase,
        anti_pitch=anti_pitch,
        link_pitch=0.5 * anti_pitch * body.cog_height / body.wheelbase,
    )


def _aero(car: Car) -> AeroParams:
    aero = car.aero
    rear_share = 1.0 - aero.front_share
    # The flap unloads the rear wing alone; the file states the loss of the whole car.
    loss = (1.0 - aero.drs_downforce_factor) / rear_share if aero.has_drs else 0.0
    return AeroParams(
        drag_area=aero.drag_area,
        downforce_front=aero.downforce_area * aero.front_share,
        downforce_rear=aero.downforce_area * rear_share,
        gain_front=aero.front_gain,
        gain_rear=aero.rear_gain,
        height_front=aero.design_height_front,
        height_rear=aero.design_height_rear,
        drs_drag=aero.drs_drag_factor if aero.has_drs else 1.0,
        drs_downforce=1.0 - loss,
    )


def _axle(car: Car, index: int) -> AxleParams:
    body = car.chassis
    axle = (car.suspension.front, car.suspension.rear)[index]
    share = (body.front_share, 1.0 - body.front_share)[index]
    series = axle.tyre_rate / (axle.spring_rate + axle.tyre_rate)
    roll_rate = axle.spring_rate + 2.0 * axle.anti_roll_bar
    roll_series = roll_rate * axle.tyre_rate / (roll_rate + axle.tyre_rate)
    rate = axle.spring_rate * series
    return AxleParams(
        rate=rate,
        # Only the share of the movement that the tyre does not take moves the damper, twice: as travel and as lever.
        bump=axle.damping_bump * series * series,
        rebound=axle.damping_rebound * series * series,
        bar=0.5 * (roll_series - rate),
        stop_gap=axle.bump_stop_gap,
        stop_rate=axle.bump_stop_rate,
        roll_centre=axle.roll_centre_height,
        link_roll=axle.roll_centre_height / (body.track_front, body.track_rear)[index],
        half_track=0.5 * (body.track_front, body.track_rear)[index],
        camber=axle.static_camber,
        camber_gain=axle.camber_gain,
        toe=axle.toe,
        static_height=axle.static_ride_height,
        static_load=0.5 * share * (body.mass + body.fuel) * GRAVITY,
    )


def _tyre(car: Car, index: int) -> TyreParams:
    tyre = (car.tyres.front, car.tyres.rear)[index]
    return TyreParams(
        radius=tyre.radius,
        angular_growth=tyre.angular_growth,
        inertia=tyre.inertia,
        per_load=1.0 / tyre.load_nominal,
        grip_x=tyre.grip_x,
        grip_y=tyre.grip_y,
        grip_slope_x=tyre.grip_slope_x,
        grip_slope_y=tyre.grip_slope_y,
        grip_curve=tyre.grip_curve,
        per_slip_ratio=1.0 / tyre.peak_slip_ratio,
        per_slip_tangent=1.0 / math.tan(tyre.peak_slip_angle),
        peak_slip_slope=tyre.peak_slip_slope,
        stiffness=max(tyre.stiffness_factor, 2.0),
        falloff=tyre.falloff_level,
        per_relaxation_x=1.0 / tyre.relaxation_x,
        per_relaxation_y=1.0 / tyre.relaxation_y,
        camber_stiffness=tyre.camber_stiffness,
        surface_heat=tyre.surface_heat,
        roll_heat=tyre.roll_heat,
        core_transfer=tyre.core_transfer,
        surface_transfer=tyre.surface_transfer,
        air_cooling=tyre.air_cooling,
        temperature_low=tyre.optimal_temperature_low,
        temperature_high=tyre.optimal_temperature_high,
        cold_grip=tyre.cold_grip,
        hot_grip=tyre.hot_grip,
        wear_rate=tyre.wear_rate,
        wear_full=tyre.wear_full,
        wear_grip=tyre.wear_grip,
    )


def _engine(car: Car) -> EngineParams:
    engine = car.engine
    low = max(min(engine.idle_rpm, engine.rpm[-1] - 1.0), engine.rpm[0])
    grid = np.linspace(low, engine.limiter_rpm, MAP_INTERVALS + 1)
    torque = np.interp(grid, engine.rpm, engine.torque)
    first = np.diff(torque)
    hinge: Nine = tuple(float(v) for v in (torque[0], first[0], *np.diff(first)))  # type: ignore[assignment]
    return EngineParams(
        hinge=hinge,
        rpm_low=low,
        per_rpm_step=MAP_INTERVALS / (engine.limiter_rpm - low),
        idle=engine.idle_rpm,
        limiter=engine.limiter_rpm,
        per_limiter=1.0 / engine.limiter_rpm,
        per_idle=1.0 / engine.idle_rpm,
        per_inertia=1.0 / engine.inertia,
        coast_torque=engine.coast_torque,
        turbo_lag=engine.turbo_lag,
        turbo_share=engine.turbo_share,
        fuel_rate=1.0 / (FUEL_ENERGY * ENGINE_EFFICIENCY),
    )


def _drive(car: Car) -> DrivetrainParams:
    box = car.transmission
    forward = [gear * box.final_drive for gear in box.gears]
    if len(forward) > MAP_INTERVALS:
        raise ContentError(
            car.identity.name, "transmission.gears", f"has {len(forward)} forward gears.", "The twin models up to 8."
        )
    spare = (0.0,) * (MAP_INTERVALS - len(forward))
    ratios: Nine = (-box.reverse * box.final_drive, *forward, *spare)  # type: ignore[assignment]
    return DrivetrainParams(
        ratios=ratios,
        gears=float(len(forward)),
        efficiency=car.engine.driveline_efficiency,
        clutch_torque=box.clutch_torque,
        up_time=box.shift_up_time,
        down_time=box.shift_down_time,
        up_rpm=box.upshift_rpm,
        down_rpm=box.downshift_rpm,
        preload=box.differential_preload,
        power=box.differential_power,
        coast=box.differential_coast,
        tc_slip=car.assists.traction_control_slip_ratio if car.assists.traction_control else NEVER,
    )


def _brakes(car: Car) -> BrakeParams:
    brakes, tyres = car.brakes, car.tyres
    return BrakeParams(
        torque_front=0.5 * brakes.max_force * brakes.front_share * tyres.front.radius,
        torque_rear=0.5 * brakes.max_force * (1.0 - brakes.front_share) * tyres.rear.radius,
        response=brakes.response_time,
        abs_slip=car.assists.abs_slip_ratio if car.assists.abs else NEVER,
    )
