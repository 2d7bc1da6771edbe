"""Recordings of other programs: every row and column survives, units and signs become ours, nonsense is refused."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actwin.cli import main
from actwin.errors import SessionError
from actwin.telemetry.channels import AUTO_GEAR
from actwin.telemetry.store.csv_table import CsvFile
from actwin.telemetry.store.export import export
from actwin.telemetry.store.imports import import_file, read_recording
from actwin.telemetry.store.lap_clock import clock_seconds, laps_completed, session_time
from actwin.telemetry.store.motec import LdChannel, LdHead, read_ld
from actwin.telemetry.store.motec_laps import write_ldx
from actwin.telemetry.store.motec_writer import write_ld
from actwin.telemetry.store.session import Session
from actwin.units import GRAVITY, KMH_PER_MS, PASCAL_PER_PSI


def write_csv(path, columns: dict[str, list], delimiter: str = ","):
    rows = [delimiter.join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([delimiter.join(columns), *rows]) + "\n", encoding="utf-8")
    return path


def assert_kept(session: Session, path) -> None:
    """Every cell of a plain CSV file stands in the session."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(session) == len(rows) - 1
    for index, name in enumerate(rows[0]):
        cells = [row[index] for row in rows[1:]]
        kept = session.column(f"source_{name}")
        if kept.dtype == object:
            assert kept.tolist() == cells, name
        else:
            assert kept.tolist() == [float(cell) for cell in cells], name


# The real recordings


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_recording_of_assetto_corsa_gym_imports_without_loss(shared_data, tmp_path, name) -> None:
    path = shared_data / "telemetry" / f"ac_monza_bmw_z4_gt3_{name}.csv"
    session = import_file(path, tmp_path, track="monza", car="bmw_z4_gt3")
    assert_kept(session, path)
    assert (session.meta.track, session.meta.car, session.meta.source) == ("monza", "bmw_z4_gt3", "import")
    assert session.meta.period == 0.039
    assert "packet_id" in session.meta.missing
    frames, time = session.frames, session.time
    moving = frames["speed"] > 20.0
    course = np.arctan2(np.gradient(frames["y"], time), np.gradient(frames["x"], time))
    slip = np.arctan2(frames["vy"], frames["vx"])
    off = np.angle(np.exp(1j * (course - frames["yaw"] - slip)))
    assert np.abs(np.median(off[moving])) < 0.002
    np.testing.assert_allclose(np.hypot(frames["vx"], frames["vy"])[moving], frames["speed"][moving], rtol=2e-3)
    turning = np.gradient(np.unwrap(frames["yaw"]), time)
    assert np.corrcoef(turning[moving], frames["yaw_rate"][moving])[0, 1] > 0.99
    assert np.corrcoef(frames["steer_angle"][moving], frames["yaw_rate"][moving])[0, 1] > 0.3
    assert np.isnan(frames["vx"][:11]).all()
    assert np.isfinite(frames["vx"][13:]).all()


def test_what_was_sent_stands_at_the_row_it_answers(shared_data, tmp_path) -> None:
    session = import_file(shared_data / "telemetry" / "ac_monza_bmw_z4_gt3_b.csv", tmp_path)
    np.testing.assert_allclose(
        session.sent["steer"][:-1], -session.column("source_current_action_abs_0")[1:], rtol=1e-6
    )
    assert np.isnan(session.sent["steer"][-1])
    assert (session.sent["gear"][:-1] == AUTO_GEAR).all()


def test_a_log_of_the_shared_memory_imports_without_loss(shared_data, tmp_path) -> None:
    path = shared_data / "telemetry" / "ac_imola_shared_memory_8hz.csv"
    session = import_file(path, tmp_path, track="imola")
    assert_kept(session, path)
    frames, time = session.frames, session.time
    assert session.column("source_current_time_str")[0] == "0:02:523"
    assert frames["lap_time"][0] == pytest.approx(2.523)
    assert frames["lap_count"][-1] == 2
    assert (np.diff(time) > 0.0).all()
    fast = (frames["speed"] > 15.0) & (np.abs(np.gradient(frames["speed"], time)) < 40.0)
    assert np.corrcoef(np.gradient(frames["speed"], time)[fast], frames["ax"][fast])[0, 1] > 0.95
    across = (frames["yaw_rate"] * frames["speed"])[fast]
    assert np.polyfit(across, frames["ay"][fast], 1)[0] == pytest.approx(0.95, abs=0.05)
    assert np.corrcoef(frames["steer"][fast], frames["yaw_rate"][fast])[0, 1] > 0.8


def test_a_log_of_a_real_logger_imports_without_loss(shared_data, tmp_path) -> None:
    path = shared_data / "telemetry" / "motec_adl_sample.ld"
    session = import_file(path, tmp_path)
    log = read_ld(path)
    kept = {session.meta.settings.get("source_names", {}).get(name, name.removeprefix("source_")): name
            for name in session.columns if name.startswith("source_")}  # fmt: skip
    assert len(kept) == len(log.channels) == 78
    for channel in log.channels:
        column = session.column(kept[channel.name])
        own = np.isfinite(column)
        np.testing.assert_array_equal(column[own], channel.values)
        np.testing.assert_allclose(session.time[own], np.arange(len(channel.values)) / channel.rate, atol=1e-9)
        assert session.unit(kept[channel.name]) == channel.unit
    assert session.meta.duration == pytest.approx(453.99)
    assert [lap.number for lap in session.meta.laps] == [1, 2, 3, 4]
    assert session.frames["speed"].max() * KMH_PER_MS == pytest.approx(244.6, abs=0.01)


# assetto_corsa_gym


def gym_columns(count: int = 6) -> dict[str, list]:
    return {
        "steps": list(range(count)),
        "currentTime": [80.0, 80.04, 80.08, *(round(0.012 + 0.04 * i, 3) for i in range(count - 3))],
        "speed": [50.0] * count,
        "world_position_x": [1.5] * count,
        "world_position_y": [-2.5] * count,
        "world_position_z": [7.25] * count,
        "accelX": [0.5] * count,
        "accelY": [-1.0] * count,
        "steerAngle": [90.0] * count,
        "actualGear": [3] * count,
        "pitch": [0.125] * count,
        "LapInvalidated": [0, 0, 1, 1, 0, 0],
        "iLastTime": [0, 0, 0, 80120, 80120, 80120],
        "fl_tire_pressure": [26.0] * count,
        "SlipAngle_rr": [180.0] * count,
    }  # fmt: skip


def test_units_and_signs_of_assetto_corsa_gym(tmp_path) -> None:
    made = read_recording(write_csv(tmp_path / "lap.csv", gym_columns()))
    frame = made.frames[0]
    assert (frame["x"], frame["y"], frame["z"]) == (1.5, -2.5, 7.25)
    assert frame["ay"] == pytest.approx(0.5 * GRAVITY)
    assert frame["ax"] == pytest.approx(-GRAVITY)
    assert frame["steer_angle"] == pytest.approx(-math.pi / 2.0)
    assert frame["gear"] == 2
    assert frame["pitch"] == -0.125
    assert frame["slip_angle"][3] == pytest.approx(math.pi)
    assert np.isnan(frame["slip_angle"][0])
    assert made.game["tyre_pressure"][0, 0] == pytest.approx(26.0 * PASCAL_PER_PSI)
    assert made.frames["lap_valid"].tolist() == [1, 1, 0, 0, 1, 1]
    np.testing.assert_allclose(made.frames["last_lap_time"], [0, 0, 0, 80.12, 80.12, 80.12])
    np.testing.assert_allclose(made.time, [0.0, 0.04, 0.08, 0.12, 0.16, 0.20])
    assert made.sent is None


# The lap clock


def test_times_of_the_game_are_read() -> None:
    texts = np.array(["0:02:523", "12:34:567", "-:--:---", "", "1:2", "9:99:99x", " 1:05:007 "], object)
    np.testing.assert_allclose(clock_seconds(texts)[[0, 1, 6]], [2.523, 754.567, 65.007])
    assert np.isnan(clock_seconds(texts)[2:6]).all()


@given(st.lists(st.sampled_from([0.0, 0.039, 0.042, 0.12, -70.0, math.nan]), max_size=50))
def test_session_time_never_falls(steps) -> None:
    clock = 100.0 + np.concatenate([[0.0], np.cumsum(steps)]) if steps else np.array([1.0])
    time, restarts = session_time(np.abs(clock))
    assert np.isfinite(time).all()
    assert (np.diff(time) >= 0.0).all()
    assert time[0] == 0.0
    assert len(time) == len(clock)
    assert ((restarts > 0) & (restarts < len(time))).all()


def test_a_clock_that_never_falls_is_the_session_time() -> None:
    clock = np.array([5.0, 5.039, 5.081, 5.081, 9.0])
    time, restarts = session_time(clock)
    np.testing.assert_allclose(time, clock - 5.0)
    assert len(restarts) == 0


def test_a_restart_of_the_session_completes_no_lap() -> None:
    place = np.array([0.9, 0.99, 0.01, 0.02, 0.5, 0.98, 0.99, 0.999, 0.01])
    np.testing.assert_array_equal(laps_completed(np.array([3]), place), [0, 0, 0, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(laps_completed(np.array([4]), place)[:7], [0, 0, 0, 0, 1, 1, 1])
    assert laps_completed(np.array([5]), place)[-1] == 0


# MoTeC


def log(tmp_path, channels, beacons=()):
    path = write_ld(tmp_path / "log.ld", LdHead(None, "Ada", "car", "venue"), channels)
    if beacons:
        write_ldx(path.with_suffix(".ldx"), beacons)
    return path


def test_channels_of_many_rates_share_one_clock(tmp_path) -> None:
    fast = LdChannel("Ground Speed", "km/h", 50, np.arange(100.0))
    slow = LdChannel("Gear", "", 20, np.repeat([1.0, 2.0], 20))
    odd = LdChannel("Lambda 1", "LA", 333, np.arange(666.0))
    made = read_recording(log(tmp_path, [fast, slow, odd]))
    for channel, name in ((fast, "Ground_Speed"), (slow, "Gear"), (odd, "Lambda_1")):
        column = made.extra[f"source_{name}"].values
        np.testing.assert_array_equal(column[np.isfinite(column)], channel.values)
    assert (np.diff(made.time) > 0.0).all()
    np.testing.assert_allclose(made.frames["speed"] * KMH_PER_MS, np.minimum(made.time * 50.0, 99.0), atol=2e-5)
    np.testing.assert_array_equal(made.frames["gear"], np.where(made.time < 1.0, 1, 2))
    assert (made.driver, made.car, made.track) == ("Ada", "car", "venue")
    assert made.renamed["source_Lambda_1"] == "Lambda 1"


def test_laps_come_from_the_beacons_when_no_channel_has_them(tmp_path) -> None:
    made = read_recording(log(tmp_path, [LdChannel("Throttle Pos", "%", 10, np.full(1000, 50.0))], [20.05, 60.05]))
    assert made.frames["throttle"][0] == 0.5
    np.testing.assert_array_equal(np.flatnonzero(np.diff(made.frames["lap_count"])), [200, 600])
    assert np.isnan(made.frames["lap_time"][:201]).all()
    assert made.frames["lap_time"][300] == pytest.approx(9.95)
    assert made.frames["last_lap_time"][700] == pytest.approx(40.0)


def test_a_unit_that_measures_something_else_is_not_taken(tmp_path) -> None:
    told = [("Ground Speed", "mph", 100.0), ("Fuel Level", "V", 3.0), ("Air Temp", "F", 212.0)]
    channels = [LdChannel(name, unit, 10, np.full(5, value)) for name, unit, value in told]
    made = read_recording(log(tmp_path, channels))
    assert made.frames["speed"][0] == pytest.approx(44.704)
    assert made.game["air_temperature"][0] == pytest.approx(100.0)
    assert "fuel" in made.missing
    assert made.extra["source_Fuel_Level"].unit == "V"


def test_names_that_meet_stay_apart(tmp_path) -> None:
    channels = [
        LdChannel(name, "", 1, np.full(3, float(i))) for i, name in enumerate(["a b", "a-b", "A b", "a b", "%"])
    ]
    made = read_recording(log(tmp_path, channels))
    assert list(made.extra) == ["source_a_b", "source_a_b_2", "source_A_b_3", "source_a_b_4", "source_column"]
    session = import_file(tmp_path / "log.ld", tmp_path / "sessions")
    assert session.column("source_A_b_3").tolist() == [2.0] * 3


def test_a_small_log_may_not_unfold(tmp_path) -> None:
    channels = [LdChannel("long", "", 1000, np.zeros(200_000))] + [
        LdChannel(f"c{i}", "", 1, np.zeros(1)) for i in range(2000)
    ]
    with pytest.raises(SessionError, match="values"):
        read_recording(log(tmp_path, channels))


I2_EXPORT = """"Format","MoTeC CSV File",,,"Workbook",""
"Venue","ks_highlands",,,"Worksheet",""
"Vehicle","bmw_m3_gt2",,,"Vehicle Desc",""
"Driver","Ada",,,"Engine ID",""
"Device","ADL"
"Comment","Tires: ""Slick"", medium",,,"Session","PRACTICE"
"Log Date","2021-04-11",,,"Origin Time","175.000","s"
"Log Time","14:51:00",,,"Start Time","175.000","s"
"Sample Rate","20.000","Hz",,"End Time","223.350","s"
"Beacon Markers","175.125"


"Time","Ground Speed","CG Accel Lateral","Chassis Yaw Rate","Steering Angle","Tire Slip Angle FL","Car Coord X","Note"
"s","km/h","G","deg/s","deg","deg","m",""


"0.000","173.0","0.57","-8.08","-11.5","0.85","-740.31","start"
"0.050","173.6","0.44","-3.37","-10.4","0.74","-739.78",""
"0.100","174.1","0.33","-3.06","-8.4","0.75","-739.25","a, b"
"0.150","174.7","0.41","-4.00","-8.1","0.69","-738.67",""
"""


@pytest.mark.parametrize("comma", [False, True])
def test_an_export_of_i2(tmp_path, comma) -> None:
    path = tmp_path / "export.csv"
    text = I2_EXPORT
    if comma:  # as a German Windows writes the rows
        head, rows = text.split('"0.000"')
        text = head + '"0,000"' + rows.replace(".", ",")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    session = import_file(path, tmp_path / "sessions")
    meta, frames = session.meta, session.frames
    assert (meta.track, meta.car, meta.driver) == ("ks_highlands", "bmw_m3_gt2", "Ada")
    assert meta.started.replace(tzinfo=None).isoformat() == meta.started.astimezone().replace(tzinfo=None).isoformat()
    assert meta.facts["comment"] == 'Tires: "Slick", medium'
    assert session.column("source_Note").tolist() == ["start", "", "a, b", ""]
    assert session.unit("source_Chassis_Yaw_Rate") == "deg/s"
    # A left turn: everything of ours is positive to the left.
    assert frames["speed"][0] * KMH_PER_MS == pytest.approx(173.0)
    assert frames["ay"][0] > 0.0
    assert frames["yaw_rate"][0] == pytest.approx(math.radians(8.08))
    assert frames["steer_angle"][0] == pytest.approx(math.radians(11.5))
    assert frames["slip_angle"][0, 0] == pytest.approx(-math.radians(0.85))
    assert frames["y"][0] == pytest.approx(740.31)
    assert frames["lap_count"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda text: text.replace('"Time","Ground', '"Clock","Ground'), "no row of channel names"),
        (lambda text: text[: text.index('"0.000","173')], "no rows"),
        (lambda text: text.replace('"0.100"', '"noon"'), "something other than seconds"),
        (lambda text: text.replace('"0.100"', '"-5.0"'), "falls"),
        (lambda text: text.replace('"174.1"', '"174.1","1","2","3"'), "cells"),
    ],
)
def test_a_broken_export_of_i2_is_refused(tmp_path, change, hint) -> None:
    path = tmp_path / "export.csv"
    path.write_text(change(I2_EXPORT), encoding="utf-8")
    with pytest.raises(SessionError, match=hint):
        read_recording(path)


# Our own export


def test_our_own_export_comes_back_bit_by_bit(tmp_path) -> None:
    first = import_file(write_csv(tmp_path / "lap.csv", gym_columns()), tmp_path / "one", track="monza")
    again = import_file(export(first, "csv", tmp_path / "out.csv", "all"), tmp_path / "two", track="monza")
    assert again.columns == first.columns
    assert set(again.meta.missing) == set(first.meta.missing)
    for name in first.columns:
        np.testing.assert_array_equal(again.column(name), first.column(name), err_msg=name)


# CSV of any kind


def test_text_and_numbers_keep_what_they_are(tmp_path) -> None:
    columns = gym_columns() | {
        "word": ["a", "1", "", "x y", "é", "0"],
        "hole": ["", 1, "nan", "inf", "-2.5e-3", ""],
        "huge": [2**63 + 1] * 6,
        "under": ["1_0"] * 6,
        "empty": [""] * 6,
    }
    session = import_file(write_csv(tmp_path / "lap.csv", columns), tmp_path / "s")
    assert session.column("source_word").tolist() == columns["word"]
    assert session.column("source_huge").tolist() == [str(2**63 + 1)] * 6
    assert session.column("source_under").tolist() == ["1_0"] * 6
    np.testing.assert_array_equal(session.column("source_hole"), [np.nan, 1, np.nan, np.inf, -0.0025, np.nan])
    assert np.isnan(session.column("source_empty")).all()


def test_a_recording_that_was_cut_off_keeps_its_last_row(tmp_path) -> None:
    path = write_csv(tmp_path / "lap.csv", gym_columns())
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    made = read_recording(path)
    assert len(made) == 6
    assert "1 rows end early" in " ".join(made.notes)
    assert np.isnan(made.extra["source_SlipAngle_rr"].values[-1])


def test_semicolons_are_understood(tmp_path) -> None:
    made = read_recording(write_csv(tmp_path / "lap.csv", gym_columns(), ";"))
    assert made.frames["speed"][0] == 50.0


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "begins with nothing"),
        (b"a,b,c\n1,2,3\n", "begins with a, b, c"),
        (b"\x00\x01\x02\x03" * 100, "no recording that is known"),
        (b"currentTime,speed,world_position_x,world_position_y\n", "no rows"),
        (b"currentTime,speed,world_position_x,world_position_y\nx,1,2,3\n", "currentTime holds text"),
        (b"time,vel,rpm,gear\n1,1,1,1\n0,1,1,1\n", "do not fall"),
        (b'current_time_str,gas,brake,speed\n"' + b"x" * 200_000 + b'",1,1,1\n', "cannot be read as CSV"),
    ],
)
def test_files_that_are_no_recordings(tmp_path, content, hint) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=hint):
        read_recording(path)


def test_files_that_cannot_be_read(tmp_path) -> None:
    for name in ("absent.csv", "absent.ld"):
        with pytest.raises(SessionError, match="cannot be read"):
            import_file(tmp_path / name, tmp_path / "s")
    assert not (tmp_path / "s").exists()


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["gym", "log", "own", "i2"]))
def test_no_file_escapes_the_checks(tmp_path_factory, tail, kind) -> None:
    head = {
        "gym": b"currentTime,speed,world_position_x,world_position_y\n1,2,3,4\n",
        "log": b"current_time_str,gas,brake,speed\n0:01:000,1,0,5\n",
        "own": b"time,vel,rpm,gear\n0,1,2,3\n",
        "i2": I2_EXPORT.encode(),
    }[kind]
    path = tmp_path_factory.mktemp("fuzz") / "file.csv"
    path.write_bytes(head + tail)
    try:
        made = read_recording(path)
    except SessionError:
        return
    assert len(made.frames) == len(made.time)
    assert all(len(column.values) == len(made) for column in made.extra.values())


def test_rows_beyond_the_memory_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("actwin.telemetry.store.csv_table.ROW_LIMIT", 3)
    with pytest.raises(SessionError, match="more than 3 rows"):
        read_recording(write_csv(tmp_path / "lap.csv", gym_columns()))
    monkeypatch.setattr("actwin.telemetry.store.csv_table.FILE_LIMIT", 10)
    with pytest.raises(SessionError, match="bytes"):
        CsvFile(tmp_path / "lap.csv")


# The command


def test_the_command_says_what_it_made(tmp_path, capsys) -> None:
    file = write_csv(tmp_path / "lap.csv", gym_columns())
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "import",
                str(file),
                "--track",
                "monza",
                "--car",
                "z4",
                "--driver",
                "me",
                "--out",
                str(tmp_path / "s"),
                "--json",
            ]
        )
    assert not ended.value.code
    told = json.loads(capsys.readouterr().out)[0]
    session = Session.open(told["folder"])
    assert (session.meta.track, session.meta.car, session.meta.driver) == ("monza", "z4", "me")
    assert told["rows"] == len(session) == 6
    assert told["columns"] == len(gym_columns())


def test_one_bad_file_does_not_hide_the_good_ones(tmp_path, capsys) -> None:
    file = write_csv(tmp_path / "lap.csv", gym_columns())
    with pytest.raises(SystemExit) as ended:
        main(["import", str(file), str(tmp_path / "absent.csv"), "--out", str(tmp_path / "s")])
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    assert "lap.csv" in out
    assert err.startswith("Error: ")
    assert "absent.csv" in err
