"""The columns of a recorded session, derived from the channel table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from actwin.errors import SessionError
from actwin.telemetry.channels import (
    CONTROL_CHANNELS,
    CONTROLS,
    FRAME,
    FRAME_CHANNELS,
    GAME,
    GAME_CHANNELS,
    Channel,
    Controls,
    Frames,
)

TIME: Final = "time"
QUALITY: Final = "quality"
SENT: Final = "sent_"
"""Prefix of the columns that hold what was sent to the car."""
SOURCE: Final = "source_"
"""Prefix of columns that only the file had from which a session was imported."""
META_KEY: Final = b"actwin"
"""Key of the session's meta in the metadata of a stream or Parquet file."""

Records = npt.NDArray[Any]
"""FRAME[K], GAME[K] or CONTROLS[K]."""

ROW: Final = np.dtype([(TIME, "<f8"), ("frame", FRAME), ("game", GAME), ("sent", CONTROLS)])
"""One sample in memory: session time, what was read, what only the game tells, what was sent."""
ROW_WORDS: Final = ROW.itemsize // 4

DOCUMENTED: Final = ("vel", "rpm", "steer_angle", "throttle", "brake", "gear", "lap_progress")
"""The variables of a driver's data set, as the project's documents name them."""


class Column(NamedTuple):
    """One column of four-byte numbers.

    Attributes:
        name: In files and queries.
        channel: Line of the channel table it comes from.
        part: Field of `ROW` it lies in.
        wheel: Index of the wheel, -1 when the channel has one value.
        word: Its place in a row, in four-byte words.
    """

    name: str
    channel: Channel
    part: str
    wheel: int
    word: int


_SENT_AT_ALL: Final = "sent_steer"
"""A float column that holds nothing exactly when no controls were sent."""


def _columns(part: str, channels: tuple[Channel, ...], prefix: str = "") -> Iterator[Column]:
    assert ROW.fields is not None
    dtype, start = ROW.fields[part][:2]
    assert dtype.fields is not None
    for channel in channels:
        word = (start + dtype.fields[channel.name][1]) // 4
        for index, name in enumerate(channel.columns):
            yield Column(prefix + name, channel, part, index if channel.wheels else -1, word + index)


COLUMNS: Final = (
    *_columns("frame", FRAME_CHANNELS),
    *_columns("game", GAME_CHANNELS),
    *_columns("sent", CONTROL_CHANNELS, SENT),
)
"""Every column between `time` and `quality`, in the order of a file."""
COLUMN: Final[Mapping[str, Column]] = {column.name: column for column in COLUMNS}


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, metadata={b"unit": unit.encode(), b"meaning": meaning.encode()})


def _base_fields() -> list[pa.Field]:
    fields = [_field(TIME, pa.float64(), "s", "since the session began")]
    for column in COLUMNS:
        channel = column.channel
        kind = pa.int32() if channel.integer else pa.float32()
        meaning = f"sent: {channel.meaning}" if column.part == "sent" else channel.meaning
        fields.append(_field(column.name, kind, channel.unit, meaning))
    fields.append(_field(QUALITY, pa.uint32(), "1", "one bit for each kind of finding, 0 when there is none"))
    return fields


BASE: Final = pa.schema(_base_fields())
"""The schema without meta and without source columns; each field's metadata has its `unit` and `meaning`."""
_BASE_NAMES: Final = frozenset(BASE.names)


def stream_schema_with(meta: str) -> pa.Schema:
    """The schema of a recorder's stream.

    Args:
        meta: The session's meta as JSON; kept there, so that it can be read when `session.json` is lost.
    """
    return BASE.with_metadata({META_KEY: meta.encode()})


def check_schema(schema: pa.Schema, source: object) -> None:
    """Refuses a file that is no recording, or one of a channel table that does not fit this one.

    Columns that the file lacks are no mistake: they say nothing.

    Args:
        schema: Of the file.
        source: Named in errors.

    Raises:
        SessionError: There is no `time`, or a column of ours has another type.
    """
    if TIME not in schema.names:
        raise SessionError(f"{source}: has no column '{TIME}'. It was not recorded by actwin.")
    for field in schema:
        known = BASE.field(field.name) if field.name in _BASE_NAMES else None
        if known is None and not field.name.startswith(SOURCE):
            raise SessionError(f"{source}: the column '{field.name}' is unknown to this version of actwin. Update it.")
        if known is not None and field.type != known.type:
            message = f"the column '{field.name}' holds {field.type}, not {known.type}."
            raise SessionError(f"{source}: {message} It was not recorded by this version of actwin.")


def source_field(name: str, values: npt.NDArray[Any], unit: str = "") -> pa.Field:
    """The field of a source column.

    Args:
        name: With the prefix `source_`.
        values: [T] Floats, integers, booleans or text.
        unit: As the file named it, empty when it did not.

    Raises:
        ValueError: The name lacks the prefix, or the values are of another kind.
    """
    kinds = {"f": pa.float64(), "i": pa.int64(), "u": pa.int64(), "b": pa.int64(), "U": pa.string(), "O": pa.string()}
    if not name.startswith(SOURCE):
        raise ValueError(f"The source column '{name}' must begin with '{SOURCE}'.")
    if values.dtype.kind not in kinds:
        raise ValueError(f"The source column '{name}' holds {values.dtype}, not numbers or text.")
    return _field(name, kinds[values.dtype.kind], unit, "as the imported file had it")


def absent(part: str, n: int) -> Records:
    """Records that say nothing: NaN in float channels, 0 in integer ones.

    Args:
        part: "frame", "game" or "sent".
        n: How many.
    """
    assert ROW.fields is not None
    dtype = ROW.fields[part][0]
    records = np.zeros(n, dtype)
    assert dtype.fields is not None
    for name, (kind, *_) in dtype.fields.items():
        if kind.base.kind == "f":
            records[name] = np.nan
    return records


def raw_batch(rows: npt.NDArray[Any], schema: pa.Schema) -> pa.RecordBatch:
    """Columns of a block of rows as they are, cheaply; NaN stays NaN.

    Args:
        rows: ROW[K], C-contiguous.
        schema: Of the file, without source columns.
    """
    count = len(rows)
    words = np.ascontiguousarray(rows.view("<u4").reshape(count, ROW_WORDS).T)
    arrays = [pa.array(np.ascontiguousarray(rows[TIME]))]
    for column in COLUMNS:
        arrays.append(pa.array(words[column.word].view("<i4" if column.channel.integer else "<f4")))
    arrays.append(pa.array(np.zeros(count, np.uint32)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def with_nulls(batch: pa.RecordBatch, missing: frozenset[str]) -> pa.RecordBatch:
    """The batch with null for every value that says nothing.

    Args:
        batch: Of a stream: NaN where a float is not known.
        missing: Columns that the source cannot give; wholly null, also where they hold 0.
    """
    arrays = []
    for field, array in zip(batch.schema, batch.columns, strict=True):
        column = COLUMN.get(field.name)
        if field.name in missing:
            array = pa.nulls(len(array), field.type)
        elif column is not None and column.part == "sent" and column.channel.integer:
            array = pc.if_else(pc.is_finite(batch.column(_SENT_AT_ALL)), array, pa.scalar(None, field.type))
        elif pa.types.is_floating(field.type) and array.null_count < len(array):
            array = pc.if_else(pc.is_nan(array), pa.scalar(None, field.type), array)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def missing_columns(channels: Iterable[str]) -> frozenset[str]:
    """Columns of FRAME and GAME channels given by name; unknown names are ignored."""
    names = set(channels)
    return frozenset(c.name for c in COLUMNS if c.part != "sent" and c.channel.name in names)


def to_numpy(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as numpy: null becomes NaN in floats, 0 in integers, the empty text in text."""
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.array(pc.fill_null(array, "").to_pylist(), dtype=object)
    if array.null_count:
        array = pc.fill_null(array, np.nan if pa.types.is_floating(kind) else 0)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], kind)
    return np.asarray(array.to_numpy(zero_copy_only=False))


def to_records(table: pa.Table, part: str) -> Records:
    """FRAME[T], GAME[T] or CONTROLS[T] from columns; a column that the file lacks says nothing.

    Args:
        table: With any of the columns of that part.
        part: "frame", "game" or "sent".
    """
    records = absent(part, table.num_rows)
    for column in COLUMNS:
        if column.part == part and column.name in table.column_names:
            values = to_numpy(table.column(column.name))
            if column.wheel < 0:
                records[column.channel.name] = values
            else:
                records[column.channel.name][:, column.wheel] = values
    return records


def to_columns(time: npt.NDArray[np.float64], frames: Frames, game: Records, sent: Controls) -> list[pa.Array]:
    """`time` and every column of `COLUMNS`, NaN where nothing is known.

    Args:
        time: [s] [T].
        frames, game, sent: FRAME[T], GAME[T], CONTROLS[T].
    """
    parts = {"frame": frames, "game": game, "sent": sent}
    arrays = [pa.array(np.ascontiguousarray(time, np.float64))]
    for column in COLUMNS:
        values = parts[column.part][column.channel.name]
        arrays.append(pa.array(np.ascontiguousarray(values if column.wheel < 0 else values[:, column.wheel])))
    return arrays
