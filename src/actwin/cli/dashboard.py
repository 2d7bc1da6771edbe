"""`actwin dashboard`: live car, laps, comparison, corners, patterns and training in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.terminal import console

EXAMPLES = "Examples: actwin dashboard · actwin dashboard --source udp:192.168.1.20 · actwin dashboard --port 8600"


def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    host: Annotated[
        str, typer.Option(help="Address to listen on; by default only this machine reaches the pages.")
    ] = "127.0.0.1",
    sessions: Annotated[
        Path | None, typer.Option("--sessions", help="Folder of all sessions.", show_default="data/sessions")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder of training runs.")] = Path("runs"),
    configs: Annotated[Path, typer.Option(help="Folder of settings files for new runs.")] = Path("configs"),
    source: Annotated[
        str,
        typer.Option(
            "--source",
            "-s",
            help="Live telemetry: memory, udp:HOST:PORT, app:HOST:PORT, auto for the first, or replay:SESSION.",
        ),
    ] = "auto",
    browser: Annotated[bool, typer.Option(help="Show it in the browser.")] = True,
) -> None:
    """Look at the live car, laps, corners, patterns and training runs in the browser, until Ctrl-C."""
    from actwin.dashboard.serve import is_loopback, serve
    from actwin.dashboard.settings import Settings
    from actwin.telemetry.store.folder import DEFAULT

    if not is_loopback(host):
        console(stderr=True).print(
            f"There is no password: everybody who reaches {host} can read your sessions and start and stop runs.",
            style="yellow",
            soft_wrap=True,
        )
    serve(Settings(sessions or DEFAULT, runs, configs, source), host, port, browser)
