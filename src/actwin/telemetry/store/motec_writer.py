"""Writer of MoTeC log files (`.ld`).

Samples are 32-bit floats, headers lie 124 bytes apart, which is what MoTeC's own loggers write. That i2 opens the files
is believed because independent readers do and because every constant is that of files which it opens.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from actwin.errors import SessionError
from actwin.telemetry.store.motec import (
    CHANNEL,
    CHANNEL_LIMIT,
    EVENT,
    FLOAT,
    HEAD,
    MARKER,
    STRIDE,
    VEHICLE,
    VENUE,
    LdChannel,
    LdHead,
)

RATE_LIMIT: Final = 0xFFFF
SIZE_LIMIT: Final = 0xFFFF_FFFF
"""Pointers have 32 bits."""

_EVENT_AT: Final = HEAD.itemsize
_VENUE_AT: Final = _EVENT_AT + EVENT.itemsize
_VEHICLE_AT: Final = _VENUE_AT + VENUE.itemsize
_CHANNELS_AT: Final = _VEHICLE_AT + VEHICLE.itemsize

_CONSTANTS: Final = {
    "marker": MARKER, "constant_1": 1, "constant_2": 0x4240, "constant_3": 0x000F, "serial": 12007, "version": 420,
    "constant_4": 0xADB0, "pro_logging": 0xD20822,
}  # fmt: skip
"""Fields whose meaning is unknown or does not matter, with the values real files have."""
_FIRST_COUNTER: Final = 0x2EE1


def write_ld(path: str | Path, head: LdHead, channels: Sequence[LdChannel]) -> Path:
    """Writes a MoTeC log file; a file of that name is replaced whole or not at all.

    Texts longer than their field are cut, characters outside the Western Windows code page become "?".

    Args:
        path: Where to, usually ending in `.ld`.
        head: What the file says about itself.
        channels: With values in their unit; written as 32-bit floats.

    Returns:
        The file.

    Raises:
        SessionError: No channels, too many, a rate that is no whole number of Hz, more than 4 GiB, or nowhere to
            write.
    """
    path = Path(path)
    _check(path, channels)
    data_at = _CHANNELS_AT + STRIDE * len(channels)
    made = path.with_name(f".{path.name}.new")
    try:
        with made.open("wb") as file:
            file.write(_head(head, len(channels), data_at))
            file.write(_blocks(head))
            file.write(_headers(channels, data_at))
            for channel in channels:
                with np.errstate(over="ignore"):
                    file.write(np.ascontiguousarray(channel.values, "<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise SessionError(f"{path}: cannot be written ({error.strerror}). Choose another place.") from error
    return path


def _check(path: Path, channels: Sequence[LdChannel]) -> None:
    if not 0 < len(channels) <= CHANNEL_LIMIT:
        raise SessionError(f"{path}: a MoTeC log has 1 to {CHANNEL_LIMIT} channels, not {len(channels)}.")
    for channel in channels:
        if not 0 < channel.rate <= RATE_LIMIT or channel.rate != int(channel.rate):
            problem = f"channel '{channel.name}' has {channel.rate} samples a second"
            raise SessionError(f"{path}: {problem}. A MoTeC log takes whole numbers from 1 to {RATE_LIMIT}.")
    size = _CHANNELS_AT + sum(STRIDE + 4 * len(channel.values) for channel in channels)
    if size > SIZE_LIMIT:
        raise SessionError(f"{path}: would have {size} bytes, a MoTeC log at most {SIZE_LIMIT}. Export fewer laps.")


def _record(layout: np.dtype[Any], values: dict[str, Any]) -> bytes:
    """The bytes of one record; text is encoded and cut, fields not named are 0."""
    record = np.zeros((), layout)
    assert layout.fields is not None
    for name, value in values.items():
        if isinstance(value, str):
            # One byte stays 0, because some readers look for the end of the text.
            record[name] = value.encode("cp1252", "replace")[: layout.fields[name][0].itemsize - 1]
        else:
            record[name] = value
    return record.tobytes()


def _head(head: LdHead, channels: int, data_at: int) -> bytes:
    values: dict[str, Any] = _CONSTANTS | {
        "first_channel": _CHANNELS_AT,
        "first_data": data_at,
        "event": _EVENT_AT,
        "device": head.device,
        "channels": channels,
        "driver": head.driver,
        "vehicle": head.vehicle,
        "venue": head.venue,
        "comment": head.comment,
    }
    if head.started is not None:
        values |= {"date": head.started.strftime("%d/%m/%Y"), "time": head.started.strftime("%H:%M:%S")}
    return _record(HEAD, values)


def _blocks(head: LdHead) -> bytes:
    """Event, venue and vehicle, each pointing to the next by 16 bits, for which they lie in the first 64 KiB."""
    event = {"name": head.event, "session": head.session, "comment": head.event_comment, "venue": _VENUE_AT}
    vehicle = {
        "id": head.vehicle_id or head.vehicle,
        "weight": head.vehicle_weight,
        "type": head.vehicle_type,
        "comment": head.vehicle_comment,
    }
    venue = {"name": head.venue, "vehicle": _VEHICLE_AT}
    return _record(EVENT, event) + _record(VENUE, venue) + _record(VEHICLE, vehicle)


def _headers(channels: Sequence[LdChannel], data_at: int) -> bytes:
    """The linked list of channel headers."""
    padding = bytes(STRIDE - CHANNEL.itemsize)
    parts, last = [], len(channels) - 1
    for number, channel in enumerate(channels):
        here = _CHANNELS_AT + STRIDE * number
        values = {
            "previous": here - STRIDE if number else 0,
            "next": here + STRIDE if number < last else 0,
            "data": data_at,
            "count": len(channel.values),
            "counter": (_FIRST_COUNTER + number) & 0xFFFF,
            "kind": FLOAT,
            "size": 4,
            "rate": int(channel.rate),
            "mul": 1,
            "scale": 1,
            "name": channel.name,
            "short_name": channel.short_name or channel.name,
            "unit": channel.unit,
        }
        parts.append(_record(CHANNEL, values) + padding)
        data_at += 4 * len(channel.values)
    return b"".join(parts)
