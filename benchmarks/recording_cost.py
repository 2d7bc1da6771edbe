"""What recording costs at the game's physics rate: `python benchmarks/recording_cost.py`.

Samples arrive in real time, 333 a second. The processor time of the whole process is counted: the recorder with its
thread that writes, and with `--source memory` also the reader of the shared memory, its waiting and its decoding.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from actwin.driving.record import record
from actwin.pacing import Durations
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.ac.source import GameInfo, Sample
from actwin.telemetry.channels import FRAME, GAME
from actwin.telemetry.store.recorder import Recorder
from actwin.telemetry.store.session import Session
from measure import machine

PERIOD = 0.003
PHYSICS_RATE = 1.0 / PERIOD
INFO = GameInfo(source="memory", car="dallara_f317", track="monza")


def synthetic_drive(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """FRAME[K] and GAME[K] in which every channel changes smoothly: what the disk sees of a real drive."""
    count = round(seconds * PHYSICS_RATE)
    phase = np.arange(count) * PERIOD
    frames, game = np.zeros(count, FRAME), np.zeros(count, GAME)
    for records in (frames, game):
        for number, name in enumerate(records.dtype.names):
            values = 50.0 * np.sin(phase * (0.1 + 0.03 * number) + number)
            field = records[name]
            field[:] = values if field.ndim == 1 else values[:, None]
    frames["packet_id"], frames["lap_count"] = np.arange(count), 0
    return frames, game


def record_alone(root: Path, seconds: float) -> tuple[Session, float, Durations]:
    """The recorder alone: session, processor time [s], durations of `add`."""
    frames, game = synthetic_drive(seconds)
    adding = Durations()
    with Recorder(root, INFO, period=PERIOD) as recorder:
        start, spent = time.perf_counter(), time.process_time()
        for i in range(len(frames)):
            sample = Sample(start + i * PERIOD, frames[i : i + 1], game[i : i + 1])
            # Sleeping, not polling: the wait is no part of the cost.
            time.sleep(max(0.0, sample.time - time.perf_counter()))
            begin = time.perf_counter()
            recorder.add(sample)
            adding.add(time.perf_counter() - begin)
        spent = time.process_time() - spent
    return recorder.close(), spent, adding


def wait_alone(seconds: float) -> float:
    """Processor time [s] of the same loop without a recorder."""
    start, spent = time.perf_counter(), time.process_time()
    for i in range(round(seconds * PHYSICS_RATE)):
        time.sleep(max(0.0, start + i * PERIOD - time.perf_counter()))
    return time.process_time() - spent


def record_memory(root: Path, seconds: float) -> tuple[Session, float, Durations]:
    """`actwin record` without its screen, from an emulator in another process."""
    pages = root / "pages"
    pages.mkdir()
    words = [sys.executable, "-c", "from actwin.cli import main; main()", "serve", "--folder", str(pages)]
    words += ["--without", "udp", "--without", "app", "--seconds", str(seconds + 180.0)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as emulator:
        try:
            source = SharedMemorySource(pages)
            info = source.connect(timeout=180.0)
            with Recorder(root, info, period=PERIOD) as recorder:
                spent = time.process_time()
                record(source, recorder, info, seconds=seconds)
                spent = time.process_time() - spent
        finally:
            emulator.terminate()
    return recorder.close(), spent, Durations()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--source", choices=("none", "memory"), default="none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = record_alone if options.source == "none" else record_memory
        session, spent, adding = measured(Path(folder), options.seconds)
        begin, busy = time.perf_counter(), time.process_time()
        again = len(Session.open(session.folder).frames)
        reading = time.perf_counter() - begin
        size = (session.folder / "telemetry.parquet").stat().st_size
        seconds = max(session.meta.duration, PERIOD)
    what = "recorder" if options.source == "none" else "reader of the shared memory and recorder"
    print(f"{what}, {seconds:.0f} s, {again} samples, {session.meta.lost} lost ({machine()})")
    print(f"  processor time while recording: {spent / seconds:.2%} of one core")
    if adding.count:
        print(f"  of which the loop that waits for samples: {wait_alone(10.0) / 10.0:.2%}")
        spread = adding.spread()
        print(
            f"  add(): p50 {1e6 * spread.p50:.0f} us, p99 {1e6 * spread.p99:.0f} us, worst {1e6 * spread.worst:.0f} us"
        )
    print(f"  file: {size / again:.0f} B a sample, {size / seconds * 3600 / 1e6:.0f} MB an hour")
    print(f"  opened and read again: {reading:.2f} s ({time.process_time() - busy:.2f} s of processor time)")


if __name__ == "__main__":
    main()
