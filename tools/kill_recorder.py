"""Kills recorders at random moments and checks what is left: `python tools/kill_recorder.py --kills 50`.

A child process records samples at the game's physics rate and notes, in memory that outlives it, how many it has
recorded. It is killed while it records, or while it makes its session complete. Then the session must open, hold
every sample in order and with its values, and lack at most those of the last second.
"""

from __future__ import annotations

import argparse
import mmap
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from actwin.pacing import Pacer
from actwin.telemetry.ac.source import GameInfo, Sample
from actwin.telemetry.channels import FRAME, GAME, neutral_controls
from actwin.telemetry.store.listing import scan
from actwin.telemetry.store.recorder import Recorder
from actwin.telemetry.store.session import Session

PERIOD = 0.003
ALLOWED = 1.0
"""[s] Of samples that may be missing after a kill."""
START = 60.0
"""[s] For a child to begin, on a busy machine."""
NOTES = struct.Struct("<qd?")
"""Samples recorded, time of the last, whether the recorder is being closed."""


class Kill(NamedTuple):
    """What one kill left.

    Attributes:
        closing: It came while the session was made complete.
        recorded, kept: Samples.
        missing: [s] Of samples at the end.
    """

    closing: bool
    recorded: int
    kept: int
    missing: float


class Notes:
    """What the child tells, in a file that is mapped into memory: it outlives a kill.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(NOTES.size))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), NOTES.size)

    def write(self, count: int, moment: float, closing: bool = False) -> None:
        """Tells how far it is."""
        NOTES.pack_into(self._map, 0, count, moment, closing)

    def read(self) -> tuple[int, float, bool]:
        """How far it was."""
        return NOTES.unpack_from(self._map)

    def close(self) -> None:
        """Lets the file go."""
        self._map.close()
        self._file.close()


def child(root: Path, notes: Notes, seconds: float) -> None:
    """Records for some time in real time, then makes the session complete."""
    frame, game, controls, pacer = np.zeros(1, FRAME), np.zeros(1, GAME), neutral_controls(1), Pacer(PERIOD)
    recorder = Recorder(root, GameInfo(source="memory", car="car", track="track"), driver="child", period=PERIOD)
    for index in range(round(seconds / PERIOD)):
        frame["packet_id"], frame["speed"], game["wind_speed"] = index, speed(index), index % 7
        controls["throttle"] = index % 2
        recorder.add(Sample(index * PERIOD, frame, game), controls)
        notes.write(index + 1, index * PERIOD)
        pacer.wait()
    notes.write(index + 1, index * PERIOD, closing=True)
    recorder.close()


def speed(index: np.ndarray | int) -> np.ndarray:
    """[m/s] What the child writes as the speed of its samples."""
    return np.float32(40.0) + np.sin(np.asarray(index) * 0.01).astype(np.float32)


def kill_one(root: Path, seconds: float, after_closing: float | None) -> Kill:
    """Starts a child, kills it, opens what it left.

    Args:
        root: Folder for its session.
        seconds: [s] To record before it is killed, or closed.
        after_closing: [s] To wait after it began to close; None kills it while it records.
    """
    root.mkdir(parents=True)
    notes = Notes(root / "notes")
    length = seconds if after_closing is not None else seconds + 60.0
    words = [sys.executable, __file__, "--child", str(root / "sessions"), str(root / "notes"), str(length)]
    with subprocess.Popen(words) as process:
        try:
            wait_until(lambda: notes.read()[0] > 0, START)
            if after_closing is None:
                time.sleep(seconds)
            else:
                wait_until(lambda: notes.read()[2], seconds + START)
                time.sleep(after_closing)
        finally:
            process.kill()
    recorded, _, closing = notes.read()
    notes.close()
    found = scan(root / "sessions")
    assert not found.damaged, found.damaged
    (session,) = found.sessions
    kept = check(session)
    return Kill(closing, recorded, kept, max(recorded - kept, 0) * PERIOD)


def wait_until(condition: Callable[[], bool], timeout: float) -> None:
    """Waits until a condition holds.

    Raises:
        TimeoutError: It did not come true.
    """
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"the child did not get there within {timeout:.0f} s")
        time.sleep(0.001)


def check(session: Session) -> int:
    """Rows of a session that was left; every one must be what the child wrote."""
    index = np.arange(len(session))
    assert session.has_table, "not recovered"
    assert not (session.folder / "telemetry.arrows").exists(), "the stream is still there"
    assert np.array_equal(session.frames["packet_id"], index)
    assert np.array_equal(session.frames["speed"], speed(index))
    assert np.array_equal(session.game["wind_speed"], (index % 7).astype(np.float32))
    assert np.array_equal(session.sent["throttle"], (index % 2).astype(np.float32))
    assert np.allclose(session.time, index * PERIOD, rtol=0.0, atol=1e-9)
    assert session.meta.frames == len(index), f"the meta says {session.meta.frames} frames"
    assert (session.meta.car, session.meta.driver) == ("car", "child")
    return len(session)


def main() -> None:
    """Kills and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--longest", type=float, default=4.0, help="[s] longest time before a kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=3, metavar=("ROOT", "NOTES", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        root, notes, seconds = options.child
        child(Path(root), Notes(Path(notes)), float(seconds))
        return
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        kills = []
        for number in range(options.kills):
            # Every third one dies while its session is made complete, within the tenth of a second that this takes.
            after = dice.uniform(0.0, 0.1) if number % 3 == 2 else None
            kill = kill_one(Path(folder) / str(number), dice.uniform(0.05, options.longest), after)
            kills.append(kill)
            print(f"{number + 1:3d} {'closing  ' if kill.closing else 'recording'} {kill.recorded:6d} samples, "
                  f"{kill.missing:.3f} s missing", flush=True)  # fmt: skip
            assert kill.missing <= ALLOWED
    worst = max(kill.missing for kill in kills)
    print(f"{len(kills)} kills, {len(kills)} sessions opened; at most {worst:.3f} s missing, allowed {ALLOWED:.0f} s")


if __name__ == "__main__":
    main()
