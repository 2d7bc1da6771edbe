"""`check`: everything that can be said about a recording without knowing what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.cadence import Cadence, cadence
from actwin.telemetry.quality.clocks import ClockRate, check_clocks
from actwin.telemetry.quality.findings import UNIT, Finding, quality_bits
from actwin.telemetry.quality.kinematics import check_jumps, check_place, check_speed
from actwin.telemetry.quality.lap_checks import check_laps
from actwin.telemetry.quality.magnitudes import Scale, check_magnitudes
from actwin.telemetry.quality.recording import Recording
from actwin.telemetry.quality.report import Report
from actwin.telemetry.quality.scales import SCALE_CHECKS
from actwin.telemetry.quality.values import check_frozen, check_numbers, check_ranges, flat_columns

if TYPE_CHECKING:
    from actwin.telemetry.store.session import Session


def check(session: Session) -> Report:
    """Checks a recorded session.

    Args:
        session: Opened.

    Returns:
        The findings; `session.with_quality(report.bits, report.rows_of)` keeps the marks.

    Raises:
        SessionError: Its rows cannot be read.
    """
    return check_recording(recording_of(session), session.name)


def recording_of(session: Session) -> Recording:
    """The rows of a session as the checks read them."""
    length = session.meta.facts.get("track_length", np.nan)
    length = float(length) if isinstance(length, int | float) else np.nan
    return Recording(session.time, session.frames, session.game, length, frozenset(session.meta.missing))


@np.errstate(all="ignore")  # bad data overflow and divide by zero; what comes of it is no number and is left out
def check_recording(recording: Recording, name: str = "") -> Report:
    """Checks rows that need not be a session.

    Nothing raises on bad data; what cannot be judged, because a channel is missing or too little moves, is left out.
    Columns in another unit are one finding each and are judged in SI units from there on.

    Args:
        recording: The rows, unchanged by this.
        name: Shown in the report.
    """
    order, findings = cadence(recording)
    scales = find_scales(recording, order)
    readable = scaled(recording, scales)
    if any("time" in scale.columns for scale in scales):
        order, findings = cadence(readable)
    bench = Bench(readable, order)
    bench.add(findings)
    bench.add(_unit_findings(recording, scales))
    bench.add(check_numbers(readable))
    unknown = {name for scale in scales if not np.isfinite(scale.factor) for name in scale.columns}
    bench.add(check_ranges(readable, unknown))
    clocks: list[ClockRate] = []
    if len(bench) > 1 and bench.linked.any():
        bench.add(check_frozen(bench))
        bench.add(check_speed(bench))
        bench.add(check_jumps(bench))
        bench.add(check_place(bench))
        found, clocks = check_clocks(bench)
        bench.add(found)
        bench.add(check_laps(bench))
    ordered = tuple(sorted(bench.findings, key=lambda each: (each.first, each.last, each.kind.bit, each.channel)))
    bits = quality_bits(list(ordered), len(recording))
    period = float(order.step[order.linked].mean()) if order.linked.any() else np.nan
    return Report(
        name, recording.time, bits, ordered, period, recording.given, flat_columns(recording), tuple(clocks),
        tuple(scales),
    )  # fmt: skip


def find_scales(recording: Recording, order: Cadence) -> list[Scale]:
    """Columns in other units, signs or frames, in the order in which they were recognised."""
    if len(order.kept) < 2 or not order.linked.any():
        return []
    found = check_magnitudes(Bench(recording, order))
    bench = _prepared(recording, order, found)
    for look in SCALE_CHECKS:
        new = look(bench)
        if new is not None and not any(set(new.columns) & set(scale.columns) for scale in found):
            found.append(new)
            bench = _prepared(recording, order, found)
    return found


def _prepared(recording: Recording, order: Cadence, scales: list[Scale]) -> Bench:
    """A bench in SI units, as far as they are known, without the values that are no numbers."""
    readable = scaled(recording, scales)
    if any("time" in scale.columns for scale in scales):
        order = cadence(readable)[0]
    bench = Bench(readable, order)
    bench.add(check_numbers(readable))
    return bench


def scaled(recording: Recording, scales: list[Scale]) -> Recording:
    """The recording with columns brought into SI units, a copy if that changes anything.

    Scales without a factor change nothing.
    """
    known = [scale for scale in scales if np.isfinite(scale.factor)]
    if not known:
        return recording
    changed = recording.copy()
    for scale in known:
        for name in scale.columns:
            values = changed.time if name == "time" else changed.column(name)
            values[:] = scale.factor * values + scale.offset
            if name == "yaw" and scale.offset:
                values[:] = (values + np.pi) % (2.0 * np.pi) - np.pi
    return changed


def _unit_findings(recording: Recording, scales: list[Scale]) -> list[Finding]:
    last = len(recording) - 1
    return [Finding(UNIT, 0, last, name, scale.size, scale.words) for scale in scales for name in scale.columns]
