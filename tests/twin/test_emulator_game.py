"""The emulated game without interfaces: laps over teleports, pause, restart, another car."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actwin.content.library import load_car, load_track
from actwin.errors import ConfigError
from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS, neutral_controls
from actwin.twin.emulator.game import Game
from actwin.twin.emulator.laps import LapBook
from actwin.twin.emulator.pace_meter import PaceMeter
from actwin.twin.emulator.world import STATUS_LIVE, STATUS_PAUSE
from actwin.twin.simulator import Simulator

STEP = 0.003


@pytest.fixture
def game():
    return Game(Simulator(load_track("oval"), load_car("dallara_f317"), substeps=1))


def drive(game: Game, steps: int, **controls: float) -> None:
    asked = neutral_controls(game.n)
    for name, value in controls.items():
        asked[name] = value
    for _ in range(steps):
        game.advance(asked)


def test_more_than_one_step_at_a_time_is_refused():
    with pytest.raises(ConfigError, match="substeps=1"):
        Game(Simulator(load_track("oval"), load_car("dallara_f317")))


def test_everything_is_finite_and_in_range(game):
    drive(game, 400, throttle=0.6, steer=0.02)
    for channels, records in ((FRAME_CHANNELS, game.frames), (GAME_CHANNELS, game.rows)):
        for channel in channels:
            values = records[channel.name]
            assert np.isfinite(values).all(), channel.name
            if channel.name != "session_time_left":
                assert (values >= channel.low).all(), channel.name
                assert (values <= channel.high).all(), channel.name


def test_frames_are_those_of_the_simulator(game):
    drive(game, 50, throttle=1.0)
    np.testing.assert_array_equal(game.frames, game.simulator.frames)
    assert game.elapsed == pytest.approx(50 * STEP)


def test_rates_of_the_body_add_up_to_its_angles(game):
    drive(game, 300, throttle=0.5)
    begin = game.frames.copy(), game.rows["cg_height"].copy()
    sums = np.zeros(3)
    for _ in range(400):
        drive(game, 1, brake=0.7, steer=0.1)
        sums += [game.rows[name][0] * STEP for name in ("pitch_rate", "roll_rate", "vz")]
    turned = [game.frames[name][0] - begin[0][name][0] for name in ("pitch", "roll")]
    np.testing.assert_allclose(sums, [*turned, game.rows["cg_height"][0] - begin[1][0]], atol=1e-6)
    assert abs(turned[1]) > 1e-4


def test_distance_driven_is_the_way(game):
    drive(game, 1500, throttle=0.5)
    way = game.frames["lap_distance"][0] - game.simulator.track.grid
    assert game.rows["distance_driven"][0] == pytest.approx(math.remainder(way, game.simulator.track.length), rel=1e-3)


def test_the_outer_wheels_lean_outwards(game):
    drive(game, 1200, throttle=0.5)
    at_rest = game.rows["camber"][0].copy()
    drive(game, 300, throttle=0.3, steer=0.15)
    leaned = game.rows["camber"][0] - at_rest
    # Left turn: the body leans to the right, and the right wheels with it, top outwards (positive).
    assert leaned[1] > 0.0
    assert leaned[1] == pytest.approx(-leaned[0], rel=0.2)


def test_pause_stops_time_but_not_the_game(game):
    drive(game, 100, throttle=1.0)
    before = game.frames.copy()
    game.pause()
    drive(game, 100, throttle=1.0)
    np.testing.assert_array_equal(game.frames, before)
    assert game.rows["status"][0] == STATUS_PAUSE
    game.pause(False)
    drive(game, 1, throttle=1.0)
    assert game.frames["packet_id"][0] == before["packet_id"][0] + 1
    assert game.rows["status"][0] == STATUS_LIVE


def test_restart_begins_a_new_session(game):
    drive(game, 2000, throttle=1.0)
    game.pause()
    game.restart()
    assert game.elapsed == 0.0
    assert not game.paused
    assert game.frames["speed"][0] == 0.0
    assert game.frames["lap_distance"][0] == pytest.approx(game.simulator.track.grid)
    assert game.frames["packet_id"][0] == 2000, "a reader must not see the count of packets go back"
    assert game.rows["distance_driven"][0] == 0.0


def test_pits_until_the_car_leaves(game):
    drive(game, 100, throttle=1.0)
    game.to_pits()
    distance, lateral = game.simulator.track.pit_out
    assert game.frames["lap_distance"][0] == pytest.approx(distance, abs=1e-3)
    assert game.frames["lateral_offset"][0] == pytest.approx(lateral)
    assert game.rows["in_pit"][0] == 1
    assert game.frames["lap_valid"][0] == 0
    assert game.moved.all()
    drive(game, 200, throttle=1.0)
    assert game.rows["in_pit"][0] == 0


def test_put_back_on_the_road_where_it_is(game):
    drive(game, 2000, throttle=1.0)
    before = game.frames.copy()
    game.put_back()
    assert game.frames["lap_distance"][0] == pytest.approx(before["lap_distance"][0], abs=1e-3)
    assert game.frames["lateral_offset"][0] == game.frames["speed"][0] == game.frames["heading_error"][0] == 0.0
    assert game.frames["fuel"][0] == before["fuel"][0]


def test_to_a_place_in_the_world(game):
    track = game.simulator.track
    for s, n, turn in ((20.0, 1.5, 0.3), (700.0, -2.0, -2.5), (1500.0, 0.0, 3.0)):
        x, y, _ = (float(value) for value in track.to_world(s, n))
        game.to_place(x, y, float(track.heading(s)) + turn)
        frame = game.frames[0]
        assert frame["lap_distance"] == pytest.approx(s, abs=1e-2)
        assert frame["lateral_offset"] == pytest.approx(n, abs=1e-2)
        assert frame["heading_error"] == pytest.approx(turn, abs=1e-4)
        assert (frame["x"], frame["y"]) == pytest.approx((x, y), abs=1e-2)


def test_a_place_beyond_the_walls_ends_at_the_wall(game):
    game.to_place(5e4, -8e4, 0.0)
    s = float(game.frames["lap_distance"][0])
    track = game.simulator.track
    assert -float(track.wall_right(s)) < game.frames["lateral_offset"][0] < float(track.wall_left(s))
    with pytest.raises(ConfigError, match="finite"):
        game.to_place(math.nan, 0.0, 0.0)


def test_another_car_is_another_session(game):
    changes = game.changes
    drive(game, 100, throttle=1.0)
    game.change_car(load_car("bmw_z4_gt3"))
    assert (game.info.car, game.changes) == ("bmw_z4_gt3", changes + 1)
    assert game.info.max_rpm == load_car("bmw_z4_gt3").engine.limiter_rpm
    assert game.rows["abs_level"][0] > 0.0
    drive(game, 500, throttle=1.0)
    assert game.frames["speed"][0] > 3.0


def test_no_fuel_is_burnt_when_asked():
    game = Game(Simulator(load_track("oval"), load_car("dallara_f317"), substeps=1), fuel_rate=0.0)
    fuel = game.frames["fuel"][0]
    drive(game, 1000, throttle=1.0)
    assert game.frames["fuel"][0] == fuel
    game.change_car(load_car("bmw_z4_gt3"))
    fuel = game.frames["fuel"][0]
    drive(game, 1000, throttle=1.0)
    assert game.frames["fuel"][0] == fuel


def test_positions_follow_laps_and_progress():
    game = Game(Simulator(load_track("oval"), load_car("dallara_f317"), n=3, substeps=1))
    controls = neutral_controls(3)
    controls["throttle"] = (0.1, 1.0, 0.4)
    for _ in range(4000):
        game.advance(controls)
    assert game.rows["position"].tolist() == [3, 1, 2]


class TestLapBook:
    """Laps as a script of lap clocks."""

    @staticmethod
    def frames(lap_time: float, lap_count: int = 0, last: float = 0.0, valid: int = 1) -> np.ndarray:
        from actwin.telemetry.channels import FRAME

        frames = np.zeros(1, FRAME)
        frames["lap_time"], frames["lap_count"], frames["lap_valid"] = lap_time, lap_count, 1
        frames["last_lap_time"], frames["last_lap_valid"] = last, valid
        return frames

    def test_laps_go_on_after_a_teleport_and_the_best_stays(self):
        book = LapBook(1)
        book.update(self.frames(80.0), 1)
        shown = book.update(self.frames(0.1, 1, 81.0), 2)
        assert (shown["lap_count"][0], shown["best_lap_time"][0], shown["last_lap_valid"][0]) == (1, 81.0, 1)
        book.update(self.frames(30.0, 1, 81.0), 3)
        book.moved(np.array([0]))
        shown = book.update(self.frames(0.0), 3)
        assert (shown["lap_count"][0], shown["last_lap_time"][0], shown["lap_valid"][0]) == (1, 81.0, 0)

    def test_a_lap_with_a_teleport_does_not_count(self):
        book = LapBook(1)
        book.moved(np.array([0]))
        book.update(self.frames(50.0), 1)
        shown = book.update(self.frames(0.1, 1, 51.0), 2)
        assert (shown["lap_count"][0], shown["last_lap_time"][0]) == (1, 51.0)
        assert (shown["last_lap_valid"][0], shown["best_lap_time"][0], shown["lap_valid"][0]) == (0, 0.0, 1)

    def test_an_out_lap_ends_the_spoiled_lap(self):
        book = LapBook(1)
        book.update(self.frames(12.0), 1)
        book.moved(np.array([0]))
        assert book.update(self.frames(5.0), 1)["lap_valid"][0] == 0
        assert book.update(self.frames(0.1), 2)["lap_valid"][0] == 1
        shown = book.update(self.frames(0.2, 1, 70.0), 3)
        assert (shown["best_lap_time"][0], shown["last_lap_valid"][0]) == (70.0, 1)


def test_the_gap_to_the_best_lap():
    from actwin.telemetry.channels import FRAME

    meter, frame = PaceMeter(), np.zeros(1, FRAME)[0]

    def lap(pace: float, best: float) -> float:
        """The gap in the middle of a lap that takes so many seconds."""
        gaps = []
        for i in range(5000):
            frame["lap_progress"], frame["lap_time"], frame["best_lap_time"] = i / 5000, pace * i / 5000, best
            gaps.append(meter.update(frame))
        return gaps[2500]

    assert lap(80.0, 0.0) == 0.0
    assert lap(84.0, 80.0) == pytest.approx(2.0, abs=0.05)
    assert lap(78.0, 80.0) == pytest.approx(-1.0, abs=0.05)
    assert lap(78.0, 78.0) == pytest.approx(0.0, abs=0.05)
    meter.restart()
    assert lap(78.0, 0.0) == 0.0
