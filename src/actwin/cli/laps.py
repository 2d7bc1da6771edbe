"""`actwin laps`: the lap table of a session."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from rich.text import Text

    from actwin.analysis.lap_table import LapRow
    from actwin.analysis.session import DrivenSession

EXAMPLES = "Examples: actwin laps last · actwin laps demo --csv · actwin laps SESSION --track fast_lane.ai"
SIGN: Final = {
    "purple": ("*", "magenta"),
    "green": ("+", "green"),
    "yellow": ("", "yellow"),
    "grey": ("", "bright_black"),
}
"""What stands behind a time and its colour, by mark; the sign says it where no colour is shown."""


def laps(
    session: Annotated[
        str, typer.Argument(help="Session by name, its beginning or folder, last; or a rollout, or a demo's folder.")
    ] = "last",
    track: Annotated[
        str | None, typer.Option("--track", "-t", help="Track by name or file (the game's fast_lane.ai too).")
    ] = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    folder: SessionsOption = None,
) -> None:
    """Show the laps of a session: times, sectors, what counts and why not, and the bests."""
    from actwin.analysis.session import open_session
    from actwin.telemetry.store.folder import DEFAULT

    opened = open_session(session, track, folder or DEFAULT)
    records = opened.laps.records()
    if as_json:
        typer.echo(json.dumps({"session": opened.name, "laps": records, **_bests(opened)}, indent=2))
    elif as_csv:
        typer.echo(_csv(records), nl=False)
    else:
        _print(opened)


def _bests(session: DrivenSession) -> dict[str, Any]:
    laps, best = session.laps, session.laps.fastest()
    times = {"theoretical_best": laps.theoretical_best(), "rolling_best": laps.rolling_best()}
    known = {name: time if math.isfinite(time) else None for name, time in times.items()}
    return {"best": None if best is None else best.number, "best_time": None if best is None else best.time} | known


def _csv(records: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    if records:
        writer = csv.DictWriter(out, records[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    return out.getvalue()


def _print(session: DrivenSession) -> None:
    from actwin.analysis.lap_table import lap_table
    from actwin.units import lap_time_text

    where = " ".join(filter(None, (session.meta.track, session.meta.layout))) or "track unknown"
    by = ", ".join(filter(None, (session.meta.car, *session.laps.drivers)))
    console().print(f"{session.name}: {where}{', ' if by else ''}{by}", soft_wrap=True)
    rows = lap_table(session.laps)
    if not rows:
        console().print(
            "It tells no lap: neither a place on the lap nor a lap clock that begins anew. "
            "With positions, give its track: --track NAME or a track file.",
            soft_wrap=True,
        )
        return
    count = max((len(row.lap.sectors) for row in rows), default=0)
    sectors = [f"S{number}" for number in range(1, count + 1)] if count > 1 else []
    several = len(session.laps.drivers) > 1
    heads = ["Lap", *(["Driver"] if several else []), "Stint", "Time", "Gap", *sectors, "Top km/h", "Note"]
    numbers = tuple(i for i, head in enumerate(heads) if head not in ("Driver", "Note"))
    out = table(*heads, numbers=numbers)
    for row in rows:
        out.add_row(*_cells(row, several, len(sectors)), style=SIGN["grey"][1] if row.mark.value == "grey" else None)
    console().print(out)
    best, laps = session.laps.fastest(), session.laps
    if best is None:
        console().print("No lap counts.")
        return
    bests = [
        ("best", best.time),
        ("sum of best sectors", laps.theoretical_best()),
        ("rolling best", laps.rolling_best()),
    ]
    console().print(", ".join(f"{name} {lap_time_text(time)}" for name, time in bests[: 3 if count > 1 else 1]))
    console().print("* best of all, + driver's own best; grey or in the note: does not count")


def _cells(row: LapRow, several: bool, sectors: int) -> list[str | Text]:
    from rich.text import Text

    from actwin.units import KMH_PER_MS, lap_time_text

    lap = row.lap
    gap = "" if not math.isfinite(row.gap) or row.gap == 0.0 else f"{row.gap:+.3f}"
    times = [_marked(f"{time:.3f}", mark.value) for time, mark in zip(lap.sectors, row.sector_marks, strict=True)]
    times = times[:sectors] + [Text()] * (sectors - len(times))
    speed = f"{lap.top_speed * KMH_PER_MS:.1f}" if math.isfinite(lap.top_speed) else ""
    time = lap_time_text(lap.time) if lap.whole else f"({lap_time_text(lap.time)})"
    kind = "" if lap.kind in ("flying", "partial") else f"{lap.kind} lap"
    note = ", ".join(filter(None, (kind, "" if lap.reason == "pit" and kind else lap.reason)))
    cells: list[str | Text] = [str(lap.number), *([lap.driver] if several else []), str(lap.stint)]
    return [*cells, _marked(time, row.mark.value), gap, *times, speed, note]


def _marked(text: str, mark: str) -> Text:
    """A time in its colour, with a sign for terminals and eyes that show none."""
    from rich.text import Text

    sign, colour = SIGN[mark]
    return Text(f"{text}{sign or ' '}", style=colour)
