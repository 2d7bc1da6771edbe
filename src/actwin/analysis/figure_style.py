"""How the pictures look: colours, line styles, the common layout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from actwin.errors import MissingExtraError
from actwin.units import lap_time_text


class LineStyle(NamedTuple):
    """How a driver's lines are drawn.

    Drivers differ in hue, lightness and dashes, so that neither print nor colour blindness loses one.
    """

    colour: str
    dash: str
    width: float


STYLES: Final = (
    LineStyle("#0072b2", "solid", 2.2),
    LineStyle("#e08a00", "dash", 1.7),
    LineStyle("#6b6f76", "dot", 1.7),
    LineStyle("#009e73", "dashdot", 1.7),
    LineStyle("#cc79a7", "longdash", 1.7),
    LineStyle("#56b4e9", "longdashdot", 1.7),
)
"""Okabe and Ito's colours, darkened where they would be faint on white; the first is for the lap that is looked at."""

INK: Final = "#1c2127"
MUTED: Final = "#68707a"
GRID: Final = "#e6e9ed"
ROAD: Final = "#dde1e6"
"""Under driving lines."""
ASPHALT: Final = "#4a525c"
"""A road on its own."""
ARROW: Final = "#d55e00"
EDGE: Final = "#9aa3ad"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"

SPEED_COLOURS: Final = ("#440154", "#472f7d", "#39568c", "#2a788e", "#1f988b", "#35b779", "#7ad151", "#c2df23")
"""Viridis without its last step, which would vanish on white paper."""


def plotly() -> Any:
    """`plotly.graph_objects`; imported here, so that everything else works without it.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise MissingExtraError("plotly", "dashboard") from error
    return plotly.graph_objects


Looks = Mapping[str, int]
"""Number of the style of each driver by name."""


def style_of(index: int) -> LineStyle:
    """The style with a number."""
    return STYLES[index % len(STYLES)]


def look_of(driver: str, index: int, looks: Looks | None) -> LineStyle:
    """The style of a driver.

    Args:
        driver: Name.
        index: Place in the picture, which decides when `looks` does not.
        looks: Keeps a driver's style the same in pictures that do not show everybody.
    """
    return style_of((looks or {}).get(driver, index))


def colour_at(share: float) -> str:
    """A colour of `SPEED_COLOURS`, mixed between its neighbours, as `#rrggbb`.

    Args:
        share: [-] 0 for the first colour to 1 for the last.
    """
    place = min(max(share, 0.0), 1.0) * (len(SPEED_COLOURS) - 1)
    low = min(int(place), len(SPEED_COLOURS) - 2)
    part = place - low
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in SPEED_COLOURS[low : low + 2]]
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(*ends, strict=True))


def speed_scale() -> list[list[Any]]:
    """`SPEED_COLOURS` as plotly wants a colour scale."""
    return [[i / (len(SPEED_COLOURS) - 1), colour] for i, colour in enumerate(SPEED_COLOURS)]


def layout(height: int, **more: Any) -> dict[str, Any]:
    """The layout that every figure begins with.

    Args:
        height: [px] Of the figure; the width follows the page.
        more: Added, or put in the place of what stands here.
    """
    base: dict[str, Any] = {
        "height": height,
        "autosize": True,
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "font": {"family": FONT, "size": 13, "color": INK},
        "margin": {"l": 52, "r": 16, "t": 30, "b": 46},
        "legend": {"orientation": "h", "x": 0.0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": "#c9ced6", "font": {"family": FONT, "size": 12}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#b4bac2", "activecolor": INK},
    }
    return base | more


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis with a thin grid and no zero line."""
    base: dict[str, Any] = {
        "gridcolor": GRID,
        "linecolor": "#c9ced6",
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": "#c9ced6",
        "ticklen": 4,
    }
    if title:
        base["title"] = {"text": title, "font": {"size": 12, "color": MUTED}, "standoff": 8}
    return base | more


def lap_time_ticks(times: Sequence[float], count: int = 6) -> tuple[list[float], list[str]]:
    """Round ticks for an axis of lap times.

    Args:
        times: [s] What the axis shows; values that are not finite are passed over.
        count: About how many ticks.

    Returns:
        [s] Places, and their texts as racers write lap times.
    """
    finite = [time for time in times if math.isfinite(time)]
    if not finite:
        return [], []
    low, high = min(finite), max(finite)
    steps = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
    step = next((step for step in steps if (high - low) / step <= count), 120.0)
    first, last = math.floor(low / step), math.ceil(high / step)
    places = [round(i * step, 3) for i in range(first, last + 1)]
    return places, [lap_time_text(place) for place in places]
