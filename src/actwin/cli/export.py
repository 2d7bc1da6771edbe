"""`actwin export`: a session for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import SessionsOption
from actwin.cli.terminal import console

EXAMPLES = "Examples: actwin export last --to csv · actwin export 2026-11-21 --to json --columns all --out drive.json"


class Format(StrEnum):
    """What a session can be written as."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    LD = "ld"


ColumnsOption = Annotated[
    str, typer.Option(help="Names with commas between, or all. By default speed, controls, place and what was sent.")
]


def export(
    session: Annotated[str, typer.Argument(help="Its name, the beginning of it, its folder, or last.")],
    to: Annotated[Format, typer.Option(help="CSV, JSON, Parquet, or a MoTeC log.")] = Format.CSV,
    columns: ColumnsOption = "",
    out: Annotated[Path | None, typer.Option(help="File to write; by default named after the session, here.")] = None,
    folder: SessionsOption = None,
) -> None:
    """Write a session as CSV, JSON, Parquet or MoTeC log, in SI units."""
    from actwin.telemetry.store import export as exports
    from actwin.telemetry.store.folder import DEFAULT
    from actwin.telemetry.store.listing import find_session

    written = exports.export(find_session(session, folder or DEFAULT), to.value, out, columns)
    console().print(f"Written: {written}", soft_wrap=True)
