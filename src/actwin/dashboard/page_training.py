"""The page Training: runs, what they measured, starting and ending them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import streamlit as st

from actwin.analysis.figure_style import SCREEN
from actwin.analysis.figures_training import metric_curves, reward_terms
from actwin.dashboard import components, training_jobs, ui
from actwin.dashboard.folders import one_line
from actwin.dashboard.run_list import Row, list_runs, metrics_of
from actwin.dashboard.settings import current
from actwin.units import lap_time_text

if TYPE_CHECKING:
    import pandas as pd

REFRESH: Final = 3.0
"""[s] Between looks at runs that go on."""
CALM: Final = 15.0
"""[s] Between looks when none does."""
FIRST: Final = {
    "Best lap": "evaluation/best_lap", "Reward": "reward/total", "Clean laps": "evaluation/clean_share",
    "Steps a second": "time/steps_per_second",
}  # fmt: skip
MOST: Final = 6


def training() -> None:
    """Training runs with their curves; a run can be started here and goes on by itself."""
    ui.head("Training", "Runs go on when this page is closed.")
    _start()
    busy = any(row.state in ("running", "starting") for row in list_runs(current().runs))
    st.fragment(_runs, run_every=REFRESH if busy else CALM)()


def _start() -> None:
    root = current()
    presets = training_jobs.presets(root.configs)
    with st.expander("Start a run", icon=":material/play_arrow:"):
        if not presets:
            st.write("There are no settings files. Start the dashboard where they lie, or name their folder:")
            st.code("actwin dashboard --configs configs", language="bash")
            return
        with st.form("start_run", border=False):
            first, second, third, fourth = st.columns([4, 4, 2, 2])
            preset = first.selectbox("Settings", presets)
            name = second.text_input("Name of the run", max_chars=40, placeholder="letters, digits, - and _")
            minutes = third.number_input("Minutes", 0.5, 10_000.0, 10.0, 1.0)
            seed = fourth.number_input("Seed", 0, 2**31 - 1, 0)
            if st.form_submit_button("Start", type="primary"):
                with ui.guarded():
                    folder = training_jobs.start(root.configs, preset, root.runs, name.strip(), minutes, int(seed))
                    st.session_state["runs_chosen"] = [folder.name]
                    st.session_state["run_started"] = folder.name
                    st.rerun()
    if started := st.session_state.pop("run_started", None):
        st.success(f"{ui.plain(started)} has started. Its first numbers come in half a minute.")


def _runs() -> None:
    with ui.guarded():
        rows = list_runs(current().runs)
        if not rows:
            ui.empty(
                "No runs yet", "Train a driver, here or in a terminal.", ["actwin train configs/bc_ppo_monza.yaml"]
            )
            return
        names = [row.name for row in rows]
        default = ui.remembered_list("runs_chosen", names) or names[:1]
        chosen = st.multiselect("Runs to show", names, default=default, max_selections=MOST, key="runs_shown")
        st.session_state["runs_chosen"] = chosen
        _table(rows)
        shown = [row for row in rows if row.name in chosen]
        for row in shown:
            _running(row)
        if shown:
            _curves({row.name: metrics_of(row) for row in shown})


def _table(rows: list[Row]) -> None:
    import pandas as pd

    table = pd.DataFrame(
        {
            "Run": [row.name for row in rows],
            "State": [row.state for row in rows],
            "Algorithm": [row.algorithm for row in rows],
            "Track": [one_line(row.track, 24) for row in rows],
            "Car": [one_line(row.car, 24) for row in rows],
            "Best lap": [lap_time_text(row.best_lap) if math.isfinite(row.best_lap) else "–" for row in rows],
            "Steps": [f"{row.steps / 1e6:.2f} M" for row in rows],
            "Minutes": [f"{row.seconds / 60.0:.1f}" for row in rows],
            "Updated": [f"{row.updated.astimezone():%Y-%m-%d %H:%M}" for row in rows],
        }
    )
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(rows), 300))


def _running(row: Row) -> None:
    alive = training_jobs.goes_on(row.folder)
    if not alive and row.state != "failed":
        return
    with st.container(border=True):
        words, button = st.columns([6, 1], vertical_alignment="center")
        if not alive:
            words.error(f"{ui.plain(row.name)} failed: {ui.plain(row.note, 400)}")
        else:
            share = row.share
            words.progress(share, f"{ui.plain(row.name)}: {100.0 * share:.0f} % of its budget")
            if training_jobs.stopping(row.folder):
                button.button("Stopping …", key=f"stop_{row.name}", disabled=True, width="stretch")
            elif training_jobs.started_here(row.folder):
                if button.button("Stop", key=f"stop_{row.name}", width="stretch", icon=":material/stop:"):
                    training_jobs.ask_to_stop(row.folder)
                    st.rerun(scope="fragment")
            else:
                button.caption("Ctrl-C where it runs ends it.")
        if text := training_jobs.last_words(row.folder):
            with st.expander("What it says"):
                st.code(text[-3000:], language=None)


def _curves(runs: Mapping[str, pd.DataFrame]) -> None:
    runs = {name: frame for name, frame in runs.items() if len(frame)}
    if not runs:
        st.info("Nothing has been measured yet. Numbers come with the first evaluation.")
        return
    over = st.segmented_control("Over", ["Steps", "Time"], default="Steps", key="runs_over")
    axis = "seconds" if over == "Time" else "step"
    left, right = st.columns(2)
    for number, (title, metric) in enumerate(FIRST.items()):
        with (left, right)[number % 2]:
            ui.heading(title)
            if any(metric in frame and frame[metric].notna().any() for frame in runs.values()):
                components.figure(metric_curves(runs, metric, "", axis, 250, theme=SCREEN), f"run_{metric}", 230)
            else:
                st.info("None of these runs has measured it yet.")
    left, right = st.columns(2)
    with left:
        ui.heading("Parts of the reward", "Of the first run shown.")
        components.figure(reward_terms(next(iter(runs.values())), height=300, theme=SCREEN), "reward_terms", 260)
    with right:
        ui.heading("Any other number")
        names = sorted({name for frame in runs.values() for name in frame.columns} - {"step", "seconds"})
        wanted = st.selectbox("Number", names, label_visibility="collapsed", key="run_metric")
        components.figure(metric_curves(runs, wanted, "", axis, 250, theme=SCREEN), "run_other", 230)
