"""Drives the emulator from another process and compares with the simulator: `python tools/closed_loop.py --laps 3`.

`actwin serve` runs in a second process and this one drives it, like a game, in real time; the same driver drives
the simulator. Asked for: flying laps within 0.2 % of the simulator's, controls sent within 2 ms of the telemetry that
they answer (99 %), no deadline missed. `--load` lets a training run use the other cores meanwhile, `--network 256 256`
drives for `--minutes` more with an untrained network of that size. The exit code is 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actwin.cockpit.actuators.opening import open_actuator
from actwin.cockpit.live import REACTION, LiveCockpit
from actwin.cockpit.twin import TwinCockpit
from actwin.content.library import load_car, load_track
from actwin.driving.driver import Driver
from actwin.driving.live_drive import EXPERT, Driven, LiveDrive, drive_live, grid_pose
from actwin.driving.priority import NICE, raised
from actwin.driving.realtime import ANSWER, Drive, drive
from actwin.telemetry.ac.opening import open_source
from actwin.twin.simulator import PHYSICS_STEP, Simulator
from actwin.units import lap_time_text

LAP_TOLERANCE = 0.002
REACTION_LIMIT = 0.002
STARTUP = 120.0
"""[s] For the emulator's first start, which compiles."""
ACTWIN = (sys.executable, "-c", "from actwin.cli import main; main()")


@contextlib.contextmanager
def process(words: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command of actwin, ended with the block."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    with log.open("wb") as out:
        started = subprocess.Popen([*ACTWIN, *words], stdout=out, stderr=subprocess.STDOUT, env=environment)
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(10.0)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def wait_until_served(server: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once the emulator says where it serves."""
    end = time.monotonic() + STARTUP
    while b"serving" not in log.read_bytes().lower():
        if server.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"The emulator did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")
        time.sleep(0.1)


def expert_or_policy(options: argparse.Namespace) -> tuple[Driver, Simulator]:
    """The driver again, with a simulator of the car and track it drives there."""
    if options.driver == EXPERT:
        from actwin.driving.line_follower import LineFollower

        track, car = load_track(options.track), load_car(options.car)
        return LineFollower(track, car), Simulator(track, car, control_delay=options.delay)
    from actwin.driving.policy import PolicyDriver

    policy = PolicyDriver.from_checkpoint(Path(options.driver), 1)
    return policy, Simulator(policy.task.track, policy.task.car, control_delay=options.delay)


def in_the_simulator(options: argparse.Namespace) -> Drive:
    """The same drive without clock, memory and processes."""
    driver, simulator = expert_or_policy(options)
    return drive(TwinCockpit(simulator), driver, laps=options.laps)


def with_a_network(options: argparse.Namespace, place: str) -> Drive:
    """Drives with an untrained network, whose decisions take as long as those of a trained one."""
    import torch

    from actwin.agents.networks import ActionSpec, Policy
    from actwin.driving.policy import PolicyDriver
    from actwin.env.task import Task, TaskConfig

    torch.set_num_threads(1)
    task = Task(TaskConfig(track=options.track, car=options.car), 1)
    policy = Policy(task.observation_size, ActionSpec(*task.action_space), tuple(options.network))
    source = open_source(f"memory:{place}")
    cockpit = LiveCockpit(source, lambda: open_actuator(f"custom_ai:{place}", source), task.track, task.car)
    try:
        cockpit.connect()
        driver = PolicyDriver(task, policy)
        driver.act(cockpit.frames.copy())
        cockpit.place(grid_pose(task.track))
        with raised():
            return drive(cockpit, driver, seconds=options.minutes * 60.0, pacer=cockpit.pacer)
    finally:
        cockpit.close()


def milliseconds(done: Drive, section: str) -> str:
    """Percentiles of a section in words."""
    spread = done.sections[section]
    return f"p50 {spread.p50 * 1e3:.3f} ms, p99 {spread.p99 * 1e3:.3f} ms, worst {spread.worst * 1e3:.3f} ms"


def facts(done: Drive) -> dict[str, Any]:
    """A drive for JSON."""
    named = {
        "laps": [lap._asdict() for lap in done.laps],
        "sections": {name: spread._asdict() for name, spread in done.sections.items()},
    }
    return vars(done) | named


def lap_error(driven: Driven, reference: Drive) -> float:
    """[-] Of the mean flying lap; the first lap starts from rest."""
    real, twin = ([lap.time for lap in done.laps[1:]] for done in (driven.drive, reference))
    if not real or not twin:
        return float("nan")
    return float(np.mean(real) / np.mean(twin) - 1.0)


def report(driven: Driven, reference: Drive, network: Drive | None) -> bool:
    """Prints what was measured; whether all of it is as asked for."""
    done, passed = driven.drive, []
    for real, twin in zip(done.laps, reference.laps, strict=False):
        there, here = lap_time_text(real.time), lap_time_text(twin.time)
        print(f"lap {real.number}: {there} in the emulator, {here} in the simulator")
    error = lap_error(driven, reference)
    passed.append(abs(error) <= LAP_TOLERANCE)
    print(f"flying laps: {error:+.4%} (asked for: within {LAP_TOLERANCE:.1%})")
    for name, one in (("expert" if network else "driver", done), ("network", network)):
        if one is None:
            continue
        print(f"{name}: {one.periods} controls in {one.game_time:.0f} s of the game, {one.missed} deadlines missed")
        for section in (ANSWER, REACTION):
            print(f"  {section}: {milliseconds(one, section)}")
        passed.append(one.missed == 0 and not one.failed)
    measured = network or done
    passed.append(measured.sections[REACTION].p99 < REACTION_LIMIT)
    return all(passed)


def main() -> int:
    """Runs the acceptance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--track", default="monza")
    parser.add_argument("--car", default="dallara_f317")
    parser.add_argument("--driver", default=EXPERT, help="expert or a checkpoint, with its own track and car")
    parser.add_argument("--laps", type=int, default=2, help="times over the line, the first from a standing start")
    parser.add_argument("--network", type=int, nargs="+", metavar="WIDTH", help="also drive with such a network")
    parser.add_argument("--minutes", type=float, default=10.0, help="[min] of driving with the network")
    parser.add_argument("--load", action="store_true", help="let a training run use the other cores meanwhile")
    parser.add_argument("--delay", type=float, default=PHYSICS_STEP, help="[s] of the controls in the simulator")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    if options.laps < 2:
        parser.error("the first lap starts from rest; give at least 2")
    with tempfile.TemporaryDirectory(prefix="actwin_") as name, contextlib.ExitStack() as running:
        folder = Path(name)
        serve = ["serve", "--driver", "none", "--folder", name, "--remote-port", "0", "--app-port", "0"]
        if options.driver == EXPERT:
            serve += ["--track", options.track, "--car", options.car]
        else:
            _, simulator = expert_or_policy(options)
            serve += ["--track", simulator.track.name, "--car", simulator.car.name]
        server = running.enter_context(process(serve, folder / "serve.txt"))
        with contextlib.suppress(OSError, AttributeError):  # a game is not slowed down by the training beside it
            os.setpriority(os.PRIO_PROCESS, server.pid, NICE)
        load = None
        if options.load:
            train = ["train", "configs/ppo_monza.yaml", "--out", str(folder / "run"), "train.minutes=600"]
            load = running.enter_context(process(train, folder / "train.txt"))
        wait_until_served(server, folder / "serve.txt")
        live = LiveDrive(options.driver, f"memory:{name}", f"custom_ai:{name}", start="grid")
        driven = drive_live(live, laps=options.laps)
        network = with_a_network(options, name) if options.network else None
        if load is not None and load.poll() is not None:
            raise SystemExit(f"The training run ended early:\n{(folder / 'train.txt').read_text(encoding='utf-8')}")
    reference = in_the_simulator(options)
    if options.json:
        drives = {"emulator": driven.drive, "simulator": reference, "network": network}
        found = {name: facts(done) for name, done in drives.items() if done is not None}
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0 if report(driven, reference, network) else 1


if __name__ == "__main__":
    sys.exit(main())
