"""Pictures of training runs: what a run measured in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from actwin.analysis import figure_style as style
from actwin.units import lap_time_text

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

DRAWN: Final = 600
"""Points of a curve; a longer one is averaged in equal stretches."""


def learning_curve(
    steps: Floats,
    lap_times: Floats,
    references: Mapping[str, float],
    clean: npt.NDArray[np.bool_] | None = None,
    name: str = "RL policy",
    height: int = 360,
    looks: style.Looks | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Lap time of the learning driver over its training, beside the drivers it learned from.

    Args:
        steps: [1] Control steps driven so far, [K].
        lap_times: [s] Lap time of a test drive at each of them, NaN where it finished none, [K].
        references: [s] Lap times of other drivers by name.
        clean: Whether each lap was valid, [K]; others are drawn hollow.
        name: Of the learning driver.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the learner's is the first.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    millions = steps / 1e6
    clean = np.isfinite(lap_times) if clean is None else clean & np.isfinite(lap_times)
    look = style.look_of(name, 0, looks, theme)
    texts = [lap_time_text(float(time)) for time in lap_times]
    figure.add_scatter(
        x=millions,
        y=lap_times,
        mode="lines+markers",
        name=style.plain(name),
        text=texts,
        connectgaps=True,
        line={"color": look.colour, "width": look.width},
        marker={
            "size": 8,
            "color": np.where(clean, look.colour, theme.paper).tolist(),
            "line": {"color": look.colour, "width": 1.5},
        },
        hovertemplate="%{x:.2f} M steps: %{text}<extra></extra>",
    )
    shown = [*lap_times.tolist(), *references.values()]
    for i, (rival, time) in enumerate(references.items(), start=1):
        if np.isfinite(time) and len(steps):
            look = style.look_of(rival, i, looks, theme)
            figure.add_scatter(
                x=millions[[0, -1]],
                y=[time, time],
                mode="lines",
                name=f"{style.plain(rival)} {lap_time_text(time)}",
                line={"color": look.colour, "dash": look.dash, "width": look.width},
                hoverinfo="skip",
            )
    places, labels = style.lap_time_ticks(shown)
    figure.update_layout(
        style.layout(
            height,
            theme,
            margin={"l": 78, "r": 16, "t": 40, "b": 48},
            xaxis=style.axis("Control steps driven [millions]", theme, rangemode="tozero"),
            yaxis=style.axis("Lap time", theme, tickvals=places, ticktext=labels),
            hovermode="closest",
        )
    )
    return figure


def metric_curves(
    runs: Mapping[str, pd.DataFrame],
    metric: str,
    title: str = "",
    over: str = "step",
    height: int = 320,
    looks: style.Looks | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """One quantity of several runs over their training, averaged where it is too dense to draw.

    Args:
        runs: Metrics by name of the run, a line for each writing, with columns `step`, `seconds` and the quantities.
        metric: Column to show; lap times are written as racers write them.
        title: Of the vertical axis; empty for none.
        over: "step" or "seconds".
        height: [px] Of the figure.
        looks: Number of each run's style; by default the place in `runs`.
        theme: Of the page.
    """
    figure, shown = style.plotly().Figure(), [np.zeros(0)]
    scale, label = (1e6, "Car steps [millions]") if over == "step" else (60.0, "Training time [min]")
    for i, (name, frame) in enumerate(runs.items()):
        look = style.look_of(name, i, looks, theme)
        if metric not in frame:
            continue
        known = frame[[over, metric]].dropna()
        x, y = _averaged(known[over].to_numpy(np.float64) / scale, known[metric].to_numpy(np.float64))
        shown.append(y)
        figure.add_scatter(
            x=x.astype(np.float32),
            y=y.astype(np.float32),
            mode="lines+markers" if len(y) < 40 else "lines",
            name=style.plain(name),
            line={"color": look.colour, "dash": look.dash, "width": look.width},
            marker={"size": 5},
        )
    more: dict[str, Any] = {}
    if metric.endswith("_share"):
        more = {"range": [-0.03, 1.03], "tickformat": ".0%"}
    elif metric.endswith("_lap"):
        places, labels = style.lap_time_ticks(np.concatenate(shown).tolist())
        more = {"tickvals": places, "ticktext": labels}
    x_axis = style.axis(label, theme, rangemode="tozero")
    y_axis = style.axis(style.plain(title), theme, automargin=True, **more)
    margin = {"l": 58, "r": 12, "t": 36 if len(runs) > 1 else 12, "b": 44}
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, margin=margin, hovermode="closest"))
    figure.update_layout(showlegend=len(runs) > 1)
    return figure


def reward_terms(
    metrics: pd.DataFrame, terms: Sequence[str] = (), height: int = 320, theme: style.Theme = style.PRINT
) -> Any:
    """What each part of the reward was worth over the training of one run.

    Args:
        metrics: As in `metric_curves`; the parts are columns `reward/…`.
        terms: Columns to show; by default all parts but the total.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    names = list(terms) or [name for name in metrics.columns if name.startswith("reward/") and name != "reward/total"]
    for i, name in enumerate(names):
        look = style.style_of(i, theme)
        known = metrics[["step", name]].dropna()
        x, y = _averaged(known["step"].to_numpy(np.float64) / 1e6, known[name].to_numpy(np.float64))
        figure.add_scatter(
            x=x.astype(np.float32),
            y=y.astype(np.float32),
            mode="lines",
            name=style.plain(name.removeprefix("reward/")),
            line={"color": look.colour, "dash": look.dash, "width": look.width},
        )
    x_axis = style.axis("Car steps [millions]", theme, rangemode="tozero")
    y_axis = style.axis("Reward a step", theme, automargin=True, zeroline=True, zerolinecolor=theme.edge)
    margin = {"l": 64, "r": 12, "t": 12, "b": 44}
    figure.update_layout(style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, margin=margin, hovermode="x unified"))
    figure.update_layout(showlegend=True, legend={"y": -0.28, "yanchor": "top"})
    return figure


def _averaged(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Means over equal counts of points, at most `DRAWN` of them."""
    if len(x) <= DRAWN:
        return x, y
    parts = np.linspace(0, len(x), DRAWN + 1).astype(int)[:-1]
    counts = np.diff(np.append(parts, len(x)))
    return np.add.reduceat(x, parts) / counts, np.add.reduceat(y, parts) / counts
