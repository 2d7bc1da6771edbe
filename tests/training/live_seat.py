"""A game that is stepped by whoever looks at it, and what a learner needs to be one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from actwin.agents.intake import Chunk
from actwin.agents.networks import ActionSpec
from actwin.agents.registry import new_network
from actwin.cockpit.actuators.protocol import Pose, within_range
from actwin.cockpit.live import LiveCockpit
from actwin.content.library import load_car, load_track
from actwin.errors import SourceError
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.channels import GAME, Controls, neutral_controls
from actwin.training.config import RunConfig, load_config
from actwin.twin.simulator import Simulator

TRACK, CAR = "oval", "formula_alpha_2022"
UNTOLD = (
    "lap_distance", "lateral_offset", "heading_error", "border_left", "border_right", "road_curvature", "slip_ratio",
    "slip_angle", "collision", "steer_angle",
)  # fmt: skip
LIVE = 2


class Game:
    """A source and an actuator over one car of the twin; each `read` drives it on by a control period."""

    name = "memory"

    def __init__(self, track: str = TRACK, car: str = CAR) -> None:
        self.simulator = Simulator(load_track(track), load_car(car), 1, substeps=1)
        self.simulator.reset(distance=50.0, speed=20.0)
        self.track, self.car = track, car
        self.controls: Controls = neutral_controls(1)
        self.status, self.alive, self.places = LIVE, True, True
        self.steps = 13
        """Physics steps from one sample to the next."""
        self.reads, self.connections = 0, 0
        self.on_read: Callable[[Game], None] = lambda game: None

    def connect(self, timeout: float = 2.0) -> GameInfo:
        if not self.alive:
            raise SourceError("No game. Start one.")
        self.connections += 1
        return GameInfo("memory", self.car, self.track, track_length=self.simulator.track.length)

    def read(self, timeout: float = 0.1) -> Sample | None:
        self.reads += 1
        self.on_read(self)
        if not self.alive or self.status != LIVE:
            time.sleep(min(timeout, 0.002))
            return None
        for _ in range(self.steps):
            self.simulator.step(self.controls)
        frame, game = self.simulator.frames.copy(), np.zeros(1, GAME)
        for name in UNTOLD:
            frame[name] = np.nan
        frame["surface"] = frame["lap_valid"] = frame["last_lap_valid"] = 0
        game["status"] = LIVE
        return Sample(time.perf_counter(), frame, game)

    def health(self) -> Health:
        return Health("dead" if not self.alive else "paused", 0.0, 0, 0.0)

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        self.controls = within_range(controls)
        return self.controls.copy()

    def reset(self, pose: Pose | None = None) -> bool:
        if not self.places:
            return False
        distance, lateral, heading = 0.0, 0.0, 0.0
        if pose is not None:
            s, n = self.simulator.track.to_road(pose.x, pose.y)
            distance, lateral = float(s), float(n)
            heading = pose.yaw - float(self.simulator.track.heading(s))
        self.simulator.reset(distance=distance, lateral=lateral, heading=heading)
        return True

    def close(self) -> None:
        self.controls = neutral_controls(1)


def seat(game: Game, timeout: float = 0.2, reconnect: float = 0.5) -> LiveCockpit:
    track, car = load_track(TRACK), load_car(CAR)
    return LiveCockpit(
        game, lambda: game, track, car, timeout=timeout, reconnect=reconnect, sleep=lambda seconds: time.sleep(0.01)
    )


def config(*overrides: str, games: int = 1, agent: str = "sac") -> RunConfig:
    sources = ", ".join(f"{{source: 'memory:nowhere/{i}', actuator: custom_ai}}" for i in range(games))
    settings = [f"live.games=[{sources}]", f"env.track={TRACK}", f"agent.type={agent}", "agent.hidden=[16, 16]"]
    settings += ["agent.batch=32", "agent.learning_starts=0", "agent.replay=4000", "train.threads=1", "imitation=null"]
    settings += ["env.action.kind=discrete"] if agent == "iqn" else []
    return load_config(None, [*settings, *overrides])


def policy_of(run: RunConfig, observations: int, action: ActionSpec) -> Any:
    torch.manual_seed(0)
    return new_network(run.agent, observations, action)


class Taker:
    """A learner that only keeps what comes."""

    def __init__(self, policy: Any) -> None:
        self.policy, self.version = policy, 1
        self.chunks: list[Chunk] = []

    def take(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    def weights(self) -> tuple[int, dict[str, torch.Tensor]]:
        return self.version, {name: value.clone() for name, value in self.policy.state_dict().items()}
