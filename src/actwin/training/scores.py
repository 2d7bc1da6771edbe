"""What a trainer wants to know of test drives: one number to choose by, a few to show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from actwin.training.drives import Drive


def rate(drives: Sequence[Drive], predicted: float) -> float:
    """How good a driver is in one number, higher is better: minus the mean lap time, with what is not clean paid for.

    A drive without a lap counts as three predicted laps; one that is not clean as half a predicted lap more than its
    fastest: what is lost by crashing once in a while is more than what is won by driving at the limit.

    Args:
        drives: Of one driver.
        predicted: [s] Lap time of the speed profile.
    """
    total = 0.0
    for drive in drives:
        if not drive.laps:
            total += 3.0 * predicted
        else:
            total += min(lap.time for lap in drive.laps) + (0.0 if drive.clean else 0.5 * predicted)
    return -total / len(drives)


def scalars(drives: Sequence[Drive]) -> Mapping[str, float]:
    """What the board shows of one driver's drives.

    Args:
        drives: Of one driver.
    """
    valid = [lap for drive in drives for lap in drive.laps if lap.valid]
    best = min(valid, key=lambda lap: lap.time, default=None)
    shown = {
        "clean_share": sum(drive.clean for drive in drives) / len(drives),
        "best_lap": math.inf if best is None else best.time,
        "mean_lap": float(np.mean([lap.time for lap in valid])) if valid else math.nan,
        "excursions": float(sum(drive.excursions for drive in drives)),
        "contacts": float(sum(drive.contacts for drive in drives)),
        "collision": sum(drive.collision for drive in drives),
        "mean_speed": float(np.mean([drive.mean_speed for drive in drives])),
        "smoothness": float(np.mean([drive.steering for drive in drives])),
        "least_border": min(drive.outline_border for drive in drives),
        "reward": float(np.mean([drive.reward for drive in drives])),
    }
    if best is not None:
        shown |= {f"sector_{number}": time for number, time in enumerate(best.sectors, start=1)}
    for start in dict.fromkeys(drive.start for drive in drives):
        shown[f"{start}_lap"] = min(drive.best for drive in drives if drive.start == start)
    return shown
