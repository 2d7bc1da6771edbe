"""The performance envelope of a car: how fast it can corner, speed up and slow down at each speed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from actwin.content.car import Car
from actwin.jit import jit, kernel
from actwin.twin.aero import aero_force
from actwin.twin.params import CarParams, car_params
from actwin.twin.steady import trim
from actwin.twin.steady_ride import Place
from actwin.twin.tyres import rolling_radius
from actwin.units import GRAVITY, RADS_PER_RPM, air_density

Array = NDArray[np.float64]

SPEEDS: Final = np.arange(4.0, 112.1, 6.0)
"""[m/s] Evenly spaced speeds of the tables."""
PUSHES: Final = np.array([-7.0, -3.0, 0.0, 7.0, 20.0])
"""[m/s²] Accelerations by vertical road curvature at which the tables are made."""
SHARES: Final = np.sin(np.linspace(0.0, 0.5 * np.pi, 13))
"""[-] Lateral acceleration over the greatest, denser towards the limit."""
LEVELS: Final = 13
"""Longitudinal accelerations at which the cornering limit is searched, half of them braking."""
HALVINGS: Final = 11


@dataclass(frozen=True, eq=False)
class Envelope:
    """What tyres, engine, brakes and air allow, as tables over speed V, push P and share of the lateral limit R.

    Accelerations are along and across the path and exclude the pull of gravity on slopes.

    Attributes:
        speeds, pushes, shares: Axes of the tables, see the constants of this module.
        lateral: [m/s²] [V, P] Greatest lateral acceleration.
        forward: [m/s²] [V, P, R] Greatest acceleration, negative where drag and scrub exceed the drive.
        backward: [m/s²] [V, P, R] Strongest braking, negative.
        coast: [m/s²] [V] Deceleration with the clutch open, negative.
        steer: [-] [V, R] Steering of the steady turn without longitudinal acceleration, share of the lock.
        sideslip: [rad] [V, R] Its sideslip, left positive, in a left turn.
        shift_speeds: [m/s] Where the automatic shifter goes up from first, second, ...
        shift_time: [s] Without drive in each of these shifts.
        mass: [kg] Car with fuel.
    """

    speeds: Array
    pushes: Array
    shares: Array
    lateral: Array
    forward: Array
    backward: Array
    coast: Array
    steer: Array
    sideslip: Array
    shift_speeds: Array
    shift_time: float
    mass: float

    @property
    def top_speed(self) -> float:
        """[m/s] Speed on a level straight at which the greatest acceleration vanishes."""
        straight = self.forward[:, int(np.argmin(np.abs(self.pushes))), 0]
        beyond = np.flatnonzero(straight <= 0.0)
        if len(beyond) == 0:
            return float(self.speeds[-1])
        i = max(int(beyond[0]), 1)
        share = straight[i - 1] / (straight[i - 1] - straight[i])
        return float(self.speeds[i - 1] + share * (self.speeds[i] - self.speeds[i - 1]))


@jit
def _holds(speed: float, ax: float, ay: float, push: float, place: Place, p: CarParams) -> bool:
    return trim(speed, ax, ay, push, place, p).held > 0.5


@kernel
def _last_held(
    speed: float, ax: float, ay: float, ax_end: float, ay_end: float, push: float, place: Place, p: CarParams
) -> float:
    """Share of the way from accelerations that the car can hold to an end it may not reach, by halving."""
    low, high = 0.0 * speed, 1.0 + 0.0 * speed
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        held = _holds(speed, ax + middle * (ax_end - ax), ay + middle * (ay_end - ay), push, place, p)
        low = middle if held else low
        high = high if held else middle
    return low


@kernel
def _limits(speed: float, push: float, levels: Any, place: Place, p: CarParams) -> Any:
    """Cornering limit from the strongest braking to the greatest drive: [levels, 2] of ax, ay."""
    # Rolling with a touch of brake is possible at any speed.
    front, rear = p.front_axle.static_height, p.rear_axle.static_height
    drag = aero_force(speed, 0.0 * speed, front, rear, place.drs, place.density, p.aero)
    start, far = drag.fx / place.mass - 1.5, 90.0
    slowest = start - far * _last_held(speed, start, 0.0 * speed, start - far, 0.0 * speed, push, place, p)
    fastest = start + far * _last_held(speed, start, 0.0 * speed, start + far, 0.0 * speed, push, place, p)
    middle = np.minimum(0.0, 0.5 * (slowest + fastest))
    table = np.empty((levels, 2))
    half = (levels - 1) // 2
    for k in range(levels):
        ax = slowest + (middle - slowest) * k / half if k <= half else middle + (fastest - middle) * (k - half) / half
        table[k, 0] = ax
        table[k, 1] = far * _last_held(speed, ax, 0.0 * speed, ax, far + 0.0 * speed, push, place, p)
    return table


@kernel
def _tabulate(
    speeds: Any,
    pushes: Any,
    shares: Any,
    levels: int,
    place: Place,
    p: CarParams,
    lateral: Any,
    forward: Any,
    backward: Any,
) -> None:
    for i in range(len(speeds)):
        for j in range(len(pushes)):
            limits = _limits(speeds[i], pushes[j], levels, place, p)
            apex = np.argmax(limits[:, 1])
            lateral[i, j] = limits[apex, 1]
            for k in range(len(shares)):
                wanted = shares[k] * limits[apex, 1]
                up = len(limits) - 1
                while up > apex and limits[up, 1] < wanted:
                    up -= 1
                forward[i, j, k] = _crossing(limits, up, up + 1, wanted)
                down = 0
                while down < apex and limits[down, 1] < wanted:
                    down += 1
                backward[i, j, k] = _crossing(limits, down, down - 1, wanted)


@jit
def _crossing(limits: Any, inside: int, outside: int, wanted: float) -> float:
    """[m/s²] Longitudinal acceleration between two levels at which the cornering limit is the wanted one."""
    if outside < 0 or outside >= len(limits):
        return limits[inside, 0]  # type: ignore[no-any-return]
    drop = limits[inside, 1] - limits[outside, 1]
    share = (limits[inside, 1] - wanted) / drop if drop > 1.0e-9 else 0.0 * wanted
    return limits[inside, 0] + share * (limits[outside, 0] - limits[inside, 0])  # type: ignore[no-any-return]


@kernel
def _turns(speeds: Any, shares: Any, lateral: Any, place: Place, p: CarParams, steer: Any, sideslip: Any) -> None:
    for i in range(len(speeds)):
        for k in range(len(shares)):
            found = trim(speeds[i], 0.0 * speeds[i], 0.995 * shares[k] * lateral[i], 0.0 * speeds[i], place, p)
            steer[i, k] = found.steer
            sideslip[i, k] = found.sideslip


def _coast(p: CarParams, place: Place) -> Array:
    front, rear = p.front_axle.static_height, p.rear_axle.static_height
    drag = [aero_force(v, 0.0, front, rear, place.drs, place.density, p.aero).fx for v in SPEEDS]
    return np.asarray(drag) / place.mass - p.chassis.rolling_resistance * GRAVITY


@lru_cache(maxsize=64)
def performance_envelope(
    car: Car, density: float | None = None, grip: float = 1.0, drs: float = 0.0, fuel: float | None = None
) -> Envelope:
    """Envelope of a car from the twin's own equations, by quasi-steady trim (see `actwin.twin.steady`).

    For each speed and push, the strongest braking and the greatest drive on a straight are found first; between them
    the greatest lateral acceleration is searched at a number of longitudinal accelerations, and the closed curve is
    resampled over lateral acceleration. The g-g diagram of Milliken, "Race Car Vehicle Dynamics", ch. 9. Results are
    kept; a new one takes about a second.

    Args:
        car: The car.
        density: [kg/m³] Air density; that of 20 °C at sea level when not given.
        grip: [-] Factor on tyre grip.
        drs: [-] Drag reduction, 1 open.
        fuel: [kg] On board; the car's default when not given.
    """
    p = car_params(car)
    mass = car.chassis.mass + (car.chassis.fuel if fuel is None else fuel)
    place = Place(float(air_density(20.0) if density is None else density), float(grip), float(drs), float(mass))
    size = (len(SPEEDS), len(PUSHES))
    lateral, forward, backward = np.empty(size), np.empty((*size, len(SHARES))), np.empty((*size, len(SHARES)))
    _tabulate(SPEEDS, PUSHES, SHARES, LEVELS, place, p, lateral, forward, backward)
    steer, sideslip = np.empty((size[0], len(SHARES))), np.empty((size[0], len(SHARES)))
    _turns(SPEEDS, SHARES, lateral[:, int(np.argmin(np.abs(PUSHES)))].copy(), place, p, steer, sideslip)
    ratios = np.asarray(p.drive.ratios[1 : int(p.drive.gears)])
    shifts = []
    for ratio in ratios:
        wheel = p.drive.up_rpm * RADS_PER_RPM / ratio
        shifts.append(wheel * rolling_radius(wheel, p.rear_tyre))
    return Envelope(
        SPEEDS,
        PUSHES,
        SHARES,
        lateral,
        forward,
        backward,
        _coast(p, place),
        steer,
        sideslip,
        np.asarray(shifts),
        p.drive.up_time,
        mass,
    )
