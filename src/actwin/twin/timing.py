"""Lap and sector timing: line crossings interpolated inside a control period, validity by track limits."""

from __future__ import annotations

import numpy as np

from actwin.jit import clip, jit, maximum, select
from actwin.twin.state import Clock


@jit
def lap_clock(periods: float, offset: float, period: float) -> float:
    """[s] Lap time from counted control periods, their length [s] and the start value [s]."""
    return periods * period + offset


@jit
def time_to_cover(distance: float, travelled: float, start_rate: float, period: float) -> float:
    """Time at which a way was covered, at constant acceleration.

    Args:
        distance: [m] Way to cover, at most `travelled`.
        travelled: [m] Way of the whole period.
        start_rate: [m/s] Rate of travel as the period began.
        period: [s] Its length.

    Returns:
        [s] Within [0, period].
    """
    acceleration = 2.0 * (travelled - start_rate * period) / (period * period)
    root = np.sqrt(maximum(start_rate * start_rate + 2.0 * acceleration * distance, 0.0))
    return clip(2.0 * distance / maximum(start_rate + root, 1.0e-6), 0.0, period)


@jit
def tick(
    clock: Clock,
    start: float,
    end: float,
    start_rate: float,
    sector_end: float,
    length: float,
    period: float,
    tyres_out: float,
    allowed_out: float,
) -> Clock:
    """Moves the clock by one control period.

    Args:
        clock: Before it.
        start, end: [m] Lap distances as the period began and ended.
        start_rate: [m/s] Rate of lap distance as it began.
        sector_end: [m] End of the current sector.
        length: [m] Of the lap.
        period: [s] Its length.
        tyres_out, allowed_out: [-] Wheels beyond the track limits, and how many may be.
    """
    half = 0.5 * length
    lap_time = lap_clock(clock.lap_periods, clock.lap_offset, period)
    ahead = end - start < -half
    back = end - start > half
    travelled = end - start + select(ahead, length, 0.0) - select(back, length, 0.0)

    # The line. Crossings in reverse must be made good before one counts again.
    counts = ahead & (clock.behind < 0.5)
    behind = clock.behind + select(back, 1.0, 0.0) - select(ahead & (clock.behind > 0.5), 1.0, 0.0)
    to_line = time_to_cover(length - start, travelled, start_rate, period)
    at_line = lap_time + to_line
    completes = counts & (clock.opening < 0.5)
    restarts = counts & (clock.opening < 1.5)
    opening = select(counts, 0.0, clock.opening)

    valid = clock.lap_valid * select(tyres_out > allowed_out, 0.0, 1.0)
    better = completes & (valid > 0.5) & ((clock.best_lap_time <= 0.0) | (at_line < clock.best_lap_time))

    # Sectors follow one another; the last one ends at the line.
    passes = (start < sector_end) & (end >= sector_end) & (travelled > 0.0) & (travelled < half)
    at_sector = lap_time + time_to_cover(sector_end - start, travelled, start_rate, period)
    sector_time = select(passes, at_sector - clock.sector_start, clock.last_sector_time)
    sector_time = select(completes, at_line - clock.sector_start, sector_time)
    sector_start = select(passes, at_sector, clock.sector_start)
    sector = clock.sector + select(passes, 1.0, 0.0)

    return Clock(
        lap_periods=select(restarts, 0.0, clock.lap_periods + 1.0),
        lap_offset=select(restarts, period - to_line, clock.lap_offset),
        sector_start=select(restarts, 0.0, sector_start),
        sector=select(restarts, 0.0, sector),
        lap_count=clock.lap_count + select(completes, 1.0, 0.0),
        lap_valid=select(restarts, 1.0, valid),
        last_lap_valid=select(completes, valid, clock.last_lap_valid),
        last_lap_time=select(completes, at_line, clock.last_lap_time),
        best_lap_time=select(better, at_line, clock.best_lap_time),
        last_sector_time=sector_time,
        opening=opening,
        behind=behind,
    )
