"""`actwin sim`: drive some steps and print the state."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import DEFAULT_CAR, DEFAULT_TRACK, CarOption, JsonOption, TrackOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.telemetry.channels import Frames

EXAMPLES = "Examples: actwin sim --steps 250 · actwin sim --driver fixed --throttle 1 --speed 20 --json"


class DriverName(StrEnum):
    """Who may drive."""

    LINE_FOLLOWER = "line_follower"
    FIXED = "fixed"


def sim(
    track: TrackOption = DEFAULT_TRACK,
    car: CarOption = DEFAULT_CAR,
    driver: Annotated[
        DriverName, typer.Option(help="The scripted expert, or fixed controls.")
    ] = DriverName.LINE_FOLLOWER,
    steps: Annotated[int, typer.Option(min=1, max=1_000_000, help="Control steps of 39 ms.")] = 250,
    every: Annotated[int, typer.Option(min=1, help="Print each so many steps.")] = 25,
    distance: Annotated[float, typer.Option(help="\\[m] Where to start, from the line.")] = 0.0,
    speed: Annotated[float, typer.Option(min=0.0, max=110.0, help="\\[m/s] Speed at the start.")] = 0.0,
    steer: Annotated[float, typer.Option(min=-1.0, max=1.0, help="Fixed steering, left positive.")] = 0.0,
    throttle: Annotated[float, typer.Option(min=0.0, max=1.0, help="Fixed throttle.")] = 0.0,
    brake: Annotated[float, typer.Option(min=0.0, max=1.0, help="Fixed brake.")] = 0.0,
    out: Annotated[Path | None, typer.Option(help="Keep every frame in this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Drive the simulator some steps and print the state."""
    from actwin.driving.recording import run

    controls = {"steer": steer, "throttle": throttle, "brake": brake}
    driven = run(track, car, None if driver is DriverName.LINE_FOLLOWER else controls, steps, distance, speed)
    if out is not None:
        console(stderr=True).print(f"Every frame is in {driven.save(out)}", soft_wrap=True)
    rows = driven.frames[::every]
    if as_json:
        typer.echo(json.dumps(_as_objects(rows, driven.period * every)))
    else:
        _print(rows, driven.period * every)


def _as_objects(frames: Frames, period: float) -> list[dict[str, Any]]:
    """Frames under their export names."""
    from actwin.telemetry.channels import FRAME_CHANNELS

    return [
        {"time": round(i * period, 3)}
        | {channel.export_name: frame[channel.name].tolist() for channel in FRAME_CHANNELS}
        for i, frame in enumerate(frames)
    ]


def _print(frames: Frames, period: float) -> None:
    from actwin.units import GRAVITY, KMH_PER_MS

    heads = ("s", "m", "offset", "km/h", "gear", "rpm", "steer", "throttle", "brake", "long g", "lat g", "off")
    out = table(*heads, numbers=tuple(range(len(heads))))
    for i, frame in enumerate(frames):
        out.add_row(
            f"{i * period:.2f}", f"{frame['lap_distance']:.1f}", f"{frame['lateral_offset']:+.2f}",
            f"{frame['speed'] * KMH_PER_MS:.1f}", str(frame["gear"]), f"{frame['rpm']:.0f}", f"{frame['steer']:+.3f}",
            f"{frame['throttle']:.2f}", f"{frame['brake']:.2f}", f"{frame['ax'] / GRAVITY:+.2f}",
            f"{frame['ay'] / GRAVITY:+.2f}", str(frame["tyres_out"]),
        )  # fmt: skip
    console().print(out)
