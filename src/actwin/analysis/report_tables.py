"""Tables of reports: laps and other rows in, HTML out, every text escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from actwin.analysis.lap_table import LapRow, Mark, lap_table
from actwin.analysis.laps import Lap
from actwin.units import KMH_PER_MS, lap_time_text

KEY = (
    '<ul class="key"><li><span class="purple"></span>best of all</li>'
    '<li><span class="green"></span>driver\'s own best</li><li>'
    '<span class="yellow"></span>no improvement</li><li>grey: the lap does not count</li></ul>'
)


def laps_as_html(laps: Sequence[Lap], swatches: Sequence[str] = ()) -> str:
    """A lap table in the colours of a timing screen.

    Args:
        laps: In the order of the table.
        swatches: HTML before the driver of each lap, from `page.swatch`.
    """
    rows = lap_table(laps)
    sectors = max((len(row.lap.sectors) for row in rows), default=0)
    heads = ["Lap", "Time", "Gap", *(f"S{i + 1}" for i in range(sectors)), "Top speed", "Counts"]
    head = '<th class="text">Driver</th>' + "".join(f"<th>{name}</th>" for name in heads)
    marks = swatches or [""] * len(rows)
    body = "".join(_lap_line(row, swatch, sectors) for row, swatch in zip(rows, marks, strict=True))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{KEY}'


def _lap_line(row: LapRow, swatch: str, sectors: int) -> str:
    lap = row.lap
    gap = "" if not math.isfinite(row.gap) or not lap.valid else ("best" if row.gap == 0.0 else f"+{row.gap:.3f}")
    counts = "yes" if lap.valid else lap.reason or f"{lap.tyres_out} wheels off"
    speed = f"{lap.top_speed * KMH_PER_MS:.0f} km/h" if math.isfinite(lap.top_speed) else "–"
    parts = [
        f'<td class="{mark.value}">{time:.3f}</td>' if math.isfinite(time) else "<td>–</td>"
        for time, mark in zip(lap.sectors, row.sector_marks, strict=False)
    ]
    cells = [
        f'<td class="text">{swatch}{escape(lap.driver)}</td><td>{lap.number}</td>',
        f'<td class="{row.mark.value}">{lap_time_text(lap.time) if lap.whole else "–"}</td><td>{gap}</td>',
        *parts,
        *(["<td></td>"] * (sectors - len(parts))),
        f"<td>{speed}</td><td>{escape(counts)}</td>",
    ]
    kind = ' class="grey"' if row.mark is Mark.INVALID else ""
    return f"<tr{kind}>{''.join(cells)}</tr>"


def rows_as_html(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A plain table.

    Args:
        heads: Headings.
        rows: Plain texts, a cell for each heading.
        texts: How many columns, from the left, hold words; the others hold numbers.
    """
    kinds = [' class="text"' if i < texts else "" for i in range(len(heads))]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
