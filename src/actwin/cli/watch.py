"""`actwin watch`: the car's state as a live table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption, SourceOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.driving.watching import Reading

LISTEN = 0.3
"""[s] Before the one reading of `--once`."""
EXAMPLES = "Examples: actwin watch · actwin watch --source udp:192.168.1.20:9996 · actwin watch --once --json"


def watch(
    source: SourceOption = "auto",
    once: Annotated[bool, typer.Option("--once", help="Print what is there now and end.")] = False,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="\\[s] End after this time.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=60.0, help="\\[1/s] How often to show it.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Watch a car in the game or its emulator, live, until Ctrl-C."""
    from actwin.driving.watching import as_object, watch
    from actwin.telemetry.ac.opening import open_source

    watched = open_source(source)
    try:
        # One reading needs a moment of listening: how regularly samples come is part of it.
        readings = watch(watched, 1.0 / rate, LISTEN if once else seconds)
        if once:
            *_, last = readings
            readings = iter([last])
        if as_json:
            for reading in readings:
                typer.echo(json.dumps(as_object(reading)))
        elif console().is_terminal and not once:
            _live(readings)
        else:
            for reading in readings:
                console().print(_picture(reading))
    finally:
        watched.close()


def _live(readings: Iterator[Reading]) -> None:
    from rich.live import Live

    with Live(console=console(), auto_refresh=False, transient=False) as live:
        for reading in readings:
            live.update(_picture(reading), refresh=True)


def _picture(reading: Reading) -> Any:
    """A table of what a driver looks at."""
    from actwin.telemetry.channels import WHEELS

    info, sample, health = reading
    where = " at ".join(text for text in (info.car, f"{info.track} {info.layout}".strip()) if text)
    state = f"{health.status}, {health.rate:.0f}/s, {health.dropped} lost"
    title = f"{where} · {info.source} · {state}"
    if sample is None:
        return f"{title}: no sample yet"
    from rich.columns import Columns

    car = table("", title, numbers=(1,))
    for name, value in _car(sample.frame[0], sample.game[0]):
        car.add_row(name, value)
    wheels = table("", *(name.upper() for name in WHEELS), numbers=(1, 2, 3, 4))
    for name, values in _wheels(sample.frame[0], sample.game[0]):
        wheels.add_row(name, *values)
    return Columns([car, wheels])


def _car(frame: Any, game: Any) -> list[tuple[str, str]]:
    from actwin.units import KMH_PER_MS, degrees, lap_time_text

    gear = {-1: "R", 0: "N"}.get(int(frame["gear"]), str(int(frame["gear"])))
    wheel = _number(degrees(float(frame["steer_angle"])), "+.1f", "°")
    last, best = (lap_time_text(float(frame[name])) for name in ("last_lap_time", "best_lap_time"))
    return [
        ("speed", _number(frame["speed"] * KMH_PER_MS, ".1f", "km/h")),
        ("engine", _number(frame["rpm"], ".0f", "rpm") + f"  gear {gear}"),
        ("throttle", _bar(frame["throttle"])),
        ("brake", _bar(frame["brake"])),
        ("steering", f"{wheel}  {_number(frame['steer'], '+.3f')}"),
        ("lap", f"{int(frame['lap_count']) + 1}  sector {int(frame['sector']) + 1}"),
        ("time", lap_time_text(float(frame["lap_time"]))),
        ("last, best", f"{last}  {best}"),
        ("lap done", _number(100.0 * frame["lap_progress"], ".1f", "%")),
        ("acceleration", _number(frame["ax"], "+.1f") + " " + _number(frame["ay"], "+.1f", "m/s²")),
        ("fuel", _number(frame["fuel"], ".1f", "kg")),
        ("tyres out", str(int(frame["tyres_out"]))),
        ("air, road", _number(game["air_temperature"], ".0f") + " " + _number(game["road_temperature"], ".0f", "°C")),
    ]


def _wheels(frame: Any, game: Any) -> list[tuple[str, tuple[str, ...]]]:
    rows = (
        ("load N", frame["load"], ".0f", 1.0),
        ("slip ratio %", frame["slip_ratio"], "+.1f", 100.0),
        ("slip angle °", frame["slip_angle"], "+.1f", math.degrees(1.0)),
        ("core °C", frame["tyre_core_temperature"], ".0f", 1.0),
        ("pressure kPa", game["tyre_pressure"], ".0f", 1e-3),
        ("brake °C", game["brake_temperature"], ".0f", 1.0),
        ("travel mm", frame["suspension_travel"], "+.0f", 1e3),
        ("dirt", game["tyre_dirt"], ".1f", 1.0),
    )
    return [(name, tuple(_number(value * scale, style) for value in values)) for name, values, style, scale in rows]


def _number(value: float, style: str, unit: str = "") -> str:
    """A number with its unit; a dash where the source does not tell it."""
    return f"{value:{style}} {unit}".rstrip() if math.isfinite(value) else "–"


def _bar(share: float) -> str:
    """A pedal as a bar of ten."""
    if not math.isfinite(share):
        return "–"
    return f"{'|' * round(10.0 * min(max(share, 0.0), 1.0)):<10} {100.0 * share:4.0f} %"
