"""How a driver uses the pedals: shares of time, all independent of the sampling rate.

Segers, "Analysis Techniques for Racecar Data Acquisition", 2nd ed., ch. 5 (braking) and 6 (throttle).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from actwin.analysis.corner_points import FULL_THROTTLE
from actwin.analysis.corner_readings import BRAKING
from actwin.analysis.pattern_channels import Floats, time_above, weights

PRESSED: Final = 0.05
"""[-] A pedal that is pressed less is up."""
MOVING: Final = 5.0
"""[m/s] Below it the car is being parked, not driven."""
TURNING: Final = 0.2
"""[-] Share of the greatest lateral acceleration of the lap from which the car is cornering."""
GREATEST: Final = 0.99
"""[-] Quantile that stands for the greatest."""
GRID: Final = 0.1
"""[s] Grid on which movements are counted, so that noise between samples of a fast recording is not."""


def full_throttle_share(time: Floats, throttle: Floats) -> float:
    """[-] Share of time with the throttle above 95 %.

    Args:
        time: [s] [M].
        throttle: [-] [M].
    """
    return _share(time, throttle - FULL_THROTTLE)


def braking_share(time: Floats, brake: Floats) -> float:
    """[-] Share of time with the brake above 5 %."""
    return _share(time, brake - BRAKING)


def overlap_share(time: Floats, throttle: Floats, brake: Floats) -> float:
    """[-] Share of time with both pedals above 5 %."""
    return _share(time, np.minimum(throttle, brake) - PRESSED)


def coasting_share(time: Floats, throttle: Floats, brake: Floats, speed: Floats) -> float:
    """[-] Share of time with both pedals below 5 % and the car faster than 5 m/s."""
    return _share(time, np.minimum(PRESSED - np.maximum(throttle, brake), (speed - MOVING) / MOVING))


def trail_share(time: Floats, brake: Floats, ay: Floats) -> float:
    """[-] Share of the braking that is trailed into a corner: with a fifth of the lap's greatest lateral g or more.

    Args:
        time: [s] [M].
        brake: [-] [M].
        ay: [m/s²] Lateral acceleration [M].

    Returns:
        NaN where there was no braking.
    """
    greatest = float(np.quantile(np.abs(ay), GREATEST))
    braked = time_above(time, brake - BRAKING)
    if braked <= 0.0 or greatest <= 0.0:
        return float("nan")
    trailed = np.minimum(brake - BRAKING, np.abs(ay) / greatest - TURNING)
    return time_above(time, trailed) / braked


def usual_peak(time: Floats, brake: Floats) -> float:
    """[-] Pedal that is exceeded in a tenth of the braking; NaN where there was none."""
    rows = brake >= BRAKING
    if not rows.any():
        return float("nan")
    order = np.argsort(brake[rows])
    share = np.cumsum(weights(time)[rows][order])
    return float(brake[rows][order][np.searchsorted(share, 0.9 * share[-1])])


def activity(time: Floats, values: Floats) -> float:
    """[1/s] Way that a control goes up and down in a second, on a grid of 0.1 s.

    Args:
        time: [s] [M].
        values: [M] Pedal, or steering as a share.
    """
    grid = np.arange(time[0], time[-1], GRID)
    if len(grid) < 2:
        return float("nan")
    driven = float(weights(time).sum())
    return float(np.abs(np.diff(np.interp(grid, time, values))).sum() / max(driven, GRID))


def _share(time: Floats, margin: Floats) -> float:
    whole = float(weights(time).sum())
    return time_above(time, margin) / whole if whole > 0.0 else float("nan")
