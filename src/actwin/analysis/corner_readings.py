"""One lap's channels as the search for corner points reads them: places that are crossed, brakings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.interpolate import PchipInterpolator

from actwin.analysis.compare import Trace
from actwin.analysis.corner_spans import path_curvature
from actwin.analysis.pattern_channels import AbsentError, Floats, clean, known, steering

BRAKING: Final = 0.05
"""[-] Brake pedal from which the car is braked."""
LEAST_PEAK: Final = 0.1
"""[-] A touch of the pedal that stays below is no braking."""
BRAKE_PAUSE: Final = 0.2
"""[s] The pedal may come up for so long within one braking."""


@dataclass(frozen=True)
class Readings:
    """One lap's channels; None where the lap does not have one.

    Attributes:
        s, t: [m], [s] [M], strictly and never falling.
        curvature: [1/m] Of the driven path.
        gaps: [m] [2, M] To the left and to the right edge of the road.
        brakings: [m] [K, 2] Where each braking begins and ends.
    """

    s: Floats
    t: Floats
    speed: Floats | None
    brake: Floats | None
    throttle: Floats | None
    steer: Floats | None
    gear: Floats | None
    curvature: Floats | None
    gaps: Floats | None
    brakings: Floats

    @classmethod
    def of(cls, lap: Trace) -> Readings:
        """Those of a lap, on a common axis or at its own samples; what it did not drive is left out."""
        told = np.flatnonzero(np.isfinite(lap.time) & np.isfinite(lap.distance))
        reach = np.maximum.accumulate(lap.distance[told])
        rows = told[np.diff(reach, prepend=-np.inf) > 1e-9]
        lap = Trace(lap.driver, lap.distance[rows], lap.time[rows], {k: v[rows] for k, v in lap.channels.items()})
        found = {
            name: clean(lap, name) if known(lap, name) else None for name in ("speed", "brake", "throttle", "gear")
        }
        gaps = [clean(lap, name) for name in ("border_left", "border_right") if known(lap, name)]
        brake = found["brake"]
        return cls(
            s=lap.distance,
            t=lap.time,
            steer=_or_none(steering, lap),
            curvature=_or_none(path_curvature, lap),
            gaps=np.array(gaps) if len(gaps) == 2 else None,
            brakings=brakings(lap.distance, lap.time, brake) if brake is not None else np.empty((0, 2)),
            **found,
        )

    def rows(self, first: float, last: float) -> slice:
        """Samples from one place [m] to another, at least one."""
        return rows_between(self.s, first, last)

    def passed(self, places: Floats) -> Floats:
        """[s] When places [m] were passed, by a monotone cubic."""
        return np.asarray(PchipInterpolator(self.s, self.t)(np.clip(places, self.s[0], self.s[-1])), np.float64)


def _or_none(read: Callable[[Trace], Floats], lap: Trace) -> Floats | None:
    try:
        return read(lap)
    except AbsentError:
        return None


def rows_between(s: Floats, first: float, last: float) -> slice:
    """Samples from one place to another, at least one.

    Args:
        s: [m] [M].
        first, last: [m]
    """
    low, high = np.searchsorted(s, (first, last))
    low = min(int(low), len(s) - 1)
    return slice(low, max(int(high) + 1, low + 1))


def rises(s: Floats, values: Floats, level: float) -> Floats:
    """[m] Places at which a channel, linear between its samples, passes a level upwards, [K].

    Args:
        s: [m] [M].
        values: [M].
        level: To be passed.
    """
    rows = np.flatnonzero((values[:-1] < level) & (values[1:] >= level))
    share = (level - values[rows]) / (values[rows + 1] - values[rows])
    return np.asarray(s[rows] + share * (s[rows + 1] - s[rows]))


def falls(s: Floats, values: Floats, level: float) -> Floats:
    """[m] The same downwards."""
    return rises(s, -values, -level)


def brakings(s: Floats, t: Floats, brake: Floats) -> Floats:
    """[m] Where each braking begins and ends, [K, 2]; one that was on when the lap began begins at its first place."""
    if not len(brake):
        return np.empty((0, 2))
    begin, end = rises(s, brake, BRAKING), falls(s, brake, BRAKING)
    if brake[0] >= BRAKING:
        begin = np.concatenate(([s[0]], begin))
    if brake[-1] >= BRAKING:
        end = np.concatenate((end, [s[-1]]))
    pause = np.interp(begin[1:], s, t) - np.interp(end[:-1], s, t)
    apart = np.concatenate(([True], pause > BRAKE_PAUSE))
    zones = np.stack([begin[apart], end[np.append(apart[1:], True)]], axis=1) if len(begin) else np.empty((0, 2))
    hard = [bool(brake[rows_between(s, *zone)].max() >= LEAST_PEAK) for zone in zones]
    braked: Floats = zones[np.array(hard, bool)]
    return braked
