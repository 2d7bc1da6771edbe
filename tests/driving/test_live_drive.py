"""The real-time driver against the emulator, stepped instead of timed: nothing depends on the machine's speed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import actwin.driving.live_drive as live_drive
from actwin.cockpit.actuators.custom_ai import CustomAI
from actwin.cockpit.twin import TwinCockpit
from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.driving.live_drive import LiveDrive, drive_live, grid_pose
from actwin.driving.realtime import drive
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.store.session import Session
from actwin.twin.emulator.emulator import Emulator, Outlets
from actwin.twin.simulator import Simulator

TRACK, CAR = "oval", "dallara_f317"
SECONDS = 5.85


@pytest.fixture
def runs():
    """Whether the emulator goes on; empty when it does not."""
    return []


@pytest.fixture
def game(tmp_path, monkeypatch, runs):
    """An emulator that `drive_live` finds at every source and actuator; it does a step whenever somebody waits."""
    simulator = Simulator(load_track(TRACK), load_car(CAR), substeps=1)
    outlets = Outlets(folder=tmp_path, remote_port=None, app_ports=None)
    with Emulator(simulator, None, outlets, fuel_rate=0.0) as emulator:
        runs.append(True)
        clock = [0.0]

        def wait(seconds: float) -> None:
            if runs:
                emulator.step()
            clock[0] += 0.003

        stepped = SimpleNamespace(perf_counter=lambda: clock[0], sleep=wait)
        monkeypatch.setattr("actwin.cockpit.actuators.custom_ai.time", stepped)
        monkeypatch.setattr(
            live_drive, "open_source", lambda text: SharedMemorySource(tmp_path, clock=lambda: clock[0], sleep=wait)
        )
        monkeypatch.setattr(live_drive, "open_actuator", lambda text, source: CustomAI(str(tmp_path)))
        yield emulator


def speed_at(places, frames, length: float):
    """[m/s] Where the car has driven so far."""
    distance = np.unwrap([frame["lap_distance"] for frame in frames], period=length)
    return np.interp(places, distance - distance[0], [frame["vx"] for frame in frames])


def test_the_emulator_is_driven_as_the_simulator(game, tmp_path) -> None:
    seen = []
    driven = drive_live(
        LiveDrive(start="grid", record=tmp_path / "sessions"),
        seconds=SECONDS,
        on_period=lambda done, frames, sent: seen.append(frames[0].copy()),
    )
    done = driven.drive
    assert (driven.track, driven.car, driven.driver, driven.source) == (TRACK, CAR, "expert", "memory")
    assert (done.ended, done.missed, done.breaks) == ("time", 0, [])
    assert done.periods == len(seen) == round(SECONDS / 0.039)

    twin = []
    simulator = Simulator(load_track(TRACK), load_car(CAR))
    driver = LineFollower(simulator.track, simulator.cars[0])
    drive(
        TwinCockpit(simulator), driver, seconds=SECONDS,
        on_period=lambda done, frames, sent: twin.append(frames[0].copy()),
    )  # fmt: skip
    # The emulated car stands on its brakes until somebody drives, so that it leaves a moment later.
    places = np.linspace(20.0, 80.0, 50)
    np.testing.assert_allclose(
        *(speed_at(places, frames, simulator.track.length) for frames in (seen, twin)), rtol=0.01
    )

    session = Session.open(driven.session)
    assert driven.problem == ""
    assert len(session) == done.periods
    np.testing.assert_array_equal(session.frames["speed"], [frame["speed"] for frame in seen])


def test_the_car_is_let_go(game) -> None:
    drive_live(LiveDrive(), seconds=1.0)
    game.step()
    assert game.controls["throttle"][0] == 0.0


def test_a_game_that_does_not_come_back_is_told(game, runs, tmp_path) -> None:
    def vanish(done, frames, sent):
        if done.periods == 10:
            runs.clear()

    driven = drive_live(LiveDrive(reconnect=0.2, record=tmp_path / "sessions"), on_period=vanish)
    assert driven.drive.failed
    assert "did not come back" in driven.drive.ended
    assert driven.track == TRACK
    assert len(Session.open(driven.session)) >= 10


def test_pole_position_is_on_the_road() -> None:
    track = load_track("monza")
    pose = grid_pose(track)
    distance, offset = track.to_road(pose.x, pose.y)
    assert distance == pytest.approx(track.grid_positions(1)[0][0], abs=1e-3)
    assert abs(offset) < 10.0


def test_another_track_is_refused(game) -> None:
    with pytest.raises(SourceError, match="'skid_pad'"):
        drive_live(LiveDrive(track="skid_pad"), seconds=1.0)


def test_a_start_that_the_actuator_cannot(game, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(CustomAI, "reset", lambda self, pose=None: False)
    with pytest.raises(SourceError, match="--start here"):
        drive_live(LiveDrive(start="pits", record=tmp_path / "sessions"), seconds=1.0)
    assert list((tmp_path / "sessions").iterdir()) == []
    with pytest.raises(ConfigError):
        LiveDrive(start="moon")
