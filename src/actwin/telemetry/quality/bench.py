"""The recording while it is checked: rows in order, suspicious values left out."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from actwin.telemetry.quality.cadence import Cadence
from actwin.telemetry.quality.findings import EVERY, FROZEN, MOTION, NOT_FINITE, RANGE, TELEPORT, Finding, Flags, Floats
from actwin.telemetry.quality.recording import Recording

SPOILING: Final = (FROZEN, NOT_FINITE, RANGE, MOTION, TELEPORT)
"""Kinds of findings whose rows have no trustworthy value in the channel."""


class Bench:
    """What the checks share: each sees the recording without the values that an earlier one found wrong.

    Arrays are over the kept rows, [K], in the order of `order.kept`.

    Args:
        recording: To check, in SI units.
        order: Of its rows.
    """

    def __init__(self, recording: Recording, order: Cadence) -> None:
        self.recording, self.order = recording, order
        self.time: Floats = recording.time[order.kept]
        self.linked: Flags = order.linked
        self.findings: list[Finding] = []
        self._bad: dict[str, Flags] = {}
        self._speed: Floats | None = None
        self._raw: dict[str, Floats] = {}

    def __len__(self) -> int:
        return len(self.time)

    def add(self, findings: list[Finding]) -> None:
        """Takes findings in, so that later checks leave their values out."""
        self.findings += findings
        for finding in findings:
            for name in spoilt_columns(self.recording, finding):
                bad = self._bad.setdefault(name, np.zeros(len(self.recording), bool))
                bad[finding.first : finding.last + 1] = True
        self._speed = None
        self._raw.clear()

    def bad(self, *names: str) -> Flags:
        """[K] Rows on which any of these columns was found wrong."""
        found = np.zeros(len(self.recording), bool)
        for name in names:
            found |= self._bad.get(name, False)
        return found[self.order.kept]

    def raw(self, name: str) -> Floats:
        """[K] A column as recorded, NaN where it was found wrong or is not given; not to be written to."""
        if name not in self._raw:
            self._raw[name] = np.where(self.bad(name), np.nan, self.recording.floats(name)[self.order.kept])
        return self._raw[name]

    def clean(self, name: str) -> Floats:
        """[K] A column with what is wrong in it interpolated; NaN throughout when nothing is left.

        Args:
            name: Column; angles that wrap are unwrapped.
        """
        values = self.raw(name).copy()
        known = np.flatnonzero(np.isfinite(values))
        if not len(known):
            return values
        if name == "yaw":
            values[known] = np.unwrap(values[known])
        if len(known) < len(values):
            values = np.interp(np.arange(len(values)), known, values[known])
        return values

    def speed(self) -> Floats:
        """[m/s] [K] The best there is: told speed, length of the velocity, else speed of the place; NaN without any."""
        if self._speed is None:
            self._speed = self._best_speed()
        return self._speed

    def _best_speed(self) -> Floats:
        told, velocity = self.raw("vel"), self.velocity()
        found = np.where(np.isfinite(told), told, velocity)
        known = np.flatnonzero(np.isfinite(found))
        if len(known):
            return np.interp(np.arange(len(found)), known, found[known])
        if self.recording.has("x", "y"):
            return rate_of(self.time, self.linked, np.column_stack([self.clean("x"), self.clean("y")]))
        return found

    def velocity(self) -> Floats:
        """[m/s] [K] Length of the velocity in the car frame; NaN where it is not given."""
        vertical = np.nan_to_num(self.raw("vz")) if self.recording.has("vz") else 0.0
        return np.asarray(np.sqrt(self.raw("vx") ** 2 + self.raw("vy") ** 2 + vertical**2))

    def integral(self, rate: Floats) -> Floats:
        """[K] A rate summed over time by trapezoids; it stands still where rows do not follow one another."""
        step = np.nan_to_num(self.order.step)
        mean = 0.5 * (rate + np.concatenate((rate[:1], rate[:-1])))
        return np.cumsum(np.where(self.linked, mean * step, 0.0))

    def row(self, kept: int) -> int:
        """Row of the recording of a kept row."""
        return int(self.order.kept[kept])

    def blocks(self, seconds: float, rows: int) -> list[slice]:
        """Kept rows in pieces without a break.

        Args:
            seconds: [s] At least this long ...
            rows: ... and of at least so many rows; what is left at the end of a stretch is left out.
        """
        size = max(rows, round(seconds / self.order.period)) if np.isfinite(self.order.period) else rows
        starts = np.append(np.flatnonzero(~self.linked), len(self.linked))
        return [
            slice(first, first + size)
            for begin, end in pairwise(starts.tolist())
            for first in range(begin, end - size + 1, size)
        ]


def rate_of(time: Floats, linked: Flags, places: Floats) -> Floats:
    """[m/s] Speed of a place at each row, from the last row on which it changed to the next.

    Args:
        time: [s] [K].
        linked: [K] Whether a row follows the one before.
        places: [m] [K, D].
    """
    changed = ~linked | np.any(np.diff(places, axis=0, prepend=np.nan) != 0.0, axis=1)
    rows = np.flatnonzero(changed)
    if len(rows) < 2:
        return np.zeros(len(time))
    distance = np.linalg.norm(np.diff(places[rows], axis=0), axis=1)
    rate = np.where(linked[rows[1:]], distance / np.maximum(np.diff(time[rows]), 1e-9), np.nan)
    known = np.flatnonzero(np.isfinite(rate))
    if not len(known):
        return np.zeros(len(time))
    return np.interp(np.arange(len(time)), rows[1:][known], rate[known])


def spoilt_columns(recording: Recording, finding: Finding) -> tuple[str, ...]:
    """Columns whose values are wrong on the rows of a finding; none when it only tells that something happened."""
    if not finding.spoils or finding.kind not in SPOILING:
        return ()
    if finding.channel == EVERY:
        return tuple(sorted(recording.given - {"packet_id"}))
    return (finding.channel, *finding.also)
