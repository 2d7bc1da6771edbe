"""The Parquet file of a session: written from batches, in pieces, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from actwin.telemetry.store.folder import META, STREAM, TABLE, WriterLock, write_text
from actwin.telemetry.store.meta import LapMark, SessionMeta
from actwin.telemetry.store.schema import BASE, META_KEY, TIME, check_schema, missing_columns, to_numpy, with_nulls

GROUP_ROWS: Final = 32_768
"""Rows of a row group: 20 MB in memory, 98 s of the game's physics rate."""
GATHERED_ROWS: Final = 8192
"""Rows of a stream that are worked on together."""
LAP_LIMIT: Final = 10_000
"""Laps kept in a lap table."""
STREAM_ERRORS: Final = (pa.ArrowException, OSError, MemoryError)
"""What reading a stream may raise that was cut off or damaged."""
_NOT_YET: Final = 0.5
"""[s] A lap whose clock shows less than this at the first row was recorded from its beginning."""


def packing(schema: pa.Schema) -> dict[str, Any]:
    """How columns are packed: floats by their bytes, which halves the file because neighbours share the upper ones.

    Args:
        schema: Of the file.
    """
    floats = {field.name: "BYTE_STREAM_SPLIT" for field in schema if pa.types.is_floating(field.type)}
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return {"compression": "zstd", "compression_level": 3, "use_dictionary": texts, "column_encoding": floats}


class TableWriter:
    """Writes rows into a session's Parquet file; the file appears when it is complete.

    Args:
        folder: Of the session.
        schema: Of the file.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._target = folder / TABLE
        self._made = folder / f".{TABLE}.new"
        self._schema = schema.remove_metadata()  # the meta is added at the end, when it is complete
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self._writer = pq.ParquetWriter(self._made, self._schema, **packing(schema))
        self._empty = True

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes some rows."""
        self._waiting.append(batch.replace_schema_metadata())
        self._rows += batch.num_rows
        if self._rows >= GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        if self._waiting or self._empty:  # a file without a row group is more than some readers can take
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema), row_group_size=GROUP_ROWS)
        self._waiting, self._rows, self._empty = [], 0, False

    def finish(self, meta: SessionMeta) -> None:
        """Writes what is left and puts the file in its place, then the meta beside it.

        Args:
            meta: Complete; kept in the file and in `session.json`.
        """
        self._write()
        self._writer.add_key_value_metadata({META_KEY: meta.dump().encode()})
        self._writer.close()
        with self._made.open("r+b") as file:
            os.fsync(file.fileno())
        self._made.replace(self._target)
        write_text(self._target.with_name(META), meta.dump())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._writer.close()
            self._made.unlink(missing_ok=True)


class Summary:
    """Gathers, batch by batch, what a session's meta says about its rows."""

    def __init__(self) -> None:
        self.frames = 0
        self._first = self._last = 0.0
        self._completed: int | None = None
        self._laps: list[LapMark] = []
        self._whole = False

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows."""
        if not batch.num_rows:
            return
        time = to_numpy(batch.column(TIME))
        if not self.frames:
            self._first = float(time[0])
        self.frames += batch.num_rows
        self._last = float(time[-1])
        if batch.column("lap_count").null_count < batch.num_rows:
            self._add_laps(batch, time)

    def _add_laps(self, batch: pa.RecordBatch, time: Any) -> None:
        counts = to_numpy(batch.column("lap_count"))
        if self._completed is None:
            clock = to_numpy(batch.column("lap_time").slice(0, 1))[0]
            self._completed, self._whole = int(counts[0]), bool(clock < _NOT_YET)
        before = np.concatenate(([self._completed], counts[:-1]))
        for row in np.flatnonzero(counts != before):
            if counts[row] > before[row] and len(self._laps) < LAP_LIMIT:
                self._laps.append(_lap_mark(batch, int(row), int(counts[row]), float(time[row]), self._whole))
            # After a restart of the session, where the count falls, the next lap begins here too.
            self._whole = True
        self._completed = int(counts[-1])

    def applied(self, meta: SessionMeta, **more: Any) -> SessionMeta:
        """The meta with frames, duration, end and laps filled in."""
        duration = max(self._last - self._first, 0.0)
        found = {"frames": self.frames, "duration": duration, "laps": tuple(self._laps)}
        return meta.changed(**found, **more)


def _lap_mark(batch: pa.RecordBatch, row: int, number: int, time: float, whole: bool) -> LapMark:
    lap_time, valid = batch.column("last_lap_time")[row].as_py(), batch.column("last_lap_valid")[row].as_py()
    return LapMark(
        number=number,
        time=time,
        lap_time=round(lap_time, 4) if lap_time and np.isfinite(lap_time) and lap_time > 0.0 else None,
        valid=None if valid is None else bool(valid),
        whole=whole,
    )


def stream_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Batches of an Arrow stream in order, as far as they are whole: what a kill cut off is left out."""
    try:
        with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
            while True:
                batch = reader.read_next_batch()
                batch.validate(full=True)
                yield batch
    except StopIteration:
        return
    except STREAM_ERRORS:
        return


def stream_schema(path: Path) -> pa.Schema | None:
    """The schema of a stream, None when the recorder was killed before it was written."""
    try:
        with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
            return reader.schema
    except STREAM_ERRORS:
        return None


def save_table(folder: Path, meta: SessionMeta, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> SessionMeta:
    """Writes a session's Parquet file and its `session.json`.

    Args:
        folder: Of the session.
        meta: `frames`, `duration` and `laps` are filled in from the rows.
        batches: Rows, with null where nothing is known.
        schema: Of the batches.

    Returns:
        The meta as written.
    """
    summary = Summary()
    with TableWriter(folder, schema) as writer:
        for batch in batches:
            summary.add(batch)
            writer.add(batch)
        meta = summary.applied(meta)
        writer.finish(meta)
    return meta


def compact(folder: Path, meta: SessionMeta) -> SessionMeta:
    """Turns a session's stream into its Parquet file and removes the stream; the caller holds the folder's lock.

    Killed in between, it can be done again: the stream goes last.

    Args:
        folder: Of the session.
        meta: What is to be kept about it.

    Returns:
        The meta as written, with what the rows say.

    Raises:
        SessionError: The stream is not one of ours.
    """
    missing = missing_columns(meta.missing)
    ended = datetime.fromtimestamp((folder / STREAM).stat().st_mtime, UTC)
    meta = meta.changed(ended=max(ended, meta.started))
    rows = (with_nulls(batch, missing) for batch in _gathered(stream_batches(folder / STREAM)))
    schema = stream_schema(folder / STREAM) or BASE
    check_schema(schema, folder)
    meta = save_table(folder, meta, rows, schema)
    (folder / STREAM).unlink()
    return meta


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches: a recorder writes many small ones, and work on a column costs by the batch."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= GATHERED_ROWS:
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting = []
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


def recover(folder: Path, meta: SessionMeta) -> SessionMeta | None:
    """Saves the rows of a recorder that was killed.

    Args:
        folder: Of the session.
        meta: As `read_meta` finds it.

    Returns:
        The new meta; None when there is nothing to do, or when the recorder still runs.
    """
    stream = folder / STREAM
    if not stream.is_file():
        return None
    with WriterLock(folder) as lock:
        if not lock.acquire() or not stream.is_file():
            return None
        if (folder / TABLE).is_file():  # killed between the last steps of `compact`
            write_text(folder / META, meta.dump())
            stream.unlink()
            return meta
        return compact(folder, meta.changed(state="recovered"))


def rewrite(folder: Path, meta: SessionMeta, changes: Mapping[str, pa.Array]) -> None:
    """Writes a complete session's Parquet file anew with some columns replaced.

    Args:
        folder: Of the session.
        meta: To be kept in the new file and in `session.json`.
        changes: New columns [T] by name.
    """
    with pq.ParquetFile(folder / TABLE) as file:
        schema = file.schema_arrow
        with TableWriter(folder, schema) as writer:
            start = 0
            for batch in file.iter_batches(GROUP_ROWS):
                for name, values in changes.items():
                    part = values.slice(start, batch.num_rows)
                    batch = batch.set_column(schema.get_field_index(name), schema.field(name), part)
                writer.add(batch)
                start += batch.num_rows
            writer.finish(meta)
