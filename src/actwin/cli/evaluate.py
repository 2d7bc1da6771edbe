"""`actwin evaluate`: laps of a trained driver without exploration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import JsonOption

EXAMPLES = "Examples: actwin evaluate runs/demo · actwin evaluate runs/monza/step_5000000.pt --json"


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a checkpoint file.", metavar="RUN_OR_CHECKPOINT")],
    as_json: JsonOption = False,
) -> None:
    """Drive laps with a trained driver, without exploration, and print them."""
