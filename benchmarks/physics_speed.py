"""Control steps a second of the twin's physics beside peers from PyPI: `python benchmarks/physics_speed.py`."""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from actwin.content.library import load_car, load_track
from actwin.telemetry.channels import neutral_controls
from actwin.twin.simulator import Simulator
from measure import Speed, calls_per_second, machine, speed_table
from peers import measure_peers

BATCHES = (1, 16, 256, 1024, 4096, 65_536)
THREADED_FROM = 256
DRIVEN = 250
"""Control steps, about ten seconds, before the cars are put back on the road."""

NOTE = "four wheels, combined slip, load transfer, aero, driveline, walls, timing; writes every car's telemetry frame"
READING = """A control step is 13 physics steps of 3 ms for actwin, MuJoCo and CommonRoad, and one step of the
environment at its own rate for the others; "s driven in 1 s" compares across rates. Best of five windows."""


def twin(track_name: str, car_name: str, n: int, threads: int, seconds: float) -> Speed:
    """Physics alone: N cars all over the lap at racing speed, controls held."""
    track, car = load_track(track_name), load_car(car_name)
    simulator = Simulator(track, car, n, threads=threads)
    controls = neutral_controls(n)
    controls["throttle"] = 0.6
    random = np.random.default_rng(1)

    def spread() -> None:
        distance = random.uniform(0.0, track.length, n)
        controls["steer"] = np.clip(10.0 * track.curvature(distance), -1.0, 1.0)
        simulator.reset(distance=distance, speed=40.0)

    steps = n * calls_per_second(lambda: simulator.step(controls), seconds, spread, DRIVEN)
    return Speed("actwin", NOTE, n, threads, 1.0 / simulator.control_period, steps)


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
        for n in BATCHES
        for threads in sorted({1, wanted.threads})
        if threads == 1 or n >= THREADED_FROM
    ]
    peers, skipped = ([], {}) if wanted.no_peers else measure_peers(wanted.seconds, wanted.threads)

    print(f"# Physics speed\n\n{machine()}\n")
    print(speed_table(speeds + peers))
    print(f"\n{READING}\n")
    for name, note in {line.name: line.note for line in speeds + peers}.items():
        print(f"- {name}: {note}.")
    for name, reason in skipped.items():
        print(f"- {name}: skipped, {reason}. Run: pip install -r benchmarks/requirements.txt -c constraints.txt")
    print(f"\nFirst step in this process, loading or compiling included: {first:.1f} s.")


if __name__ == "__main__":
    main()
