"""Pictures of laps: arrays in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace, delta
from actwin.analysis.outline import Outline, corner_groups
from actwin.units import GRAVITY, KMH_PER_MS, lap_time_text

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """One of the stacked pictures over a shared axis.

    Attributes:
        title: What is drawn, with its unit.
        share: [-] Its part of the height, relative to the others.
        series: One array for each line, in the order of the drivers.
        short: Name in a readout, with its unit.
        digits: Decimals in a readout.
        axis: More about the vertical axis, as plotly takes it.
        shape: "linear", or "hv" for values that hold until the next.
    """

    title: str
    share: float
    series: Sequence[Floats]
    short: str
    digits: int = 0
    axis: Mapping[str, Any] = field(default_factory=dict)
    shape: str = "linear"


def lap_traces(
    traces: Sequence[Trace],
    outline: Outline,
    reference: int = 0,
    height: int = 940,
    looks: style.Looks | None = None,
) -> Any:
    """Speed, delta time, pedals, steering and gear over distance, one below the other on one axis with one cursor.

    `layout.meta` holds what a page needs for a readout at the cursor: `step` [m] from value to value, `drivers`, and
    the `short` name and `digits` of each of the `panels`; the curves are ordered by panel, then driver.

    Args:
        traces: Laps on one axis.
        outline: The track; gives corners and sectors.
        reference: Number of the lap that delta times are taken against; positive = slower than it.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
    """
    against = traces[reference]
    steering = "steer_angle" in against.channels
    percent: dict[str, Any] = {"range": [-4, 104], "dtick": 50}
    zero: dict[str, Any] = {"zeroline": True, "zerolinecolor": style.EDGE}
    steer = "Steering wheel [°], left positive" if steering else "Steering [% of lock], left positive"
    steers = [np.degrees(lap["steer_angle"]) if steering else 100.0 * lap["steer"] for lap in traces]
    deltas = [delta(lap, against) for lap in traces]
    delta_title = f"Delta to {against.driver} [s], up = slower"
    panels = [
        Panel("Speed [km/h]", 3.2, [lap["speed"] * KMH_PER_MS for lap in traces], "km/h"),
        *([Panel(delta_title, 1.6, deltas, "delta s", 3, {"tickformat": "+.2~f"} | zero)] if len(traces) > 1 else []),
        Panel("Throttle [%]", 1.0, [100.0 * lap["throttle"] for lap in traces], "thr. %", 0, percent),
        Panel("Brake [%]", 1.0, [100.0 * lap["brake"] for lap in traces], "brk. %", 0, percent),
        Panel(steer, 1.2, steers, "steer °" if steering else "steer %", 0, zero),
        Panel("Gear", 1.0, [lap["gear"] for lap in traces], "gear", 0, {"dtick": 2, "rangemode": "tozero"}, "hv"),
    ]
    step = float(against.distance[1])
    styles = {lap.driver: style.look_of(lap.driver, i, looks) for i, lap in enumerate(traces)}
    figure = _stacked(step, styles, panels, height)
    figure.update_xaxes(
        style.axis("Distance from the line [m]", range=[0.0, outline.length], tickformat=",d"),
        showspikes=True,
        spikemode="across",
        spikesnap="cursor",
        spikethickness=1,
        spikedash="solid",
        spikecolor=style.MUTED,
    )
    for label in outline.labels:
        figure.add_vline(x=label.distance, line={"color": style.GRID, "width": 1}, layer="below")
    for text, distance in corner_groups(outline):
        figure.add_annotation(
            x=distance,
            y=1.0,
            yref="paper",
            yanchor="bottom",
            yshift=13,
            name="corner",
            text=text,
            showarrow=False,
            font={"size": 10, "color": style.MUTED},
        )
    for start in outline.sectors[1:]:
        figure.add_vline(x=start, line={"color": style.EDGE, "width": 1, "dash": "dot"}, layer="below")
    meta = {
        "step": step,
        "drivers": [lap.driver for lap in traces],
        "panels": [{"short": panel.short, "digits": panel.digits} for panel in panels],
    }
    figure.update_layout(hovermode="x unified", hoversubplots="axis", dragmode="zoom", margin={"t": 76}, meta=meta)
    figure.update_layout(legend={"y": 1.0, "yref": "container", "yanchor": "top"})
    return figure


def _stacked(
    step: float, styles: Mapping[str, style.LineStyle], panels: Sequence[Panel], height: int, gap: float = 0.038
) -> Any:
    """Panels over one horizontal axis, first on top, each below its title; the values stand `step` apart."""
    figure = style.plotly().Figure()
    whole = sum(panel.share for panel in panels)
    room = 1.0 - gap * (len(panels) - 1)
    top, axes, titles = 1.0, {}, []
    for number, panel in enumerate(panels, start=1):
        bottom = top - room * panel.share / whole
        key = "" if number == 1 else str(number)
        axes[f"yaxis{key}"] = style.axis() | {"domain": [max(bottom, 0.0), top], "anchor": "x"} | dict(panel.axis)
        titles.append(
            {
                "text": panel.title,
                "x": 0.0,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11, "color": style.MUTED},
                "yshift": -1,
            }
        )
        for (name, look), values in zip(styles.items(), panel.series, strict=True):
            figure.add_scatter(
                x0=0.0,
                dx=step,
                y=values.astype(np.float32),
                name=name,
                legendgroup=name,
                showlegend=number == 1,
                yaxis=f"y{key}",
                mode="lines",
                line={"color": look.colour, "dash": look.dash, "width": look.width * 0.8, "shape": panel.shape},
                hovertemplate=f"%{{y:.{panel.digits}f}} {panel.short}",
            )
        top = bottom - gap
    lowest = f"y{len(panels)}" if len(panels) > 1 else "y"
    figure.update_layout(style.layout(height, annotations=titles, xaxis={"anchor": lowest}, **axes))
    return figure


def learning_curve(
    steps: Floats,
    lap_times: Floats,
    references: Mapping[str, float],
    clean: npt.NDArray[np.bool_] | None = None,
    name: str = "RL policy",
    height: int = 360,
    looks: style.Looks | None = None,
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
    """
    figure = style.plotly().Figure()
    millions = steps / 1e6
    clean = np.isfinite(lap_times) if clean is None else clean & np.isfinite(lap_times)
    look = style.look_of(name, 0, looks)
    texts = [lap_time_text(float(time)) for time in lap_times]
    figure.add_scatter(
        x=millions,
        y=lap_times,
        mode="lines+markers",
        name=name,
        text=texts,
        connectgaps=True,
        line={"color": look.colour, "width": look.width},
        marker={
            "size": 8,
            "color": np.where(clean, look.colour, "#ffffff").tolist(),
            "line": {"color": look.colour, "width": 1.5},
        },
        hovertemplate="%{x:.2f} M steps: %{text}<extra></extra>",
    )
    shown = [*lap_times.tolist(), *references.values()]
    for i, (rival, time) in enumerate(references.items(), start=1):
        if np.isfinite(time) and len(steps):
            look = style.look_of(rival, i, looks)
            figure.add_scatter(
                x=millions[[0, -1]],
                y=[time, time],
                mode="lines",
                name=f"{rival} {lap_time_text(time)}",
                line={"color": look.colour, "dash": look.dash, "width": look.width},
                hoverinfo="skip",
            )
    places, labels = style.lap_time_ticks(shown)
    figure.update_layout(
        style.layout(
            height,
            margin={"l": 78, "r": 16, "t": 40, "b": 48},
            xaxis=style.axis("Control steps driven [millions]", rangemode="tozero"),
            yaxis=style.axis("Lap time", tickvals=places, ticktext=labels),
            hovermode="closest",
        )
    )
    return figure


def friction_circle(traces: Sequence[Trace], height: int = 440, looks: style.Looks | None = None) -> Any:
    """Longitudinal over lateral acceleration in g: how much of the tyres each driver uses.

    Args:
        traces: Laps that carry `ax` and `ay`.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
    """
    figure = style.plotly().Figure()
    symbols = ("circle", "diamond-open", "x-thin-open", "square-open", "triangle-up-open", "cross-thin-open")
    for i, lap in reversed(list(enumerate(traces))):
        look = style.look_of(lap.driver, i, looks)
        figure.add_scatter(
            x=(lap["ay"] / GRAVITY).astype(np.float32)[::2],
            y=(lap["ax"] / GRAVITY).astype(np.float32)[::2],
            mode="markers",
            name=lap.driver,
            legendrank=i,
            marker={
                "size": 4,
                "color": look.colour,
                "opacity": 0.65,
                "symbol": symbols[i % len(symbols)],
                "line": {"width": 1},
            },
            hovertemplate="lateral %{x:.1f} g<br>longitudinal %{y:.1f} g<extra></extra>",
        )
    zero = {"zeroline": True, "zerolinecolor": style.EDGE, "dtick": 2}
    lateral, longitudinal = (np.concatenate([lap[name] for lap in traces]) / GRAVITY for name in ("ay", "ax"))
    across = style.axis("Lateral [g], left positive", range=_usual(lateral), constrain="domain", **zero)
    along = style.axis("Longitudinal [g], forward positive", range=_usual(longitudinal), scaleanchor="x", **zero)
    figure.update_layout(style.layout(height, xaxis=across, yaxis=along, hovermode="closest"))
    return figure


def _usual(values: Floats) -> list[float]:
    """Limits that hold all but the rarest values: a touch of the wall would leave no room for the rest."""
    low, high = np.percentile(values, [0.3, 99.7])
    return [float(low) - 0.4, float(high) + 0.4]
