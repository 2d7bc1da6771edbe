"""What every source of telemetry offers, be it the game or its emulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import numpy.typing as npt

from actwin.errors import ConfigError, SourceError

AUTO_TIMEOUT = 0.5
"""[s] How long `open_source("auto")` waits for each interface."""


class GameInfo(NamedTuple):
    """What does not change during a session. Unknown numbers are NaN (counts 0), unknown text is empty.

    Attributes:
        source: Name of the source that told it.
        car: Folder name of the car.
        track: Folder name of the track.
        layout: Folder name of the track's layout, empty when there is only one.
        driver: Name of the driver; personal data.
        ac_version: Of the game.
        sm_version: Of the shared-memory layout.
        track_length: [m] Length of the game's reference line.
        max_rpm: [1/min] Limiter of the engine.
        max_fuel: [kg] What the tank holds.
        max_torque: [N m].
        max_power: [W]; the game's own unit is not documented.
        sector_count: Sectors of a lap.
        steer_lock: [rad] Angle of the steering wheel from the centre to full lock.
        csp_version: Of Custom Shaders Patch, empty without it.
    """

    source: str = ""
    car: str = ""
    track: str = ""
    layout: str = ""
    driver: str = ""
    ac_version: str = ""
    sm_version: str = ""
    track_length: float = math.nan
    max_rpm: float = math.nan
    max_fuel: float = math.nan
    max_torque: float = math.nan
    max_power: float = math.nan
    sector_count: int = 0
    steer_lock: float = math.nan
    csp_version: str = ""


class Sample(NamedTuple):
    """One reading.

    Attributes:
        time: [s] `time.perf_counter()` when it arrived.
        frame: FRAME[1].
        game: GAME[1].
    """

    time: float
    frame: npt.NDArray[Any]
    game: npt.NDArray[Any]


class Health(NamedTuple):
    """How well a source is doing.

    Attributes:
        status: `live`; `paused` when nothing new came for a moment or the game says so; `dead` after a second.
        rate: [1/s] New samples, over the last second or so.
        dropped: Samples that are known to be lost, since `connect`.
        age: [s] Since the last new sample, infinite before the first.
    """

    status: Literal["live", "paused", "dead"]
    rate: float
    dropped: int
    age: float


class Source(Protocol):
    """Somebody who tells what a car does. A loop is `connect()`, then `read()` again and again, then `close()`."""

    name: str
    """How `open_source` names it."""

    def connect(self, timeout: float = 2.0) -> GameInfo:
        """Finds the game; may be called again to reconnect.

        Args:
            timeout: [s] To wait for an answer.

        Raises:
            SourceError: Nobody answers, or not in the way of the game; the message says what to do.
        """
        ...

    def read(self, timeout: float = 0.1) -> Sample | None:
        """The next sample that was not read before.

        Args:
            timeout: [s] To wait for one.

        Returns:
            The newest sample; None when nothing new came in time.

        Raises:
            SourceError: Not connected.
        """
        ...

    def health(self) -> Health:
        """How fresh and complete the samples are."""
        ...

    def close(self) -> None:
        """Lets go; harmless when nothing is open."""
        ...


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
