"""Which field of Assetto Corsa's interfaces is which channel, with unit and sign.

Axes of the game: world X, Y, Z with Y up are our y, z, x; the car's x to the LEFT, y up, z forward are our y, z, x.
Steering grows to the right there, heading too. Angular velocities are taken as a vector along the car's axes, so that
pitch rate is positive nose down although the pitch angle is positive nose up; only the yaw rate was seen in recordings.
Slip angles are taken to have our sign: in the one public sample of the remote telemetry the forces that this implies
agree with the lateral acceleration.
"""

from __future__ import annotations

import math
from typing import Final

from actwin.telemetry.ac.codec import Codec, Link, fuse
from actwin.telemetry.ac.custom_ai import CAR
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS
from actwin.telemetry.ac.remote_packets import RT_CAR_INFO
from actwin.telemetry.channels import FRAME, GAME
from actwin.units import FUEL_DENSITY, GRAVITY, KMH_PER_MS, PASCAL_PER_PSI

LEFT: Final = 0
UP: Final = 1
FORWARD: Final = 2

_MS: Final = 1e-3
_PERCENT: Final = 1e-2
_KMH: Final = 1.0 / KMH_PER_MS
_DEGREE: Final = math.pi / 180.0

PHYSICS_FRAME: Final = Codec(
    PHYSICS,
    FRAME,
    (
        Link("packet_id", "packetId"),
        Link("tyres_out", "numberOfTyresOut"),
        Link("yaw", "heading", scale=-1.0),
        Link("pitch", "pitch", scale=-1.0),
        Link("roll", "roll"),
        Link("speed", "speedKmh", scale=_KMH),
        Link("vx", "localVelocity", FORWARD),
        Link("vy", "localVelocity", LEFT),
        Link("yaw_rate", "localAngularVel", UP),
        Link("ax", "accG", FORWARD, GRAVITY),
        Link("ay", "accG", LEFT, GRAVITY),
        Link("az", "accG", UP, GRAVITY),
        Link("steer", "steerAngle", scale=-1.0),
        Link("throttle", "gas"),
        Link("brake", "brake"),
        Link("clutch", "clutch"),
        Link("gear", "gear", offset=-1.0),
        Link("drs", "drs"),
        Link("rpm", "rpms"),
        Link("boost", "turboBoost"),
        Link("fuel", "fuel", scale=FUEL_DENSITY),
        Link("ride_height_front", "rideHeight", 0),
        Link("ride_height_rear", "rideHeight", 1),
        Link("wheel_speed", "wheelAngularSpeed"),
        Link("load", "wheelLoad"),
        Link("grip_use", "wheelSlip"),
        Link("tyre_surface_temperature", "tyreTempM"),
        Link("tyre_core_temperature", "tyreCoreTemperature"),
        Link("suspension_travel", "suspensionTravel"),
    ),
)
"""Physics page to FRAME; `boost` still in the game's unit."""

GRAPHICS_FRAME: Final = Codec(
    GRAPHICS,
    FRAME,
    (
        Link("lap_count", "completedLaps"),
        Link("sector", "currentSectorIndex"),
        Link("lap_time", "iCurrentTime", scale=_MS),
        Link("last_lap_time", "iLastTime", scale=_MS),
        Link("best_lap_time", "iBestTime", scale=_MS),
        Link("last_sector_time", "lastSectorTime", scale=_MS),
        Link("lap_progress", "normalizedCarPosition"),
        Link("x", "carCoordinates", 2),
        Link("y", "carCoordinates", 0),
        Link("z", "carCoordinates", 1),
    ),
)

PHYSICS_GAME: Final = Codec(
    PHYSICS,
    GAME,
    (
        Link("performance_delta", "performanceMeter"),
        Link("ai_controlled", "isAIControlled"),
        Link("air_temperature", "airTemp"),
        Link("road_temperature", "roadTemp"),
        Link("air_density", "airDensity"),
        Link("vz", "localVelocity", UP),
        Link("roll_rate", "localAngularVel", FORWARD),
        Link("pitch_rate", "localAngularVel", LEFT),
        Link("cg_height", "cgHeight"),
        Link("ballast", "ballast"),
        Link("damage_front", "carDamage", 0),
        Link("damage_rear", "carDamage", 1),
        Link("damage_left", "carDamage", 2),
        Link("damage_right", "carDamage", 3),
        Link("abs_level", "abs"),
        Link("tc_level", "tc"),
        Link("brake_bias", "brakeBias"),
        Link("engine_brake", "engineBrake"),
        Link("pit_limiter", "pitLimiterOn"),
        Link("auto_shifter", "autoShifterOn"),
        Link("drs_available", "drsAvailable"),
        Link("kers_charge", "kersCharge"),
        Link("kers_input", "kersInput"),
        Link("force_feedback", "finalFF"),
        Link("tyre_pressure", "wheelsPressure", scale=PASCAL_PER_PSI),
        Link("tyre_temperature_inner", "tyreTempI"),
        Link("tyre_temperature_middle", "tyreTempM"),
        Link("tyre_temperature_outer", "tyreTempO"),
        Link("tyre_condition", "tyreWear", scale=_PERCENT),
        Link("tyre_dirt", "tyreDirtyLevel"),
        Link("brake_temperature", "brakeTemp"),
        Link("camber", "camberRAD"),
    ),
)

GRAPHICS_GAME: Final = Codec(
    GRAPHICS,
    GAME,
    (
        Link("status", "status"),
        Link("session", "session"),
        Link("session_time_left", "sessionTimeLeft", scale=_MS),
        Link("distance_driven", "distanceTraveled"),
        Link("position", "position"),
        Link("flag", "flag"),
        Link("in_pit", "isInPit"),
        Link("in_pit_lane", "isInPitLane"),
        Link("penalty_time", "penaltyTime"),
        Link("spline_position", "normalizedCarPosition"),
        Link("surface_grip", "surfaceGrip"),
        Link("wind_speed", "windSpeed", scale=_KMH),
        Link("wind_direction", "windDirection", scale=_DEGREE),
    ),
)

PAGES_SAMPLE: Final = fuse(
    (
        ("physics", "frame", PHYSICS_FRAME),
        ("physics", "game", PHYSICS_GAME),
        ("graphics", "frame", GRAPHICS_FRAME),
        ("graphics", "game", GRAPHICS_GAME),
    )
)
"""Both pages to FRAME and GAME."""
PHYSICS_SAMPLE: Final = fuse((("physics", "game", PHYSICS_GAME), ("physics", "frame", PHYSICS_FRAME)))
"""The physics page with GAME and FRAME, in this order; the later one writes what both have."""

REMOTE_FRAME: Final = Codec(
    RT_CAR_INFO,
    FRAME,
    (
        Link("lap_count", "lapCount"),
        Link("lap_time", "lapTime", scale=_MS),
        Link("last_lap_time", "lastLap", scale=_MS),
        Link("best_lap_time", "bestLap", scale=_MS),
        Link("lap_progress", "carPositionNormalized"),
        Link("x", "carCoordinates", 2),
        Link("y", "carCoordinates", 0),
        Link("z", "carCoordinates", 1),
        Link("speed", "speed_Ms"),
        Link("ax", "accG_frontal", scale=GRAVITY),
        Link("ay", "accG_horizontal", scale=GRAVITY),
        Link("az", "accG_vertical", scale=GRAVITY),
        Link("steer_angle", "steer", scale=-_DEGREE),
        Link("throttle", "gas"),
        Link("brake", "brake"),
        Link("clutch", "clutch"),
        Link("gear", "gear", offset=-1.0),
        Link("rpm", "engineRPM"),
        Link("abs_active", "isAbsInAction"),
        Link("tc_active", "isTcInAction"),
        Link("wheel_speed", "wheelAngularSpeed"),
        Link("slip_ratio", "slipRatio"),
        Link("slip_angle", "slipAngle", scale=_DEGREE),
        Link("load", "load"),
        Link("grip_use", "ndSlip"),
        Link("suspension_travel", "suspensionHeight"),
    ),
)

REMOTE_GAME: Final = Codec(
    RT_CAR_INFO,
    GAME,
    (
        Link("in_pit", "isInPit"),
        Link("spline_position", "carPositionNormalized"),
        Link("cg_height", "cgHeight"),
        Link("tyre_dirt", "tyreDirtyLevel"),
        Link("camber", "camberRAD"),
    ),
)

CAR_FRAME: Final = Codec(
    CAR,
    FRAME,
    (
        Link("packet_id", "packet_id"),
        Link("lap_time", "lap_time_ms", scale=_MS),
        Link("best_lap_time", "best_lap_time_ms", scale=_MS),
        Link("lap_progress", "spline_position"),
        Link("x", "position", 2),
        Link("y", "position", 0),
        Link("z", "position", 1),
        Link("speed", "speed_kmh", scale=_KMH),
        Link("vx", "local_velocity", FORWARD),
        Link("vy", "local_velocity", LEFT),
        Link("yaw_rate", "local_angular_velocity", UP),
        Link("ax", "acc_g", FORWARD, GRAVITY),
        Link("ay", "acc_g", LEFT, GRAVITY),
        Link("az", "acc_g", UP, GRAVITY),
        Link("steer_angle", "steer", scale=-_DEGREE),
        Link("throttle", "gas"),
        Link("brake", "brake"),
        Link("clutch", "clutch"),
        Link("gear", "gear", offset=-1.0),
        Link("rpm", "rpm"),
        Link("boost", "turbo"),
        Link("fuel", "fuel", scale=FUEL_DENSITY),
        Link("abs_active", "abs_in_action"),
        Link("tc_active", "tc_in_action"),
        Link("wheel_speed", "wheels.angular_velocity"),
        Link("slip_ratio", "wheels.slip_ratio"),
        Link("slip_angle", "wheels.slip_angle_deg", scale=_DEGREE),
        Link("load", "wheels.load"),
        Link("grip_use", "wheels.nd_slip"),
        Link("tyre_core_temperature", "wheels.core_temp"),
    ),
)
"""Custom AI car to FRAME; `boost` still in the game's unit, attitude and tyres out are not linear."""

CAR_GAME: Final = Codec(
    CAR,
    GAME,
    (
        Link("spline_position", "spline_position"),
        Link("vz", "local_velocity", UP),
        Link("roll_rate", "local_angular_velocity", FORWARD),
        Link("pitch_rate", "local_angular_velocity", LEFT),
        Link("cg_height", "cg_height"),
        Link("damage_front", "damage", 0),
        Link("damage_rear", "damage", 1),
        Link("damage_left", "damage", 2),
        Link("damage_right", "damage", 3),
        Link("pit_limiter", "pit_limiter"),
        Link("force_feedback", "final_ff"),
        Link("tyre_pressure", "wheels.pressure", scale=PASCAL_PER_PSI),
        Link("tyre_dirt", "wheels.dirty_level"),
        Link("brake_temperature", "wheels.disc_temp"),
        Link("camber", "wheels.camber"),
    ),
)
