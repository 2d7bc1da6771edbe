"""Looking at a car that somebody drives, a few times a second."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.driving.interruption import Interruption
from actwin.errors import SourceError
from actwin.telemetry.ac.source import GameInfo, Health, Sample, Source
from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS, Channel

BACK_OFF: Final = (0.5, 1.0, 2.0, 5.0)
"""[s] Between attempts to find a game that vanished; the last one repeats."""


class Reading(NamedTuple):
    """What is known at a moment.

    Attributes:
        info: Car, track, versions.
        sample: The newest, None before the first.
        health: Of the source.
    """

    info: GameInfo
    sample: Sample | None
    health: Health


def watch(
    source: Source, period: float = 0.1, seconds: float | None = None, stop: Interruption | None = None
) -> Iterator[Reading]:
    """The newest reading, again and again, until time or somebody ends it.

    Every sample is read, so that the source's own count of lost ones stays true. A game that vanishes is looked for
    again, with longer and longer pauses; meanwhile the last reading is told with the health `dead`.

    Args:
        source: Not connected, or connected already; it is not closed.
        period: [s] Between readings.
        seconds: [s] To watch; None means without end, 0 means one reading.
        stop: Ends it; by default Ctrl-C and a request to end the process do.

    Raises:
        SourceError: Nobody answers at the start.
    """
    info, sample = source.connect(), None
    begin = time.perf_counter()
    due, look, failures, open_now = begin, math.inf, 0, True
    with stop or Interruption() as stop:
        while not stop.asked:
            if open_now:
                sample = source.read(0.05) or sample
            else:
                stop.wait(0.05)
            now = time.perf_counter()
            health = source.health()
            if health.status != "dead":
                look, failures = math.inf, 0
            elif look == math.inf:
                look = now + BACK_OFF[0]
            elif now >= look:
                found = _look_again(source)
                info, failures, open_now = found or info, failures + 1, found is not None
                look = time.perf_counter() + BACK_OFF[min(failures, len(BACK_OFF) - 1)]
            ended = seconds is not None and now - begin >= seconds
            if now >= due or ended:
                due = now + period
                yield Reading(info, sample, health)
            if ended:
                return


def _look_again(source: Source) -> GameInfo | None:
    """The game, None where there is none: the source is closed then, and nothing can be read from it."""
    try:
        return source.connect(timeout=0.2)
    except SourceError:
        return None


def as_object(reading: Reading) -> dict[str, Any]:
    """A reading for JSON: channels under their export names; what the source does not tell is None."""
    told: dict[str, Any] = {}
    if reading.sample is not None:
        told = {"time": reading.sample.time}
        told |= _columns(reading.sample.frame[0], FRAME_CHANNELS) | _columns(reading.sample.game[0], GAME_CHANNELS)
    health = {name: _finite(value) for name, value in reading.health._asdict().items()}
    return {"info": {name: _finite(value) for name, value in reading.info._asdict().items()}, "health": health} | told


def _columns(record: npt.NDArray[Any], channels: tuple[Channel, ...]) -> dict[str, Any]:
    return {
        column: _finite(value)
        for channel in channels
        for column, value in zip(channel.columns, np.atleast_1d(record[channel.name]).tolist(), strict=True)
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
