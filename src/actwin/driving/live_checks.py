"""What answers now: sources of telemetry, the app's round trip, ways to move the controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from actwin.cockpit.actuators.protocol import Actuator
from actwin.driving.health_check import Check
from actwin.errors import ActwinError, SourceError
from actwin.telemetry.ac.custom_ai import CAR_PUBLIC, public_name
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.source import Source

PATIENCE: Final = 1.0
"""[s] To wait for a source."""
START: Final = "Start a session in the game, or run `actwin serve`."
SLOWEST: Final = 20.0
"""[1/s] A driver of 25 decisions a second needs about so many samples."""


def check_source(name: str, source: Source, seconds: float = 1.0, cure: str = START) -> Check:
    """Whether a source lives: how many samples it gives in a second, and how regularly they come.

    Args:
        name: To show.
        source: Not connected; it is closed afterwards.
        seconds: [s] To listen.
        cure: Where the source's own error names none.
    """
    try:
        info = source.connect(PATIENCE)
        times = _listen(source, seconds)
        health = source.health()
    except ActwinError as error:
        found, _, own = str(error).partition(". ")
        return Check(name, False, f"{found.rstrip('.')}.", own or cure)
    finally:
        source.close()
    who = " ".join(text for text in (info.car, "at" if info.track else "", info.track) if text)
    if len(times) < 3:
        return Check(name, False, f"It answers ({who}), but nothing moves: {health.status}.", "Resume the session.")
    gaps = np.diff(times)
    rate = len(gaps) / float(times[-1] - times[0])
    p50, p99 = np.percentile(gaps, (50.0, 99.0)) * 1000.0
    words = f"{who}: {rate:.0f} samples a second, {p50:.1f} ms apart (99 %: {p99:.1f} ms), {health.dropped} lost"
    if rate < SLOWEST:
        return Check(name, False, words, f"Drivers need {SLOWEST:.0f} a second: raise the rate of the game or the app.")
    return Check(name, True, words)


def _listen(source: Source, seconds: float) -> list[float]:
    end, times = time.perf_counter() + seconds, []
    while time.perf_counter() < end:
        sample = source.read(0.1)
        if sample is not None:
            times.append(sample.time)
    return times


def check_round_trip(ask: Callable[[], object], times: int = 20) -> Check:
    """How long a question to the app and its answer take, and how much that varies.

    Args:
        ask: Asks once and returns with the answer.
        times: To ask.
    """
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        ask()
        took.append(time.perf_counter() - begin)
    p50, p99 = np.percentile(took, (50.0, 99.0)) * 1000.0
    return Check("round trip", True, f"{p50:.1f} ms to the app and back (99 %: {p99:.1f} ms, {times} times)")


def check_custom_ai(folder: str | None = None, seconds: float = 0.5) -> Check:
    """Whether Custom AI runs, told by the public data of the first car that it renews; no car is taken for that.

    Args:
        folder: Of the mappings, elsewhere than on Windows; None is the platform's place.
        seconds: [s] To look.
    """
    name = "Custom AI"
    cure = (
        "Start a session, offline, with [CUSTOM_AI] ENABLED=1 (`actwin install-app` sets it); or drive by app or a "
        "virtual controller."
    )
    try:
        public = Mapping.open(public_name(0), CAR_PUBLIC.itemsize, folder)
    except SourceError:
        return Check(name, None, "Its memory is not there.", cure)
    with public:
        first = _packet(public)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if _packet(public) != first:
                return Check(name, True, "It runs; controls and teleport need no virtual controller.")
            time.sleep(0.01)
    return Check(name, None, "Its memory is there, but stands still.", "Resume the session.")


def _packet(public: Mapping) -> int:
    return int(np.frombuffer(public.read(), CAR_PUBLIC, 1)["packet_id"][0])


def check_actuators(openers: Sequence[tuple[str, Callable[[], Actuator]]]) -> Check:
    """Which virtual controllers can be made; each is plugged in for a moment.

    Args:
        openers: Name of each with what opens it.
    """
    able, failures = [], []
    for name, opener in openers:
        try:
            opener().close()
        except ActwinError as error:
            failures.append(f"{name}: {error}")
        else:
            able.append(name)
    if able:
        return Check("virtual controller", True, ", ".join(able))
    words = "None on this system." if not failures else "None can be made."
    return Check("virtual controller", None, words, " ".join(failures) or "Drive by custom_ai or app.")
