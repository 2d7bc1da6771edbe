"""Fitting surveyed tracks: known shapes come back, bad tables are refused."""

from pathlib import Path

import numpy as np
import pytest

from actwin.content.closed_form import oval
from actwin.content.library import load_track
from actwin.content.track_files import read_track, write_track
from actwin.content.track_fit import fit_track
from actwin.content.track_tables import read_centre_line
from actwin.errors import ConfigError, ContentError

SURVEYS = Path(__file__).parents[3] / "shared" / "data"
needs_surveys = pytest.mark.skipif(not SURVEYS.is_dir(), reason="the surveyed tracks of ../shared/data are not here")

HEADER = "# x_m,y_m,w_tr_right_m,w_tr_left_m"


def write_table(path, x, y, right=5.0, left=6.0, header=HEADER):
    columns = np.column_stack([x, y, np.broadcast_to(right, len(x)), np.broadcast_to(left, len(x))])
    rows = [",".join(f"{value:.6f}" for value in row) for row in columns]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def circle(radius=100.0, count=126):
    angle = np.arange(count) * 2.0 * np.pi / count
    return radius * np.cos(angle), radius * np.sin(angle)


def test_a_circle_comes_back_exactly(tmp_path):
    track = fit_track(write_table(tmp_path / "circle.csv", *circle()), knots=8)
    assert track.length == pytest.approx(200.0 * np.pi, abs=1e-3)
    assert track.fit_max < 1e-4
    np.testing.assert_allclose(track.curvature(np.arange(0.0, 600.0)), 0.01, atol=1e-6)


def test_an_oval_comes_back_with_its_curvature_and_widths(tmp_path):
    exact = oval()
    s = np.arange(0.0, exact.length - 2.5, 5.0)
    track = fit_track(write_table(tmp_path / "Oval-1.csv", *exact.position(s)), title="An oval", licence="MIT")
    assert track.name == "oval_1"
    assert track.fit_rms < 1e-3
    assert track.length == pytest.approx(exact.length, abs=1e-3)
    np.testing.assert_allclose(track.curvature(s), exact.curvature(s), atol=5e-4)
    np.testing.assert_allclose(track.width_left(s), 6.0, atol=0.02)
    np.testing.assert_allclose(track.width_right(s), 5.0, atol=0.02)
    assert len(track.corners) == 2
    write_track(track, tmp_path / "oval.toml")
    again = read_track(tmp_path / "oval.toml")
    np.testing.assert_allclose(again.position(s), track.position(s), atol=1e-6)
    assert again.licence == "MIT"


def test_borders_give_the_same_road_as_the_centre_line(tmp_path):
    exact = oval()
    s = np.arange(0.0, exact.length - 1.0, 2.0)
    (left_x, left_y, _), (right_x, right_y, _) = exact.to_world(s, 7.0), exact.to_world(s, -7.0)
    rows = [",".join(f"{v:.4f}" for v in row) for row in zip(left_x, left_y, right_x, right_y, strict=True)]
    header = "left_border_x,left_border_y,right_border_x,right_border_y"
    path = tmp_path / "borders.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    track = fit_track(path)
    assert track.length == pytest.approx(exact.length, abs=0.05)
    np.testing.assert_allclose(track.width_left(s) + track.width_right(s), 14.0, atol=0.05)
    swapped = "right_border_x,right_border_y,left_border_x,left_border_y"
    path.write_text("\n".join([swapped, *rows]), encoding="utf-8")
    with pytest.raises(ContentError, match="borders cross"):
        fit_track(path)


def test_a_bridge_is_no_crossing_of_borders(tmp_path):
    angle = np.arange(400) * 2.0 * np.pi / 400
    track = fit_track(write_table(tmp_path / "eight.csv", 500.0 * np.sin(angle), 250.0 * np.sin(2.0 * angle)), knots=40)
    assert track.line.turns == 0
    s = np.arange(0.0, track.length, 3.0)
    x, y, _ = track.to_world(s, 3.0)
    found, n = track.to_road(x, y, near=s)
    np.testing.assert_allclose(track.difference(found, s), 0.0, atol=1e-6)
    np.testing.assert_allclose(n, 3.0, atol=1e-6)


def test_bad_tables_are_refused(tmp_path):
    x, y = circle()
    holes = x.copy()
    holes[40] = np.nan
    jump = x.copy()
    jump[40] += 500.0
    cases = {
        "borders cross": write_table(tmp_path / "wide.csv", x, y, left=120.0),
        "is not a width": write_table(tmp_path / "negative.csv", x, y, right=-1.0),
        "is not a row of finite numbers": write_table(tmp_path / "holes.csv", holes, y),
        "m from the one before": write_table(tmp_path / "jump.csv", jump, y),
        "needs at least 20": write_table(tmp_path / "short.csv", x[:10], y[:10]),
        "is not closed": write_table(tmp_path / "open.csv", x[:80], y[:80]),
        "repeats the one before": write_table(tmp_path / "twice.csv", np.repeat(x, 2), np.repeat(y, 2)),
    }
    for message, path in cases.items():
        with pytest.raises(ContentError, match=message) as caught:
            fit_track(path)
        assert caught.value.cure
    (tmp_path / "columns.csv").write_text("\n".join(["1,2,3"] * 30), encoding="utf-8")
    with pytest.raises(ContentError, match="3 columns"):
        read_centre_line(tmp_path / "columns.csv")
    with pytest.raises(ContentError, match="cannot be read"):
        read_centre_line(tmp_path / "absent.csv")


def test_two_parallel_stretches_may_not_overlap(tmp_path):
    exact = oval(straight=400.0, radius=30.0, transition=20.0)
    s = np.arange(0.0, exact.length - 2.5, 5.0)
    straight = np.abs(exact.curvature(s)) < 1e-6
    path = write_table(tmp_path / "narrow.csv", *exact.position(s), left=np.where(straight, 70.0, 5.0))
    with pytest.raises(ContentError, match="borders cross"):
        fit_track(path)


def test_a_foolish_number_of_knots_is_refused(tmp_path):
    path = write_table(tmp_path / "circle.csv", *circle())
    for knots in (3, 5000):
        with pytest.raises(ConfigError, match="knots"):
            fit_track(path, knots=knots)


@needs_surveys
def test_monza_of_the_database_fits_as_well_as_promised():
    track = fit_track(SURVEYS / "tracks_tum" / "Monza.csv", knots=100)
    assert track.fit_rms < 0.12
    assert track.fit_max < 0.36
    bundled = load_track("monza")
    s = np.arange(0.0, bundled.length, 10.0)
    np.testing.assert_allclose(track.position(s), bundled.position(s), atol=0.2)


@needs_surveys
def test_borders_of_the_game_fit():
    track = fit_track(SURVEYS / "tracks_ac" / "monza.csv")
    assert track.length == pytest.approx(5790.0, rel=0.002)
    assert track.line.turns == -1
    assert track.fit_rms < 0.15


def test_a_hairpin_as_tight_as_the_road_is_wide_stays_drivable(tmp_path):
    exact = oval(straight=300.0, radius=9.0, transition=14.0)
    s = np.arange(0.0, exact.length - 1.5, 3.0)
    track = fit_track(write_table(tmp_path / "hairpin.csv", *exact.position(s), right=5.0, left=7.5), knots=24)
    grid = np.arange(0.0, track.length, 0.5)
    assert (1.0 - track.curvature(grid) * track.wall_left(grid)).min() > 0.0
    assert (track.wall_left(grid) > track.width_left(grid)).all()
