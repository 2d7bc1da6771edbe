"""Telemetry for the live page: one feed for everybody who looks, read in a process of its own."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Final, NamedTuple

from actwin.dashboard.live_reader import LOOKING, QUESTION, RETRY, receive
from actwin.driving.interruption import Interruption
from actwin.driving.watching import Reading

PERIOD: Final = 0.04
"""[s] From question to question."""
SILENCE: Final = 1.0
"""[s] Without an answer after which nothing that was told is live."""
IDLE: Final = 30.0
"""[s] After which a feed that nobody looks at ends."""


class View(NamedTuple):
    """What a feed knows now.

    Attributes:
        reading: The newest, None before the first.
        problem: Why there is none, empty when all is well.
        fuel_per_lap: [kg] Mean of the last laps, NaN before one was driven.
        number: Of the reading; the same number is the same reading.
    """

    reading: Reading | None
    problem: str
    fuel_per_lap: float
    number: int = 0


class LiveFeed:
    """Asks a reader until it is closed, or nobody has looked for a while.

    Args:
        kind: "source" or "replay".
        text: What to read, as `open_source` takes it; or the folder of a session.
    """

    def __init__(self, kind: str, text: str) -> None:
        self.name = f"{kind}:{text}"
        self._words = (kind, text)
        self._stop = Interruption()
        self._view = View(None, LOOKING, math.nan)
        self._fuel = _FuelUse()
        self._asked = self._told = time.monotonic()
        self._reader: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"live feed {self.name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still reads."""
        return self._thread.is_alive() and not self._stop.asked

    def view(self) -> View:
        """The newest; what is old because the reader does not answer is told as lost."""
        self._asked = now = time.monotonic()
        view, silence = self._view, now - self._told
        if view.reading is None or silence < SILENCE:
            return view
        health = view.reading.health
        health = health._replace(status="dead", rate=0.0, age=health.age + silence)
        return view._replace(reading=view.reading._replace(health=health), number=-1)

    def wait(self, seconds: float) -> bool:
        """Waits for the first reading; whether there is one."""
        end = time.monotonic() + seconds
        while self.view().problem == LOOKING and time.monotonic() < end:
            time.sleep(0.02)
        return self._view.reading is not None

    def close(self) -> None:
        """Ends it; returns at once."""
        self._stop.ask()
        if self._reader is not None:
            self._reader.kill()

    def _run(self) -> None:
        while not self._stop.asked:
            try:
                self._ask()
            except (EOFError, OSError, ValueError, TypeError, LookupError) as error:
                problem = f"The process that reads the car has ended ({error}). It is started again."
                self._view = View(None, problem, math.nan, self._view.number + 1)
                self._stop.wait(RETRY)

    def _ask(self) -> None:
        """Asks a new reader, again and again."""
        command = [sys.executable, "-m", "actwin.dashboard.live_reader", *self._words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
            self._reader = reader
            try:
                assert reader.stdin is not None
                assert reader.stdout is not None
                while not self._stop.asked:
                    reader.stdin.write(QUESTION)
                    reader.stdin.flush()
                    number, reading, problem = receive(reader.stdout)
                    if reading is not None and reading.sample is not None:
                        self._fuel.see(reading)
                    self._told = time.monotonic()
                    self._view = View(reading, problem, self._fuel.per_lap, number)
                    if self._told - self._asked > IDLE:
                        self._stop.ask()
                    self._stop.wait(PERIOD)
            finally:
                reader.kill()


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

    def get(self, kind: str, text: str) -> LiveFeed:
        """The feed of a source, begun when it is not on.

        Args:
            kind, text: As `LiveFeed` takes them.
        """
        with self._lock:
            if self._feed is None or self._feed.name != f"{kind}:{text}" or not self._feed.alive:
                if self._feed is not None:
                    self._feed.close()
                self._feed = LiveFeed(kind, text)
            return self._feed

    def close(self) -> None:
        """Ends the feed that is on."""
        with self._lock:
            if self._feed is not None:
                self._feed.close()
                self._feed = None
