"""Curves of laps over distance: laps in, a plotly figure out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace, delta, told_apart
from actwin.analysis.outline import Outline, corner_groups
from actwin.units import KMH_PER_MS

Floats = npt.NDArray[np.float64]

PANELS: Final = ("speed", "delta", "throttle", "brake", "steer", "gear")
"""Panels that `lap_traces` shows unless others are asked for; it also knows "rpm"."""
POINT_BUDGET: Final = 90_000
"""Points that the curves of one figure may have in all; browsers slow down beyond."""


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
        colour: Of a line that stands alone in it; empty for the driver's.
    """

    title: str
    share: float
    series: Sequence[Floats]
    short: str
    digits: int = 0
    axis: Mapping[str, Any] = field(default_factory=dict)
    shape: str = "linear"
    colour: str = ""


def lap_traces(
    traces: Sequence[Trace],
    outline: Outline,
    reference: int = 0,
    height: int = 940,
    looks: style.Looks | None = None,
    panels: Sequence[str] = PANELS,
    theme: style.Theme = style.PRINT,
) -> Any:
    """Speed, delta time, pedals, steering and gear over distance, one below the other on one axis with one cursor.

    `layout.meta` holds what a page needs for a readout at the cursor: `step` [m] from value to value, `drivers`, and
    the `short` name and `digits` of each of the `panels`; the curves are ordered by panel, then driver. Many or long
    laps are drawn with fewer points than they have; delta times are taken from all.

    Args:
        traces: Laps on one axis.
        outline: The track; gives corners and sectors.
        reference: Number of the lap that delta times are taken against; positive = slower than it.
        height: [px] Of the figure.
        looks: Number of each driver's style; by default the place in `traces`.
        panels: Which to show, from the top; those whose channel no lap has are left out.
        theme: Of the page.
    """
    names = told_apart([lap.driver for lap in traces])
    shown = [made for name in panels if (made := _PANELS[name](traces, reference, theme)) is not None]
    points = min(len(traces[0].distance), POINT_BUDGET // max(1, len(traces) * len(shown)))
    step = float(traces[0].distance[-1]) / (points - 1)
    styles = {
        name: style.look_of(lap.driver, i, looks, theme)
        for i, (name, lap) in enumerate(zip(names, traces, strict=True))
    }
    curves, axes, titles = _stacked(step, points, styles, shown, theme)
    lines, labels = _corner_marks(outline, theme)
    along = style.axis("Distance from the line [m]", theme, range=[0.0, outline.length], tickformat=",d")
    spike = {"mode": "across", "snap": "cursor", "thickness": 1, "dash": "solid", "color": theme.muted}
    along |= {"anchor": list(axes)[-1].replace("axis", ""), "showspikes": True}
    along |= {f"spike{name}": value for name, value in spike.items()}
    meta = {
        "step": step,
        "drivers": names,
        "panels": [{"short": panel.short, "digits": panel.digits} for panel in shown],
    }
    layout = style.layout(
        height, theme, margin={"l": 52, "r": 16, "t": 76, "b": 46}, meta=meta, xaxis=along, **axes,
        annotations=titles + labels, shapes=lines, hovermode="x unified", hoversubplots="axis", dragmode="zoom",
    )  # fmt: skip
    layout["legend"] = layout["legend"] | {"yref": "container", "yanchor": "top"}
    # Made in one piece: piece by piece plotly would check all that is there again for each that is added.
    return style.plotly().Figure(data=curves, layout=layout)


def _corner_marks(outline: Outline, theme: style.Theme) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines at corners and sectors through all panels, and names of the corners above them."""
    across = {"type": "line", "yref": "paper", "y0": 0.0, "y1": 1.0, "layer": "below"}
    at = [(label.distance, {"color": theme.grid, "width": 1}) for label in outline.labels]
    at += [(start, {"color": theme.edge, "width": 1, "dash": "dot"}) for start in outline.sectors[1:]]
    labels = [
        {
            "x": distance, "y": 1.0, "yref": "paper", "yanchor": "bottom", "yshift": 13, "name": "corner",
            "text": text, "showarrow": False, "font": {"size": 10, "color": theme.muted},
        }
        for text, distance in corner_groups(outline)
    ]  # fmt: skip
    return [across | {"x0": x, "x1": x, "line": line} for x, line in at], labels


def _channel(traces: Sequence[Trace], name: str, scale: float = 1.0) -> list[Floats] | None:
    """A channel of all laps, NaN where a lap lacks it; None when they all do."""
    series = [scale * lap[name] if name in lap.channels else np.full(len(lap.distance), np.nan) for lap in traces]
    return series if any(np.isfinite(values).any() for values in series) else None


def _simple(name: str, title: str, short: str, scale: float = 1.0, share: float = 1.0, **more: Any) -> _Maker:
    def make(traces: Sequence[Trace], reference: int, theme: style.Theme) -> Panel | None:
        series = _channel(traces, name, scale)
        return None if series is None else Panel(title, share, series, short, **more)

    return make


def _pedal(name: str, title: str, short: str) -> _Maker:
    def make(traces: Sequence[Trace], reference: int, theme: style.Theme) -> Panel | None:
        series, scale = _channel(traces, name, 100.0), {"range": [-4, 104], "dtick": 50}
        colour = theme.throttle if name == "throttle" else theme.brake
        return None if series is None else Panel(title, 1.0, series, short, 0, scale, colour=colour)

    return make


def _delta_panel(traces: Sequence[Trace], reference: int, theme: style.Theme) -> Panel | None:
    if len(traces) < 2:
        return None
    against = traces[reference]
    zero = {"tickformat": ".2~f", "zeroline": True, "zerolinecolor": theme.edge}
    title = f"Delta to {style.plain(against.driver)} [s], up = slower"
    return Panel(title, 1.6, [delta(lap, against) for lap in traces], "delta s", 3, zero)


def _steer_panel(traces: Sequence[Trace], reference: int, theme: style.Theme) -> Panel | None:
    zero = {"zeroline": True, "zerolinecolor": theme.edge}
    angle = _channel(traces, "steer_angle", 180.0 / np.pi)
    if angle is not None:
        return Panel("Steering wheel [°], left positive", 1.2, angle, "steer °", 0, zero)
    share = _channel(traces, "steer", 100.0)
    return None if share is None else Panel("Steering [% of lock], left positive", 1.2, share, "steer %", 0, zero)


_Maker = Callable[[Sequence[Trace], int, style.Theme], "Panel | None"]
_PANELS: Final[dict[str, _Maker]] = {
    "speed": _simple("speed", "Speed [km/h]", "km/h", KMH_PER_MS, 3.2),
    "delta": _delta_panel,
    "throttle": _pedal("throttle", "Throttle [%]", "thr. %"),
    "brake": _pedal("brake", "Brake [%]", "brk. %"),
    "steer": _steer_panel,
    "gear": _simple("gear", "Gear", "gear", axis={"dtick": 2, "rangemode": "tozero"}, shape="hv"),
    "rpm": _simple("rpm", "Engine [1/min]", "rpm", share=1.2, axis={"tickformat": ",d"}),
}


def _stacked(
    step: float,
    points: int,
    styles: Mapping[str, style.LineStyle],
    panels: Sequence[Panel],
    theme: style.Theme,
    gap: float = 0.038,
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """Curves, axes and titles of panels over one horizontal axis, first on top; values stand `step` apart."""
    whole = sum(panel.share for panel in panels)
    room = 1.0 - gap * (len(panels) - 1)
    top, axes, titles, curves = 1.0, {}, [], []
    for number, panel in enumerate(panels, start=1):
        bottom = top - room * panel.share / whole
        key, alone = "" if number == 1 else str(number), len(styles) == 1 and panel.colour
        place = {"domain": [max(bottom, 0.0), top], "anchor": "x"}
        axes[f"yaxis{key}"] = style.axis("", theme) | place | dict(panel.axis)
        titles.append(_panel_title(panel, top, theme))
        for (name, look), values in zip(styles.items(), panel.series, strict=True):
            line = {"color": look.colour, "dash": look.dash, "width": look.width * 0.8, "shape": panel.shape}
            curve = {
                "x0": 0.0,
                "dx": step,
                "y": _thinned(values, points, panel.shape),
                "name": style.plain(name),
                "legendgroup": style.plain(name),
                "showlegend": number == 1,
                "yaxis": f"y{key}",
                "mode": "lines",
                "line": line | ({"color": panel.colour} if alone else {}),
                "hovertemplate": f"%{{y:.{panel.digits}f}} {panel.short}",
            }
            curves.append(curve | ({"fill": "tozeroy", "fillcolor": style.faint(panel.colour)} if alone else {}))
        top = bottom - gap
    return curves, axes, titles


def _thinned(values: Floats, points: int, shape: str) -> npt.NDArray[np.float32]:
    """Values at equal distances, first and last kept; steps stay steps."""
    if points >= len(values):
        return values.astype(np.float32)
    places = np.linspace(0.0, len(values) - 1.0, points)
    if shape == "hv":
        return np.asarray(values[places.astype(int)], np.float32)
    return np.asarray(np.interp(places, np.arange(len(values)), values), np.float32)


def _panel_title(panel: Panel, top: float, theme: style.Theme) -> dict[str, Any]:
    return {
        "text": panel.title,
        "x": 0.0,
        "y": top,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 11, "color": panel.colour or theme.muted},
        "yshift": -1,
    }
