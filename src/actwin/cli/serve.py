"""`actwin serve`: the twin in real time behind the game's own interfaces."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.driving.serve import Served
    from actwin.twin.emulator.emulator import Emulator

EXAMPLES = (
    "Examples: actwin serve · actwin serve --driver none --car bmw_z4_gt3 · "
    "actwin serve --driver runs/demo/best.pt --seconds 60"
)


class OutletName(StrEnum):
    """Interfaces that can be left out."""

    MEMORY = "memory"
    UDP = "udp"
    APP = "app"
    CUSTOM_AI = "custom_ai"


class PageSize(StrEnum):
    """Sizes of the shared-memory pages."""

    EXACT = "exact"
    BRIDGE = "2048"


def serve(
    track: Annotated[str | None, typer.Option("--track", "-t", help="Name or path; Monza unless told.")] = None,
    car: Annotated[str | None, typer.Option("--car", "-c", help="Name or path; an F3 car unless told.")] = None,
    driver: Annotated[
        str, typer.Option("--driver", "-d", help="expert, none, or a checkpoint: drives while no client does.")
    ] = "expert",
    cars: Annotated[int, typer.Option(min=1, max=32, help="Cars on the track; the first is the player's.")] = 1,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="\\[s] Stop after so long; else Ctrl-C stops.")] = None,
    speed: Annotated[float, typer.Option(min=0.01, max=100.0, help="How fast time runs; 1 is real.")] = 1.0,
    fast: Annotated[bool, typer.Option("--fast", help="As fast as the machine can.")] = False,
    fps: Annotated[
        float, typer.Option(min=1.0, max=333.0, help="\\[1/s] Pictures, at which the app is called.")
    ] = 100.0,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets the network in.")] = "127.0.0.1",
    app_rate: Annotated[int, typer.Option(min=1, max=200, help="\\[1/s] Messages of the in-game app.")] = 25,
    remote_port: Annotated[
        int, typer.Option(min=0, max=65535, help="UDP remote telemetry; 0 takes a free port.")
    ] = 9996,
    app_port: Annotated[
        int, typer.Option(min=0, max=65533, help="In-game app; the two ports after it are its other two. 0: free ones.")
    ] = 2345,
    folder: Annotated[
        Path | None, typer.Option(help="Where shared memory is kept, other than the platform's own place.")
    ] = None,
    page_size: Annotated[PageSize, typer.Option(help="As the game, or as bridges from Proton.")] = PageSize.EXACT,
    without: Annotated[list[OutletName] | None, typer.Option(help="Leave an interface out; repeat for more.")] = None,
    fuel_rate: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="Factor on what engines burn; 0: for ever.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Serve the twin as Assetto Corsa: shared memory, UDP telemetry, in-game app, Custom AI."""
    from actwin.driving import serve as serving
    from actwin.twin.emulator.emulator import Outlets

    left_out = set(without or ())
    outlets = Outlets(
        memory=OutletName.MEMORY not in left_out,
        page_size=page_size.value,
        custom_ai=OutletName.CUSTOM_AI not in left_out,
        folder=folder,
        host=host,
        remote_port=None if OutletName.UDP in left_out else remote_port,
        app_ports=None if OutletName.APP in left_out else _three(app_port),
        fps=fps,
        app_rate=app_rate,
    )
    service = serving.Service(track, car, driver, cars, outlets, fuel_rate)
    with serving.open_service(service) as emulator:
        _announce(emulator, as_json)
        show = None if as_json else _ticker(emulator)
        served = serving.serve(emulator, speed=speed, fast=fast, seconds=seconds, on_second=show)
    _report(served, as_json)


def _three(first: int) -> tuple[int, int, int]:
    return (first, first + 1, first + 2) if first else (0, 0, 0)


def _announce(emulator: Emulator, as_json: bool) -> None:
    """Says who is served and where, at once: other programs wait for it."""
    info, places = emulator.game.info, {one.name: one.places for one in emulator.interfaces}
    if as_json:
        typer.echo(json.dumps({"track": info.track, "car": info.car, "cars": emulator.game.n, "serving": places}))
    else:
        out = console()
        out.print(f"Serving {info.car} on {info.track}. Ctrl-C stops.")
        for name, found in places.items():
            out.print(f"  {name}: {', '.join(f'{what} {where}' for what, where in found.items())}", soft_wrap=True)
    import sys

    sys.stdout.flush()


def _ticker(emulator: Emulator) -> Any:
    """Renews one line a second; None where nobody watches."""
    import sys

    from actwin.units import KMH_PER_MS, lap_time_text

    if not sys.stdout.isatty():
        return None

    def show(served: Served) -> None:
        frame = emulator.game.frames[0]
        sys.stdout.write(
            f"\rlap {frame['lap_count'] + 1}  {lap_time_text(float(frame['lap_time']))}  "
            f"best {lap_time_text(float(frame['best_lap_time']))}  {frame['speed'] * KMH_PER_MS:5.0f} km/h  "
            f"gear {frame['gear']}  real-time factor {served.real_time_factor:.3f}  late {served.late}   "
        )
        sys.stdout.flush()

    return show


def _report(served: Served, as_json: bool) -> None:
    share = served.processor_time / served.wall_time if served.wall_time > 0.0 else 0.0
    if as_json:
        facts = {
            "steps": served.steps,
            "game_time": served.game_time,
            "wall_time": served.wall_time,
            "real_time_factor": served.real_time_factor,
            "processor_share": share,
            "late": served.late,
            "lost": served.lost,
            "sections": {name: spread._asdict() for name, spread in served.sections.items()},
        }
        typer.echo(json.dumps(facts))
        return
    out = table("Section", "times", "p50 ms", "p99 ms", "worst ms", numbers=(1, 2, 3, 4))
    for name, spread in served.sections.items():
        out.add_row(name, str(spread.n), *(f"{1e3 * value:.3f}" for value in (spread.p50, spread.p99, spread.worst)))
    printer = console()
    printer.print()
    printer.print(out)
    printer.print(
        f"{served.steps} steps of the game, {served.game_time:.1f} s, in {served.wall_time:.1f} s: "
        f"real-time factor {served.real_time_factor:.3f}. Processor {100.0 * share:.0f} %, "
        f"{served.late} steps late, {served.lost} lost.",
        soft_wrap=True,
    )
