"""`actwin laps` and `actwin compare` as their user meets them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from actwin.analysis import open_session
from actwin.analysis.rollout import Rollout
from actwin.cli import main
from actwin.content.ai_line import DETAIL, POINT
from actwin.content.library import load_track
from actwin.telemetry.channels import FRAME
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import write_session

PERIOD = 0.04


def driven(pace: float, driver: str, track: str = "oval") -> Rollout:
    """Three laps of the oval at a steady pace with a wave in it, in the middle of the road."""
    road = load_track(track)
    time = np.arange(0.0, 3.3 * road.length / pace, PERIOD)
    way = pace * time - 200.0 + 30.0 * np.sin(time / 7.0)
    place = np.mod(way, road.length)
    frames = np.zeros(len(time), FRAME)
    x, y, _z = road.to_world(place, 0.5)
    for name, values in {
        "lap_distance": place, "x": x, "y": y, "speed": np.gradient(way, time), "yaw": road.heading(place),
        "throttle": 0.5 + 0.5 * np.cos(time / 7.0), "gear": 4, "rpm": 6000.0, "lap_valid": 1, "lateral_offset": 0.5,
        "ay": pace * pace * road.curvature(place), "yaw_rate": pace * road.curvature(place),
    }.items():  # fmt: skip
        frames[name] = values
    return Rollout(frames, PERIOD, track, "formula_alpha_2022", driver)


@pytest.fixture
def folder(tmp_path):
    """A folder of sessions with one, and two rollouts beside it."""
    run = driven(50.0, "Ada")
    meta = SessionMeta(started=datetime(2026, 5, 4, tzinfo=UTC), track="oval", car=run.car, driver="Ada", source="twin")
    write_session(tmp_path, meta, run.time, run.frames)
    driven(52.0, "Ben").save(tmp_path / "ben")
    driven(52.0, "Eve", "skid_pad").save(tmp_path / "eve")
    return tmp_path


def run(capsys, *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_table_reads_without_colours(capsys, folder) -> None:
    code, out, _err = run(capsys, "laps", "last", "--folder", folder)
    assert code == 0
    assert "\x1b" not in out
    rows = [line.split() for line in out.splitlines() if line.split()[:1] and line.split()[0].isdecimal()]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    assert sum(any(cell.endswith("*") and ":" in cell for cell in row) for row in rows) == 1, "one best lap"
    assert rows[0][-1] == rows[-1][-1] == "incomplete"
    assert "best 0:" in out


def test_csv_and_json_are_for_other_programs(capsys, folder) -> None:
    code, out, _err = run(capsys, "laps", "last", "--csv", "--folder", folder)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["kind"] for row in rows][:2] == ["partial", "flying"]
    code, out, _err = run(capsys, "laps", "last", "--json", "--folder", folder)
    told = json.loads(out)
    assert code == 0
    assert len(told["laps"]) == len(rows)
    assert told["best_time"] == min(lap["time"] for lap in told["laps"] if lap["valid"])
    assert told["theoretical_best"] <= told["rolling_best"] <= told["best_time"]


def test_a_session_without_laps_says_what_to_do(capsys, tmp_path) -> None:
    frames = np.zeros(50, FRAME)
    write_session(tmp_path, SessionMeta(missing=FRAME.names), np.arange(50.0), frames)
    code, out, _err = run(capsys, "laps", "last", "--folder", tmp_path)
    assert code == 0
    assert "tells no lap" in out
    assert "--track" in out


def test_two_laps_side_by_side(capsys, folder) -> None:
    code, out, _err = run(capsys, "compare", "last:1", folder / "ben.npz", "--json", "--folder", folder)
    assert code == 0
    told = json.loads(out)
    first, second = told["laps"]
    assert told["reference"] == 1
    for part in ("sectors", "corners"):
        if told[part]:
            lost = sum(each["delta"][0] for each in told[part])
            assert lost == pytest.approx(first["time"] - second["time"], abs=1e-9), "parts add up to the lap"
    code, out, _err = run(capsys, "compare", "last:1", folder / "ben.npz", "--folder", folder)
    assert code == 0
    assert "Ada, lap 1" in out
    assert "reference" in out
    assert "positive = slower" in out


def test_the_page_shows_lap_and_profile(capsys, folder) -> None:
    page = folder / "page.html"
    code, _out, err = run(capsys, "compare", "last", folder / "ben.npz", "profile", "--html", page, "--folder", folder)
    assert (code, err) == (0, "")
    html = page.read_text("utf-8")
    assert "Ada, lap" in html
    assert "speed profile" in html
    assert "Corner by corner" in html


def test_names_cannot_become_script(capsys, folder) -> None:
    driven(51.0, "<script>alert(1)</script>").save(folder / "odd")
    page = folder / "page.html"
    code, _out, _err = run(capsys, "compare", folder / "odd.npz", "last", "--html", page, "--folder", folder)
    assert code == 0
    assert "<script>alert" not in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("laps", "words"),
    [
        (["last:best"], "two to 4"),
        (["last:1", "last:2", "last:3", "last:1", "last:2"], "two to 4"),
        (["expert", "profile"], "at least one lap that was driven"),
        (["last:99", "last:1"], "Unknown lap '99'"),
        (["last:1", "nobody"], "Unknown session"),
        (["last:1", "{folder}/eve.npz"], "was driven on"),
        (["last:1", "{folder}/none.ai"], "cannot be read"),
        (["last:1", "profil"], "Did you mean profile"),
        (["last:1", "last:-1:"], "last:-1:: names no lap"),
        (["last:1", "last:2", "--track", "spa"], "Give the track it was driven on"),
        (["last:1", "last:2", "--html", "{folder}"], "cannot be written"),
    ],
)
def test_what_cannot_be_compared_is_one_line(capsys, folder, laps, words) -> None:
    named = [lap.format(folder=folder.as_posix()) for lap in laps]
    code, _out, err = run(capsys, "compare", *named, "--folder", folder)
    assert code == 1
    assert len(err.strip().splitlines()) == 1
    assert words in err


def test_a_lap_beside_the_line_of_the_games_drivers(capsys, folder) -> None:
    """The line tells the lap's speeds in the middle of the road, along which they were driven: they must agree."""
    lap = open_session(folder / "ben.npz").laps.valid().fastest()
    own = lap.trace()
    count = len(own.distance) - 1
    points, details = np.zeros(count, POINT), np.zeros(count, DETAIL)
    x, y, z = load_track("oval").to_world(own.distance[:-1], 0.0)
    points["position"] = np.column_stack([y, z, x])
    details["speed"], details["gas"] = own["speed"][:-1], own["throttle"][:-1]
    parts = (np.array([7, count, 0, 0], "<i4"), points, np.array([count], "<i4"), details)
    line = folder / "fast_lane.ai"
    line.write_bytes(b"".join(part.tobytes() for part in parts))
    code, out, err = run(capsys, "compare", folder / "ben.npz", line, "--json", "--folder", folder)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [each["lap"] for each in told["laps"]] == [lap.label, "game's AI line"]
    assert told["laps"][1]["time"] == pytest.approx(lap.time, abs=0.02)
    for part in ("sectors", "corners"):
        assert all(abs(each["delta"][0]) < 0.02 for each in told[part])
        assert all(each["slowest"][1] == pytest.approx(each["slowest"][0], abs=0.2) for each in told[part])

    details["speed"] = 0.0
    line.write_bytes(b"".join(part.tobytes() for part in parts))
    code, _out, err = run(capsys, "compare", folder / "ben.npz", line, "--folder", folder)
    assert code == 1
    assert "speeds" in err
