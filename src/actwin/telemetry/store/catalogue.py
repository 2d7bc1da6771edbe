"""SQL over all recorded sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from actwin.errors import SessionError
from actwin.telemetry.store.folder import DEFAULT, TABLE
from actwin.telemetry.store.listing import scan
from actwin.telemetry.store.schema import BASE
from actwin.telemetry.store.session import Session

RECORDING: Final = "recording"
"""Column with the name of a session's folder, in all three tables; `session` is a channel of the game."""
MESSAGE_LIMIT: Final = 300
"""Characters of DuckDB's own words in an error."""

_SESSIONS: Final = pa.schema(
    [
        (RECORDING, pa.string()),
        ("started", pa.timestamp("us")),
        ("ended", pa.timestamp("us")),
        ("state", pa.string()),
        ("source", pa.string()),
        ("car", pa.string()),
        ("track", pa.string()),
        ("layout", pa.string()),
        ("driver", pa.string()),
        ("frames", pa.int64()),
        ("duration", pa.float64()),
        ("laps", pa.int32()),
        ("best_lap", pa.float64()),
        ("lost", pa.int64()),
        ("marked", pa.bool_()),
        ("origin", pa.string()),
        ("notes", pa.string()),
        ("settings", pa.string()),
    ]
)
_LAPS: Final = pa.schema(
    [
        (RECORDING, pa.string()),
        ("lap", pa.int32()),
        ("finished", pa.float64()),
        ("lap_time", pa.float64()),
        ("valid", pa.bool_()),
        ("whole", pa.bool_()),
    ]
)
_START: Final[dict[str, Any]] = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_LOCKED: Final = ("SET enable_external_access = false", "SET lock_configuration = true")
"""No statement reaches a file, the network or an extension; the sessions are given to DuckDB as Arrow data sets."""


class Answer(NamedTuple):
    """What a statement gave.

    Attributes:
        columns: Names, none when the statement gives no rows.
        rows: Python values, None where nothing is known.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Catalogue:
    """Every session of a folder as three tables: `sessions`, `laps` and `frames`.

    The tables are views of the Parquet files; the database itself lives in memory, so neither recorder nor dashboard
    waits for the other, and no statement changes a session or reaches another file. A session that is still being
    recorded is listed in `sessions`; its rows are in `frames` when it is closed. Moments are in UTC.

    ```
    with Catalogue("data/sessions") as catalogue:
        answer = catalogue.sql("SELECT recording, max(vel) AS fastest FROM frames GROUP BY recording")
    ```

    Args:
        root: Folder of all sessions.

    Attributes:
        damaged: Folders that could not be read, with the reason.
    """

    def __init__(self, root: str | Path = DEFAULT) -> None:
        found, self.damaged = scan(root)
        self._connection = duckdb.connect(":memory:", config=_START)
        self._connection.register("sessions", pa.Table.from_pylist([_row(each) for each in found], _SESSIONS))
        self._connection.register("laps", pa.Table.from_pylist([lap for each in found for lap in _laps(each)], _LAPS))
        self._connection.register("frames", self._frames(found))
        for statement in _LOCKED:
            self._connection.execute(statement)

    def _frames(self, found: list[Session]) -> ds.Dataset:
        """All Parquet files as one table with the union of their columns and the session's name before them."""
        kind, system = ds.ParquetFileFormat(), fs.LocalFileSystem()
        extra: dict[str, pa.DataType] = {}
        fragments = []
        for session in found:
            if not session.has_table:
                continue
            try:
                schema = session.schema
            except SessionError as error:
                self.damaged[session.folder] = str(error)
                continue
            for field in schema:
                # Files may disagree about the kind of a column of their own; every kind can be shown as text.
                kind_before = extra.setdefault(field.name, field.type)
                extra[field.name] = field.type if field.type == kind_before else pa.string()
            path = str((session.folder / TABLE).absolute())
            fragments.append(kind.make_fragment(path, system, ds.field(RECORDING) == session.name))
        own = [pa.field(name, extra[name]) for name in extra if name not in BASE.names]
        schema = pa.schema([pa.field(RECORDING, pa.string()), *BASE, *own])
        return ds.FileSystemDataset(fragments, schema, kind, system)

    def sql(self, text: str, limit: int | None = None) -> Answer:
        """Answers a question.

        Args:
            text: SQL as DuckDB speaks it.
            limit: Rows to fetch at most; None fetches all.

        Raises:
            SessionError: The statement is wrong, or reaches for what is not a session.
        """
        try:
            relation = self._connection.sql(text)
            if relation is None:
                return Answer((), [])
            relation = relation if limit is None else relation.limit(limit)
            return Answer(tuple(relation.columns), relation.fetchall())
        except (duckdb.Error, pa.ArrowException) as error:
            raise SessionError(f"SQL: {_first_lines(error)}. The tables are sessions, laps and frames.") from error

    def close(self) -> None:
        """Forgets the tables; the sessions stay."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row(session: Session) -> dict[str, Any]:
    meta = session.meta
    told = {name: getattr(meta, name) for name in _SESSIONS.names if hasattr(meta, name)}
    return told | {
        RECORDING: session.name,
        "started": _utc(meta.started),
        "ended": _utc(meta.ended),
        "laps": len(meta.laps),
        "marked": meta.findings is not None,
        "settings": meta.model_dump_json(include={"settings"}).removeprefix('{"settings":').removesuffix("}"),
    }


def _utc(moment: datetime | None) -> datetime | None:
    """Without the zone: DuckDB needs another package to hand a moment with a zone to Python."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _laps(session: Session) -> list[dict[str, Any]]:
    return [
        {
            RECORDING: session.name,
            "lap": lap.number,
            "finished": lap.time,
            "lap_time": lap.lap_time,
            "valid": lap.valid,
            "whole": lap.whole,
        }
        for lap in session.meta.laps
    ]


def _first_lines(error: Exception) -> str:
    """DuckDB's message without the copy of the statement below it."""
    return " ".join(str(error).split("\nLINE ")[0].split()).rstrip(".?!")[:MESSAGE_LIMIT]
