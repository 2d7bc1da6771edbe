"""Pictures of technique, tyres and use of the controls: laps in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace
from actwin.units import GRAVITY, KMH_PER_MS

Floats = npt.NDArray[np.float64]

WHEEL_NAMES: Final = ("Front left", "Front right", "Rear left", "Rear right")


def friction_circle(
    traces: Sequence[Trace], height: int = 440, looks: style.Looks | None = None, theme: style.Theme = style.PRINT
) -> Any:
    """Longitudinal over lateral acceleration in g: how much of the tyres each driver uses; a line around each lap.

    Args:
        traces: Laps that carry `ax` and `ay`.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
        theme: Of the page.
    """
    marks: list[dict[str, Any]] = []
    symbols = ("circle", "diamond-open", "x-thin-open", "square-open", "triangle-up-open", "cross-thin-open")
    for i, lap in reversed(list(enumerate(traces))):
        look, name = style.look_of(lap.driver, i, looks, theme), style.plain(lap.driver)
        across, along = lap["ay"] / GRAVITY, lap["ax"] / GRAVITY
        rim_x, rim_y = _rim(across, along)
        both = {"name": name, "legendgroup": name}
        line = {"color": look.colour, "dash": look.dash, "width": look.width}
        marks.append(
            both | {"x": rim_x, "y": rim_y, "mode": "lines", "legendrank": i, "hoverinfo": "skip", "line": line}
        )
        points = {
            "x": across.astype(np.float32)[::2],
            "y": along.astype(np.float32)[::2],
            "mode": "markers",
            "showlegend": False,
            "marker": {
                "size": 3,
                "color": look.colour,
                "opacity": 0.45,
                "symbol": symbols[i % len(symbols)],
                "line": {"width": 1},
            },
            "hovertemplate": "lateral %{x:.1f} g<br>longitudinal %{y:.1f} g<extra></extra>",
        }
        marks.append(both | points)
    zero = {"zeroline": True, "zerolinecolor": theme.edge, "dtick": 2}
    lateral, longitudinal = (np.concatenate([lap[name] for lap in traces]) / GRAVITY for name in ("ay", "ax"))
    x_axis = style.axis("Lateral [g], left positive", theme, range=_usual(lateral), constrain="domain", **zero)
    y_axis = style.axis(
        "Longitudinal [g], forward positive", theme, range=_usual(longitudinal), scaleanchor="x", **zero
    )
    layout = style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, hovermode="closest")
    return style.plotly().Figure(data=marks, layout=layout)


def _rim(across: Floats, along: Floats) -> tuple[Floats, Floats]:
    """Closed hull of the accelerations exceeded in 2 % of the samples of their direction; empty for too few."""
    known = np.isfinite(across) & np.isfinite(along)
    points = np.stack([across[known], along[known]], axis=1)
    size, sector = np.hypot(*points.T), (np.arctan2(*points.T) / np.pi * 18.0).astype(int)
    kept = np.zeros(len(points), bool)
    for k in np.unique(sector):
        mine = sector == k
        kept |= mine & (size <= np.quantile(size[mine], 0.98))
    try:
        corners = ConvexHull(points[kept]).vertices
    except (QhullError, ValueError):
        return np.zeros(0), np.zeros(0)
    rim = points[kept][np.append(corners, corners[:1])]
    return rim[:, 0], rim[:, 1]


def _usual(values: Floats) -> list[float]:
    """Limits that hold all but the rarest values: a touch of the wall would leave no room for the rest."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [0.3, 99.7]) if len(known) else (-1.0, 1.0)
    return [float(low) - 0.4, float(high) + 0.4]


_HISTOGRAMS: Final = {
    "throttle": ("Throttle [%]", 100.0, 0.0, 100.0, 20),
    "brake": ("Brake [%]", 100.0, 0.0, 100.0, 20),
    "speed": ("Speed [km/h]", KMH_PER_MS, None, None, 24),
    "rpm": ("Engine [1/min]", 1.0, None, None, 24),
    "gear": ("Gear", 1.0, None, None, 0),
}
"""Title, factor, limits, bars; no bars count whole numbers."""


def histogram(
    traces: Sequence[Trace],
    channel: str = "throttle",
    height: int = 280,
    looks: style.Looks | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Share of the lap's time that is spent at each value of a channel.

    Args:
        traces: Laps; those without the channel are left out.
        channel: "throttle", "brake", "speed", "rpm" or "gear".
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
        theme: Of the page.
    """
    title, scale, low, high, count = _HISTOGRAMS[channel]
    laps = [(i, lap) for i, lap in enumerate(traces) if channel in lap.channels and np.isfinite(lap[channel]).any()]
    bars: list[dict[str, Any]] = []
    edges = np.linspace(0.0, 1.0, 2)
    if laps:
        every = np.concatenate([lap[channel] for _, lap in laps]) * scale
        least, most = (
            float(np.nanmin(every)) if low is None else low,
            float(np.nanmax(every)) if high is None else high,
        )
        edges = np.linspace(least, max(most, least + 1e-6), count + 1) if count else np.arange(least - 0.5, most + 1.0)
    for i, lap in laps:
        # A stretch counts with the time it took: laps stand over distance.
        spent, values = np.diff(lap.time), lap[channel][:-1] * scale
        fine = np.isfinite(values) & np.isfinite(spent)
        shares, _ = np.histogram(values[fine], edges, weights=spent[fine])
        look = style.look_of(lap.driver, i, looks, theme)
        pattern = {"shape": _PATTERNS[i % len(_PATTERNS)]}
        bars.append(
            {
                "type": "bar",
                "x": 0.5 * (edges[1:] + edges[:-1]),
                "y": 100.0 * shares / max(float(shares.sum()), 1e-9),
                "name": style.plain(lap.driver),
                "marker": {"color": look.colour, "line": {"width": 0}, "pattern": pattern},
                "hovertemplate": "%{x:.0f}: %{y:.1f} % of the time",
            }
        )
    whole = {} if low is None else {"range": [low, high], "dtick": 50}
    x_axis = style.axis(title, theme, **(whole if count else {"dtick": 1}))
    y_axis = style.axis("% of the time", theme, rangemode="tozero")
    layout = style.layout(height, theme, xaxis=x_axis, yaxis=y_axis, bargap=0.12, barmode="group")
    return style.plotly().Figure(data=bars, layout=layout)


_PATTERNS: Final = ("", "/", ".", "x", "-", "+")


def tyre_corners(
    values: Mapping[str, Sequence[float]],
    unit: str = "°C",
    window: tuple[float, float] | None = None,
    height: int = 320,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Four tyres where they are on the car, a bar for each measured part.

    Args:
        values: FL, FR, RL, RR by part, for example "inner", "middle", "outer", "core"; NaN where nothing is known.
        unit: Of the values.
        window: Target; the values outside are drawn in the colour of a mark.
        height: [px] Of the figure.
        theme: Of the page.
    """
    figure = style.plotly().Figure()
    parts = list(values)
    known = [value for part in values.values() for value in part if np.isfinite(value)]
    top = max([*known, *(window or ()), 1.0]) * 1.1
    for wheel, name in enumerate(WHEEL_NAMES):
        key = "" if wheel == 0 else str(wheel + 1)
        left, above = wheel % 2 == 0, wheel < 2
        numbers = [float(values[part][wheel]) for part in parts]
        inside = [window is None or window[0] <= number <= window[1] for number in numbers]
        figure.add_bar(
            x=parts,
            y=numbers,
            xaxis=f"x{key}",
            yaxis=f"y{key}",
            text=[f"{number:.0f}" if np.isfinite(number) else "–" for number in numbers],
            textposition="outside",
            cliponaxis=False,
            marker={"color": [theme.lines[0].colour if fine else theme.brake for fine in inside]},
            showlegend=False,
            hovertemplate=f"{name}, %{{x}}: %{{y:.1f}} {unit}<extra></extra>",
        )
        across, up = ([0.0, 0.44] if left else [0.56, 1.0]), ([0.58, 0.93] if above else [0.0, 0.37])
        figure.update_layout(
            {
                f"xaxis{key}": style.axis("", theme, domain=across, anchor=f"y{key}"),
                f"yaxis{key}": style.axis("", theme, domain=up, anchor=f"x{key}", range=[0.0, top], nticks=4),
            }
        )
        figure.add_annotation(
            text=f"{name} [{unit}]", x=across[0], y=up[1] + 0.02, xref="paper", yref="paper", showarrow=False,
            xanchor="left", yanchor="bottom", font={"size": 11, "color": theme.muted},
        )  # fmt: skip
    axes = figure.layout.to_plotly_json()
    figure.update_layout(style.layout(height, theme, margin={"l": 40, "r": 8, "t": 14, "b": 24}) | axes)
    return figure


def channel_over_laps(
    laps: Sequence[Trace],
    channel: str,
    title: str,
    scale: float = 1.0,
    height: int = 280,
    looks: style.Looks | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Mean of a channel in each lap, with its range, over the laps in order.

    Args:
        laps: In order.
        channel: Carried by the laps; those without it are left out.
        title: Of the vertical axis.
        scale: Into the axis's unit.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default all have the first.
        theme: Of the page.
    """
    figure, look = style.plotly().Figure(), style.style_of(0, theme)
    shown = [lap for lap in laps if channel in lap.channels and np.isfinite(lap[channel]).any()]
    means = [scale * float(np.nanmean(lap[channel])) for lap in shown]
    lows, highs = ([scale * float(pick(lap[channel])) for lap in shown] for pick in (np.nanmin, np.nanmax))
    figure.add_scatter(
        x=[style.plain(lap.driver) for lap in shown],
        y=means,
        mode="markers",
        marker={"size": 8, "color": look.colour},
        error_y={
            "type": "data",
            "array": [high - mean for high, mean in zip(highs, means, strict=True)],
            "arrayminus": [mean - low for mean, low in zip(means, lows, strict=True)],
            "color": theme.edge,
        },
        showlegend=False,
    )
    figure.update_layout(style.layout(height, theme, xaxis=style.axis("", theme), yaxis=style.axis(title, theme)))
    return figure
