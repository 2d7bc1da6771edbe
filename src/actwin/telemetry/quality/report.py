"""The result of a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actwin.telemetry.quality.clocks import ClockRate
from actwin.telemetry.quality.findings import KINDS, Bits, Finding, Floats
from actwin.telemetry.quality.magnitudes import Scale


@dataclass(frozen=True)
class Report:
    """What was found in a recording.

    Attributes:
        name: Of the recording.
        time: [s] [T] Of its rows.
        bits: [T] The quality column: one bit a kind, see `findings.KINDS`.
        findings: By first row.
        period: [s] Mean time between rows that follow one another; NaN when there are not two.
        given: Columns that hold anything.
        flat: Columns that have one value throughout, with it.
        clocks: How the game's clocks run against time.
        scales: What would bring columns into SI units.
    """

    name: str
    time: Floats
    bits: Bits
    findings: tuple[Finding, ...]
    period: float
    given: frozenset[str]
    flat: Mapping[str, float] = field(default_factory=dict)
    clocks: tuple[ClockRate, ...] = ()
    scales: tuple[Scale, ...] = ()

    @property
    def rate(self) -> float:
        """[1/s] Rows a second."""
        return 1.0 / self.period if self.period > 0.0 else np.nan

    @property
    def duration(self) -> float:
        """[s] From the first row to the last."""
        finite = self.time[np.isfinite(self.time)]
        return float(finite.max() - finite.min()) if len(finite) else 0.0

    @property
    def rows_of(self) -> dict[str, int]:
        """Marked rows by kind, for the kinds that were found."""
        counts = {kind.name: int(np.count_nonzero(self.bits & np.uint32(kind.mask))) for kind in KINDS}
        return {name: count for name, count in counts.items() if count}

    @property
    def findings_of(self) -> dict[str, int]:
        """Findings by kind, for the kinds that were found."""
        counts = {kind.name: sum(finding.kind is kind for finding in self.findings) for kind in KINDS}
        return {name: count for name, count in counts.items() if count}

    @property
    def marked(self) -> int:
        """Rows that carry any mark."""
        return int(np.count_nonzero(self.bits))

    def as_dict(self, most: int = 10_000) -> dict[str, Any]:
        """For JSON.

        Args:
            most: Findings that are listed; all are counted.
        """
        return {
            "session": self.name,
            "rows": len(self.time),
            "duration": round(self.duration, 4),
            "rate": round(self.rate, 3) if np.isfinite(self.rate) else None,
            "marked": self.marked,
            "findings": self.findings_of,
            "rows_marked": self.rows_of,
            "clocks": {
                clock.name: {"rate": round(clock.rate, 4), "expected": round(clock.expected, 4), "jitter": clock.jitter}
                for clock in self.clocks
            },
            "flat": dict(self.flat),
            "list": [finding.as_dict(self.time) for finding in self.findings[:most]],
            "left_out": max(0, len(self.findings) - most),
        }
