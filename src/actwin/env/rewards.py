"""What the driver is paid for: named terms, each times its weight in the settings.

Rewards are positive and costs negative by themselves, so that no weight is negative. Costs that grow with time are
given for each second, so that weights do not depend on the control rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from actwin.jit import jit, maximum, minimum, select, sin_cos
from actwin.units import GRAVITY

REFERENCE_SPEED: Final = 50.0
"""[m/s] Speed at which a wheel beyond the track limits costs 1 a second."""
COLLISION_ENERGY: Final = 100_000.0
"""[J] Energy lost to a wall that costs 1."""
MASKED_FROM: Final = 3
"""Wheels beyond the track limits from which progress is not paid: what AC counts as cutting."""

TERMS: Final[Mapping[str, str]] = {
    "progress": "metres along the racing line, signed; not paid with three or more wheels beyond the track limits",
    "pace": "seconds gained on the racing speed of the reference line; gains masked like progress",
    "time": "minus the seconds that passed",
    "track_limits": "minus wheels beyond the track limits × (speed / 50 m/s)² × seconds",
    "lane_position": "minus (distance from the racing line / half the road's width)² × seconds",
    "heading": "minus (1 - cosine of the angle to the racing line) × seconds",
    "smoothness": "minus the squared changes of steering, throttle and brake since the control period before",
    "hard_braking": "minus (deceleration beyond 1 g, in g)² × seconds",
    "slip": "minus slip beyond that of peak grip, summed over the wheels, each at most 2 × seconds",
    "lap_bonus": "1 for each valid lap from line to line",
    "collision": "minus the energy lost to walls / 100 kJ",
    "stall": "minus the seconds below the stall speed",
    "failure": "minus 1 when the episode is terminated",
}
"""Every term with its meaning, in the order of the kernel."""


class Moment(NamedTuple):
    """What the terms of one control period read.

    Attributes:
        period: [s] Its length.
        progress: [m] Along the racing line.
        gain: [s] Time of that progress at racing speed.
        tyres_out: [-] Wheels beyond the track limits.
        speed: [m/s]
        off_line: [-] Distance from the racing line over half the road's width.
        line_angle: [rad] Heading minus direction of the racing line.
        changes: [-] Sum of squared changes of the controls.
        deceleration: [m/s²] Positive when braking.
        excess_slip: [-] Summed over the wheels.
        lap: [-] 1 when a valid lap was completed.
        collision: [J] Lost to walls.
        stalled: [-] 1 below the stall speed.
        failed: [-] 1 when the episode is terminated.
    """

    period: float
    progress: float
    gain: float
    tyres_out: float
    speed: float
    off_line: float
    line_angle: float
    changes: float
    deceleration: float
    excess_slip: float
    lap: float
    collision: float
    stalled: float
    failed: float


@jit
def excess_slip(use: float) -> float:
    """Slip of one wheel beyond that of peak grip, at most 2."""
    return minimum(maximum(use - 1.0, 0.0), 2.0)


@jit
def reward_terms(m: Moment) -> Any:
    """The terms of one control period, unweighted, in the order of `TERMS`."""
    masked = m.tyres_out > MASKED_FROM - 0.5
    _, cosine = sin_cos(m.line_angle)
    pedal = maximum(m.deceleration / GRAVITY - 1.0, 0.0)
    pace = m.speed / REFERENCE_SPEED
    return (
        select(masked, minimum(m.progress, 0.0), m.progress),
        select(masked, minimum(m.gain, 0.0), m.gain) - m.period,
        -m.period,
        -m.tyres_out * pace * pace * m.period,
        -m.off_line * m.off_line * m.period,
        -(1.0 - cosine) * m.period,
        -m.changes,
        -pedal * pedal * m.period,
        -m.excess_slip * m.period,
        m.lap,
        -m.collision / COLLISION_ENERGY,
        -m.stalled * m.period,
        -m.failed,
    )
