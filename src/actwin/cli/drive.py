"""`actwin drive`: the expert or a trained driver at the wheel of the game."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import ActuatorOption, JsonOption, SourceOption
from actwin.cli.terminal import console, fail, table

if TYPE_CHECKING:
    from actwin.driving.live_drive import Driven

EXAMPLES = (
    "Examples: actwin drive expert --laps 2 · actwin drive runs/demo/best.pt --source app --actuator app "
    "--record data/sessions"
)


class Start(StrEnum):
    """Where a drive may begin."""

    HERE = "here"
    GRID = "grid"
    PITS = "pits"


def drive(
    driver: Annotated[str, typer.Argument(help="expert, a checkpoint, or its .onnx.", metavar="expert|CHECKPOINT")],
    source: SourceOption = "auto",
    actuator: ActuatorOption = "auto",
    seconds: Annotated[float | None, typer.Option(min=0.0, help="\\[s] Stop after so much time of the game.")] = None,
    laps: Annotated[int | None, typer.Option(min=1, help="Stop after so many times over the line.")] = None,
    start: Annotated[Start, typer.Option(help="The car's own place, pole position, or the pits.")] = Start.HERE,
    record: Annotated[
        Path | None, typer.Option(help="Record the drive as a session in this folder, such as data/sessions.")
    ] = None,
    track: Annotated[str | None, typer.Option("--track", "-t", help="Where the game's name is not known.")] = None,
    car: Annotated[str | None, typer.Option("--car", "-c", help="Where the game's name is not known.")] = None,
    reconnect: Annotated[float, typer.Option(min=0.0, help="\\[s] How long a game that is gone is looked for.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Drive a car in the game, or in its emulator, in real time, until Ctrl-C, some time or some laps."""
    from actwin.driving.live_drive import LiveDrive, drive_live

    wanted = LiveDrive(driver, source, actuator, track, car, start.value, record, reconnect)
    screen = console(stderr=True)
    driven = drive_live(
        wanted, seconds=seconds, laps=laps, on_period=None if as_json else _ticker(),
        on_stage=lambda words: screen.print(f"{words} ...", soft_wrap=True),
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(_as_object(driven)))
    else:
        _report(driven)
    if driven.drive.failed:
        fail(driven.drive.ended)
        raise typer.Exit(1)


def _ticker() -> Any:
    """Renews one line about each second; None where nobody watches."""
    import sys

    from actwin.units import KMH_PER_MS, lap_time_text

    if not sys.stderr.isatty():
        return None

    def show(done: Any, frames: Any, sent: Any) -> None:
        if done.periods % 25:
            return
        frame = frames[0]
        sys.stderr.write(
            f"\rlap {frame['lap_count'] + 1}  {lap_time_text(float(frame['lap_time']))}  "
            f"best {lap_time_text(float(frame['best_lap_time']))}  {frame['speed'] * KMH_PER_MS:5.0f} km/h  "
            f"throttle {sent['throttle'][0]:4.2f}  brake {sent['brake'][0]:4.2f}  missed {done.missed}   "
        )
        sys.stderr.flush()

    return show


def _as_object(driven: Driven) -> dict[str, Any]:
    done = driven.drive
    return {
        "track": driven.track, "car": driven.car, "driver": driven.driver,
        "source": driven.source, "actuator": driven.actuator, "lacking": driven.lacking,
        "period": done.period, "periods": done.periods, "game_time": done.game_time, "missed": done.missed,
        "laps": [lap._asdict() for lap in done.laps],
        "sections": {name: spread._asdict() for name, spread in done.sections.items()},
        "breaks": done.breaks, "ended": done.ended, "failed": done.failed,
        "session": str(driven.session) if driven.session else None, "problem": driven.problem,
    }  # fmt: skip


def _report(driven: Driven) -> None:
    from actwin.units import lap_time_text

    done, printer = driven.drive, console()
    if done.laps:
        laps = table("Lap", "Time", "Track limits", numbers=(0, 1))
        for lap in done.laps:
            laps.add_row(str(lap.number), lap_time_text(lap.time), "clean" if lap.valid else "exceeded")
        printer.print(laps)
    out = table("Section", "times", "p50 ms", "p99 ms", "worst ms", numbers=(1, 2, 3, 4))
    for name, spread in done.sections.items():
        out.add_row(name, str(spread.n), *(f"{1e3 * value:.3f}" for value in (spread.p50, spread.p99, spread.worst)))
    printer.print(out)
    lines = [
        f"{driven.driver} drove {driven.car} on {driven.track} for {done.game_time:.1f} s: {done.periods} controls by "
        f"{driven.actuator}, telemetry by {driven.source}. Deadlines of {done.period * 1e3:.0f} ms missed: "
        f"{done.missed}. Ended: {done.ended}"
    ]
    lines += [f"Interrupted: {reason}" for reason in done.breaks]
    lines += [f"Not told by this source, 0 for the driver: {', '.join(driven.lacking)}"] if driven.lacking else []
    lines += [f"Recorded: {driven.session}"] if driven.session else []
    lines += [f"Not everything was recorded: {driven.problem}"] if driven.problem else []
    for line in lines:
        printer.print(line, soft_wrap=True)
