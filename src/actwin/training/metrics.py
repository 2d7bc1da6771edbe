"""What a run measured, in its folder: a table, and a journal of what came after the table was last written."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

TABLE: Final = "metrics.parquet"
"""A row for each look at the board: `step`, `seconds`, and a column for each value, null where it was not measured."""
JOURNAL: Final = "metrics.jsonl"
"""One JSON object a line, written at once. The first line, `{"after": n}`, tells how many rows of the table precede."""
AFTER: Final = "after"

Row = dict[str, float]


class Metrics:
    """Writes rows so that a kill at any moment loses at most the one that is being written.

    A row goes to the journal at once. `settle` moves the journal into the table; a kill between the two steps of that
    leaves a journal whose first line tells that the table has its rows already.

    Args:
        out: Folder of the run; rows that are in it stay.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._rows, table = _read(out)
        self._settled = 0 if table is None else table.num_rows
        self._journal: io.TextIOWrapper | None = None

    def write(self, row: Mapping[str, float]) -> None:
        """Takes one row.

        Raises:
            OSError: It cannot be written, as on a full disk; the row is kept and comes with the next one.
        """
        self._rows.append(dict(row))
        if self._journal is None:
            self._begin_journal()
        else:
            self._journal.write(json.dumps(self._rows[-1]) + "\n")
            self._flush()

    def cut(self, step: int, seconds: float) -> None:
        """Forgets rows later than a checkpoint from which a run goes on.

        Args:
            step: Car steps at the checkpoint.
            seconds: [s] Training time at it.
        """
        kept = [row for row in read_metrics(self._out) if row["step"] <= step and row["seconds"] <= seconds + 1e-3]
        self._rows, self._settled = kept, 0
        self._begin_journal()
        (self._out / TABLE).unlink(missing_ok=True)
        self.settle()

    def settle(self) -> None:
        """Writes the table anew with all rows, and begins the journal anew.

        Raises:
            OSError: It cannot be written; nothing is lost, and the next call tries again.
        """
        if not self._rows:
            return
        tables = [_as_table(self._rows)]
        if self._settled:
            tables.insert(0, pq.read_table(self._out / TABLE))
        whole = pa.concat_tables(tables, promote_options="default")
        beside = self._out / f"{TABLE}.tmp"
        try:
            with beside.open("wb") as file:
                pq.write_table(whole, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._out / TABLE)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        self._rows, self._settled = [], whole.num_rows
        self._begin_journal()

    def close(self) -> None:
        """Closes the journal."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    def _begin_journal(self) -> None:
        """A journal of the rows that are not in the table, in the place of the old one."""
        self.close()
        beside = self._out / f"{JOURNAL}.tmp"
        lines = [json.dumps(row) for row in [{AFTER: self._settled}, *self._rows]]
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        beside.replace(self._out / JOURNAL)
        self._journal = (self._out / JOURNAL).open("a", encoding="utf-8", newline="\n")

    def _flush(self) -> None:
        assert self._journal is not None
        try:
            self._journal.flush()
        except OSError:
            # What is buffered may be half on the disk; the next row writes the journal anew.
            journal, self._journal = self._journal, None
            with contextlib.suppress(OSError):
                journal.close()
            raise


def read_metrics(out: str | Path) -> list[Row]:
    """All rows of a run in their order, each with `step`, `seconds` and what was measured then.

    Args:
        out: Folder of the run, also of one that is going on.

    Returns:
        Nothing for a run that has not measured yet. A line that a kill cut off is left out.

    Raises:
        OSError, ValueError: The table is damaged.
    """
    later, table = _read(Path(out))
    rows = [] if table is None else table.to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows] + later


def metrics_table(out: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The same as one Arrow table, for analysis: `metrics_table(run).to_pandas()`.

    Args:
        out: Folder of the run, also of one that is going on.
        columns: Which ones, beside `step` and `seconds`; those that were never measured are left out. None means all.

    Raises:
        OSError, ValueError: The table is damaged.
    """
    rows, table = _read(Path(out))
    later = _as_table(rows)
    if table is not None:
        later = pa.concat_tables([table, later], promote_options="default")
    if columns is None:
        return later
    wanted = ["step", "seconds", *columns]
    return later.select([name for name in later.column_names if name in wanted])


def _as_table(rows: Iterable[Row]) -> pa.Table:
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row if name not in ("step", "seconds"))
    fields = [("step", pa.int64()), ("seconds", pa.float64()), *((name, pa.float64()) for name in names)]
    return pa.Table.from_pylist(rows, pa.schema(fields))


def _read(out: Path) -> tuple[list[Row], pa.Table | None]:
    """The rows of the journal that are not in the table, and the table.

    The journal is read first: what moves into the table meanwhile is then seen there, and not twice.
    """
    after, rows = _read_journal(out / JOURNAL)
    try:
        table = pq.read_table(out / TABLE)
    except FileNotFoundError:
        return rows, None
    return (rows if after >= table.num_rows else []), table


def _read_journal(path: Path) -> tuple[int, list[Row]]:
    """How many rows of the table precede the journal, and its rows."""
    after, rows = 0, []
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        try:
            row: Any = json.loads(line)
        except json.JSONDecodeError:
            continue
        if not isinstance(row, dict):
            continue
        if isinstance(row.get(AFTER), int):
            after = row[AFTER]
        elif "step" in row and "seconds" in row:
            rows.append({name: value for name, value in row.items() if isinstance(value, int | float)})
    return after, rows
