"""What the pictures show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actwin.analysis import figure_style as style
from actwin.analysis.compare import CHANNELS, distance_axis, trace
from actwin.analysis.figures import lap_traces
from actwin.analysis.figures_technique import friction_circle
from actwin.analysis.figures_training import learning_curve
from actwin.analysis.laps import cut_laps
from actwin.analysis.outline import corner_groups, outline
from actwin.analysis.track_figure import track_map
from actwin.content.library import load_track, track_names

pytest.importorskip("plotly")
LENGTH = 3000.0


@pytest.fixture
def laps(known_run):
    runs = [known_run("fast", 61.0), known_run("slow", 60.0)]
    return [trace(run, cut_laps(run, LENGTH, (0.0,))[0], distance_axis(LENGTH), CHANNELS) for run in runs]


def panel(figure, title: str):
    """The lines of a panel, found by the beginning of its title."""
    titles = [each.text for each in figure.layout.annotations]
    number = next(i for i, text in enumerate(titles) if text.startswith(title)) + 1
    return [line for line in figure.data if line.yaxis == ("y" if number == 1 else f"y{number}")]


def test_traces_share_one_axis_in_kilometres_an_hour(laps) -> None:
    figure = lap_traces(laps, outline(load_track("oval")), reference=1)
    speed = panel(figure, "Speed [km/h]")
    assert [line.name for line in speed] == ["fast", "slow"]
    assert np.allclose(speed[0].y, laps[0]["speed"] * 3.6, atol=1e-3)
    assert {line.xaxis or "x" for line in figure.data} == {"x"}
    assert figure.layout.hoversubplots == "axis"


def test_delta_is_below_zero_for_the_faster_lap(laps) -> None:
    fast, slow = panel(lap_traces(laps, outline(load_track("oval")), reference=1), "Delta to slow")
    assert fast.y[-1] == pytest.approx(LENGTH / 61.0 - LENGTH / 60.0, abs=1e-3)
    assert not np.any(slow.y)


def test_laps_of_one_driver_are_told_apart(laps) -> None:
    figure = lap_traces([replace(lap, driver="Ada") for lap in laps], outline(load_track("oval")), reference=1)
    assert [line.name for line in panel(figure, "Speed")] == ["Ada", "Ada (2)"]
    assert figure.layout.meta["drivers"] == ["Ada", "Ada (2)"]


def test_speed_pieces_cover_the_whole_lap(laps) -> None:
    figure = track_map(outline(load_track("oval")), laps)
    *pieces, touch = (figure.data[i] for i in figure.layout.meta["speed"][0])
    stretches = sum(np.count_nonzero(np.isnan(piece.x)) for piece in pieces)
    assert stretches == len(laps[0].distance) - 1
    assert all(figure.data[i].visible is False for i in figure.layout.meta["speed"][1])
    assert touch.customdata[-1][0] == pytest.approx(LENGTH, abs=10.0)


@pytest.mark.parametrize("name", track_names())
def test_every_track_is_drawn_with_equal_axes_and_closed(name) -> None:
    track = load_track(name)
    shape = outline(track)
    for x, y in (shape.left, shape.right):
        assert np.hypot(x[0] - x[-1], y[0] - y[-1]) < 0.01
    figure = track_map(shape)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.meta["views"][0]["label"] == "Whole track"
    assert len(figure.layout.meta["views"]) == 1 + len(track.corners)


def test_corner_labels_stand_outside_the_road() -> None:
    track = load_track("monza")
    for label in outline(track).labels:
        _, offset = track.to_road(label.x, label.y, near=label.distance)
        assert abs(offset) > max(track.width_left(label.distance), track.width_right(label.distance))


def test_close_corners_share_a_label() -> None:
    texts = [text for text, _ in corner_groups(outline(load_track("monza")))]
    assert texts[0] == "T1–2"
    assert "T8–10" in texts
    assert "T3" in texts


def test_learning_curve_names_its_rivals_with_their_times() -> None:
    figure = learning_curve(np.array([0.0, 2e6]), np.array([np.nan, 81.25]), {"Expert": 82.0})
    assert [line.name for line in figure.data] == ["RL policy", "Expert 1:22.000"]
    assert "1:22.000" in figure.layout.yaxis.ticktext


def test_friction_circle_is_in_g(laps) -> None:
    figure = friction_circle(laps)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert {line.name for line in figure.data} == {"fast", "slow"}


def test_ticks_of_lap_times_are_round() -> None:
    places, texts = style.lap_time_ticks([80.31, 82.9, float("nan")])
    assert texts[0] == "1:20.000"
    assert texts[-1] == "1:23.000"
    assert np.allclose(np.diff(places), places[1] - places[0])
    assert style.lap_time_ticks([float("nan")]) == ([], [])


def test_colours_run_from_end_to_end_of_the_scale() -> None:
    assert style.colour_at(0.0) == style.PRINT.scale[0]
    assert style.colour_at(1.0) == style.PRINT.scale[-1]
    assert style.colour_at(0.5) not in style.PRINT.scale
