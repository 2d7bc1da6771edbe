"""`actwin compare`: laps side by side."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.analysis.compare import Trace
    from actwin.analysis.contest import Contest, Stretch
    from actwin.analysis.session import DrivenLap, DrivenSession
    from actwin.content.track import Track

EXAMPLES = (
    "Examples: actwin compare last:2 last:best · actwin compare last expert profile --html laps.html · "
    "actwin compare SESSION fast_lane.ai --track fast_lane.ai"
)
EXPERT: Final = "expert"
PROFILE: Final = "profile"


def compare(
    laps: Annotated[
        list[str],
        typer.Argument(
            help="Two to four of: SESSION (its best lap), SESSION:NUMBER, SESSION:best, a rollout, a demo's folder; "
            "expert, the scripted driver; profile, the predicted lap; a fast_lane.ai, the game's own drivers. "
            "The last is what the others are measured against.",
            show_default=False,
        ),
    ],
    track: Annotated[str | None, typer.Option("--track", "-t", help="Track by name or file.")] = None,
    car: Annotated[str | None, typer.Option("--car", "-c", help="Car of expert and profile.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write figures and tables into this file.")] = None,
    as_json: JsonOption = False,
    folder: SessionsOption = None,
) -> None:
    """Compare laps on one distance axis: seconds lost and won by sector and corner; positive = slower."""
    from actwin.analysis.contest import contest, home
    from actwin.content.library import load_track
    from actwin.telemetry.store.folder import DEFAULT

    road = None if track is None else load_track(track)
    driven = {text: _driven(text, road, folder or DEFAULT) for text in laps if not _ideal(text)}
    session = home(driven.values())
    compared = contest([driven[text] if text in driven else _made(text, session, car) for text in laps])
    if html is not None:
        _write(compared, session, html)
    if as_json:
        typer.echo(json.dumps(_as_object(compared), indent=2))
    else:
        _print(compared)
        if html is not None:
            console().print(f"Figures are in {html}", soft_wrap=True)


def _ideal(text: str) -> bool:
    return text in (EXPERT, PROFILE) or Path(text).suffix.lower() == ".ai"


def _driven(text: str, track: Track | None, folder: Path) -> DrivenLap:
    """A lap of a session; an unknown name is told with all that a lap can be called."""
    from actwin.analysis.session import find_lap
    from actwin.errors import UnknownNameError

    try:
        return find_lap(text, track, folder)
    except UnknownNameError as error:
        if error.kind != "session":
            raise
        raise UnknownNameError("session", error.name, [*error.known, EXPERT, PROFILE]) from None


def _made(text: str, session: DrivenSession, car: str | None) -> DrivenLap | Trace:
    """A lap that the user asks for and that is in no session."""
    from actwin.analysis.contest import ideal_lap, need_car, need_track

    if text != EXPERT:
        return ideal_lap(text, session, car)
    from actwin.analysis.session import open_session
    from actwin.content.library import load_car
    from actwin.driving.expert_lap import expert_run
    from actwin.errors import SessionError

    road = need_track(session)
    run = open_session(expert_run(road, load_car(need_car(session, car))), road)
    found = run.laps.whole()
    if not found:
        raise SessionError(f"The expert finishes no lap of {road.title} in this car.")
    return found[0]


def _write(compared: Contest, session: DrivenSession, html: Path) -> None:
    from actwin.analysis.contest_page import contest_page
    from actwin.analysis.page import write_page

    title = compared.track.title if compared.track is not None else session.meta.track
    write_page(contest_page(compared, " · ".join(filter(None, (title, session.meta.car)))), html)


def _as_object(compared: Contest) -> dict[str, object]:
    def line(stretch: Stretch) -> dict[str, object]:
        behind = [_known(stretch.behind(lap, compared.reference)) for lap in range(len(compared.traces))]
        told = {"name": stretch.name, "begin": stretch.begin, "end": stretch.end, "delta": behind}
        return told | {"time": list(map(_known, stretch.times)), "slowest": list(map(_known, stretch.slowest))}

    return {
        "laps": [{"lap": lap.driver, "time": _known(lap.lap_time)} for lap in compared.traces],
        "reference": compared.reference,
        "sectors": [line(each) for each in compared.sectors],
        "corners": [line(each) for each in compared.corners],
        "losses": {
            compared.traces[lap].driver: [loss._asdict() for loss in compared.losses(lap)]
            for lap in range(len(compared.traces))
            if lap != compared.reference
        },
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print(compared: Contest) -> None:
    from actwin.analysis.contest import LEAST_LOSS
    from actwin.units import lap_time_text

    names, reference = [lap.driver for lap in compared.traces], compared.reference
    against = compared.traces[reference]
    laps = table("Lap", "Time", "Delta", numbers=(1, 2))
    for lap in compared.traces:
        behind = _delta(lap.lap_time - against.lap_time)
        laps.add_row(lap.driver, lap_time_text(lap.lap_time), "reference" if lap is against else behind)
    console().print(laps)
    stretches = [*compared.sectors, *compared.corners]
    if stretches:
        _print_stretches(compared, stretches, names)
    for number, name in enumerate(names):
        losses = compared.losses(number) if number != reference else []
        lost = [loss for loss in losses if loss.seconds >= LEAST_LOSS][:5]
        if lost:
            console().print(f"Where {name} loses time:", soft_wrap=True)
            for loss in lost:
                console().print(f"  {loss.sentence}", soft_wrap=True)


def _print_stretches(compared: Contest, stretches: list[Stretch], names: list[str]) -> None:
    """Seconds behind the reference and lowest speed, one row for each sector and corner."""
    from actwin.units import KMH_PER_MS

    heads = [part for lap, _ in enumerate(names, start=1) for part in (f"({lap}) s", "km/h")]
    out = table("Stretch", "From m", "To m", *heads, numbers=tuple(range(1, 3 + len(heads))))
    for stretch in stretches:
        cells = []
        for lap in range(len(names)):
            own = f"{stretch.times[lap]:.3f}" if math.isfinite(stretch.times[lap]) else "-"
            cells.append(own if lap == compared.reference else _delta(stretch.behind(lap, compared.reference)))
            speed = stretch.slowest[lap]
            cells.append(f"{speed * KMH_PER_MS:.0f}" if math.isfinite(speed) else "-")
        out.add_row(stretch.name, f"{stretch.begin:.0f}", f"{stretch.end:.0f}", *cells)
    console().print(out)
    key = ", ".join(f"({lap}) {name}" for lap, name in enumerate(names, start=1))
    console().print(
        f"{key}. Seconds behind ({compared.reference + 1}), positive = slower; lowest speed.", soft_wrap=True
    )


def _delta(seconds: float) -> str:
    return f"{seconds:+.3f}" if math.isfinite(seconds) else "-"
