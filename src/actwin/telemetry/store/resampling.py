"""Channels at other times than those of their samples."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.store.motec_channels import CHANNELS

Array = npt.NDArray[np.float64]

SAWTOOTH: Final = frozenset({"lap_distance", "lap_progress", "spline_position"})
"""Channels that fall back to 0 at the line; between a sample before and one after there is nothing to interpolate."""
CLOCK: Final = "lap_time"
"""Falls back at the line too, but what it shows behind the line tells when it was crossed."""
ANGLE: Final = frozenset({"yaw", "heading_error", "wind_direction"})
"""Channels that jump by a turn."""
HELD: Final = frozenset({"last_lap_time", "best_lap_time", "last_sector_time", "penalty_time"})
"""Numbers that stay as they are until something happens."""
_LATE: Final = 1e-6
"""[s] A time that was rounded may lie so much before its sample."""


def resampled(times: Array, values: Array, at: Array, channel: str) -> Array:
    """Values of a channel at other times.

    Numbers are interpolated; counts, gears and finished times hold their last value, and so does every channel where it
    jumps, before the first sample and after the last one. Only the lap clock runs on to the line and begins anew there.

    Args:
        times: [s] [T] Of the samples, not falling.
        values: [T] NaN where nothing is known; something must be.
        at: [s] [N] Wanted times.
        channel: Name in the channel table.

    Returns:
        [N] values.
    """
    known = np.isfinite(values)
    if not known.all():
        times, values = times[known], values[known]
    before = np.clip(np.searchsorted(times, at + _LATE, side="right") - 1, 0, len(values) - 1)
    left = values[before]
    if CHANNELS[channel].integer or channel in HELD:
        return np.asarray(left)
    after = np.minimum(before + 1, len(values) - 1)
    span = times[after] - times[before]
    share = np.clip((at - times[before]) / np.where(span > 0.0, span, 1.0), 0.0, 1.0)
    step = values[after] - left
    if channel == CLOCK:
        crossed = times[after] - values[after]
        running = np.where(at < crossed, left + (at - times[before]), at - crossed)
        return np.where((step < 0.0) & (at >= times[before]), running, left + share * step)
    if channel in SAWTOOTH:
        step = np.maximum(step, 0.0)
    elif channel in ANGLE:
        step = np.where(np.abs(step) > np.pi, 0.0, step)
    return np.asarray(left + share * step)
