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
    """List training runs with their seeds, best laps and states."""
    from actwin.training.catalogue import scan_runs
    from actwin.units import lap_time_text

    found, broken = scan_runs(folder)
    if as_json:
        listed = [
            {
                "folder": run.folder.as_posix(), "algorithm": run.config.agent.type, "track": run.config.env.track,
                "car": run.config.env.car, "seed": run.config.seed, "steps": run.steps, "seconds": run.seconds,
                "best_lap": run.best_lap if math.isfinite(run.best_lap) else None, "running": run.running,
                "state": run.state, "note": run.note, "git": run.git, "updated": run.updated.isoformat(),
            }
            for run in found
        ]  # fmt: skip
        typer.echo(json.dumps(listed))
        return
    if not found:
        console().print(f"No runs in {folder}. Train a driver with: actwin train configs/bc_ppo_monza.yaml")
    else:
        heads = ("Run", "Algorithm", "Track", "Seed", "Steps", "Minutes", "Best lap", "Clean", "Written (UTC)", "State")
        out = table(*heads, numbers=(3, 4, 5, 6, 7))
        for run in found:
            clean = f"{run.clean_share:.0%}" if math.isfinite(run.clean_share) else "-"
            out.add_row(
                run.folder.as_posix(), run.config.agent.type, run.config.env.track, str(run.config.seed),
                f"{run.steps / 1e6:.2f} M", f"{run.seconds / 60.0:.1f}", lap_time_text(run.best_lap), clean,
                f"{run.updated:%Y-%m-%d %H:%M}", run.state,
            )  # fmt: skip
        console().print(out)
        for run in found:
            if run.note:
                console().print(f"{run.folder.as_posix()}: {run.note}", soft_wrap=True)
    for place, why in broken.items():
        console(stderr=True).print(f"{place.as_posix()}: cannot be read as a run ({why})", soft_wrap=True)
