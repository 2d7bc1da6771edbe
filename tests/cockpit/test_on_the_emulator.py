"""The seat in the emulated game, interface by interface; the tests step the game, so that no clock decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actwin.cockpit.actuators.custom_ai import CustomAI
from actwin.cockpit.actuators.protocol import Pose
from actwin.cockpit.live import LiveCockpit
from actwin.cockpit.twin import TwinCockpit
from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.errors import SourceError
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.channels import neutral_controls
from actwin.twin.emulator.emulator import Emulator, Outlets
from actwin.twin.simulator import Simulator

TRACK, CAR = load_track("oval"), load_car("formula_alpha_2022")


class Stepped(SharedMemorySource):
    """Shared memory of a game that drives on whenever somebody looks."""

    game: Emulator

    def read(self, timeout: float = 0.1) -> Any:
        self.game.step()
        return super().read(0.0)


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.setenv("ACTWIN_CONFIG_DIR", str(tmp_path / "settings"))
    outlets = Outlets(folder=tmp_path, remote_port=None, app_ports=None)
    with Emulator(Simulator(TRACK, CAR, substeps=1), None, outlets, fuel_rate=1.0) as emulator:
        monkeypatch.setattr("actwin.cockpit.actuators.custom_ai.time.sleep", lambda seconds: emulator.step())
        yield emulator


@pytest.fixture
def seat(game: Emulator, tmp_path: Path) -> Iterator[LiveCockpit]:
    source = Stepped(tmp_path, sleep=lambda seconds: game.step() and None)
    source.game = game
    cockpit = LiveCockpit(source, lambda: CustomAI(str(tmp_path)), timeout=0.5, reconnect=1.0, sleep=lambda s: None)
    yield cockpit
    cockpit.close()


def pose_at(distance: float, lateral: float = 0.0) -> Pose:
    x, y, z = (float(value) for value in TRACK.to_world(distance, lateral))
    return Pose(x, y, z, float(TRACK.heading(distance)))


def turns(cockpit: Any, driver: LineFollower, count: int, sees: Callable[[Any], None]) -> None:
    frames = cockpit.reset() if isinstance(cockpit, LiveCockpit) else cockpit.frames
    driver.reset()
    for _ in range(count):
        cockpit.send(driver.act(frames))
        frames = cockpit.read()
        sees(frames[0])


def test_the_expert_drives_there_as_in_the_simulator(game: Emulator, seat: LiveCockpit) -> None:
    seat.connect()
    game.game.simulator.reset(distance=20.0, speed=40.0)
    twin = TwinCockpit(Simulator(TRACK, CAR))
    twin.reset(distance=20.0, speed=40.0)
    there: list[Any] = []
    here: list[Any] = []
    turns(seat, LineFollower(TRACK, CAR), 250, lambda frame: there.append(frame.copy()))
    turns(twin, LineFollower(TRACK, CAR), 250, lambda frame: here.append(frame.copy()))
    ours, theirs = np.array(there), np.array(here)
    assert (np.diff(ours["packet_id"]) == 13).all()
    apart = TRACK.difference(ours["lap_distance"], theirs["lap_distance"])
    assert np.abs(apart).max() < 1.0
    assert np.abs(ours["lateral_offset"] - theirs["lateral_offset"]).max() < 0.1
    assert np.abs(ours["speed"] - theirs["speed"]).mean() < 0.1
    assert not seat.moved


def test_a_car_is_put_on_the_road_and_into_the_pits(game: Emulator, seat: LiveCockpit) -> None:
    seat.connect()
    assert seat.place(pose_at(700.0, 2.0))
    assert seat.frames["lap_distance"][0] == pytest.approx(700.0, abs=1.0)
    assert seat.frames["lateral_offset"][0] == pytest.approx(2.0, abs=0.2)
    assert abs(seat.frames["heading_error"][0]) < 0.05
    assert seat.place(None)
    assert seat.frames["speed"][0] < 0.5


def test_a_restart_is_seen_and_a_pause_waited_out(game: Emulator, seat: LiveCockpit) -> None:
    seat.connect()
    for _ in range(3):
        seat.send(neutral_controls(1))
        seat.read()
    game.game.pause()
    with pytest.raises(SourceError, match="stands still"):
        seat.read()
    assert seat.status == "paused"
    game.game.pause(False)
    seat.reset()
    seat.read()
    assert seat.status == "live"
    game.game.simulator.reset(distance=900.0, speed=20.0)
    seat.read()
    assert seat.moved


def test_gears_are_shifted_by_hand(game: Emulator, seat: LiveCockpit) -> None:
    seat.connect()
    controls = neutral_controls(1)
    controls["throttle"], controls["gear"] = 0.4, 2
    for _ in range(80):
        seat.send(controls)
        seat.read()
    assert seat.frames["gear"][0] == 2
    assert seat.frames["speed"][0] > 5.0
