"""What a driving line on a map is coloured by: a lap in, bands of colour out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis import figure_style as style
from actwin.analysis.compare import Trace, delta
from actwin.units import GRAVITY, KMH_PER_MS

Floats = npt.NDArray[np.float64]

STEPS: Final = 28
"""Colours of a quantity that varies smoothly; each is one line, so that the picture stays sharp at every zoom."""
GAIN_WINDOW: Final = 60.0
"""[m] Over which gains and losses of time are averaged."""
LOSS_COLOURS: Final = ("#2b83d6", "#7fb4e6", "#b9bec4", "#f2b36b", "#e0701a")
"""Time gained (blue) to time lost (orange)."""
_PEDAL_DOWN: Final = 0.05
_WIDTH: Final = 4.5


class Band(NamedTuple):
    """One colour of a line."""

    colour: str
    width: float
    """[px]"""
    name: str = ""
    """For the legend; empty where a colour bar tells."""


class Bar(NamedTuple):
    """The scale beside a picture."""

    title: str
    low: float
    high: float
    colours: tuple[str, ...]


class Bands(NamedTuple):
    """A lap's line in colours.

    Attributes:
        number: Band of the stretch from each point to the next, [M - 1].
        bands: The colours.
        bar: The scale; None when the bands have names.
    """

    number: npt.NDArray[np.intp]
    bands: tuple[Band, ...]
    bar: Bar | None


def limits(laps: list[Trace]) -> tuple[float, float]:
    """[km/h] Round limits that hold the speeds of all laps."""
    speeds = np.concatenate([lap["speed"] for lap in laps]) * KMH_PER_MS
    known = speeds[np.isfinite(speeds)]
    if not len(known):
        return 0.0, 100.0
    return float(np.floor(known.min() / 10.0) * 10.0), float(np.ceil(known.max() / 10.0) * 10.0)


def _smooth(values: Floats, low: float, high: float, title: str, colours: tuple[str, ...]) -> Bands:
    share = (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-9)
    number = np.clip((share * STEPS).astype(np.intp), 0, STEPS - 1)[:-1]
    bands = tuple(Band(style.colour_at((step + 0.5) / STEPS, colours), _WIDTH) for step in range(STEPS))
    return Bands(number, bands, Bar(title, low, high, colours))


def _speed(lap: Trace, reference: Trace | None, theme: style.Theme, scale: tuple[float, float]) -> Bands:
    return _smooth(lap["speed"] * KMH_PER_MS, *scale, "km/h", theme.scale)


def _gear(lap: Trace, reference: Trace | None, theme: style.Theme, scale: tuple[float, float]) -> Bands:
    gears = np.nan_to_num(lap["gear"]).astype(np.intp)[:-1]
    known = np.unique(gears)
    top = max(int(known.max(initial=1)), 2)
    shares = [(max(int(gear), 1) - 1) / (top - 1) for gear in known]
    names = [{-1: "R", 0: "N"}.get(int(gear), str(gear)) for gear in known]
    bands = tuple(
        Band(style.colour_at(share, theme.scale), _WIDTH, name) for share, name in zip(shares, names, strict=True)
    )
    return Bands(np.searchsorted(known, gears).astype(np.intp), bands, None)


def _pedals(lap: Trace, reference: Trace | None, theme: style.Theme, scale: tuple[float, float]) -> Bands:
    braking, pushing = lap["brake"][:-1] > _PEDAL_DOWN, lap["throttle"][:-1] > _PEDAL_DOWN
    number = np.where(braking, 0, np.where(pushing, 1, 2)).astype(np.intp)
    # Width tells as much as colour: braking is the widest, nothing the thinnest.
    bands = (
        Band(theme.brake, 7.5, "brake"),
        Band(theme.throttle, 4.0, "throttle"),
        Band(theme.neither, 2.0, "neither"),
    )
    return Bands(number, bands, None)


def _lateral(lap: Trace, reference: Trace | None, theme: style.Theme, scale: tuple[float, float]) -> Bands:
    g = np.abs(lap["ay"]) / GRAVITY
    return _smooth(g, 0.0, float(max(1.0, np.ceil(np.nanpercentile(g, 99.5)))), "lateral g", theme.scale)


def _delta(lap: Trace, reference: Trace | None, theme: style.Theme, scale: tuple[float, float]) -> Bands:
    if reference is None:
        return _speed(lap, reference, theme, scale)
    rate = loss_rate(lap, reference)
    reach = float(max(0.02, np.nanpercentile(np.abs(rate), 97.0)))
    return _smooth(rate, -reach, reach, "s lost per 100 m", LOSS_COLOURS)


def loss_rate(lap: Trace, reference: Trace) -> Floats:
    """[s per 100 m] Time lost to the reference around each place, negative where it is gained, [M]."""
    gap, step = delta(lap, reference), float(lap.distance[1] - lap.distance[0])
    half = max(1, round(0.5 * GAIN_WINDOW / step))
    ahead = np.concatenate([gap[half:], np.full(half, gap[-1])])
    behind = np.concatenate([np.full(half, gap[0]), gap[:-half]])
    return np.asarray((ahead - behind) / (2.0 * half * step) * 100.0)


_Colouring = Callable[[Trace, "Trace | None", style.Theme, "tuple[float, float]"], Bands]
COLOURINGS: Final[dict[str, tuple[_Colouring, tuple[str, ...]]]] = {
    "speed": (_speed, ("speed",)),
    "gear": (_gear, ("gear",)),
    "pedals": (_pedals, ("throttle", "brake")),
    "lateral": (_lateral, ("ay",)),
    "delta": (_delta, ("speed",)),
}
"""By name: the function and the channels it needs."""


def bands(
    lap: Trace, by: str, theme: style.Theme, scale: tuple[float, float], reference: Trace | None = None
) -> Bands | None:
    """A lap's line in colours.

    Args:
        lap: The lap.
        by: One of `COLOURINGS`.
        theme: Of the page.
        scale: [km/h] Limits of speeds.
        reference: For "delta".

    Returns:
        None when the lap lacks a channel that is needed.
    """
    colour, needed = COLOURINGS[by]
    if not all(name in lap.channels and np.isfinite(lap[name]).any() for name in needed):
        return None
    return colour(lap, reference, theme, scale)


def bar_marker(bar: Bar) -> dict[str, Any]:
    """The scale as plotly draws it, as the marker of an empty curve."""
    look = {
        "title": {"text": bar.title, "side": "top", "font": {"size": 12}},
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
    return {
        "color": [bar.low, bar.high],
        "cmin": bar.low,
        "cmax": bar.high,
        "colorscale": style.colour_scale(bar.colours),
        "colorbar": look,
        "showscale": True,
    }
