"""A closed plane curve whose curvature is piecewise linear over its length (a chain of clothoids)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

CELL: Final = 1.0
"""[m] Longest cell of the integration table; 0.2 rad of turn in one leaves an error near 1e-11 m."""

NODES, WEIGHTS = (np.asarray(v) for v in np.polynomial.legendre.leggauss(4))
NODES, WEIGHTS = 0.5 * (NODES + 1.0), 0.5 * WEIGHTS


def integrate_heading(heading: Array, curvature: Array, slope: Array, distance: Array) -> tuple[Array, Array]:
    """Displacement along a short clothoid, by Gauss-Legendre quadrature with four points.

    x = int_0^d cos(theta + kappa u + c u^2 / 2) du, y likewise with sin.

    Args:
        heading: [rad] At the beginning.
        curvature: [1/m] At the beginning.
        slope: [1/m^2] Change of curvature with distance.
        distance: [m] Length of the piece, at most about one metre.

    Returns:
        [m] x and y of its end seen from its beginning, in the frame of the heading.
    """
    x, y = np.zeros_like(distance), np.zeros_like(distance)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        u = node * distance
        angle = heading + u * (curvature + 0.5 * slope * u)
        x += weight * np.cos(angle)
        y += weight * np.sin(angle)
    return x * distance, y * distance


class ClothoidLoop:
    """A closed curve given by its curvature at knots, joined linearly.

    Curvature is continuous all around, heading is quadratic and position an integral with an error near 1e-10 m.
    Curvature that almost closes is corrected by the smallest change (in the L2 sense over distance) that closes heading
    and position exactly.

    Args:
        knots: [m] [K] Distance of the knots, rising, the first 0.
        curvature: [1/m] [K] Positive to the left.
        length: [m] Of the whole loop, beyond the last knot.
        start: [m] World x, y at distance 0.
        heading: [rad] World heading at distance 0.
    """

    def __init__(
        self,
        knots: ArrayLike,
        curvature: ArrayLike,
        length: float,
        start: tuple[float, float] = (0.0, 0.0),
        heading: float = 0.0,
    ) -> None:
        self.knots = np.array(knots, dtype=np.float64)
        self.length, self.start, self.start_heading = float(length), (float(start[0]), float(start[1])), float(heading)
        self._tabulate(np.array(curvature, dtype=np.float64))
        self.raw_gap = self.gap()
        """[rad, m, m] By how much heading, x, y missed closing before the correction."""
        for _ in range(6):
            gap = self.gap()
            if np.all(np.abs(gap) < (1e-13, 1e-9, 1e-9)):
                break
            self._tabulate(self.curvature_knots - self._closing_correction(gap))
        self._tree: cKDTree | None = None

    def _tabulate(self, curvature: Array) -> None:
        """Builds the table of heading and position at cells of at most `CELL` metres."""
        self.curvature_knots = curvature
        spans = np.diff(np.append(self.knots, self.length))
        slopes = np.diff(np.append(curvature, curvature[0])) / spans
        counts = np.maximum(1, np.ceil(spans / CELL)).astype(np.intp)
        segment = np.repeat(np.arange(len(spans)), counts)
        within = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts)
        step = (spans / counts)[segment]
        offset = within * step
        self._s = self.knots[segment] + offset
        self._slope = slopes[segment]
        self._curvature = curvature[segment] + self._slope * offset
        turn = step * (self._curvature + 0.5 * self._slope * step)
        headings = self.start_heading + np.concatenate([[0.0], np.cumsum(turn)])
        self._heading = headings[:-1]
        dx, dy = integrate_heading(self._heading, self._curvature, self._slope, step)
        xs = self.start[0] + np.concatenate([[0.0], np.cumsum(dx)])
        ys = self.start[1] + np.concatenate([[0.0], np.cumsum(dy)])
        self._x, self._y, self._end = xs[:-1], ys[:-1], (headings[-1], xs[-1], ys[-1])
        self._segment, self._step = segment, step

    @property
    def turns(self) -> int:
        """Whole turns of the heading in one lap: 1 anticlockwise, -1 clockwise, 0 for a figure of eight."""
        return round(float(self._end[0] - self.start_heading) / (2.0 * np.pi))

    def gap(self) -> Array:
        """[rad, m, m] By how much heading, x and y miss their beginning after one lap."""
        heading, x, y = self._end
        turn = heading - self.start_heading - 2.0 * np.pi * self.turns
        return np.array([turn, x - self.start[0], y - self.start[1]])

    def _closing_correction(self, gap: Array) -> Array:
        """[1/m] [K] Smallest change of curvature that accounts for a gap, to first order.

        A change of curvature d_kappa at distance u turns the rest of the lap about P(u): the end moves by d_kappa du
        times (-(y_end - y(u)), x_end - x(u)).
        """
        middle, step, segment, share, _ = self.quadrature()
        size = len(self.knots)
        following = (segment + 1) % size
        x, y = self.position(middle)
        rows = np.array([step, -step * (self._end[2] - y), step * (self._end[1] - x)])
        jacobian = np.array(
            [np.bincount(segment, r * (1.0 - share), size) + np.bincount(following, r * share, size) for r in rows]
        )
        reach = np.bincount(segment, step, size) + np.bincount(following, step, size)
        return np.asarray((jacobian / reach).T @ np.linalg.solve((jacobian / reach) @ jacobian.T, gap))

    def quadrature(self) -> tuple[Array, Array, NDArray[np.intp], Array, Array]:
        """Midpoint rule over the cells of the table, for integrals against the knots' hat functions.

        Returns:
            [m] middle and [m] length of each cell, index of its segment, its place in the segment in [0, 1], [1/m^2]
            the slope of curvature; all of shape [cells].
        """
        spans = np.diff(np.append(self.knots, self.length))
        middle = self._s + 0.5 * self._step
        share = (middle - self.knots[self._segment]) / spans[self._segment]
        return middle, self._step, self._segment, share, self._slope

    def _locate(self, s: ArrayLike) -> tuple[NDArray[np.intp], Array]:
        """Cell of each distance, and the distance into it."""
        wrapped = np.mod(np.asarray(s, dtype=np.float64), self.length)
        wrapped = np.where(wrapped >= self.length, 0.0, wrapped)
        cell = np.searchsorted(self._s, wrapped, side="right") - 1
        return cell, wrapped - self._s[cell]

    def curvature(self, s: ArrayLike) -> Array:
        """[1/m] Curvature, positive to the left."""
        cell, u = self._locate(s)
        return np.asarray(self._curvature[cell] + self._slope[cell] * u)

    def curvature_slope(self, s: ArrayLike) -> Array:
        """[1/m^2] Change of curvature with distance, constant between knots."""
        return np.asarray(self._slope[self._locate(s)[0]])

    def heading(self, s: ArrayLike) -> Array:
        """[rad] World heading, continuous over the lap; at the line it steps by `turns` whole turns."""
        cell, u = self._locate(s)
        return np.asarray(self._heading[cell] + u * (self._curvature[cell] + 0.5 * self._slope[cell] * u))

    def position(self, s: ArrayLike) -> tuple[Array, Array]:
        """[m] World x and y."""
        cell, u = self._locate(s)
        dx, dy = integrate_heading(self._heading[cell], self._curvature[cell], self._slope[cell], u)
        return np.asarray(self._x[cell] + dx), np.asarray(self._y[cell] + dy)

    def project(self, x: ArrayLike, y: ArrayLike, near: ArrayLike | None = None) -> tuple[Array, Array]:
        """Distance along the curve of the foot of the perpendicular, and the signed distance from the curve.

        Args:
            x: [m] World x, any shape.
            y: [m] World y, same shape.
            near: [m] Where the foot is known to be, within 60 m; otherwise the nearest point of the whole curve is
                taken.

        Returns:
            [m] s in [0, length) and n, positive to the left of the curve, each of the shape of x.
        """
        px, py = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        shape = px.shape
        px, py = px.ravel(), py.ravel()
        s = (
            self._nearest(px, py)
            if near is None
            else self._nearest_around(px, py, np.broadcast_to(near, shape).ravel())
        )
        n = np.zeros_like(s)
        active = np.arange(len(s))
        for _ in range(12):
            cx, cy = self.position(s[active])
            angle = self.heading(s[active])
            dx, dy = px[active] - cx, py[active] - cy
            along = dx * np.cos(angle) + dy * np.sin(angle)
            n[active] = dy * np.cos(angle) - dx * np.sin(angle)
            # Newton; the floor keeps points beyond the centre of curvature, which have no foot, from running away
            stretch = np.maximum(1.0 - n[active] * self.curvature(s[active]), 0.2)
            s[active] += np.clip(along / stretch, -2.0, 2.0)
            active = active[np.abs(along) > 1e-8]
            if not len(active):
                break
        return np.mod(s, self.length).reshape(shape), n.reshape(shape)

    def _nearest(self, x: Array, y: Array) -> Array:
        """[m] Distance of the nearest node of the table."""
        if self._tree is None:
            self._tree = cKDTree(np.column_stack([self._x, self._y]))
        return np.asarray(self._s[self._tree.query(np.column_stack([x, y]))[1]])

    def _nearest_around(self, x: Array, y: Array, near: Array) -> Array:
        """[m] Distance of the nearest of the points every 2 m within 60 m of a known distance."""
        best, least = near.astype(np.float64), np.full(len(near), np.inf)
        for offset in np.arange(-60.0, 61.0, 2.0):
            cx, cy = self.position(near + offset)
            square = (x - cx) ** 2 + (y - cy) ** 2
            closer = square < least
            best, least = np.where(closer, near + offset, best), np.where(closer, square, least)
        return best
