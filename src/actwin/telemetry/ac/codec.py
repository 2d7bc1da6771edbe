"""Linear links between two record types, declared once and run both ways over batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

FEW: Final = 48
"""Below this many records, fields are gathered together; above it, one field after the other is quicker."""
CHUNK: Final = 512
"""Records that are converted together, so that both sides stay in the processor's cache."""

Records = npt.NDArray[Any]


class Link(NamedTuple):
    """One channel and the field it comes from: channel = scale · field + offset.

    Attributes:
        channel: Field of our record; one value or one for each wheel.
        field: Field of theirs, dotted where records are nested.
        part: Which element of the field; None takes all.
        scale, offset: In the channel's units.
    """

    channel: str
    field: str
    part: int | None = None
    scale: float = 1.0
    offset: float = 0.0


class _Group(NamedTuple):
    """Links whose two sides have the same types, as columns of the records seen as matrices of that type."""

    raw_kind: str
    kind: str
    raw: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    scale: Any
    offset: Any
    linear: bool


class Codec:
    """Converts between a record type of theirs and one of ours.

    Args:
        raw: Their record type.
        record: Ours.
        links: What corresponds; fields and channels that no link names are left alone.
    """

    def __init__(self, raw: np.dtype[Any], record: np.dtype[Any], links: Iterable[Link]) -> None:
        self.raw, self.record = raw, record
        self.links = tuple(links)
        self.channels = frozenset(link.channel for link in self.links)
        self._groups = _groups(raw, record, self.links)

    def decode(self, raw: Records, records: Records) -> None:
        """Fills the linked channels.

        Args:
            raw: raw[K], C-contiguous.
            records: record[K], C-contiguous, written in place.
        """
        if len(raw) >= FEW:
            for begin in range(0, len(raw), CHUNK):
                self._decode_fields(raw[begin : begin + CHUNK], records[begin : begin + CHUNK])
            return
        for group in self._groups:
            values = _matrix(raw, group.raw_kind)[:, group.raw]
            if group.linear:
                values = values * group.scale + group.offset
            _matrix(records, group.kind)[:, group.columns] = values

    def encode(self, records: Records, raw: Records) -> None:
        """Fills the linked fields; what is not finite becomes 0, what is an integer there is rounded.

        Args:
            records: record[K], C-contiguous.
            raw: raw[K], C-contiguous, written in place.
        """
        for group in self._groups:
            values = _matrix(records, group.kind)[:, group.columns].astype(np.float64)
            if group.linear:
                values -= group.offset
                values /= group.scale
            if group.kind == "<f4":
                np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
            if group.raw_kind != "<f4":
                limits = np.iinfo(group.raw_kind)
                values = np.clip(np.rint(values), limits.min, limits.max)
            _matrix(raw, group.raw_kind)[:, group.raw] = values

    def _decode_fields(self, raw: Records, records: Records) -> None:
        for link in self.links:
            values, target = _field(raw, link.field, link.part), records[link.channel]
            if link.scale == 1.0 and link.offset == 0.0:
                np.copyto(target, values, casting="unsafe")
                continue
            np.multiply(values, link.scale, out=target, casting="unsafe")
            if link.offset:
                np.add(target, link.offset, out=target, casting="unsafe")


def _field(records: Records, path: str, part: int | None) -> Records:
    for name in path.split("."):
        records = records[name]
    return records if part is None else records[..., part]


def _matrix(records: Records, kind: str) -> Records:
    """Records as a matrix of one type, without a copy."""
    return records.view(kind).reshape(len(records), -1)


def _cells(layout: np.dtype[Any], path: str, part: int | None) -> tuple[str, list[int]]:
    """Type and byte offsets of the values of a field."""
    record = np.zeros(1, layout)
    field = _field(record, path, part)
    start = field.__array_interface__["data"][0] - record.__array_interface__["data"][0]
    places = np.ndindex(field.shape[1:])
    offsets = [start + sum(i * step for i, step in zip(place, field.strides[1:], strict=True)) for place in places]
    return field.dtype.str.replace("|", ""), offsets


def _groups(raw: np.dtype[Any], record: np.dtype[Any], links: Iterable[Link]) -> tuple[_Group, ...]:
    found: dict[tuple[str, str], list[tuple[int, int, float, float]]] = {}
    for link in links:
        raw_kind, sources = _cells(raw, link.field, link.part)
        kind, targets = _cells(record, link.channel, None)
        raw_size, size = np.dtype(raw_kind).itemsize, np.dtype(kind).itemsize
        rows = found.setdefault((raw_kind, kind), [])
        for source, target in zip(sources, targets, strict=True):
            rows.append((source // raw_size, target // size, link.scale, link.offset))
    return tuple(_group(raw_kind, kind, rows) for (raw_kind, kind), rows in found.items())


def _group(raw_kind: str, kind: str, rows: list[tuple[int, int, float, float]]) -> _Group:
    raw, columns, scale, offset = (np.array(values) for values in zip(*rows, strict=True))
    precise: Any = np.float32 if raw_kind == kind == "<f4" else np.float64
    linear = bool(np.any(scale != 1.0) or np.any(offset != 0.0))
    return _Group(raw_kind, kind, raw, columns, scale.astype(precise), offset.astype(precise), linear)


def blank(record: np.dtype[Any]) -> Records:
    """record[1] that says nothing: NaN in fields of floats, 0 in those of integers; read-only."""
    result = np.zeros(1, record)
    for name in record.names or ():
        if result[name].dtype.kind == "f":
            result[name] = np.nan
    result.flags.writeable = False
    return result
