"""The vocabulary of a check: kinds of defects with their bits, findings with their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint32]

EVERY: Final = "*"
"""Channel name of a finding that concerns the row as a whole."""


@dataclass(frozen=True)
class Kind:
    """One kind of defect.

    Attributes:
        name: As it is stored and shown.
        bit: Its place in the quality column; never reused for something else, recordings keep it.
        meaning: What a marked row has.
        unit: Unit of `Finding.size`.
    """

    name: str
    bit: int
    meaning: str
    unit: str

    @property
    def mask(self) -> int:
        """The bit as a number."""
        return 1 << self.bit


GAP: Final = Kind("gap", 0, "rows are missing before this one", "s")
TIME: Final = Kind("time", 1, "time stands still or runs backwards", "s")
DUPLICATE: Final = Kind("duplicate", 2, "repeats the game step of the row before", "1")
FROZEN: Final = Kind("frozen", 3, "a channel stands still while the car moves", "s")
NOT_FINITE: Final = Kind("not_finite", 4, "no number where the channel has numbers", "1")
RANGE: Final = Kind("range", 5, "outside the range of the channel table", "of the channel")
TELEPORT: Final = Kind("teleport", 6, "the place jumps further than the speed explains", "m")
CLOCK: Final = Kind("clock", 7, "the game's clock runs at another rate than the recording's", "-")
PAUSE: Final = Kind("pause", 8, "the game's clock stood before this row", "s")
RESTART: Final = Kind("restart", 9, "the game's clock began anew at this row", "s")
UNIT: Final = Kind("unit", 10, "a channel is in another unit, sign or frame", "-")
MOTION: Final = Kind("motion", 11, "speed, velocity, acceleration or place contradict each other", "m/s")
LAP: Final = Kind("lap", 12, "lap count, lap clock and the line contradict each other", "s")
REPAIRED: Final = Kind("repaired", 31, "a value of this row was replaced", "1")

KINDS: Final[tuple[Kind, ...]] = (
    GAP, TIME, DUPLICATE, FROZEN, NOT_FINITE, RANGE, TELEPORT, CLOCK, PAUSE, RESTART, UNIT, MOTION, LAP, REPAIRED,
)  # fmt: skip
"""Every kind; the one place where the bits of the quality column are declared."""


@dataclass(frozen=True)
class Finding:
    """One defect.

    Attributes:
        kind: What.
        first, last: Rows that it marks, both included.
        channel: Column it was seen in; `EVERY` for the whole row.
        size: How much, in the unit of the kind.
        words: The same as a sentence.
        spoils: Whether the channel's values on these rows are wrong; False where the rows only show that something
            happened, such as a teleport that lasts.
        also: Other columns whose values on these rows are wrong with it.
    """

    kind: Kind
    first: int
    last: int
    channel: str
    size: float
    words: str
    spoils: bool = True
    also: tuple[str, ...] = ()

    def as_dict(self, time: Floats) -> dict[str, Any]:
        """For JSON; `from` and `to` are the times [s] of the rows."""
        return {
            "kind": self.kind.name,
            "first": self.first,
            "last": self.last,
            "from": _number(time[self.first]),
            "to": _number(time[self.last]),
            "channel": self.channel,
            "size": _number(self.size),
            "unit": self.kind.unit,
            "words": self.words,
        }


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(f"{value:.9g}") if np.isfinite(value) else None


def quality_bits(findings: list[Finding], rows: int) -> Bits:
    """The quality column: one bit a kind, 0 for rows that nothing was found on.

    Args:
        findings: Of a check.
        rows: Length of the recording.
    """
    bits = np.zeros(rows, np.uint32)
    for finding in findings:
        bits[finding.first : finding.last + 1] |= np.uint32(finding.kind.mask)
    return bits


def kinds_of(bits: int) -> tuple[Kind, ...]:
    """The kinds that a value of the quality column names."""
    return tuple(kind for kind in KINDS if int(bits) & kind.mask)


def runs(flags: Flags) -> list[tuple[int, int]]:
    """First and last row of each unbroken run of True, both included."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]
