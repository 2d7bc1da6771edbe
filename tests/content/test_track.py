"""Geometry of tracks: identities that hold on every bundled track."""

import pickle

import numpy as np
import pytest

from actwin.content.closed_form import oval, skid_pad
from actwin.content.clothoids import ClothoidLoop
from actwin.content.library import load_track, track_names
from actwin.content.profiles import Linear, Smooth, Steps
from actwin.content.roadside import roadside_by_rule


@pytest.fixture(params=track_names())
def track(request):
    return load_track(request.param)


def test_lap_closes(track):
    heading, x, y = track.line.gap()
    assert abs(heading) < 1e-9
    assert np.hypot(x, y) < 1e-6
    ends = np.array(track.position([0.0, track.length - 1e-9]))
    assert np.hypot(*(ends[:, 1] - ends[:, 0])) < 1e-6


def test_everything_is_periodic(track):
    s = np.linspace(1.0, track.length - 1.0, 97)  # not at the line, where the heading steps
    for function in (
        track.curvature,
        track.heading,
        track.elevation,
        track.grade,
        track.vertical_curvature,
        track.banking,
        track.width_left,
        track.width_right,
        track.kerb_left,
        track.kerb_right,
        track.wall_left,
        track.wall_right,
    ):
        for laps in (-1.0, 1.0, 3.0):
            np.testing.assert_allclose(function(s + laps * track.length), function(s), atol=1e-7)


def test_continuous_all_around(track):
    s = np.arange(0.0, track.length, 0.05)
    step = 1e-6
    for function, steepest in (
        (track.curvature, 0.1),
        (track.elevation, 0.3),
        (track.grade, 0.01),
        (track.vertical_curvature, 1e-3),
        (track.width_left, 1.0),
        (track.wall_right, 10.0),
    ):
        ahead = np.abs(function(s + step) - function(s - step))
        assert ahead.max() < 2.0 * step * steepest + 1e-10


def test_position_is_the_integral_of_the_heading(track):
    s, h = np.linspace(0.0, track.length, 211), 1e-3
    (x1, y1), (x0, y0) = track.position(s + h), track.position(s - h)
    np.testing.assert_allclose((x1 - x0) / (2.0 * h), np.cos(track.heading(s)), atol=1e-6)
    np.testing.assert_allclose((y1 - y0) / (2.0 * h), np.sin(track.heading(s)), atol=1e-6)


def test_heading_is_the_integral_of_the_curvature(track):
    s, h = np.linspace(1.0, track.length - 1.0, 211), 1e-4
    np.testing.assert_allclose((track.heading(s + h) - track.heading(s - h)) / (2.0 * h), track.curvature(s), atol=1e-5)


def test_world_to_road_and_back(track):
    draw = np.random.default_rng(1)
    s = draw.uniform(0.0, track.length, 20_000)
    across = draw.uniform(-1.0, 1.0, s.shape)
    n = np.where(across > 0.0, across * track.width_left(s), across * track.width_right(s))
    x, y, _ = track.to_world(s, n)
    for near in (None, s + draw.uniform(-20.0, 20.0, s.shape)):
        found, lateral = track.to_road(x, y, near)
        assert np.abs(track.difference(found, s)).max() < 1e-3
        assert np.abs(lateral - n).max() < 1e-3


def test_road_to_world_keeps_shapes(track):
    s = np.linspace(0.0, track.length, 12).reshape(3, 4)
    x, y, z = track.to_world(s, 1.0)
    assert x.shape == y.shape == z.shape == (3, 4)
    found, n = track.to_road(x, y)
    assert found.shape == n.shape == (3, 4)
    single, _ = track.to_road(float(x[0, 0]), float(y[0, 0]))
    assert single.shape == ()


def test_borders_do_not_fold_and_walls_stand_beyond_them(track):
    s = np.arange(0.0, track.length, 1.0)
    curvature = track.curvature(s)
    assert (1.0 - track.wall_left(s) * curvature > 0.0).all()
    assert (1.0 + track.wall_right(s) * curvature > 0.0).all()
    assert (track.wall_left(s) >= track.width_left(s) + 1.0).all()
    assert (track.wall_right(s) >= track.width_right(s) + 1.0).all()
    assert set(np.unique(track.runoff_left(s))) <= {2, 3, 4}
    assert set(np.unique(track.runoff_right(s))) <= {2, 3, 4}


def test_distances_wrap():
    track = load_track("oval")
    assert track.wrap(track.length) == 0.0
    assert track.wrap(-1e-20) == 0.0
    assert track.difference(5.0, track.length - 5.0) == pytest.approx(10.0)
    assert track.difference(track.length - 5.0, 5.0) == pytest.approx(-10.0)


def test_grid_alternates_behind_pole():
    track = load_track("monza")
    s, n = track.grid_positions(6)
    np.testing.assert_allclose(track.difference(s[1:], s[:-1]), -8.0)
    assert (n[:-1] * n[1:] < 0.0).all()
    assert s[0] == track.grid


def test_banking_raises_the_right_side():
    track = skid_pad()
    banked = type(track)(**{**vars(track), "bank": Linear([0.0], [0.1], track.length)})
    _, _, z = banked.to_world(0.0, np.array([-3.0, 3.0]))
    np.testing.assert_allclose(z, [3.0 * np.tan(0.1), -3.0 * np.tan(0.1)])


def test_skid_pad_is_a_circle():
    track = skid_pad(radius=50.0)
    s = np.linspace(0.0, track.length, 1001)
    x, y = track.position(s)
    assert track.length == pytest.approx(2.0 * np.pi * 50.0, abs=1e-12)
    np.testing.assert_allclose(np.hypot(x, y - 50.0), 50.0, atol=1e-9)
    np.testing.assert_allclose(track.curvature(s), 1.0 / 50.0)


def test_oval_has_the_length_of_its_closed_form():
    track = oval(straight=300.0, radius=80.0, transition=50.0)
    assert track.length == pytest.approx(2.0 * (300.0 + np.pi * 80.0 + 50.0), abs=1e-9)
    assert np.abs(track.line.raw_gap).max() < 1e-8
    assert track.line.turns == 1
    x, _ = track.position(np.array([0.0, 0.5 * track.length]))
    assert x[0] == pytest.approx(x[1], abs=1e-8)
    assert track.heading(0.5 * track.length) == pytest.approx(np.pi)


def test_closure_is_exact_after_a_small_disturbance():
    track = oval()
    draw = np.random.default_rng(2)
    knots, curvature = track.line.knots, track.line.curvature_knots
    disturbed = curvature + draw.normal(0.0, 1e-5, curvature.shape)
    line = ClothoidLoop(knots, disturbed, track.length)
    assert np.hypot(*line.raw_gap[1:]) > 1e-3
    assert np.abs(line.gap()).max() < 1e-8
    assert np.abs(line.curvature_knots - disturbed).max() < 1e-4


def test_a_track_survives_pickling():
    track = load_track("monza")
    copy = pickle.loads(pickle.dumps(track))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.position(123.4), track.position(123.4))


def test_profiles_meet_their_knots_and_hold_constants():
    knots, values = [10.0, 30.0, 70.0], [1.0, 2.0, 4.0]
    for profile in (Linear(knots, values, 100.0), Smooth(knots, values, 100.0), Steps(knots, [1, 2, 4], 100.0)):
        np.testing.assert_allclose(profile(knots), values)
        np.testing.assert_allclose(profile(np.array(knots) - 100.0), values)
    assert Linear(knots, values, 100.0)(90.0) == pytest.approx(4.0 - 3.0 * 20.0 / 40.0)
    assert Steps(knots, [1, 2, 4], 100.0)(5.0) == 4
    assert Smooth([0.0], [3.0], 100.0)(55.0) == pytest.approx(3.0)
    assert Smooth([0.0], [3.0], 100.0)(55.0, 2) == pytest.approx(0.0)


def test_rule_puts_kerbs_inside_and_at_the_exit_and_walls_farther_out_in_corners():
    track = oval()
    side = roadside_by_rule(track.line, track.edge_left, track.edge_right)
    corner = track.corners[0]
    straight, apex, leaving = 0.0, corner.apex, corner.end + 25.0
    assert side.kerb_left(straight) == side.kerb_right(straight) == 0.0
    assert side.kerb_left(apex) == side.kerb_right(apex) == pytest.approx(1.0)
    assert side.kerb_left(leaving) == 0.0
    assert side.kerb_right(corner.end + 5.0) > 0.0
    assert side.wall_right(apex) > side.wall_left(apex)
    assert side.runoff_right(apex) == 3
    assert side.runoff_left(apex) == 2


@pytest.mark.parametrize("name", track_names())
def test_walls_leave_every_other_part_of_the_road_free(name):
    track = load_track(name)
    s = np.arange(0.0, track.length, 5.0)
    for wall in (track.wall_left(s), -track.wall_right(s)):
        x, y, _ = track.to_world(s, wall)
        found, n = track.to_road(x, y)
        edge = np.where(n > 0.0, track.width_left(found), track.width_right(found))
        elsewhere = np.abs(track.difference(found, s)) > 100.0
        assert (np.abs(n) > edge)[elsewhere].all()
