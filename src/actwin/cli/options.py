"""Options that several commands share, with one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TrackOption = Annotated[
    str, typer.Option("--track", "-t", help="Name of a track or path of a track file; `actwin tracks` lists them.")
]
CarOption = Annotated[
    str, typer.Option("--car", "-c", help="Name of a car or path of a car file; `actwin cars` lists them.")
]
SourceOption = Annotated[
    str,
    typer.Option(
        "--source", "-s",
        help="Where telemetry comes from: memory or memory:FOLDER, udp:HOST:PORT, app:HOST:PORT, auto for the first.",
    ),
]  # fmt: skip
ActuatorOption = Annotated[
    str,
    typer.Option(
        "--actuator", "-a",
        help="What moves the controls: custom_ai, app:HOST:PORT, vigem, vjoy, uinput, none, auto for the first.",
    ),
]  # fmt: skip
SeedOption = Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")]
SessionsOption = Annotated[
    Path | None, typer.Option("--folder", help="Folder of all sessions.", show_default="data/sessions")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for other programs instead of tables.")]
DEFAULT_TRACK = "monza"
DEFAULT_CAR = "formula_alpha_2022"
LogsOption = Annotated[
    Path, typer.Option(help="Folder of TensorBoard's curves of all runs; each has a folder in it, named like its own.")
]
