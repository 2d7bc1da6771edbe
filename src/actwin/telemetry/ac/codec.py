"""Linear links between two record types, declared once and run both ways over batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

CHUNK: Final = 512
"""Records that are converted together, so that both sides stay in the processor's cache."""

Records = npt.NDArray[Any]
Cells = npt.NDArray[np.int32]
"""Records as int32[K, width], whatever the four bytes mean."""


class Link(NamedTuple):
    """One channel and the field it comes from: channel = scale · field + offset.

    Attributes:
        channel: Field of our record, dotted where records are nested; one value or one for each wheel.
        field: Field of theirs, dotted too.
        part: Which element of the field; None takes all.
        scale, offset: In the channel's units.
    """

    channel: str
    field: str
    part: int | None = None
    scale: float = 1.0
    offset: float = 0.0


class _Group(NamedTuple):
    """Links whose two sides have the same types, as columns of the records seen as matrices of that type.

    Scale and offset are None where they are 1 and 0 throughout.
    """

    raw_kind: str
    kind: str
    raw: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    scale: npt.NDArray[Any] | None
    offset: npt.NDArray[Any] | None


class Codec:
    """Converts between a record type of theirs and one of ours.

    Args:
        raw: Their record type.
        record: Ours.
        links: What corresponds; fields and channels that no link names are left alone. Where two links share a field,
            the later one writes it.
    """

    def __init__(self, raw: np.dtype[Any], record: np.dtype[Any], links: Iterable[Link]) -> None:
        self.raw, self.record = raw, record
        self.links = tuple(links)
        self.channels = frozenset(link.channel for link in self.links)
        writers = {(link.field, link.part): link for link in self.links}
        self._reading = _groups(raw, record, self.links)
        self._writing = _groups(raw, record, writers.values())

    def decode(self, raw: Records, records: Records) -> None:
        """Fills the linked channels.

        Args:
            raw: raw[K], C-contiguous.
            records: record[K], C-contiguous, written in place.
        """
        for part in chunks(len(raw)):
            self.decode_cells(cells(raw[part]), cells(records[part]))

    def decode_cells(self, raw: Cells, records: Cells) -> None:
        """`decode` of one chunk, given as cells."""
        for group in self._reading:
            values = raw.view(group.raw_kind)[:, group.raw]
            if group.scale is not None:
                values = values * group.scale
            if group.offset is not None:
                values = values + group.offset
            records.view(group.kind)[:, group.columns] = values

    def encode(self, records: Records, raw: Records) -> None:
        """Fills the linked fields; what is not finite becomes 0, what is an integer there is rounded.

        Args:
            records: record[K], C-contiguous.
            raw: raw[K], C-contiguous, written in place.
        """
        for part in chunks(len(raw)):
            self.encode_cells(cells(records[part]), cells(raw[part]))

    def encode_cells(self, records: Cells, raw: Cells) -> None:
        """`encode` of one chunk, given as cells."""
        for group in self._writing:
            values: Records = records.view(group.kind)[:, group.columns]
            if group.kind == "<f4":
                values = np.where(np.isfinite(values), values, np.float32(0.0))
            if group.offset is not None:
                values = values - group.offset
            if group.scale is not None:
                values = values / group.scale
            if group.raw_kind != "<f4":
                limits = np.iinfo(group.raw_kind)
                values = np.clip(np.rint(values.astype(np.float64, copy=False)), limits.min, limits.max)
            raw.view(group.raw_kind)[:, group.raw] = values


class RowDecoder:
    """Decodes one record at a time in memory of its own, with a third of the calls.

    Args:
        codec: Between records of fields of four bytes.
        blank: record[1], what is there where no link leads.

    Attributes:
        raw: The record to decode, as bytes to be written.
        cells: int32[width], the decoded record; renewed by each `decode`.
    """

    def __init__(self, codec: Codec, blank: Records) -> None:
        source = np.zeros(codec.raw.itemsize // 4, "<i4")
        self.raw: memoryview = source.data.cast("B")
        self.cells: Cells = cells(blank)[0].copy()
        self._steps = [
            (
                source.view(group.raw_kind),
                group,
                np.empty(len(group.raw), group.raw_kind),
                np.empty(len(group.raw), "<f4" if group.raw_kind == group.kind == "<f4" else "<f8"),
                self.cells.view(group.kind),
            )
            for group in codec._reading
        ]

    def decode(self) -> None:
        """Renews `cells` from `raw`."""
        for source, group, taken, scaled, target in self._steps:
            source.take(group.raw, out=taken, mode="clip")
            values = taken
            if group.scale is not None:
                values = np.multiply(values, group.scale, out=scaled)
            if group.offset is not None:
                values = np.add(values, group.offset, out=scaled)
            target[group.columns] = values


def fuse(codecs: Iterable[tuple[str, str, Codec]]) -> Codec:
    """One codec out of several, between records that hold theirs side by side.

    Args:
        codecs: Name of the raw part, name of our part, and the codec between them.
    """
    raws: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    links: list[Link] = []
    for raw, our, codec in codecs:
        raws[raw], ours[our] = codec.raw, codec.record
        links += (link._replace(channel=f"{our}.{link.channel}", field=f"{raw}.{link.field}") for link in codec.links)
    return Codec(np.dtype(list(raws.items())), np.dtype(list(ours.items())), links)


def chunks(n: int) -> Iterator[slice]:
    """Where each chunk of n records is."""
    return (slice(begin, begin + CHUNK) for begin in range(0, n, CHUNK))


def cells(records: Records) -> Cells:
    """Records as int32[K, width], without a copy; their size must be a multiple of four bytes."""
    return records.view("<i4").reshape(len(records), -1)


def cells_of(layout: np.dtype[Any], kind: str) -> npt.NDArray[np.intp]:
    """Columns that hold values of one type when records of this layout, which is flat, are seen as `cells`."""
    columns: list[int] = []
    for name in layout.names or ():
        found, offsets = _places(layout, name, None)
        columns += (offset // 4 for offset in offsets if found == kind)
    return np.array(columns, np.intp)


def blank(record: np.dtype[Any]) -> Records:
    """record[1] that says nothing: NaN in fields of floats, 0 in those of integers; read-only."""
    result = np.zeros(1, record)
    for name in record.names or ():
        if result[name].dtype.kind == "f":
            result[name] = np.nan
    result.flags.writeable = False
    return result


def _field(records: Records, path: str, part: int | None) -> Records:
    for name in path.split("."):
        records = records[name]
    return records if part is None else records[..., part]


def _places(layout: np.dtype[Any], path: str, part: int | None) -> tuple[str, list[int]]:
    """Type and byte offsets of the values of a field."""
    record = np.zeros(1, layout)
    field = _field(record, path, part)
    start = field.__array_interface__["data"][0] - record.__array_interface__["data"][0]
    indices = np.ndindex(field.shape[1:])
    offsets = [start + sum(i * step for i, step in zip(index, field.strides[1:], strict=True)) for index in indices]
    return field.dtype.str.replace("|", ""), offsets


def _groups(raw: np.dtype[Any], record: np.dtype[Any], links: Iterable[Link]) -> tuple[_Group, ...]:
    found: dict[tuple[str, str], list[tuple[int, int, float, float]]] = {}
    for link in links:
        raw_kind, sources = _places(raw, link.field, link.part)
        kind, targets = _places(record, link.channel, None)
        raw_size, size = np.dtype(raw_kind).itemsize, np.dtype(kind).itemsize
        rows = found.setdefault((raw_kind, kind), [])
        for source, target in zip(sources, targets, strict=True):
            rows.append((source // raw_size, target // size, link.scale, link.offset))
    return tuple(_group(raw_kind, kind, rows) for (raw_kind, kind), rows in found.items())


def _group(raw_kind: str, kind: str, rows: list[tuple[int, int, float, float]]) -> _Group:
    raw, columns, scale, offset = (np.array(values) for values in zip(*rows, strict=True))
    precise: Any = np.float32 if raw_kind == kind == "<f4" else np.float64
    return _Group(
        raw_kind,
        kind,
        raw,
        columns,
        scale.astype(precise) if np.any(scale != 1.0) else None,
        offset.astype(precise) if np.any(offset != 0.0) else None,
    )
