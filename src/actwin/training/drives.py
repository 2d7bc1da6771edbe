"""One evaluated episode: what a car did from its start to its end."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.laps import Lap
from actwin.analysis.rollout import Rollout
from actwin.content.car import Car
from actwin.telemetry.channels import Controls, Frames

CUTTING: Final = 3
"""Wheels beyond the track limits that AC counts as an offence."""


class Drive(NamedTuple):
    """One episode: what one car did from one start until its laps were done, or until it could not go on."""

    driver: str
    start: str
    """One of `evaluation.KINDS`, or what else its maker says."""
    place: float
    """[m] Lap distance of the start."""
    asked: int
    """Full laps it was to drive."""
    ended: str
    """"finished", "stopped", "out of fuel", or "out of time"."""
    rollout: Rollout | None
    """Every frame; None where nobody wants to keep them."""
    sent: Controls | None
    """CONTROLS[T] Decided on each frame."""
    laps: list[Lap]
    """From line to line, clean or not."""
    opening: float
    """[s] The lap from the standing start, NaN for other starts; where the grid lies beyond the line it is shorter."""
    excursions: int
    """Times that at least `CUTTING` wheels went beyond the track limits."""
    contacts: int
    """Times that a wall was touched."""
    collision: float
    """[J] Energy lost to walls."""
    mean_speed: float
    """[m/s]"""
    steering: float
    """[1/s] Mean absolute change of the steering, as a share of the lock."""
    pedals: float
    """[1/s] The same for throttle and brake together."""
    reward: float
    """Sum of the task's reward, up to where the task would have called the episode failed."""
    centre_border: float
    """[m] Least distance of the centre of gravity to a track edge, negative beyond it."""
    outline_border: float
    """[m] The same for the nearest corner of the car's outline, negative when a corner was beyond the edge."""

    @property
    def clean(self) -> bool:
        """Whether it drove all its laps and never left the track or touched a wall, before its first lap neither."""
        driven = self.ended == "finished" and all(lap.valid for lap in self.laps)
        return driven and self.excursions == 0 and self.contacts == 0

    @property
    def valid(self) -> list[float]:
        """[s] Times of the laps that count."""
        return [lap.time for lap in self.laps if lap.valid]

    @property
    def best(self) -> float:
        """[s] Fastest valid lap, infinite when there is none."""
        return min(self.valid, default=math.inf)

    @property
    def mean(self) -> float:
        """[s] Mean of the valid laps, NaN when there is none."""
        return float(np.mean(self.valid)) if self.valid else math.nan


def measured(
    run: Rollout,
    sent: Controls,
    start: str,
    asked: int,
    ended: str,
    laps: list[Lap],
    opening: float,
    reward: float,
    car: Car,
) -> Drive:
    """One episode with what its frames tell; for other arguments see `Drive`.

    Args:
        run: Every frame.
        sent: CONTROLS[T] Decided on each.
        start, asked, ended, laps, opening, reward: As of `Drive`.
        car: That was driven.
    """
    frames = run.frames
    out, hit = frames["tyres_out"] >= CUTTING, frames["collision"] > 0.0
    nearest = np.minimum(frames["border_left"], frames["border_right"]).astype(np.float64)
    return Drive(
        driver=run.driver,
        start=start,
        place=float(frames["lap_distance"][0]),
        asked=asked,
        ended=ended,
        rollout=run,
        sent=sent,
        laps=laps,
        opening=opening,
        excursions=_times(out),
        contacts=_times(hit),
        collision=float(frames["collision"].astype(np.float64).sum()),
        mean_speed=float(frames["speed"].astype(np.float64).mean()),
        steering=_rate(frames["steer"], run.period),
        pedals=_rate(frames["throttle"], run.period) + _rate(frames["brake"], run.period),
        reward=reward,
        centre_border=float(nearest.min()),
        outline_border=float((nearest - _reach(frames, car)).min()),
    )


def _times(happening: npt.NDArray[np.bool_]) -> int:
    """How often something began."""
    return int(np.count_nonzero(happening[1:] & ~happening[:-1])) + int(happening[0])


def _rate(values: npt.NDArray[Any], period: float) -> float:
    """[1/s] Mean absolute change."""
    return float(np.abs(np.diff(values.astype(np.float64))).mean() / period) if len(values) > 1 else 0.0


def _reach(frames: Frames, car: Car) -> npt.NDArray[np.float64]:
    """[m] How far the car's outline, a box about its centre of gravity, reaches across the road to either side."""
    sine, cosine = (np.abs(of(frames["heading_error"].astype(np.float64))) for of in (np.sin, np.cos))
    return np.asarray(0.5 * (car.chassis.length * sine + car.chassis.width * cosine))
