"""Fit of a chain of clothoids to a surveyed centre line."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from actwin.content.clothoids import ClothoidLoop
from actwin.content.track_tables import CentreLineTable

Array = NDArray[np.float64]

GRID: Final = 2.0
"""[m] Spacing at which the survey's curvature is estimated for the first placing of the knots."""
CLOSEST: Final = 6.0
"""[m] Least distance between two knots."""
ROUNDS: Final = 40
"""Gauss-Newton steps at most."""


class Fit(NamedTuple):
    """A fitted centre line with the survey's points in its road coordinates."""

    line: ClothoidLoop
    distance: Array
    """[m] [M] Lap distance of each surveyed point."""
    offset: Array
    """[m] [M] Lateral offset of each surveyed point: the error of the fit."""

    @property
    def rms(self) -> float:
        """[m] Root mean square error."""
        return float(np.sqrt(np.mean(self.offset**2)))

    @property
    def largest(self) -> float:
        """[m] Largest error."""
        return float(np.abs(self.offset).max())


def survey_curvature(table: CentreLineTable) -> tuple[Array, Array, float, CubicSpline]:
    """Curvature of a surveyed centre line through a periodic spline, smoothed over 6 m.

    Returns:
        [m] grid of distances, [1/m] curvature there, [m] length, the spline (x, y) over distance.
    """
    x, y = np.append(table.x, table.x[0]), np.append(table.y, table.y[0])
    chord = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    spline = CubicSpline(chord, np.column_stack([x, y]), bc_type="periodic")
    count = max(32, round(chord[-1] / GRID))
    s = np.arange(count) * (chord[-1] / count)
    (dx, dy), (ddx, ddy) = spline(s, 1).T, spline(s, 2).T
    curvature = (dx * ddy - dy * ddx) / (dx**2 + dy**2) ** 1.5
    return s, gaussian_filter1d(curvature, 6.0 / GRID, mode="wrap"), float(chord[-1]), spline


def _first_knots(s: Array, curvature: Array, length: float, count: int) -> Array:
    """[m] [count] Knots dense where the curvature bends, sparse on straights, the first at 0.

    The error of a piecewise linear function is least when knots have density |f''|^(2/5) (de Boor); the floor spreads a
    few over the straights.
    """
    bend = np.abs(np.gradient(np.gradient(np.concatenate([curvature[-2:], curvature, curvature[:2]]), s[1]), s[1]))[
        2:-2
    ]
    density = gaussian_filter1d(bend, 8.0 / s[1], mode="wrap") ** 0.4
    density += 0.15 * density.mean()
    total = np.concatenate([[0.0], np.cumsum(density)])
    knots = np.interp(np.arange(count) / count * total[-1], total, np.append(s, length))
    return _spread(knots, length)


def _spread(knots: Array, length: float) -> Array:
    """[m] The same knots at least `CLOSEST` apart (or evenly, where there is no room), the first at 0."""
    closest = min(CLOSEST, 0.5 * length / len(knots))
    gaps = np.maximum(np.diff(np.append(knots, length)), closest)
    free = gaps - closest
    gaps = closest + free * (length - closest * len(gaps)) / free.sum()
    return np.concatenate([[0.0], np.cumsum(gaps)[:-1]])


def _first_values(s: Array, curvature: Array, length: float, knots: Array) -> Array:
    """[1/m] Curvature at given knots that follows a surveyed curvature best in position, to first order.

    A small error of heading d_theta moves what follows by int d_theta N du (N the survey's normal), which is linear in
    the curvature at the knots: one least-squares solution brings the curve within reach of Gauss-Newton.
    """
    step, size = s[1], len(knots)
    segment = np.searchsorted(knots, s, side="right") - 1
    share = (s - knots[segment]) / np.diff(np.append(knots, length))[segment]
    hats = np.zeros((len(s), size))
    hats[np.arange(len(s)), segment] += 1.0 - share
    hats[np.arange(len(s)), (segment + 1) % size] += share
    heading = np.cumsum(curvature) * step
    c, sn = np.cos(heading), np.sin(heading)
    turn = np.column_stack([np.cumsum(hats, axis=0) * step, np.ones(len(s)), heading])
    x, y = (np.cumsum(turn * across[:, None], axis=0) * step for across in (-sn, c))
    sideways = c[:, None] * y - sn[:, None] * x
    system = np.vstack([sideways, 5.0 * turn])
    # sideways errors decide; the headings (5 m a radian) keep what they do not see in bounds
    return np.asarray(np.linalg.lstsq(system[:, :-1], system[:, -1], rcond=None)[0][:size])


class _Sensitivity(NamedTuple):
    """Derivatives of the offsets and of the closure with respect to the unknowns [M or 3, P]."""

    offsets: Array
    closure: Array


def _sensitivity(fit: Fit, free: int) -> _Sensitivity:
    """Derivatives with respect to curvature at the knots, place of the knots after the first, start x, y, heading,
    scale.

    A change of curvature d_kappa du at u turns everything after it about P(u), so a point P(s) moves by
    R90 (P(s) - P(u)) d_kappa du, and its offset from the survey by -T(s) . (P(s) - P(u)). Moving a knot changes the
    curvature by minus the local slope times the knot's hat function.
    """
    line, size = fit.line, len(fit.line.knots)
    u, du, segment, share, slope = line.quadrature()
    px, py = line.position(u)
    follow = (segment + 1) % size
    rows = np.arange(len(u))
    hats = np.zeros((len(u), 2 * size))
    hats[rows, segment] += (1.0 - share) * du
    hats[rows, follow] += share * du
    hats[rows, size + segment] += -slope * (1.0 - share) * du
    hats[rows, size + follow] += -slope * share * du
    hats = np.delete(hats, size, axis=1)
    x, y = line.position(fit.distance)
    angle = line.heading(fit.distance)
    c, sn = np.cos(angle)[:, None], np.sin(angle)[:, None]
    upto = np.searchsorted(u, fit.distance)
    zero, moments = np.zeros((1, hats.shape[1])), []
    for weight in (np.ones_like(u), px, py):
        moments.append(np.concatenate([zero, np.cumsum(hats * weight[:, None], axis=0)]))
    sums = [moment[upto] for moment in moments]
    bend = -(c * (x[:, None] * sums[0] - sums[1]) + sn * (y[:, None] * sums[0] - sums[2]))
    from_start = np.column_stack([x - line.start[0], y - line.start[1]])
    turn = -(c[:, 0] * from_start[:, 0] + sn[:, 0] * from_start[:, 1])[:, None]
    scale = (sn[:, 0] * from_start[:, 0] - c[:, 0] * from_start[:, 1])[:, None]
    offsets = np.hstack([bend, sn, -c, turn, scale])
    ends = [moment[-1] for moment in moments]
    closure = np.array([ends[0], -(line.start[1] * ends[0] - ends[2]), line.start[0] * ends[0] - ends[1]])
    return _Sensitivity(offsets, np.hstack([closure, np.zeros((3, free))]))


def measured(table: CentreLineTable, line: ClothoidLoop, near: Array | None) -> Fit:
    """How far a survey lies from a curve.

    Args:
        table: Survey.
        line: Curve.
        near: [m] [M] Lap distance within 60 m of each point; the whole curve is searched when None.
    """
    distance, offset = line.project(table.x, table.y, near)
    return Fit(line, distance, offset)


def _step(fit: Fit, damping: float) -> ClothoidLoop:
    """One damped Gauss-Newton step among the changes that keep the loop closed."""
    line, size = fit.line, len(fit.line.knots)
    sensitivity = _sensitivity(fit, free=4)
    spans = np.diff(np.append(line.knots, line.length))
    # unknowns in their natural sizes: a bend's curvature, a knot's spacing, metres, radians, a share of the length
    scale = np.concatenate([np.full(size, 1e-2), 0.5 * np.minimum(spans[1:], spans[:-1]), [1.0, 1.0, 1e-2, 1e-3]])
    jacobian, closure = sensitivity.offsets * scale, sensitivity.closure * scale
    kept = np.linalg.qr(closure.T, mode="complete")[0][:, 3:]
    shrink = np.concatenate([np.full(size, damping), np.full(size - 1, 10.0 * damping), np.zeros(4)])
    system = np.vstack([jacobian @ kept / np.sqrt(len(fit.offset)), np.sqrt(shrink)[:, None] * kept])
    right = np.concatenate([-fit.offset / np.sqrt(len(fit.offset)), np.zeros(len(scale))])
    change = scale * (kept @ np.linalg.lstsq(system, right, rcond=None)[0])
    moves = np.clip(change[size : 2 * size - 1], -0.3 * spans[:-1], 0.3 * spans[1:])
    growth = float(np.exp(np.clip(change[-1], -0.01, 0.01)))
    knots = _spread(np.concatenate([[0.0], line.knots[1:] + moves]), line.length)
    curvature = line.curvature_knots + change[:size]
    start = (line.start[0] + float(change[-4]), line.start[1] + float(change[-3]))
    heading = line.start_heading + float(change[-2])
    return ClothoidLoop(knots * growth, curvature / growth, line.length * growth, start, heading)


def fit_centre_line(table: CentreLineTable, knots: int) -> Fit:
    """The chain of clothoids with a given number of knots that lies nearest to a surveyed centre line.

    Orthogonal distance regression by Gauss-Newton over curvature and place of the knots, start point, heading and
    length; the loop is closed exactly in every step.

    Args:
        table: Survey.
        knots: Number of knots.
    """
    s, curvature, length, spline = survey_curvature(table)
    places = _first_knots(s, curvature, length, knots)
    values = _first_values(s, curvature, length, places)
    dx, dy = spline(0.0, 1)
    line = ClothoidLoop(places, values, length, (table.x[0], table.y[0]), float(np.arctan2(dy, dx)))
    chord = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(table.x), np.diff(table.y)))])
    fit = measured(table, line, chord * line.length / length)
    best, damping, stale = fit, 1e-3, 0
    for _ in range(ROUNDS):
        line = _step(best, damping)
        trial = measured(table, line, best.distance)
        if np.isfinite(trial.rms) and trial.rms < best.rms:
            stale = stale + 1 if trial.rms > 0.998 * best.rms else 0
            best, damping = trial, max(damping * 0.3, 1e-6)
        else:
            damping, stale = damping * 8.0, stale + 1
        if stale >= 4 or damping > 1e4:
            break
    return best
