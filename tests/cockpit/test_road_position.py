"""From the world pose to the place on the road, against the track and the twin."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.cockpit.road_position import PLACE, RoadPosition
from actwin.content.library import load_car, load_track, track_names
from actwin.content.track import Track
from actwin.telemetry.channels import FRAME, Frames, neutral_controls
from actwin.twin.simulator import Simulator

CAR = load_car("formula_alpha_2022")


def frames_at(track: Track, s: np.ndarray, n: np.ndarray, heading: np.ndarray) -> Frames:
    frames = np.zeros(len(s), FRAME)
    frames["x"], frames["y"], frames["z"] = track.to_world(s, n)
    frames["yaw"] = np.mod(track.heading(s) + heading + np.pi, 2.0 * np.pi) - np.pi
    return frames


@pytest.mark.parametrize("name", track_names())
def test_it_is_the_tracks_own_projection(name: str) -> None:
    track, rng, count = load_track(name), np.random.default_rng(0), 300
    s, n = rng.uniform(0.0, track.length, count), rng.uniform(-6.0, 6.0, count)
    frames = frames_at(track, s, n, rng.uniform(-1.0, 1.0, count))
    RoadPosition(track, CAR, count).fill(frames)
    exact_s, exact_n = track.to_road(frames["x"], frames["y"], near=s)
    assert np.abs(track.difference(frames["lap_distance"], exact_s)).max() < 0.001
    np.testing.assert_allclose(frames["lateral_offset"], exact_n, atol=1e-4)
    np.testing.assert_allclose(frames["border_left"] + n, track.width_left(s), atol=0.02)
    np.testing.assert_allclose(frames["border_right"] - n, track.width_right(s), atol=0.02)
    assert (frames["lap_progress"] <= 1.0).all()


@pytest.mark.parametrize("name", ["oval", "monza"])
def test_a_drive_in_the_twin_is_found_again_step_by_step(name: str) -> None:
    simulator = Simulator(load_track(name), CAR, 2)
    simulator.reset(distance=[-150.0, 900.0], lateral=[0.0, -2.0], speed=[60.0, 40.0])
    road, controls = RoadPosition(simulator.track, CAR, 2), neutral_controls(2)
    controls["throttle"], controls["steer"] = 0.5, [0.002, -0.004]
    for _ in range(60):
        twin = simulator.step(controls)
        game = twin.copy()
        for channel in (*PLACE, "lap_progress", "tyres_out", "surface"):
            game[channel] = 0
        road.fill(game, ground=True)
        assert np.abs(simulator.track.difference(game["lap_distance"], twin["lap_distance"])).max() < 0.005
        for channel in ("lateral_offset", "heading_error", "border_left", "border_right"):
            np.testing.assert_allclose(game[channel], twin[channel], atol=0.003, err_msg=channel)
        np.testing.assert_allclose(game["road_curvature"], simulator.track.curvature(game["lap_distance"]), atol=5e-4)


def test_a_series_is_the_same_as_one_after_the_other() -> None:
    track = load_track("oval")
    s = np.mod(np.arange(400) * 9.0, track.length)
    frames = frames_at(track, s, 3.0 * np.sin(s / 50.0), np.zeros(400))
    series = frames.copy()
    RoadPosition(track, CAR).fill_series(series, ground=True)
    road = RoadPosition(track, CAR)
    for k in range(400):
        road.fill(frames[k : k + 1], ground=True)
    np.testing.assert_array_equal(series, frames)
    assert set(np.unique(series["tyres_out"])) == {0}


def test_wheels_beyond_the_edge_are_counted() -> None:
    track = load_track("oval")
    offsets = np.array([0.0, 6.9, 7.6, 9.0, -6.9, -9.0])
    frames = frames_at(track, np.full(6, 100.0), offsets, np.zeros(6))
    RoadPosition(track, CAR, 6).fill(frames, ground=True)
    assert frames["tyres_out"].tolist() == [0, 2, 2, 4, 2, 4]
    assert frames["surface"][1].tolist() == [4, 0, 4, 0]
    assert frames["surface"][4].tolist() == [0, 4, 0, 4]


def test_a_car_that_was_moved_is_found_and_one_beside_another_road_is_not_confused() -> None:
    track = load_track("oval")
    road = RoadPosition(track, CAR)
    frames = frames_at(track, np.array([10.0, 1000.0]), np.zeros(2), np.zeros(2))
    first, second = frames[:1].copy(), frames[1:].copy()
    road.fill(first)
    road.fill(second)
    assert second["lap_distance"][0] == pytest.approx(1000.0, abs=0.01)
    # Off the road, nearer to another piece of it only by a wrong heading: the piece driven along wins.
    lost = frames_at(track, np.array([100.0]), np.array([90.0]), np.zeros(1))
    road.fill(lost)
    assert lost["lateral_offset"][0] == pytest.approx(90.0, abs=0.01)


def test_a_pose_that_is_not_finite_has_no_place_and_harms_no_later_one() -> None:
    track = load_track("oval")
    road = RoadPosition(track, CAR)
    frames = frames_at(track, np.array([10.0]), np.zeros(1), np.zeros(1))
    broken = frames.copy()
    broken["x"] = np.nan
    road.fill(frames)
    road.fill(broken, ground=True)
    assert np.isnan(broken["lap_distance"][0])
    assert broken["tyres_out"][0] == 0
    road.fill(frames)
    assert frames["lap_distance"][0] == pytest.approx(10.0, abs=0.01)
    turned = frames.copy()
    turned["yaw"] = np.nan
    road.fill(turned)
    assert turned["lap_distance"][0] == pytest.approx(10.0, abs=0.01)
    assert np.isnan(turned["heading_error"][0])
