"""Checks across the chapters of a car: what no single number can tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from actwin.content.car_chapters import Chapters
from actwin.units import GRAVITY


class MisfitError(ValueError):
    """A value that contradicts another one.

    Args:
        field: Dotted name of the value, from the top of the car file.
        problem: What is wrong, with the numbers.
        cure: What to do about it.
    """

    def __init__(self, field: str, problem: str, cure: str) -> None:
        self.field, self.problem, self.cure = field, problem, cure
        super().__init__(f"{field}: {problem} {cure}")


def check_car(car: Chapters) -> None:
    """Raise `MisfitError` for the first pair of values of a car that cannot belong together."""
    for check in (_chassis, _aero, _suspension, _tyres, _engine, _gearbox, _shifts):
        check(car)


def _require(condition: bool, field: str, problem: str, cure: str) -> None:
    if not condition:
        raise MisfitError(field, problem, cure)


def _chassis(car: Chapters) -> None:
    chassis = car.chassis
    _require(
        chassis.fuel <= chassis.fuel_capacity,
        "chassis.fuel",
        f"is {chassis.fuel:g} kg, but the tank holds {chassis.fuel_capacity:g} kg.",
        "Lower it or enlarge chassis.fuel_capacity.",
    )
    _require(
        chassis.length > chassis.wheelbase,
        "chassis.length",
        f"is {chassis.length:g} m, not above the wheelbase of {chassis.wheelbase:g} m.",
        "Give the length of the body, nose to tail.",
    )
    for axle, track in (("front", chassis.track_front), ("rear", chassis.track_rear)):
        _require(
            track < chassis.width,
            f"chassis.track_{axle}",
            f"is {track:g} m, not below the width of {chassis.width:g} m.",
            "Measure the track between the tyres' centres and the width over the tyres.",
        )
        _require(
            chassis.cog_height < track,
            "chassis.cog_height",
            f"is {chassis.cog_height:g} m, above the {axle} track of {track:g} m: the car would fall over.",
            "Give the height of the centre of gravity above the road in metres.",
        )
    long, wide = chassis.wheelbase, chassis.width
    # Radius of gyration over wheelbase or width: race cars 0.3 to 0.5, a point mass 0.
    for axis, span, low, high in (("yaw", long, 0.2, 0.75), ("pitch", long, 0.2, 0.75), ("roll", wide, 0.1, 0.6)):
        inertia: float = getattr(chassis, f"{axis}_inertia")
        smallest, largest = chassis.mass * (low * span) ** 2, chassis.mass * (high * span) ** 2
        _require(
            smallest <= inertia <= largest,
            f"chassis.{axis}_inertia",
            f"is {inertia:g} kg m², but a car of this mass and size has {smallest:.0f} to {largest:.0f} kg m².",
            "Check the inertia, chassis.mass and the dimensions.",
        )


def _aero(car: Chapters) -> None:
    aero = car.aero
    for name in ("drag_area", "downforce_area"):
        low, high = getattr(aero, f"min_{name}"), getattr(aero, f"max_{name}")
        expected, given = low + aero.wing * (high - low), getattr(aero, name)
        _require(
            low <= high,
            f"aero.max_{name}",
            f"is {high:g} m², below aero.min_{name} of {low:g} m².",
            "Swap the two.",
        )
        _require(
            abs(given - expected) <= 1e-6 + 1e-3 * abs(expected),
            f"aero.{name}",
            f"is {given:g} m², but wing level {aero.wing:g} between the trims gives {expected:g} m².",
            f"Set it to {expected:g} m², or change aero.wing or the trims.",
        )
    for name in ("drs_drag_factor", "drs_downforce_factor"):
        _require(
            aero.has_drs or getattr(aero, name) == 1.0,
            f"aero.{name}",
            f"is {getattr(aero, name):g} although aero.has_drs is false.",
            "Set it to 1, or set aero.has_drs to true.",
        )


def _suspension(car: Chapters) -> None:
    chassis = car.chassis
    for axle, share in (("front", chassis.front_share), ("rear", 1.0 - chassis.front_share)):
        side = getattr(car.suspension, axle)
        sinking = 0.5 * chassis.mass * share * GRAVITY / side.spring_rate
        _require(
            0.0015 < sinking < 0.6,
            f"suspension.{axle}.spring_rate",
            f"is {side.spring_rate:g} N/m: the car would sink {1000.0 * sinking:.2g} mm under its own weight.",
            "Give the rate of one wheel in N/m, installation ratio included.",
        )
        _require(
            side.roll_centre_height < chassis.cog_height,
            f"suspension.{axle}.roll_centre_height",
            f"is {side.roll_centre_height:g} m, not below the centre of gravity at {chassis.cog_height:g} m.",
            "Give the height above the road in metres.",
        )
        critical = 2.0 * (side.spring_rate * 0.5 * chassis.mass * share) ** 0.5
        _require(
            0.05 * critical < side.damping < 2.0 * critical,
            f"suspension.{axle}.damping_bump",
            f"and damping_rebound average {side.damping:g} N s/m, {side.damping / critical:.2f} of critical damping.",
            f"Choose values around {0.6 * critical:.0f} N s/m.",
        )


def _tyres(car: Chapters) -> None:
    for axle in ("front", "rear"):
        tyre = getattr(car.tyres, axle)
        for direction in ("x", "y"):
            # A real tyre sees up to about four times its corner's static load.
            grip, slope = getattr(tyre, f"grip_{direction}"), getattr(tyre, f"grip_slope_{direction}")
            overloaded = grip + 2.0 * slope + 4.0 * tyre.grip_curve
            _require(
                overloaded > 0.2,
                f"tyres.{axle}.grip_slope_{direction}",
                f"is {slope:g}: grip falls to {overloaded:.2f} at three times the nominal load.",
                "Use a flatter slope, per load/load_nominal and not per kN.",
            )
        _require(
            tyre.optimal_temperature_low < tyre.optimal_temperature_high,
            f"tyres.{axle}.optimal_temperature_low",
            f"is {tyre.optimal_temperature_low:g} °C, not below {tyre.optimal_temperature_high:g} °C.",
            "Swap the two ends of the range.",
        )


def _engine(car: Chapters) -> None:
    engine = car.engine
    _require(
        len(engine.rpm) == len(engine.torque),
        "engine.torque",
        f"has {len(engine.torque)} values for {len(engine.rpm)} engine speeds.",
        "Give one torque for each value of engine.rpm.",
    )
    _require(
        _increasing(engine.rpm),
        "engine.rpm",
        "does not increase from value to value.",
        "Sort the torque map by engine speed.",
    )
    _require(
        min(engine.rpm) >= 0.0 and engine.rpm[-1] >= engine.limiter_rpm,
        "engine.rpm",
        f"covers {engine.rpm[0]:g} to {engine.rpm[-1]:g} rpm, the limiter is at {engine.limiter_rpm:g} rpm.",
        "Extend the torque map to the limiter.",
    )
    _require(
        min(engine.torque) >= 0.0 and max(engine.torque) > 0.0,
        "engine.torque",
        "has negative values, or none above zero.",
        "Give the full-throttle torque; braking torque belongs in engine.coast_torque.",
    )
    _require(
        engine.idle_rpm < engine.limiter_rpm,
        "engine.idle_rpm",
        f"is {engine.idle_rpm:g} rpm, not below the limiter at {engine.limiter_rpm:g} rpm.",
        "Lower it or raise engine.limiter_rpm.",
    )


def _gearbox(car: Chapters) -> None:
    gears = car.transmission.gears
    _require(
        gears[-1] > 0.0 and _increasing(gears[::-1]),
        "transmission.gears",
        f"{list(gears)} does not decrease from first to last gear.",
        "Sort the ratios, first gear first; leave reverse out.",
    )
    peak = max(car.engine.torque)
    _require(
        car.transmission.clutch_torque > peak,
        "transmission.clutch_torque",
        f"is {car.transmission.clutch_torque:g} N m, the engine gives {peak:g} N m: the clutch would always slip.",
        "Raise it above the peak torque.",
    )


def _shifts(car: Chapters) -> None:
    box, engine = car.transmission, car.engine
    _require(
        box.upshift_rpm < engine.limiter_rpm,
        "transmission.upshift_rpm",
        f"is {box.upshift_rpm:g} rpm, not below the limiter at {engine.limiter_rpm:g} rpm.",
        "Lower it or raise engine.limiter_rpm, or the car never shifts up.",
    )
    _require(
        box.downshift_rpm > engine.idle_rpm,
        "transmission.downshift_rpm",
        f"is {box.downshift_rpm:g} rpm, not above idle at {engine.idle_rpm:g} rpm.",
        "Raise it.",
    )
    for number, (lower, higher) in enumerate(pairwise(box.gears), start=1):
        after_down = box.downshift_rpm * lower / higher
        _require(
            after_down < box.upshift_rpm,
            "transmission.downshift_rpm",
            f"leads to {after_down:.0f} rpm after the shift from gear {number + 1} to {number}, "
            f"not below the upshift at {box.upshift_rpm:g} rpm: the gearbox would hunt.",
            f"Set it below {box.upshift_rpm * higher / lower:.0f} rpm.",
        )


def _increasing(values: Sequence[float]) -> bool:
    return all(low < high for low, high in pairwise(values))
