"""`actwin sessions`: what has been recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.telemetry.store.session import Session

EXAMPLES = "Examples: actwin sessions · actwin sessions last · actwin sessions --json"


def sessions(
    name: Annotated[
        str, typer.Argument(help="Show one: its name, the beginning of it, its folder, or last.", show_default=False)
    ] = "",
    folder: SessionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the recorded sessions, or show one. What a killed recorder left is saved first."""
    from actwin.telemetry.store.folder import DEFAULT
    from actwin.telemetry.store.listing import find_session, scan

    root = folder or DEFAULT
    if name:
        _show(find_session(name, root), as_json)
        return
    found, damaged = scan(root)
    if as_json:
        typer.echo(json.dumps([_as_object(session) for session in found], indent=2))
    else:
        _print(found, root)
    for place, why in damaged.items():
        console(stderr=True).print(f"Not readable: {place}. {why}", soft_wrap=True)


def _as_object(session: Session) -> dict[str, Any]:
    meta = session.meta.model_dump(mode="json")
    return {"name": session.name, "folder": str(session.folder), **meta, "best_lap": session.meta.best_lap}


def _print(found: list[Session], root: Path) -> None:
    from actwin.units import lap_time_text

    if not found:
        console().print(f"No sessions in {root}. Record one with: actwin record", soft_wrap=True)
        return
    heads = ("Session", "Track", "Car", "Driver", "Source", "Length", "Frames", "Laps", "Best lap", "State")
    out = table(*heads, numbers=(5, 6, 7, 8))
    for session in found:
        meta = session.meta
        best = lap_time_text(meta.best_lap) if meta.best_lap else "-"
        length = f"{meta.duration:.1f} s"
        out.add_row(session.name, meta.track, meta.car, meta.driver, meta.source, length, str(meta.frames),
                    str(len(meta.laps)), best, meta.state)  # fmt: skip
    console().print(out)
    console().print("Look at one with: actwin sessions NAME; at all with: actwin sql")


def _show(session: Session, as_json: bool) -> None:
    from actwin.units import lap_time_text

    if as_json:
        typer.echo(json.dumps(_as_object(session) | {"columns": _columns(session)}, indent=2))
        return
    meta, out = session.meta, table("", "")
    out.show_header = False
    for label, value in _facts(session).items():
        if value:
            out.add_row(label, value)
    console().print(out)
    if meta.laps:
        laps = table("Lap", "Time", "Valid", "Ends at", numbers=(0, 1, 3))
        for lap in meta.laps:
            time = lap_time_text(lap.lap_time) if lap.lap_time else "-"
            valid = "?" if lap.valid is None else "yes" if lap.valid else "no"
            note = valid if lap.whole else f"{valid}, recorded in part"
            laps.add_row(str(lap.number), time, note, f"{lap.time:.1f} s")
        console().print(laps)
    console().print(f"Write it for other programs with: actwin export {session.name} --to csv", soft_wrap=True)


def _columns(session: Session) -> dict[str, str]:
    return {name: session.unit(name) for name in session.columns}


def _facts(session: Session) -> dict[str, str]:
    meta = session.meta
    checked = "not yet" if meta.findings is None else ", ".join(f"{n} {kind}" for kind, n in meta.findings.items())
    return {
        "folder": str(session.folder),
        "track": f"{meta.track} {meta.layout}".strip(),
        "car": meta.car,
        "driver": meta.driver,
        "source": meta.source,
        "origin": meta.origin,
        "started": meta.started.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "length": f"{meta.duration:.1f} s, {meta.frames} frames",
        "state": meta.state + (f", {meta.lost} frames lost" if meta.lost else ""),
        "checked": checked or "nothing found",
        "versions": ", ".join(f"{name} {version}" for name, version in meta.versions.items()),
        "facts": ", ".join(f"{name} {value}" for name, value in meta.facts.items()),
        "settings": json.dumps(meta.settings) if meta.settings else "",
        "notes": meta.notes,
        "columns": f"{len(session.columns)}, {sum(name.startswith('source_') for name in session.columns)} of its own",
    }
