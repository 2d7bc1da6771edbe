"""Pages: the frame that every HTML file shares, and the pieces it is made of."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import actwin
from actwin.analysis.compare import Trace
from actwin.analysis.figure_style import Looks, style_of
from actwin.analysis.outline import Outline, outline
from actwin.analysis.track_figure import track_map
from actwin.content.track import Track
from actwin.errors import ContentError, MissingExtraError


def page(title: str, eyebrow: str, headline: str, lede: str, tiles: str, sections: str) -> str:
    """The whole page; all but `tiles` and `sections` is plain text."""
    return Template(_asset("report.html")).substitute(
        version=escape(actwin.__version__),
        title=escape(title),
        eyebrow=escape(eyebrow),
        headline=escape(headline),
        lede=escape(lede),
        tiles=f'<dl class="tiles">{tiles}</dl>' if tiles else "",
        sections=sections,
        style=_asset("report.css"),
        script=_asset("report.js"),
        plotly=_plotly_source(),
    )


def _asset(name: str) -> str:
    return files("actwin.analysis").joinpath("assets", name).read_text(encoding="utf-8")


def _plotly_source() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingExtraError("plotly", "dashboard") from error
    return str(get_plotlyjs())


def section(title: str, note: str, body: str) -> str:
    """A part of a page: title and note are plain text, the body is HTML."""
    return f'<section><h2>{escape(title)}</h2><p class="note">{escape(note)}</p>{body}</section>'


def figure_place(name: str, figure: Any, narrow: int | None = None) -> str:
    """A place for a figure with its data beside it; `narrow` is its height [px] on a phone."""
    data = figure.to_json().replace("<", "\\u003c")
    height = f' data-narrow="{narrow}"' if narrow else ""
    return (
        f'<div class="figure" id="{name}"{height}></div>'
        f'<script type="application/json" id="{name}-data">{data}</script>'
    )


def swatch(index: int) -> str:
    """A short piece of the driver's line, as in the figures."""
    look = style_of(index)
    dashes = {"solid": "none", "dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4"}.get(
        look.dash, "11 3 2 3"
    )
    return (
        '<svg class="swatch" width="26" height="4" aria-hidden="true"><line x1="0" y1="2" x2="26" y2="2" '
        f'stroke="{look.colour}" stroke-width="3" stroke-dasharray="{dashes}"/></svg>'
    )


def map_with_controls(shape: Outline, traces: Sequence[Trace], looks: Looks | None = None) -> str:
    """The track map with the controls above it."""
    controls = '<label>Show <select id="map-view"></select></label>'
    if traces:
        controls += '<label>Speed of <select id="map-speed"></select></label>'
    return f'<div class="controls">{controls}</div>' + figure_place("map", track_map(shape, traces, looks=looks), 400)


def write_track_page(track: Track, path: str | Path) -> Path:
    """Writes a page that shows a track alone.

    Args:
        track: The track.
        path: The HTML file.

    Returns:
        The file that was written.
    """
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in track.describe().items() if name != "title"
    )
    rows = "".join(
        f'<tr><td class="text">T{corner.number}</td><td class="text">{escape(corner.name)}</td>'
        f"<td>{corner.start:.0f} m</td><td>{corner.apex:.0f} m</td><td>{corner.end:.0f} m</td></tr>"
        for corner in track.corners
    )
    head = '<tr><th class="text">Corner</th><th class="text">Name</th><th>From</th><th>Apex</th><th>To</th></tr>'
    corners = f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>' if rows else ""
    map_part = f"<section>{map_with_controls(outline(track), ())}</section>"
    sections = (
        f'{map_part}<section><div class="columns"><div>{corners}</div><dl class="facts">{facts}</dl></div></section>'
    )
    lede = f"{track.length:.0f} m, {len(track.corners)} corners."
    whole = page(track.title, "Track", track.title, lede, "", sections)
    return write_page(whole, path)


def write_page(html: str, path: str | Path) -> Path:
    """Writes a page and the folders it lies in; the file that was written.

    Raises:
        ContentError: It cannot be written there.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        why = f"cannot be written: {error.strerror}."
        raise ContentError(path, "", why, "Give a file in a folder that you may write to.") from error
    return path


def open_in_browser(path: Path) -> bool:
    """Shows a page in the browser when there is a screen.

    Returns:
        Whether it was shown.
    """
    screen = sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    remote = bool(os.environ.get("SSH_CONNECTION") or os.environ.get("CI"))
    if not screen or remote:
        return False
    try:
        return webbrowser.open(path.resolve().as_uri())
    except (OSError, webbrowser.Error):
        return False
