"""Corrections with the steering wheel."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.analysis.pattern_channels import Floats, weights

GAP: Final = 0.05
"""[-] Share of the lap's greatest steering by which the wheel must turn back to have been reversed."""
GREATEST: Final = 0.995
"""[-] Quantile of the steering that stands for the greatest."""


def reversals(steer: Floats, gap: float) -> npt.NDArray[np.intp]:
    """Samples at which the steering turned back by the gap or more, [K].

    The steering reversals of SAE J2944 (2015), sec. 10.9: local extremes between which the wheel moves by at least the
    gap; smaller movements in between do not count.

    Args:
        steer: [M] Any unit.
        gap: In the same unit.
    """
    change = np.diff(steer)
    moving = np.flatnonzero(change)
    if len(moving) == 0:
        return np.zeros(0, np.intp)
    direction = np.sign(change[moving])
    turns = moving[1:][direction[1:] != direction[:-1]]  # local extremes, flat tops at their end
    places = [0, *turns.tolist(), len(steer) - 1]
    found: list[int] = []
    low = high = extreme = 0
    side = 0
    for place in places:
        value = steer[place]
        if side == 0:  # until the first movement by the gap
            low, high = (place if value < steer[low] else low), (place if value > steer[high] else high)
            if steer[high] - steer[low] >= gap:
                side, extreme = (1, high) if high > low else (-1, low)
        elif side * (value - steer[extreme]) >= 0.0:
            extreme = place
        elif side * (steer[extreme] - value) >= gap:
            found.append(extreme)
            side, extreme = -side, place
    return np.array(found, np.intp)


def reversal_rate(time: Floats, steer: Floats) -> float:
    """[1/min] Steering reversals by a twentieth of the lap's greatest steering or more.

    Args:
        time: [s] [M].
        steer: [M] Any unit; the rate does not depend on it.
    """
    greatest = float(np.quantile(np.abs(steer), GREATEST))
    driven = float(weights(time).sum())
    if greatest <= 0.0 or driven <= 0.0:
        return float("nan")
    return len(reversals(steer, GAP * greatest)) * 60.0 / driven
