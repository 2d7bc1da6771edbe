"""Every bundled track against what is known of the circuit."""

import tomllib

import numpy as np
import pytest

from actwin.content.library import DATA, car_names, load_car, load_track, track_names
from actwin.content.track import Track
from actwin.content.track_drawing import draw
from actwin.content.track_files import read_track, write_track
from actwin.errors import ContentError, UnknownNameError

# official length [m], whole turns of heading (clockwise -1), number of corners
OFFICIAL = {
    "monza": (5793.0, -1, 11),
    "spa": (7004.0, -1, 19),
    "barcelona": (4655.0, -1, 16),
    "red_bull_ring": (4318.0, -1, 10),
    "budapest": (4381.0, -1, 14),
    "sao_paulo": (4309.0, 1, 15),
}


def test_the_promised_tracks_are_there():
    assert set(track_names()) == {*OFFICIAL, "oval", "skid_pad"}


@pytest.mark.parametrize("name", OFFICIAL)
def test_circuit_agrees_with_official_figures(name):
    length, turns, corners = OFFICIAL[name]
    track = load_track(name)
    assert track.length == pytest.approx(length, rel=0.002)
    assert track.line.turns == turns
    assert [corner.number for corner in track.corners] == list(range(1, corners + 1))
    assert 0.0 < track.fit_rms < 0.12
    assert track.fit_max < 0.5
    assert "OpenStreetMap" in track.licence
    assert "LGPL-3.0" in track.licence
    assert "approximate" in track.elevation_source


@pytest.mark.parametrize("name", track_names())
def test_corners_lie_in_order_with_apexes_at_curvature_maxima(name):
    track = load_track(name)
    apexes = [corner.apex for corner in track.corners]
    assert apexes == sorted(apexes)
    for corner in track.corners:
        around = corner.apex + np.linspace(-5.0, 5.0, 101)
        curvature = np.abs(track.curvature(around))
        assert curvature.max() <= abs(float(track.curvature(corner.apex))) * (1.0 + 2e-3) + 1e-6
        assert track.difference(corner.apex, corner.start) > 0.0
        assert track.difference(corner.end, corner.apex) > 0.0


@pytest.mark.parametrize("name", track_names())
def test_slopes_can_be_driven(name):
    track = load_track(name)
    s = np.arange(0.0, track.length, 1.0)
    assert np.abs(track.grade(s)).max() < 0.2
    # at 80 m/s a crest of 1 / 1000 m takes 0.65 g of load off
    assert track.vertical_curvature(s).min() > -1.0 / 1000.0
    assert track.vertical_curvature(s).max() < 1.0 / 450.0


@pytest.mark.parametrize("name", track_names())
def test_three_sectors_and_a_pit_exit_on_the_road_or_beside_it(name):
    track = load_track(name)
    assert len(track.sectors) == 3
    assert track.sectors[0] == 0.0
    assert list(track.sectors) == sorted(track.sectors)
    s, n = track.pit_out
    assert -track.wall_right(s) < n < track.wall_left(s)
    assert track.describe()["title"] == track.title


@pytest.mark.parametrize("path", sorted((DATA / "tracks").glob("*.toml")), ids=lambda path: path.stem)
def test_file_is_compact(path):
    def count(value):
        if isinstance(value, dict):
            return sum(count(part) for part in value.values())
        if isinstance(value, list):
            return sum(count(part) for part in value)
        return int(isinstance(value, int | float))

    assert count(tomllib.loads(path.read_text(encoding="utf-8"))) <= 600
    assert path.stem == read_track(path).name


@pytest.mark.parametrize("name", track_names())
def test_written_and_read_back(name, tmp_path):
    track = load_track(name)
    if name in OFFICIAL:
        write_track(track, tmp_path / "copy.toml")
        copy = load_track(tmp_path / "copy.toml")
        assert copy.corners == tuple(
            corner._replace(start=round(corner.start, 2), apex=round(corner.apex, 2), end=round(corner.end, 2))
            for corner in track.corners
        )
        s = np.linspace(0.0, track.length, 500)
        np.testing.assert_allclose(copy.position(s), track.position(s), atol=1e-3)
        np.testing.assert_allclose(copy.elevation(s), track.elevation(s), atol=0.01)
        assert copy.describe() == track.describe()


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Monza", "monza"),
        ("Interlagos", "sao_paulo"),
        ("São Paulo", "sao_paulo"),
        ("Red Bull Ring", "red_bull_ring"),
        ("spa-francorchamps", "spa"),
        ("Hungaroring", "budapest"),
        ("Catalunya", "barcelona"),
        ("SkidPad", "skid_pad"),
    ],
)
def test_aliases(spelling, name):
    assert load_track(spelling).name == name


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean monza"):
        load_track("monzza")
    with pytest.raises(UnknownNameError, match="Unknown car"):
        load_car("no_such_car")
    with pytest.raises(ContentError, match="no such file"):
        load_track("nowhere/monza.toml")


def test_cars_load_by_name_and_alias():
    assert "formula_alpha_2022" in car_names()
    assert load_car("FormulaAlpha2022") is load_car("formula_alpha_2022")


@pytest.mark.parametrize("name", track_names())
@pytest.mark.parametrize("encoding", ["utf-8", "cp437", "ascii"])
def test_drawing_fits_its_frame_and_encoding(name, encoding):
    picture = draw(load_track(name), 40, 15, encoding)
    lines = picture.split("\n")
    assert len(lines) <= 15
    assert max(map(len, lines)) <= 40
    assert picture.encode(encoding)
    assert ("◆" if encoding == "utf-8" else "S") in picture


def test_track_is_immutable():
    track: Track = load_track("monza")
    with pytest.raises(AttributeError):
        track.name = "other"
