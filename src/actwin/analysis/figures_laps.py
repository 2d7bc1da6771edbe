"""Pictures of lap times: a lap table in, plotly figures out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actwin.analysis import figure_style as style
from actwin.units import lap_time_text

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]


def lap_time_scatter(table: pd.DataFrame, height: int = 340, theme: style.Theme = style.PRINT) -> Any:
    """Lap times in order, a line for each driver; laps that do not count are hollow, the best has a ring.

    Args:
        table: A lap each, with columns `number`, `driver`, `time` [s], `valid`.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    times = table["time"].to_numpy(np.float64)
    valid = table["valid"].to_numpy(bool)
    place = np.arange(1, len(table) + 1)
    for i, driver in enumerate(dict.fromkeys(table["driver"])):
        look, mine = style.style_of(i, theme), (table["driver"] == driver).to_numpy() & np.isfinite(times)
        figure.add_scatter(
            x=place[mine],
            y=times[mine],
            mode="lines+markers",
            name=style.plain(driver),
            line={"color": look.colour, "dash": look.dash, "width": 1.3},
            marker={
                "size": 9,
                "color": np.where(valid[mine], look.colour, theme.paper).tolist(),
                "line": {"color": look.colour, "width": 1.5},
            },
            text=[_lap_words(*row) for row in zip(table["number"][mine], times[mine], valid[mine], strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )
    shown = usual_times(times)
    best = np.where(valid, times, np.inf)
    if np.isfinite(best).any():
        at = int(np.argmin(best))
        figure.add_scatter(
            x=[place[at]], y=[times[at]], mode="markers", name="best", hoverinfo="skip",
            marker={"size": 17, "symbol": "circle-open", "color": theme.arrow, "line": {"width": 2}},
        )  # fmt: skip
    places, labels = style.lap_time_ticks(shown.tolist())
    y_axis = style.axis("", theme, tickvals=places, ticktext=labels, range=_room(shown), automargin=True)
    x_axis = style.axis("Lap", theme, dtick=max(1, len(table) // 12))
    margin = {"l": 58, "r": 12, "t": 36, "b": 44}
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, margin=margin, hovermode="closest"))
    figure.update_layout(showlegend=True)
    return figure


def _lap_words(number: int, time: float, valid: bool) -> str:
    return f"lap {number}: {lap_time_text(float(time))}{'' if valid else ', does not count'}"


def usual_times(times: Floats) -> Floats:
    """[s] The lap times worth an axis: without those 15 % slower than the median, which pit stops and spins leave."""
    known = times[np.isfinite(times)]
    return known[known <= 1.15 * np.median(known)] if len(known) else known


def _room(values: Floats) -> list[float] | None:
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    margin = max(0.08 * (high - low), 0.05)
    return [low - margin, high + margin]


def lap_time_violin(
    table: pd.DataFrame, by: str = "driver", height: int = 340, theme: style.Theme = style.PRINT
) -> Any:
    """How lap times are spread, for each driver or stint: every valid lap a point, with median and quartiles.

    Args:
        table: As in `lap_time_scatter`, with the column `by`.
        by: Column that groups the laps.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    counted = table[table["valid"].astype(bool) & np.isfinite(table["time"])]
    for i, (name, laps) in enumerate(counted.groupby(by, sort=False)):
        look, times = style.style_of(i, theme), laps["time"].to_numpy(np.float64)
        label = style.plain(f"stint {name}" if by == "stint" else str(name))
        points: dict[str, Any] = {
            "y": times, "x": [label] * len(times), "name": label, "showlegend": False, "hoverinfo": "y",
            "line": {"color": look.colour, "width": 1.4}, "marker": {"size": 5, "color": look.colour},
            "fillcolor": style.faint(look.colour), "pointpos": 0.0, "jitter": 0.35,
        }  # fmt: skip
        # A density needs some laps; a few are shown as they are.
        if len(times) >= 8:
            figure.add_violin(**points, points="all", box={"visible": True}, meanline={"visible": True}, width=0.8)
        else:
            figure.add_box(**points, boxpoints="all", width=0.4)
    shown = usual_times(counted["time"].to_numpy(np.float64))
    places, labels = style.lap_time_ticks(shown.tolist())
    y_axis = style.axis("", theme, tickvals=places, ticktext=labels, range=_room(shown), automargin=True)
    margin = {"l": 58, "r": 12, "t": 20, "b": 40}
    figure.update_layout(style.layout(height, theme, xaxis=style.axis("", theme), yaxis=y_axis, margin=margin))
    return figure


def consistency(
    spreads: pd.DataFrame,
    value: str = "spread",
    label: str = "name",
    title: str = "Standard deviation [s]",
    height: int = 320,
    theme: style.Theme = style.PRINT,
) -> Any:
    """How much a driver varies from place to place: a bar each, the unsteadiest first.

    Args:
        spreads: A sector or corner each, with columns `label` and `value`.
        value: Column with the numbers.
        label: Column with the names.
        title: Of the axis.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    known = spreads[np.isfinite(spreads[value])].sort_values(value, ascending=True)
    figure.add_bar(
        x=known[value].to_numpy(np.float64),
        y=[style.plain(str(name)) for name in known[label]],
        orientation="h",
        marker={"color": theme.lines[0].colour},
        text=[f"{number:.3f}" for number in known[value]],
        textposition="outside",
        hoverinfo="skip",
        showlegend=False,
    )
    most = max([*known[value].astype(float), 0.0]) or 1.0
    x_axis = style.axis(title, theme, range=[0.0, 1.2 * most])  # room for the numbers beside the bars
    y_axis = style.axis("", theme, ticks="", automargin=True)
    margin = {"l": 60, "r": 12, "t": 14, "b": 44}
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, margin=margin, bargap=0.3))
    return figure
