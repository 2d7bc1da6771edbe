"""`actwin train`: a training run from a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import LogsOption
from actwin.cli.terminal import console

EXAMPLES = (
    "Examples: actwin train configs/bc_ppo_monza.yaml agent.actor_lr=1e-4 train.minutes=30 --out runs/monza · "
    "actwin train configs/bc_ppo_monza.yaml --out runs/monza --resume · tensorboard --logdir logs"
)
INTERRUPTED = 130
"""Exit code of a run that Ctrl-C ended."""


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the run.", metavar="CONFIG")],
    settings: Annotated[
        list[str] | None, typer.Argument(help="Settings that differ, as key=value.", metavar="[KEY=VALUE]...")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run; runs/ with the name of the file when not given. "
            "A run that is in it is moved into its folder earlier/."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in the folder.")] = False,
    logs: LogsOption = Path("logs"),
) -> None:
    """Train a driver with the settings of a file. Ctrl-C ends it with a checkpoint to go on from."""
    from actwin.cli.progress import StageBars
    from actwin.training.config import load_config
    from actwin.training.folder import logs_folder
    from actwin.training.pipeline import train as run
    from actwin.training.runs import LAST
    from actwin.units import lap_time_text

    folder = out or Path("runs") / config.stem
    loaded = load_config(config, settings or [])
    try:
        with StageBars() as bars:
            result = run(loaded, folder, bars, resume, logs=logs_folder(folder, logs)).result
    except KeyboardInterrupt:
        rest = "go on with --resume" if (folder / LAST).exists() else "no checkpoint was made yet"
        console().print(f"{folder}: ended at once, {rest}.", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    done = f"{folder}: {result.steps / 1e6:.1f} M steps in {result.seconds / 60.0:.1f} min"
    if not result.finished:
        console().print(f"{done}, stopped. Go on with the same command and --resume.", soft_wrap=True)
        raise typer.Exit(INTERRUPTED)
    console().print(
        f"{done}, best clean lap {lap_time_text(result.best_lap)}. Laps: actwin evaluate {folder}", soft_wrap=True
    )
