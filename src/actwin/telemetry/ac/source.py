"""What every source of telemetry offers, be it the game or its emulator."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, Protocol

import numpy.typing as npt


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
