"""Observations against geometry worked out independently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwin.content.library import load_track
from actwin.env.config import ObservationConfig
from actwin.env.features import FEATURES, ORDER, PRESETS, expand
from actwin.env.layout import Layout
from actwin.env.observation import Observer
from actwin.env.reference import Reference
from actwin.errors import UnknownNameError
from actwin.planning.racing_line import minimum_curvature
from actwin.telemetry.channels import FRAME, as_floats


def see(reference: Reference, frames: Any, sent: Any = None, **settings: Any) -> tuple[Layout, Any]:
    """Layout and unscaled observation."""
    layout = Layout(ObservationConfig(**settings))
    out = np.full((len(frames), layout.size), np.nan, np.float32)
    history = np.zeros((len(frames), 24), np.float32) if sent is None else sent
    Observer(layout, reference).observe(frames, history, out)
    return layout, out.astype(np.float64) * [column.scale for column in layout.columns]


def part(layout: Layout, values: Any, feature: str) -> Any:
    return values[:, layout.where(feature)]


@pytest.mark.parametrize("name", [*FEATURES, *PRESETS])
def test_everything_registered_can_be_seen(name: str, reference: Reference, make_frames: Any) -> None:
    layout, values = see(reference, make_frames(np.linspace(0.0, 1500.0, 17), speed=30.0), features=(name,))
    assert values.shape == (17, layout.size)
    assert np.isfinite(values).all()
    assert all(feature.doc and feature.unit for feature in layout.features)
    assert all(column.low < column.high for column in layout.columns)
    assert len({column.label for column in layout.columns}) == layout.size


def test_presets_and_features_have_different_names() -> None:
    assert not set(PRESETS) & set(FEATURES)


def test_columns_follow_the_order_of_the_kernel() -> None:
    order = [ORDER.index(feature.source) for feature in expand(("rays", "full", "gear", "speed_ahead"))]
    assert order == sorted(order)


def test_unknown_feature_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean racing_line"):
        Layout(ObservationConfig(features=("racing_lime",)))


def test_roadmap_is_its_seven_channels() -> None:
    layout = Layout(ObservationConfig(features=("roadmap",)))
    assert {column.label for column in layout.columns} == {
        "speed",
        "rpm",
        "steer_angle",
        "throttle",
        "brake",
        "gear",
        "lap_progress",
    }


def test_channels_are_shown_over_their_scale(reference: Reference, make_frames: Any) -> None:
    frames = make_frames([10.0, 700.0], vx=[12.0, 34.0], gear=[-1, 7], slip_angle=[[0.1, 0.2, -0.1, 0.0]] * 2)
    layout, values = see(reference, frames, features=("vx", "gear", "slip_angle"))
    np.testing.assert_allclose(part(layout, values, "vx")[:, 0], [12.0, 34.0], rtol=1e-6)
    np.testing.assert_allclose(part(layout, values, "gear")[:, 0], [-1.0, 7.0], rtol=1e-6)
    np.testing.assert_allclose(part(layout, values, "slip_angle")[0], [0.1, 0.2, -0.1, 0.0], atol=1e-6)


@pytest.mark.parametrize(("feature", "side"), [("left_border", 1), ("right_border", -1)])
def test_border_points_are_the_borders_in_the_car_frame(
    feature: str, side: int, reference: Reference, make_frames: Any
) -> None:
    track = reference.track
    s, speed = np.linspace(5.0, 1540.0, 40), np.linspace(0.0, 80.0, 40)
    frames = make_frames(s, lateral=1.5, heading=0.3, speed=speed)
    layout, values = see(reference, frames, features=(feature,), points=12, horizon=5.0, least_reach=50.0)
    ahead = s[:, None] + np.maximum(speed * 5.0, 50.0)[:, None] * layout.shares
    width = track.width_left(ahead) if side > 0 else track.width_right(ahead)
    x, y, _ = track.to_world(ahead, side * width)
    dx, dy, yaw = x - frames["x"][:, None], y - frames["y"][:, None], frames["yaw"].astype(float)[:, None]
    expected = np.concatenate([np.cos(yaw) * dx + np.sin(yaw) * dy, np.cos(yaw) * dy - np.sin(yaw) * dx], axis=1)
    np.testing.assert_allclose(part(layout, values, feature), expected, atol=0.03)


def test_line_features_vanish_on_the_line(reference: Reference, make_frames: Any) -> None:
    s = np.linspace(1.0, 1500.0, 30)
    frames = make_frames(s, lateral=reference.at("line_offset", s), heading=reference.at("line_angle", s))
    layout, values = see(reference, frames, features=("line_offset", "line_angle", "racing_line"))
    np.testing.assert_allclose(part(layout, values, "line_offset"), 0.0, atol=1e-3)
    np.testing.assert_allclose(part(layout, values, "line_angle"), 0.0, atol=1e-3)


def test_curvature_ahead_on_a_circle_is_its_curvature() -> None:
    track = load_track("skid_pad")
    reference = Reference(track, minimum_curvature(track), np.full(20, 20.0), 800.0)
    frames = np.zeros(3, FRAME)
    frames["lap_distance"], frames["speed"] = [0.0, 100.0, 313.9], 40.0
    _, values = see(reference, frames, features=("curvature_ahead",))
    np.testing.assert_allclose(values, float(track.curvature(0.0)), rtol=1e-4)


def test_rays_on_a_straight_meet_the_borders(reference: Reference, make_frames: Any) -> None:
    track = reference.track
    straight = float(np.flatnonzero(np.abs(track.curvature(np.arange(1500.0))) < 1e-9)[40])
    frames = make_frames(straight, lateral=1.0)
    layout, values = see(reference, frames, features=("rays",), rays=5, ray_fan=2.0, ray_range=200.0)
    angles = layout.angles.astype(float)
    room = np.where(angles > 0.0, track.width_left(straight) - 1.0, track.width_right(straight) + 1.0)
    expected = np.where(angles == 0.0, 200.0, room / np.maximum(np.abs(np.sin(angles)), 1e-6))
    np.testing.assert_allclose(values[0, angles != 0.0], expected[angles != 0.0], rtol=2e-3)
    assert values[0, 2] > 30.0


def test_previous_controls_are_shown_newest_first(reference: Reference, make_frames: Any) -> None:
    history = np.arange(24, dtype=np.float32)[None] / 30.0
    layout, values = see(reference, make_frames([0.0]), history, features=("previous_controls",), history=3)
    assert [column.label for column in layout.columns][:4] == [
        "steer_1_ago",
        "throttle_1_ago",
        "brake_1_ago",
        "steer_2_ago",
    ]
    np.testing.assert_allclose(values[0], history[0, :9])


def test_observations_stay_in_their_bounds_whatever_comes(reference: Reference, make_frames: Any) -> None:
    """A broken state ends the episode; until then it must not reach the network as NaN."""
    frames = make_frames(np.linspace(0.0, 1500.0, 64))
    floats = as_floats(frames)
    floats[:] = np.random.default_rng(0).normal(0.0, 1e6, floats.shape)
    floats[::5] = np.nan
    floats[1::5] = np.inf
    layout = Layout(ObservationConfig(features=("full", "with_curvature", "with_rays")))
    out = np.zeros((64, layout.size), np.float32)
    Observer(layout, reference).observe(frames, np.zeros((64, 6), np.float32), out)
    low, high = (np.array([getattr(column, end) for column in layout.columns], np.float32) for end in ("low", "high"))
    assert ((out >= low) & (out <= high)).all()


def test_table_lists_every_feature() -> None:
    layout = Layout(ObservationConfig(features=("full",)))
    assert all(f"| {feature.name} |" in layout.table() for feature in layout.features)
