"""Repair writes a new session in which what can be mended is close to the truth, and what cannot is left empty."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from driven import ROW_DEFECTS, drive, row_at, sampled

from actwin.cli import main
from actwin.telemetry.channels import CONTROLS, Frames
from actwin.telemetry.quality.checks import check, check_recording
from actwin.telemetry.quality.findings import REPAIRED, UNIT
from actwin.telemetry.quality.recording import Recording
from actwin.telemetry.quality.repair import Repair, mark, repair, repair_recording
from actwin.telemetry.store.listing import sessions
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import Extra, Session, write_session
from actwin.units import KMH_PER_MS

RATE, EXCERPT = 25.0, (35.0, 85.0)


@pytest.fixture(scope="module")
def driven() -> Frames:
    return drive()


@pytest.fixture
def clean(driven) -> Recording:
    return sampled(driven, RATE, *EXCERPT)


def mended(recording: Recording) -> Repair:
    before = recording.frames.tobytes()
    done = repair_recording(recording, check_recording(recording))
    assert recording.frames.tobytes() == before
    return done


def written(root: Path, recording: Recording) -> Session:
    meta = SessionMeta(source="twin", car="car", track="track", facts={"track_length": recording.track_length})
    count = len(recording)
    extra = {"source_row": Extra(np.arange(count, dtype=float), "1")}
    return write_session(root, meta, recording.time, recording.frames, sent=np.ones(count, CONTROLS), extra=extra)


def test_a_clean_recording_stays_as_it_is(clean) -> None:
    done = mended(clean)
    assert not done.changed
    assert done.words() == "nothing to repair"
    assert done.recording.frames.tobytes() == clean.frames.tobytes()
    assert not done.bits.any()


@pytest.mark.parametrize("defect", ["duplicate", "late row", "wrong time"])
def test_repeated_and_stray_rows_are_dropped(clean, defect) -> None:
    spoilt, expected = ROW_DEFECTS[defect](clean.copy(), RATE)
    done = mended(spoilt)
    assert done.dropped == sum(each.last - each.first + 1 for each in expected)
    assert check_recording(done.recording).findings_of.keys() <= {"gap"}
    kept = np.isin(clean.frames["packet_id"], done.recording.frames["packet_id"])
    assert done.recording.frames.tobytes() == clean.frames[kept].tobytes()


@pytest.mark.parametrize(
    ("defect", "columns"),
    [
        ("no number", {"vel": 0.1, "x": 0.1}),
        ("out of range", {"y": 0.1}),
        ("there and back", {"x": 0.1, "y": 0.1}),
        ("velocity spike", {"vx": 0.1}),
        ("hit", {"vel": 0.1, "vx": 0.1, "vy": 0.1}),
    ],
)
def test_short_holes_are_bridged(clean, defect, columns) -> None:
    spoilt, _ = ROW_DEFECTS[defect](clean.copy(), RATE)
    done = mended(spoilt)
    assert set(columns) <= set(done.replaced)
    assert done.emptied == {}
    for name, near in columns.items():
        assert np.abs(done.recording.column(name) - clean.column(name)).max() < near
    assert check_recording(done.recording).findings == ()
    assert np.count_nonzero(done.bits) == max(done.replaced.values())


def test_long_holes_are_emptied(clean) -> None:
    spoilt, (expected,) = ROW_DEFECTS["speed of other scale"](clean.copy(), RATE)
    done = mended(spoilt)
    assert done.emptied == {"vel": expected.last - expected.first + 1}
    assert np.isnan(done.recording.frames["speed"][expected.first : expected.last + 1]).all()
    assert check_recording(done.recording).findings_of == {"not_finite": 1}


def test_angles_are_bridged_the_short_way(clean) -> None:
    """In a world turned so that the car points along -x, where yaw jumps from one half turn to the other."""
    turn = np.pi - float(clean.frames["yaw"][100])
    x, y = clean.frames["x"].astype(float), clean.frames["y"].astype(float)
    clean.frames["x"], clean.frames["y"] = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
    clean.frames["yaw"] = (clean.frames["yaw"].astype(float) + turn + np.pi) % (2.0 * np.pi) - np.pi
    spoilt = clean.copy()
    spoilt.frames["yaw"][98:103] = np.nan
    away = mended(spoilt).recording.frames["yaw"].astype(float) - clean.frames["yaw"]
    assert np.abs((away + np.pi) % (2.0 * np.pi) - np.pi).max() < 0.01


def test_nothing_is_bridged_over_the_line(driven) -> None:
    recording = sampled(driven, RATE)
    line = int(np.argmin(np.diff(recording.frames["lap_distance"]))) + 1
    for name in ("lap_distance", "lap_progress", "lap_time"):
        recording.frames[name][line - 2 : line + 1] = np.nan
    done = mended(recording)
    assert done.emptied == {}  # they hold nothing to take away
    assert np.isnan(done.recording.frames["lap_distance"][line - 2 : line + 1]).all()


@pytest.mark.parametrize("defect", ["gap", "pause", "restart", "teleport"])
def test_what_happened_is_kept(clean, defect) -> None:
    spoilt, _ = ROW_DEFECTS[defect](clean.copy(), RATE)
    assert not mended(spoilt).changed


def test_slip_beyond_its_range_is_kept(clean) -> None:
    clean.frames["grip_use"][row_at(clean)] = 99.0
    assert check_recording(clean).findings_of == {"range": 4}
    assert not mended(clean).changed


def test_known_units_are_scaled(clean) -> None:
    spoilt = clean.copy()
    spoilt.frames["speed"] *= np.float32(KMH_PER_MS)
    done = mended(spoilt)
    assert done.scaled == ("vel",)
    assert done.recording.frames["speed"] == pytest.approx(clean.frames["speed"], rel=1e-6)


def test_a_session_is_marked_and_its_repaired_copy_is_another_one(clean, tmp_path) -> None:
    spoilt, _ = ROW_DEFECTS["velocity spike"](clean.copy(), RATE)
    spoilt = ROW_DEFECTS["duplicate"](spoilt, RATE)[0]
    session = written(tmp_path, spoilt)
    report = check(session)
    marked = mark(session, report)
    assert np.array_equal(Session.open(session.folder).quality, report.bits)
    assert marked.meta.findings == {"duplicate": 2, "motion": 2}
    made, done = repair(marked, tmp_path, report)
    assert len(sessions(tmp_path)) == 2
    assert made.folder != session.folder
    assert np.array_equal(session.frames, spoilt.frames)
    assert np.array_equal(made.column("source_row"), done.kept)
    assert len(made.sent) == len(made) == len(spoilt) - 2
    assert made.meta.origin == session.name
    assert made.meta.findings == {"repaired": 2}
    again = mark(made, check(made))
    assert np.count_nonzero(again.quality & np.uint32(REPAIRED.mask)) == 2
    assert np.array_equal(np.flatnonzero(again.quality), np.flatnonzero(done.bits))


def command(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(("check", *words))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command_lists_marks_and_repairs(clean, tmp_path, capsys) -> None:
    spoilt = clean.copy()
    spoilt.frames["speed"] *= np.float32(KMH_PER_MS)
    session = written(tmp_path, ROW_DEFECTS["teleport"](spoilt, RATE)[0])
    folder = ("--folder", str(tmp_path))
    code, out, _ = command(capsys, "last", *folder, "--no-mark")
    assert code == 0
    assert "probably km/h" in out
    assert "jumps by 50." in out or "jumps by 49." in out
    assert Session.open(session.folder).meta.findings is None
    code, out, _ = command(capsys, session.name, *folder, "--json", "--repair")
    told = json.loads(out)
    assert code == 0
    assert told["findings"] == {"teleport": 1, "unit": 1}
    assert told["rows_marked"] == {"teleport": 1, "unit": len(clean)}
    assert {each["kind"] for each in told["list"]} == {"teleport", "unit"}
    assert Session.open(session.folder).quality.min() == UNIT.mask
    assert Session.open(tmp_path / told["repaired"]).frames["speed"].max() < 90.0


def test_the_command_explains_itself(capsys) -> None:
    code, out, err = command(capsys, "--help")
    assert (code, err) == (0, "")
    assert "Example" in out


def test_a_session_that_is_not_there(tmp_path, capsys) -> None:
    code, out, err = command(capsys, "nothing", "--folder", str(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
