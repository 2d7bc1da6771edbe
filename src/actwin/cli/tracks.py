"""`actwin tracks`: list, show, fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

app = typer.Typer(
    help="List the tracks, draw one, or make one from a survey.",
    invoke_without_command=True,
    epilog="Examples: actwin tracks · actwin tracks show spa · actwin tracks fit survey.csv --out my_track.toml",
)


@app.callback()
def tracks(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the tracks, draw one, or make one from a survey."""
    if context.invoked_subcommand is not None:
        return
    from actwin.content.library import load_track, track_names

    found = {name: load_track(name) for name in track_names()}
    if as_json:
        typer.echo(json.dumps({name: track.describe() for name, track in found.items()}, indent=2))
        return
    out = table("Track", "Title", "Length", "Corners", "Height", "Fit error rms, max", numbers=(2, 3, 4, 5))
    for name, track in found.items():
        facts = track.describe()
        rise = facts["height difference"] if track.elevation_source else "flat"
        error = f"{track.fit_rms:.2f}, {track.fit_max:.2f} m" if track.fit_max else "exact"
        out.add_row(name, track.title, facts["length"], str(len(track.corners)), rise, error)
    console().print(out)
    console().print("Draw one with: actwin tracks show monza")


@app.command("show", epilog="Examples: actwin tracks show monza · actwin tracks show spa --html spa.html")
def show(
    name: Annotated[str, typer.Argument(help="Name of a track, or path of a track file or survey.")],
    html: Annotated[Path | None, typer.Option(help="Also draw it into this HTML file, to zoom and print.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a track and say what is known about it."""
    from actwin.content.library import load_track
    from actwin.content.track_drawing import draw

    track = load_track(name)
    facts: dict[str, Any] = track.describe()
    if as_json:
        typer.echo(json.dumps(facts | {"corners": [corner._asdict() for corner in track.corners]}, indent=2))
    else:
        console().print(draw(track), soft_wrap=True)
        out = table("", "")
        for label, text in facts.items():
            out.add_row(label, text)
        if track.corners:
            out.add_row(
                "corners at",
                ", ".join(" ".join(filter(None, (f"T{c.number}", c.name, f"{c.apex:.0f} m"))) for c in track.corners),
            )
        out.show_header = False
        console().print(out)
    if html is not None:
        from actwin.analysis.page import write_track_page

        console(stderr=True).print(f"Drawn into {write_track_page(track, html)}", soft_wrap=True)


@app.command("fit", epilog='Example: actwin tracks fit survey.csv --title "Club circuit" --licence CC0 --out club.toml')
def fit(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with x, y, width right, width left or both borders' x and y; or the game's fast_lane.ai."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Track file to write; beside FILE when not given.")] = None,
    title: Annotated[str, typer.Option(help="Full name of the track.")] = "",
    source: Annotated[str, typer.Option(help="Where the survey comes from.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the survey.")] = "unknown",
    knots: Annotated[int | None, typer.Option(help="Knots of curvature; one for each 55 m when not given.")] = None,
) -> None:
    """Turn a survey into a compact track file and print how far it is from the survey."""
    from actwin.content.track_files import write_track
    from actwin.content.track_fit import fit_track

    track = fit_track(file, title=title, source=source, licence=licence, knots=knots)
    target = out or file.with_suffix(".toml")
    write_track(track, target)
    console().print(
        f"{target}: {track.length:.1f} m, {len(track.line.knots)} knots, "
        f"error {track.fit_rms:.3f} m rms, {track.fit_max:.3f} m max. Draw it with: actwin tracks show {target}",
        soft_wrap=True,
    )
