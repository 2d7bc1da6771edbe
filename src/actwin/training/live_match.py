"""Whether a game drives what a run is about, and how to start one that does."""

from __future__ import annotations

from actwin.content.library import load_car, load_track
from actwin.env.task import Task
from actwin.errors import ConfigError, UnknownNameError
from actwin.telemetry.ac.source import GameInfo
from actwin.training.live_config import GameConfig


def require_the_same_game(task: Task, info: GameInfo, game: GameConfig) -> None:
    """Raises `ConfigError` when a game drives another track or car than a run learns for.

    That the roads are alike has been seen when the cockpit connected; here names are compared.

    Args:
        task: Of the run.
        info: What the game says.
        game: Its settings.
    """
    if info.track and (track := _library_name("track", info.track)) and track != task.track.name:
        raise ConfigError(
            f"The game drives on '{info.track}', env.track is '{task.config.track}'. "
            "Start the session on the track of the run, or change env.track."
        )
    if not info.car or game.car == info.car:
        return
    wanted = task.car.identity.name
    known = _library_name("car", info.car)
    if game.car is not None or (known is not None and known != wanted):
        raise ConfigError(
            f"The game drives the car '{info.car}', not '{game.car or task.config.car}'. "
            "Start the session with the car of the run, or change env.car."
        )
    if known is None:
        raise ConfigError(
            f"actwin does not know the game's car '{info.car}'. If it is the one that env.car describes, say so: "
            f"live.games: [{{source: '{game.source}', actuator: '{game.actuator}', car: '{info.car}'}}]."
        )


def _library_name(kind: str, name: str) -> str | None:
    """As the library calls it; None when it does not know it."""
    try:
        return load_track(name).name if kind == "track" else load_car(name).identity.name
    except UnknownNameError:
        return None


def how_to_start(task: Task, game: GameConfig) -> str:
    """The command that serves such a game.

    Args:
        task: Of the run.
        game: Its settings.
    """
    words = f"actwin serve --driver none --track {task.config.track} --car {task.config.car}"
    kind, place, port = game.place()
    if kind == "app":
        return f"{words} --app-port {port} --without memory --without custom_ai --without udp"
    if kind == "memory" and place:
        return f"{words} --folder {place} --without app --without udp"
    return words
