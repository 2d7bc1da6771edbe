"""Sessions: written in one go, found by name, read in parts, marked, refused when damaged."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import INFO, drive

from actwin.errors import SessionError, UnknownNameError
from actwin.telemetry.channels import GAME_CHANNELS
from actwin.telemetry.store.folder import META, STREAM, TABLE
from actwin.telemetry.store.listing import find_session, scan, sessions
from actwin.telemetry.store.meta import JSON_LIMIT, LapMark, SessionMeta, parse
from actwin.telemetry.store.recorder import Recorder
from actwin.telemetry.store.session import Extra, Session, write_session

STARTED = datetime(2026, 7, 5, 14, 3, 9, tzinfo=UTC)


def meta(**fields: object) -> SessionMeta:
    return SessionMeta(source="import", car="car", track="track", started=STARTED).changed(**fields)


def written(root: Path, count: int = 100, **fields: object) -> Session:
    frames, game, controls = drive(count)
    return write_session(root, meta(**fields), np.arange(count) * 0.04, frames, game, controls)


def test_what_is_written_is_read(tmp_path) -> None:
    frames, game, controls = drive(33_000)
    time = np.arange(33_000) * 0.003
    marks = (np.arange(33_000) % 3).astype(np.uint32)
    session = write_session(tmp_path, meta(driver="me"), time, frames, game, controls, marks)
    for found in (session, Session.open(session.folder)):
        assert np.array_equal(found.time, time)
        assert np.array_equal(found.frames, frames)
        assert np.array_equal(found.game, game)
        assert np.array_equal(found.sent, controls)
        assert np.array_equal(found.quality, marks)
        assert np.array_equal(found.column("vel"), frames["speed"])
        assert found.meta.ended is not None
        assert (found.meta.ended - STARTED).total_seconds() == pytest.approx(time[-1])
        assert (found.meta.frames, found.meta.state) == (33_000, "complete")
        assert found.meta.duration == pytest.approx(time[-1])


def test_what_nobody_told_is_unknown(tmp_path) -> None:
    frames, _, _ = drive(10)
    frames["fuel"][3] = np.nan
    session = write_session(tmp_path, meta(missing=("drs",)), np.arange(10.0), frames)
    assert session.table(["fuel"]).column(0).null_count == 1
    assert session.table(["drs"]).column(0).null_count == 10
    assert all(session.table([name]).column(0).null_count == 10 for c in GAME_CHANNELS for name in c.columns)
    assert np.isnan(session.sent["throttle"]).all()
    assert set(session.meta.missing) == {"drs", *(channel.name for channel in GAME_CHANNELS)}


def test_source_columns_are_kept_with_their_units(tmp_path) -> None:
    frames, game, _ = drive(3)
    extra = {
        "source_speed": Extra(np.array([1.1, 2.2, np.nan]), "km/h"),
        "source_note": Extra(np.array(["a", "ü", ""])),
        "source_count": Extra(np.array([1, 2, 3], np.int32)),
    }
    session = Session.open(write_session(tmp_path, meta(), np.arange(3.0), frames, game, extra=extra).folder)
    assert session.columns[-3:] == tuple(extra)
    assert session.unit("source_speed") == "km/h"
    assert session.column("source_speed").tolist()[:2] == [1.1, 2.2]
    assert session.column("source_note").tolist() == ["a", "ü", ""]
    assert session.column("source_count").tolist() == [1, 2, 3]


def test_lengths_must_agree(tmp_path) -> None:
    frames, _, _ = drive(3)
    with pytest.raises(ValueError, match="frames has 3 rows, time has 4"):
        write_session(tmp_path, meta(), np.arange(4.0), frames)
    with pytest.raises(ValueError, match="source_x has 2 rows"):
        write_session(tmp_path, meta(), np.arange(3.0), frames, extra={"source_x": Extra(np.zeros(2))})
    assert not any(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing_and_is_told(tmp_path, monkeypatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    session = written(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("actwin.telemetry.store.table.os.fsync", refuse)
        with pytest.raises(SessionError, match="No space left"):
            session.with_quality(np.ones(100, np.uint32), {"gap": 100})
    assert not Session.open(session.folder).quality.any()
    monkeypatch.setattr("actwin.telemetry.store.session.save_table", refuse)
    with pytest.raises(SessionError, match="No space left"):
        written(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [session.name]
    assert sorted(path.name for path in session.folder.iterdir()) == [META, TABLE]


def test_an_empty_session_can_be_written(tmp_path) -> None:
    frames, game, _ = drive(0)
    assert len(Session.open(write_session(tmp_path, meta(), np.zeros(0), frames, game).folder)) == 0


def test_pieces_make_the_whole(tmp_path) -> None:
    session = written(tmp_path, 1000)
    batches = list(session.batches(["vel", "time"], rows=300))
    assert max(batch.num_rows for batch in batches) <= 300
    assert batches[0].schema.names == ["vel", "time"]
    assert pa.Table.from_batches(batches).equals(session.table(["vel", "time"]).replace_schema_metadata())


def test_unknown_columns_name_the_nearest(tmp_path) -> None:
    session = written(tmp_path)
    for ask in (session.column, session.unit, lambda name: list(session.batches([name]))):
        with pytest.raises(UnknownNameError, match="Did you mean vel"):
            ask("vell")


def test_marks_are_kept(tmp_path) -> None:
    session = written(tmp_path, 33_000)
    marks = np.zeros(33_000, np.uint32)
    marks[32_999] = 1 << 31
    marked = Session.open(session.with_quality(marks, {"gap": 1}).folder)
    assert np.array_equal(marked.quality, marks)
    assert marked.meta.findings == {"gap": 1}
    assert np.array_equal(marked.frames, session.frames)
    with pytest.raises(ValueError, match="do not fit"):
        session.with_quality(marks[:-1], {})


def test_a_session_that_is_recorded_cannot_be_marked(tmp_path) -> None:
    recorder = Recorder(tmp_path, INFO)
    with pytest.raises(SessionError, match="is being recorded"):
        Session.open(recorder.folder).with_quality(np.zeros(0, np.uint32), {})
    recorder.close()


def test_sessions_are_found_by_what_users_type(tmp_path) -> None:
    first = written(tmp_path)
    second = written(tmp_path, started=datetime(2026, 8, 1, tzinfo=UTC))
    assert [session.name for session in sessions(tmp_path)] == [first.name, second.name]
    for word in (first.folder, str(first.folder), first.name, "2026-07"):
        assert find_session(word, tmp_path).name == first.name
    assert find_session("last", tmp_path).name == second.name
    with pytest.raises(SessionError, match="2 sessions begin so"):
        find_session("2026", tmp_path)
    with pytest.raises(UnknownNameError, match="Unknown session 'monza'"):
        find_session("monza", tmp_path)
    with pytest.raises(SessionError, match="actwin record"):
        find_session("last", tmp_path / "nowhere")


def test_one_damaged_session_does_not_hide_the_others(tmp_path) -> None:
    good, bad = written(tmp_path), written(tmp_path)
    (bad.folder / META).unlink()
    (bad.folder / TABLE).write_bytes(b"PAR1 nonsense")
    (tmp_path / "notes.txt").write_text("", encoding="utf-8")
    (tmp_path / "other").mkdir()
    found = scan(tmp_path)
    assert [session.name for session in found.sessions] == [good.name]
    assert list(found.damaged) == [bad.folder]
    assert "cannot be read" in found.damaged[bad.folder]


def test_a_damaged_table_is_an_error_of_one_line(tmp_path) -> None:
    session = written(tmp_path)
    content = (session.folder / TABLE).read_bytes()
    (session.folder / TABLE).write_bytes(content[: len(content) // 2])
    with pytest.raises(SessionError, match="cannot be read") as told:
        _ = Session.open(session.folder).frames
    assert "\n" not in str(told.value)


def test_a_foreign_table_is_refused(tmp_path) -> None:
    session = written(tmp_path)
    pq.write_table(pa.table({"speed": [1.0]}), session.folder / TABLE)
    with pytest.raises(SessionError, match="no column 'time'"):
        _ = Session.open(session.folder).columns


def test_a_folder_without_a_session(tmp_path) -> None:
    with pytest.raises(SessionError, match="actwin sessions"):
        Session.open(tmp_path)


def test_a_session_without_rows_yet(tmp_path) -> None:
    """What a recorder leaves that is killed before it opened its stream."""
    (tmp_path / META).write_text(meta().dump(), encoding="utf-8")
    assert len(Session.open(tmp_path)) == 0
    (tmp_path / STREAM).write_bytes(b"")
    assert len(Session.open(tmp_path)) == 0


def test_meta_is_json_and_back() -> None:
    whole = meta(driver="Ä", settings={"a": [1, None, {"b": True}]}, laps=(LapMark(number=1, time=2.0),), period=0.04)
    assert parse(whole.dump(), "file") == whole


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"frames": -1}', '{"started": "soon"}', '{"laps": [1]}', '{"period": 0}', "x" * (JSON_LIMIT + 1)],
)
def test_what_is_no_meta_is_refused(text) -> None:
    with pytest.raises(SessionError, match="file"):
        parse(text, "file")


def test_a_moment_without_a_zone_is_of_this_computer(tmp_path) -> None:
    session = written(tmp_path, started=datetime(2026, 7, 5, 9))
    assert session.meta.started == datetime(2026, 7, 5, 9).astimezone()
    written(tmp_path)
    assert len(sessions(tmp_path)) == 2


def test_a_foreign_stream_is_refused(tmp_path) -> None:
    good = written(tmp_path)
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / META).write_text(meta().dump(), encoding="utf-8")
    table = pa.table({"speed": [1.0]})
    with pa.OSFile(str(bad / STREAM), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    found = scan(tmp_path)
    assert [session.name for session in found.sessions] == [good.name]
    assert "no column 'time'" in found.damaged[bad]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(SessionMeta.model_fields)), JSON))
def test_whatever_a_meta_holds_it_is_usable_or_refused(fields) -> None:
    try:
        found = parse(json.dumps(fields), "file")
    except SessionError:
        return
    assert parse(found.dump(), "again") == found
    assert found.started.astimezone(UTC) > datetime(1970, 1, 1, tzinfo=UTC)
    assert found.best_lap is None or found.best_lap > 0.0


@given(st.binary() | st.text().map(str.encode) | st.just(b"[" * 100_000))
def test_no_bytes_break_the_reader_of_meta(content) -> None:
    with contextlib.suppress(SessionError):
        assert parse(content, "file").frames == 0


def test_best_lap_is_the_fastest_that_may_count() -> None:
    marks = (LapMark(number=i, time=i, lap_time=t, valid=v) for i, (t, v) in enumerate(
        [(90.0, False), (91.0, True), (90.5, None), (None, True)]))  # fmt: skip
    assert meta(laps=tuple(marks)).best_lap == 90.5
    assert meta().best_lap is None
