"""Sessions as MoTeC logs."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.errors import SessionError
from actwin.telemetry.store.motec import LdChannel, LdHead
from actwin.telemetry.store.motec_channels import CHANNELS, NAMES, MotecName, unit_of
from actwin.telemetry.store.motec_laps import write_ldx
from actwin.telemetry.store.motec_writer import write_ld
from actwin.telemetry.store.resampling import resampled
from actwin.telemetry.store.session import Session

RATES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""[1/s] Rates MoTeC's loggers know."""
_SLOWER: Final = 0.95
"""A rate may be so much below the session's."""
LATE_COUNT: Final = 1.0
"""[s] So much later than the lap clock a count may change where it is sampled once a second."""
LONGEST: Final = 50_000_000
"""Samples of a channel that are written at most."""

Array = npt.NDArray[np.float64]


class MotecFiles(NamedTuple):
    """What was written.

    Attributes:
        log: The `.ld` file.
        laps: The `.ldx` file beside it.
        rate: [1/s] Of every channel.
        channels: How many.
    """

    log: Path
    laps: Path
    rate: int
    channels: int


def export_ld(session: Session, path: str | Path, rate: int | None = None) -> MotecFiles:
    """Writes a session as a MoTeC log with its lap beacons beside it.

    Every channel of FRAME and GAME that the session knows is written, at one rate: interpolated between the rows,
    counts and gears hold their value, and so does everything while nothing is known.

    Args:
        session: A recorded session.
        path: The `.ld` file; the lap file gets the same name with `.ldx`.
        rate: [1/s] Of the log; None takes the nearest usual one that is not slower than the session.

    Raises:
        SessionError: The session has fewer than two rows, or the files cannot be written.
    """
    time = session.time
    if len(time) < 2 or not np.isfinite(time).all() or time[-1] <= time[0]:
        raise SessionError(f"{session.folder}: has no stretch of time to write. Choose another session.")
    rate = rate or _rate(time)
    count = int((time[-1] - time[0]) * rate + 1e-6) + 1
    if count > LONGEST:
        raise SessionError(f"{session.folder}: would be {count} samples a channel. Export a shorter session.")
    grid = time[0] + np.arange(count) / rate
    channels = []
    for line in NAMES:
        values = _values(session, line) if line.written else None
        if values is not None:
            on_grid = resampled(time, values, grid, line.channel)
            channels.append(LdChannel(line.name, line.unit, rate, _in_motec_units(on_grid, line)))
    path = Path(path)
    log = write_ld(path, _head(session), channels)
    laps = write_ldx(path.with_suffix(".ldx"), [float(t - time[0]) for t in crossings(session)])
    return MotecFiles(log, laps, rate, len(channels))


def _rate(time: Array) -> int:
    """The smallest usual rate that follows the session."""
    steps = np.diff(time)
    rate = 1.0 / float(np.median(steps[steps > 0.0]))
    return next((usual for usual in RATES if usual >= _SLOWER * rate), RATES[-1])


def _values(session: Session, line: MotecName) -> Array | None:
    """[T] A channel in our unit, None when the session does not know it."""
    if line.channel in session.meta.missing:
        return None
    channel = CHANNELS[line.channel]
    records = session.frames if line.channel in (session.frames.dtype.names or ()) else session.game
    column = records[channel.name] if line.wheel < 0 else records[channel.name][:, line.wheel]
    values = column.astype(np.float64)
    return values if np.isfinite(values).any() else None


def _in_motec_units(values: Array, line: MotecName) -> Array:
    unit = unit_of(line, line.unit)
    assert unit is not None
    return (values - unit.offset) / unit.scale


def _head(session: Session) -> LdHead:
    meta = session.meta
    return LdHead(
        started=meta.started.astimezone().replace(tzinfo=None),
        driver=meta.driver,
        vehicle=meta.car,
        venue=" ".join(filter(None, (meta.track, meta.layout))),
        comment=session.name,
        event=meta.track,
        session=meta.source,
        event_comment=meta.notes,
        vehicle_id=meta.car,
    )


def crossings(session: Session) -> list[float]:
    """[s] Session times at which the line was crossed.

    The lap clock of the first row behind the line tells how long ago that was; without it the row itself counts.

    Args:
        session: With or without laps.
    """
    if "lap_count" in session.meta.missing:
        return []
    frames, time = session.frames, session.time
    rows = np.flatnonzero(np.diff(frames["lap_count"]) > 0) + 1
    since = frames["lap_time"][rows].astype(np.float64)
    told = (since >= 0.0) & (since <= LATE_COUNT)
    times = np.where(told, time[rows] - np.where(told, since, 0.0), time[rows])
    return [float(t) for t in np.unique(np.maximum(times, time[0]))]
