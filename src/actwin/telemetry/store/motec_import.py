"""MoTeC logs as recordings: channels of many rates brought onto one clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SessionError
from actwin.telemetry.store.csv_table import CELL_LIMIT
from actwin.telemetry.store.imported import Imported
from actwin.telemetry.store.motec import LdChannel, LdFile, LdHead, read_ld
from actwin.telemetry.store.motec_channels import NAMES, MotecName, unit_of
from actwin.telemetry.store.motec_laps import read_ldx
from actwin.telemetry.store.resampling import resampled

YEARS: Final = range(1980, 2200)
"""In which a log may have been made."""
_NANOSECONDS: Final = 1_000_000_000
_NAMED: Final[dict[str, list[MotecName]]] = {}
for _line in NAMES:
    _NAMED.setdefault(_line.name.lower(), []).append(_line)


def import_ld(path: str | Path) -> Imported:
    """Reads a MoTeC log with the lap beacons beside it.

    Rows are the times at which any channel was sampled. Every channel stands under its own name on the rows of its
    own samples; channels we know are interpolated between them, counts and gears hold their last value.

    Args:
        path: A `.ld` file; a `.ldx` of the same name beside it is read too.

    Raises:
        SessionError: A file is damaged, or would unfold to more than the memory should hold.
    """
    path = Path(path)
    log = read_ld(path)
    channels = [channel for channel in log.channels if len(channel.values)]
    if not channels:
        raise SessionError(f"{path}: has no samples. Export the log again.")
    clock = _clock(channels, path)
    made = Imported(clock / _NANOSECONDS)
    _describe(made, log.head)
    has_running = any(channel.name == "Running Lap Time" for channel in channels)
    for channel in channels:
        rows = np.searchsorted(clock, _sample_times(channel))
        kept = np.full(len(clock), np.nan)
        kept[rows] = channel.values
        made.keep(channel.name, kept, channel.unit)
        _put(made, channel, has_running)
    put_beacons(made, _beacons(path))
    made.notes += _notes(log)
    return made


def _sample_times(channel: LdChannel) -> npt.NDArray[np.int64]:
    """[ns] Times of a channel's samples, rounded so that rates that divide each other meet."""
    count = np.arange(len(channel.values), dtype=np.int64)
    return (2 * count * _NANOSECONDS + channel.rate) // (2 * channel.rate)


def _clock(channels: Sequence[LdChannel], path: Path) -> npt.NDArray[np.int64]:
    """[ns] All times at which any channel has a sample, rising."""
    longest: dict[int, LdChannel] = {}
    for channel in channels:
        if channel.rate not in longest or len(channel.values) > len(longest[channel.rate].values):
            longest[channel.rate] = channel
    if sum(len(channel.values) for channel in longest.values()) > CELL_LIMIT:
        raise SessionError(f"{path}: has more than {CELL_LIMIT} samples. Export a part of it.")
    clock = np.unique(np.concatenate([_sample_times(channel) for channel in longest.values()]))
    if len(clock) * len(channels) > CELL_LIMIT:
        problem = f"{len(channels)} channels at {len(clock)} times are more than {CELL_LIMIT} values"
        raise SessionError(f"{path}: {problem}. Export fewer channels or a part of the log.")
    return clock


def _put(made: Imported, channel: LdChannel, has_running: bool) -> None:
    """Fills the channels that a log's channel stands for."""
    for line in lines_for(channel.name, has_running):
        unit = unit_of(line, channel.unit)
        if unit is not None and not (line.wheel < 0 and made.has(line.channel)):
            with np.errstate(over="ignore"):
                values = channel.values * unit.scale + unit.offset
            if np.isfinite(values).any():
                times = _sample_times(channel) / _NANOSECONDS
                made.put(line.channel, resampled(times, values, made.time, line.channel), line.wheel)


def lines_for(name: str, has_running: bool) -> list[MotecName]:
    """What a channel of a log may stand for.

    Args:
        name: In the log.
        has_running: Whether the log has a running lap time too; its "Lap Time" is then that of the last lap.
    """
    lines = _NAMED.get(name.strip().lower(), [])
    if has_running:
        lines = [line._replace(channel="last_lap_time") if line.name == "Lap Time" else line for line in lines]
    return lines


def put_beacons(made: Imported, beacons: Sequence[float]) -> None:
    """Fills lap count, lap time and last lap time from the times at which the line was crossed.

    Args:
        made: A recording; one whose own channels tell its laps stays as it is.
        beacons: [s] From the first row, rising.
    """
    if not len(beacons) or made.has("lap_count"):
        return
    marks = np.asarray(beacons, np.float64)
    count = np.searchsorted(marks, made.time, side="right")
    since = made.time - marks[np.maximum(count - 1, 0)]
    made.put("lap_count", count)
    if not made.has("lap_time"):
        made.put("lap_time", np.where(count > 0, since, np.nan))
    if not made.has("last_lap_time"):
        last = np.concatenate([[0.0, 0.0], np.diff(marks)])
        made.put("last_lap_time", last[count])


def _beacons(path: Path) -> list[float]:
    """The beacons beside a log, none when there is no such file."""
    for ending in (".ldx", ".LDX"):
        if (beside := path.with_suffix(ending)).is_file():
            return read_ldx(beside)
    return []


def _describe(made: Imported, head: LdHead) -> None:
    made.track, made.car, made.driver = head.venue, head.vehicle or head.vehicle_id, head.driver
    made.started = local_time(head.started)
    told = {"event": head.event, "session": head.session, "comment": head.comment, "device": head.device}
    told |= {"event_comment": head.event_comment, "vehicle_type": head.vehicle_type}
    made.facts |= {name: text for name, text in told.items() if text}


def local_time(moment: datetime | None) -> datetime | None:
    """A time without a zone as one of this machine's zone; None when it lies outside the age of such loggers."""
    return moment.astimezone() if moment and moment.year in YEARS else None


def _notes(log: LdFile) -> list[str]:
    rates = sorted({channel.rate for channel in log.channels if len(channel.values)})
    notes = [f"Channels at {', '.join(map(str, rates))} Hz share one clock."] if len(rates) > 1 else []
    return notes + [f"Left out: {reason}." for reason in log.skipped]
