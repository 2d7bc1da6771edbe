"""`actwin cars`: list, show."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

app = typer.Typer(
    help="List the cars, or show every number of one with unit and source.",
    invoke_without_command=True,
    epilog="Examples: actwin cars · actwin cars show formula_alpha_2022 · actwin cars show bmw_z4_gt3 --json",
)


@app.callback()
def cars(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the cars, or show every number of one with unit and source."""
    if context.invoked_subcommand is not None:
        return
    from actwin.content.library import car_names, load_car

    found = [load_car(name) for name in car_names()]
    if as_json:
        rows = {car.name: {"mass_kg": car.chassis.mass, "power_w": car.peak_power} | _identity(car) for car in found}
        typer.echo(json.dumps(rows, indent=2))
        return
    out = table("Car", "Title", "Kind", "Mass with driver", "Power", "Gears", "Also called", numbers=(3, 4, 5))
    for car in found:
        mass, power = f"{car.chassis.mass:.0f} kg", f"{car.peak_power / 1000.0:.0f} kW"
        gears, names = str(len(car.transmission.gears)), ", ".join(car.identity.aliases)
        out.add_row(car.name, car.identity.title, car.identity.kind, mass, power, gears, names)
    console().print(out)
    console().print("Every number of one: actwin cars show formula_alpha_2022")


@app.command("show", epilog="Example: actwin cars show dallara_f317")
def show(
    name: Annotated[str, typer.Argument(help="Name of a car or path of a car file.")], as_json: JsonOption = False
) -> None:
    """Show every number of a car with its unit and source."""
    from actwin.analysis.car_sheet import car_sheet
    from actwin.content.library import load_car

    car = load_car(name)
    sheet = car_sheet(car)
    if as_json:
        numbers = {
            number.field: {"value": number.value, "unit": number.unit, "source": number.source} for number in sheet
        }
        typer.echo(json.dumps(_identity(car) | {"numbers": numbers}, indent=2))
        return
    out = table("Number", "Value", "Unit", "Source", numbers=(1,), title=f"{car.identity.title} ({car.name})")
    for number in sheet:
        out.add_row(number.field, _text(number.value), number.unit, number.source)
    console().print(out)
    for note in car.identity.notes:
        console().print(note)


def _identity(car: Any) -> dict[str, Any]:
    return {"title": car.identity.title, "kind": car.identity.kind, "aliases": list(car.identity.aliases)}


def _text(value: float | tuple[float, ...]) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{each:g}" for each in value)
    return f"{value:g}"
