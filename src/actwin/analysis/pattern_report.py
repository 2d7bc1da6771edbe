"""Everything this package can say about how a session was driven."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from actwin.analysis import anomalies
from actwin.analysis.anomalies import Anomaly
from actwin.analysis.compare import Trace
from actwin.analysis.corners import (
    CornerSpan,
    Loss,
    corner_consistency,
    corner_table,
    find_corners,
    where_time_is_lost,
)
from actwin.analysis.driven_laps import DrivenLap
from actwin.analysis.pattern_channels import lap_of
from actwin.analysis.patterns import pattern_table
from actwin.analysis.recognise import Recognition, judge_recognition
from actwin.analysis.session import DrivenSession
from actwin.analysis.style import Styles, group_styles, style_features
from actwin.content.car import Car
from actwin.content.library import load_car
from actwin.errors import ConfigError, ContentError, SessionError, UnknownNameError

if TYPE_CHECKING:
    from pandas import DataFrame

CORNER_CHANNELS: Final = (
    "speed", "throttle", "brake", "steer", "steer_angle", "gear", "yaw_rate", "ay", "x", "y", "border_left",
    "border_right",
)  # fmt: skip
"""Channels that the corner functions use; those that nobody knows may be absent."""
SHORTEST: Final = 10.0
"""[s] Parts of laps that are shorter tell of no habit."""


class Event(NamedTuple):
    """An anomaly with the lap it happened on."""

    lap: DrivenLap
    anomaly: Anomaly


@dataclass(frozen=True, eq=False)
class DrivingReport:
    """How a session was driven.

    Attributes:
        laps: That were looked at: the whole laps, or the parts of laps where there is none.
        spans: Corners; empty where neither track nor whole laps tell of them.
        patterns: One row for each lap, see `pattern_table`.
        corners: One row for each lap in each corner; None without corners.
        consistency: Of each driver in each corner; None without corners.
        events: Anomalies of all laps.
        unseen: Why kinds of anomalies were not looked for, by kind.
        lap: Whose corners and losses are told.
        reference: What it is compared with; None without a second whole lap.
        losses: Of the one against the other.
        styles: Groups of laps; None below six laps that count.
        recognition: Of drivers; None below two drivers with two laps each.
        notes: Why parts are missing.
    """

    laps: tuple[DrivenLap, ...]
    lap: DrivenLap
    spans: list[CornerSpan]
    patterns: DataFrame
    corners: DataFrame | None = None
    consistency: DataFrame | None = None
    events: tuple[Event, ...] = ()
    unseen: dict[str, str] = field(default_factory=dict)
    reference: DrivenLap | None = None
    losses: tuple[Loss, ...] = ()
    styles: Styles | None = None
    recognition: Recognition | None = None
    notes: tuple[str, ...] = ()


def driving_report(session: DrivenSession, number: int | None = None, driver: str = "") -> DrivingReport:
    """Habits, corners, losses, anomalies and styles of a session.

    Args:
        session: Opened with `open_session`.
        number: Lap whose corners are told, and its losses against the fastest lap that counts (the next best one, if
            it is that itself); the slowest lap that counts when not given, without a whole lap the longest part.
        driver: Whose lap that is; anybody's when not given.

    Raises:
        SessionError: The session has no lap of ten seconds.
        UnknownNameError: No such lap or driver among those that were looked at.
    """
    whole = [lap for lap in session.laps.whole().flying() or session.laps.whole() if len(lap.rows) > 1]
    laps = whole or [lap for lap in session.laps if len(lap.rows) > 1 and lap.time >= SHORTEST]
    if not laps:
        raise SessionError(
            f"{session.name}: holds no lap to look at. Show what it has with: actwin laps {session.name}"
        )
    samples = [lap_of(lap.arrays, lap.driver) for lap in laps]
    notes = [] if whole else ["No lap is whole: losses and missed apexes need one."]
    if out := [name for name in session.laps.drivers if name not in {lap.driver for lap in laps}]:
        notes.append(f"Without a whole lap, and left out: {', '.join(out)}.")
    traces = [lap.trace(None, CORNER_CHANNELS) for lap in laps] if session.length > 0.0 else []
    spans = _corners(session, traces, bool(whole), notes)
    car = car_driven(session)
    if car is None and session.meta.car:
        notes.append(f"The car '{session.meta.car}' is not in the library: its limits are taken from the laps.")
    patterns = pattern_table(samples, car)
    patterns.insert(1, "lap", [lap.number for lap in laps])
    patterns["lap_time"] = [lap.time for lap in laps]
    corners = corner_table(traces, spans, [lap.number for lap in laps]) if spans else None
    chosen, reference = _pair(laps, number, driver)
    losses: list[Loss] = []
    if spans and reference is not None:
        losses = where_time_is_lost(traces[laps.index(chosen)], traces[laps.index(reference)], spans)
    events = [
        Event(lap, anomaly)
        for i, lap in enumerate(laps)
        for anomaly in anomalies.find(samples[i], spans, _others(samples, i) if whole else ())
    ]
    styles, recognition = _alike(laps, patterns, corners, notes)
    return DrivingReport(
        laps=tuple(laps),
        lap=chosen,
        spans=spans,
        patterns=patterns,
        corners=corners,
        consistency=None if corners is None else corner_consistency(corners),
        events=tuple(events),
        unseen=anomalies.unseen(samples[0], spans, _others(samples, 0) if whole else ()),
        reference=reference,
        losses=tuple(losses),
        styles=styles,
        recognition=recognition,
        notes=tuple(notes),
    )


def _others(samples: list[Trace], i: int) -> list[Trace]:
    """Laps that tell what is usual for one of them: the driver's own if there are enough, else all."""
    others = samples[:i] + samples[i + 1 :]
    own = [lap for lap in others if lap.driver == samples[i].driver]
    return own if len(own) >= anomalies.FEWEST else others


def _corners(session: DrivenSession, traces: list[Trace], whole: bool, notes: list[str]) -> list[CornerSpan]:
    if not traces:
        return []
    if session.track is None and not whole:
        notes.append("Corners of an unknown track are found in whole laps only. Name it: --track NAME.")
        return []
    try:
        return find_corners(session.track if session.track is not None else traces)
    except SessionError as error:
        notes.append(str(error))
        return []


def car_driven(session: DrivenSession) -> Car | None:
    """The car that was driven; None when the session does not tell it, or it is not in the library."""
    try:
        return load_car(session.meta.car) if session.meta.car else None
    except (UnknownNameError, ContentError):
        return None


def _pair(laps: list[DrivenLap], number: int | None, driver: str) -> tuple[DrivenLap, DrivenLap | None]:
    """The lap that is told of, and what it is compared with."""
    named = [lap for lap in laps if driver in ("", lap.driver)]
    if not named:
        raise UnknownNameError("driver", driver, sorted({lap.driver for lap in laps}))
    if number is not None and not (named := [lap for lap in named if lap.number == number]):
        raise UnknownNameError("lap", str(number), [str(lap.number) for lap in laps])
    counting = [lap for lap in named if lap.valid] or named
    chosen = max(counting, key=lambda lap: lap.time)
    others = [lap for lap in laps if lap is not chosen and lap.whole]
    return chosen, min(others, key=lambda lap: (not lap.valid, lap.time), default=None) if chosen.whole else None


def _alike(
    laps: list[DrivenLap], patterns: DataFrame, corners: DataFrame | None, notes: list[str]
) -> tuple[Styles | None, Recognition | None]:
    """Styles and recognition among the laps that count; notes say why there is none."""
    counting = [i for i, lap in enumerate(laps) if lap.valid]
    if len(counting) < 2:
        return None, None
    rows = None
    if corners is not None:
        each = len(corners) // len(laps)
        rows = corners.iloc[[i * each + k for i in counting for k in range(each)]].reset_index(drop=True)
    features = style_features(patterns.iloc[counting].reset_index(drop=True), rows)
    drivers = [laps[i].driver for i in counting]
    styles = recognition = None
    try:
        styles = group_styles(features)
        if len(set(drivers)) > 1:
            recognition = judge_recognition(features, drivers)
    except ConfigError as error:
        notes.append(str(error))
    return styles, recognition
