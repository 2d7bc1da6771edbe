"""Looks at everything that reading and driving the game needs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from actwin.cockpit.actuators.opening import open_unguarded
from actwin.content.app_install import app_address
from actwin.content.game import Game, find_game
from actwin.driving import installation_checks as installed
from actwin.driving.health_check import Check, answered
from actwin.driving.live_checks import START, check_actuators, check_custom_ai, check_round_trip, check_source
from actwin.errors import ConfigError, ContentError
from actwin.telemetry.ac.opening import address, open_source

PADS: Final = {"win32": ("vigem", "vjoy"), "linux": ("uinput",)}
"""Virtual controllers of each platform."""
APP_PORT: Final = 2345
OF_THE_GAME: Final[tuple[tuple[str, Callable[[Game], Check]], ...]] = (
    ("game", installed.check_game),
    ("in-game app", installed.check_app),
    ("app's sockets", installed.check_app_sockets),
    ("Custom Shaders Patch", installed.check_shaders_patch),
)


def examine(
    folder: Path | None = None,
    *,
    documents: Path | None = None,
    memory: str = "memory",
    udp: str = "udp",
    app: str = "",
    seconds: float = 1.0,
) -> Iterator[Check]:
    """Asks everything, one answer at a time.

    Args:
        folder: Of the game; None asks Steam.
        documents: The user's folder of the game, where it is not where the system says.
        memory, udp, app: Where to look, as `open_source` takes it; an empty app is where the installed one listens.
        seconds: [s] To listen to each source.

    Raises:
        ConfigError: Not a place that `open_source` takes.
    """
    for place, kind in ((memory, "memory"), (udp, "udp"), (app or "app", "app")):
        if place.partition(":")[0] != kind:
            raise ConfigError(f"'{place}' is no place to look for {kind}. Give {kind} or {kind}:PLACE.")
    yield installed.check_actwin()
    game = None
    try:
        game = find_game(folder, documents=documents)
    except ContentError as error:
        yield Check("game", False, f"{error.source} {error.problem}", error.cure)
    if game is not None:
        for name, question in OF_THE_GAME:
            yield answered(name, partial(question, game))
    app = app or _app_place(game)
    for name, place, cure in (
        ("shared memory", memory, _memory_cure()),
        ("UDP telemetry", udp, f"{START} The game's UDP telemetry must be switched on."),
        ("app's telemetry", app, START),
    ):
        yield answered(name, partial(_source, name, place, seconds, cure))
    yield answered("round trip", partial(_round_trip, app))
    yield answered("Custom AI", partial(check_custom_ai, memory.partition(":")[2] or None))
    yield check_actuators([(name, partial(open_unguarded, name)) for name in PADS.get(sys.platform, ())])
    yield installed.check_torch()


def _source(name: str, place: str, seconds: float, cure: str) -> Check:
    return check_source(name, open_source(place), seconds, cure)


def _app_place(game: Game | None) -> str:
    """Where the installed app listens; one that the whole network reaches is asked on this computer."""
    if game is None:
        return "app"
    host, ports = app_address(game)
    return f"app:{'127.0.0.1' if host == '0.0.0.0' else host}:{ports.get('telemetry', APP_PORT)}"


def _memory_cure() -> str:
    if sys.platform == "win32":
        return START
    return f"{START} With the game under Proton, see docs/assetto_corsa.md for the bridge."


def _round_trip(app: str) -> Check:
    """Asks the app for its settings, over TCP, as often as it is worth."""
    from actwin.telemetry.ac.app_client import AppClient

    host, port = address(app.partition(":")[2], "127.0.0.1", APP_PORT)
    client = AppClient(host, port)
    try:
        return check_round_trip(lambda: client.config(timeout=1.0))
    finally:
        client.close()
