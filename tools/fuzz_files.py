"""Throws damaged files at everything that reads files of others: `python tools/fuzz_files.py --files 1000000`.

Files are valid ones with bits turned, cut off, joined, repeated or grown, noise, and valid ones. Asked for: no
exception but the expected ones, no warning of numpy's, no growth of memory. One in fifty that can be read is also made
a session and written as a MoTeC log. The exit code is 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fuzz_interfaces import GROWTH, memory_in_use
from hostile_messages import Noise

from actwin.content.ai_line import DETAIL, POINT, VERSION, read_ai_line
from actwin.errors import ActwinError
from actwin.telemetry.store.imports import import_file, read_recording
from actwin.telemetry.store.motec import LdChannel, LdHead, parse_ld
from actwin.telemetry.store.motec_export import export_ld
from actwin.telemetry.store.motec_laps import read_ldx, write_ldx
from actwin.telemetry.store.motec_writer import write_ld

WHOLE_WAY = 50
"""One of so many readable recordings becomes a session and a log."""

GYM = b"""currentTime,speed,world_position_x,world_position_y,yaw,velocity_x,velocity_z,steps,current_action_abs_0
80.00,50.0,1.5,-2.5,0.1,5.0,49.5,1,0.1
80.04,50.0,1.5,-2.5,0.1,5.0,49.5,2,0.1
0.012,50.0,1.5,-2.5,0.1,5.0,49.5,3,0.1
"""
LOGGER = b"""gas,brake,rpm,speed,current_time_str,normalized_car_position,result
0.5,0.0,2578,12.5,1:59:880,0.99,neutral
0.5,0.0,2578,12.5,0:00:123,0.01,neutral
"""
I2 = b""""Format","MoTeC CSV File",,,"Workbook",""
"Venue","monza",,,"Worksheet",""
"Log Date","2021-04-11",,,"Origin Time","5.000","s"
"Beacon Markers","5.05"

"Time","Ground Speed","Gear","Note"
"s","km/h","",""

"0.000","173.0","3","start"
"0.050","173.6","4",""
"""
OWN = b"""time,vel,rpm,gear,sent_steer,sent_gear,lap_count,lap_time
0,50,9000,3,0.1,-2,0,80
0.04,50,9000,3,0.1,-2,1,0.01
"""


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        ending: Of its name.
        valid: Files to start from.
        read: Reads one.
    """

    ending: str
    valid: list[bytes]
    read: Callable[[Path], object]


def kinds(folder: Path) -> list[Kind]:
    """Every kind, with valid files made in a folder."""
    channels = [("Ground Speed", "km/h", 10), ("Lap Time", "s", 5), ("Gear", "", 20), ("Other", "", 3)]
    made = [LdChannel(name, unit, rate, np.arange(8.0)) for name, unit, rate in channels]
    log = write_ld(folder / "valid.ld", LdHead(datetime(2026, 11, 21, 9, 30), "Ada", "car", "track"), made).read_bytes()
    laps = write_ldx(folder / "valid.ldx", [5.0, 95.5]).read_bytes()
    numbers = np.array([VERSION, 5, 0, 0], "<i4").tobytes()
    line = numbers + bytes(POINT.itemsize * 5) + np.array([5], "<i4").tobytes() + bytes(DETAIL.itemsize * 5)
    return [
        Kind(".ld", [log], lambda path: parse_ld(path.read_bytes(), path)),
        Kind(".ld", [log], read_recording),
        Kind(".ldx", [laps], read_ldx),
        Kind(".csv", [GYM, LOGGER, I2, OWN], read_recording),
        Kind(".ai", [line], read_ai_line),
    ]


def run(files: int, seed: int) -> list[str]:
    """Reads damaged files.

    Args:
        files: In all.
        seed: Of the damage.

    Returns:
        Problems, none when all is well.
    """
    noise, counts, settled = Noise(seed), Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = kinds(folder)
        for number in range(files):
            kind = known[number % len(known)]
            path = folder / f"file{kind.ending}"
            path.write_bytes(noise.message(kind.valid))
            try:
                kind.read(path)
                if kind.read is read_recording and counts["read"] % WHOLE_WAY == 0:
                    export_ld(import_file(path, folder / "sessions"), folder / "out.ld")
                    shutil.rmtree(folder / "sessions")
                counts["read"] += 1
            except ActwinError:
                counts["refused"] += 1
            if number == files // 10:
                settled = memory_in_use()
    print(f"{counts['read']:,} read, {counts['refused']:,} refused")
    growth = memory_in_use() - settled
    return [f"memory grew by {growth:.0f} MiB"] if growth > GROWTH else []


def main() -> None:
    """Runs and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    warnings.simplefilter("error")
    begin = time.perf_counter()
    problems = run(wanted.files, wanted.seed)
    for problem in problems:
        print(f"FAILED {problem}")
    print(f"{wanted.files:,} files in {time.perf_counter() - begin:.0f} s: {'FAILED' if problems else 'all well'}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
