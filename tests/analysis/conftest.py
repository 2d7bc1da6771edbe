"""Runs whose laps are known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from actwin.analysis.rollout import Rollout
from actwin.telemetry.channels import FRAME

LENGTH = 3000.0
SECTORS = (0.0, 900.0, 2100.0)
PERIOD = 0.039
WAVE = 2.0
"""[s] Gained and lost around the lap."""


def passing_time(distance: np.ndarray, mean_speed: float) -> np.ndarray:
    """[s] When a car is at an unwrapped distance: steady progress plus a wave that is 0 at every line."""
    return distance / mean_speed - WAVE * np.sin(2.0 * np.pi * distance / LENGTH)


def place(time: np.ndarray, mean_speed: float) -> np.ndarray:
    """[m] The inverse of `passing_time`, by bisection."""
    low, high = np.full_like(time, -2.0 * LENGTH), np.full_like(time, 9.0 * LENGTH)
    for _ in range(80):
        middle = 0.5 * (low + high)
        late = passing_time(middle, mean_speed) > time
        low, high = np.where(late, low, middle), np.where(late, middle, high)
    return 0.5 * (low + high)


def _known_run(
    driver: str = "A", mean_speed: float = 60.0, laps: int = 2, start: float = -137.0, clock: bool = False
) -> Rollout:
    """Drives from `start` before the line to some way after `laps` laps; each lap takes LENGTH / mean_speed."""
    begin = float(passing_time(np.array(start), mean_speed))
    end = float(passing_time(np.array(laps * LENGTH + 200.0), mean_speed))
    time = np.arange(begin, end, PERIOD)
    distance = place(time, mean_speed)
    frames = np.zeros(len(time), FRAME)
    frames["lap_distance"] = np.mod(distance, LENGTH)
    frames["speed"] = 1.0 / (1.0 / mean_speed - 2.0 * WAVE * np.pi / LENGTH * np.cos(2.0 * np.pi * distance / LENGTH))
    frames["throttle"] = frames["speed"] > mean_speed
    frames["brake"] = frames["speed"] < 0.7 * mean_speed
    frames["gear"] = np.clip(frames["speed"] / 12.0, 1, 8).astype(np.int32)
    frames["x"] = 480.0 * np.cos(2.0 * np.pi * distance / LENGTH)
    frames["y"] = 480.0 * np.sin(2.0 * np.pi * distance / LENGTH)
    frames["lap_valid"] = 1
    if clock:
        lap_time = LENGTH / mean_speed
        frames["lap_count"] = np.maximum(0, np.floor(distance / LENGTH) + 1)
        frames["lap_time"] = np.where(distance < 0.0, time - time[0], np.mod(time, lap_time))
        frames["last_lap_valid"] = 1
    return Rollout(frames, PERIOD, "ring", "kart", driver)


@pytest.fixture
def known_run() -> Callable[..., Rollout]:
    """`known_run(driver, mean_speed, laps, start, clock)`: a run with lap time 3000 m / mean_speed."""
    return _known_run


@pytest.fixture
def known_sectors() -> Callable[[float], np.ndarray]:
    """[s] Exact sector times of `known_run` at a mean speed."""
    return lambda mean_speed: np.diff(passing_time(np.array([*SECTORS, LENGTH]), mean_speed))
