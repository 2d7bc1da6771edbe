"""`actwin sql`: questions over all sessions."""

from __future__ import annotations

import csv
import io
import json
from typing import Annotated, Any

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table

EXAMPLES = (
    'Examples: actwin sql "SELECT recording, car, best_lap FROM sessions" · '
    'actwin sql "SELECT recording, max(vel) FROM frames GROUP BY recording" --csv'
)
OVERVIEW = "SELECT recording, track, car, driver, frames, laps, best_lap FROM sessions ORDER BY started"


def sql(
    question: Annotated[
        str, typer.Argument(help="SQL over the tables sessions, laps and frames.", show_default=False)
    ] = OVERVIEW,
    folder: SessionsOption = None,
    rows: Annotated[int, typer.Option(min=0, help="Rows to show at most, 0 for all.")] = 1000,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask all sessions a question in SQL. Nothing is changed by it, and no other file can be reached.

    The tables: sessions (one row a session), laps (one row a lap), frames (one row a sample, with the columns of
    `actwin sessions NAME --json`). Their column "recording" holds the session's name.
    """
    from actwin.telemetry.store.catalogue import Catalogue
    from actwin.telemetry.store.folder import DEFAULT

    with Catalogue(folder or DEFAULT) as catalogue:
        answer = catalogue.sql(question, rows or None)
    if as_json:
        objects = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        typer.echo(json.dumps(objects, default=str, indent=2))
    elif as_csv:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([answer.columns, *answer.rows])
        typer.echo(text.getvalue(), nl=False)
    elif answer.columns:
        out = table(*answer.columns, numbers=_numbers(answer.rows))
        for row in answer.rows:
            out.add_row(*map(_cell, row))
        console().print(out)
    if rows and len(answer.rows) == rows:
        console(stderr=True).print(f"Only the first {rows} rows. Show all with --rows 0.")


def _numbers(rows: list[tuple[Any, ...]]) -> tuple[int, ...]:
    first = rows[0] if rows else ()
    return tuple(i for i, value in enumerate(first) if isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
