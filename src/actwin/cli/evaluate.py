"""`actwin evaluate`: laps with trained drivers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.training.evaluation import Drive

EXAMPLES = (
    "Examples: actwin evaluate runs/demo · actwin evaluate runs/seed_* --episodes 10 · "
    "actwin evaluate runs/monza/last.pt --laps 5 --save-rollouts sessions --json"
)


def evaluate(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs, or checkpoints.", metavar="RUN_OR_CHECKPOINT...")
    ],
    laps: Annotated[int, typer.Option(min=1, max=1000, help="Full laps from each start.")] = 2,
    episodes: Annotated[
        int, typer.Option(min=1, max=256, help="Starts: from the grid, flying, then from around the lap.")
    ] = 2,
    track: Annotated[str | None, typer.Option("--track", "-t", help="Another track than that of the training.")] = None,
    save: Annotated[
        Path | None, typer.Option("--save-rollouts", "--save", help="Keep every drive as a session in this folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Drive laps with trained drivers, without exploration, and print them."""
    from actwin.training.race import evaluate_checkpoint, save_rollouts

    found = {run: evaluate_checkpoint(run, laps, track, episodes) for run in runs}
    if save is not None:
        for drives in found.values():
            for folder in save_rollouts(drives, save):
                console(stderr=True).print(f"Session {folder}", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps({str(run): _as_objects(drives) for run, drives in found.items()}, allow_nan=False))
        return
    for run, drives in found.items():
        if len(found) > 1:
            console().print(f"[bold]{run}[/bold]")
        _print(drives)
    if len(found) > 1:
        _print_intervals(list(found.values()))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _as_objects(drives: Sequence[Drive]) -> list[dict[str, Any]]:
    return [
        {
            "driver": drive.driver, "start": drive.start, "clean": drive.clean, "best_lap": _finite(drive.best),
            "off_track_events": drive.excursions, "collision_energy": drive.collision,
            "average_speed": drive.mean_speed, "cumulative_reward": drive.reward,
            "least_border_distance": drive.least_border, "steering_rate": drive.smoothness,
            "laps": [
                {"number": lap.number, "time": lap.time, "sectors": lap.sectors, "valid": lap.valid}
                for lap in drive.laps
            ],
        }
        for drive in drives
    ]  # fmt: skip


def _print(drives: Sequence[Drive]) -> None:
    from actwin.units import KMH_PER_MS, lap_time_text

    count = max((len(lap.sectors) for drive in drives for lap in drive.laps), default=0)
    heads = ["Start", "Lap", "Time", *(f"S{i + 1}" for i in range(count)), "Top speed", "Track limits"]
    out = table(*heads, numbers=tuple(range(1, 4 + count)))
    for drive in drives:
        for lap in drive.laps:
            limits = "clean" if lap.valid else f"{lap.tyres_out} wheels off"
            sectors = (f"{time:.3f}" for time in lap.sectors)
            top = f"{lap.top_speed * KMH_PER_MS:.0f} km/h"
            out.add_row(drive.start, str(lap.number), lap_time_text(lap.time), *sectors, top, limits)
    if out.row_count:
        console().print(out)
    heads = ["Start", "Laps", "Off track", "Collisions", "Average", "Reward", "Least border"]
    books = table(*heads, numbers=tuple(range(1, len(heads))))
    for drive in drives:
        books.add_row(
            drive.start, str(len(drive.laps)), str(drive.excursions), f"{drive.collision / 1000.0:.1f} kJ",
            f"{drive.mean_speed * KMH_PER_MS:.1f} km/h", f"{drive.reward:.1f}", f"{drive.least_border:+.2f} m",
        )  # fmt: skip
    console().print(books)
    best = min(drive.best for drive in drives)
    console().print(f"Best clean lap: {lap_time_text(best)}" if math.isfinite(best) else "No clean lap was finished.")


def _print_intervals(found: Sequence[Sequence[Drive]]) -> None:
    """Means over the runs with their 95 % intervals."""
    from actwin.training.race import interval

    lines = {
        "Best clean lap": (interval([min(drive.best for drive in drives) for drives in found]), "s"),
        "Clean share": (interval([sum(drive.clean for drive in drives) / len(drives) for drives in found]), ""),
        "Off-track events": (interval([sum(drive.excursions for drive in drives) for drives in found]), ""),
        "Reward": (interval([sum(drive.reward for drive in drives) / len(drives) for drives in found]), ""),
    }
    for name, (value, unit) in lines.items():
        console().print(f"{name}: {value.mean:.3f} ± {value.half:.3f} {unit} (95 %, {value.runs} runs)".rstrip())
