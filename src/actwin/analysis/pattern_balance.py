"""Understeer and oversteer, from steering and yaw rate.

Of a bicycle with wheelbase L, front wheels at the angle d, forward speed v and yaw rate r, the slip angles f and b of
front and back axle differ by exactly f - b = L r / v - d, whatever the tyres do (Milliken and Milliken, "Race Car
Vehicle Dynamics", ch. 5). So the wheel's angle beyond L r / v, counted into the turn, is by how much the front slides
more than the rear: above zero the car understeers, below zero it oversteers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from actwin.analysis.compare import Trace
from actwin.analysis.pattern_channels import (
    AbsentError,
    Flags,
    Floats,
    clean,
    forward_speed,
    known,
    lateral,
    runs,
    steering,
    stretch_above,
    wheels,
)
from actwin.content.car import Car

USUAL_WHEELBASE: Final = 2.7
"""[m] Taken where the car is not known; it only scales the angle."""
SLOWEST: Final = 8.0
"""[m/s] Below it, as among the pits, there is no balance to speak of."""
TURNING: Final = 3.0
"""[m/s²] Lateral acceleration from which the car is turning."""
SLIDE: Final = np.deg2rad(2.0)
"""[rad] Difference of the axles' slip angles that makes a moment of understeer or oversteer ..."""
HELD: Final = 0.15
"""[s] ... when it lasts so long."""
SPINNING: Final = 0.3
"""[rad] Angle between the car and its motion beyond which it spins, and no axle can be said to slide more."""
POOR: Final = 0.3
"""[-] Share of the steering that the fit may leave unexplained."""
EASY: Final = 0.4
"""[-] Share of the lap's greatest lateral acceleration up to which the car is taken to steer as it is built."""


class Slide(NamedTuple):
    """A moment of understeer or oversteer."""

    kind: str
    """`understeer` or `oversteer`."""
    begin: float
    """[s] Time of the lap."""
    end: float
    """[s]"""
    distance: float
    """[m] Where it is worst."""
    angle: float
    """[rad] There: front minus rear slip angle, positive = understeer."""


def understeer_angle(lap: Trace, car: Car | None = None) -> Floats:
    """[rad] By how much the front axle slides more than the rear, [M]; NaN where the car hardly turns, or spins.

    With the car, its lock and wheelbase are used. Without it the steering that a turn needs is fitted to the easier
    part of the lap itself: steer = c r / v + k a, with the yaw rate r and the lateral acceleration a; c stands for the
    wheelbase over the lock, which a wheelbase of 2.7 m turns into an angle.

    Args:
        lap: With `yaw_rate`, `speed` or `vx`, and `steer` or `steer_angle`.
        car: That was driven.

    Raises:
        AbsentError: A channel is missing, or the steering is too wild to be fitted.
    """
    if not known(lap, "yaw_rate"):
        raise AbsentError(("yaw_rate",))
    speed = forward_speed(lap)
    turn = clean(lap, "yaw_rate") / np.maximum(speed, SLOWEST)
    ay = lateral(lap)
    if car is None:
        wheel, wheelbase = _fitted_angle(lap, turn, ay, speed), USUAL_WHEELBASE
    else:
        wheel, wheelbase = _road_wheel(lap, car), car.chassis.wheelbase
    return np.where(_judged(lap, speed, ay), np.sign(ay) * (wheel - wheelbase * turn), np.nan)


def _judged(lap: Trace, speed: Floats, ay: Floats) -> Flags:
    """Where there is a balance to speak of: moving, turning, not spinning as far as that is known."""
    aside = np.abs(clean(lap, "vy")) if known(lap, "vy") else np.zeros(len(speed))
    return np.asarray((speed >= SLOWEST) & (np.abs(ay) >= TURNING) & (aside <= SPINNING * speed))


def _road_wheel(lap: Trace, car: Car) -> Floats:
    """[rad] Angle of the front wheels."""
    if known(lap, "steer"):
        return clean(lap, "steer") * car.steering.lock
    return steering(lap) * (car.steering.lock / car.steering.wheel_lock)


def _fitted_angle(lap: Trace, turn: Floats, ay: Floats, speed: Floats) -> Floats:
    steer = steering(lap)
    greatest = float(np.quantile(np.abs(ay), 0.99))
    easy = (speed >= SLOWEST) & (np.abs(ay) <= EASY * greatest) & (np.abs(ay) > 0.1 * greatest)
    if np.count_nonzero(easy) < 20:
        raise AbsentError(needs="a car model, or turns to fit one to")
    terms = np.stack([turn[easy], ay[easy]], axis=1)
    weight = np.ones(len(terms))
    found: Floats = np.zeros(2)
    for _ in range(5):  # least absolute residuals by reweighting: slides are outliers
        root = np.sqrt(weight)
        found = np.asarray(np.linalg.lstsq(terms * root[:, None], steer[easy] * root, rcond=None)[0], np.float64)
        rest = np.abs(steer[easy] - terms @ found)
        weight = 1.0 / np.maximum(rest, 0.1 * float(np.median(rest)) + 1e-9)
    left = float(np.abs(steer[easy] - terms @ found).sum() / max(np.abs(steer[easy]).sum(), 1e-12))
    if not found[0] > 0.0 or left > POOR:
        raise AbsentError(needs="a car model, or calmer steering to fit one to")
    return np.asarray(steer * USUAL_WHEELBASE / found[0])


def slip_difference(lap: Trace) -> Floats:
    """[rad] The same from the tyres' slip angles, where they are known: what the estimate is judged by, [M].

    Raises:
        AbsentError: The lap has no slip angles.
    """
    slip, ay = wheels(lap, "slip_angle"), lateral(lap)
    speed = forward_speed(lap)
    # A tyre that pushes the car to the left slides to the right: its angle is negative.
    more = -np.sign(ay) * (slip[:, :2].mean(axis=1) - slip[:, 2:].mean(axis=1))
    return np.where(_judged(lap, speed, ay), more, np.nan)


def slides(time: Floats, distance: Floats, angle: Floats, limit: float = SLIDE, least: float = HELD) -> list[Slide]:
    """Moments in which one axle slides more than the other, in order of time.

    Args:
        time: [s] [M].
        distance: [m] [M].
        angle: [rad] [M] As from `understeer_angle`.
        limit: [rad] Difference that counts.
        least: [s] How long at least.
    """
    found = []
    for kind, side in (("understeer", 1.0), ("oversteer", -1.0)):
        for first, last in runs(_over(side * angle, limit)):
            begin, end = _edge(time, side * angle, limit, first, -1), _edge(time, side * angle, limit, last, 1)
            if end - begin >= least:
                worst = first + int(np.argmax(side * angle[first : last + 1]))
                found.append(Slide(kind, begin, end, float(distance[worst]), float(angle[worst])))
    return sorted(found, key=lambda slide: slide.begin)


def _over(values: Floats, limit: float) -> Flags:
    with np.errstate(invalid="ignore"):
        return np.asarray(values > limit)


def _edge(time: Floats, values: Floats, limit: float, row: int, step: int) -> float:
    """[s] When the limit is passed between a sample beyond it and its neighbour; at the sample next to unknown ones."""
    other = row + step
    if not 0 <= other < len(time) or not np.isfinite(values[other]):
        return float(time[row])
    share = (values[row] - limit) / (values[row] - values[other])
    return float(time[row] + share * (time[other] - time[row]))


def slide_share(time: Floats, angle: Floats, kind: str) -> float:
    """[-] Share of the turning time in which the car understeers or oversteers by 2 degrees or more.

    Args:
        time: [s] [M].
        angle: [rad] [M] As from `understeer_angle`.
        kind: `understeer` or `oversteer`.
    """
    side = 1.0 if kind == "understeer" else -1.0
    turning = np.isfinite(angle)
    both = turning[1:] & turning[:-1]
    whole = stretch_above(time, np.ones(len(time)))[both].sum()
    over = stretch_above(time, np.where(turning, side * angle - SLIDE, -1.0))[both].sum()
    return float(over / whole) if whole > 0.0 else float("nan")
