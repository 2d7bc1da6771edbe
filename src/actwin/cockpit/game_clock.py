"""Tells which of a game's samples is the end of a control period."""

from __future__ import annotations

from typing import Final

from actwin.telemetry.ac.source import Sample
from actwin.twin.simulator import PHYSICS_STEP

LEAP: Final = 15.0
"""[m] What a car may jump between two frames beyond its way at speed, for rounding and late samples."""


class GameClock:
    """Counts control periods in the game's own physics steps, or by time of arrival where a source has no steps.

    A source that is slower than 333 Hz tells some moments only: the sample nearest to the end of a period is taken, and
    on average a period has its length. After a long gap the count begins anew.

    Args:
        period: [s] Of control.
        numbered: Whether the source tells the game's steps.
    """

    def __init__(self, period: float, numbered: bool = True) -> None:
        self._steps, self._numbered = period / PHYSICS_STEP, numbered
        self._due = self._last = 0.0
        self._sample: Sample | None = None

    def begin(self, sample: Sample) -> None:
        """Takes a sample as the beginning of a period."""
        self._sample, self._last = sample, self._tick(sample)
        self._due = self._last + self._steps

    def ends_period(self, sample: Sample) -> bool:
        """Whether a new sample is the end of the period; the next one begins with it."""
        now = self._tick(sample)
        spacing, self._last = now - self._last, now
        if spacing >= 0.0 and now + 0.5 * min(spacing, self._steps) < self._due:
            return False
        self._due += self._steps
        if spacing < 0.0 or self._due < now + 0.5 * self._steps:
            self._due = now + self._steps
        return True

    def continues(self, sample: Sample) -> bool:
        """Whether a sample can come from the same drive as the last one asked about: no restart, no leap."""
        before, self._sample = self._sample, sample
        if before is None:
            return False
        now, last = sample.frame[0], before.frame[0]
        elapsed = (self._tick(sample) - self._tick(before)) * PHYSICS_STEP
        leap = float((now["x"] - last["x"]) ** 2 + (now["y"] - last["y"]) ** 2) ** 0.5
        return elapsed >= 0.0 and leap <= 1.5 * max(float(now["speed"]), float(last["speed"])) * elapsed + LEAP

    def _tick(self, sample: Sample) -> float:
        """[physics steps]"""
        return float(sample.frame["packet_id"][0]) if self._numbered else sample.time / PHYSICS_STEP
