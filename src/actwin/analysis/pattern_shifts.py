"""Shift points: at which engine speed a driver goes up a gear, and where it would be best."""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import numpy as np

from actwin.analysis.pattern_channels import Floats
from actwin.content.car import Car

OPEN: Final = 0.9
"""[-] Throttle from which a shift belongs to an acceleration at full power."""
BEFORE: Final = 0.25
"""[s] Before the shift in which throttle and engine speed are looked at."""


class Shift(NamedTuple):
    """One shift up at full power."""

    time: float
    """[s] Of the first sample in the new gear, or in neutral on the way to it."""
    gear: int
    """That was left."""
    rpm: float
    """[1/min] Highest just before."""


def upshifts(time: Floats, gear: Floats, rpm: Floats, throttle: Floats) -> list[Shift]:
    """Shifts up by one gear at full throttle; neutral in between, as the game shows it, is passed over.

    Args:
        time: [s] [M].
        gear: [1] [M].
        rpm: [1/min] [M].
        throttle: [-] [M].
    """
    engaged = np.flatnonzero(gear >= 0.5)
    whole = np.round(gear[engaged]).astype(int)
    at = np.flatnonzero((np.diff(whole) == 1) & (np.diff(time[engaged]) < 1.0))
    found = []
    for k in at:
        first = engaged[k] + 1
        near = slice(int(np.searchsorted(time, time[first] - BEFORE)), int(first))
        if near.stop > near.start and throttle[near].max() >= OPEN:
            found.append(Shift(float(time[first]), int(whole[k]), float(rpm[near].max())))
    return found


def best_upshifts(car: Car) -> dict[int, float]:
    """[1/min] Where to leave each gear at full throttle, by gear.

    Where the next gear pulls as hard at the same road speed: torque times ratio, Gillespie, "Fundamentals of Vehicle
    Dynamics", ch. 2; at the limiter where it never does before. The time that a shift takes is left out.
    """
    engine, ratios = car.engine, car.transmission.gears
    rpm = np.arange(engine.idle_rpm, engine.limiter_rpm + 1.0, 5.0)
    here = np.interp(rpm, engine.rpm, engine.torque)
    best = {}
    for gear, (ratio, following) in enumerate(itertools.pairwise(ratios), start=1):
        there = np.interp(rpm * following / ratio, engine.rpm, engine.torque)
        weaker = np.flatnonzero(here * ratio > there * following)
        last = int(weaker[-1]) if len(weaker) else len(rpm) - 1
        best[gear] = float(rpm[last])
    return best


def upshift_rpm(shifts: list[Shift]) -> float:
    """[1/min] Median engine speed of the shifts up, NaN without any."""
    return float(np.median([shift.rpm for shift in shifts])) if shifts else float("nan")


def upshift_miss(shifts: list[Shift], best: dict[int, float]) -> float:
    """[1/min] Median of the engine speed above the best one, negative = too early; NaN without shifts."""
    misses = [shift.rpm - best[shift.gear] for shift in shifts if shift.gear in best]
    return float(np.median(misses)) if misses else float("nan")
