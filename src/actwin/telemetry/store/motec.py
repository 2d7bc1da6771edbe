"""MoTeC log files (`.ld`): their bytes, as a table of offsets.

The format has no public description; offsets and meanings are those that several independent readers agree on and that
files of MoTeC's own logger and of Assetto Corsa's MoTeC app bear out. Everything is little endian. A file is data from
outside: every pointer, count and length is checked before it is followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SessionError

FILE_LIMIT: Final = 1 << 30
"""Bytes of the largest file that is read."""
CHANNEL_LIMIT: Final = 4096
"""Channels a file may have; loggers have some hundreds."""
EXPONENT_LIMIT: Final = 12
"""Decimal places a channel may be shifted by."""
STRIDE: Final = 124
"""Bytes from one channel header to the next as written here; readers follow the links, since 116 exists too."""


def _layout(size: int, *fields: tuple[str, int, str]) -> np.dtype[Any]:
    """A record type from (name, offset, type) lines."""
    names, offsets, formats = zip(*fields, strict=True)
    return np.dtype({"names": names, "offsets": offsets, "formats": formats, "itemsize": size})


HEAD: Final = _layout(
    1762,
    ("marker", 0, "<u4"),
    ("first_channel", 8, "<u4"),
    ("first_data", 12, "<u4"),
    ("event", 36, "<u4"),
    ("constant_1", 64, "<u2"),
    ("constant_2", 66, "<u2"),
    ("constant_3", 68, "<u2"),
    ("serial", 70, "<u4"),
    ("device", 74, "S8"),
    ("version", 82, "<u2"),
    ("constant_4", 84, "<u2"),
    ("channels", 86, "<u4"),
    ("date", 94, "S16"),
    ("time", 126, "S16"),
    ("driver", 158, "S64"),
    ("vehicle", 222, "S64"),
    ("venue", 350, "S64"),
    ("pro_logging", 1502, "<u4"),
    ("comment", 1572, "S64"),
)
EVENT: Final = _layout(
    1154, ("name", 0, "S64"), ("session", 64, "S64"), ("comment", 128, "S1024"), ("venue", 1152, "<u2")
)
VENUE: Final = _layout(1100, ("name", 0, "S64"), ("vehicle", 1098, "<u2"))
VEHICLE: Final = _layout(260, ("id", 0, "S64"), ("weight", 192, "<u4"), ("type", 196, "S32"), ("comment", 228, "S32"))
CHANNEL: Final = _layout(
    84,
    ("previous", 0, "<u4"),
    ("next", 4, "<u4"),
    ("data", 8, "<u4"),
    ("count", 12, "<u4"),
    ("counter", 16, "<u2"),
    ("kind", 18, "<u2"),
    ("size", 20, "<u2"),
    ("rate", 22, "<u2"),
    ("shift", 24, "<i2"),
    ("mul", 26, "<i2"),
    ("scale", 28, "<i2"),
    ("dec", 30, "<i2"),
    ("name", 32, "S32"),
    ("short_name", 64, "S8"),
    ("unit", 72, "S12"),
)
"""One channel's header without its padding, which is 40 bytes or 32."""

MARKER: Final = 0x40
FLOAT: Final = 7
SAMPLES: Final = {
    (FLOAT, 2): "<f2", (FLOAT, 4): "<f4", (0, 2): "<i2", (0, 4): "<i4", (3, 2): "<i2", (3, 4): "<i4",
    (5, 2): "<i2", (5, 4): "<i4",
}  # fmt: skip
"""Sample type by the header's kind and size."""


@dataclass(frozen=True)
class LdHead:
    """What a log file says about itself; every text may be empty.

    Attributes:
        started: When logging began, local time without a zone; None when it is not told.
        driver, vehicle, venue, comment: As shown in MoTeC's list of files.
        event, session, event_comment: Of the meeting.
        vehicle_id, vehicle_type, vehicle_comment: Of the car.
        vehicle_weight: [kg] As entered, 0 when not.
        device: Name of the logger.
    """

    started: datetime | None = None
    driver: str = ""
    vehicle: str = ""
    venue: str = ""
    comment: str = ""
    event: str = ""
    session: str = ""
    event_comment: str = ""
    vehicle_id: str = ""
    vehicle_type: str = ""
    vehicle_comment: str = ""
    vehicle_weight: int = 0
    device: str = "ADL"


@dataclass(frozen=True, eq=False)
class LdChannel:
    """One channel: samples at a rate of its own.

    Attributes:
        name: At most 32 characters; not always unique in a file.
        unit: As the file has it ("km/h"), at most 12 characters.
        rate: [1/s] Samples a second, a whole number.
        values: float64[N] In that unit; the first sample is at time 0.
        short_name: At most 8 characters.
    """

    name: str
    unit: str
    rate: int
    values: npt.NDArray[np.float64]
    short_name: str = ""


@dataclass(frozen=True, eq=False)
class LdFile:
    """A log file.

    Attributes:
        head: What it says about itself.
        channels: In the order of the file.
        skipped: Channels whose samples are of a kind nobody knows, with the reason.
    """

    head: LdHead
    channels: tuple[LdChannel, ...]
    skipped: tuple[str, ...] = ()


class _Bytes:
    """The content of a file, read at checked places only.

    Args:
        content: All bytes.
        source: Path for messages.
    """

    def __init__(self, content: bytes, source: Path) -> None:
        self.content, self.source = content, source

    def record(self, layout: np.dtype[Any], offset: int, what: str) -> Any:
        """The record at an offset."""
        return self.array(layout, offset, 1, what)[0]

    def array(self, layout: Any, offset: int, count: int, what: str) -> npt.NDArray[Any]:
        """`count` values at an offset, without a copy."""
        size = np.dtype(layout).itemsize * count
        if offset + size > len(self.content):
            raise self.bad(f"{what} would reach to byte {offset + size} of {len(self.content)}")
        return np.frombuffer(self.content, layout, count, offset)

    def bad(self, problem: str) -> SessionError:
        """The error that says what is wrong with the file."""
        return SessionError(f"{self.source}: {problem}. The file is damaged or no MoTeC log; export it again.")


def read_ld(path: str | Path) -> LdFile:
    """Reads a MoTeC log file, whatever the distance between its channel headers.

    Args:
        path: A `.ld` file of at most `FILE_LIMIT` bytes.

    Raises:
        SessionError: The file cannot be read, is no MoTeC log, or points outside itself.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT:
            raise SessionError(f"{path}: has {size} bytes. At most {FILE_LIMIT} are read; export a part of it.")
        content = path.read_bytes()
    except OSError as error:
        raise SessionError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    return parse_ld(content, path)


def parse_ld(content: bytes, source: str | Path = "log") -> LdFile:
    """A MoTeC log from its bytes.

    Args:
        content: Of the file.
        source: Named in errors.

    Raises:
        SessionError: As `read_ld`.
    """
    file = _Bytes(content, Path(source))
    head = file.record(HEAD, 0, "the head")
    if head["marker"] != MARKER:
        raise file.bad(f"begins with {int(head['marker']):#x} instead of {MARKER:#x}")
    channels, skipped, claimed = [], [], 0
    for header in _headers(file, int(head["first_channel"])):
        kind = SAMPLES.get((int(header["kind"]), int(header["size"])))
        name = _text(header["name"])
        if kind is None:
            skipped.append(f"{name}: samples of type {header['kind']}, {header['size']} bytes, are unknown")
            continue
        claimed += int(header["count"]) * int(header["size"])
        if claimed > len(content):
            raise file.bad(f"channels up to '{name}' claim {claimed} bytes of samples in a file of {len(content)}")
        channels.append(_channel(file, header, kind, name))
    return LdFile(_head(file, head), tuple(channels), tuple(skipped))


def _headers(file: _Bytes, offset: int) -> Sequence[Any]:
    """The channel headers, by following their links."""
    headers: list[Any] = []
    visited: set[int] = set()
    while offset:
        if offset in visited:
            raise file.bad(f"the list of channels runs in a circle at byte {offset}")
        if len(headers) == CHANNEL_LIMIT:
            raise file.bad(f"lists more than {CHANNEL_LIMIT} channels")
        visited.add(offset)
        headers.append(file.record(CHANNEL, offset, f"the header of channel {len(headers) + 1}"))
        offset = int(headers[-1]["next"])
    return headers


def _channel(file: _Bytes, header: Any, kind: str, name: str) -> LdChannel:
    """A channel with its samples in the channel's unit: (raw / scale * 10^-dec + shift) * mul."""
    count, rate = int(header["count"]), int(header["rate"])
    shift, mul, scale, dec = (int(header[field]) for field in ("shift", "mul", "scale", "dec"))
    if scale == 0 or abs(dec) > EXPONENT_LIMIT:
        raise file.bad(f"channel '{name}' has scale {scale} and {dec} decimal places")
    if count and not rate:
        raise file.bad(f"channel '{name}' has {count} samples at 0 Hz")
    raw = file.array(kind, int(header["data"]), count, f"the data of channel '{name}'")
    with np.errstate(over="ignore", invalid="ignore"):
        values = (raw.astype(np.float64) / scale * 10.0**-dec + shift) * mul
    return LdChannel(name, _text(header["unit"]), rate, values, _text(header["short_name"]))


def _head(file: _Bytes, head: Any) -> LdHead:
    """The head with event, venue and vehicle; one of these that lies outside the file counts as absent."""
    event = _optional(file, EVENT, int(head["event"]))
    venue = _optional(file, VENUE, int(event["venue"])) if event is not None else None
    vehicle = _optional(file, VEHICLE, int(venue["vehicle"])) if venue is not None else None
    told: dict[str, Any] = {name: _text(head[name]) for name in ("driver", "vehicle", "venue", "comment", "device")}
    if event is not None:
        told |= {"event": _text(event["name"]), "session": _text(event["session"])}
        told["event_comment"] = _text(event["comment"])
    if vehicle is not None:
        told |= {f"vehicle_{name}": _text(vehicle[name]) for name in ("id", "type", "comment")}
        told["vehicle_weight"] = int(vehicle["weight"])
    return LdHead(started=log_date(_text(head["date"]), _text(head["time"])), **told)


def _optional(file: _Bytes, layout: np.dtype[Any], offset: int) -> Any:
    """The record at an offset, None when there is none."""
    inside = 0 < offset <= len(file.content) - layout.itemsize
    return file.record(layout, offset, "a block") if inside else None


def _text(raw: bytes) -> str:
    """Text of a field, up to its first NUL, without control characters; MoTeC writes the Western Windows code page."""
    text = raw.split(b"\0", 1)[0].decode("cp1252", "replace")
    return "".join(c for c in text if c.isprintable()).strip()


def log_date(date: str, time: str) -> datetime | None:
    """When a log began, from the two texts of its head; None when they say nothing that is known.

    Args:
        date: "dd/mm/yyyy" or "yyyy-mm-dd".
        time: "HH:MM:SS" or "HH:MM".
    """
    for day in ("%d/%m/%Y", "%Y-%m-%d"):
        for clock in ("%H:%M:%S", "%H:%M"):
            try:
                return datetime.strptime(f"{date} {time}", f"{day} {clock}")
            except ValueError:
                continue
    return None
