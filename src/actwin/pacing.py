"""The clock of real-time loops: paces them, times their sections, counts the deadlines they miss."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import numpy as np

KEPT: Final = 65_536
"""Durations of a section that are kept for percentiles; counts and the worst cover the whole run."""
SPIN: Final = 0.0005
"""[s] Before a deadline the clock is polled instead of sleeping: a sleep may end that much late."""


class Spread(NamedTuple):
    """How long a section took.

    Attributes:
        n: Times it ran.
        p50, p99: [s] Percentiles of the last `KEPT` runs.
        worst: [s] Of the whole run.
    """

    n: int
    p50: float
    p99: float
    worst: float


class Durations:
    """Durations of one section, in a ring."""

    def __init__(self) -> None:
        self._ring = np.zeros(KEPT)
        self.count, self.worst = 0, 0.0

    def add(self, duration: float) -> None:
        """Keeps one duration in seconds."""
        self._ring[self.count % KEPT] = duration
        self.count += 1
        self.worst = max(self.worst, duration)

    def spread(self) -> Spread:
        """Percentiles; all zero before the first duration."""
        if not self.count:
            return Spread(0, 0.0, 0.0, 0.0)
        p50, p99 = np.percentile(self._ring[: min(self.count, KEPT)], (50.0, 99.0))
        return Spread(self.count, float(p50), float(p99), self.worst)


class Pacer:
    """Keeps a loop at its period and measures it.

    ```
    pacer = Pacer(0.039)
    while driving:
        with pacer.section("decide"):
            controls = driver.act(frames)
        pacer.wait()
    ```

    A late turn does not shift the deadlines after it: they stay whole periods from the start. When a turn is late by
    more than a period, the deadlines it slept through count as missed and are left out.

    Args:
        period: [s] Of the loop; None measures only, for loops that something else paces.
        clock, sleep: To use instead of `time.perf_counter` and `time.sleep`.

    Attributes:
        period: [s] As given.
        turns: Times `wait` was called.
        missed: Deadlines that had passed when `wait` was called.
        sections: Durations by name, in the order of their first use.
    """

    def __init__(
        self,
        period: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if period is not None and not period > 0.0:
            raise ValueError(f"The period of a loop must be above 0 s, not {period}.")
        self.period = period
        self._clock, self._sleep = clock, sleep
        self._start = clock()
        self._next = self._start + (period or 0.0)
        self.turns, self.missed = 0, 0
        self.sections: dict[str, Durations] = {}

    @property
    def elapsed(self) -> float:
        """[s] Since the start."""
        return self._clock() - self._start

    def restart(self) -> None:
        """Begins to pace anew from now, after a pause that is nobody's fault; what was measured stays."""
        self._next = self._clock() + (self.period or 0.0)

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Times what runs inside."""
        begin = self._clock()
        try:
            yield
        finally:
            self.add(name, self._clock() - begin)

    def add(self, name: str, duration: float) -> None:
        """Keeps a duration that was measured elsewhere.

        Args:
            name: Of the section.
            duration: [s].
        """
        if name not in self.sections:
            self.sections[name] = Durations()
        self.sections[name].add(duration)

    def wait(self) -> float:
        """Sleeps until the next deadline.

        Returns:
            [s] How late the loop came, 0 when it was in time.
        """
        self.turns += 1
        if self.period is None:
            return 0.0
        late = self._clock() - self._next
        if late > 0.0:
            passed = 1 + int(late / self.period)
            self.missed += passed
            self._next += passed * self.period
            return late
        if late < -SPIN:
            self._sleep(-late - SPIN)
        while self._clock() < self._next:
            pass
        self._next += self.period
        return 0.0

    def spreads(self) -> dict[str, Spread]:
        """Percentiles of every section."""
        return {name: durations.spread() for name, durations in self.sections.items()}
