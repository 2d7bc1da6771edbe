"""`actwin install-app`: our app into the game, or out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.terminal import console

EXAMPLES = (
    "Examples: actwin install-app · actwin install-app --ac D:/AC2 --telemetry-port 3345 --opponents-port 3346 "
    "--management-port 3347 · actwin install-app --uninstall"
)

Port = typer.Option(min=1, max=65535, help="Port of the app, where each instance of the game needs its own.")


def install_app(
    ac: Annotated[Path | None, typer.Option(help="Folder of the game; by default Steam is asked.")] = None,
    documents: Annotated[
        Path | None, typer.Option(help="The game's folder in Documents, where the system does not know it.")
    ] = None,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Put back everything that was changed.")] = False,
    host: Annotated[
        str | None, typer.Option(help="Where the app listens: 127.0.0.1 for this computer, 0.0.0.0 for the network.")
    ] = None,
    telemetry_port: Annotated[int | None, Port] = None,
    opponents_port: Annotated[int | None, Port] = None,
    management_port: Annotated[int | None, Port] = None,
    modules: Annotated[
        Path | None, typer.Option(help="Folder with _socket.pyd of CPython 3.3 (64 bit), if the game lacks it.")
    ] = None,
) -> None:
    """Install the in-game app in Assetto Corsa, or take it out again."""
    from actwin.content import app_install
    from actwin.content.game import find_game

    game = find_game(ac, documents=documents)
    if uninstall:
        done, said = app_install.uninstall(game), f"Everything in {game.root} is as it was before."
    else:
        ports = {"telemetry": telemetry_port, "opponents": opponents_port, "management": management_port}
        settings = app_install.listening(host, {name: port for name, port in ports.items() if port is not None})
        done = app_install.install(game, settings, modules=modules)
        said = (
            f"The app {app_install.installed_version()} is in {game.app_folder}; {len(done.files)} files were written."
        )
    for line in (said, *done.notes):
        console().print(line, soft_wrap=True)
