"""Measures how fast a car is neutral after its driver is gone: `python tools/neutral_delay.py --times 5`.

`actwin serve` runs in a second process and a driver at part throttle in a third. The driver is killed, stopped, or
kept from its telemetry; what counts is when the emulated car's own throttle is shut, as shared memory tells it. Asked
for: 0.5 s. The exit code is 0 when all of it holds. Needs the signals of Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from actwin.cockpit.opening import open_cockpit
from actwin.errors import SourceError
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.channels import neutral_controls

LIMIT = 0.5
SHIFT = 0.3
"""[s] Longer than any gear shift, which shuts the throttle, too."""
STARTUP = 120.0
"""[s] For the first start, which compiles."""
ACTWIN = (sys.executable, "-c", "from actwin.cli import main; main()")
WAYS = ("killed", "stopped", "without telemetry")


@contextlib.contextmanager
def process(words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended with the block."""
    started = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def drive(source: str, actuator: str) -> None:
    """Holds part throttle until the first error or signal; SIGUSR1 takes the telemetry away."""
    cockpit = open_cockpit(source, actuator)
    cockpit.reset()
    deaf: list[bool] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: deaf.append(True))
    controls = neutral_controls(1)
    controls["throttle"] = 0.3
    with contextlib.suppress(SourceError):
        while True:
            cockpit.send(controls)
            cockpit.read()
            if deaf:
                time.sleep(60.0)


def wait_for_throttle(source: SharedMemorySource, held: bool, timeout: float) -> float:
    """[s] Until the car's throttle is held, or shut for longer than by a gear shift."""
    begin, since = time.perf_counter(), 0.0
    while (now := time.perf_counter()) - begin < timeout:
        sample = source.read(0.05)
        if sample is None:
            continue
        throttle = sample.frame["throttle"][0]
        if not (throttle > 0.2 if held else throttle < 0.01):
            since = 0.0
            continue
        since = since or now
        if now - since > (0.0 if held else SHIFT):
            return since - begin
    raise SystemExit(f"The throttle was not {'held' if held else 'shut'} within {timeout:g} s.")


def measure(folder: str, actuator: str, way: str) -> float:
    """[s] From the end of a driver to the shut throttle."""
    source = SharedMemorySource(folder)
    source.connect(10.0)
    words = [sys.executable, __file__, "--drive", f"memory:{folder}", actuator]
    with process(words) as driver:
        wait_for_throttle(source, True, STARTUP)
        time.sleep(0.3)
        sent = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP}.get(way, signal.SIGUSR1)
        os.kill(driver.pid, sent)
        took = wait_for_throttle(source, False, 10.0)
    source.close()
    return took


def main() -> None:
    """Measures every way with both actuators."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="each way")
    parser.add_argument("--port", type=int, default=24_600, help="of the emulated app")
    parser.add_argument("--drive", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        drive(*options.drive)
        return
    worst = 0.0
    for actuator in ("custom_ai", f"app:127.0.0.1:{options.port}"):
        with tempfile.TemporaryDirectory() as folder:
            words = [*ACTWIN, "serve", "--track", "oval", "--driver", "none", "--folder", folder]
            words += ["--remote-port", "0", "--app-port", str(options.port)]
            with process(words):
                pages = Path(folder) / "acpmf_physics"
                end = time.monotonic() + STARTUP
                while not pages.exists() and time.monotonic() < end:
                    time.sleep(0.1)
                for way in WAYS:
                    took = [measure(folder, actuator, way) for _ in range(options.times)]
                    print(f"{actuator.partition(':')[0]}, {way}: {min(took):.3f} to {max(took):.3f} s", flush=True)
                    worst = max(worst, *took)
    raise SystemExit(0 if worst <= LIMIT else f"{worst:.3f} s is more than {LIMIT} s.")


if __name__ == "__main__":
    main()
