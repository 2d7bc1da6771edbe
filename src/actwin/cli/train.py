"""`actwin train`: a training run from a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = "Example: actwin train configs/monza.yaml agent.actor_lr=1e-4 train.minutes=30 --out runs/monza"


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the run.", metavar="CONFIG")],
    settings: Annotated[
        list[str] | None, typer.Argument(help="Settings that differ, as key=value.", metavar="[KEY=VALUE]...")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME of the file when not given.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last checkpoint.")] = False,
) -> None:
    """Train a driver with the settings of a file."""
