"""`actwin import`: recordings of other programs as sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.telemetry.store.session import Session

EXAMPLES = "Examples: actwin import stint.ld · actwin import laps/*.csv --track monza --car bmw_z4_gt3"


def import_recordings(
    files: Annotated[
        list[Path],
        typer.Argument(help="MoTeC logs (.ld); CSV of MoTeC i2, assetto_corsa_gym, shared-memory loggers, actwin."),
    ],
    track: Annotated[str, typer.Option("--track", "-t", help="Track, where a file does not tell it.")] = "",
    car: Annotated[str, typer.Option("--car", "-c", help="Car, where a file does not tell it.")] = "",
    driver: Annotated[str, typer.Option(help="Who drove, where a file does not tell it.")] = "",
    out: Annotated[
        Path | None, typer.Option("--folder", "--out", help="Folder of all sessions.", show_default="data/sessions")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make sessions of recordings of other programs; every column of a file is kept."""
    from actwin.telemetry.store.folder import DEFAULT
    from actwin.telemetry.store.imports import import_file

    facts: list[dict[str, Any]] = []
    try:
        for file in files:
            facts.append(_facts(file, import_file(file, out or DEFAULT, track=track, car=car, driver=driver)))
    finally:  # one that cannot be read does not hide what was made of those before it
        if as_json and facts:
            typer.echo(json.dumps(facts, indent=2))
        elif facts:
            _print(facts)


def _print(facts: list[dict[str, Any]]) -> None:
    shown = table("Session", "From", "Rows", "Time", "Laps", "Channels", "Columns kept", numbers=(2, 3, 4, 5, 6))
    for fact in facts:
        shown.add_row(*(str(fact[key]) for key in ("session", "file", "rows")), f"{fact['duration']:.1f} s",
                      *(str(fact[key]) for key in ("laps", "channels", "columns")))  # fmt: skip
    console().print(shown)
    for fact in facts:
        if fact["notes"]:
            console().print(f"{fact['session']}: {fact['notes']}", soft_wrap=True)
    console().print(f"Look for faults with: actwin check {facts[-1]['folder']}", soft_wrap=True)


def _facts(file: Path, session: Session) -> dict[str, Any]:
    from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS

    meta = session.meta
    return {
        "session": session.name,
        "folder": session.folder.as_posix(),
        "file": file.name,
        "rows": meta.frames,
        "duration": round(meta.duration, 3),
        "laps": len(meta.laps),
        "channels": len(FRAME_CHANNELS) + len(GAME_CHANNELS) - len(meta.missing),
        "columns": sum(name.startswith("source_") for name in session.columns),
        "notes": meta.notes,
    }
