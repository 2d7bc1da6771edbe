"""Constants and conversions; the only place where 3.6, 57.3 and 9.81 are written."""

from __future__ import annotations

import math

GRAVITY = 9.80665
"""[m/s²] Standard gravity."""

KMH_PER_MS = 3.6
RADS_PER_RPM = 2.0 * math.pi / 60.0
RPM_PER_RADS = 60.0 / (2.0 * math.pi)
CELSIUS_ZERO = 273.15
"""[K] 0 °C."""

PASCAL_PER_PSI = 6894.757293168
"""[Pa/psi] One pound-force a square inch."""

FUEL_DENSITY = 0.75
"""[kg/l] Petrol at 15 °C; EN 228 allows 0.720 to 0.775. Assetto Corsa counts litres."""

MPH_PER_MS = 3600.0 / 1609.344

GAS_CONSTANT_AIR = 287.05
"""[J/(kg K)] Specific gas constant of dry air."""


def kmh(speed: float) -> float:
    """Speed in km/h from m/s."""
    return speed * KMH_PER_MS


def from_kmh(speed: float) -> float:
    """Speed in m/s from km/h."""
    return speed / KMH_PER_MS


def degrees(angle: float) -> float:
    """Angle in degrees from radians."""
    return math.degrees(angle)


def lap_time_text(seconds: float) -> str:
    """Lap time as racers write it, `m:ss.mmm`; `-:--.---` when there is none (zero, negative or not finite)."""
    if not math.isfinite(seconds) or seconds <= 0.0:
        return "-:--.---"
    total = round(seconds * 1000.0)
    minutes, rest = divmod(total, 60_000)
    return f"{minutes}:{rest // 1000:02d}.{rest % 1000:03d}"


def air_density(temperature: float, altitude: float = 0.0) -> float:
    """Air density of the standard atmosphere's troposphere.

    Args:
        temperature: [°C] Air temperature at the place.
        altitude: [m] Above sea level.

    Returns:
        [kg/m³] Dry-air density. ISO 2533:1975.
    """
    pressure: float = 101_325.0 * (1.0 - 2.25577e-5 * altitude) ** 5.25588
    return pressure / (GAS_CONSTANT_AIR * (temperature + CELSIUS_ZERO))
