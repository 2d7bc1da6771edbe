"""The report of a session: laps, the best ones compared, corners, habits, events, in one HTML file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from actwin.analysis import anomalies
from actwin.analysis.compare import CHANNELS, Trace, told_apart
from actwin.analysis.corners import CornerSpan, corner_table, find_corners, where_time_is_lost
from actwin.analysis.driven_laps import DrivenLap
from actwin.analysis.figure_style import REFERENCE
from actwin.analysis.figures import lap_traces
from actwin.analysis.figures_laps import lap_time_scatter
from actwin.analysis.figures_technique import friction_circle
from actwin.analysis.outline import Outline, outline, outline_of_lap
from actwin.analysis.page import figure_place, map_with_controls, page, section, write_page
from actwin.analysis.pattern_channels import lap_of
from actwin.analysis.pattern_report import car_driven
from actwin.analysis.patterns import PATTERNS, pattern_table
from actwin.analysis.report_tables import laps_as_html, rows_as_html
from actwin.analysis.session import DrivenSession
from actwin.errors import ActwinError, SessionError
from actwin.units import KMH_PER_MS, lap_time_text

COMPARED: Final = 3
"""Laps that are laid over each other, the fastest as the reference."""
MOST_ROWS: Final = 40
"""Rows of a table of events."""


def write_session_report(session: DrivenSession, path: str | Path) -> Path:
    """Writes the report of a session.

    Args:
        session: From `open_session`.
        path: The HTML file.

    Returns:
        The file that was written.

    Raises:
        SessionError: The session holds no lap.
        ContentError: The file cannot be written.
        MissingExtraError: plotly or pandas is not installed.
    """
    return write_page(render_session(session), path)


def render_session(session: DrivenSession) -> str:
    """The report's HTML; every text of the session is escaped."""
    laps = list(session.laps)
    if not laps:
        raise SessionError(f"{session.name}: holds no lap. See what was recorded with: actwin check {session.name}")
    whole = sorted((lap for lap in laps if lap.whole), key=lambda lap: (not lap.valid, lap.time))
    traces = _traces(session, whole[:COMPARED])
    spans = _spans(session, traces)
    sections = [_laps(session, laps)]
    if traces:
        sections += [_compared(session, traces), _losses(traces, spans), _corners(traces, spans)]
        sections += [_habits(session, whole[:COMPARED], traces), _events(whole[:COMPARED], traces, spans)]
    sections.append(_facts(session))
    best, meta = session.laps.fastest(), session.meta
    where = session.track.title if session.track is not None else meta.track or "Unknown track"
    headline = f"{best.driver or 'Best lap'}: {lap_time_text(best.time)}" if best else "No lap counts"
    counted = len(session.laps.valid())
    return page(
        title=f"{where}: {headline}",
        eyebrow=" · ".join(text for text in (where, meta.car) if text),
        headline=headline,
        lede=f"{counted} of {len(whole)} whole laps count, {meta.duration / 60.0:.1f} minutes recorded, "
        f"{meta.started.astimezone():%Y-%m-%d %H:%M}.",
        tiles=_tiles(session),
        sections="\n".join(filter(None, sections)),
    )


def _tiles(session: DrivenSession) -> str:
    laps, best = session.laps, session.laps.fastest()
    top = max((lap.top_speed for lap in laps if math.isfinite(lap.top_speed)), default=math.nan)
    facts = {
        "Best lap": lap_time_text(best.time) if best else "–",
        "Sum of best sectors": lap_time_text(laps.theoretical_best()),
        "Rolling best": lap_time_text(laps.rolling_best()),
        "Top speed": f"{top * KMH_PER_MS:.0f} km/h" if math.isfinite(top) else "–",
    }
    return "".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in facts.items())


def _traces(session: DrivenSession, laps: Sequence[DrivenLap]) -> list[Trace]:
    """The laps under names of their own, the fastest last: it is the reference."""
    channels = (*CHANNELS, "steer_angle", "rpm", "yaw_rate")
    made: list[Trace] = []
    for lap in reversed(laps):
        try:
            name = f"L{lap.number} {lap_time_text(lap.time)} {lap.driver}".strip()
            made.append(replace(lap.trace(None, channels), driver=name))
        except (SessionError, ValueError):  # a lap that tells no places
            continue
    names = told_apart([lap.driver for lap in made])
    return [replace(lap, driver=name) for lap, name in zip(made, names, strict=True)]


def _spans(session: DrivenSession, traces: Sequence[Trace]) -> list[CornerSpan]:
    try:
        return find_corners(session.track if session.track is not None else list(traces)) if traces else []
    except ActwinError:
        return []


def _outline(session: DrivenSession, lap: Trace) -> Outline:
    track = session.track
    if track is not None and session.on_track:
        return outline(track)
    return outline_of_lap(lap, session.name, track.sectors if track is not None else (0.0,))


def _laps(session: DrivenSession, laps: Sequence[DrivenLap]) -> str:
    table = session.laps.table()
    timed = table[table["time"].notna()]
    picture = figure_place("laptimes", lap_time_scatter(timed, 300), 260) if len(timed) > 1 else ""
    return section("Laps", "Times in minutes:seconds; only laps that count can be best.", laps_as_html(laps) + picture)


def _compared(session: DrivenSession, traces: Sequence[Trace]) -> str:
    shape, reference = _outline(session, traces[-1]), len(traces) - 1
    looks = {lap.driver: i for i, lap in enumerate(traces[:-1])} | {traces[-1].driver: REFERENCE if reference else 0}
    curves = figure_place("traces", lap_traces(traces, shape, reference, looks=looks), 900)
    drawn = map_with_controls(shape, traces, looks) if all({"x", "y"} <= set(lap.channels) for lap in traces) else ""
    drawn += '<div class="scroll"><table id="readout"></table></div>' if drawn else ""
    body = f'<div class="beside"><div class="sticky">{drawn}</div><div>{curves}</div></div>' if drawn else curves
    note = "The fastest laps. Drag over a stretch to zoom in, double click to come back."
    if reference:
        note += " Delta is the time behind the fastest: below zero is faster."
    return section("The best laps compared", note, body)


def _losses(traces: Sequence[Trace], spans: Sequence[CornerSpan]) -> str:
    if len(traces) < 2 or not spans:
        return ""
    rows = [
        (loss.sentence, loss.corner, f"{loss.seconds:+.3f} s")
        for loss in where_time_is_lost(traces[-2], traces[-1], spans)
        if abs(loss.seconds) >= 0.005
    ]
    note = f"{traces[-2].driver} against {traces[-1].driver}; the losses of a lap sum to the gap."
    return section("Where the time is lost", note, rows_as_html(("What happened", "Where", "Lost"), rows, 2))


def _corners(traces: Sequence[Trace], spans: Sequence[CornerSpan]) -> str:
    if not spans:
        return ""
    heads = ("Corner", "Brakes at", "Peak", "Turns in", "Slowest", "Gear", "Full throttle", "Exit", "Time")
    columns = (("brake_point", 1.0, "m"), ("peak_brake", 100.0, "%"), ("turn_in", 1.0, "m"),
               ("minimum_speed", KMH_PER_MS, "km/h"), ("gear", 1.0, ""), ("full_throttle", 1.0, "m"),
               ("exit_speed", KMH_PER_MS, "km/h"))  # fmt: skip
    table, rows = corner_table([traces[-1]], spans), []
    for _, line in table.iterrows():
        numbers = [_number(scale * float(line[name]), unit) for name, scale, unit in columns]
        rows.append((str(line["label"]), *numbers, _number(float(line["time"]), "s", 3)))
    note = f"{traces[-1].driver}. Distances are lap distances."
    return section("Corner by corner", note, rows_as_html(heads, rows))


def _number(value: float, unit: str, digits: int = 0) -> str:
    return f"{value:.{digits}f} {unit}".strip() if np.isfinite(value) else "–"


def _habits(session: DrivenSession, laps: Sequence[DrivenLap], traces: Sequence[Trace]) -> str:
    order = list(reversed(laps))
    table = pattern_table([lap_of(lap.arrays, f"L{lap.number}") for lap in order], car_driven(session))
    rows = [
        (pattern.name.replace("_", " "), pattern.meaning, pattern.shown_unit,
         *(pattern.text(float(value)) or "–" for value in table[pattern.name]))
        for pattern in PATTERNS
        if pattern.name not in table.attrs["absent"]
    ]  # fmt: skip
    heads = ("Habit", "Meaning", "Unit", *(f"L{lap.number}" for lap in order))
    able = [lap for lap in traces if {"ax", "ay"} <= set(lap.channels)]
    picture = figure_place("friction", friction_circle(able), 380) if able else ""
    source = "car" if table.attrs["limit"] == "car" else "hull of these laps"
    note = f"One number for each habit and lap. The g-g limit is that of the {source}."
    return section("How it was driven", note, rows_as_html(heads, rows, 3) + picture)


def _events(laps: Sequence[DrivenLap], traces: Sequence[Trace], spans: Sequence[CornerSpan]) -> str:
    rows = []
    for lap in reversed(laps):
        others = traces if len(traces) > 2 else ()
        for event in anomalies.find(lap_of(lap.arrays, lap.driver), spans, others):
            rows.append((f"L{lap.number}", event.kind, event.words, f"{event.time:.1f} s", f"{event.distance:.0f} m"))
    body = rows_as_html(("Lap", "What", "In words", "At", "Place"), rows[:MOST_ROWS], 3) if rows else ""
    note = "Lock-ups, wheel spin, missed apexes, time lost beyond the usual." if rows else "Nothing was found."
    return section("Unusual events", note, body)


def _facts(session: DrivenSession) -> str:
    meta = session.meta
    rows = [
        ("Session", session.name), ("Source", meta.source), ("Driver", meta.driver), ("Car", meta.car),
        ("Track", f"{meta.track} {meta.layout}".strip()), ("Rows", f"{meta.frames:,}"), ("Origin", meta.origin),
        ("Not told by the source", ", ".join(meta.missing)), ("Notes", meta.notes),
        *((f"Check: {kind}", f"{count} rows") for kind, count in (meta.findings or {}).items()),
    ]  # fmt: skip
    shown = [(name, text[:2000]) for name, text in rows if text]
    return section("Recording", "What is known about it.", rows_as_html(("Fact", "Value"), shown, 2))
