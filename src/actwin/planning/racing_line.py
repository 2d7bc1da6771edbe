"""Lines to drive along: the centre line, and the line of minimum curvature within the track limits."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import splu

from actwin.content.track import Track
from actwin.errors import ConfigError

Array = NDArray[np.float64]

STEP: Final = 3.0
"""[m] Distance of the nodes along the centre line."""
MARGIN: Final = 1.2
"""[m] From the car's centre to the track edge: half a racing car and a hand's breadth."""
RELINEARISATIONS: Final = 12
"""Most quadratic programmes solved; six usually do."""
SETTLED: Final = 0.01
"""[m] Largest change of the offset that still counts as converged."""


@dataclass(frozen=True, eq=False)
class RacingLine:
    """A closed line given by its lateral offset at evenly spaced nodes of the centre line; every array has shape [M].

    Attributes:
        distance: [m] Lap distance of the nodes, from 0, evenly spaced.
        lateral: [m] Offset from the centre line, left positive.
        x, y: [m] World position.
        angle: [rad] Direction of the line minus direction of the road.
        heading: [rad] World direction of the line.
        curvature: [1/m] Of the line, left positive, in plan view.
        path: [m] Length along the line from the start line to the node.
        spacing: [m] Length along the line from each node to the next.
        track_length: [m] Length of the centre line.
    """

    distance: Array
    lateral: Array
    x: Array
    y: Array
    angle: Array
    heading: Array
    curvature: Array
    path: Array
    spacing: Array
    track_length: float

    @property
    def length(self) -> float:
        """[m] Length of the line over one lap."""
        return float(self.spacing.sum())

    def at(self, values: ArrayLike, s: ArrayLike) -> Array:
        """Any quantity given at the nodes, interpolated linearly at lap distance s [m] of any shape."""
        table = np.asarray(values, dtype=np.float64)
        position = np.mod(s, self.track_length) / self.track_length * len(table)
        cell = position.astype(np.int64)
        share = position - cell
        cell = cell % len(table)
        return np.asarray(table[cell] * (1.0 - share) + table[(cell + 1) % len(table)] * share)

    def offset(self, s: ArrayLike) -> Array:
        """[m] Lateral offset of the line at lap distance s [m]."""
        return self.at(self.lateral, s)

    def curvature_at(self, s: ArrayLike) -> Array:
        """[1/m] Curvature of the line at lap distance s [m]."""
        return self.at(self.curvature, s)

    def angle_at(self, s: ArrayLike) -> Array:
        """[rad] Direction of the line relative to the road at lap distance s [m]."""
        return self.at(self.angle, s)


@dataclass(frozen=True, eq=False)
class _Road:
    """The centre line at M nodes and at the M cell centres behind them (index i lies between nodes i and i+1)."""

    s: Array
    step: float
    turn: Array
    """[rad] Change of road heading from the cell before each node to the cell after it."""
    curvature: Array
    """[1/m] At the cell centres."""
    low: Array
    high: Array


def _sample(track: Track, margin: float, step: float) -> _Road:
    count = max(16, round(track.length / step))
    step = track.length / count
    s = np.asarray(np.arange(count) * step, np.float64)
    middle = s + 0.5 * step
    heading = track.heading(middle)
    turn = np.mod(heading - np.roll(heading, 1) + np.pi, 2.0 * np.pi) - np.pi
    low, high = margin - track.width_right(s), track.width_left(s) - margin
    # Where the road is narrower than two margins the line keeps to its middle.
    centre = 0.5 * (low + high)
    low, high = np.minimum(low, centre - 0.01), np.maximum(high, centre + 0.01)
    return _Road(s, step, turn, track.curvature(middle), low, high)


def _cells(road: _Road, n: Array) -> tuple[Array, Array, Array]:
    """Advance along the road, sideways step and length of the line's chord in each cell."""
    following = np.roll(n, -1)
    along = road.step * (1.0 - 0.5 * (n + following) * road.curvature)
    across = following - n
    return along, across, np.hypot(along, across)


def _turns(road: _Road, n: Array) -> tuple[Array, Array]:
    """Turn of the line at each node, and the length of line that belongs to the node."""
    along, across, chord = _cells(road, n)
    angle = np.arctan2(across, along)
    return road.turn + angle - np.roll(angle, 1), 0.5 * (chord + np.roll(chord, 1))


def _bending(road: _Road, n: Array) -> tuple[Array, csc_matrix]:
    """Turn over root of length at each node, whose squares add up to the bending of the line; and its derivative."""
    count = len(n)
    along, across, chord = _cells(road, n)
    turn, length = _turns(road, n)
    shrink = -0.5 * road.step * road.curvature
    turn_next, turn_own = (along - shrink * across) / chord**2, (-along - shrink * across) / chord**2
    long_next, long_own = (shrink * along + across) / chord, (shrink * along - across) / chord
    root = np.sqrt(length)
    slack = 0.25 * turn / length
    index = np.arange(count)
    rows = np.concatenate([index, index, index, index])
    columns = np.concatenate([(index + 1) % count, index, index, index - 1]) % count
    values = np.concatenate(
        [
            (turn_next - slack * long_next) / root,
            (turn_own - slack * long_own) / root,
            (-np.roll(turn_next, 1) - slack * np.roll(long_next, 1)) / root,
            (-np.roll(turn_own, 1) - slack * np.roll(long_own, 1)) / root,
        ]
    )
    return turn / root, csc_matrix((values, (rows, columns)), shape=(count, count))


def _longest_step(*pairs: tuple[Array, Array]) -> float:
    """Largest step, at most 1, after which every value (first of a pair) moved along its direction stays positive."""
    steps = [np.where(change < 0.0, -value / np.minimum(change, -1e-300), np.inf) for value, change in pairs]
    return min(1.0, 0.995 * float(np.min(steps)))


def box_quadratic(hessian: csc_matrix, gradient: Array, low: Array, high: Array, tolerance: float = 1e-9) -> Array:
    """Minimum of x'Hx/2 + g'x within low <= x <= high, by a primal-dual interior-point method.

    Mehrotra's predictor and corrector with one sparse factorisation an iteration (Nocedal & Wright, "Numerical
    Optimization", 2nd ed., alg. 16.4).

    Args:
        hessian: [M, M] Symmetric, positive semi-definite, sparse.
        gradient: [M]
        low, high: [M] Bounds, low < high.
        tolerance: Complementarity at which the search ends, relative to the gradient's scale.

    Returns:
        [M] The minimiser.
    """
    scale = max(float(np.abs(gradient).max()), 1e-12)
    x = 0.5 * (low + high)
    below, above = np.full_like(x, scale), np.full_like(x, scale)
    for _ in range(60):
        to_low, to_high = x - low, high - x
        gap = float(below @ to_low + above @ to_high) / (2 * len(x))
        slope = hessian @ x + gradient
        if gap < tolerance * scale and np.abs(slope - below + above).max() < 1e-6 * scale:
            break
        factor = splu(hessian + diags(below / to_low + above / to_high, format="csc"))
        dx = factor.solve(-slope)
        d_below, d_above = -below - below * dx / to_low, -above + above * dx / to_high
        reach = _longest_step((to_low, dx), (to_high, -dx), (below, d_below), (above, d_above))
        after = (below + reach * d_below) @ (to_low + reach * dx) + (above + reach * d_above) @ (to_high - reach * dx)
        centre = gap * (float(after) / (2 * len(x)) / gap) ** 3
        aim_low, aim_high = centre - d_below * dx, centre + d_above * dx
        dx = factor.solve(-slope + aim_low / to_low - aim_high / to_high)
        d_below, d_above = (aim_low - below * dx) / to_low - below, (aim_high + above * dx) / to_high - above
        reach = _longest_step((to_low, dx), (to_high, -dx), (below, d_below), (above, d_above))
        x, below, above = x + reach * dx, below + reach * d_below, above + reach * d_above
    return np.asarray(x)


def _finish(track: Track, road: _Road, n: Array) -> RacingLine:
    _, _, chord = _cells(road, n)
    turn, length = _turns(road, n)
    slope = (np.roll(n, -1) - np.roll(n, 1)) / (2.0 * road.step)
    angle = np.arctan2(slope, 1.0 - n * track.curvature(road.s))
    x, y, _ = track.to_world(road.s, n)
    path = np.concatenate([[0.0], np.cumsum(chord[:-1])])
    return RacingLine(road.s, n, x, y, angle, track.heading(road.s) + angle, turn / length, path, chord, track.length)


def centre_line(track: Track, step: float = STEP) -> RacingLine:
    """The centre line as a line to drive along.

    Args:
        track: The track.
        step: [m] Distance of the nodes, adjusted to a whole number of them.
    """
    road = _sample(track, 0.0, step)
    return _finish(track, road, np.zeros_like(road.s))


def _solve(track: Track, margin: float, step: float) -> RacingLine:
    road = _sample(track, margin, step)
    n = 0.5 * (road.low + road.high)
    for _ in range(RELINEARISATIONS):
        bending, jacobian = _bending(road, n)
        hessian = csc_matrix(jacobian.T @ jacobian)
        # Offsets are solved for directly, so that the interior point starts well inside the bounds.
        gradient = np.asarray(jacobian.T @ bending - hessian @ n)
        solved = box_quadratic(hessian, gradient, road.low, road.high)
        change = float(np.abs(solved - n).max())
        n = solved
        if change < SETTLED:
            break
    return _finish(track, road, n)


_KNOWN: dict[tuple[int, float, float], tuple[weakref.ref[Track], RacingLine]] = {}


def minimum_curvature(track: Track, margin: float = MARGIN, step: float = STEP) -> RacingLine:
    """The line of least squared curvature within the track limits.

    Minimises the integral of squared curvature over the line's length by a sequence of convex quadratic programmes in
    the lateral offset, each linearised about the last line (Heilmeier et al., "Minimum curvature trajectory planning
    and control for an autonomous race car", Vehicle System Dynamics 58:10, 2020). Turns are measured between chords in
    road coordinates, so a constant offset in a constant curve is exact. Results are kept for the life of the track.

    Args:
        track: The track.
        margin: [m] Least distance of the line from both track edges; half the car's width and what the driver needs.
        step: [m] Distance of the nodes along the centre line, adjusted to a whole number of them.

    Returns:
        The line.

    Raises:
        ConfigError: A margin or step that is not positive.
    """
    if not (margin >= 0.0 and step > 0.0):
        raise ConfigError(f"A racing line needs a margin of at least 0 and a step above 0 m, not {margin} and {step}.")
    key = (id(track), float(margin), float(step))
    known = _KNOWN.get(key)
    if known is not None and known[0]() is track:
        return known[1]
    line = _solve(track, margin, step)
    _KNOWN[key] = (weakref.ref(track), line)
    return line
