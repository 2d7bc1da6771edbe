"""The channel table: every quantity that is read from a car or sent to it, declared once.

`FRAME` (what is read), `GAME` (what only the game tells) and `CONTROLS` (what is sent) are numpy record types derived
from this table, and so are export headers, range checks and `docs/channels.md`. SI units and ISO 8855 axes: x forward,
y left, z up; steering, yaw rate and lateral acceleration are positive to the left. Wheels are an axis of four in the
order FL, FR, RL, RR.

Every field is four bytes wide, so that `as_floats` shows N frames as one `float32[N, FRAME_WIDTH]` without a copy; the
columns of integer channels hold integer bits there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

WHEELS: Final = ("fl", "fr", "rl", "rr")

Frames = npt.NDArray[Any]
"""FRAME[N]: a record array of type `FRAME`."""
Controls = npt.NDArray[Any]
"""CONTROLS[N]: a record array of type `CONTROLS`."""


@dataclass(frozen=True)
class Channel:
    """One line of the table.

    Attributes:
        name: Field name in the record type.
        unit: SI unit; "-" for ratios, "1" for counts and codes.
        low, high: Range a healthy car stays in; outside it a value is marked, not rejected.
        meaning: What the channel says, with its sign.
        ac: Where Assetto Corsa's shared memory has it (page.field), empty when it is derived.
        export: Column name in CSV/JSON when it differs from `name` (the roadmap's names).
        integer: Whether the field is `int32` instead of `float32`.
        wheels: Whether there is one value for each wheel.
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    ac: str = ""
    export: str = ""
    integer: bool = False
    wheels: bool = False

    @property
    def export_name(self) -> str:
        """Column name used in exports."""
        return self.export or self.name

    @property
    def columns(self) -> tuple[str, ...]:
        """Flat column names: the export name, or one with a suffix for each wheel."""
        if self.wheels:
            return tuple(f"{self.export_name}_{wheel}" for wheel in WHEELS)
        return (self.export_name,)


FRAME_CHANNELS: Final[tuple[Channel, ...]] = (
    # Time and laps
    Channel("packet_id", "1", 0, 2**31, "physics steps since the session began", "physics.packetId", integer=True),
    Channel("lap_count", "1", 0, 10_000, "completed laps", "graphics.completedLaps", integer=True),
    Channel("sector", "1", 0, 9, "index of the current sector, from 0", "graphics.currentSectorIndex", integer=True),
    Channel("lap_valid", "1", 0, 1, "1 while no track-limit offence was counted on this lap", integer=True),
    Channel("last_lap_valid", "1", 0, 1, "1 when the last completed lap counts", integer=True),
    Channel("lap_time", "s", 0, 36_000, "time since the line was last crossed", "graphics.iCurrentTime"),
    Channel(
        "last_lap_time", "s", 0, 36_000, "time of the last completed lap, 0 before there is one", "graphics.iLastTime"
    ),
    Channel("best_lap_time", "s", 0, 36_000, "best valid lap of this run, 0 before there is one", "graphics.iBestTime"),
    Channel("last_sector_time", "s", 0, 36_000, "time of the last completed sector", "graphics.lastSectorTime"),
    # Place on the road
    Channel("lap_distance", "m", 0, 100_000, "distance along the centre line since the start line"),
    Channel(
        "lap_progress", "-", 0, 1, "share of the lap, lap_distance over track length", "graphics.normalizedCarPosition"
    ),
    Channel(
        "lateral_offset", "m", -50, 50, "offset of the car's centre of gravity from the centre line, left positive"
    ),
    Channel("heading_error", "rad", -3.1416, 3.1416, "car heading minus road heading, left positive"),
    Channel("border_left", "m", -50, 50, "from the centre of gravity to the left track edge, negative beyond it"),
    Channel("border_right", "m", -50, 50, "from the centre of gravity to the right track edge, negative beyond it"),
    Channel("road_curvature", "1/m", -0.5, 0.5, "curvature of the centre line here, left turns positive"),
    Channel("tyres_out", "1", 0, 4, "wheels wholly beyond the track limits", "physics.numberOfTyresOut", integer=True),
    # World pose
    Channel("x", "m", -1e5, 1e5, "world position, east", "graphics.carCoordinates"),
    Channel("y", "m", -1e5, 1e5, "world position, north", "graphics.carCoordinates"),
    Channel("z", "m", -1e4, 1e4, "world position, up", "graphics.carCoordinates"),
    Channel("yaw", "rad", -3.1416, 3.1416, "heading in the world, anticlockwise from x", "physics.heading"),
    Channel(
        "pitch", "rad", -1.6, 1.6, "body pitch relative to the horizon, nose down positive (ISO 8855)", "physics.pitch"
    ),
    Channel(
        "roll", "rad", -3.1416, 3.1416, "body roll relative to the horizon, right side down positive", "physics.roll"
    ),
    # Motion in the car frame
    Channel("speed", "m/s", 0, 130, "speed of the centre of gravity over the ground", "physics.speedKmh", export="vel"),
    Channel("vx", "m/s", -50, 130, "forward velocity", "physics.localVelocity"),
    Channel("vy", "m/s", -60, 60, "velocity to the left", "physics.localVelocity"),
    Channel("yaw_rate", "rad/s", -15, 15, "rotation to the left", "physics.localAngularVel"),
    Channel(
        "ax",
        "m/s²",
        -100,
        60,
        "longitudinal acceleration, gravity removed",
        "physics.accG",
        export="acceleration_longitudinal",
    ),
    Channel(
        "ay",
        "m/s²",
        -80,
        80,
        "lateral acceleration, left positive, gravity removed",
        "physics.accG",
        export="acceleration_lateral",
    ),
    Channel("az", "m/s²", -100, 100, "vertical acceleration", "physics.accG", export="acceleration_vertical"),
    # What the driver's controls really are at the car
    Channel("steer", "-", -1, 1, "steering as a share of the car's lock, left positive", "physics.steerAngle"),
    Channel("steer_angle", "rad", -12, 12, "steering-wheel angle, left positive"),
    Channel("throttle", "-", 0, 1, "throttle after assists", "physics.gas"),
    Channel("brake", "-", 0, 1, "brake pedal after assists", "physics.brake"),
    Channel("clutch", "-", 0, 1, "1 = released (drive engaged), 0 = pressed", "physics.clutch"),
    Channel(
        "gear",
        "1",
        -1,
        10,
        "engaged gear: -1 reverse, 0 neutral, 1 first (AC counts from 0 = reverse)",
        "physics.gear",
        integer=True,
    ),
    Channel("drs", "-", 0, 1, "drag reduction: 1 = open", "physics.drs"),
    # Engine, assists, fluids
    Channel("rpm", "1/min", 0, 25_000, "engine speed", "physics.rpms"),
    Channel("boost", "-", 0, 1, "turbo boost as a share of its maximum", "physics.turboBoost"),
    Channel("fuel", "kg", 0, 200, "fuel on board", "physics.fuel"),
    Channel("abs_active", "1", 0, 1, "anti-lock braking is cutting pressure", integer=True),
    Channel("tc_active", "1", 0, 1, "traction control is cutting torque", integer=True),
    Channel("collision", "J", 0, 5e6, "energy lost to walls in this control period"),
    Channel("ride_height_front", "m", -0.1, 0.5, "front ride height", "physics.rideHeight"),
    Channel("ride_height_rear", "m", -0.1, 0.5, "rear ride height", "physics.rideHeight"),
    # Wheels: FL, FR, RL, RR
    Channel("wheel_speed", "rad/s", -500, 500, "angular speed", "physics.wheelAngularSpeed", wheels=True),
    Channel("slip_ratio", "-", -2, 5, "longitudinal slip, driving positive", wheels=True),
    Channel(
        "slip_angle",
        "rad",
        -1.6,
        1.6,
        "from the wheel's plane to its velocity, velocity to the left positive",
        wheels=True,
    ),
    Channel("load", "N", 0, 40_000, "vertical tyre load", "physics.wheelLoad", wheels=True),
    Channel(
        "grip_use",
        "-",
        0,
        10,
        "combined slip over the slip of peak force: 1 at the limit",
        "physics.wheelSlip",
        wheels=True,
    ),
    Channel("tyre_surface_temperature", "°C", -30, 300, "tread surface temperature", "physics.tyreTempM", wheels=True),
    Channel("tyre_core_temperature", "°C", -30, 250, "carcass temperature", "physics.tyreCoreTemperature", wheels=True),
    Channel("tyre_wear", "km", 0, 1000, "virtual kilometres of wear", wheels=True),
    Channel(
        "suspension_travel",
        "m",
        -0.5,
        0.5,
        "compression from static ride height",
        "physics.suspensionTravel",
        wheels=True,
    ),
    Channel(
        "surface",
        "1",
        0,
        4,
        "under the wheel: 0 road, 1 kerb, 2 grass, 3 gravel, 4 asphalt run-off",
        wheels=True,
        integer=True,
    ),
)

GAME_CHANNELS: Final[tuple[Channel, ...]] = (
    # Session
    Channel("status", "1", 0, 3, "0 off, 1 replay, 2 live, 3 pause", "graphics.status", integer=True),
    Channel(
        "session",
        "1",
        -1,
        6,
        "-1 unknown, 0 practice, 1 qualifying, 2 race, 3 hotlap, 4 time attack, 5 drift, 6 drag",
        "graphics.session",
        integer=True,
    ),
    Channel("session_time_left", "s", -1e6, 1e6, "below 0 in sessions without an end", "graphics.sessionTimeLeft"),
    Channel("distance_driven", "m", 0, 1e8, "since the session began", "graphics.distanceTraveled"),
    Channel("position", "1", 0, 200, "place in the standings, from 1", "graphics.position", integer=True),
    Channel(
        "flag",
        "1",
        0,
        6,
        "0 none, 1 blue, 2 yellow, 3 black, 4 white, 5 chequered, 6 penalty",
        "graphics.flag",
        integer=True,
    ),
    Channel("in_pit", "1", 0, 1, "stands in its pit box", "graphics.isInPit", integer=True),
    Channel("in_pit_lane", "1", 0, 1, "is in the pit lane", "graphics.isInPitLane", integer=True),
    Channel("penalty_time", "s", 0, 1e5, "still to serve", "graphics.penaltyTime"),
    Channel("spline_position", "-", 0, 1, "share of the game's own reference line", "graphics.normalizedCarPosition"),
    Channel("performance_delta", "s", -1e4, 1e4, "the game's own gap to the best lap", "physics.performanceMeter"),
    Channel("ai_controlled", "1", 0, 1, "the game's own driver drives", "physics.isAIControlled", integer=True),
    # Weather and road
    Channel("air_temperature", "°C", -40, 70, "of the air", "physics.airTemp"),
    Channel("road_temperature", "°C", -40, 90, "of the road", "physics.roadTemp"),
    Channel("air_density", "kg/m³", 0.5, 2, "of the air", "physics.airDensity"),
    Channel("surface_grip", "-", 0, 1.5, "grip of the rubbered-in road", "graphics.surfaceGrip"),
    Channel("wind_speed", "m/s", 0, 60, "of the wind", "graphics.windSpeed"),
    Channel("wind_direction", "rad", 0, 6.2832, "as the game gives it, turned into radians", "graphics.windDirection"),
    # Body
    Channel("vz", "m/s", -60, 60, "upward velocity in the car frame", "physics.localVelocity"),
    Channel("roll_rate", "rad/s", -30, 30, "right side down positive", "physics.localAngularVel"),
    Channel("pitch_rate", "rad/s", -30, 30, "nose down positive", "physics.localAngularVel"),
    Channel("cg_height", "m", -0.5, 2, "centre of gravity above the ground", "physics.cgHeight"),
    Channel("ballast", "kg", 0, 500, "added by the rules of the session", "physics.ballast"),
    Channel("damage_front", "-", 0, 1e3, "0 is none; scale and order of the five are the game's", "physics.carDamage"),
    Channel("damage_rear", "-", 0, 1e3, "as damage_front", "physics.carDamage"),
    Channel("damage_left", "-", 0, 1e3, "as damage_front", "physics.carDamage"),
    Channel("damage_right", "-", 0, 1e3, "as damage_front", "physics.carDamage"),
    # Switches
    Channel("abs_level", "-", 0, 1, "slip limit of the anti-lock brakes, 0 = off or absent", "physics.abs"),
    Channel("tc_level", "-", 0, 1, "slip limit of the traction control, 0 = off or absent", "physics.tc"),
    Channel("brake_bias", "-", 0, 1, "front share of the brake force", "physics.brakeBias"),
    Channel("engine_brake", "1", 0, 20, "setting", "physics.engineBrake", integer=True),
    Channel("pit_limiter", "1", 0, 1, "is on", "physics.pitLimiterOn", integer=True),
    Channel("auto_shifter", "1", 0, 1, "is on", "physics.autoShifterOn", integer=True),
    Channel("drs_available", "1", 0, 1, "may be opened here", "physics.drsAvailable", integer=True),
    Channel("kers_charge", "-", 0, 1, "of the store", "physics.kersCharge"),
    Channel("kers_input", "-", 0, 1, "asked for", "physics.kersInput"),
    Channel("force_feedback", "-", -10, 10, "sent to the steering wheel", "physics.finalFF"),
    # Wheels: FL, FR, RL, RR
    Channel("tyre_pressure", "Pa", 0, 6e5, "inside the tyre", "physics.wheelsPressure", wheels=True),
    Channel("tyre_temperature_inner", "°C", -30, 400, "inner third of the tread", "physics.tyreTempI", wheels=True),
    Channel("tyre_temperature_middle", "°C", -30, 400, "middle third of the tread", "physics.tyreTempM", wheels=True),
    Channel("tyre_temperature_outer", "°C", -30, 400, "outer third of the tread", "physics.tyreTempO", wheels=True),
    Channel("tyre_condition", "-", 0, 1, "1 = new", "physics.tyreWear", wheels=True),
    Channel("tyre_dirt", "-", 0, 10, "0 = clean", "physics.tyreDirtyLevel", wheels=True),
    Channel("brake_temperature", "°C", -30, 1500, "of the disc", "physics.brakeTemp", wheels=True),
    Channel("camber", "rad", -0.5, 0.5, "top inwards negative", "physics.camberRAD", wheels=True),
)
"""What only a game tells, or its emulator: recorded and shown beside FRAME, never needed to drive."""

AUTO_GEAR: Final = -2
"""Value of the control `gear` that leaves shifting to the car's automatic shifter."""

CONTROL_CHANNELS: Final[tuple[Channel, ...]] = (
    Channel("steer", "-", -1, 1, "share of the car's steering lock, left positive"),
    Channel("throttle", "-", 0, 1, "throttle pedal"),
    Channel("brake", "-", 0, 1, "brake pedal"),
    Channel("clutch", "-", 0, 1, "1 = released, 0 = pressed"),
    Channel("gear", "1", -2, 10, "wanted gear: -2 automatic, -1 reverse, 0 neutral, 1 first", integer=True),
    Channel("drs", "-", 0, 1, "1 asks for the drag reduction to open"),
)


def _record(channels: tuple[Channel, ...]) -> np.dtype[Any]:
    fields: list[Any] = []
    for channel in channels:
        kind = "<i4" if channel.integer else "<f4"
        fields.append((channel.name, kind, (4,)) if channel.wheels else (channel.name, kind))
    return np.dtype(fields)


def _offsets(dtype: np.dtype[Any]) -> dict[str, int]:
    assert dtype.fields is not None
    return {name: field[1] // 4 for name, field in dtype.fields.items()}


FRAME: Final = _record(FRAME_CHANNELS)
CONTROLS: Final = _record(CONTROL_CHANNELS)
GAME: Final = _record(GAME_CHANNELS)
FRAME_WIDTH: Final = FRAME.itemsize // 4
CONTROLS_WIDTH: Final = CONTROLS.itemsize // 4
FRAME_COLUMN: Final = _offsets(FRAME)
"""First column of each channel in `as_floats(frames)`; a wheel channel takes four columns."""
CONTROLS_COLUMN: Final = _offsets(CONTROLS)
FRAME_CHANNEL: Final = {channel.name: channel for channel in FRAME_CHANNELS}
GAME_CHANNEL: Final = {channel.name: channel for channel in GAME_CHANNELS}


def as_floats(records: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The same memory as `float32[N, width]`; integer channels keep their integer bits.

    Args:
        records: FRAME[N] or CONTROLS[N], C-contiguous.
    """
    return records.view("<f4").reshape(len(records), -1)


def as_integers(records: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The same memory as `int32[N, width]`, to read the integer channels."""
    return records.view("<i4").reshape(len(records), -1)


def neutral_controls(n: int) -> Controls:
    """CONTROLS[N] of a driver who does nothing: pedals up, clutch released, automatic gears."""
    controls = np.zeros(n, CONTROLS)
    controls["clutch"] = 1.0
    controls["gear"] = AUTO_GEAR
    return controls
