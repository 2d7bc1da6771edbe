"""Periodic functions of lap distance given by a few knots."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

Array = NDArray[np.float64]


class Linear:
    """Straight lines between knots, continuous over the line.

    Args:
        knots: [m] [K] Rising distances in [0, period); one knot gives a constant.
        values: [K] Values there.
        period: [m] Length of the lap.
    """

    def __init__(self, knots: ArrayLike, values: ArrayLike, period: float) -> None:
        self.knots, self.values = np.array(knots, dtype=np.float64), np.array(values, dtype=np.float64)
        self.period = float(period)
        self._s = np.concatenate([[self.knots[-1] - period], self.knots, [self.knots[0] + period]])
        self._v = np.concatenate([self.values[-1:], self.values, self.values[:1]])

    def __call__(self, s: ArrayLike) -> Array:
        """Value at lap distance s [m], any shape."""
        return np.asarray(np.interp(np.mod(s, self.period), self._s, self._v))


class Steps:
    """Whole numbers that hold from one knot to the next.

    Args:
        knots: [m] [K] Rising distances in [0, period).
        values: [K] Values from there on; before the first knot the last one holds.
        period: [m] Length of the lap.
    """

    def __init__(self, knots: ArrayLike, values: ArrayLike, period: float) -> None:
        self.knots, self.values = np.array(knots, dtype=np.float64), np.array(values, dtype=np.int32)
        self.period = float(period)

    def __call__(self, s: ArrayLike) -> NDArray[np.int32]:
        """Value at lap distance s [m], any shape."""
        return np.asarray(self.values[np.searchsorted(self.knots, np.mod(s, self.period), side="right") - 1])


class Smooth:
    """Periodic cubic spline through knots: value, slope and second derivative are continuous everywhere.

    Args:
        knots: [m] [K] Rising distances in [0, period); fewer than three give the constant mean.
        values: [K] Values there.
        period: [m] Length of the lap.
    """

    def __init__(self, knots: ArrayLike, values: ArrayLike, period: float) -> None:
        self.knots, self.values = np.array(knots, dtype=np.float64), np.array(values, dtype=np.float64)
        self.period = float(period)
        s, v = np.append(self.knots, self.knots[0] + period), np.append(self.values, self.values[0])
        if len(self.knots) < 3:
            s, v = np.array([0.0, period]), np.full(2, self.values.mean())
        self._spline = CubicSpline(s, v, bc_type="periodic")

    def __call__(self, s: ArrayLike, derivative: int = 0) -> Array:
        """Value, or derivative of the given order with respect to distance, at lap distance s [m]."""
        return np.asarray(self._spline(s, derivative))
