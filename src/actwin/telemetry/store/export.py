"""Sessions as files for other programs, with the column names of the project's documents."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from actwin.errors import SessionError, UnknownNameError
from actwin.telemetry.store.folder import TABLE
from actwin.telemetry.store.schema import COLUMNS, DOCUMENTED, META_KEY, TIME
from actwin.telemetry.store.session import Session
from actwin.telemetry.store.table import packing

SUITABLE: Final = (
    TIME,
    *DOCUMENTED,
    "acceleration_longitudinal",
    "acceleration_lateral",
    "x",
    "y",
    "z",
    "lap_count",
    "lap_time",
)
"""Columns of an export when none are named: the documents' variables, their optional ones, place and lap."""
_SENT: Final = tuple(column.name for column in COLUMNS if column.part == "sent")


def choose_columns(session: Session, wanted: str = "") -> tuple[str, ...]:
    """The columns a user means.

    Args:
        session: To export.
        wanted: Names with commas between; "all"; empty means the documents' variables, with what was sent to the car
            where anything was.

    Raises:
        UnknownNameError: A column that the session does not have.
    """
    if wanted == "all":
        return session.columns
    if wanted:
        names = tuple(filter(None, (name.strip() for name in wanted.split(","))))
        for name in names:
            if name not in session.columns:
                raise UnknownNameError("column", name, [*session.columns, "all"])
        return names
    sent = _SENT if pc.count(session.table(["sent_steer"]).column(0)).as_py() else ()
    return tuple(name for name in (*SUITABLE, *sent) if name in session.columns)


def export_csv(session: Session, path: Path, columns: Sequence[str]) -> None:
    """One line a row, the names in the first; an empty cell where nothing is known.

    Args:
        session: To export.
        path: To write.
        columns: Names.
    """
    schema = pa.schema([session.schema.field(name) for name in columns])
    options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(columns)
    with path.open("wb") as file:
        file.write(head.getvalue().encode())
        with pacsv.CSVWriter(file, schema, write_options=options) as writer:
            for batch in session.batches(columns):
                writer.write_batch(batch.cast(schema))


def export_json(session: Session, path: Path, columns: Sequence[str]) -> None:
    """An object with the session's `meta`, the `units` of the columns, and `rows`, an object for each step.

    Args:
        session: To export.
        path: To write.
        columns: Names; null stands where nothing is known.
    """
    head = {"meta": session.meta.model_dump(mode="json"), "units": {name: session.unit(name) for name in columns}}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head, indent=1).removesuffix("\n}") + ',\n "rows": [')
        separator = "\n"
        for batch in session.batches(columns, 4096):
            for row in _json_rows(batch):
                file.write(f"{separator}  {row}")
                separator = ",\n"
        file.write("\n ]\n}\n")


def _json_rows(batch: pa.RecordBatch) -> Iterator[str]:
    """Rows as JSON objects; numbers are as short as they can be without losing a bit."""
    cells = [_json_cells(array) for array in batch.columns]
    names = [json.dumps(name) for name in batch.schema.names]
    for row in zip(*cells, strict=True):
        yield "{" + ", ".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True)) + "}"


def _json_cells(array: pa.Array) -> list[str]:
    if pa.types.is_string(array.type):
        return [json.dumps(text) for text in array.to_pylist()]
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, array.type))
    cells: list[str] = pc.fill_null(array.cast(pa.string()), "null").to_pylist()
    return cells


def export_parquet(session: Session, path: Path, columns: Sequence[str]) -> None:
    """The columns with their units and the session's meta in the metadata.

    Args:
        session: To export.
        path: To write.
        columns: Names.
    """
    if tuple(columns) == session.columns and session.has_table:
        shutil.copyfile(session.folder / TABLE, path)
        return
    schema = pa.schema([session.schema.field(name) for name in columns])
    with pq.ParquetWriter(path, schema, **packing(schema)) as writer:
        for batch in session.batches(columns):
            writer.write_batch(batch.replace_schema_metadata().cast(schema))
        writer.add_key_value_metadata({META_KEY: session.meta.dump().encode()})


def export_ld(session: Session, path: Path, columns: Sequence[str]) -> None:
    """A MoTeC log with its lap file beside it; MoTeC has its own channel names, so all it knows are written.

    Args:
        session: To export.
        path: To write.
        columns: Not looked at.
    """
    from actwin.telemetry.store.motec_export import export_ld as write

    write(session, path)


FORMATS: Final[Mapping[str, Callable[[Session, Path, Sequence[str]], Any]]] = {
    "csv": export_csv,
    "json": export_json,
    "parquet": export_parquet,
    "ld": export_ld,
}
"""What a session can be written as, by the ending of the file."""


def export(session: Session, to: str, path: str | Path | None = None, columns: str = "") -> Path:
    """Writes a session for another program.

    Args:
        session: To export.
        to: One of `FORMATS`.
        path: Where to; None writes beside the working directory's files, named after the session.
        columns: As `choose_columns` takes them.

    Returns:
        The file.

    Raises:
        UnknownNameError: No such format or column.
        SessionError: The file cannot be written.
    """
    if to not in FORMATS:
        raise UnknownNameError("format", to, FORMATS)
    target = Path(path) if path is not None else Path(f"{session.name}.{to}")
    names = choose_columns(session, columns)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        FORMATS[to](session, target, names)
    except OSError as error:
        raise SessionError(f"{target}: cannot be written ({error}). Choose another place with --out.") from error
    return target
