"""Frames a second between Assetto Corsa's records and ours: `python benchmarks/decode_speed.py`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.telemetry.ac.custom_ai import CAR
from actwin.telemetry.ac.frames import (
    custom_ai_from_frames,
    frames_from_custom_ai,
    frames_from_pages,
    frames_from_remote,
    remote_from_frames,
    write_graphics,
    write_physics,
)
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, STATIC
from actwin.telemetry.ac.remote_packets import RT_CAR_INFO
from measure import calls_per_second, machine

BATCHES = (1, 16, 256, 4096, 65_536)


class Direction(NamedTuple):
    """One line for each batch.

    Attributes:
        name: What is converted.
        run: Converts a batch.
    """

    name: str
    run: Callable[[], object]


def directions(n: int) -> list[Direction]:
    """Every conversion, of batches of n, from and to memory of its own."""
    physics, graphics, static = filled(PHYSICS, n), filled(GRAPHICS, n), np.zeros(1, STATIC)
    packets, cars = filled(RT_CAR_INFO, n), filled(CAR, n)
    frames, games = frames_from_pages(physics, graphics, static)
    decode = [
        Direction("shared-memory pages to FRAME and GAME", lambda: frames_from_pages(physics, graphics, static, 4.7)),
        Direction("UDP packets to FRAME and GAME", lambda: frames_from_remote(packets, 4.7)),
        Direction("Custom AI cars to FRAME and GAME", lambda: frames_from_custom_ai(cars, 4.7)),
        Direction("FRAME and GAME to physics pages", lambda: write_physics(frames, games, physics)),
        Direction("FRAME and GAME to UDP packets", lambda: remote_from_frames(frames, games)),
        Direction("FRAME and GAME to Custom AI cars", lambda: custom_ai_from_frames(frames, games, cars)),
    ]
    if n == 1:  # its four texts are written one by one
        decode.insert(
            4, Direction("FRAME and GAME to a graphics page", lambda: write_graphics(frames, games, graphics))
        )
    return decode


def filled(dtype: np.dtype[Any], n: int) -> npt.NDArray[Any]:
    """Records whose floats are ordinary numbers and whose integers are small."""
    random = np.random.default_rng(1)
    records = np.zeros(n, dtype)
    for name in dtype.names or ():
        field = records[name]
        if field.dtype.kind == "f":
            field[...] = random.uniform(0.1, 100.0, field.shape)
        elif field.dtype.kind in "iu":
            field[...] = random.integers(0, 3, field.shape)
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="measured time of each line")
    wanted = parser.parse_args()
    print(f"{machine()}, one thread, best of five windows\n")
    print("| conversion | records at once | frames/s | µs a record |")
    print("| --- | ---: | ---: | ---: |")
    for n in BATCHES:
        for direction in directions(n):
            rate = n * calls_per_second(direction.run, wanted.seconds)
            print(f"| {direction.name} | {n:,} | {rate:,.0f} | {1e6 / rate:,.2f} |", flush=True)


if __name__ == "__main__":
    main()
