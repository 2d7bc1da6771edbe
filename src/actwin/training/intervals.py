"""How far a mean or a share of few values can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE: Final = 0.95


class Interval(NamedTuple):
    """An estimate with the range in which the truth lies at 95 % confidence; NaN where nothing can be said."""

    mean: float
    low: float
    high: float
    values: int
    """How many it is from."""

    @property
    def half(self) -> float:
        """Half the width of the range."""
        return 0.5 * (self.high - self.low)


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean of independent values, by Student's t distribution.

    One value has a mean but no range: nothing is known about its spread.

    Args:
        values: Those that are not finite do not count.
    """
    known = np.array([value for value in values if math.isfinite(value)], np.float64)
    if known.size < 2:
        return Interval(float(known[0]) if known.size else math.nan, math.nan, math.nan, known.size)
    mean, error = float(known.mean()), float(known.std(ddof=1)) / math.sqrt(known.size)
    half = float(stats.t.ppf(0.5 + 0.5 * CONFIDENCE, known.size - 1)) * error
    return Interval(mean, mean - half, mean + half, known.size)


def share_interval(successes: int, trials: int) -> Interval:
    """Share of successes in independent trials, by Wilson's score interval.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Unlike a mean
    with its standard error it says something of 32 out of 32, too: at least 89 %.

    Args:
        successes: How many.
        trials: Out of how many.
    """
    if trials == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    z = float(stats.norm.ppf(0.5 + 0.5 * CONFIDENCE))
    share, weight = successes / trials, 1.0 + z**2 / trials
    middle = (share + 0.5 * z**2 / trials) / weight
    half = z / weight * math.sqrt(share * (1.0 - share) / trials + 0.25 * z**2 / trials**2)
    # Exactly so at the ends, where rounding could cross them.
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == trials else middle + half
    return Interval(share, low, high, trials)
