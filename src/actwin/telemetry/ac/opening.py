"""Sources of telemetry by how the user names them."""

from __future__ import annotations

from collections.abc import Callable

from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.source import Source

AUTO_TIMEOUT = 0.5
"""[s] How long `open_source("auto")` waits for each interface."""


def open_source(text: str) -> Source:
    """A source from how the user names it.

    Args:
        text: `memory` or `memory:FOLDER` (shared memory), `udp` or `udp:HOST[:PORT]` (remote telemetry),
            `app` or `app:HOST[:PORT]` (the in-game app), `auto` for the first of them that answers.

    Returns:
        The source, not yet connected; with `auto`, connected.

    Raises:
        ConfigError: Not one of these.
        SourceError: `auto`, and nobody answers.
    """
    kind, _, rest = text.strip().partition(":")
    if kind == "auto" and not rest:
        return _first_that_answers()
    if kind not in _OPENERS:
        raise ConfigError(f"Unknown source '{text}'. Give memory, memory:FOLDER, udp, udp:HOST:PORT, app or auto.")
    return _OPENERS[kind](rest)


def address(text: str, host: str, port: int) -> tuple[str, int]:
    """Host and port from `HOST`, `HOST:PORT`, `:PORT` or nothing.

    Args:
        text: The words.
        host, port: To take where the text has none.

    Raises:
        ConfigError: The port is no number from 1 to 65535.
    """
    name, _, number = text.partition(":")
    if not number:
        return name or host, port
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65_536):
        raise ConfigError(f"'{number}' is not a port. Give a number from 1 to 65535, as in {host}:{port}.")
    return name or host, int(number)


def _memory(rest: str) -> Source:
    from actwin.telemetry.ac.memory import SharedMemorySource

    return SharedMemorySource(rest or None)


def _udp(rest: str) -> Source:
    from actwin.telemetry.ac.remote import RemoteSource
    from actwin.telemetry.ac.remote_packets import PORT

    return RemoteSource(*address(rest, "127.0.0.1", PORT))


def _app(rest: str) -> Source:
    from actwin.telemetry.ac.app_source import AppSource

    return AppSource(*address(rest, "127.0.0.1", 2345))


_OPENERS: dict[str, Callable[[str], Source]] = {"memory": _memory, "app": _app, "udp": _udp}


def _first_that_answers() -> Source:
    for opener in _OPENERS.values():
        source = opener("")
        try:
            source.connect(timeout=AUTO_TIMEOUT)
        except SourceError:
            source.close()
        else:
            return source
    raise SourceError(
        "No Assetto Corsa found: no shared memory, no in-game app, no UDP telemetry. "
        "Start a session in the game, or run `actwin serve` to emulate one."
    )
