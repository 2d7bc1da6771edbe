"""The fastest speed along a line that a car's performance envelope allows, and the lap time it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actwin.content.track import Track
from actwin.jit import jit, kernel, maximum, minimum
from actwin.planning.drs_zones import drs_zones
from actwin.planning.envelope import Envelope
from actwin.planning.racing_line import RacingLine
from actwin.units import GRAVITY

Array = NDArray[np.float64]

SLOWEST = 4.0
"""[m/s] Least speed of a profile: the speed of the envelope's first row."""


@dataclass(frozen=True, eq=False)
class SpeedProfile:
    """Speed along a line; arrays have one value for each node of the line.

    Attributes:
        line: The line.
        speed: [m/s] Speed at the nodes.
        limit: [m/s] Speed that cornering alone would allow.
        time: [s] Since the start line.
        ax: [m/s²] Change of speed from each node to the next over the time it takes.
        ay: [m/s²] Speed squared times curvature, left positive.
        lap_time: [s] Time of a flying lap.
    """

    line: RacingLine
    speed: Array
    limit: Array
    time: Array
    ax: Array
    ay: Array
    lap_time: float

    def speed_at(self, s: ArrayLike) -> Array:
        """[m/s] Speed at lap distance s [m]."""
        return self.line.at(self.speed, s)

    def ax_at(self, s: ArrayLike) -> Array:
        """[m/s²] Longitudinal acceleration at lap distance s [m]."""
        return self.line.at(self.ax, s)


@jit
def _cell(value: float, axis: Any) -> tuple[int, float]:
    """Cell of a rising axis and the share of it, held to the ends."""
    i = 0
    last = len(axis) - 2
    while i < last and axis[i + 1] < value:
        i += 1
    share = (value - axis[i]) / (axis[i + 1] - axis[i])
    return i, minimum(maximum(share, 0.0), 1.0)


@jit
def _lateral(speed: float, push: float, e: Any) -> float:
    i, a = _cell(speed, e[0])
    j, b = _cell(push, e[1])
    t = e[3]
    low = t[i, j] * (1.0 - a) + t[i + 1, j] * a
    high = t[i, j + 1] * (1.0 - a) + t[i + 1, j + 1] * a
    return low * (1.0 - b) + high * b  # type: ignore[no-any-return]


@jit
def _longitudinal(speed: float, push: float, ay: float, table: Any, e: Any) -> float:
    i, a = _cell(speed, e[0])
    j, b = _cell(push, e[1])
    k, c = _cell(maximum(ay, -ay) / _lateral(speed, push, e), e[2])
    total = 0.0 * speed
    for di in range(2):
        for dj in range(2):
            weight = (a if di else 1.0 - a) * (b if dj else 1.0 - b)
            total += weight * (table[i + di, j + dj, k] * (1.0 - c) + table[i + di, j + dj, k + 1] * c)
    return total


@jit
def _demand(speed: float, node: Any) -> tuple[float, float]:
    """Lateral acceleration that the tyres must give, and push of the road, at a node with the columns of `_road`."""
    ay = speed * speed * node[1] - node[4]
    return ay, speed * speed * node[2]


@kernel
def _corner_speed(nodes: Any, e: Any, top: float) -> Any:
    """[m/s] Largest speed at each node below which every speed can be cornered."""
    limit = np.empty(len(nodes))
    for i in range(len(nodes)):
        low, high = SLOWEST + 0.0 * top, SLOWEST + 0.0 * top
        while high < top:
            high = minimum(high + 4.0, top)
            ay, push = _demand(high, nodes[i])
            if maximum(ay, -ay) > _lateral(high, push, e):
                break
            low = high
        for _ in range(16):
            middle = 0.5 * (low + high)
            ay, push = _demand(middle, nodes[i])
            fits = maximum(ay, -ay) <= _lateral(middle, push, e)
            low = middle if fits else low
            high = high if fits else middle
        limit[i] = low
    return limit


@jit
def _pull(speed: float, node: Any, table: Any, e: Any) -> float:
    """[m/s²] Change of speed that a table of the envelope and the slope give at a node."""
    ay, push = _demand(speed, node)
    change: float = _longitudinal(speed, push, ay, table, e) - node[3]
    return change


@kernel
def _brake(nodes: Any, limit: Any, e: Any, speed: Any) -> None:
    """Backward pass: lowers speeds from which the car could not slow down in time."""
    count = len(nodes)
    first = int(np.argmin(limit))
    for k in range(2 * count):
        ahead = (first - k) % count
        here = (ahead - 1) % count
        v = speed[ahead]
        way = nodes[here, 0]
        rough = np.sqrt(v * v - 2.0 * minimum(_pull(v, nodes[ahead], e[5], e), 0.0) * way)
        pull = 0.5 * (_pull(v, nodes[ahead], e[5], e) + _pull(minimum(rough, limit[here]), nodes[here], e[5], e))
        speed[here] = minimum(speed[here], np.sqrt(v * v + 2.0 * maximum(-pull, 0.0) * way))


@kernel
def _accelerate(
    nodes: Any, limit: Any, shut: Any, opened: Any, zones: Any, shifts: Any, shift_time: float, speed: Any
) -> None:
    """Forward pass: lowers speeds that the car cannot reach, gear changes included."""
    count = len(nodes)
    first = int(np.argmin(limit))
    gear, pause = 0, 0.0 * shift_time
    for k in range(2 * count):
        here = (first + k) % count
        ahead = (here + 1) % count
        v = speed[here]
        way = nodes[here, 0]
        e = opened if zones[here] else shut
        while gear > 0 and v < 0.93 * shifts[gear - 1]:
            gear -= 1
            pause = 0.0 * shift_time
        if gear < len(shifts) and v > shifts[gear]:
            gear += 1
            pause = shift_time
        pull = _pull(v, nodes[here], e[4], e)
        rough = minimum(np.sqrt(maximum(v * v + 2.0 * pull * way, 16.0)), limit[ahead])
        pull = 0.5 * (pull + _pull(rough, nodes[ahead], e[4], e))
        if pause > 0.0:
            i, a = _cell(v, e[0])
            free = e[6][i] * (1.0 - a) + e[6][i + 1] * a - nodes[here, 3]
            share = minimum(pause * v / way, 1.0)
            pull = minimum(pull, share * free + (1.0 - share) * pull)
            pause -= way / v
        speed[ahead] = minimum(speed[ahead], np.sqrt(maximum(v * v + 2.0 * pull * way, SLOWEST * SLOWEST)))


def _road(line: RacingLine, track: Track) -> Array:
    """Columns: way to the next node [m], curvature, push over speed² [1/m], slope along, pull to the left [m/s²]."""
    s = line.distance
    sine, cosine = np.sin(line.angle), np.cos(line.angle)
    rate = cosine / (1.0 - line.lateral * track.curvature(s))
    banking, grade = track.banking(s), track.grade(s)
    push = rate**2 * (track.vertical_curvature(s) + track.curvature(s) * banking)
    along, left = GRAVITY * (grade * cosine - banking * sine), GRAVITY * (banking * cosine + grade * sine)
    return np.ascontiguousarray(np.stack([line.spacing, line.curvature, push, along, left], axis=1))


def _tables(envelope: Envelope) -> tuple[Array, ...]:
    """The tables that the kernels read, in the order of their indices there."""
    e = envelope
    return e.speeds, e.pushes, e.shares, e.lateral, e.forward, e.backward, e.coast


def speed_profile(
    line: RacingLine, envelope: Envelope, track: Track, pace: float = 1.0, flap: Envelope | None = None
) -> SpeedProfile:
    """Speed profile by forward and backward integration over the envelope, for a flying lap.

    The cornering limit bounds the speed everywhere; a backward pass keeps every braking, a forward pass every
    acceleration within the envelope at the lateral acceleration of the moment, each over two laps so that the profile
    is periodic (Heilmeier et al., "A quasi-steady-state lap time simulation for electrified race cars", EVER 2019).
    Slopes, banking and vertical curvature act as in the twin; up-shifts cost their time. Brake pressure is taken to be
    there at once.

    Args:
        line: The line to drive.
        envelope: Of the car.
        track: The road of the line, for slopes and banking.
        pace: [-] Factor on the speed of the result; time scales inversely.
        flap: Envelope with the drag reduction open, used for driving in the zones of `actwin.planning.drs_zones`; None
            keeps it shut.
    """
    nodes = _road(line, track)
    tables = _tables(envelope)
    opened, zones = (tables, np.zeros(len(nodes), bool)) if flap is None else (_tables(flap), drs_zones(line))
    top = envelope.top_speed if flap is None else flap.top_speed
    limit = _corner_speed(nodes, tables, float(min(envelope.speeds[-1], 1.02 * top)))
    speed = limit.copy()
    _brake(nodes, limit, tables, speed)
    _accelerate(nodes, limit, tables, opened, zones, envelope.shift_speeds, envelope.shift_time, speed)
    speed, limit = pace * speed, pace * limit
    following = np.roll(speed, -1)
    duration = 2.0 * line.spacing / (speed + following)
    time = np.concatenate([[0.0], np.cumsum(duration[:-1])])
    return SpeedProfile(
        line, speed, limit, time, (following - speed) / duration, speed**2 * line.curvature, float(duration.sum())
    )
