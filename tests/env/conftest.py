"""A small road and small tasks for the tests of the environments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwin.content.car import Car
from actwin.content.library import load_car, load_track
from actwin.content.track import Track
from actwin.env.config import TaskConfig
from actwin.env.reference import Reference
from actwin.env.task import Task
from actwin.planning.racing_line import minimum_curvature
from actwin.telemetry.channels import FRAME, Frames


@pytest.fixture(scope="session")
def track() -> Track:
    return load_track("oval")


@pytest.fixture(scope="session")
def car() -> Car:
    return load_car("formula_alpha_2022")


@pytest.fixture(scope="session")
def reference(track: Track) -> Reference:
    """The oval with a racing speed of 40 m/s everywhere, known without a car."""
    return Reference(track, minimum_curvature(track), np.full(50, 40.0), 800.0)


@pytest.fixture
def make_task(track: Track, car: Car, reference: Reference) -> Any:
    """Tasks on the oval: `make_task(n, reward={...}, ...)`."""

    def make(n: int = 1, **settings: Any) -> Task:
        return Task(TaskConfig.of(settings, track="oval"), n, track=track, car=car, reference=reference)

    return make


@pytest.fixture
def make_frames(track: Track) -> Any:
    """Frames of cars that stand at places of the oval: `make_frames(s, n=..., speed=...)`."""

    def make(s: Any, lateral: Any = 0.0, heading: Any = 0.0, **channels: Any) -> Frames:
        s = np.atleast_1d(np.asarray(s, np.float64))
        frames = np.zeros(len(s), FRAME)
        frames["lap_distance"], frames["lateral_offset"], frames["heading_error"] = s, lateral, heading
        frames["x"], frames["y"], frames["z"] = track.to_world(s, np.broadcast_to(lateral, s.shape))
        frames["yaw"] = np.mod(track.heading(s) + heading + np.pi, 2.0 * np.pi) - np.pi
        frames["border_left"] = track.width_left(s) - lateral
        frames["border_right"] = track.width_right(s) + lateral
        for name, value in channels.items():
            frames[name] = value
        return frames

    return make
