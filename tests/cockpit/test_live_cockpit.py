"""The seat in a game: pacing, whole frames, what happens when the game stops."""

from __future__ import annotations

import time

import numpy as np
import pytest

from actwin.cockpit.actuators.protocol import Pose
from actwin.cockpit.control_maps import ControlMaps, Curve
from actwin.cockpit.limits import ControlLimits
from actwin.cockpit.live import REACTION, LiveCockpit
from actwin.cockpit.protocol import Cockpit
from actwin.content.library import load_track
from actwin.errors import ConfigError, ControlError, SourceError, UnknownNameError
from actwin.telemetry.channels import FRAME_CHANNELS, neutral_controls
from actwin.twin.simulator import Simulator

APPROXIMATE = {
    "slip_ratio": 0.004, "slip_angle": 0.004, "lap_distance": 0.003, "lateral_offset": 0.003, "heading_error": 0.001,
    "border_left": 0.003, "border_right": 0.003, "road_curvature": 5e-4, "lap_progress": 1e-5,
}  # fmt: skip
"""Channels that are derived, and how nearly."""


def seat(game, **options) -> LiveCockpit:
    return LiveCockpit(game, game, timeout=options.pop("timeout", 0.2), **options)


def test_it_is_the_twins_cockpit_seen_from_outside(make_game) -> None:
    game = make_game()
    cockpit = seat(game)
    as_protocol: Cockpit = cockpit
    twin = Simulator(game.simulator.track, game.simulator.cars[0], 1, substeps=1)
    cockpit.reset()
    twin.restore(game.simulator.snapshot())
    controls = neutral_controls(1)
    for step in range(40):
        controls["throttle"], controls["steer"] = 0.6, 0.004 * np.sin(step / 5.0)
        cockpit.send(controls)
        frame = cockpit.read()[0]
        for _ in range(13):
            expected = twin.step(controls)[0]
        for channel in FRAME_CHANNELS:
            tolerance = APPROXIMATE.get(channel.name, 1e-3 * max(1.0, abs(np.max(expected[channel.name]))))
            if channel.name not in {"lap_valid", "last_lap_valid", *cockpit.lacking}:
                np.testing.assert_allclose(
                    frame[channel.name], expected[channel.name], atol=tolerance, err_msg=channel.name
                )
        assert int(frame["packet_id"]) == int(expected["packet_id"])
    assert (as_protocol.n, as_protocol.period) == (1, 0.039)
    assert cockpit.pacer.sections[REACTION].count == 40
    assert cockpit.lacking == {"abs_active", "tc_active", "tyre_wear"}


@pytest.mark.parametrize(("spacing", "periods"), [(1, 50), (3, 50), (7, 50), (13, 50)])
def test_the_games_own_steps_pace_it(make_game, spacing: int, periods: int) -> None:
    cockpit = seat(make_game(spacing=spacing))
    packets = [int(cockpit.reset()["packet_id"][0])]
    for _ in range(periods):
        packets.append(int(cockpit.read()["packet_id"][0]))
    gaps = np.diff(packets)
    assert abs(gaps.mean() - 13.0) < 0.5 * spacing / periods + 1e-9
    assert np.abs(gaps - 13).max() < spacing


def test_a_source_slower_than_the_period_gives_every_sample(make_game) -> None:
    cockpit = seat(make_game(spacing=20))
    packets = [int(cockpit.reset()["packet_id"][0])]
    packets += [int(cockpit.read()["packet_id"][0]) for _ in range(10)]
    assert (np.diff(packets) == 20).all()


def test_track_and_car_are_those_that_the_game_names(make_game) -> None:
    cockpit = seat(make_game(car="dallara_f317"))
    with pytest.raises(SourceError, match="reset"):
        cockpit.track  # noqa: B018
    cockpit.reset()
    assert (cockpit.track.name, cockpit.car.identity.name) == ("oval", "dallara_f317")
    assert cockpit.info.source == "memory"
    stranger = make_game()
    stranger.track = "nowhere_in_particular"
    with pytest.raises(UnknownNameError, match="give one by hand"):
        seat(stranger).connect()
    seat(stranger, track=load_track("oval")).connect()


def test_another_track_than_the_games_is_refused(make_game) -> None:
    with pytest.raises(SourceError, match="not drive on 'monza' but on 'oval': its lap has"):
        seat(make_game(), track=load_track("monza")).connect()
    game = make_game()
    far = game.sample

    def elsewhere():
        sample = far()
        sample.frame["x"] += 5000.0
        return sample

    game.sample = elsewhere
    with pytest.raises(SourceError, match="m from its road"):
        seat(game).connect()


def test_a_source_that_tells_too_little_is_refused(make_game) -> None:
    game = make_game()
    whole = game.sample

    def without_heading():
        sample = whole()
        sample.frame["yaw"] = np.nan
        return sample

    game.sample = without_heading
    with pytest.raises(SourceError, match="does not tell yaw"):
        seat(game).connect()


def test_a_sample_that_is_not_finite_is_left_out(make_game) -> None:
    game = make_game()
    cockpit = seat(game)
    cockpit.reset()
    whole, count = game.sample, [0]

    def now_and_then_broken():
        sample = whole()
        count[0] += 1
        if count[0] % 13 in (0, 12):
            sample.frame["yaw_rate"] = [np.nan, np.inf][count[0] % 13 == 0]
        return sample

    game.sample = now_and_then_broken
    for _ in range(10):
        assert np.isfinite(cockpit.read()["yaw_rate"][0])
    broken = whole()
    broken.frame["x"] = np.nan
    game.sample = lambda: broken
    with pytest.raises(SourceError, match=r"stands still|vanished"):
        cockpit.read()


def test_steering_follows_from_the_wheels_angle_and_the_cars_lock(make_game) -> None:
    game = make_game()
    whole = game.sample

    def by_angle():
        sample = whole()
        sample.frame["steer_angle"] = 0.5 * game.simulator.cars[0].steering.wheel_lock
        sample.frame["steer"] = np.nan
        return sample

    game.sample = by_angle
    cockpit = seat(game)
    assert cockpit.reset()["steer"][0] == pytest.approx(0.5)
    assert np.isfinite(cockpit.frames["slip_angle"]).all()


def test_controls_pass_limits_and_measured_maps(make_game) -> None:
    game = make_game()
    maps = ControlMaps(
        steer=Curve(command=(-0.7, 0.7), reached=(-1.0, 1.0)), brake=Curve(command=(0.2, 1.0), reached=(0.0, 1.0))
    )
    cockpit = seat(game, maps=maps, limits=ControlLimits(steer_rate=10.0))
    cockpit.reset()
    controls = neutral_controls(1)
    controls["steer"], controls["brake"] = 1.0, 0.5
    sent = cockpit.send(controls)
    assert sent["steer"][0] == pytest.approx(0.39)
    assert game.controls["steer"][0] == pytest.approx(0.39 * 0.7)
    assert game.controls["brake"][0] == pytest.approx(0.6)
    assert sent["brake"][0] == pytest.approx(0.5)
    controls["steer"] = np.nan
    with pytest.raises(ControlError, match="steer"):
        cockpit.send(controls)
    assert len(game.log) == 1


@pytest.mark.parametrize(("what", "words"), [("paused", "stands still"), ("dead", "vanished")])
def test_a_game_that_stops_is_told_in_time_and_found_again(make_game, what: str, words: str) -> None:
    game = make_game()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            game.alive, game.status = True, 2

    cockpit = seat(game, sleep=sleep)
    cockpit.reset()
    if what == "dead":
        game.alive = False
    else:
        game.status = 3
    begin = time.perf_counter()
    with pytest.raises(SourceError, match=words):
        cockpit.read()
    assert 0.2 <= time.perf_counter() - begin < 2.0
    assert cockpit.status == what
    with pytest.raises(SourceError, match=r"reset\(\)"):
        cockpit.read()
    if what == "paused":
        game.status = 2
    before = game.connections
    cockpit.reset()
    assert game.connections > before
    assert cockpit.status == "live"
    assert pauses == ([0.25, 0.5, 1.0] if what == "dead" else [])
    cockpit.read()


def test_a_game_that_stays_away_is_given_up(make_game) -> None:
    game = make_game()
    game.alive = False
    cockpit = seat(game, reconnect=1.0, sleep=lambda seconds: None)
    cockpit._reconnect = 0.2
    with pytest.raises(SourceError, match="did not come back within"):
        cockpit.reset()


def test_controls_that_are_lost_are_opened_again(make_game) -> None:
    game, opened = make_game(), []

    def open_again():
        opened.append(make_game())
        return opened[-1]

    cockpit = LiveCockpit(game, open_again, timeout=0.2)
    cockpit.reset()
    opened[0].broken = True
    with pytest.raises(SourceError, match="gone"):
        cockpit.send(neutral_controls(1))
    cockpit.reset()
    cockpit.send(neutral_controls(1))
    assert opened[0].closed
    assert len(opened) == 2
    cockpit.close()
    assert opened[1].closed


def test_a_car_is_put_in_its_place(make_game) -> None:
    game = make_game()
    cockpit = seat(game)
    cockpit.reset()
    x, y, z = (float(v) for v in cockpit.track.to_world(600.0, 2.0))
    frame = cockpit.reset(Pose(x, y, z, float(cockpit.track.heading(600.0))))[0]
    assert frame["lap_distance"] == pytest.approx(600.0, abs=0.5)
    assert frame["lateral_offset"] == pytest.approx(2.0, abs=0.1)
    assert not cockpit.moved
    game.places = False
    assert not cockpit.place(Pose(0.0, 0.0, 0.0, 0.0))
    assert cockpit.frames["lap_distance"][0] == pytest.approx(600.0, abs=0.5)


def test_a_leap_is_seen(make_game) -> None:
    game = make_game()
    cockpit = seat(game)
    cockpit.reset()
    for _ in range(3):
        cockpit.read()
        assert not cockpit.moved
    game.simulator.reset(distance=700.0, speed=30.0)
    cockpit.read()
    assert cockpit.moved
    assert cockpit.frames["lap_distance"][0] == pytest.approx(700.0, abs=3.0)
    cockpit.read()
    assert not cockpit.moved


def test_laps_count_only_when_driven_from_line_to_line(make_game) -> None:
    game = make_game()
    cockpit = seat(game)
    lap = game.simulator.track.length
    validities = []
    for start in (lap - 20.0, lap - 20.0):
        if start:
            game.simulator.reset(distance=start, speed=40.0)
        cockpit.reset()
        while cockpit.frames["lap_distance"][0] > 100.0:
            cockpit.read()
        validities.append((int(cockpit.frames["lap_valid"][0]), int(cockpit.frames["last_lap_valid"][0])))
    assert validities == [(1, 0), (1, 0)]


def test_a_crash_costs_energy(make_game) -> None:
    game = make_game()
    cockpit = seat(game)
    cockpit.reset()
    game.simulator.reset(distance=60.0, lateral=0.0, heading=1.2, speed=40.0)
    cockpit.reset()
    lost = twin = 0.0
    for _ in range(60):
        cockpit.read()
        lost += float(cockpit.frames["collision"][0])
        twin = max(twin, float(game.simulator.frames["tyres_out"][0]))
    assert twin == 4
    assert lost > 5_000.0


def test_nonsense_is_refused(make_game) -> None:
    with pytest.raises(ConfigError, match="longer timeout"):
        LiveCockpit(make_game(), make_game(), period=2.0)
