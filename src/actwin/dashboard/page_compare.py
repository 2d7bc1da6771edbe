"""The page Compare: laps over each other, curves and map under one cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st

from actwin.analysis.compare import Trace, delta
from actwin.analysis.figure_style import REFERENCE, SCREEN
from actwin.analysis.figures import lap_traces
from actwin.analysis.figures_technique import friction_circle, histogram
from actwin.analysis.track_figure import mini_sector_map, track_map
from actwin.dashboard import components, ui
from actwin.dashboard.book import Book, open_book
from actwin.dashboard.folders import one_line
from actwin.units import lap_time_text

MOST: Final = 10
"""Laps that are laid over each other."""
COLOURINGS: Final = {
    "Speed": "speed", "Time lost": "delta", "Pedals": "pedals", "Gear": "gear", "Lateral g": "lateral",
    "Driving lines": "lines",
}  # fmt: skip
PANELS: Final = {
    "Speed": "speed", "Delta": "delta", "Throttle": "throttle", "Brake": "brake", "Steering": "steer", "Gear": "gear",
    "Engine": "rpm",
}  # fmt: skip


def compare() -> None:
    """Up to ten laps of a session, and of another one on the same track, against a reference."""
    ui.head("Compare", "Touch the curves: the cars move on the map. Drag to zoom, double click to come back.")
    first, second = st.columns([1, 1])
    with first:
        choice = ui.choose_session()
    if choice is None:
        return
    book = open_book(choice)
    if not book.whole:
        ui.empty("No whole lap in this session", "A lap needs to be driven from line to line to be compared.",
                 ["actwin record --laps 3"])  # fmt: skip
        return
    with second:
        guest = _guest(book)
    traces = _chosen(book, guest)
    if not traces:
        st.info("Choose one lap or more.")
        return
    _draw(book, traces)


def _guest(book: Book) -> Book | None:
    """Another session, on the same track."""
    choice = ui.choose_session("Laps of another session too", "compare_guest", "nothing", book.session.name)
    if choice is None:
        return None
    other = open_book(choice)
    track, theirs = book.session.track, other.session.track
    if track is None or theirs is None or track.name != theirs.name:
        st.warning("That session was driven on another track, or on one that is not known.")
        return None
    return other


def _chosen(book: Book, guest: Book | None) -> list[Trace]:
    """The laps in the order of the choice, the reference last."""
    offered = {book.label(i): (book, i) for i in book.ranked()}
    if guest is not None:
        offered |= {f"{guest.label(i)} · {one_line(guest.session.name, 16)}": (guest, i) for i in guest.ranked()}
    names = list(offered)
    before = [name for name in st.session_state.get("compare_laps", []) if name in offered]
    left, right = st.columns([5, 2], vertical_alignment="top")
    # Without a key the changed default would make it another widget, which forgets what was just chosen.
    chosen = left.multiselect("Laps", names, default=before or names[:2], max_selections=MOST, key="compare_laps_box")
    st.session_state["compare_laps"] = chosen
    if not chosen:
        return []
    ranked = [name for name in names if name in chosen]
    against = right.selectbox("Reference", ranked, help="Delta times are taken against it; above zero is slower.")
    axis = book.session.axis
    traces = []
    for name in [*(name for name in chosen if name != against), against]:
        owner, i = offered[name]
        trace = owner.trace(i, axis)
        traces.append(trace if trace.driver == name else Trace(name, trace.distance, trace.time, trace.channels))
    return traces


def _draw(book: Book, traces: Sequence[Trace]) -> None:
    reference = len(traces) - 1
    looks = {lap.driver: i for i, lap in enumerate(traces[:-1])} | {traces[-1].driver: REFERENCE if reference else 0}
    _curves(book, traces, looks)
    _differences(traces)
    _more(book, traces, looks)


@st.fragment
def _curves(book: Book, traces: Sequence[Trace], looks: dict[str, int]) -> None:
    """Curves and map; a choice among them draws nothing else anew."""
    left, right = st.columns([3, 4], vertical_alignment="bottom")
    by = left.segmented_control("Colours of the line", list(COLOURINGS), default="Speed", key="compare_by") or "Speed"
    panels = right.pills("Curves", list(PANELS), default=list(PANELS)[:6], selection_mode="multi", key="compare_curves")
    shape = book.outline(traces[0])
    wanted = [PANELS[name] for name in PANELS if name in (panels or ["Speed"])]
    curves = lap_traces(traces, shape, len(traces) - 1, 860, looks, wanted, SCREEN)
    colouring = COLOURINGS[by]
    drawn = track_map(
        shape, traces, 560, looks, "speed" if colouring == "lines" else colouring, traces[-1],
        0 if colouring == "lines" else 1, SCREEN,
    )  # fmt: skip
    components.linked(curves, drawn, "compare")


def _differences(traces: Sequence[Trace]) -> None:
    if len(traces) < 2:
        return
    import pandas as pd

    reference, count = traces[-1], 10
    places = np.linspace(0.0, reference.distance[-1], count + 1)
    rows = []
    for lap in traces:
        gaps = np.diff(np.interp(places, lap.distance, delta(lap, reference)))
        cells = {f"{end / 1000.0:.2f} km": f"{gap:+.3f}" for gap, end in zip(gaps, places[1:], strict=True)}
        total = float(lap.time[-1] - reference.time[-1])
        rows.append({"Lap": lap.driver, "Time": lap_time_text(float(lap.time[-1])), "Gap": f"{total:+.3f}"} | cells)
    ui.heading("Where the gap grows", "Seconds lost to the reference in each tenth of the lap; below zero is faster.")
    st.dataframe(pd.DataFrame(rows), hide_index=True)


@st.fragment
def _more(book: Book, traces: Sequence[Trace], looks: dict[str, int]) -> None:
    left, right = st.columns([3, 2])
    shape = book.outline(traces[0])
    with left:
        ui.heading("Mini-sectors", "Who is fastest in each stretch.")
        sectors = st.segmented_control("Stretches", [10, 25, 40, 60], default=25) or 25
        components.figure(mini_sector_map(shape, traces, sectors, 480, looks, SCREEN), "mini_sectors", 340)
    with right:
        ui.heading("Use of the tyres", "Each point is a moment of the lap.")
        able = [lap for lap in traces if {"ax", "ay"} <= set(lap.channels)]
        if able:
            components.figure(friction_circle(able, 460, looks, SCREEN), "friction", 340)
        else:
            st.info("The source told no accelerations.")
    for place, channel in zip(st.columns(4), ("throttle", "brake", "speed", "gear"), strict=True):
        with place:
            components.figure(histogram(traces, channel, 230, looks, SCREEN), f"histogram_{channel}")
