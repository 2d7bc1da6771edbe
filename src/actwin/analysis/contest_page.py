"""The page of a comparison: traces, racing lines, sectors and corners; one HTML file that works offline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from actwin.analysis.contest import LEAST_LOSS, Contest, Stretch
from actwin.analysis.figures import PANELS, lap_traces
from actwin.analysis.outline import Outline, outline, outline_of_lap
from actwin.analysis.page import figure_place, map_with_controls, page, section, swatch
from actwin.units import KMH_PER_MS, lap_time_text


def contest_page(contest: Contest, title: str = "") -> str:
    """The page's HTML. Every text may hold anything; it is escaped.

    Args:
        contest: What is compared.
        title: Of track and car, for people.
    """
    traces, reference = contest.traces, contest.traces[contest.reference]
    looks = {lap.driver: i for i, lap in enumerate(traces)}
    shape = drawing_of(contest, title)
    placed = [lap for lap in traces if "x" in lap.channels and "y" in lap.channels]
    drawing = map_with_controls(shape, placed, looks)
    drawing += '<div class="scroll"><table id="readout"></table></div>'
    curves = figure_place("traces", lap_traces(traces, shape, contest.reference, 1040, looks, (*PANELS, "rpm")), 980)
    note = (
        f"Delta is the time behind {reference.driver}: above zero is slower. Touch the curves and the dots on the map "
        "follow. Drag over a stretch to zoom in, double click to come back."
    )
    body = f'<div class="beside"><div class="sticky">{drawing}</div><div>{curves}</div></div>'
    parts = [section("Where the time comes from", note, body)]
    for name, stretches in (("Sectors", contest.sectors), ("Corner by corner", contest.corners)):
        if stretches:
            parts.append(section(name, _NOTES[name], _table(contest, stretches)))
    parts += [_sentences(contest, i) for i in range(len(traces)) if i != contest.reference]
    tiles = "".join(f"<div><dt>{escape(lap.driver)}</dt><dd>{lap_time_text(lap.lap_time)}</dd></div>" for lap in traces)
    headline = f"{traces[0].driver} against {reference.driver}"
    lede = f"{len(traces)} laps on {shape.length:.0f} m."
    return page(headline, title, headline, lede, tiles, "\n".join(filter(None, parts)))


_NOTES = {
    "Sectors": "Between the track's sector lines; seconds behind the reference, positive = slower.",
    "Corner by corner": "From half way after the corner before to half way to the next; seconds behind the reference "
    "and lowest speed.",
}


def drawing_of(contest: Contest, title: str) -> Outline:
    """The track with its borders if the laps lie on it, else what the first lap drove."""
    if contest.track is not None and contest.on_track:
        return outline(contest.track)
    first = next((lap for lap in contest.traces if "x" in lap.channels), contest.traces[0])
    if contest.track is None:
        return outline_of_lap(first, title)
    return outline_of_lap(first, contest.track.title, contest.track.sectors)


def _table(contest: Contest, stretches: Sequence[Stretch]) -> str:
    names = "".join(
        f"<th>{swatch(i)}{escape(lap.driver)}</th><th>Slowest at</th>" for i, lap in enumerate(contest.traces)
    )
    head = f'<tr><th class="text">Stretch</th>{names}</tr>'
    rows = []
    for stretch in stretches:
        cells = ""
        for lap, time in enumerate(stretch.times):
            best = " class=fastest" if time == min(stretch.times) else ""
            gap = f"{time:.3f} s" if lap == contest.reference else f"{stretch.behind(lap, contest.reference):+.3f}"
            speed = stretch.slowest[lap]
            cells += f"<td{best}>{gap}</td><td>{f'{speed * KMH_PER_MS:.0f} km/h' if math.isfinite(speed) else ''}</td>"
        rows.append(f'<tr><td class="text">{escape(stretch.name)}</td>{cells}</tr>')
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _sentences(contest: Contest, lap: int, most: int = 6) -> str:
    lost = [loss for loss in contest.losses(lap) if loss.seconds >= LEAST_LOSS][:most]
    if not lost:
        return ""
    names = contest.traces[lap].driver, contest.traces[contest.reference].driver
    body = "".join(f"<li>{escape(loss.sentence)}</li>" for loss in lost)
    return section(f"Where {names[0]} loses time", f"Against {names[1]}, the most first.", f"<ol>{body}</ol>")
