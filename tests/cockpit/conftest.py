"""A car in the twin that is read and driven as a game is."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from actwin.cockpit.actuators.protocol import Pose, within_range
from actwin.content.library import load_car, load_track
from actwin.errors import SourceError
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.channels import GAME, Controls, neutral_controls
from actwin.twin.simulator import Simulator

LIVE, PAUSE = 2, 3
UNTOLD = (
    "lap_distance", "lateral_offset", "heading_error", "border_left", "border_right", "road_curvature", "slip_ratio",
    "slip_angle", "collision", "steer_angle",
)  # fmt: skip
"""Channels that shared memory does not tell, as NaN."""


class FakeGame:
    """A source and an actuator over one car of the twin; every `read` drives it on by `spacing` physics steps."""

    name = "memory"

    def __init__(self, track: str = "oval", car: str = "formula_alpha_2022", spacing: int = 1) -> None:
        self.simulator = Simulator(load_track(track), load_car(car), 1, substeps=1)
        self.track, self.car, self.spacing = track, car, spacing
        self.simulator.reset(distance=50.0, speed=20.0)
        self.controls: Controls = neutral_controls(1)
        self.log: list[Controls] = []
        self.status, self.alive, self.connections, self.places = LIVE, True, 0, True
        self.closed = False
        self.broken = False

    # The source
    def connect(self, timeout: float = 2.0) -> GameInfo:
        if not self.alive:
            raise SourceError("No game. Start one.")
        self.connections += 1
        return GameInfo("memory", self.car, self.track, track_length=self.simulator.track.length)

    def read(self, timeout: float = 0.1) -> Sample | None:
        if not self.alive or self.status != LIVE:
            time.sleep(min(timeout, 0.005))
            return None
        for _ in range(self.spacing):
            self.simulator.step(self.controls)
        return self.sample()

    def sample(self) -> Sample:
        frame, game = self.simulator.frames.copy(), np.zeros(1, GAME)
        for name in UNTOLD:
            frame[name] = np.nan
        frame["surface"] = frame["lap_valid"] = frame["last_lap_valid"] = 0
        game["status"] = self.status
        return Sample(time.perf_counter(), frame, game)

    def health(self) -> Health:
        return Health("dead" if not self.alive else "paused" if self.status != LIVE else "live", 333.0, 0, 0.0)

    # The actuator
    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        if self.broken:
            raise SourceError("The controls are gone. Begin anew.")
        self.controls = within_range(controls)
        self.log.append(self.controls)
        return self.controls.copy()

    def reset(self, pose: Pose | None = None) -> bool:
        if not self.places:
            return False
        track = self.simulator.track
        distance, lateral, heading = 0.0, 0.0, 0.0
        if pose is not None:
            s, n = track.to_road(pose.x, pose.y)
            distance, lateral, heading = float(s), float(n), pose.yaw - float(track.heading(s))
        packet = int(self.simulator.frames["packet_id"][0])
        self.simulator.reset(distance=distance, lateral=lateral, heading=heading)
        assert packet >= 0
        return True

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def make_game(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> type[FakeGame]:
    """Games without control maps of the user who runs the tests."""
    monkeypatch.setenv("ACTWIN_CONFIG_DIR", str(tmp_path))
    return FakeGame
