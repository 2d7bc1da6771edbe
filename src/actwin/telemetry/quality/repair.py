"""A session with its mendable rows mended, written beside the old one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.quality.bench import spoilt_columns
from actwin.telemetry.quality.checks import check, check_recording, recording_of, scaled
from actwin.telemetry.quality.findings import DUPLICATE, RANGE, REPAIRED, TIME, Bits, Finding, Flags, Floats, Rows, runs
from actwin.telemetry.quality.recording import COLUMNS, Recording
from actwin.telemetry.quality.report import Report

if TYPE_CHECKING:
    from actwin.telemetry.store.session import Session

BRIDGED: Final = 0.5
"""[s] Longest hole that is interpolated; a car changes too much in more."""
ANGLES: Final = ("yaw", "heading_error", "roll")
"""Columns that wrap at half a turn."""
UNBOUNDED: Final = ("grip_use_fl", "grip_use_fr", "grip_use_rl", "grip_use_rr")
"""Columns whose values beyond the range are kept: the game's own measure of slip reads 99 at a spinning wheel."""
CYCLIC: Final = ("lap_distance", "lap_progress", "spline_position", "lap_time")
"""Columns that begin anew at the line, over which nothing is interpolated."""


@dataclass(frozen=True)
class Repair:
    """What a repair did.

    Attributes:
        recording: The rows after it.
        kept: Rows of the old recording that are left, in order.
        bits: [T] `REPAIRED` where a value was replaced.
        dropped: Rows left out.
        replaced, emptied: Values by column: interpolated, or the one before in integer columns; and taken away.
        scaled: Columns brought into SI units.
    """

    recording: Recording
    kept: Rows
    bits: Bits
    dropped: int = 0
    replaced: dict[str, int] = field(default_factory=dict)
    emptied: dict[str, int] = field(default_factory=dict)
    scaled: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return bool(self.dropped or self.replaced or self.emptied or self.scaled)

    def words(self) -> str:
        """One sentence for the user."""
        parts = [f"{self.dropped} rows dropped"] if self.dropped else []
        for name, counts in (("replaced", self.replaced), ("emptied", self.emptied)):
            parts += [f"{sum(counts.values())} values {name} ({', '.join(sorted(counts))})"] if counts else []
        parts += [f"scaled: {', '.join(self.scaled)}"] if self.scaled else []
        return "; ".join(parts) or "nothing to repair"


@np.errstate(all="ignore")  # as in `check_recording`
def repair_recording(recording: Recording, report: Report) -> Repair:
    """Mends what can be mended without inventing anything.

    Repeated and stray rows are left out, columns in a known other unit are scaled, wrong values are interpolated over
    at most half a second and emptied beyond; integer channels keep the value before. Gaps, pauses, restarts, lasting
    teleports, clocks and laps stay as they are.

    Args:
        recording: That was checked.
        report: Of the check.
    """
    mended = scaled(recording, list(report.scales))
    if mended is recording:
        mended = recording.copy()
    left_out = (report.bits & np.uint32(DUPLICATE.mask | TIME.mask)) != 0
    wrong: dict[str, Flags] = {}
    for finding in report.findings:
        for name in _wrong_columns(recording, finding):
            flags = wrong.setdefault(name, np.zeros(len(recording), bool))
            flags[finding.first : finding.last + 1] = True
    replaced, emptied = {}, {}
    bits = np.zeros(len(recording), np.uint32)
    for name, flags in wrong.items():
        flags &= ~left_out
        had = np.isfinite(mended.floats(name))
        filled = _mend(mended, name, flags, left_out)
        taken = flags & ~filled & had
        replaced[name], emptied[name] = int(filled.sum()), int(taken.sum())
        bits[filled | taken] |= np.uint32(REPAIRED.mask)
    kept = np.flatnonzero(~left_out)
    return Repair(
        mended.take(kept),
        kept,
        bits[kept],
        int(left_out.sum()),
        {name: count for name, count in replaced.items() if count},
        {name: count for name, count in emptied.items() if count},
        tuple(name for scale in report.scales if np.isfinite(scale.factor) for name in scale.columns),
    )


def _wrong_columns(recording: Recording, finding: Finding) -> tuple[str, ...]:
    kept = finding.kind is RANGE and finding.channel in UNBOUNDED
    return () if kept else spoilt_columns(recording, finding)


def _mend(recording: Recording, name: str, flags: Flags, left_out: Flags) -> Flags:
    """Replaces the flagged values of a column in place; says which of them have a value again."""
    values = recording.column(name)
    rows = np.flatnonzero(~left_out)
    filled = np.zeros(len(recording), bool)
    for first, last in runs(flags[rows]):
        hole = rows[first : last + 1]
        before = int(rows[first - 1]) if first else -1
        after = int(rows[last + 1]) if last + 1 < len(rows) else -1
        if COLUMNS[name].channel.integer:
            values[hole] = values[before] if before >= 0 else 0
            filled[hole] = before >= 0
        else:
            values[hole] = _bridge(recording.time, values, before, after, hole, name)
            filled[hole] = np.isfinite(values[hole])
    return filled


def _bridge(time: Floats, values: npt.NDArray[Any], before: int, after: int, hole: Rows, name: str) -> Floats:
    """Values for a hole between two rows, -1 where there is none; NaN where any would be invented."""
    nothing = np.full(len(hole), np.nan)
    if before < 0 or after < 0 or not 0.0 < time[after] - time[before] <= BRIDGED:
        return nothing
    rise = float(values[after]) - float(values[before])
    if name in ANGLES:
        rise = (rise + np.pi) % (2.0 * np.pi) - np.pi
    if not np.isfinite(rise) or (name in CYCLIC and rise < 0.0):
        return nothing
    made = float(values[before]) + rise * (time[hole] - time[before]) / (time[after] - time[before])
    return np.asarray((made + np.pi) % (2.0 * np.pi) - np.pi if name in ANGLES else made)


def repair(session: Session, root: str | Path, report: Report | None = None) -> tuple[Session, Repair]:
    """Writes a repaired copy of a session; the old one stays as it is.

    Args:
        session: Opened.
        root: Folder of all sessions.
        report: Of its check; made anew when not given.

    Returns:
        The new session, checked and marked, and what was done.

    Raises:
        SessionError: The session cannot be read or the new one not be written.
    """
    from actwin.telemetry.store.schema import SOURCE
    from actwin.telemetry.store.session import Extra, write_session

    recording = recording_of(session)
    done = repair_recording(recording, report or check_recording(recording, session.name))
    extra = {
        name: Extra(session.column(name)[done.kept], session.unit(name))
        for name in session.columns
        if name.startswith(SOURCE)
    }
    notes = f"{session.meta.notes} Repaired copy of {session.name}: {done.words()}.".strip()
    meta = session.meta.changed(origin=session.name, notes=notes, findings=None)
    made = write_session(
        root, meta, done.recording.time, done.recording.frames, done.recording.game, session.sent[done.kept],
        done.bits, extra,
    )  # fmt: skip
    return mark(made, check(made)), done


def mark(session: Session, report: Report) -> Session:
    """Keeps the marks of a check in the session's quality column; earlier repairs stay marked.

    Args:
        session: That was checked.
        report: Of the check.
    """
    repaired = session.quality & np.uint32(REPAIRED.mask)
    bits = report.bits | repaired
    counts = dict(report.rows_of)
    if repaired.any():
        counts[REPAIRED.name] = int(np.count_nonzero(repaired))
    return session.with_quality(bits, counts)
