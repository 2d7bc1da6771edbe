"""The g-g diagram: what the car could do in each direction, and how much of it a driver uses.

Milliken and Milliken, "Race Car Vehicle Dynamics", ch. 9. The share that is used is the length of the acceleration over
the length at which the limit is reached in its direction: 1 at the limit.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial import ConvexHull, QhullError

from actwin.analysis.compare import Trace
from actwin.analysis.pattern_channels import AbsentError, Floats, clean, lateral, longitudinal
from actwin.planning.envelope import Envelope

ANGLES: Final = np.linspace(0.0, np.pi, 61)
"""[rad] Directions of the limit, from straight acceleration over cornering to straight braking."""
BANDS: Final = 4
"""Ranges of speed in which the limit is taken from data: downforce makes it grow with speed."""
RARE: Final = 0.98
"""[-] Quantile of the accelerations in a direction beyond which they are hits and kerbs, not grip."""
WORKING: Final = 3.0
"""[m/s²] Cornering or braking from which the tyres are asked for something."""
LIMIT: Final = 0.9
"""[-] Share from which a driver is at the limit."""
_REACH: Final = 120.0
_FEWEST: Final = 40


@dataclass(frozen=True, eq=False)
class Limit:
    """The greatest acceleration in each direction at each speed, alike to both sides.

    Attributes:
        speeds: [m/s] [V].
        radius: [m/s²] [V, 61] By direction, see `ANGLES`.
        source: "car" when it comes from a model, "data" when it is the hull of what was driven.
    """

    speeds: Floats
    radius: Floats
    source: str

    def use(self, speed: Floats, ax: Floats, ay: Floats) -> Floats:
        """[-] Share of the limit that is used, [M]; all arguments [M], accelerations in m/s²."""
        table = RegularGridInterpolator((self.speeds, ANGLES), self.radius)
        angle = np.arctan2(np.abs(ay), ax)
        at = np.clip(speed, self.speeds[0], self.speeds[-1])
        return np.asarray(np.hypot(ax, ay) / np.maximum(table(np.stack([at, angle], axis=-1)), 1e-3))


def limit_of_car(envelope: Envelope) -> Limit:
    """The limit on a level road by the car's own envelope, `planning.envelope.performance_envelope(car, ...)`.

    Towards acceleration the engine is the limit, not the tyres.
    """
    level = int(np.argmin(np.abs(envelope.pushes)))
    speeds, shares = envelope.speeds, envelope.shares
    shape = (len(speeds), len(ANGLES))
    along, across = np.cos(ANGLES), np.sin(ANGLES)
    low, high = np.zeros(shape), np.full(shape, _REACH)
    for _ in range(24):
        middle = 0.5 * (low + high)
        held = np.empty(shape, bool)
        for i in range(len(speeds)):
            ay, ax = middle[i] * across, middle[i] * along
            share = ay / envelope.lateral[i, level]
            forward = np.interp(share, shares, envelope.forward[i, level])
            backward = np.interp(share, shares, envelope.backward[i, level])
            # Where drag alone is more than the drive, going straight on is still possible.
            held[i] = (share <= 1.0) & (ax <= np.maximum(forward, 0.05)) & (ax >= np.minimum(backward, -0.05))
        low, high = np.where(held, middle, low), np.where(held, high, middle)
    return Limit(np.asarray(speeds), low, "car")


def limit_of_data(laps: Sequence[Trace]) -> Limit:
    """The convex hull of what was driven, in four ranges of speed; left and right are taken together.

    The hull is of the accelerations that are exceeded in 2 % of the samples of their direction. It tells what these
    drivers reached, not what the car can do.

    Args:
        laps: With `speed`, and `ax` and `ay` or what they follow from.

    Raises:
        AbsentError: No lap has these channels, or too few samples.
    """
    parts = []
    for lap in laps:
        try:
            parts.append(np.stack([clean(lap, "speed"), longitudinal(lap), np.abs(lateral(lap))]))
        except AbsentError:
            continue
    if not parts or sum(part.shape[1] for part in parts) < BANDS * _FEWEST:
        raise AbsentError(("speed and accelerations",))
    speed, ax, ay = np.concatenate(parts, axis=1)
    edges = np.quantile(speed, np.linspace(0.0, 1.0, BANDS + 1))
    bands = [(speed >= low) & (speed <= high) for low, high in itertools.pairwise(edges)]
    speeds = np.maximum.accumulate([float(np.median(speed[band])) for band in bands])
    speeds = speeds + 1e-6 * np.arange(BANDS)
    return Limit(speeds, np.array([_hull(ax[band], ay[band]) for band in bands]), "data")


def _hull(ax: Floats, ay: Floats) -> Floats:
    """[m/s²] Radius of the hull by direction."""
    angle, size = np.arctan2(ay, ax), np.hypot(ax, ay)
    sector = np.minimum((angle / np.pi * 18.0).astype(int), 17)
    kept = np.zeros(len(ax), bool)
    for k in np.unique(sector):
        mine = sector == k
        kept |= mine & (size <= np.quantile(size[mine], RARE))
    small = 0.5 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)  # the hull holds the origin, whatever was driven
    points = np.concatenate([np.stack([ax[kept], ay[kept]], axis=1), small])
    try:
        planes = ConvexHull(np.concatenate([points, points * [1.0, -1.0]])).equations
    except QhullError as error:
        raise AbsentError(needs="accelerations that differ") from error
    ahead = np.stack([np.cos(ANGLES), np.sin(ANGLES)]).T @ planes[:, :2].T
    reach = np.where(ahead > 1e-9, -planes[:, 2] / np.maximum(ahead, 1e-9), _REACH)
    return np.asarray(reach.min(axis=1))


def grip_use(lap: Trace, limit: Limit) -> Floats:
    """[-] Share of the limit that a lap uses, [M]; NaN where the tyres are asked for little (under 3 m/s² braking or
    cornering).

    Raises:
        AbsentError: The lap lacks `speed` or accelerations.
    """
    ax, ay = longitudinal(lap), lateral(lap)
    use = limit.use(clean(lap, "speed"), ax, ay)
    return np.where((np.abs(ay) >= WORKING) | (ax <= -WORKING), use, np.nan)
