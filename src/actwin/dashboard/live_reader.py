"""The process that reads telemetry for the live page: no page that is computed beside it makes it miss a sample.

It is asked by a byte on its standard input and answers on its standard output: four bytes of length, a line of JSON,
then the frame. One question is open at a time, so nothing queues up; the end of its input ends it.
"""

from __future__ import annotations

import json
import struct
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Final, NamedTuple

import numpy as np

from actwin.dashboard.replay import ReplaySource
from actwin.driving.interruption import Interruption
from actwin.driving.watching import Reading, watch
from actwin.errors import ActwinError
from actwin.telemetry.ac.opening import open_source
from actwin.telemetry.ac.source import GameInfo, Health, Sample, Source
from actwin.telemetry.channels import FRAME, GAME

PERIOD: Final = 0.02
"""[s] From reading to reading."""
RETRY: Final = 2.0
"""[s] Until a game that did not answer is asked again."""
QUESTION: Final = b"?"
LOOKING: Final = "Looking for a car …"
_LENGTH: Final = struct.Struct("<I")
_MOST: Final = 1 << 20
"""Bytes of an answer; one has about two thousand."""


class Answer(NamedTuple):
    """What the reader knows.

    Attributes:
        number: Of readings so far; the same number is the same reading.
        reading: The newest, None before the first.
        problem: Why there is none, empty when all is well.
    """

    number: int = 0
    reading: Reading | None = None
    problem: str = LOOKING


def pack(answer: Answer) -> bytes:
    """An answer as it travels."""
    reading, rows = answer.reading, b""
    told: dict[str, object] = {"number": answer.number, "problem": answer.problem}
    if reading is not None:
        told |= {"info": reading.info._asdict(), "health": reading.health._asdict()}
        if reading.sample is not None:
            told["time"] = reading.sample.time
            rows = reading.sample.frame.tobytes() + reading.sample.game.tobytes()
    body = json.dumps(told).encode() + b"\n" + rows
    return _LENGTH.pack(len(body)) + body


def receive(stream: IO[bytes]) -> Answer:
    """The next answer.

    Raises:
        EOFError: The reader has ended.
        ValueError: It says something else.
    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _MOST:
        raise ValueError(f"an answer of {length} bytes")
    line, _, rows = _exactly(stream, length).partition(b"\n")
    told = json.loads(line)
    if "info" not in told:
        return Answer(told["number"], None, told["problem"])
    sample = None
    if rows:
        frame, game = (np.frombuffer(part, kind) for part, kind in (
            (rows[: FRAME.itemsize], FRAME), (rows[FRAME.itemsize :], GAME),
        ))  # fmt: skip
        sample = Sample(told["time"], frame, game)
    return Answer(told["number"], Reading(GameInfo(**told["info"]), sample, Health(**told["health"])), told["problem"])


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError("the reader has ended")
    return content


class _Reader:
    """Keeps the newest reading, and tells it to whoever asks."""

    def __init__(self) -> None:
        self.stop = Interruption()
        self._known = Answer()

    def run(self, opener: Callable[[], Source]) -> None:
        """Reads until its input ends."""
        threading.Thread(target=self._answer, name="questions", daemon=True).start()
        with self.stop:
            while not self.stop.asked:
                try:
                    self._follow(opener())
                except (ActwinError, OSError) as error:
                    self._known = Answer(self._known.number + 1, None, str(error))
                    self.stop.wait(RETRY)

    def _follow(self, source: Source) -> None:
        try:
            for reading in watch(source, PERIOD, stop=self.stop):
                self._known = Answer(self._known.number + 1, reading, "")
        finally:
            source.close()

    def _answer(self) -> None:
        asked, told = sys.stdin.buffer, sys.stdout.buffer
        try:
            while asked.read(1):
                told.write(pack(self._known))
                told.flush()
        except OSError:  # nobody listens any more
            pass
        self.stop.ask()


def main(kind: str, text: str) -> None:
    """Reads.

    Args:
        kind: "replay", or "source".
        text: Folder of the session, or the source as `open_source` takes it.
    """
    opener: Callable[[], Source] = partial(open_source, text)
    if kind == "replay":
        opener = partial(ReplaySource, Path(text))
    _Reader().run(opener)


if __name__ == "__main__":
    main(*sys.argv[1:3])
