"""When an episode ends: failures terminate it, limits truncate it.

After a termination nothing more can be earned; after a truncation the car would have driven on, so a learner has to
bootstrap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.env.config import EndConfig
from actwin.jit import jit

REASONS: Final[Mapping[str, str]] = {
    "driving": "the episode goes on",
    "off_track": "terminated: too many wheels beyond the track limits for too long",
    "spin": "terminated: heading too far from the road's",
    "backwards": "terminated: too far behind the furthest point reached",
    "stall": "terminated: standing for too long",
    "wall": "terminated: hit a wall too hard",
    "broken": "terminated: the state is not finite",
    "time_limit": "truncated: out of time",
    "lap_limit": "truncated: all laps driven",
}
"""Every reason with its meaning; the code of a reason is its place."""
REASON_NAMES: Final = tuple(REASONS)
OFF_TRACK, SPIN, BACKWARDS, STALL, WALL, BROKEN, TIME_LIMIT, LAP_LIMIT = range(1, 9)
LAST_TERMINATION: Final = BROKEN


def limits(config: EndConfig, period: float) -> npt.NDArray[np.float32]:
    """The settings as the kernel reads them, times in control periods.

    Args:
        config: The settings.
        period: [s] Length of a control period.
    """
    laps = config.lap_limit if config.lap_limit > 0 else np.inf
    # A limit that the clock only meets by rounding still counts.
    steps = [np.ceil(time / period - 1e-6) for time in (config.off_track_time, config.stall_time, config.time_limit)]
    return np.array(
        [
            config.off_track_wheels,
            steps[0],
            config.spin_angle,
            config.backward_distance,
            config.stall_speed,
            steps[1],
            config.wall_energy,
            steps[2],
            laps,
        ],
        np.float32,
    )


@jit
def end_reason(
    limit: Any,
    off_periods: float,
    angle: float,
    lost: float,
    stalled_periods: float,
    collision: float,
    finite: bool,
    periods: float,
    laps: float,
) -> int:
    """Why an episode ends now, 0 when it goes on.

    Args:
        limit: From `limits`.
        off_periods: [-] Control periods off the track without a break.
        angle: [rad] Size of the heading error.
        lost: [m] Behind the furthest point.
        stalled_periods: [-] Control periods below the stall speed without a break.
        collision: [J] Lost to walls in this period.
        finite: Whether the state is finite.
        periods: [-] Control periods driven.
        laps: [-] Laps driven.
    """
    reason = 0
    if laps >= limit[8]:
        reason = LAP_LIMIT
    if periods >= limit[7]:
        reason = TIME_LIMIT
    if stalled_periods > limit[5]:
        reason = STALL
    if lost > limit[3]:
        reason = BACKWARDS
    if off_periods > limit[1]:
        reason = OFF_TRACK
    if angle > limit[2]:
        reason = SPIN
    if collision > limit[6]:
        reason = WALL
    if not finite:
        reason = BROKEN
    return reason
