"""Sessions, rollouts and imports opened in the sport's words."""

from __future__ import annotations

import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from known_drives import LENGTH, Law, Recording, as_the_game_shows, drive, in_single_precision

from actwin.analysis import find_lap, open_session
from actwin.analysis.rollout import Rollout
from actwin.content.library import load_track
from actwin.errors import MissingExtraError, SessionError, UnknownNameError
from actwin.telemetry.channels import FRAME, GAME
from actwin.telemetry.store.imports import import_file
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.schema import absent
from actwin.telemetry.store.session import Session, write_session

LAW = Law()
REAL = Path(__file__).parents[3] / "shared" / "data" / "telemetry"


def stored(root: Path, recording: Recording, **meta: object) -> Session:
    """The recording as a session on disk; what it does not tell is missing there."""
    count = len(recording.time)
    frames, game = absent("frame", count), absent("game", count)
    for name, values in recording.channels.items():
        (frames if name in FRAME.names else game)[name] = values
    missing = tuple(name for name in (*FRAME.names, *GAME.names) if name not in recording.channels)
    made = SessionMeta(started=datetime(2026, 5, 4, tzinfo=UTC), missing=missing, **meta)
    return write_session(root, made, recording.time, frames, game)


@pytest.fixture
def session(tmp_path):
    recording = as_the_game_shows(LAW, 100)
    return stored(tmp_path, recording, track="nowhere", car="kart", driver="Ada", facts={"track_length": LENGTH})


def test_a_recorded_session(session) -> None:
    opened = open_session(session.folder)
    assert opened.track is None
    assert opened.length == LENGTH
    assert [lap.number for lap in opened.laps.valid()] == [1, 2, 3]
    assert opened.laps.fastest() is opened.laps.number(2)
    assert opened.laps.fastest().time == pytest.approx(LAW.lap_time(1), abs=1e-3)
    assert opened.laps.driver("Ada").flying().stint(1)[0].number == 1
    assert opened.laps.drivers == ("Ada",)


def test_telemetry_of_a_lap(session) -> None:
    lap = open_session(session.name, root=session.folder.parent).laps.fastest()
    table = lap.telemetry
    assert list(table.columns[:2]) == ["time", "distance"]
    assert {"speed", "throttle", "gear", "x", "y"} < set(table.columns)
    assert "brake" not in table, "it was not recorded"
    assert 0.0 <= table.time.iloc[0] < 0.03
    assert table.time.iloc[-1] == pytest.approx(lap.time, abs=0.03)
    assert 0.0 <= table.distance.iloc[0] < 2.0
    assert table.distance.iloc[-1] == pytest.approx(LENGTH, abs=2.0)
    assert (np.diff(table.time) >= 0.0).all()
    moving = np.interp(table.distance, *_of_lap(1))
    assert np.abs(table.speed - moving).max() < 0.5


def _of_lap(line: int) -> tuple[np.ndarray, np.ndarray]:
    axis = np.linspace(0.0, LENGTH, 3001)
    return axis, 1.0 / LAW.pace(line * LENGTH + axis)


def test_mini_sectors_sum_to_the_lap(session) -> None:
    for lap in open_session(session).laps.valid():
        parts = lap.mini_sectors(25)
        assert parts.shape == (25,)
        assert parts.sum() == pytest.approx(lap.time, abs=1e-9)
        known = np.diff(LAW.time((lap.number - 1 + np.linspace(0.0, 1.0, 26)) * LENGTH))
        assert np.abs(parts - known).max() < 3e-3


def test_bests_of_a_session(session) -> None:
    laps = open_session(session).laps
    sectors = np.array([LAW.sector_times(line) for line in range(3)])
    assert laps.theoretical_best() == pytest.approx(sectors.min(axis=0).sum(), abs=2e-3)
    lines = np.array([number * LENGTH + place for number in range(3) for place in (0.0, 900.0, 2100.0)] + [3 * LENGTH])
    round_ = LAW.time(lines[3:]) - LAW.time(lines[:-3])
    assert laps.rolling_best() == pytest.approx(round_.min(), abs=2e-3)
    assert laps.rolling_best() <= laps.fastest().time
    none = laps.where(lambda lap: not lap.valid)
    assert none.fastest() is None
    assert math.isnan(none.theoretical_best())
    assert math.isnan(none.rolling_best())


def test_the_lap_table(session) -> None:
    table = open_session(session).laps.table()
    assert table.number.tolist() == [0, 1, 2, 3, 4]
    assert table.mark.tolist() == ["grey", "yellow", "purple", "yellow", "grey"]
    assert table.time.isna().tolist() == [True, False, False, False, True]
    assert table.gap.min() == 0.0
    assert table.reason.tolist() == ["incomplete", "", "", "", "incomplete"]


def test_positions_on_a_known_track_give_the_distance(tmp_path) -> None:
    track = load_track("oval")
    seconds = np.arange(0.0, 120.0, 0.04)
    way = 45.0 * seconds - 300.0 + 40.0 * np.sin(seconds / 5.0)
    x, y, _z = track.to_world(np.mod(way, track.length), 1.5 * np.sin(way / 90.0))
    pose = {"x": x, "y": y, "yaw": track.heading(np.mod(way, track.length)), "speed": np.gradient(way, seconds)}
    recording = in_single_precision(Recording(seconds, pose))
    opened = open_session(stored(tmp_path, recording, track="oval"))
    assert opened.track is track
    assert opened.on_track
    assert opened.ways[0].source == "position"
    assert np.abs(np.mod(opened.ways[0].distance - way + 500.0, track.length) - 500.0).max() < 2e-3
    lap = opened.laps.whole()[0]
    moments = np.interp([0.0, track.length], way, seconds)
    assert lap.time == pytest.approx(np.diff(moments)[0], abs=1e-3)
    assert lap.telemetry.lateral_offset.abs().max() == pytest.approx(1.5, abs=0.01)
    assert np.abs(lap.trace(channels=("lateral_offset",))["lateral_offset"]).max() == pytest.approx(1.5, abs=0.01)


def test_positions_of_another_place_do_not(tmp_path) -> None:
    """A recording that bears the name of a library track and was made in other coordinates keeps its own place."""
    recording = in_single_precision(drive(LAW, 25)).without("lap_distance", "lap_progress")
    away = recording.changed(x=recording.channels["x"] + 9000.0)
    opened = open_session(stored(tmp_path, away, track="oval"))
    assert not opened.on_track
    assert opened.ways[0].source == "spline_position"
    assert "lateral_offset" not in opened.laps[1].telemetry


def test_a_lap_distance_along_another_line_gives_way_to_the_projection(tmp_path) -> None:
    track = load_track("oval")
    seconds = np.arange(0.0, 100.0, 0.04)
    place = np.mod(50.0 * seconds, track.length)
    x, y, _z = track.to_world(place, 0.0)
    told = {"x": x, "y": y, "speed": np.full(len(x), 50.0), "lap_distance": 0.99 * place}
    opened = open_session(stored(tmp_path, Recording(seconds, told), track="oval"))
    assert opened.ways[0].source == "position"
    assert opened.length == track.length


def test_rollouts_of_a_folder_are_one_session(known_run, tmp_path) -> None:
    for driver, speed in (("Ada", 60.0), ("Ben", 61.0)):
        known_run(driver, speed, laps=2, clock=True).save(tmp_path / "laps" / driver)
    opened = open_session(tmp_path)
    assert opened.laps.drivers == ("Ada", "Ben")
    assert [lap.number for lap in opened.laps.driver("Ben").whole()] == [1, 2]
    assert opened.laps.fastest().driver == "Ben"
    assert open_session(tmp_path / "laps" / "Ada.npz").laps.drivers == ("Ada",)


def test_rollouts_of_two_tracks_are_not(known_run, tmp_path) -> None:
    run = known_run("Ada")
    run.save(tmp_path / "a")
    Rollout(run.frames, run.period, "elsewhere", run.car, "Ben").save(tmp_path / "b")
    with pytest.raises(SessionError, match="one by one"):
        open_session(tmp_path)


def test_sessions_of_a_folder_are_one_table(tmp_path) -> None:
    for driver in ("Ada", "Ben", "Ben"):
        stored(tmp_path, in_single_precision(drive(LAW, 25)), track="nowhere", driver=driver)
    opened = open_session(tmp_path)
    assert opened.laps.drivers == ("Ada", "Ben")
    assert len(opened.laps.valid()) == 9
    assert len({record["drive"] for record in opened.laps.records()}) == 3
    stored(tmp_path, in_single_precision(drive(LAW, 25)), driver="Eve")
    with pytest.raises(SessionError, match="a track without a name"):
        open_session(tmp_path)


def test_a_track_on_which_it_was_not_driven_is_refused(tmp_path) -> None:
    recording = in_single_precision(drive(LAW, 25))
    stored(tmp_path / "told", recording)
    shown = as_the_game_shows(LAW, 25, end=2500.0).keep("spline_position", "speed")  # no lap that tells a length
    stored(tmp_path / "shown", shown)
    for name in ("told", "shown"):
        with pytest.raises(SessionError, match="Give the track it was driven on"):
            open_session("last", "spa", tmp_path / name)


def test_what_is_no_session_says_what_to_do(session) -> None:
    root = session.folder.parent
    (root / "laps.csv").write_text("time", "utf-8")
    for name, words in (
        (root / "laps.csv", "actwin import"),
        (session.folder / "session.json", "Give its folder"),
        ("a" * 5000, "Unknown session"),
        ("b/" * 5000, "Unknown session"),
    ):
        with pytest.raises((SessionError, UnknownNameError), match=words):
            open_session(name, root=root)
    for name in ("last:", "last:-1", "last:fast", ":2", "last:" + "9" * 5000):
        with pytest.raises(SessionError, match="names no lap"):
            find_lap(name, root=root)


def test_what_was_not_driven_is_blank(tmp_path) -> None:
    half = in_single_precision(drive(LAW, 25, end=0.5 * LENGTH))
    lap = open_session(stored(tmp_path, half, facts={"track_length": LENGTH})).laps.number(1)
    marks = lap.trace(channels=("speed", "gear"))
    driven = marks.distance < 0.5 * LENGTH - 10.0
    for values in (marks.time, marks["speed"], marks["gear"]):
        assert np.isfinite(values[driven]).all()
        assert np.isnan(values[marks.distance > 0.5 * LENGTH]).all()
    assert math.isnan(marks.lap_time)


def test_laps_by_name(session) -> None:
    root = session.folder.parent
    assert find_lap(f"{session.name}:3", root=root).number == 3
    assert find_lap("last:best", root=root).number == find_lap("last", root=root).number == 2
    with pytest.raises(UnknownNameError, match="lap '9'"):
        find_lap("last:9", root=root)
    with pytest.raises(UnknownNameError):
        find_lap("no_such_session:best", root=root)


def test_no_lap_that_counts_is_told_with_the_reasons(tmp_path) -> None:
    recording = in_single_precision(drive(LAW, 25, end=2000.0))
    stored(tmp_path, recording, driver="Ada")
    with pytest.raises(SessionError, match=r"no lap that counts.*1 \(incomplete\)"):
        find_lap("last:best", root=tmp_path)


def test_names_in_a_recording_are_never_paths(tmp_path) -> None:
    trap = tmp_path / "trap.toml"
    trap.write_text("not a track", "utf-8")
    for name in (str(trap), "../monza", "trap.toml", "", "a" * 5000):
        recording = in_single_precision(drive(LAW, 25))
        assert open_session(stored(tmp_path / "s", recording, track=name)).track is None


def test_without_pandas_the_error_says_what_to_install(session, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    lap = open_session(session).laps.fastest()
    with pytest.raises(MissingExtraError, match=r"actwin\[dashboard\]"):
        _ = lap.telemetry
    assert lap.trace().time[-1] == lap.time, "arrays need no pandas"


def test_the_library_is_light_until_it_is_used() -> None:
    import subprocess

    code = "import sys, actwin.analysis; print(sorted({'pandas', 'plotly', 'pyarrow', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout.replace("'", '"')) == []


@pytest.mark.skipif(not REAL.is_dir(), reason="shared data are absent")
class TestRealRecordings:
    """Recordings of Assetto Corsa agree with the game's own counters in them."""

    def test_monza_over_the_line(self, tmp_path) -> None:
        session = import_file(REAL / "ac_monza_bmw_z4_gt3_a.csv", tmp_path)
        opened = open_session(session)
        before, after = opened.laps
        clock = session.frames["lap_time"].astype(float)
        place = session.frames["lap_distance"].astype(float)
        reset = int(np.flatnonzero(np.diff(clock) < 0.0)[0]) + 1
        assert before.last == after.first
        assert 0 <= reset - after.first <= 1, "the game's clock begins anew with the next row after its line"
        assert before.reason == after.reason == "incomplete"
        assert after.begin == pytest.approx(session.time[reset] - clock[reset], abs=1e-6)
        assert opened.length == pytest.approx(place.max(), abs=float(session.frames["speed"][reset]) * 0.045)
        lap = after.telemetry
        fresh = after.rows >= reset
        assert np.abs(lap.time - clock[after.rows])[fresh].max() < 1e-5
        assert np.abs(lap.distance - place[after.rows]).max() < 1e-2
        marks = after.trace(channels=("speed",))
        known = np.isfinite(marks.time) & (marks.distance > place[reset])
        seen = np.interp(marks.distance[known], place[reset:], clock[reset:])
        assert np.abs(marks.time[known] - seen).max() < 2e-3

    def test_monza_within_a_lap(self, tmp_path) -> None:
        session = import_file(REAL / "ac_monza_bmw_z4_gt3_b.csv", tmp_path)
        [lap] = open_session(session).laps
        assert (lap.kind, lap.reason, lap.number) == ("partial", "incomplete", 0)
        told = session.frames["lap_time"].astype(float)
        assert lap.time == pytest.approx(told[-1] - told[0], abs=0.05)

    def test_imola_by_its_lap_clock(self, tmp_path) -> None:
        session = import_file(REAL / "ac_imola_shared_memory_8hz.csv", tmp_path)
        laps = open_session(session).laps
        assert [lap.reason for lap in laps] == ["incomplete", "reset", "", "incomplete"]
        clock, count = session.frames["lap_time"].astype(float), session.frames["lap_count"]
        last = int(np.flatnonzero(np.diff(count) > 0)[-1])
        step = float(np.median(np.diff(session.time)))
        assert clock[last] <= laps[2].time <= clock[last] + 1.5 * step
        assert laps[2].clock == "clock"
