"""Other units that a channel's size gives away."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.recording import COLUMNS
from actwin.units import CELSIUS_ZERO, PASCAL_PER_PSI, RPM_PER_RADS, degrees

RADIAN: Final = degrees(1.0)
"""[°] One radian."""


USUAL: Final = 90.0
"""[%] Percentile of a column's size that tells its unit: a pedal rests most of the time, bad values are rare."""


class Scale(NamedTuple):
    """How the values of columns become SI: `factor * value + offset`."""

    columns: tuple[str, ...]
    factor: float
    """NaN when the columns are wrong in a way that no factor mends."""
    offset: float
    size: float
    """What the finding reports: the ratio of reading and truth, or what was read."""
    words: str


class Magnitude(NamedTuple):
    """Sizes that a channel has only in another unit."""

    channels: tuple[str, ...]
    low: float
    high: float
    """Nine tenths of what differs from 0 are below a size that lies between these ..."""
    unit: str
    """... when it is in this unit."""
    factor: float
    offset: float = 0.0
    moving: bool = False
    """Whether only rows with more than 20 m/s are asked."""


_SHARES: Final = (
    "throttle", "brake", "clutch", "drs", "lap_progress", "spline_position", "kers_charge", "kers_input", "brake_bias",
    "tyre_condition", "surface_grip",
)  # fmt: skip
_TEMPERATURES: Final = (
    "air_temperature", "road_temperature", "tyre_surface_temperature", "tyre_core_temperature",
    "tyre_temperature_inner", "tyre_temperature_middle", "tyre_temperature_outer",
)  # fmt: skip

MAGNITUDES: Final[tuple[Magnitude, ...]] = (
    Magnitude(("yaw",), 3.3, 361.0, "degrees", 1.0 / RADIAN),
    Magnitude(("pitch", "slip_angle"), 1.7, 180.0, "degrees", 1.0 / RADIAN),
    Magnitude(("roll",), 3.3, 180.0, "degrees", 1.0 / RADIAN),
    Magnitude(("steer_angle",), 13.0, 1000.0, "degrees", 1.0 / RADIAN),
    Magnitude(("camber",), 0.6, 30.0, "degrees", 1.0 / RADIAN),
    Magnitude(("steer",), 1.5, 1000.0, "degrees of an unknown lock", math.nan),
    Magnitude(_SHARES, 1.6, 100.5, "per cent", 0.01),
    Magnitude(_TEMPERATURES, 223.0, 400.0, "kelvin", 1.0, -CELSIUS_ZERO),
    Magnitude(("tyre_pressure",), 0.5, 6.0, "bar", 1e5),
    Magnitude(("tyre_pressure",), 6.0, 90.0, "psi", PASCAL_PER_PSI),
    Magnitude(("tyre_pressure",), 90.0, 1000.0, "kPa", 1e3),
    Magnitude(("rpm",), 20.0, 1300.0, "rad/s", RPM_PER_RADS, moving=True),
    Magnitude(("load",), 0.5, 60.0, "kN", 1e3, moving=True),
    Magnitude(("ride_height_front", "ride_height_rear"), 3.0, 500.0, "mm", 1e-3),
    Magnitude(("suspension_travel",), 3.0, 500.0, "mm", 1e-3),
)
"""What is looked for; units that a size cannot tell apart are told by `scales`."""


def check_magnitudes(bench: Bench) -> list[Scale]:
    """Columns that are in another unit by their size; the wheels of a channel are judged together."""
    fast = bench.speed() > 20.0
    found = []
    for magnitude in MAGNITUDES:
        for channel in magnitude.channels:
            columns = tuple(name for name in _columns_of(channel) if bench.recording.has(name))
            values = np.abs(np.concatenate([bench.raw(name) for name in columns])) if columns else np.zeros(0)
            asked = np.tile(fast, len(columns)) if magnitude.moving else np.ones(len(values), bool)
            values = values[asked & np.isfinite(values) & (values > 0.0)]
            if len(values) < 10:
                continue
            size = float(np.percentile(values, USUAL))
            if magnitude.low < size <= magnitude.high:
                words = f"{channel} reads up to {size:.4g}: probably {magnitude.unit}"
                found.append(Scale(columns, magnitude.factor, magnitude.offset, size, words))
    return found


def _columns_of(channel: str) -> tuple[str, ...]:
    return tuple(name for name, column in COLUMNS.items() if column.channel.name == channel)
