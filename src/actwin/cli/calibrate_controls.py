"""`actwin calibrate-controls`: measure what the game makes of the controls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from actwin.cli.options import ActuatorOption, JsonOption, SourceOption
from actwin.cli.terminal import console, table

EXAMPLES = "Examples: actwin calibrate-controls · actwin calibrate-controls --source memory --actuator vigem"


def calibrate_controls(
    source: SourceOption = "auto",
    actuator: ActuatorOption = "auto",
    hold: Annotated[float, typer.Option(min=0.2, max=5.0, help="\\[s] For each of 42 steps.")] = 0.55,
    out: Annotated[Path | None, typer.Option(help="Keep the curves in this file instead of the user's folder.")] = None,
    dry: Annotated[bool, typer.Option("--dry", help="Show the curves without keeping them.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure in half a minute, on a standing car, what steering and pedals reach for each command.

    Put the car on a level piece of road first. `actwin drive` uses the curves of the car and the actuator from then on.
    """
    from actwin.cockpit.calibration_run import calibrate
    from actwin.cockpit.control_maps import MAPPED

    told = console(stderr=True)
    measured = calibrate(
        source,
        actuator,
        hold=hold,
        out=out,
        keep=not dry,
        on_control=lambda name: told.print(f"Measuring the {name} …"),
    )
    if as_json:
        typer.echo(json.dumps(measured.maps.model_dump()))
        return
    rows = table(
        "control", "command", "reached", numbers=(1, 2), title=f"{measured.maps.car} by {measured.maps.actuator}"
    )
    for name in MAPPED:
        curve = getattr(measured.maps, name)
        if curve.straight:
            rows.add_row(name, "as it says", "as it says")
            continue
        for command, reached in zip(curve.command, curve.reached, strict=True):
            rows.add_row(name, f"{command:+.3f}", f"{reached:+.3f}")
    console().print(rows)
    console().print(f"From a command to the car's answer: {1000.0 * measured.maps.delay:.0f} ms")
    if measured.path is not None:
        console().print(f"The curves are in {measured.path}", soft_wrap=True)
