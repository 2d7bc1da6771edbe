"""Sessions to look at: two drivers on a bundled track, some laps each, without a game.

Run: python tools/sample_sessions.py data/sessions
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.telemetry.channels import FRAME
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import write_session
from actwin.twin.simulator import Simulator

DRIVERS = {"Ada": (1.0, 0.6), "Grace": (0.985, 1.0)}
"""Pace and size of the deviations of each driver."""
BURN = 0.6e-3
"""[kg/m] More than the bundled cars burn in a lap at full pace."""
STARTED = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def write_samples(
    root: Path, laps: int = 6, track_name: str = "monza", car_name: str = "formula_alpha_2022", seed: int = 3
) -> list[Path]:
    """Drives and records.

    Args:
        root: Folder of all sessions.
        laps: Of each driver.
        track_name, car_name: Bundled ones.
        seed: Of the deviations.

    Returns:
        The folders of the sessions.
    """
    track, car = load_track(track_name), load_car(car_name)
    n = len(DRIVERS)
    pace, noise = (np.array(values) for values in zip(*DRIVERS.values(), strict=True))
    driver = LineFollower(track, car, n, pace=pace, noise=float(noise.mean()), seed=seed)
    simulator = Simulator(track, car, n)
    lap_time = float(driver.profile.lap_time)
    fuel = min(BURN * track.length * (laps + 2), 100.0)
    frames = simulator.reset(distance=track.wrap(np.full(n, -60.0)), speed=40.0, fuel=fuel)
    rows: list[np.ndarray] = []
    steps = int((laps * 1.06 * lap_time + 20.0) / simulator.control_period)
    for _ in range(steps):
        rows.append(frames.copy())
        simulator.step(driver.act(frames))
        if int(frames["lap_count"].min()) > laps:
            break
    driven = np.stack(rows, axis=1)
    return [
        _write(root, name, driven[i], simulator.control_period, track_name, car, i) for i, name in enumerate(DRIVERS)
    ]


def _write(root: Path, name: str, frames: np.ndarray, period: float, track: str, car: object, i: int) -> Path:
    meta = SessionMeta(
        started=STARTED + timedelta(hours=i), source="twin", track=track, car=car.name, driver=name,
        period=period, facts={"max_rpm": float(car.engine.limiter_rpm)},
    )  # fmt: skip
    time = np.arange(len(frames)) * period
    return write_session(root, meta, time, np.ascontiguousarray(frames, FRAME)).folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--laps", type=int, default=6)
    chosen = parser.parse_args()
    for folder in write_samples(chosen.root, chosen.laps):
        print(folder)
