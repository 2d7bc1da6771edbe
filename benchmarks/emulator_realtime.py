"""Whether the emulator holds the game's rates on one core, everything on: `python benchmarks/emulator_realtime.py`.

`actwin serve` runs in a process of its own, which may use one core only. This process is its clients: it drives by
Custom AI, subscribes to the remote telemetry, listens to the in-game app and reads the shared memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actwin.cockpit.actuators.custom_ai import CustomAI
from actwin.telemetry.ac.app_client import AppClient
from actwin.telemetry.ac.app_source import AppSource
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.ac.remote import RemoteSource
from actwin.telemetry.ac.source import Source
from actwin.telemetry.channels import neutral_controls
from measure import machine

ACTWIN = (sys.executable, "-c", "from actwin.cli import main; main()")


def start(folder: Path, seconds: float, options: list[str], core: int | None) -> subprocess.Popen[str]:
    """`actwin serve` with ports of its own."""
    words = [*ACTWIN, "serve", "--folder", str(folder), "--remote-port", "0", "--app-port", "0", "--json"]
    words += ["--seconds", str(seconds), *options]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(server.pid, {core})
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - {core} or {core})
    return server


def clients(folder: Path, serving: dict[str, dict[str, str]]) -> list[Source]:
    """One reader of each interface."""

    def port(interface: str, name: str) -> int:
        return int(serving[interface][name].rsplit(":", 1)[1])

    app = AppClient("127.0.0.1", *(port("in-game app", name) for name in ("ego", "opponents", "management")))
    found: list[Source] = [
        SharedMemorySource(folder),
        RemoteSource("127.0.0.1", port("UDP telemetry", "telemetry")),
        AppSource(client=app),
    ]
    for source in found:
        source.connect(timeout=10.0)
    return found


def run(folder: Path, seconds: float, options: list[str], core: int | None) -> tuple[dict[str, Any], dict[str, float]]:
    """What the emulator says about itself at its end, and the samples a second of each client."""
    server = start(folder, seconds, options, core)
    assert server.stdout is not None
    serving = json.loads(server.stdout.readline())["serving"]
    sources, counts = clients(folder, serving), {}
    hands, controls = CustomAI(str(folder)), neutral_controls(1)
    controls["throttle"] = 0.3
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds - 4.0:
        hands.send(controls)
        for source in sources:
            while source.read(timeout=0.0) is not None:
                counts[source.name] = counts.get(source.name, 0) + 1
        time.sleep(0.0005)
    spent = time.perf_counter() - begin
    hands.close()
    for source in sources:
        source.close()
    facts = json.loads(server.communicate(timeout=60.0)[0])
    return facts, {name: count / spent for name, count in counts.items()}


def main() -> None:
    """Prints how each part of a step did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="[s] to serve, above 5")
    parser.add_argument("--core", type=int, default=0, help="number of the core that the emulator gets; -1 for any")
    parser.add_argument("serve", nargs="*", help="options of `actwin serve`, after --")
    wanted = parser.parse_args()
    on = machine()
    with tempfile.TemporaryDirectory() as folder:
        facts, rates = run(Path(folder), wanted.seconds, wanted.serve, wanted.core if wanted.core >= 0 else None)
    print(on)
    print()
    print("| part of a step | times | p50 ms | p99 ms | worst ms |")
    print("|---|--:|--:|--:|--:|")
    for name, spread in facts["sections"].items():
        shown = " | ".join(f"{1e3 * spread[key]:.3f}" for key in ("p50", "p99", "worst"))
        print(f"| {name} | {spread['n']} | {shown} |")
    print()
    print(
        f"Real-time factor {facts['real_time_factor']:.4f} over {facts['wall_time']:.0f} s, "
        f"{100.0 * facts['processor_share']:.0f} % of one core, {facts['late']} of {facts['steps']} steps late, "
        f"{facts['lost']} lost. Samples a second: {', '.join(f'{name} {rate:.1f}' for name, rate in rates.items())}."
    )


if __name__ == "__main__":
    main()
