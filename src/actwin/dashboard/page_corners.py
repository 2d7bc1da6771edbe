"""The page Corners: what a lap did in each, and where it loses time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from actwin.analysis.compare import Trace
from actwin.analysis.corners import CornerSpan, corner_consistency, corner_table, where_time_is_lost
from actwin.analysis.figure_style import REFERENCE, SCREEN
from actwin.analysis.figures_corners import corner_speed, corner_spread, loss_bars
from actwin.dashboard import components, ui
from actwin.dashboard.book import Book, open_book
from actwin.dashboard.folders import one_line
from actwin.units import KMH_PER_MS

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = {
    "brake_point": ("Brakes at m", 1.0, 0), "peak_brake": ("Peak %", 100.0, 0),
    "brake_release": ("Off brake m", 1.0, 0),
    "turn_in": ("Turns in m", 1.0, 0), "apex": ("Apex m", 1.0, 0), "minimum_speed": ("Slowest km/h", KMH_PER_MS, 0),
    "gear": ("Gear", 1.0, 0), "throttle_on": ("Throttle m", 1.0, 0), "full_throttle": ("Full m", 1.0, 0),
    "exit_speed": ("Exit km/h", KMH_PER_MS, 0), "time": ("Time s", 1.0, 3),
}  # fmt: skip
"""Columns of the corner table that are shown: heading, factor, decimals."""
SPREADS: Final = {
    "Time in the corner [s]": ("time", 1.0), "Lowest speed [km/h]": ("minimum_speed", KMH_PER_MS),
    "Braking point [m]": ("brake_point", 1.0), "Exit speed [km/h]": ("exit_speed", KMH_PER_MS),
}  # fmt: skip
_MOST: Final = 12
"""Laps whose corners are compared."""


def corners() -> None:
    """Losses to a reference with a sentence each, the corner table, one corner in detail, consistency."""
    ui.head("Corners", "Where the time is lost, and through what.")
    first, left, right = st.columns([2, 1, 1])
    with first:
        choice = ui.choose_session()
    if choice is None:
        return
    book = open_book(choice)
    ranked = book.ranked()
    if not ranked:
        ui.empty("No whole lap in this session", "A lap needs to be driven from line to line to be measured.",
                 ["actwin record --laps 3"])  # fmt: skip
        return
    spans = book.corners(book.traces(ranked[:3]))
    if not spans:
        st.info("No corner can be found: the session tells neither its track nor how the car turned.")
        return
    names = {book.label(i): i for i in ranked}
    mine = left.selectbox("Lap", list(names), index=min(1, len(names) - 1))
    theirs = right.selectbox("Reference", list(names))
    lap, reference = book.trace(names[mine]), book.trace(names[theirs])
    with ui.guarded():
        _losses(lap, reference, spans)
    with ui.guarded():
        _tables(book, lap, reference, spans)
    with ui.guarded():
        _repeated(book, ranked[:_MOST], spans)


def _losses(lap: Trace, reference: Trace, spans: Sequence[CornerSpan]) -> None:
    if lap.driver == reference.driver:
        st.info("The lap is its own reference. Choose another lap to see where time is lost.")
        return
    losses = where_time_is_lost(lap, reference, spans)
    total = float(lap.time[-1] - reference.time[-1])
    words = "lost" if total > 0.0 else "gained"
    ui.heading("Where the time is lost", f"{abs(total):.3f} s {words} in all.")
    left, right = st.columns([6, 5])
    shown = [loss for loss in losses if abs(loss.seconds) >= 0.005][:16]
    with left:
        figure = loss_bars([loss.corner for loss in shown], [loss.seconds for loss in shown],
                           max(220, 60 + 30 * len(shown)), SCREEN)  # fmt: skip
        components.figure(figure, "losses")
    with right:
        rows = [(one_line(loss.sentence, 160), f"{loss.seconds:+.3f}".replace("-", "−")) for loss in shown]
        ui.table(["What happened", "s"], rows)


def _tables(book: Book, lap: Trace, reference: Trace, spans: Sequence[CornerSpan]) -> None:
    pair = [lap] if lap.driver == reference.driver else [lap, reference]
    table = corner_table(pair, spans)
    ui.heading("Corner by corner", "Distances are lap distances.")
    readable = _readable(table, len(pair) > 1)
    ui.table(list(readable.columns), readable.astype(str).to_numpy().tolist(), len(pair))
    for column, why in table.attrs.get("absent", {}).items():
        if column in COLUMNS:
            st.caption(f"{COLUMNS[column][0]}: {ui.plain(why)}.")
    place, _ = st.columns([1, 2])
    name = place.selectbox("One corner in detail", [span.label for span in spans], key="corner_detail")
    span = next(each for each in spans if each.label == name)
    looks = {reference.driver: REFERENCE, lap.driver: 0}
    figure = corner_speed(pair, span.entry - 150.0, span.exit + 120.0, span.apex, 300, looks, SCREEN)
    components.figure(figure, "corner_detail_figure", 260)


def _readable(table: pd.DataFrame, several: bool) -> pd.DataFrame:
    """The corner table as texts in drivers' units, the laps of a corner below each other."""
    import pandas as pd

    order = table.assign(row=range(len(table))).sort_values(["corner", "row"], kind="stable")
    shown = {"Corner": [one_line(name, 34) for name in order["label"]]}
    if several:
        shown["Lap"] = list(order["driver"])
    for column, (title, scale, digits) in COLUMNS.items():
        if column in order:
            values = scale * order[column].to_numpy(np.float64)
            shown[title] = [f"{value:.{digits}f}" if np.isfinite(value) else "–" for value in values]
    return pd.DataFrame(shown)


def _repeated(book: Book, numbers: Sequence[int], spans: Sequence[CornerSpan]) -> None:
    if len(numbers) < 3:
        return
    ui.heading(
        "Repeated", f"Each corner over the {len(numbers)} fastest laps, from its median there; a point is a lap."
    )
    table = corner_table(book.traces(numbers), spans).assign(corner=lambda rows: rows["label"])
    what = st.segmented_control("Of each corner", list(SPREADS), default=next(iter(SPREADS)), key="corner_spread")
    title = what or next(iter(SPREADS))
    column, scale = SPREADS[title]
    if not np.isfinite(table[column].astype(float)).any():
        st.info("The source did not tell what this needs.")
        return
    left, right = st.columns([5, 3])
    with left:
        components.figure(corner_spread(table, column, title, scale, 330, SCREEN), "corner_spread_figure", 280)
    with right:
        single = corner_table([_named(trace, "all") for trace in book.traces(numbers)], spans)
        worth = corner_consistency(single).head(10)
        st.caption("What repeating the best of each corner would be worth, on average.")
        rows = zip(worth["label"], worth["lost"], worth["time_std"], strict=True)
        ui.table(
            ["Corner", "Worth s", "Varies by s"],
            [(one_line(name, 34), f"{lost:.3f}", f"{spread:.3f}") for name, lost, spread in rows],
        )


def _named(trace: Trace, name: str) -> Trace:
    return Trace(name, trace.distance, trace.time, trace.channels)
