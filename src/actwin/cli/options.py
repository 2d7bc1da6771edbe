"""Options that several commands share, with one help text."""

from __future__ import annotations

from typing import Annotated

import typer

TrackOption = Annotated[
    str, typer.Option("--track", "-t", help="Name of a track or path of a track file; `actwin tracks` lists them.")
]
CarOption = Annotated[
    str, typer.Option("--car", "-c", help="Name of a car or path of a car file; `actwin cars` lists them.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs instead of tables.")]
DEFAULT_TRACK = "monza"
DEFAULT_CAR = "formula_alpha_2022"
