"""`actwin runs`: training runs and how far they came."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

EXAMPLES = "Examples: actwin runs · actwin runs checkpoints --json"


def runs(
    folder: Annotated[Path, typer.Argument(help="Where runs lie.")] = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """List training runs with their best laps."""
    from actwin.training.catalogue import find_runs
    from actwin.units import lap_time_text

    found = find_runs(folder)
    if as_json:
        listed = [
            {
                "folder": run.folder.as_posix(), "algorithm": run.config.agent.type, "track": run.config.env.track,
                "car": run.config.env.car, "seed": run.config.seed, "steps": run.steps, "seconds": run.seconds,
                "best_lap": run.best_lap if math.isfinite(run.best_lap) else None, "running": run.running,
                "updated": run.updated.isoformat(),
            }
            for run in found
        ]  # fmt: skip
        typer.echo(json.dumps(listed))
        return
    if not found:
        console().print(f"No runs in {folder}. Train a driver with: actwin train configs/bc_ppo_monza.yaml")
        return
    heads = ("Run", "Algorithm", "Track", "Seed", "Steps", "Minutes", "Best lap", "Clean", "Written (UTC)", "")
    out = table(*heads, numbers=(3, 4, 5, 6, 7))
    for run in found:
        clean = f"{run.clean_share:.0%}" if math.isfinite(run.clean_share) else "-"
        out.add_row(
            run.folder.as_posix(), run.config.agent.type, run.config.env.track, str(run.config.seed),
            f"{run.steps / 1e6:.2f} M", f"{run.seconds / 60.0:.1f}", lap_time_text(run.best_lap), clean,
            f"{run.updated:%Y-%m-%d %H:%M}", "running" if run.running else "",
        )  # fmt: skip
    console().print(out)
