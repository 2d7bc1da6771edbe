"""A track from above, with driving lines on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace
from actwin.analysis.outline import Outline
from actwin.analysis.track_colours import Bands, bands, bar_marker, limits
from actwin.units import KMH_PER_MS, degrees

Floats = npt.NDArray[np.float64]


def track_map(
    outline: Outline,
    traces: Sequence[Trace] = (),
    height: int = 620,
    looks: style.Looks | None = None,
    by: str = "speed",
    reference: Trace | None = None,
    coloured: int | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """The track from above, the first driver's line in colours over the others' lines.

    `layout.meta` tells a page how to steer the picture: `views` are zoom windows (`label`, `x`, `y`, and `s`,
    the lap distances), `speed` the
    numbers of the pieces that show each driver's colours, `lines` those of the plain lines, `cursor` the dots that
    follow the traces.

    Args:
        outline: The track.
        traces: Laps on one axis, the one to be coloured first.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
        by: What the colours say: "speed", "gear", "pedals", "lateral" or "delta".
        reference: The lap that "delta" is taken against.
        coloured: How many laps get colours, all but the first hidden; None means all, 0 shows driving lines only.
        theme: Of the page.
    """
    lines = _road(outline, theme.road if traces else theme.asphalt, theme)
    meta: dict[str, Any] = {"views": _views(outline), "drivers": [lap.driver for lap in traces]}
    meta["lines"] = [
        _append(lines, _driver_line(style.look_of(lap.driver, i, looks, theme), lap)) for i, lap in enumerate(traces)
    ]
    if traces:
        meta["speed"] = _add_colours(lines, list(traces[:coloured]), by, reference, theme)
        # Last is drawn on top: the first driver's dot.
        dots = [
            _append(lines, _cursor(style.look_of(lap.driver, i, looks, theme), lap, theme))
            for i, lap in reversed(list(enumerate(traces)))
        ]
        meta["cursor"] = dots[::-1]
    words = [
        {
            "x": label.x, "y": label.y, "text": label.text, "showarrow": False, "hovertext": label.name or label.text,
            "font": {"size": 11, "color": theme.muted},
        }
        for label in outline.labels
    ]  # fmt: skip
    layout = map_layout(outline, height, theme, meta=meta, annotations=[*words, _direction(outline, theme)])
    return style.plotly().Figure(data=lines, layout=layout)


def map_layout(outline: Outline, height: int, theme: style.Theme, **more: Any) -> dict[str, Any]:
    """The layout of a picture from above: equal axes without ticks, the whole track in view."""
    plain, whole = {"visible": False, "constrain": "domain"}, _views(outline)[0]
    return style.layout(
        height,
        theme,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        xaxis=plain | {"range": whole["x"]},
        yaxis=plain | {"range": whole["y"], "scaleanchor": "x", "scaleratio": 1.0},
        hovermode="closest",
        dragmode="pan",
        **more,
    )


def mini_sector_map(
    outline: Outline,
    traces: Sequence[Trace],
    sectors: int = 25,
    height: int = 560,
    looks: style.Looks | None = None,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Who is fastest in each of many equal stretches of the track.

    Args:
        outline: The track.
        traces: Laps on one axis that carry `x` and `y`.
        sectors: Number of stretches.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
        theme: Of the page.
    """
    lines, axis = _road(outline, theme.road, theme), traces[0].distance
    bounds = np.linspace(0.0, axis[-1], sectors + 1)
    times = np.array([np.diff(np.interp(bounds, axis, lap.time)) for lap in traces])
    for i, lap in enumerate(traces):
        won = np.flatnonzero(np.argmin(np.where(np.isfinite(times), times, np.inf), axis=0) == i)
        places = [_stretch(axis, bounds[k], bounds[k + 1]) for k in won]
        at = np.concatenate(places) if places else np.full(1, np.nan)
        look = style.look_of(lap.driver, i, looks, theme)
        lines.append(
            {
                "x": np.interp(at, axis, lap["x"]).astype(np.float32),
                "y": np.interp(at, axis, lap["y"]).astype(np.float32),
                "mode": "lines",
                "name": f"{style.plain(lap.driver)}: {len(won)} of {sectors}",
                "line": {"color": look.colour, "width": 6.0},
                "hoverinfo": "skip",
            }
        )
    layout = map_layout(outline, height, theme, annotations=[_direction(outline, theme)])
    return style.plotly().Figure(data=lines, layout=layout)


def _stretch(axis: Floats, begin: float, end: float) -> Floats:
    """[m] Distances from one place to another, both included, then a gap."""
    return np.concatenate([[begin], axis[(axis > begin) & (axis < end)], [end, np.nan]])


def _add_colours(
    lines: list[dict[str, Any]], laps: list[Trace], by: str, reference: Trace | None, theme: style.Theme
) -> list[list[int]]:
    """Adds the coloured pieces of each lap, all but the first hidden; their numbers."""
    numbers, bar = [], None
    scale = limits(laps) if laps else (0.0, 100.0)
    for i, lap in enumerate(laps):
        colours = bands(lap, by, theme, scale, reference)
        if colours is not None:
            bar = bar or colours.bar
            pieces = [*_pieces(lap, colours), _touch(lap)]
            numbers.append([_append(lines, piece | {"visible": i == 0}) for piece in pieces])
    if bar is not None:
        empty = {"x": [None, None], "y": [None, None], "mode": "markers", "showlegend": False, "hoverinfo": "skip"}
        lines.append(empty | {"marker": bar_marker(bar)})
    return numbers


def _append(lines: list[dict[str, Any]], piece: dict[str, Any]) -> int:
    lines.append(piece)
    return len(lines) - 1


def _road(outline: Outline, colour: str, theme: style.Theme) -> list[dict[str, Any]]:
    (left_x, left_y), (right_x, right_y) = outline.left, outline.right
    fixed: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    surface = {
        "x": np.concatenate([left_x, right_x[::-1]]).astype(np.float32),
        "y": np.concatenate([left_y, right_y[::-1]]).astype(np.float32),
        "fill": "toself",
        "fillcolor": colour,
        "line": {"width": 0},
    }
    edge = {"line": {"color": theme.edge if colour == theme.road else colour, "width": 1}}
    line = {"x": outline.line[0], "y": outline.line[1], "line": {"color": theme.ink, "width": 4}}
    edges: list[dict[str, Any]] = [
        {"x": x.astype(np.float32), "y": y.astype(np.float32)} | edge for x, y in (outline.left, outline.right)
    ]
    return [fixed | piece for piece in (surface, *edges, line)]


def _direction(outline: Outline, theme: style.Theme) -> dict[str, Any]:
    x, y, heading = outline.arrow
    return {
        "x": x,
        "y": y,
        "text": "➤",
        "showarrow": False,
        "textangle": -degrees(heading),
        "font": {"size": 17, "color": theme.arrow},
        "hovertext": "Driving direction",
    }


def _views(outline: Outline) -> list[dict[str, Any]]:
    """Zoom windows: the whole track, then each corner."""
    x, y = (np.concatenate([outline.left[i], outline.right[i]]) for i in (0, 1))
    margin = 0.07 * outline.size
    limits = (x.min() - margin, x.max() + margin, y.min() - margin, y.max() + margin)
    views = [_view("Whole track", *limits, (0.0, outline.length))]
    reach, along = 85.0, 180.0
    for label in outline.labels:
        title = f"{label.text} {label.name}".strip()
        here = (label.apex_x - reach, label.apex_x + reach, label.apex_y - reach, label.apex_y + reach)
        stretch = (max(0.0, label.distance - along), min(outline.length, label.distance + along))
        views.append(_view(title, *here, stretch))
    return views


def _view(
    label: str, left: float, right: float, bottom: float, top: float, stretch: tuple[float, float]
) -> dict[str, Any]:
    return {"label": label, "x": [float(left), float(right)], "y": [float(bottom), float(top)], "s": list(stretch)}


def _driver_line(look: style.LineStyle, lap: Trace) -> dict[str, Any]:
    return {
        "x": lap["x"].astype(np.float32),
        "y": lap["y"].astype(np.float32),
        "mode": "lines",
        "name": style.plain(lap.driver),
        "hoverinfo": "skip",
        "line": {"color": look.colour, "width": look.width, "dash": look.dash},
    }


def _pieces(lap: Trace, colours: Bands) -> list[dict[str, Any]]:
    """One line for each band that occurs."""
    pieces: list[dict[str, Any]] = []
    for number in np.unique(colours.number):
        inside, band = np.flatnonzero(colours.number == number), colours.bands[number]
        # Each stretch from a point to the next, then a gap: stretches of one colour join without bridges.
        rows = np.column_stack([inside, inside + 1, inside]).ravel()
        x, y = lap["x"][rows].astype(np.float32), lap["y"][rows].astype(np.float32)
        x[2::3] = np.nan
        look = {"color": band.colour, "width": band.width}
        name = {"name": band.name, "showlegend": True} if band.name else {"showlegend": False}
        pieces.append({"x": x, "y": y, "mode": "lines", "line": look, "hoverinfo": "skip"} | name)
    return pieces


def _touch(lap: Trace) -> dict[str, Any]:
    """Points that say distance, speed and gear when they are touched."""
    every = slice(None, None, 5)
    nothing = np.full(len(lap.distance), np.nan)
    speed, gear = lap.channels.get("speed", nothing) * KMH_PER_MS, lap.channels.get("gear", nothing)
    return {
        "x": lap["x"][every].astype(np.float32),
        "y": lap["y"][every].astype(np.float32),
        "mode": "markers",
        "showlegend": False,
        "marker": {"size": 9, "opacity": 0.0},
        "customdata": np.column_stack([lap.distance[every], speed[every], gear[every]]).astype(np.float32),
        "hovertemplate": "%{customdata[0]:.0f} m, %{customdata[1]:.0f} km/h, gear %{customdata[2]:.0f}<extra></extra>",
    }


def _cursor(look: style.LineStyle, lap: Trace, theme: style.Theme) -> dict[str, Any]:
    return {
        "x": lap["x"][:1],
        "y": lap["y"][:1],
        "mode": "markers",
        "name": style.plain(lap.driver),
        "showlegend": False,
        "visible": False,
        "hoverinfo": "skip",
        "marker": {"size": 12, "color": look.colour, "line": {"color": theme.paper, "width": 2}},
    }


def event_map(
    outline: Outline,
    lap: Trace,
    events: Sequence[tuple[str, float, str]],
    height: int = 480,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Where things happened, a sign for each kind.

    Args:
        outline: The track.
        lap: Any lap on it; tells where a distance lies.
        events: Kind, lap distance [m] and words of each.
        height: [px] Of the figure.
        theme: Of the page.
    """
    lines = _road(outline, theme.road, theme)
    signs = ("circle", "diamond", "x", "square", "triangle-up", "cross", "star")
    for i, kind in enumerate(dict.fromkeys(kind for kind, _, _ in events)):
        mine = [event for event in events if event[0] == kind]
        at = np.array([distance for _, distance, _ in mine])
        lines.append(
            {
                "x": np.interp(at, lap.distance, lap["x"]),
                "y": np.interp(at, lap.distance, lap["y"]),
                "mode": "markers",
                "name": style.plain(kind),
                "text": [style.plain(words) for _, _, words in mine],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"size": 10, "symbol": signs[i % len(signs)], "color": style.style_of(i, theme).colour},
            }
        )
    layout = map_layout(outline, height, theme, annotations=[_direction(outline, theme)], showlegend=bool(events))
    return style.plotly().Figure(data=lines, layout=layout)
