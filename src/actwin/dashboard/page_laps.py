"""The page Laps: every lap of a session, with what is best."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st

from actwin.analysis.figure_style import SCREEN
from actwin.analysis.figures_laps import consistency, lap_time_scatter, lap_time_violin
from actwin.analysis.figures_technique import channel_over_laps
from actwin.dashboard import components, ui
from actwin.dashboard.book import Book, open_book
from actwin.dashboard.folders import one_line
from actwin.units import KMH_PER_MS, lap_time_text

if TYPE_CHECKING:
    import pandas as pd

MARKS: Final = {
    "purple": "color: #e2b6ff; background-color: #46225c; font-weight: 650",
    "green": "color: #9be8c0; background-color: #143d2a",
    "yellow": "color: #e8dfae; background-color: #38331a",
    "grey": "color: #7d8893",
}
"""As timing screens colour times."""


def laps() -> None:
    """The lap table, bests, spread and consistency of a session."""
    ui.head("Laps", "Purple: best of all. Green: the driver's own best. Yellow: no improvement. Grey: does not count.")
    first, kinds, *others = st.columns([5, 3, 2, 2], vertical_alignment="bottom")
    with first:
        choice = ui.choose_session()
    if choice is None:
        return
    book = open_book(choice)
    if not book.laps:
        ui.empty("No laps in this session", "It holds no row that lies on a lap. Check what was recorded.",
                 [f"actwin check {choice.name}"])  # fmt: skip
        return
    table = book.table()
    shown = _filtered(table, kinds, *others)
    _bests(book)
    _lap_table(book, shown)
    if len(shown[shown["time"].notna()]):
        _pictures(book, shown[shown["time"].notna()])


def _filtered(table: pd.DataFrame, first: Any, second: Any, third: Any) -> pd.DataFrame:
    drivers, stints = list(dict.fromkeys(table["driver"])), list(dict.fromkeys(table["stint"]))
    with second:
        wanted = st.multiselect("Drivers", drivers, default=drivers) if len(drivers) > 1 else drivers
    with third:
        runs = st.multiselect("Stints", stints, default=stints) if len(stints) > 1 else stints
    with first:
        kinds = st.segmented_control("Show", ["All", "With a time", "Counting"], default="All", key="laps_kinds")
    keep = table["driver"].isin(wanted) & table["stint"].isin(runs)
    if kinds == "With a time":
        keep &= table["time"].notna()
    elif kinds == "Counting":
        keep &= table["valid"].astype(bool)
    return table[keep]


def _bests(book: Book) -> None:
    laps = book.session.laps
    best = laps.fastest()
    counting = len(laps.valid())
    top = max((lap.top_speed for lap in laps if math.isfinite(lap.top_speed)), default=math.nan)
    facts = {
        "Best lap": lap_time_text(best.time) if best else "–",
        "Sum of best sectors": lap_time_text(laps.theoretical_best()),
        "Rolling best": lap_time_text(laps.rolling_best()),
        "Counting laps": f"{counting} of {len(laps)}",
        "Top speed": f"{top * KMH_PER_MS:.0f} km/h" if math.isfinite(top) else "–",
        "Length": f"{book.session.meta.duration / 60.0:.1f} min",
    }
    with st.container(horizontal=True):
        for label, text in facts.items():
            st.metric(label, text)


def _lap_table(book: Book, table: pd.DataFrame) -> None:
    if not len(table):
        st.info("No lap fits the filter. Widen it.")
        return
    sectors = sorted(name for name in table.columns if name.startswith("sector_") and not name.endswith("_mark"))
    texts = table[["number", "driver", "stint"]].copy()
    texts["driver"] = [one_line(name, 24) for name in table["driver"]]
    texts["time"] = [lap_time_text(float(time)) if time == time and time else "" for time in table["time"]]
    texts["gap"] = [_gap(gap, valid) for gap, valid in zip(table["gap"], table["valid"], strict=True)]
    for name in sectors:
        texts[name] = [f"{time:.3f}" if time is not None and time == time else "" for time in table[name]]
    texts["top_speed"] = [
        f"{speed * KMH_PER_MS:.0f}" if speed is not None and speed == speed else "" for speed in table["top_speed"]
    ]
    texts["kind"], texts["why"] = table["kind"], [one_line(why, 40) for why in table["reason"]]
    marks = table[["mark", *(f"{name}_mark" for name in sectors)]].set_axis(["time", *sectors], axis=1)
    styled = texts.style.apply(lambda column: [MARKS.get(mark, "") for mark in marks[column.name]], subset=list(marks))
    grey = ["color: #7d8893" if not valid else "" for valid in table["valid"]]
    styled = styled.apply(lambda column: grey, subset=["number", "driver", "gap", "top_speed", "kind", "why"])
    picked = st.dataframe(
        styled, hide_index=True, height=min(38 + 35 * len(table), 460), row_height=35, key="lap_table",
        on_select="rerun", selection_mode="multi-row", column_config=_columns(sectors),
    )  # fmt: skip
    rows = [int(table.index[row]) for row in picked["selection"]["rows"] if row < len(table)]
    chosen = [row for row in rows if row < len(book.laps) and book.laps[row].whole]
    note, button = st.columns([5, 2], vertical_alignment="center")
    note.caption("Tick laps in the table, then lay them over each other.")
    if button.button("Compare the ticked laps", disabled=len(chosen) < 1, width="stretch"):
        st.session_state["compare_laps"] = [book.label(row) for row in chosen]
        st.session_state["go_to"] = "compare"
        st.rerun()


def _gap(gap: Any, valid: Any) -> str:
    if gap is None or gap != gap or not valid:
        return ""
    return "best" if gap == 0.0 else f"+{gap:.3f}"


def _columns(sectors: list[str]) -> dict[str, Any]:
    titles = {"number": "Lap", "driver": "Driver", "stint": "Stint", "time": "Time", "gap": "Gap", "kind": "Kind",
              "top_speed": "Top km/h", "why": "Why it does not count"}  # fmt: skip
    titles |= {name: f"S{name.removeprefix('sector_')}" for name in sectors}
    return {name: st.column_config.Column(title) for name, title in titles.items()}


def _pictures(book: Book, table: pd.DataFrame) -> None:
    left, right = st.columns([3, 2])
    with left:
        ui.heading("Lap times", "Hollow points do not count.")
        components.figure(lap_time_scatter(table, theme=SCREEN), "lap_times", 300)
    with right:
        ui.heading("Spread", "Laps that count.")
        by = "stint" if table["stint"].nunique() > 1 and table["driver"].nunique() == 1 else "driver"
        if table["valid"].any():
            components.figure(lap_time_violin(table, by, theme=SCREEN), "lap_spread", 300)
        else:
            st.info("No lap counts, so there is no spread to show.")
    _steadiness(book, table)


def _steadiness(book: Book, table: pd.DataFrame) -> None:
    sectors = sorted(name for name in table.columns if name.startswith("sector_") and not name.endswith("_mark"))
    valid = table[table["valid"].astype(bool)]
    left, right = st.columns([3, 2])
    with right:
        ui.heading("Consistency", "How much sector times vary over the laps that count.")
        if len(valid) > 1:
            import pandas as pd

            spreads = pd.DataFrame(
                {
                    "name": [f"Sector {name.removeprefix('sector_')}" for name in sectors],
                    "spread": [float(np.nanstd(valid[name].astype(float), ddof=1)) for name in sectors],
                }
            )
            components.figure(consistency(spreads, height=240, theme=SCREEN), "sector_spread")
        else:
            st.info("Two laps that count are needed.")
    with left:
        ui.heading("Fuel over the laps", "Mean and range in each lap.")
        numbers = [int(row) for row in table.index[:60]]
        driven = [replace(book.trace(i), driver=f"L{book.laps[i].number}") for i in numbers]
        figure = channel_over_laps(driven, "fuel", "Fuel [kg]", height=240, theme=SCREEN)
        if figure.data and len(figure.data[0].x):
            components.figure(figure, "fuel")
        else:
            st.info("The source did not tell the fuel.")
