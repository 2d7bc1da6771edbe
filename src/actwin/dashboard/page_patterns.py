"""The page Patterns: how laps were driven, what was unusual, who drives alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from actwin.analysis import anomalies
from actwin.analysis.compare import Trace
from actwin.analysis.corners import CornerSpan, corner_table
from actwin.analysis.figure_style import SCREEN
from actwin.analysis.figures_technique import friction_circle
from actwin.analysis.pattern_channels import lap_of
from actwin.analysis.patterns import PATTERNS, pattern_table
from actwin.analysis.recognise import judge_recognition
from actwin.analysis.style import FEWEST, group_styles, style_features
from actwin.analysis.track_figure import event_map
from actwin.dashboard import components, ui
from actwin.dashboard.book import Book, open_book
from actwin.dashboard.folders import one_line
from actwin.errors import ConfigError

MOST: Final = 12
"""Laps whose habits are compared."""


def patterns() -> None:
    """Habits of each lap, unusual events, groups of laps that were driven alike."""
    ui.head("Patterns", "How the car was driven.")
    first, second = st.columns([1, 1])
    with first:
        choice = ui.choose_session()
    if choice is None:
        return
    book = open_book(choice)
    ranked = book.ranked()
    if not ranked:
        ui.empty("No whole lap in this session", "A lap needs to be driven from line to line to be judged.",
                 ["actwin record --laps 3"])  # fmt: skip
        return
    names = {book.label(i): i for i in ranked}
    chosen = second.multiselect("Laps", list(names), default=list(names)[:4], max_selections=MOST)
    if not chosen:
        st.info("Choose one lap or more.")
        return
    numbers = [names[name] for name in chosen]
    spans = book.corners(book.traces(numbers[:3]))
    with ui.guarded():
        _habits(book, numbers)
    with ui.guarded():
        _unusual(book, numbers, spans)
    with ui.guarded():
        _alike(book, ranked, spans)


def _habits(book: Book, numbers: Sequence[int]) -> None:
    laps = [_samples(book, i) for i in numbers]
    with st.spinner("Measuring habits …"):
        table = pattern_table(laps, book.car)
    limits = {"car": "The g-g limit is the car's own.", "data": "The g-g limit is the hull of the chosen laps."}
    ui.heading("Habits", limits.get(table.attrs["limit"], ""))
    rows = []
    for pattern in PATTERNS:
        if pattern.name in table.attrs["absent"]:
            continue
        values = [pattern.text(float(value)) or "–" for value in table[pattern.name]]
        rows.append([pattern.name.replace("_", " "), pattern.meaning, pattern.shown_unit, *values])
    left, right = st.columns([7, 4])
    with left, st.container(key="habits"):
        ui.table(["Habit", "Meaning", "Unit", *(lap.driver for lap in laps)], rows, 3)
        if absent := table.attrs["absent"]:
            st.caption("Not told by this source: " + ", ".join(name.replace("_", " ") for name in absent) + ".")
    with right:
        able = [lap for lap in book.traces(numbers[:6]) if {"ax", "ay"} <= set(lap.channels)]
        if able:
            components.figure(friction_circle(able, 500, theme=SCREEN), "patterns_gg", 340)
        else:
            st.info("The source told no accelerations.")


def _samples(book: Book, i: int) -> Trace:
    """A lap at its own samples, so that short events are seen."""
    made: Trace = _table_lap(book.session.name, i, book.label(i), book)
    return made


@st.cache_resource(max_entries=64, show_spinner=False)
def _table_lap(session: str, i: int, label: str, _book: Book) -> Trace:
    return lap_of(_book.laps[i].arrays, label)


def _unusual(book: Book, numbers: Sequence[int], spans: Sequence[CornerSpan]) -> None:
    ui.heading("Unusual events", "Lock-ups, wheel spin, missed apexes, time lost beyond the usual.")
    others = book.traces(numbers)
    rows, places = [], []
    for i in numbers:
        for event in anomalies.find(_samples(book, i), spans, others if len(others) > 2 else ()):
            rows.append([book.label(i), event.kind, one_line(event.words, 120), f"{event.time:.1f}",
                         f"{event.distance:.0f}"])  # fmt: skip
            places.append((event.kind, event.distance, one_line(event.words, 80)))
    left, right = st.columns([6, 5])
    with left:
        if rows:
            with st.container(height=500 if len(rows) > 12 else "content", border=False):
                ui.table(["Lap", "What", "In words", "At s", "At m"], rows, 3)
        else:
            st.success("Nothing unusual was found in these laps.")
        for kind, why in anomalies.unseen(_samples(book, numbers[0]), spans, others).items():
            st.caption(f"Not looked for: {ui.plain(kind)} ({ui.plain(why)}).")
    with right:
        lap = book.trace(numbers[0])
        if places and {"x", "y"} <= set(lap.channels):
            components.figure(event_map(book.outline(lap), lap, places, 420, SCREEN), "events", 320)


def _alike(book: Book, ranked: Sequence[int], spans: Sequence[CornerSpan]) -> None:
    counted = [i for i in ranked if book.laps[i].valid][:60]
    if len(counted) < FEWEST:
        return
    import pandas as pd

    ui.heading("Driven alike", "Groups of laps by habit. A separation that laps of one style reach too means nothing.")
    features, drivers = _features(book.session.name, tuple(counted), book, tuple(spans))
    try:
        styles = group_styles(features, clouds=100)
    except ConfigError as error:
        st.info(ui.plain(str(error)))
        return
    st.text(styles.sentence)
    st.dataframe(
        pd.DataFrame({"Lap": [book.label(i) for i in counted], "Group": [int(group) + 1 for group in styles.groups]}),
        hide_index=True, height=260,
    )  # fmt: skip
    if len(set(drivers)) > 1:
        with ui.guarded():
            st.text(judge_recognition(features, drivers).sentence)


@st.cache_resource(max_entries=8, show_spinner="Comparing habits …")
def _features(session: str, numbers: tuple[int, ...], _book: Book, _spans: tuple[CornerSpan, ...]):  # type: ignore[no-untyped-def]
    table = pattern_table([_samples(_book, i) for i in numbers], _book.car)
    corners = corner_table(_book.traces(numbers), _spans) if _spans else None
    return style_features(table, corners), [_book.laps[i].driver for i in numbers]
