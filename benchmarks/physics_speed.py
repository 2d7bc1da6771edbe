"""Control steps a second of the twin's physics beside peers from PyPI: `python benchmarks/physics_speed.py`."""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from actwin.content.library import load_car, load_track
from actwin.telemetry.channels import neutral_controls
from actwin.twin.simulator import Simulator
from measure import Speed, calls_per_second, machine
from peers import measure_peers

BATCHES = (1, 16, 256, 1024, 4096, 65_536)
NOTES = """A control step is 13 physics steps of 3 ms for actwin, MuJoCo and CommonRoad, and one step of the environment
at its own rate for the others; "seconds driven per second" compares across rates. Medians of five windows."""
MODEL = "four wheels, combined slip, load transfer, aero, driveline, walls, timing"


def twin(track_name: str, car_name: str, n: int, threads: int, seconds: float) -> Speed:
    """Physics alone: N cars at racing speed all over the lap, controls held, FRAME[N] written each step."""
    track, car = load_track(track_name), load_car(car_name)
    simulator = Simulator(track, car, n, threads=threads)
    controls = neutral_controls(n)
    controls["throttle"] = 0.6
    random = np.random.default_rng(1)

    def spread() -> None:
        distance = random.uniform(0.0, track.length, n)
        curvature = track.curvature(distance)
        controls["steer"] = np.clip(10.0 * curvature, -1.0, 1.0)
        simulator.reset(distance=distance, speed=40.0)

    steps = n * calls_per_second(lambda: simulator.step(controls), seconds, prepare=spread)
    return Speed("actwin", MODEL, "", n, threads, 1.0 / simulator.control_period, steps)


def table(speeds: list[Speed]) -> Table:
    """The result; cost and real-time factor are per car."""
    result = Table(title=f"Physics speed on {machine()}")
    for heading in ("cars", "threads", "control steps/s", "ns per car step", "seconds driven per second"):
        result.add_column(heading, justify="right")
    for column, heading in enumerate(("simulator", "what it computes", "unlike ours")):
        result.add_column(heading, overflow="fold")
        result.columns.insert(column, result.columns.pop())
    for line in speeds:
        result.add_row(line.name, line.model, line.unlike, f"{line.cars:,}", str(line.threads), f"{line.steps:,.0f}",
                       f"{1e9 / line.steps:,.0f}", f"{line.real_time:,.0f}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--track", default="monza")
    parser.add_argument("--car", default="formula_alpha_2022")
    parser.add_argument("--seconds", type=float, default=1.0, help="measured time of each line")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of the threaded lines")
    parser.add_argument("--no-peers", action="store_true", help="measure the twin only")
    wanted = parser.parse_args()

    start = time.perf_counter()
    twin(wanted.track, wanted.car, 1, 1, 0.001)
    first = time.perf_counter() - start
    speeds = [
        twin(wanted.track, wanted.car, n, threads, wanted.seconds)
        for n in BATCHES for threads in sorted({1, wanted.threads}) if threads == 1 or n >= 256
    ]
    peers, skipped = ([], {}) if wanted.no_peers else measure_peers(wanted.seconds, wanted.threads)

    console = Console(width=160)
    console.print(table(speeds + peers))
    console.print(f"First step in this process, loading or compiling included: {first:.1f} s.")
    console.print(NOTES)
    for name, reason in skipped.items():
        console.print(f"skipped {name}: {reason} (pip install -r benchmarks/requirements.txt -c constraints.txt)")


if __name__ == "__main__":
    main()
