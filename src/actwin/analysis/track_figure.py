"""A track from above, with driving lines on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace
from actwin.analysis.outline import Outline
from actwin.units import KMH_PER_MS, degrees

SPEED_STEPS: Final = 28
"""Colours of the speed line; each is one line, so that the picture stays sharp at every zoom."""


def track_map(
    outline: Outline, traces: Sequence[Trace] = (), height: int = 620, looks: style.Looks | None = None
) -> Any:
    """The track from above, the first driver's line coloured by speed over the others' lines.

    `layout.meta` tells a page how to steer the picture: `views` are zoom windows (`label`, `x`, `y`), `speed` the
    numbers of the pieces that show each driver's speed, `lines` those of the plain lines, `cursor` the dots that follow
    the traces.

    Args:
        outline: The track.
        traces: Laps on one axis, the one to be coloured first.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
    """
    plotly = style.plotly()
    figure = plotly.Figure()
    for edge in _road(outline, style.ROAD if traces else style.ASPHALT):
        figure.add_scatter(**edge)
    meta: dict[str, Any] = {"views": _views(outline), "drivers": [lap.driver for lap in traces]}
    meta["lines"] = [
        _append(figure, _driver_line(style.look_of(lap.driver, i, looks), lap)) for i, lap in enumerate(traces)
    ]
    if traces:
        speeds = np.concatenate([lap["speed"] for lap in traces]) * KMH_PER_MS
        scale = (float(np.floor(speeds.min() / 10.0) * 10.0), float(np.ceil(speeds.max() / 10.0) * 10.0))
        meta["speed"] = [
            [_append(figure, piece | {"visible": i == 0}) for piece in _speed_pieces(lap, scale)]
            for i, lap in enumerate(traces)
        ]
        figure.add_scatter(**_speed_bar(scale))
        # Last is drawn on top: the first driver's dot.
        dots = [
            _append(figure, _cursor(style.look_of(lap.driver, i, looks), lap))
            for i, lap in reversed(list(enumerate(traces)))
        ]
        meta["cursor"] = dots[::-1]
    for label in outline.labels:
        figure.add_annotation(
            x=label.x,
            y=label.y,
            text=label.text,
            showarrow=False,
            font={"size": 11, "color": style.MUTED},
            hovertext=label.name or label.text,
        )
    figure.add_annotation(**_direction(outline))
    plain = {"visible": False, "constrain": "domain"}
    figure.update_layout(
        style.layout(
            height,
            margin={"l": 8, "r": 8, "t": 30, "b": 8},
            xaxis=plain | {"range": meta["views"][0]["x"]},
            yaxis=plain | {"range": meta["views"][0]["y"], "scaleanchor": "x", "scaleratio": 1.0},
            hovermode="closest",
            dragmode="pan",
            meta=meta,
        )
    )
    return figure


def _append(figure: Any, piece: Mapping[str, Any]) -> int:
    figure.add_scatter(**piece)
    return len(figure.data) - 1


def _road(outline: Outline, colour: str) -> list[dict[str, Any]]:
    (left_x, left_y), (right_x, right_y) = outline.left, outline.right
    fixed: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    surface = {
        "x": np.concatenate([left_x, right_x[::-1]]),
        "y": np.concatenate([left_y, right_y[::-1]]),
        "fill": "toself",
        "fillcolor": colour,
        "line": {"width": 0},
    }
    edge = {"line": {"color": style.EDGE if colour == style.ROAD else colour, "width": 1}}
    line = {"x": outline.line[0], "y": outline.line[1], "line": {"color": style.INK, "width": 4}}
    edges: list[dict[str, Any]] = [{"x": left_x, "y": left_y} | edge, {"x": right_x, "y": right_y} | edge]
    return [fixed | piece for piece in (surface, *edges, line)]


def _direction(outline: Outline) -> dict[str, Any]:
    x, y, heading = outline.arrow
    return {
        "x": x,
        "y": y,
        "text": "➤",
        "showarrow": False,
        "textangle": -degrees(heading),
        "font": {"size": 17, "color": style.ARROW},
        "hovertext": "Driving direction",
    }


def _views(outline: Outline) -> list[dict[str, Any]]:
    """Zoom windows: the whole track, then each corner."""
    x, y = (np.concatenate([outline.left[i], outline.right[i]]) for i in (0, 1))
    margin = 0.07 * outline.size
    views = [_view("Whole track", x.min() - margin, x.max() + margin, y.min() - margin, y.max() + margin)]
    reach = 85.0
    for label in outline.labels:
        title = f"{label.text} {label.name}".strip()
        here = (label.apex_x - reach, label.apex_x + reach, label.apex_y - reach, label.apex_y + reach)
        views.append(_view(title, *here))
    return views


def _view(label: str, left: float, right: float, bottom: float, top: float) -> dict[str, Any]:
    return {"label": label, "x": [float(left), float(right)], "y": [float(bottom), float(top)]}


def _driver_line(look: style.LineStyle, lap: Trace) -> dict[str, Any]:
    return {
        "x": lap["x"].astype(np.float32),
        "y": lap["y"].astype(np.float32),
        "mode": "lines",
        "name": lap.driver,
        "hoverinfo": "skip",
        "line": {"color": look.colour, "width": look.width, "dash": look.dash},
    }


def _speed_pieces(lap: Trace, scale: tuple[float, float]) -> list[dict[str, Any]]:
    """One line for each step of speed, then points that say distance and speed when they are touched."""
    speed = lap["speed"] * KMH_PER_MS
    share = (speed - scale[0]) / max(scale[1] - scale[0], 1.0)
    steps = np.clip((share * SPEED_STEPS).astype(int), 0, SPEED_STEPS - 1)[:-1]
    pieces: list[dict[str, Any]] = []
    for step in np.unique(steps):
        inside = np.flatnonzero(steps == step)
        # Each stretch from a point to the next, then a gap: stretches of one colour join without bridges.
        rows = np.column_stack([inside, inside + 1, inside]).ravel()
        x, y = lap["x"][rows].astype(np.float32), lap["y"][rows].astype(np.float32)
        x[2::3] = np.nan
        look = {"color": style.colour_at((step + 0.5) / SPEED_STEPS), "width": 4.5}
        pieces.append({"x": x, "y": y, "mode": "lines", "line": look, "hoverinfo": "skip", "showlegend": False})
    every = slice(None, None, 5)
    touch = {
        "x": lap["x"][every],
        "y": lap["y"][every],
        "mode": "markers",
        "showlegend": False,
        "marker": {"size": 9, "opacity": 0.0},
        "customdata": np.column_stack([lap.distance[every], speed[every], lap["gear"][every]]),
        "hovertemplate": "%{customdata[0]:.0f} m, %{customdata[1]:.0f} km/h, gear %{customdata[2]:.0f}<extra></extra>",
    }
    return [*pieces, touch]


def _speed_bar(scale: tuple[float, float]) -> dict[str, Any]:
    bar = {
        "title": {"text": "km/h", "side": "top", "font": {"size": 12}},
        "orientation": "h",
        "thickness": 10,
        "len": 0.45,
        "x": 1.0,
        "xanchor": "right",
        "y": 0.0,
        "yanchor": "bottom",
        "outlinewidth": 0,
        "tickfont": {"size": 11},
    }
    marker = {
        "color": list(scale),
        "cmin": scale[0],
        "cmax": scale[1],
        "colorscale": style.speed_scale(),
        "colorbar": bar,
    }
    return {
        "x": [None, None],
        "y": [None, None],
        "mode": "markers",
        "marker": marker | {"showscale": True},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _cursor(look: style.LineStyle, lap: Trace) -> dict[str, Any]:
    return {
        "x": lap["x"][:1],
        "y": lap["y"][:1],
        "mode": "markers",
        "name": lap.driver,
        "showlegend": False,
        "visible": False,
        "hoverinfo": "skip",
        "marker": {"size": 12, "color": look.colour, "line": {"color": "#ffffff", "width": 2}},
    }
