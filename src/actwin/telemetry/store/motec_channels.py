"""How MoTeC's software names our channels.

Names are those of Assetto Corsa's MoTeC app, so that workbooks made for it fit. Signs were read off a public export of
it: in a left turn (right tyres loaded more, steering below 0) lateral acceleration, roll and tyre slip angle are above
0, yaw rate is below 0 and sideways velocity is above 0 while the car slides outwards. So its car axes are x forward, y
right, z down, except that lateral acceleration is left positive as in the game. `Clutch Pos` is 100 when released.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS, WHEELS, Channel
from actwin.units import FUEL_DENSITY, GRAVITY, KMH_PER_MS, MPH_PER_MS, PASCAL_PER_PSI, RADS_PER_RPM

_DEGREE: Final = math.pi / 180.0
_FAHRENHEIT: Final = 5.0 / 9.0


class Unit(NamedTuple):
    """A unit of a log in ours: value = number * scale + offset."""

    scale: float
    offset: float = 0.0


UNITS: Final[Mapping[str, Mapping[str, Unit]]] = {
    "1": {"": Unit(1.0), "no": Unit(1.0), "raw": Unit(1.0)},
    "-": {"": Unit(1.0), "ratio": Unit(1.0), "%": Unit(0.01)},
    "s": {"s": Unit(1.0), "ms": Unit(1e-3), "min": Unit(60.0)},
    "m": {"m": Unit(1.0), "mm": Unit(1e-3), "cm": Unit(1e-2), "km": Unit(1e3), "ft": Unit(0.3048), "in": Unit(0.0254)},
    "1/m": {"1/m": Unit(1.0)},
    "m/s": {"m/s": Unit(1.0), "km/h": Unit(1.0 / KMH_PER_MS), "kph": Unit(1.0 / KMH_PER_MS),
            "mph": Unit(1.0 / MPH_PER_MS)},
    "m/s²": {"g": Unit(GRAVITY), "m/s/s": Unit(1.0), "m/s2": Unit(1.0), "m/s^2": Unit(1.0)},
    "rad": {"deg": Unit(_DEGREE), "rad": Unit(1.0)},
    "rad/s": {"rad/s": Unit(1.0), "deg/s": Unit(_DEGREE), "rpm": Unit(RADS_PER_RPM)},
    "1/min": {"rpm": Unit(1.0)},
    "°C": {"c": Unit(1.0), "°c": Unit(1.0), "f": Unit(_FAHRENHEIT, -32.0 * _FAHRENHEIT)},
    "N": {"n": Unit(1.0), "kn": Unit(1e3)},
    "J": {"j": Unit(1.0), "kj": Unit(1e3)},
    "Pa": {"pa": Unit(1.0), "kpa": Unit(1e3), "bar": Unit(1e5), "psi": Unit(PASCAL_PER_PSI)},
    "kg": {"kg": Unit(1.0), "l": Unit(FUEL_DENSITY)},
    "kg/m³": {"kg/m3": Unit(1.0), "kg/m^3": Unit(1.0)},
    "km": {"km": Unit(1.0)},
}  # fmt: skip
"""Units a log may use, in small letters, by the unit of our channel."""

_USUAL: Final = {
    "1": "", "-": "", "m/s²": "G", "rad": "deg", "rad/s": "deg/s", "1/min": "rpm", "°C": "C", "Pa": "kPa",
    "kg/m³": "kg/m3",
}  # fmt: skip
"""Unit in which a channel without a name in the app is written, where it is not ours."""


class MotecName(NamedTuple):
    """A channel as MoTeC's software knows it.

    Attributes:
        name: In the log.
        unit: In which it is written, and that is assumed when a log names none.
        channel: Of FRAME or GAME.
        sign: 1, or -1 where the axes differ.
        offset: Added in our unit after the sign.
        wheel: Index of the wheel, -1 when there is one value.
        written: False for names that are only read.
    """

    name: str
    unit: str
    channel: str
    sign: float = 1.0
    offset: float = 0.0
    wheel: int = -1
    written: bool = True


def _wheels(name: str, unit: str, channel: str, sign: float = 1.0, written: bool = True) -> tuple[MotecName, ...]:
    return tuple(
        MotecName(name.format(wheel.upper()), unit, channel, sign, 0.0, i, written) for i, wheel in enumerate(WHEELS)
    )


_APP: Final = (
    MotecName("Lap Time", "s", "lap_time"),
    MotecName("Last Lap Time", "s", "last_lap_time"),
    MotecName("Best Lap Time", "s", "best_lap_time"),
    MotecName("Last Sector Time", "s", "last_sector_time"),
    MotecName("Session Lap Count", "", "lap_count"),
    MotecName("Lap Invalidated", "", "lap_valid", -1.0, 1.0),
    MotecName("Lap Distance", "m", "lap_distance"),
    MotecName("Car Pos Norm", "", "lap_progress"),
    MotecName("Car Pos Norm", "", "spline_position", written=False),
    MotecName("Num Tires Off Track", "", "tyres_out"),
    MotecName("Car Coord X", "m", "y", -1.0),
    MotecName("Car Coord Y", "m", "x"),
    MotecName("Car Coord Z", "m", "z"),
    MotecName("Chassis Yaw Angle", "deg", "yaw"),
    MotecName("Chassis Pitch Angle", "deg", "pitch", -1.0),
    MotecName("Chassis Roll Angle", "deg", "roll"),
    MotecName("Chassis Yaw Rate", "deg/s", "yaw_rate", -1.0),
    MotecName("Chassis Pitch Rate", "deg/s", "pitch_rate", -1.0),
    MotecName("Chassis Roll Rate", "deg/s", "roll_rate"),
    MotecName("Chassis Velocity X", "m/s", "vx"),
    MotecName("Chassis Velocity Y", "m/s", "vy", -1.0),
    MotecName("Chassis Velocity Z", "m/s", "vz", -1.0),
    MotecName("Ground Speed", "km/h", "speed"),
    MotecName("CG Accel Lateral", "G", "ay"),
    MotecName("CG Accel Longitudinal", "G", "ax"),
    MotecName("CG Accel Vertical", "G", "az"),
    MotecName("CG Height", "mm", "cg_height"),
    MotecName("Steering Angle", "deg", "steer_angle", -1.0),
    MotecName("Throttle Pos", "%", "throttle"),
    MotecName("Brake Pos", "%", "brake"),
    MotecName("Clutch Pos", "%", "clutch"),
    MotecName("Gear", "", "gear"),
    MotecName("Engine RPM", "rpm", "rpm"),
    MotecName("Fuel Level", "l", "fuel"),
    MotecName("ABS Active", "", "abs_active"),
    MotecName("TC Active", "", "tc_active"),
    MotecName("DRS Active", "", "drs"),
    MotecName("DRS Available", "", "drs_available"),
    MotecName("KERS Charge", "%", "kers_charge"),
    MotecName("KERS Input", "%", "kers_input"),
    MotecName("Engine Brake Setting", "", "engine_brake"),
    MotecName("Brake Bias", "%", "brake_bias"),
    MotecName("Ballast", "kg", "ballast"),
    MotecName("In Pit", "", "in_pit"),
    MotecName("Flags", "", "flag"),
    MotecName("Position", "", "position"),
    MotecName("Session Time Left", "s", "session_time_left"),
    MotecName("Best Lap Delta", "s", "performance_delta"),
    MotecName("Air Temp", "C", "air_temperature"),
    MotecName("Road Temp", "C", "road_temperature"),
    MotecName("Air Density", "kg/m3", "air_density"),
    MotecName("Surface Grip", "%", "surface_grip"),
    MotecName("Wind Speed", "km/h", "wind_speed"),
    MotecName("Wind Direction", "deg", "wind_direction"),
    MotecName("Ride Height FL", "mm", "ride_height_front"),
    MotecName("Ride Height RL", "mm", "ride_height_rear"),
    *_wheels("Tire Temp Core {}", "C", "tyre_core_temperature"),
    *_wheels("Tire Temp Inner {}", "C", "tyre_temperature_inner"),
    *_wheels("Tire Temp Middle {}", "C", "tyre_temperature_middle"),
    *_wheels("Tire Temp Middle {}", "C", "tyre_surface_temperature", written=False),
    *_wheels("Tire Temp Outer {}", "C", "tyre_temperature_outer"),
    *_wheels("Tire Pressure {}", "psi", "tyre_pressure"),
    *_wheels("Tire Load {}", "N", "load"),
    *_wheels("Tire Slip Angle {}", "deg", "slip_angle", -1.0),
    *_wheels("Tire Slip Ratio {}", "%", "slip_ratio"),
    *_wheels("Tire Dirt Level {}", "", "tyre_dirt"),
    *_wheels("Wheel Angular Speed {}", "rad/s", "wheel_speed"),
    *_wheels("Suspension Travel {}", "mm", "suspension_travel"),
    *_wheels("Camber {}", "deg", "camber"),
    *_wheels("Brake Temp {}", "C", "brake_temperature"),
)

_LOGGERS: Final = (
    MotecName("Running Lap Time", "s", "lap_time", written=False),
    MotecName("Lap Number", "", "lap_count", written=False),
    *_wheels("Tyre Temp {} Inner", "C", "tyre_temperature_inner", written=False),
    *_wheels("Tyre Temp {} Centre", "C", "tyre_temperature_middle", written=False),
    *_wheels("Tyre Temp {} Center", "C", "tyre_temperature_middle", written=False),
    *_wheels("Tyre Temp {} Outer", "C", "tyre_temperature_outer", written=False),
)
"""Names of MoTeC's own loggers whose meaning does not depend on how the sensor is mounted."""


def _own(channel: Channel) -> tuple[MotecName, ...]:
    """A channel that the app does not have, under our name with capitals."""
    unit = _USUAL.get(channel.unit, channel.unit)
    label = channel.name.replace("_", " ").title()
    if channel.wheels:
        return _wheels(label + " {}", unit, channel.name)
    return (MotecName(label, unit, channel.name),)


_KNOWN: Final = {line.channel for line in _APP if line.written}
_ALL: Final = (*FRAME_CHANNELS, *GAME_CHANNELS)

NAMES: Final = (*_APP, *_LOGGERS, *(line for c in _ALL if c.name not in _KNOWN for line in _own(c)))
"""Every name that is read; those with `written` are what a session is exported as."""

CHANNELS: Final[Mapping[str, Channel]] = {channel.name: channel for channel in _ALL}


def unit_of(line: MotecName, told: str) -> Unit | None:
    """How numbers of a log become ours.

    Args:
        line: The channel.
        told: Unit as the log has it; empty takes the usual one.

    Returns:
        The unit with the sign of the channel in it, None when the unit measures something else.
    """
    known = UNITS[CHANNELS[line.channel].unit]
    unit = known.get((told.strip() or line.unit).lower())
    return None if unit is None else Unit(unit.scale * line.sign, unit.offset * line.sign + line.offset)
