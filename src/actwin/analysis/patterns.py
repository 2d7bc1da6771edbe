"""Driving patterns of laps: one number for each habit, declared in one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from actwin.analysis import pattern_balance as balance
from actwin.analysis import pattern_pedals as pedals
from actwin.analysis import pattern_shifts as shifts
from actwin.analysis.compare import Trace
from actwin.analysis.driven_laps import pandas
from actwin.analysis.pattern_channels import AbsentError, Floats, clean, lateral, longitudinal, steering
from actwin.analysis.pattern_grip import LIMIT, Limit, grip_use, limit_of_car, limit_of_data
from actwin.analysis.pattern_steering import GREATEST, reversal_rate
from actwin.content.car import Car
from actwin.planning.envelope import performance_envelope
from actwin.units import GRAVITY

if TYPE_CHECKING:
    from pandas import DataFrame

HARDEST: Final = 0.99
"""[-] Quantile of an acceleration that stands for the greatest."""


@dataclass(frozen=True, eq=False)
class Habits:
    """One lap with what its numbers are made of; what is missing shows when a number is asked for.

    Attributes:
        lap: At its own samples, or on a common axis.
        car: That was driven, if it is known.
        limit: Of the g-g diagram; None when neither car nor data tell one.
    """

    lap: Trace
    car: Car | None = None
    limit: Limit | None = None

    def channel(self, name: str) -> Floats:
        """[M] A channel."""
        return clean(self.lap, name)

    @cached_property
    def use(self) -> Floats:
        """[-] Share of the limit, where the tyres are asked for something."""
        if self.limit is None:
            raise AbsentError(("speed and accelerations",))
        use = grip_use(self.lap, self.limit)
        return use[np.isfinite(use)]

    @cached_property
    def balance(self) -> Floats:
        """[rad] Understeer angle, [M]."""
        return balance.understeer_angle(self.lap, self.car)

    @cached_property
    def upshifts(self) -> list[shifts.Shift]:
        """Shifts up at full throttle."""
        return shifts.upshifts(self.lap.time, self.channel("gear"), self.channel("rpm"), self.channel("throttle"))

    @property
    def best_upshifts(self) -> dict[int, float]:
        """[1/min] By gear."""
        if self.car is None:
            raise AbsentError(needs="a car model")
        return shifts.best_upshifts(self.car)


SHOWN: Final = {"-": (100.0, "%", 1), "g": (1.0, "g", 2), "1/s": (1.0, "1/s", 2), "1/min": (1.0, "1/min", 0)}
"""Factor, unit and digits that numbers are shown with, by their unit; shares are shown in per cent."""


class Pattern(NamedTuple):
    """One number about how a lap was driven."""

    name: str
    unit: str
    meaning: str
    measure: Callable[[Habits], float]

    @property
    def shown_unit(self) -> str:
        """Of `text`."""
        return SHOWN[self.unit][1]

    def text(self, value: float) -> str:
        """The number for people, without its unit; empty when it is not known."""
        factor, _, digits = SHOWN[self.unit]
        return f"{factor * value:.{digits}f}" if math.isfinite(value) else ""


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _steering_share(habits: Habits) -> Floats:
    """[-] Steering over the lap's greatest, so that lock and unit do not matter."""
    steer = steering(habits.lap)
    greatest = float(np.quantile(np.abs(steer), GREATEST))
    return steer / greatest if greatest > 0.0 else steer


PATTERNS: Final = (
    Pattern("full_throttle", "-", "share of time above 95 % throttle",
            lambda h: pedals.full_throttle_share(h.lap.time, h.channel("throttle"))),
    Pattern("braking", "-", "share of time above 5 % brake",
            lambda h: pedals.braking_share(h.lap.time, h.channel("brake"))),
    Pattern("coasting", "-", "share of time with both pedals below 5 %",
            lambda h: pedals.coasting_share(
                h.lap.time, h.channel("throttle"), h.channel("brake"), h.channel("speed"))),
    Pattern("overlap", "-", "share of time with both pedals above 5 %",
            lambda h: pedals.overlap_share(h.lap.time, h.channel("throttle"), h.channel("brake"))),
    Pattern("trail_braking", "-", "share of the braking at a fifth of the lap's greatest lateral g or more",
            lambda h: pedals.trail_share(h.lap.time, h.channel("brake"), lateral(h.lap))),
    Pattern("peak_brake", "-", "brake pedal exceeded in a tenth of the braking",
            lambda h: pedals.usual_peak(h.lap.time, h.channel("brake"))),
    Pattern("throttle_activity", "1/s", "way of the throttle up and down in a second",
            lambda h: pedals.activity(h.lap.time, h.channel("throttle"))),
    Pattern("brake_activity", "1/s", "the same of the brake",
            lambda h: pedals.activity(h.lap.time, h.channel("brake"))),
    Pattern("steering_activity", "1/s", "the same of the steering over its greatest in the lap",
            lambda h: pedals.activity(h.lap.time, _steering_share(h))),
    Pattern("steering_reversals", "1/min", "steering turned back by a twentieth of its greatest or more",
            lambda h: reversal_rate(h.lap.time, steering(h.lap))),
    Pattern("lateral_g", "g", "lateral acceleration exceeded in a hundredth of the samples",
            lambda h: float(np.quantile(np.abs(lateral(h.lap)), HARDEST)) / GRAVITY),
    Pattern("braking_g", "g", "deceleration exceeded in a hundredth of the samples",
            lambda h: float(np.quantile(-longitudinal(h.lap), HARDEST)) / GRAVITY),
    Pattern("grip_use", "-", "mean share of the g-g limit while braking or cornering above 3 m/s²",
            lambda h: _mean(h.use)),
    Pattern("at_limit", "-", "share of those samples above 90 % of the limit",
            lambda h: _mean((h.use >= LIMIT).astype(np.float64))),
    Pattern("understeer", "-", "share of the turning time in which the front slides 2 degrees more than the rear",
            lambda h: balance.slide_share(h.lap.time, h.balance, "understeer")),
    Pattern("oversteer", "-", "share of the turning time in which the rear slides 2 degrees more than the front",
            lambda h: balance.slide_share(h.lap.time, h.balance, "oversteer")),
    Pattern("upshift_rpm", "1/min", "median engine speed of the shifts up at full throttle",
            lambda h: shifts.upshift_rpm(h.upshifts)),
    Pattern("upshift_miss", "1/min", "median of the same above the best engine speed of each gear, negative = early",
            lambda h: shifts.upshift_miss(h.upshifts, h.best_upshifts)),
)  # fmt: skip
"""Every pattern, in the order of the table."""


def pattern_table(laps: Sequence[Trace], car: Car | None = None, limit: Limit | None = None) -> DataFrame:
    """One row for each lap, one column for each of `PATTERNS`, after `driver` and `lap_time` [s].

    A number that a lap lacks the channels for is NaN; `table.attrs["absent"]` says why, by column, for those that no
    lap has; `table.attrs["limit"]` is "car" or "data", whatever the g-g limit came from.

    Args:
        laps: At their own samples (`lap_of`) or on a distance axis.
        car: That was driven; needed for the best shift points, and makes balance and limit exact.
        limit: Of the g-g diagram; the car's own on the level at 20 °C, or else the hull of these laps, when not given.
    """
    if limit is None:
        limit = _limit(laps, car)
    habits = [Habits(lap, car, limit) for lap in laps]
    columns: dict[str, list[float]] = {}
    absent: dict[str, str] = {}
    for pattern in PATTERNS:
        values, reason = [], ""
        for lap in habits:
            try:
                values.append(pattern.measure(lap))
            except AbsentError as error:
                values.append(float("nan"))
                reason = error.reason
        columns[pattern.name] = values
        if reason and not np.isfinite(values).any():
            absent[pattern.name] = reason
    names = {"driver": [lap.driver for lap in laps], "lap_time": [float(np.ptp(lap.time)) for lap in laps]}
    table = pandas().DataFrame(names | columns)
    table.attrs["absent"] = absent
    table.attrs["limit"] = limit.source if limit is not None else ""
    return table


def _limit(laps: Sequence[Trace], car: Car | None) -> Limit | None:
    if car is not None:
        return limit_of_car(performance_envelope(car))
    try:
        return limit_of_data(laps)
    except AbsentError:
        return None
