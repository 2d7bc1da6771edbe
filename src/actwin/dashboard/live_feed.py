"""Telemetry for the live page, read beside the pages: one feed for everybody who looks."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from actwin.driving.interruption import Interruption
from actwin.driving.watching import Reading, watch
from actwin.errors import ActwinError, SourceError
from actwin.telemetry.ac.source import Source

PERIOD: Final = 0.04
"""[s] From reading to reading."""
RETRY: Final = 2.0
"""[s] Until a game that did not answer is asked again."""
IDLE: Final = 30.0
"""[s] After which a feed that nobody looks at ends."""


class View(NamedTuple):
    """What a feed knows now.

    Attributes:
        reading: The newest, None before the first.
        problem: Why there is none, empty when all is well.
        fuel_per_lap: [kg] Mean of the last laps, NaN before one was driven.
    """

    reading: Reading | None
    problem: str
    fuel_per_lap: float


class LiveFeed:
    """Reads a source in a thread until it is closed, or nobody has looked for a while.

    Args:
        name: Of the source.
        opener: Opens it; called again when it was lost.
    """

    def __init__(self, name: str, opener: Callable[[], Source]) -> None:
        self.name = name
        self._opener = opener
        self._stop = Interruption()
        self._reading: Reading | None = None
        self._problem = "Looking for a car …"
        self._fuel = _FuelUse()
        self._asked = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"live feed {name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still reads."""
        return self._thread.is_alive() and not self._stop.asked

    def view(self) -> View:
        """The newest."""
        self._asked = time.monotonic()
        return View(self._reading, self._problem, self._fuel.per_lap)

    def close(self) -> None:
        """Ends it; returns at once."""
        self._stop.ask()

    def _run(self) -> None:
        while not self._stop.asked:
            try:
                source = self._opener()
            except ActwinError as error:
                self._fail(str(error))
                continue
            try:
                for reading in watch(source, PERIOD, stop=self._stop):
                    self._reading, self._problem = reading, ""
                    if reading.sample is not None:
                        self._fuel.see(reading)
                    if time.monotonic() - self._asked > IDLE:
                        self._stop.ask()
            except (ActwinError, OSError) as error:
                self._fail(str(error))
            finally:
                source.close()

    def _fail(self, problem: str) -> None:
        self._reading, self._problem = None, problem
        if time.monotonic() - self._asked > IDLE:
            self._stop.ask()
        self._stop.wait(RETRY)


class _FuelUse:
    def __init__(self) -> None:
        self._lap: int | None = None
        self._at_line = math.nan
        self._used: deque[float] = deque(maxlen=3)

    @property
    def per_lap(self) -> float:
        return sum(self._used) / len(self._used) if self._used else math.nan

    def see(self, reading: Reading) -> None:
        assert reading.sample is not None
        frame = reading.sample.frame[0]
        lap, fuel = int(frame["lap_count"]), float(frame["fuel"])
        if lap == self._lap:
            return
        used = self._at_line - fuel
        if self._lap is not None and lap == self._lap + 1 and 0.0 < used < 20.0:
            self._used.append(used)
        self._lap, self._at_line = lap, fuel


class Feeds:
    """The feed that is on; another one ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feed: LiveFeed | None = None

    def get(self, name: str, opener: Callable[[], Source]) -> LiveFeed:
        """The feed of a source, begun when it is not on.

        Args:
            name: Of the source.
            opener: Opens it.
        """
        with self._lock:
            if self._feed is None or self._feed.name != name or not self._feed.alive:
                if self._feed is not None:
                    self._feed.close()
                self._feed = LiveFeed(name, opener)
            return self._feed

    def close(self) -> None:
        """Ends the feed that is on."""
        with self._lock:
            if self._feed is not None:
                self._feed.close()
                self._feed = None


def refuse(text: str) -> Callable[[], Source]:
    """An opener that explains why there is no source.

    Args:
        text: The reason.
    """

    def opener() -> Source:
        raise SourceError(text)

    return opener
