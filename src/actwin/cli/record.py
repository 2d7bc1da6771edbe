"""`actwin record`: what the game tells, into a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actwin.cli.export import ColumnsOption, Format
from actwin.cli.options import JsonOption, SessionsOption, SourceOption
from actwin.cli.terminal import console

if TYPE_CHECKING:
    from actwin.driving.record import Recording

EXAMPLES = (
    "Examples: actwin record · actwin record --source udp --laps 3 --to csv · actwin record --seconds 60 --json · "
    "actwin record --laps 2 --video laps.mp4"
)


def record(
    source: SourceOption = "auto",
    seconds: Annotated[float | None, typer.Option(min=0.0, help="\\[s] Stop after so long.")] = None,
    laps: Annotated[int | None, typer.Option(min=1, help="Stop after so many laps from line to line.")] = None,
    driver: Annotated[str, typer.Option(help="Label of who drives; by default the name the game gives.")] = "",
    notes: Annotated[str, typer.Option(help="Kept with the session.")] = "",
    patience: Annotated[float, typer.Option(min=0.0, help="\\[s] Stop when the game is gone so long.")] = 10.0,
    to: Annotated[list[Format] | None, typer.Option(help="Also write it so, beside the session's files.")] = None,
    columns: ColumnsOption = "",
    video: Annotated[Path | None, typer.Option(help="Film it into this .mp4 file when it has ended.")] = None,
    folder: SessionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record the game, or its emulator, until Ctrl-C, some time or some laps."""
    from actwin.driving.record import record_session
    from actwin.telemetry.store.folder import DEFAULT

    screen = console(stderr=True)
    if video is not None:
        from actwin.driving.film import require_encoder

        require_encoder(video)
    with screen.status("Looking for a game", spinner="line") as status:
        done = record_session(
            source, folder or DEFAULT, driver=driver, notes=notes, seconds=seconds, laps=laps, patience=patience,
            exports=[kind.value for kind in to or ()], columns=columns,
            on_progress=lambda now: status.update(_line(now)),
        )  # fmt: skip
    if done.problem:
        screen.print(f"Not everything was kept: {done.problem}.", style="red", soft_wrap=True)
    assert done.session is not None
    if video is not None:
        from actwin.cli.video import shoot
        from actwin.driving.footage import find_footage

        done.exported.append(shoot(find_footage(str(done.session.folder)), video))
    if as_json:
        typer.echo(json.dumps(_as_object(done), indent=2))
        return
    console().print(f"{_line(done)}. Ended: {done.ended}.", soft_wrap=True)
    for path in (done.session.folder, *done.exported):
        console().print(f"Written: {path}", soft_wrap=True)


def _line(done: Recording) -> str:
    info, counts = done.info, f"{done.frames} frames, {done.missed} missed, {done.laps} laps"
    state = f", {done.health.status}, {done.health.rate:.0f} Hz" if done.health and not done.ended else ""
    return f"{info.car} on {info.track}: {done.seconds:.1f} s, {counts}{state}"


def _as_object(done: Recording) -> dict[str, object]:
    assert done.session is not None
    return {
        "session": str(done.session.folder),
        "exported": [str(path) for path in done.exported],
        "seconds": done.seconds,
        "frames": done.frames,
        "laps": done.laps,
        "lost": done.session.meta.lost,
        "missed": done.missed,
        "interval": done.intervals._asdict(),
        "ended": done.ended,
        "problem": done.problem,
    }
