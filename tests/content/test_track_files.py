"""Bad track files are refused with the file, the field and a cure."""

import copy
import tomllib

import numpy as np
import pytest

from actwin.content.library import DATA
from actwin.content.track_files import build_track, read_track
from actwin.errors import ContentError

GOOD = tomllib.loads((DATA / "tracks" / "monza.toml").read_text(encoding="utf-8"))


def altered(path, value):
    raw = copy.deepcopy(GOOD)
    place = raw
    *parents, last = path.split(".")
    for part in parents:
        place = place[part]
    place[last] = value
    return raw


def scaled(path, index, factor):
    table, field = path.split(".")
    values = list(GOOD[table][field])
    values[index] *= factor
    return altered(path, values)


WIDEST = [
    100.0 if 850.0 < s < 1100.0 else w for s, w in zip(GOOD["width"]["knots"], GOOD["width"]["right"], strict=True)
]

BAD = {
    "unknown key": (altered("colour", "red"), "colour"),
    "unknown key inside": (altered("centre.radius", 3.0), "centre.radius"),
    "other schema": (altered("schema", 99), "schema"),
    "negative width": (scaled("width.left", 3, -1.0), "width.left[3]"),
    "not a number": (scaled("width.left", 3, np.nan), "width.left"),
    "infinite curvature": (scaled("centre.curvature", 5, np.inf), "centre.curvature"),
    "text for a number": (altered("altitude", "high"), "altitude"),
    "too few widths": (altered("width.left", GOOD["width"]["left"][:-1]), "width.left"),
    "distances that fall": (altered("sectors", [0.0, 3000.0, 2000.0]), "sectors[2]"),
    "distance beyond the lap": (altered("sectors", [0.0, 3000.0, 9000.0]), "sectors"),
    "sectors not from the line": (altered("sectors", [10.0, 3000.0]), "sectors[0]"),
    "negative length": (altered("centre.length", -5.0), "centre.length"),
    "open lap": (altered("centre.curvature", [0.8 * k for k in GOOD["centre"]["curvature"]]), "centre.curvature"),
    "crossing borders": (altered("width.right", WIDEST), "width.right"),
    "missing chapter": ({key: value for key, value in GOOD.items() if key != "centre"}, "centre"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_contents_name_file_field_and_cure(case):
    raw, field = BAD[case]
    with pytest.raises(ContentError) as caught:
        build_track(raw, "bad.toml")
    assert caught.value.source == "bad.toml"
    assert caught.value.field.startswith(field)
    assert caught.value.problem
    assert caught.value.cure
    assert "\n" not in str(caught.value)


def test_the_unaltered_file_is_good():
    assert build_track(copy.deepcopy(GOOD), "good.toml").name == "monza"


def test_unreadable_files(tmp_path):
    (tmp_path / "broken.toml").write_text("schema = [1", encoding="utf-8")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00schema")
    for name in ("broken.toml", "binary.toml", "absent.toml"):
        with pytest.raises(ContentError, match=name):
            read_track(tmp_path / name)


def test_roadside_in_the_file_replaces_the_rule():
    raw = altered(
        "roadside",
        {
            "knots": [0.0],
            "kerb_left": [0.5],
            "kerb_right": [0.0],
            "wall_left": [9.0],
            "wall_right": [9.5],
            "runoff_left": [4],
            "runoff_right": [2],
        },
    )
    track = build_track(raw, "own.toml")
    assert track.kerb_left(1000.0) == 0.5
    assert track.wall_right(1000.0) == 9.5
    assert track.runoff_left(1000.0) == 4
    raw["roadside"]["wall_left"] = [3.0]
    with pytest.raises(ContentError, match=r"roadside\.wall_left"):
        build_track(raw, "own.toml")
