"""Laps laid over each other."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.analysis.compare import compare_corners, delta, distance_axis, trace
from actwin.analysis.laps import cut_laps
from actwin.content.track import Corner

LENGTH, SECTORS = 3000.0, (0.0, 900.0, 2100.0)


def fastest(run):
    return cut_laps(run, LENGTH, SECTORS)[0]


@pytest.fixture
def pair(known_run):
    axis = distance_axis(LENGTH)
    runs = [known_run("slow", 60.0), known_run("fast", 61.0, start=-211.0)]
    return [trace(run, fastest(run), axis) for run in runs]


def test_delta_at_the_line_is_the_difference_of_lap_times(known_run, pair) -> None:
    slow, fast = pair
    behind = delta(slow, fast)
    expected = fastest(known_run("slow", 60.0)).time - fastest(known_run("fast", 61.0, start=-211.0)).time
    assert behind[0] == 0.0
    assert behind[-1] == pytest.approx(expected, abs=1e-12)
    assert behind[-1] > 0.0, "positive means slower"


def test_delta_of_a_lap_with_itself_is_nothing(pair) -> None:
    assert not delta(pair[0], pair[0]).any()


def test_delta_follows_the_known_times_all_the_way(pair) -> None:
    slow, fast = pair
    known = slow.distance / 60.0 - slow.distance / 61.0
    assert np.abs(delta(slow, fast) - known).max() < 1e-3


def test_time_grows_along_the_lap_and_speed_matches(pair) -> None:
    lap = pair[0]
    assert (np.diff(lap.time) > 0.0).all()
    measured = np.gradient(lap.distance, lap.time)
    assert np.abs(measured - lap["speed"]).max() < 0.5


def test_gear_keeps_whole_numbers(pair) -> None:
    assert np.array_equal(pair[0]["gear"], np.round(pair[0]["gear"]))


def test_different_axes_are_refused(known_run, pair) -> None:
    run = known_run("other")
    with pytest.raises(ValueError, match="one distance axis"):
        delta(pair[0], trace(run, fastest(run), distance_axis(LENGTH, 5.0)))


def test_corner_times_add_up_to_the_lap(pair) -> None:
    corners = [Corner(i, "", apex - 100.0, apex, apex + 100.0) for i, apex in enumerate((500.0, 1600.0, 2600.0), 1)]
    rows = compare_corners(pair, corners)
    for i, lap in enumerate(pair):
        assert sum(row.laps[i].time for row in rows) == pytest.approx(lap.time[-1], abs=1e-9)
    assert rows[0].start == 0.0
    assert rows[-1].end == LENGTH
    assert all(row.spread > 0.0 for row in rows)
    assert compare_corners(pair, []) == []
