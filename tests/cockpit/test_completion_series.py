"""A whole drive completed at once is the same as frame after frame."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.cockpit.completion import Completion
from actwin.content.library import load_car, load_track
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS

MISSING = ("slip_ratio", "slip_angle", "grip_use", "steer", "tyres_out", "surface", "lap_valid", "last_lap_valid",
           "collision", "sector")  # fmt: skip
STEP = 13


@pytest.mark.parametrize("begins", [[0], [0, 137], [0, 60, 230]])
def test_a_series_is_its_frames(begins: list[int]) -> None:
    track, car = load_track("oval"), load_car("formula_alpha_2022")
    random = np.random.default_rng(0)
    count = 300
    frames = np.zeros(count, FRAME)
    # Three laps at 20 m a frame, in the second one over the edge.
    distance = 20.0 * np.arange(count) + 700.0
    aside = np.where((np.arange(count) > 90) & (np.arange(count) < 95), 11.0, random.uniform(-3.0, 3.0, count))
    frames["x"], frames["y"], frames["z"] = track.to_world(track.wrap(distance), aside)
    frames["yaw"] = np.mod(track.heading(distance) + np.pi, 2.0 * np.pi) - np.pi
    frames["lap_time"] = track.wrap(distance) / 500.0
    frames["packet_id"] = STEP * np.arange(count)
    frames["speed"] = frames["vx"] = 50.0 - 20.0 * (np.arange(count) % 40 == 39)
    frames["vy"], frames["yaw_rate"] = random.normal(0.0, 0.5, (2, count))
    frames["steer_angle"], frames["wheel_speed"] = random.normal(0.0, 0.3, count), 150.0
    told = [channel.name for channel in FRAME_CHANNELS if channel.name not in MISSING]
    one, other = frames.copy(), frames.copy()
    step = Completion(track, car, MISSING, period=0.039)
    for row in range(count):
        if row in begins:
            step.forget()
        step.fill(one[row : row + 1])
    flags = np.isin(np.arange(count), begins)
    Completion(track, car, MISSING, period=0.039).fill_series(other, flags)
    for name in (*told, *MISSING):
        np.testing.assert_allclose(other[name], one[name], rtol=1e-4, atol=1e-3, err_msg=name)
    assert len(np.unique(one["lap_valid"])) == len(np.unique(one["last_lap_valid"])) == 2
    assert one["collision"].max() > 0.0
