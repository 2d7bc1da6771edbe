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
from actwin.units import KMH_PER_MS, lap_time_text

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

    drivers, track = session.laps.drivers, session.track
    told = " ".join(filter(None, (session.meta.track, session.meta.layout))) or "track unknown"
    heading = [track.title if track is not None else told, session.meta.car, *drivers]
    console().print(f"{session.name}: {', '.join(filter(None, heading))}", soft_wrap=True)
    if not session.laps:
        console().print(
            "It tells no lap: neither a place on the lap nor a lap clock that begins anew. "
            "With positions, give its track: --track NAME or a track file.",
            soft_wrap=True,
        )
        return
    sectors = max(len(lap.sectors) for lap in session.laps)
    sectors = sectors if sectors > 1 else 0
    several = {"Drive": len(session.drives) > len(drivers), "Driver": len(drivers) > 1}
    who = [name for name, shown in several.items() if shown]  # what tells the laps apart
    heads = [*who, "Lap", "Stint", "Time", "Gap", *(f"S{i + 1}" for i in range(sectors)), "Top km/h", "Note"]
    out = table(*heads, numbers=tuple(range(len(who), len(heads) - 1)))
    for lap, row in zip(session.laps, lap_table(session.laps), strict=True):
        names = [{"Drive": session.names[lap.drive], "Driver": lap.driver}[name] for name in who]
        out.add_row(*names, *_cells(row, sectors), style=SIGN["grey"][1] if row.mark.value == "grey" else None)
    console().print(out)
    console().print(_bests_in_words(session, sectors))


def _bests_in_words(session: DrivenSession, sectors: int) -> str:
    laps, best = session.laps, session.laps.fastest()
    if best is None:
        return "No lap counts."
    times = {"best": best.time}
    if sectors:
        times |= {"sum of best sectors": laps.theoretical_best(), "rolling best": laps.rolling_best()}
    told = ", ".join(f"{name} {lap_time_text(time)}" for name, time in times.items())
    return f"{told}\n* best of all, + driver's own best; grey or in the note: does not count"


def _cells(row: LapRow, sectors: int) -> list[str | Text]:
    """All but who drove it; `sectors` cells of sector times."""
    lap = row.lap
    gap = "" if not math.isfinite(row.gap) or row.gap == 0.0 else f"{row.gap:+.3f}"
    times = [_marked(f"{time:.3f}", mark.value) for time, mark in zip(lap.sectors, row.sector_marks, strict=True)]
    blank: list[str | Text] = [""] * sectors
    speed = f"{lap.top_speed * KMH_PER_MS:.1f}" if math.isfinite(lap.top_speed) else ""
    time = lap_time_text(lap.time) if lap.whole else f"({lap_time_text(lap.time)})"
    kind = "" if lap.kind in ("flying", "partial") else f"{lap.kind} lap"
    note = ", ".join(filter(None, (kind, "" if lap.reason == "pit" and kind else lap.reason)))
    shown = [*times, *blank][:sectors]
    return [str(lap.number), str(lap.stint), _marked(time, row.mark.value), gap, *shown, speed, note]


def _marked(text: str, mark: str) -> Text:
    """A time in its colour, with a sign for terminals and eyes that show none."""
    from rich.text import Text

    sign, colour = SIGN[mark]
    return Text(f"{text}{sign or ' '}", style=colour)
