"""Recorded sessions as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from actwin.errors import SessionError, UnknownNameError
from actwin.telemetry.channels import GAME_CHANNELS, Controls, Frames
from actwin.telemetry.store.folder import STREAM, TABLE, is_session, new_folder, remove
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.meta_files import damaged, read_meta, words
from actwin.telemetry.store.schema import (
    BASE,
    COLUMNS,
    QUALITY,
    TIME,
    Records,
    absent,
    check_schema,
    missing_columns,
    source_field,
    to_columns,
    to_numpy,
    to_records,
    with_nulls,
)
from actwin.telemetry.store.table import GROUP_ROWS, recover, rewrite, save_table, stream_batches, stream_schema

ROW_LIMIT: Final = 100_000_000
"""Rows a session may have: 83 hours at the game's physics rate. A file that claims more is damaged or hostile."""


class Session:
    """One recorded drive: a folder with its meta and its rows. Columns are read when they are asked for.

    ```
    session = Session.open("data/sessions/2026-11-21_10-24-31_monza_bmw_z4_gt3")
    session.meta.car, len(session), session.frames["speed"], session.column("tyre_pressure_fl")
    ```

    A session whose recorder was killed is recovered when it is opened; one that is being recorded shows the rows that
    are on disk so far.

    Args:
        folder: Of the session.
        meta: Its content of `session.json`.
    """

    def __init__(self, folder: Path, meta: SessionMeta) -> None:
        self.folder, self.meta = folder, meta

    @classmethod
    def open(cls, folder: str | Path) -> Session:
        """Opens a session, saving first what a killed recorder left.

        Raises:
            SessionError: There is no session, or none that can be read.
        """
        folder = Path(folder)
        if not is_session(folder):
            raise SessionError(f"{folder}: holds no recorded session. List them with: actwin sessions")
        meta = read_meta(folder)
        try:
            return cls(folder, recover(folder, meta) or meta)
        except OSError:  # a folder that can only be read: its rows are read from the stream
            return cls(folder, meta)
        except pa.ArrowException as error:
            raise damaged(folder, error) from error

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name

    def __repr__(self) -> str:
        return f"Session({self.folder.as_posix()!r}, {self.meta.state}, {self.meta.frames} frames)"

    def __len__(self) -> int:
        """Rows."""
        return len(self.time)

    @property
    def has_table(self) -> bool:
        """Whether it is complete: its rows are in a Parquet file."""
        return (self.folder / TABLE).is_file()

    @cached_property
    def schema(self) -> pa.Schema:
        """Fields with their `unit` and `meaning` in the metadata."""
        if not self.has_table:
            found = stream_schema(self.folder / STREAM) or BASE
        else:
            try:
                with pq.ParquetFile(self.folder / TABLE) as file:
                    found, rows = file.schema_arrow, file.metadata.num_rows
            except (pa.ArrowException, OSError) as error:
                raise damaged(self.folder, error) from error
            if rows > ROW_LIMIT:
                raise damaged(self.folder, ValueError(f"it claims to hold {rows} rows"))
        check_schema(found, self.folder)
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, `time` first; those that only the imported file had begin with `source_`."""
        return tuple(self.schema.names)

    def unit(self, column: str) -> str:
        """Unit of a column."""
        unit: bytes = (self._field(column).metadata or {}).get(b"unit", b"")
        return unit.decode()

    def _field(self, column: str) -> pa.Field:
        if column not in self.schema.names:
            raise UnknownNameError("column", column, self.schema.names)
        return self.schema.field(column)

    def table(self, columns: Sequence[str] | None = None, first: int = 0, last: int | None = None) -> pa.Table:
        """Some columns as an Arrow table, null where nothing is known.

        Args:
            columns: Names; None means all.
            first, last: Rows to read, `last` not included; only the parts of the file that hold them are touched.

        Raises:
            UnknownNameError: A column it does not have.
            SessionError: The file is damaged.
        """
        names = list(self.columns if columns is None else columns)
        fields = [self._field(name) for name in names]
        if not self.has_table:
            table = self._stream_table(names, fields)
            return table.slice(first, None if last is None else last - first)
        try:
            with pq.ParquetFile(self.folder / TABLE) as file:
                ends = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))])
                last = int(ends[-1]) if last is None else min(last, int(ends[-1]))
                low = max(int(np.searchsorted(ends, first, side="right")) - 1, 0)
                high = max(int(np.searchsorted(ends, last)), low)
                table = file.read_row_groups(list(range(low, high)), names).select(names)
                return table.slice(first - int(ends[low]), max(last - first, 0))
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.folder, error) from error

    def _stream_table(self, names: list[str], fields: list[pa.Field]) -> pa.Table:
        missing = missing_columns(self.meta.missing)
        batches = [with_nulls(batch, missing).select(names) for batch in stream_batches(self.folder / STREAM)]
        return pa.Table.from_batches([batch.replace_schema_metadata() for batch in batches], pa.schema(fields))

    def batches(self, columns: Sequence[str] | None = None, rows: int = GROUP_ROWS) -> Iterator[pa.RecordBatch]:
        """The same in pieces, for sessions that are larger than the memory.

        Args:
            columns: Names; None means all.
            rows: In a piece, at most.
        """
        names = list(self.columns if columns is None else columns)
        for name in names:
            self._field(name)
        if not self.has_table:
            yield from self._stream_table(names, [self._field(name) for name in names]).to_batches(rows)
            return
        try:
            with pq.ParquetFile(self.folder / TABLE) as file:
                for batch in file.iter_batches(rows, columns=names):
                    yield batch.select(names)
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.folder, error) from error

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column [T]; where nothing is known NaN in floats, 0 in integers, "" in text."""
        return to_numpy(self.table([name]).column(name))

    def _records(self, part: str) -> Records:
        return to_records(self.table([c.name for c in COLUMNS if c.part == part and c.name in self.columns]), part)

    @cached_property
    def time(self) -> npt.NDArray[np.float64]:
        """[s] Since the session began, [T]."""
        return self.column(TIME)

    @cached_property
    def frames(self) -> Frames:
        """FRAME[T]: what was read."""
        return self._records("frame")

    @cached_property
    def game(self) -> Records:
        """GAME[T]: what only the game tells."""
        return self._records("game")

    @cached_property
    def sent(self) -> Controls:
        """CONTROLS[T]: what was sent to the car; NaN where nothing was."""
        return self._records("sent")

    @cached_property
    def quality(self) -> npt.NDArray[np.uint32]:
        """One bit for each kind of finding, [T]; all 0 before a check."""
        return self.column(QUALITY).astype(np.uint32, copy=False)

    def with_quality(self, quality: npt.NDArray[np.uint32], findings: Mapping[str, int]) -> Session:
        """Marks rows: the quality column and the counts in the meta are replaced on disk.

        Args:
            quality: [T].
            findings: Marked rows by kind.

        Raises:
            SessionError: The session is still being recorded, or cannot be written.
        """
        if not self.has_table:
            raise SessionError(f"{self.folder}: is being recorded. Stop the recorder first, then check it.")
        if len(quality) != len(self):
            raise ValueError(f"{len(quality)} marks do not fit {len(self)} rows.")
        meta = self.meta.changed(findings=dict(findings))
        try:
            rewrite(self.folder, meta, {QUALITY: pa.array(quality, pa.uint32())})
        except (pa.ArrowException, OSError) as error:
            raise SessionError(f"{self.folder}: the marks cannot be written ({words(error)}).") from error
        return Session(self.folder, meta)


class Extra(NamedTuple):
    """A source column: what an imported file had and the channel table has not.

    Attributes:
        values: [T] Numbers or text.
        unit: As the file named it.
    """

    values: npt.NDArray[Any]
    unit: str = ""


def write_session(
    root: str | Path,
    meta: SessionMeta,
    time: npt.NDArray[np.float64],
    frames: Frames,
    game: Records | None = None,
    sent: Controls | None = None,
    quality: npt.NDArray[np.uint32] | None = None,
    extra: Mapping[str, Extra] | None = None,
) -> Session:
    """Writes rows that exist already as a session of their own.

    Args:
        root: Folder of all sessions; the session's folder is made in it and named after start, track and car.
        meta: `state`, `ended`, `frames`, `duration` and `laps` are filled in. Channels named in `missing` are stored as
            unknown, and so is every NaN.
        time: [s] [T] From the start of the session.
        frames: FRAME[T].
        game: GAME[T]; None when the source tells none of it.
        sent: CONTROLS[T]; None when nothing was sent.
        quality: [T] Marks of a check.
        extra: Source columns by name, each beginning with `source_`.

    Raises:
        SessionError: The folder cannot be written.
        ValueError: The lengths differ or an extra column does not fit.
    """
    extra, count = dict(extra or {}), len(time)
    parts = {"frames": frames, "game": game, "sent": sent, "quality": quality}
    for name, values in (parts | {name: column.values for name, column in extra.items()}).items():
        if values is not None and len(values) != count:
            raise ValueError(f"{name} has {len(values)} rows, time has {count}.")
    if game is None:
        meta = meta.changed(missing=(*meta.missing, *(channel.name for channel in GAME_CHANNELS)))
    ended = meta.started + timedelta(seconds=float(time[-1] - time[0]) if count else 0.0)
    meta = meta.changed(state="complete", ended=ended, missing=tuple(dict.fromkeys(meta.missing)))
    fields = [source_field(name, column.values, column.unit) for name, column in extra.items()]
    schema = pa.schema([*BASE, *fields])
    arrays = to_columns(time, frames, absent("game", count) if game is None else game,
                        absent("sent", count) if sent is None else sent)  # fmt: skip
    arrays.append(pa.array(np.zeros(count, np.uint32) if quality is None else quality, pa.uint32()))
    arrays.extend(pa.array(column.values, field.type) for column, field in zip(extra.values(), fields, strict=True))
    batch = with_nulls(pa.RecordBatch.from_arrays(arrays, schema=schema), missing_columns(meta.missing))
    folder = new_folder(Path(root), meta.started, meta.track, meta.car, meta.dump())
    pieces = (batch.slice(start, GROUP_ROWS) for start in range(0, count, GROUP_ROWS))
    try:
        return Session(folder, save_table(folder, meta, pieces, schema))
    except (pa.ArrowException, OSError) as error:
        remove(folder)
        raise SessionError(f"{root}: the session cannot be written ({words(error)}).") from error
