"""How the pictures look: colours, line styles, the common layout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
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


FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"


class Theme(NamedTuple):
    """The colours of a kind of page.

    Attributes:
        paper: Behind everything.
        ink: Text and the start line.
        muted: Titles of axes, labels beside the road.
        grid, frame: Lines of the grid; axes and borders of boxes.
        road: Under driving lines.
        asphalt: A road on its own.
        edge: Of the road, and zero lines.
        arrow: Driving direction, marks.
        reference: The lap that others are compared with.
        tool: Buttons over a figure.
        lines: Of drivers or laps; the first is for the one that is looked at.
        scale: For speeds and other quantities that only grow.
        throttle, brake, neither: What the feet do.
        font: Families, as CSS names them.
    """

    paper: str
    ink: str
    muted: str
    grid: str
    frame: str
    road: str
    asphalt: str
    edge: str
    arrow: str
    reference: LineStyle
    tool: str
    lines: tuple[LineStyle, ...]
    scale: tuple[str, ...]
    throttle: str
    brake: str
    neither: str
    font: str = FONT


PRINT: Final = Theme(
    paper="#ffffff", ink="#1c2127", muted="#68707a", grid="#e6e9ed", frame="#c9ced6", road="#dde1e6",
    asphalt="#4a525c", edge="#9aa3ad", arrow="#d55e00", reference=LineStyle("#6b6f76", "dash", 1.8), tool="#b4bac2",
    lines=(
        LineStyle("#0072b2", "solid", 2.2),
        LineStyle("#e08a00", "dash", 1.7),
        LineStyle("#6b6f76", "dot", 1.7),
        LineStyle("#009e73", "dashdot", 1.7),
        LineStyle("#cc79a7", "longdash", 1.7),
        LineStyle("#56b4e9", "longdashdot", 1.7),
    ),
    scale=("#440154", "#472f7d", "#39568c", "#2a788e", "#1f988b", "#35b779", "#7ad151", "#c2df23"),
    throttle="#009e73", brake="#d55e00", neither="#9aa3ad",
)  # fmt: skip
"""White paper: reports. Okabe and Ito's colours, darkened where they would be faint on white; viridis without its last
step, which would vanish."""

SCREEN: Final = Theme(
    paper="#12161b", ink="#e8ebee", muted="#98a2ad", grid="#232a32", frame="#333c46", road="#2a323b",
    asphalt="#5b6672", edge="#596570", arrow="#ff9d3d", reference=LineStyle("#aab4bf", "dash", 1.6), tool="#5b6672",
    lines=(
        LineStyle("#56b4e9", "solid", 2.1),
        LineStyle("#f0a022", "dash", 1.7),
        LineStyle("#e58fc1", "dot", 1.8),
        LineStyle("#33c49a", "dashdot", 1.7),
        LineStyle("#f0e442", "longdash", 1.7),
        LineStyle("#e8774a", "longdashdot", 1.7),
    ),
    scale=("#5a4fcf", "#4672c4", "#3791ab", "#2cab8e", "#4cc46c", "#93d74c", "#cfe13f", "#fde725"),
    throttle="#33c49a", brake="#ff7a45", neither="#6c7783",
    font=f"'Source Sans', {FONT}",
)  # fmt: skip
"""A dark screen: the dashboard. The same hues, lighter."""

REFERENCE: Final = -1
"""Number of the style of the lap that others are compared with: grey and dashed."""


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


def style_of(index: int, theme: Theme = PRINT) -> LineStyle:
    """The style with a number; beyond the last one a colour comes again with other dashes."""
    if index == REFERENCE:
        return theme.reference
    again, place = divmod(index, len(theme.lines))
    look = theme.lines[place]
    return look if not again else look._replace(dash=theme.lines[(place + 2 * again) % len(theme.lines)].dash)


def look_of(driver: str, index: int, looks: Looks | None, theme: Theme = PRINT) -> LineStyle:
    """The style of a driver.

    Args:
        driver: Name.
        index: Place in the picture, which decides when `looks` does not.
        looks: Keeps a driver's style the same in pictures that do not show everybody.
        theme: Of the page.
    """
    return style_of((looks or {}).get(driver, index), theme)


def colour_at(share: float, colours: Sequence[str] = PRINT.scale) -> str:
    """A colour of a scale, mixed between its neighbours, as `#rrggbb`.

    Args:
        share: [-] 0 for the first colour to 1 for the last.
        colours: Of the scale, each `#rrggbb`.
    """
    place = min(max(share, 0.0), 1.0) * (len(colours) - 1)
    low = min(int(place), len(colours) - 2)
    part = place - low
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours[low : low + 2]]
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in zip(*ends, strict=True))


TEXT_LIMIT: Final = 60


def plain(text: str) -> str:
    """A text from outside for a figure: plotly reads tags and links in names and titles, so they are made harmless.

    Args:
        text: Anything; only the beginning of a long one is kept.
    """
    printable = "".join(each if each.isprintable() else " " for each in text[: TEXT_LIMIT + 1])
    return escape(printable if len(printable) <= TEXT_LIMIT else printable[:TEXT_LIMIT] + "…", quote=False)


def faint(colour: str, share: float = 0.22) -> str:
    """A colour that lets others through, for fills.

    Args:
        colour: `#rrggbb`.
        share: [-] Of the colour.
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def colour_scale(colours: Sequence[str]) -> list[list[Any]]:
    """Colours in equal steps as plotly wants a colour scale."""
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]


def layout(height: int, theme: Theme = PRINT, **more: Any) -> dict[str, Any]:
    """The layout that every figure begins with.

    Args:
        height: [px] Of the figure; the width follows the page.
        theme: Of the page.
        more: Added, or put in the place of what stands here.
    """
    base: dict[str, Any] = {
        "height": height,
        "autosize": True,
        "paper_bgcolor": theme.paper,
        "plot_bgcolor": theme.paper,
        "font": {"family": theme.font, "size": 13, "color": theme.ink},
        "margin": {"l": 52, "r": 16, "t": 30, "b": 46},
        "legend": {"orientation": "h", "x": 0.0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        "hoverlabel": {"bgcolor": theme.paper, "bordercolor": theme.frame, "font": {"family": theme.font, "size": 12}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme.tool, "activecolor": theme.ink},
    }
    return base | more


def axis(title: str = "", theme: Theme = PRINT, **more: Any) -> dict[str, Any]:
    """An axis with a thin grid and no zero line."""
    base: dict[str, Any] = {
        "gridcolor": theme.grid,
        "linecolor": theme.frame,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": theme.frame,
        "ticklen": 4,
    }
    if title:
        base["title"] = {"text": title, "font": {"size": 12, "color": theme.muted}, "standoff": 8}
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
