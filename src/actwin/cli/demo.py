"""`actwin demo`: from nothing to a driven lap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import DEFAULT_CAR, DEFAULT_TRACK, CarOption, SeedOption, TrackOption
from actwin.cli.terminal import console

EXAMPLES = "Examples: actwin demo · actwin demo --track spa --minutes 10 --seed 3 --out runs/spa"


def demo(
    track: TrackOption = DEFAULT_TRACK,
    car: CarOption = DEFAULT_CAR,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.05, help="\\[min] For reinforcement learning; by default what is left of six in all."),
    ] = None,
    seed: SeedOption = 0,
    out: Annotated[Path, typer.Option(help="Folder for the report, the drivers and their laps.")] = Path("runs/demo"),
) -> None:
    """Train a driver and watch it race: demonstrations, imitation, reinforcement learning, report."""
    from actwin.cli.progress import StageBars
    from actwin.training.demo import DemoConfig, run_demo

    with StageBars() as bars:
        result = run_demo(DemoConfig(track=track, car=car, minutes=minutes, seed=seed, out=out), bars)
    console().print(result.summary)
    opened = result.open_report()
    console().print(f"{'Opened' if opened else 'Report:'} {result.report.resolve()}", soft_wrap=True)
