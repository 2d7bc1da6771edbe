"""CSP's Custom AI as the emulator obeys and shows it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actwin.content.library import load_car, load_track
from actwin.telemetry.ac.custom_ai import (
    CAR,
    CAR_CONTROLS,
    CAR_PUBLIC,
    SIM_STATE,
    SIM_STATE_NAME,
    SIM_STATE_OLD,
    SIM_STATE_OLD_NAME,
    TELEPORT_PITS,
    TELEPORT_POSITION,
    car_name,
    controls_name,
    neutral_car_controls,
    public_name,
)
from actwin.telemetry.ac.frames import frames_from_custom_ai
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.channels import AUTO_GEAR
from actwin.twin.emulator.custom_ai import LOOK_EVERY
from actwin.twin.emulator.emulator import Emulator, Outlets
from actwin.twin.simulator import Simulator


@pytest.fixture
def emulator(tmp_path):
    simulator = Simulator(load_track("oval"), load_car("dallara_f317"), n=2, substeps=1)
    outlets = Outlets(memory=False, remote_port=None, app_ports=None, folder=tmp_path)
    with Emulator(simulator, outlets=outlets) as made:
        yield made


class Hands:
    """A driver of one car, byte by byte."""

    def __init__(self, folder, car: int = 0) -> None:
        self.state = neutral_car_controls()
        self.mapping = Mapping.create(controls_name(car), CAR_CONTROLS.itemsize, folder)

    def hold(self, emulator: Emulator, steps: int = 1, **values: object) -> np.void:
        for name, value in values.items():
            self.state[name] = value
        self.mapping.write(self.state.tobytes())
        for _ in range(steps):
            emulator.step()
        return emulator.controls[0].copy()


def seen(folder, car: int = 0) -> np.ndarray:
    with Mapping.open(car_name(car), CAR.itemsize, folder) as mapping:
        return np.frombuffer(mapping.read(), CAR, 1).copy()


def test_the_car_is_shown_once_it_is_driven(emulator, tmp_path):
    emulator.step()
    assert not (tmp_path / car_name(0)).exists()
    hands = Hands(tmp_path)
    hands.hold(emulator, LOOK_EVERY + 1, gas=1.0)
    assert seen(tmp_path)["packet_id"][0] == emulator.game.ticks
    assert not (tmp_path / car_name(1)).exists()


def test_what_is_shown_decodes_to_the_frames(emulator, tmp_path):
    Hands(tmp_path).hold(emulator, 600, gas=1.0, steer=-0.05)
    lock = emulator.game.info.steer_lock
    frame, game = frames_from_custom_ai(seen(tmp_path), lock)
    want = emulator.game.frames[0]
    for name in ("speed", "vx", "vy", "yaw", "yaw_rate", "steer", "x", "y", "z", "rpm", "lap_progress", "fuel", "gear"):
        assert frame[name][0] == pytest.approx(want[name], rel=1e-5, abs=1e-5), name
    np.testing.assert_allclose(frame["load"][0], want["load"], rtol=1e-5)
    assert game["cg_height"][0] == pytest.approx(emulator.game.rows["cg_height"][0])
    with Mapping.open(public_name(1), CAR_PUBLIC.itemsize, tmp_path) as mapping:
        public = np.frombuffer(mapping.read(), CAR_PUBLIC, 1)[0]
    other = emulator.game.frames[1]
    assert public["position"] == pytest.approx([other["y"], other["z"], other["x"]], abs=1e-4)


def test_controls_reach_the_car_with_our_signs(emulator, tmp_path):
    hands = Hands(tmp_path)
    sent = hands.hold(emulator, LOOK_EVERY + 1, gas=0.5, brake=0.25, steer=0.3, drs=1)
    assert sent["steer"] == pytest.approx(-0.3)
    assert (sent["throttle"], sent["brake"], sent["clutch"], sent["drs"]) == (0.5, 0.25, 1.0, 1.0)
    assert sent["gear"] == AUTO_GEAR
    assert emulator.game.rows["ai_controlled"][0] == 0


def test_broken_values_are_harmless(emulator, tmp_path):
    hands = Hands(tmp_path)
    sent = hands.hold(emulator, LOOK_EVERY + 1, gas=math.nan, brake=1e30, steer=-math.inf, clutch=-5.0)
    assert (sent["throttle"], sent["brake"], sent["steer"], sent["clutch"]) == (0.0, 1.0, 0.0, 1.0)
    hands.hold(emulator, 1, teleport_to=TELEPORT_POSITION, teleport_pos=[math.nan, 0.0, 0.0])
    hands.hold(emulator, 1, teleport_to=7)
    random = np.random.default_rng(1)
    for _ in range(300):
        hands.mapping.write(random.bytes(CAR_CONTROLS.itemsize))
        emulator.step()
    assert np.isfinite(emulator.game.frames["speed"]).all()


def test_without_both_helpers_the_clutch_field_counts(emulator, tmp_path):
    hands = Hands(tmp_path)
    assert hands.hold(emulator, LOOK_EVERY + 1, autoclutch_on_start=0)["clutch"] == 0.0
    assert hands.hold(emulator, 1, clutch=0.7)["clutch"] == pytest.approx(0.7)


def test_each_press_of_the_paddle_is_one_gear(emulator, tmp_path):
    hands = Hands(tmp_path)
    hands.hold(emulator, 500, gas=1.0)
    hands.hold(emulator, 1, autoshift_active=0)
    gear = int(emulator.game.frames["gear"][0])
    assert hands.hold(emulator, 50, gear_up=1)["gear"] == gear + 1
    assert emulator.game.frames["gear"][0] == gear + 1
    assert hands.hold(emulator, 50)["gear"] == gear + 1, "a held paddle shifts once"
    hands.hold(emulator, 1, gear_up=0)
    assert hands.hold(emulator, 50, gear_dn=1)["gear"] == gear


def test_teleports(emulator, tmp_path):
    hands = Hands(tmp_path)
    hands.hold(emulator, 800, gas=1.0)
    hands.hold(emulator, 1, gas=0.0, teleport_to=TELEPORT_PITS)
    assert emulator.game.rows["in_pit"][0] == 1
    track = emulator.game.simulator.track
    x, y, z = (float(value) for value in track.to_world(400.0, 2.0))
    yaw = float(track.heading(400.0)) + 0.2
    there = [y, z, x], [math.sin(yaw), 0.0, math.cos(yaw)]
    hands.hold(emulator, 1, teleport_to=TELEPORT_POSITION, teleport_pos=there[0], teleport_dir=there[1])
    frame = emulator.game.frames[0]
    assert frame["lap_distance"] == pytest.approx(400.0, abs=0.05)
    assert frame["heading_error"] == pytest.approx(0.2, abs=1e-3)
    packets = frame["packet_id"]
    hands.hold(emulator, 300, gas=1.0, brake=0.0)
    assert emulator.game.frames["speed"][0] > 2.0, "a request that is held teleports once"
    assert emulator.game.frames["packet_id"][0] == packets + 300


def test_a_removed_mapping_gives_the_car_back(emulator, tmp_path):
    hands = Hands(tmp_path)
    hands.hold(emulator, LOOK_EVERY + 1, gas=1.0)
    assert emulator.interfaces[0].controls(0) is not None
    assert emulator.interfaces[0].controls(1) is None
    hands.mapping.unlink()
    for _ in range(LOOK_EVERY + 1):
        emulator.step()
    assert emulator.interfaces[0].controls(0) is None
    assert emulator.controls["throttle"][0] == 0.0


def test_a_mapping_that_is_cut_off_counts_as_removed(emulator, tmp_path):
    hands = Hands(tmp_path)
    hands.hold(emulator, LOOK_EVERY + 1, gas=1.0)
    with (tmp_path / controls_name(0)).open("r+b") as file:
        file.truncate(10)
    for _ in range(2 * LOOK_EVERY):
        emulator.step()
        if emulator.interfaces[0].controls(0) is None:
            break
    assert emulator.interfaces[0].controls(0) is None
    hands.hold(emulator, LOOK_EVERY + 1)
    assert emulator.controls["throttle"][0] == 1.0, "whole again"


def test_a_new_game_forgets_the_drivers_of_an_old_one(tmp_path):
    Hands(tmp_path)
    simulator = Simulator(load_track("oval"), load_car("dallara_f317"), substeps=1)
    outlets = Outlets(memory=False, remote_port=None, app_ports=None, folder=tmp_path)
    with Emulator(simulator, outlets=outlets) as emulator:
        assert not (tmp_path / controls_name(0)).exists()
        emulator.step()
    assert not (tmp_path / public_name(0)).exists()


@pytest.mark.parametrize(("name", "layout"), [(SIM_STATE_NAME, SIM_STATE), (SIM_STATE_OLD_NAME, SIM_STATE_OLD)])
def test_the_state_of_the_session(emulator, tmp_path, name, layout):
    state = np.zeros(1, layout)
    mapping = Mapping.create(name, layout.itemsize, tmp_path)

    def ask(steps: int = 1, **values: float) -> None:
        for field, value in values.items():
            state[field] = value
        mapping.write(state.tobytes())
        for _ in range(steps):
            emulator.step()

    ask(LOOK_EVERY + 1)
    assert not emulator.game.paused
    ticks = emulator.game.ticks
    ask(10, pause=1)
    assert emulator.game.paused
    assert emulator.game.ticks == ticks
    ask(10, pause=0)
    assert emulator.game.ticks == ticks + 10
    changes = emulator.game.changes
    ask(10, restart_session=1)
    assert emulator.game.changes == changes + 1
    ask(1, restart_session=0, disable_collisions=1)
    if layout is SIM_STATE:
        ask(1, time_scale=4.0)
        assert emulator.game.time_scale == 4.0
        ask(1, time_scale=math.nan)
        assert emulator.game.time_scale == 1.0
    ask(1, pause=1)
    assert emulator.game.paused
    mapping.unlink()
    for _ in range(LOOK_EVERY + 1):
        emulator.step()
    assert not emulator.game.paused, "who paused the game is gone"
