"""The game's AI lines: our axes, the road beside them, damage refused, a track that fits."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actwin.content.ai_line import DETAIL, HEADER, POINT, line_label, read_ai_line
from actwin.content.closed_form import oval
from actwin.content.library import load_track
from actwin.content.track_files import read_track, write_track
from actwin.content.track_fit import fit_track
from actwin.content.track_tables import read_centre_line
from actwin.errors import ContentError


def write_line(path: Path, x, y, z, left, right) -> Path:
    """An AI line as the game writes it, with a search grid behind."""
    count = len(x)
    points, details = np.zeros(count, POINT), np.zeros(count, DETAIL)
    points["position"] = np.column_stack([y, z, x])
    points["distance"] = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    points["id"] = np.arange(count)
    details["side_left"], details["side_right"] = left, right
    details["speed"], details["gas"] = 33.0, 0.75
    head = struct.pack("<4i", 7, count, 0, 0)
    grid = struct.pack("<i6fif", 1, *[1.0] * 3, *[0.0] * 3, 10, 10.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + points.tobytes() + struct.pack("<i", count) + details.tobytes() + grid)
    return path


def oval_line(path: Path, offset: float = 1.0) -> Path:
    """The line of a driver who keeps to the left of an oval road of 14 m, uphill and down again."""
    track = oval()
    s = np.arange(0.0, track.length - 1.0, 2.0)
    x, y, _ = track.to_world(s, offset)
    height = 50.0 + 3.0 * np.cos(2.0 * np.pi * s / track.length)
    return write_line(path, x, y, height, 7.0 - offset, 7.0 + offset)


def test_layout_has_the_documented_sizes() -> None:
    assert (HEADER.itemsize, POINT.itemsize, DETAIL.itemsize) == (16, 20, 72)
    assert [DETAIL.fields[name][1] for name in ("side_left", "side_right", "forward", "grade")] == [20, 24, 52, 68]


def test_axes_are_ours(tmp_path) -> None:
    path = write_line(tmp_path / "line.ai", *np.arange(15.0).reshape(3, 5), np.full(5, 4.0), np.full(5, 6.0))
    line = read_ai_line(path)
    np.testing.assert_array_equal(line.x, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(line.y, [5, 6, 7, 8, 9])
    np.testing.assert_array_equal(line.z, [10, 11, 12, 13, 14])
    assert (line.speed[0], line.throttle[0], line.brake[0]) == (33.0, 0.75, 0.0)
    left_x, left_y, right_x, right_y = (border[2] for border in line.borders())
    assert (left_x - 2.0, left_y - 7.0) == pytest.approx((-4.0 / np.sqrt(2.0), 4.0 / np.sqrt(2.0)))
    assert (right_x - 2.0, right_y - 7.0) == pytest.approx((6.0 / np.sqrt(2.0), -6.0 / np.sqrt(2.0)))


def test_a_line_becomes_the_road_it_lies_on(tmp_path) -> None:
    exact = oval()
    track = fit_track(oval_line(tmp_path / "tracks" / "Ring" / "Club" / "ai" / "fast_lane.ai"), licence="CC0")
    assert track.name == "ring_club"
    assert track.length == pytest.approx(exact.length, abs=0.1)
    assert track.fit_max < 0.02
    s = np.arange(0.0, exact.length, 10.0)
    x, y, _ = exact.to_world(s, 0.0)
    found, offset = track.to_road(x, y)
    np.testing.assert_allclose(offset, 0.0, atol=0.05)
    shift = track.difference(found, s)  # the fit may slide along the road
    np.testing.assert_allclose(shift, np.median(shift), atol=0.1)
    assert abs(np.median(shift)) < 2.0
    np.testing.assert_allclose(track.width_left(s), 7.0, atol=0.1)
    np.testing.assert_allclose(track.elevation(s), 3.0 * np.cos(2.0 * np.pi * s / exact.length) - 3.0, atol=0.1)
    assert "53.00 m in the game" in track.notes["height"]
    write_track(track, tmp_path / "ring.toml")
    again = read_track(tmp_path / "ring.toml")
    np.testing.assert_allclose(again.elevation(s), track.elevation(s), atol=1e-6)
    assert again.elevation_source == track.elevation_source


def test_a_line_can_be_named_where_a_track_is_asked_for(tmp_path) -> None:
    assert load_track(oval_line(tmp_path / "line.ai")).name == "line"


def test_names_come_from_the_games_folders() -> None:
    assert line_label("/games/content/tracks/ks_barcelona/layout_gp/ai/fast_lane.ai") == "ks_barcelona_layout_gp"
    assert line_label("/games/content/tracks/monza/ai/fast_lane.ai") == "monza"
    assert line_label("/somewhere/monza/ai/fast_lane.ai") == "monza"
    assert line_label("/somewhere/ai/my_line.ai") == "my_line"
    assert line_label("/somewhere/fast_lane.ai") == "fast_lane"


@pytest.mark.parametrize(
    ("at", "code", "value", "hint"),
    [
        (0, "<i", 6, "is 6 instead of 7"),
        (4, "<i", -1, "points"),
        (4, "<i", 10**9, "points"),
        (4, "<i", 100_000, "points: would end"),
        (16, "<f", float("nan"), r"y\[0\]"),
        (16 + 8, "<f", 1e30, r"x\[0\]"),
        (-4 - 32 - 72, "<f", float("inf"), "speed"),
    ],
)
def test_damage_is_refused_with_its_place(tmp_path, at, code, value, hint) -> None:
    path = oval_line(tmp_path / "line.ai")
    content = bytearray(path.read_bytes())
    struct.pack_into(code, content, at % len(content), value)
    path.write_bytes(content)
    with pytest.raises(ContentError, match=hint):
        read_ai_line(path)


def test_every_truncation_is_refused(tmp_path) -> None:
    path = oval_line(tmp_path / "line.ai")
    content = path.read_bytes()
    for size in (0, 3, 16, 30, 5000, len(content) // 2, len(content) - 40):
        path.write_bytes(content[:size])
        with pytest.raises(ContentError):
            read_ai_line(path)
    with pytest.raises(ContentError, match="cannot be read"):
        read_ai_line(tmp_path / "absent.ai")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_change_of_bytes_escapes_the_checks(tmp_path_factory, data) -> None:
    path = write_line(tmp_path_factory.mktemp("line") / "line.ai", *np.zeros((5, 3)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        line = read_ai_line(path)
    except ContentError:
        return
    assert all(np.isfinite(values).all() for values in line)


def test_a_line_without_borders_is_refused(tmp_path) -> None:
    angle = np.arange(100) * 2.0 * np.pi / 100
    path = write_line(tmp_path / "line.ai", 100.0 * np.cos(angle), 100.0 * np.sin(angle), 0.0 * angle, 0.0, 0.0)
    with pytest.raises(ContentError, match="no borders"):
        read_centre_line(path)


def test_borders_as_another_program_computed_them(shared_data, tmp_path) -> None:
    """Public border files were made from AI lines of the game; going back to a line and forth gives them again."""
    source = shared_data / "tracks_ac" / "monza.csv"
    rows = np.loadtxt(source, delimiter=",", skiprows=1)
    x, y = rows[:, 4:6].T
    left, right = (np.hypot(rows[:, i] - x, rows[:, i + 1] - y) for i in (0, 2))
    line = read_ai_line(write_line(tmp_path / "monza.ai", x, y, 0.0 * x, left, right))
    off = [np.hypot(line.borders()[i] - rows[:, i], line.borders()[i + 1] - rows[:, i + 1]) for i in (0, 2)]
    assert np.quantile(off, 0.99) < 0.2
    table, expected = read_centre_line(tmp_path / "monza.ai"), read_centre_line(source)
    apart = np.abs((table.x + 1j * table.y)[:, None] - (expected.x + 1j * expected.y)).min(axis=1)
    assert np.quantile(apart, 0.95) < 2.5  # points are 4 m apart


@pytest.mark.parametrize("name", ["czyzoring_fast_lane.ai", "data/ideal_lane.ai"])
def test_lines_of_a_small_track(shared_data, name) -> None:
    path = shared_data / "ai" / name
    line = read_ai_line(path)
    step = np.hypot(np.diff(line.x), np.diff(line.y))
    np.testing.assert_allclose(np.diff(line.distance), np.hypot(step, np.diff(line.z)), atol=0.01)
    table = read_centre_line(path)
    assert (table.width_left > 2.0).all()


def test_a_small_track_fits(shared_data) -> None:
    track = fit_track(shared_data / "ai" / "czyzoring_fast_lane.ai", knots=24)
    assert track.name == "czyzoring_fast_lane"
    assert track.fit_rms < 0.3
    assert np.ptp(track.elevation(np.arange(0.0, track.length, 5.0))) == pytest.approx(4.0, abs=0.5)
