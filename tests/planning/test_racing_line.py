"""The line of minimum curvature: bounds, optimality, closed forms."""

import numpy as np
import pytest
from scipy.sparse import csc_matrix, diags

from actwin.content.library import load_track, track_names
from actwin.errors import ConfigError
from actwin.planning.racing_line import box_quadratic, centre_line, minimum_curvature

MARGIN = 1.3


@pytest.mark.parametrize("name", track_names())
def test_line_keeps_its_margin_and_is_straighter_than_the_centre(name: str) -> None:
    track = load_track(name)
    line = minimum_curvature(track, MARGIN)
    assert np.all(line.lateral <= track.width_left(line.distance) - MARGIN + 0.02)
    assert np.all(line.lateral >= MARGIN - track.width_right(line.distance) - 0.02)
    centre = centre_line(track)
    assert np.sum(line.curvature**2 * line.spacing) < np.sum(centre.curvature**2 * centre.spacing)


def test_curvature_is_the_change_of_heading() -> None:
    line = minimum_curvature(load_track("barcelona"), MARGIN)
    turned = np.diff(np.unwrap(line.heading))
    between = 0.5 * (line.curvature[1:] + line.curvature[:-1])
    assert np.max(np.abs(np.cumsum(turned) - np.cumsum(between * line.spacing[:-1]))) < 0.03


def test_line_on_a_circle_is_a_circle() -> None:
    track = load_track("skid_pad")
    line = minimum_curvature(track, 1.0)
    radius = 1.0 / np.abs(track.curvature(0.0))
    expected = radius + track.width_right(0.0) - 1.0
    assert 1.0 / np.abs(line.curvature) == pytest.approx(np.full(len(line.curvature), expected), rel=2e-3)


def test_centre_line_has_the_tracks_curvature_and_length() -> None:
    track = load_track("monza")
    line = centre_line(track, 1.0)
    assert line.length == pytest.approx(track.length, rel=1e-4)
    assert np.sqrt(np.mean((line.curvature - track.curvature(line.distance)) ** 2)) < 2e-4


def test_no_small_change_inside_the_limits_lowers_the_curvature() -> None:
    track = load_track("oval")
    line = minimum_curvature(track, MARGIN)
    x, y = line.x, line.y

    def bending(offset: np.ndarray) -> float:
        px, py, _ = track.to_world(line.distance, offset)
        steps = np.stack([np.roll(px, -1) - px, np.roll(py, -1) - py])
        length = np.hypot(*steps)
        angle = np.arctan2(steps[1], steps[0])
        turn = np.mod(angle - np.roll(angle, 1) + np.pi, 2 * np.pi) - np.pi
        return float(np.sum(turn**2 / (0.5 * (length + np.roll(length, 1)))))

    least = bending(line.lateral)
    assert np.all(np.isfinite([x, y]))
    random = np.random.default_rng(1)
    low, high = MARGIN - track.width_right(line.distance), track.width_left(line.distance) - MARGIN
    for _ in range(20):
        centre, width = random.uniform(0.0, track.length), random.uniform(20.0, 120.0)
        bump = np.exp(-((track.difference(line.distance, centre) / width) ** 2)) * random.choice([-0.2, 0.2])
        assert bending(np.clip(line.lateral + bump, low, high)) > least - 2e-4 * least


def test_results_are_kept() -> None:
    track = load_track("oval")
    assert minimum_curvature(track, MARGIN) is minimum_curvature(track, MARGIN)


@pytest.mark.parametrize(("margin", "step"), [(-1.0, 3.0), (1.0, 0.0), (float("nan"), 3.0)])
def test_senseless_arguments_are_refused(margin: float, step: float) -> None:
    with pytest.raises(ConfigError, match="margin"):
        minimum_curvature(load_track("oval"), margin, step)


def test_box_quadratic_meets_the_optimality_conditions() -> None:
    random = np.random.default_rng(0)
    size = 60
    factor = random.standard_normal((size, size))
    hessian = csc_matrix(factor.T @ factor + 0.1 * diags(np.ones(size)))
    gradient, low = 20.0 * random.standard_normal(size), random.uniform(-1.0, -0.1, size)
    high = low + random.uniform(0.2, 1.0, size)
    x = box_quadratic(hessian, gradient, low, high)
    slope = hessian @ x + gradient
    inside = (x > low + 1e-4) & (x < high - 1e-4)
    assert np.all((x > low) & (x < high))
    assert np.all(np.abs(slope[inside]) < 1e-2)
    assert np.all(slope[x <= low + 1e-4] > -1e-2)
    assert np.all(slope[x >= high - 1e-4] < 1e-2)
