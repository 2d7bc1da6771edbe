"""`actwin doctor`: what is there, what is missing, what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console

if TYPE_CHECKING:
    from actwin.driving.health_check import Check

EXAMPLES = "Examples: actwin doctor · actwin doctor --ac D:/AC2 --app app:127.0.0.1:3345 · actwin doctor --json"

MARKS = {True: "✓", False: "✗", None: "–"}


def doctor(
    ac: Annotated[Path | None, typer.Option(help="Folder of the game; by default Steam is asked.")] = None,
    documents: Annotated[
        Path | None, typer.Option(help="The game's folder in Documents, where the system does not know it.")
    ] = None,
    memory: Annotated[str, typer.Option(help="Where shared memory is: memory, memory:FOLDER.")] = "memory",
    udp: Annotated[str, typer.Option(help="Where UDP telemetry is: udp, udp:HOST:PORT.")] = "udp",
    app: Annotated[
        str, typer.Option(help="Where the in-game app is: app, app:HOST:PORT; by default as installed.")
    ] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=60.0, help="\\[s] To listen to each source.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Look at everything that reading and driving the game needs; ✗ has its cure below. Exit code 1 if there is any."""
    from actwin.driving.doctor import examine

    checks = examine(ac, documents=documents, memory=memory, udp=udp, app=app, seconds=seconds)
    failed = False
    found = []
    for check in checks:
        failed |= check.ok is False
        if as_json:
            found.append(check._asdict())
        else:
            _print(check)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    if failed:
        raise typer.Exit(1)


def _print(check: Check) -> None:
    """One line, and the cure beside it where there is one."""
    style = {True: "green", False: "red", None: "dim"}[check.ok]
    line = f"{MARKS[check.ok]} {check.name:<22} {check.words}"
    console().print(line + (f" → {check.cure}" if check.cure else ""), style=style, soft_wrap=True)
