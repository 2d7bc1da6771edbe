"""`actwin report`: a session as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import SessionsOption
from actwin.cli.terminal import console

EXAMPLES = "Examples: actwin report last · actwin report SESSION --out report.html"


def report(
    session: Annotated[
        str, typer.Argument(help="Session by name, its beginning or folder, last; or a rollout, or a demo's folder.")
    ] = "last",
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write; by default named after the session.", show_default=False)
    ] = None,
    track: Annotated[
        str | None, typer.Option("--track", "-t", help="Track by name or file (the game's fast_lane.ai too).")
    ] = None,
    folder: SessionsOption = None,
) -> None:
    """Write a session's laps, comparison, corners and habits into one HTML file that needs no network."""
    from actwin.analysis.page import open_in_browser
    from actwin.analysis.session import open_session
    from actwin.analysis.session_report import write_session_report
    from actwin.telemetry.store.folder import DEFAULT

    opened = open_session(session, track, folder or DEFAULT)
    written = write_session_report(opened, out or Path(f"{opened.name}.html"))
    shown = open_in_browser(written)
    console().print(f"{'Opened' if shown else 'Written:'} {written.resolve()}", soft_wrap=True)
