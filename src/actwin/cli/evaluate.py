"""`actwin evaluate`: laps of a trained driver without exploration."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

EXAMPLES = "Examples: actwin evaluate runs/demo · actwin evaluate runs/monza/last.pt --laps 5 --json"


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a checkpoint.", metavar="RUN_OR_CHECKPOINT")],
    laps: Annotated[int, typer.Option(min=1, max=1000, help="Full laps from each start.")] = 2,
    track: Annotated[str | None, typer.Option("--track", "-t", help="Another track than that of the training.")] = None,
    save: Annotated[Path | None, typer.Option(help="Keep every frame as .npz files in this folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Drive laps with a trained driver, without exploration, and print them."""
    from actwin.training.race import evaluate_checkpoint
    from actwin.units import KMH_PER_MS, lap_time_text

    drives = evaluate_checkpoint(run, laps, track)
    if save is not None:
        for drive in drives:
            drive.rollout.save(save / drive.start)
    rows = [(drive.start, lap) for drive in drives for lap in drive.laps]
    if as_json:
        found = [
            {"start": start, "lap": lap.number, "time": lap.time, "sectors": lap.sectors, "valid": lap.valid}
            for start, lap in rows
        ]
        typer.echo(json.dumps({"driver": drives[0].driver, "laps": found}))
        return
    count = max((len(lap.sectors) for _, lap in rows), default=0)
    heads = ["Start", "Lap", "Time", *(f"S{i + 1}" for i in range(count)), "Top speed", "Track limits"]
    out = table(*heads, numbers=tuple(range(1, 4 + count)))
    for start, lap in rows:
        limits = "clean" if lap.valid else f"{lap.tyres_out} wheels off"
        sectors = (f"{time:.3f}" for time in lap.sectors)
        top = f"{lap.top_speed * KMH_PER_MS:.0f} km/h"
        out.add_row(start, str(lap.number), lap_time_text(lap.time), *sectors, top, limits)
    if rows:
        console().print(out)
    best = min(drive.best for drive in drives)
    console().print(f"Best clean lap: {lap_time_text(best)}" if math.isfinite(best) else "No clean lap was finished.")
