"""Pictures of corners: times and marks of each corner in, plotly figures out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace
from actwin.units import KMH_PER_MS

if TYPE_CHECKING:
    import pandas as pd


def loss_bars(
    corners: Sequence[str], seconds: Sequence[float], height: int = 360, theme: style.Theme = style.PRINT
) -> Any:
    """Time lost (right) and gained (left) in each corner, the greatest loss on top.

    Args:
        corners: Names.
        seconds: [s] Lost to the reference in each, negative where time was gained.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    order = np.argsort(np.asarray(seconds, np.float64))
    lost = [float(seconds[i]) for i in order]
    figure.add_bar(
        x=lost,
        y=[style.plain(corners[i]) for i in order],
        orientation="h",
        marker={
            "color": [theme.brake if value > 0.0 else theme.lines[0].colour for value in lost],
            "pattern": {"shape": ["" if value > 0.0 else "/" for value in lost]},
        },
        text=[f"{value:+.3f}".replace("-", "−") for value in lost],
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        hoverinfo="skip",
        showlegend=False,
    )
    low, high = min([*lost, 0.0]), max([*lost, 0.0])
    room = 0.3 * (high - low or 1.0)  # for the numbers beside the bars, on a phone too
    limits = [low - room * (low < 0.0), high + room * (high > 0.0)]
    x_axis = style.axis("Lost to the reference [s]", theme, zeroline=True, zerolinecolor=theme.edge, range=limits)
    y_axis = style.axis("", theme, ticks="", automargin=True)
    margin = {"l": 60, "r": 12, "t": 14, "b": 44}
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, margin=margin, bargap=0.25))
    return figure


def corner_spread(
    table: pd.DataFrame,
    value: str,
    title: str,
    scale: float = 1.0,
    height: int = 340,
    theme: style.Theme = style.PRINT,
) -> Any:
    """One mark of every corner over all laps, from its median there: a box for each corner, a point for each lap.

    Args:
        table: A corner of a lap each, with the columns `corner` and `value`.
        value: Column to show, for example the lowest speed.
        title: Of the vertical axis.
        scale: Into the axis's unit.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure, look = style.plotly().Figure(), style.style_of(0, theme)
    known = table[np.isfinite(table[value].astype(float))]
    apart = known[value].astype(float) - known.groupby("corner", sort=False)[value].transform("median")
    figure.add_box(
        x=[style.plain(str(name)) for name in known["corner"]],
        y=scale * apart.to_numpy(np.float64),
        boxpoints="all",
        pointpos=0.0,
        jitter=0.4,
        line={"color": look.colour, "width": 1.2},
        fillcolor=style.faint(look.colour, 0.15),
        marker={"size": 4, "color": look.colour},
        showlegend=False,
        hoverinfo="y",
    )
    margin = {"l": 58, "r": 12, "t": 14, "b": 60}
    x_axis = style.axis("", theme, tickangle=-35, automargin=True)
    y_axis = style.axis(title, theme, zeroline=True, zerolinecolor=theme.edge)
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, margin=margin))
    return figure


def corner_speed(
    traces: Sequence[Trace],
    start: float,
    end: float,
    apex: float,
    height: int = 300,
    looks: style.Looks | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Speed of several laps through one corner, over the distance from its apex.

    Args:
        traces: Laps on one axis.
        start, end: [m] Of the stretch that is shown; `end` may lie beyond the line.
        apex: [m] Lap distance of the apex.
        height: [px] Of the figure.
        looks: Number of each lap's style; by default the place in `traces`.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    axis = traces[0].distance
    whole = float(axis[-1])
    places = np.arange(start, end if end > start else end + whole, float(axis[1]))
    from_apex = (places - apex + 0.5 * whole) % whole - 0.5 * whole
    for i, lap in enumerate(traces):
        look = style.look_of(lap.driver, i, looks, theme)
        figure.add_scatter(
            x=from_apex,
            y=np.interp(places % whole, axis, lap["speed"]) * KMH_PER_MS,
            mode="lines",
            name=style.plain(lap.driver),
            line={"color": look.colour, "dash": look.dash, "width": look.width},
            hovertemplate="%{y:.0f} km/h",
        )
    figure.add_vline(x=0.0, line={"color": theme.edge, "width": 1, "dash": "dot"})
    x_axis, y_axis = style.axis("Distance from the apex [m]", theme), style.axis("Speed [km/h]", theme)
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, hovermode="x unified"))
    return figure
