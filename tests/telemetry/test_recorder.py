"""The recorder keeps every sample, whatever happens to its process or its disk."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from recorded import INFO, drive, samples

from actwin.errors import SessionError
from actwin.telemetry.channels import CONTROLS, FRAME
from actwin.telemetry.store import recorder as module
from actwin.telemetry.store.folder import LOCK, META, STREAM, TABLE, WriterLock
from actwin.telemetry.store.listing import scan
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.recorder import BLOCK_ROWS, FLUSH, Recorder
from actwin.telemetry.store.session import Session
from actwin.telemetry.store.table import stream_batches


def wait_for_rows(session_folder: Path, rows: int) -> int:
    """Rows of the stream once there are so many, or after ten seconds."""
    end = time.monotonic() + 10.0
    while time.monotonic() < end:
        found = sum(batch.num_rows for batch in stream_batches(session_folder / STREAM))
        if found >= rows:
            break
        time.sleep(0.01)
    return found


def test_a_session_gives_back_what_was_recorded(tmp_path) -> None:
    frames, game, controls = drive(3000)
    with Recorder(tmp_path, INFO, "me", {"rain": False}, period=0.003, patient=True) as recorder:
        for i, sample in enumerate(samples(frames, game)):
            recorder.add(sample, controls[i : i + 1] if i % 2 else None)
    session = recorder.close()
    assert np.array_equal(session.frames, frames)
    assert np.array_equal(session.game, game)
    assert np.array_equal(session.sent[1::2], controls[1::2])
    assert np.isnan(session.sent["steer"][::2]).all()
    assert np.allclose(session.time, np.arange(3000) * 0.003, rtol=0.0, atol=1e-9)
    assert (session.meta.frames, session.meta.lost, recorder.lost, recorder.problem) == (3000, 0, 0, "")
    assert sorted(path.name for path in session.folder.iterdir()) == [META, TABLE]


def test_meta_says_what_is_known(tmp_path) -> None:
    recorder = Recorder(tmp_path, INFO, "me", {"rain": False}, period=0.003, notes="dry")
    session = recorder.close()
    meta = Session.open(session.folder).meta
    assert (meta.car, meta.track, meta.driver, meta.source) == ("bmw_z4_gt3", "Monza", "me", "memory")
    assert (meta.state, meta.period, meta.notes, meta.settings) == ("complete", 0.003, "dry", {"rain": False})
    assert meta.facts == {"ac_version": "1.16", "max_rpm": 9000.0, "sector_count": 0}
    assert meta.ended is not None
    assert meta.versions["actwin"]
    assert session.name.endswith("_monza_bmw_z4_gt3")


def test_the_driver_is_by_default_whom_the_game_names(tmp_path) -> None:
    assert Recorder(tmp_path, INFO).close().meta.driver == "Ada"


def test_samples_are_copied(tmp_path) -> None:
    """A source may fill the same record again."""
    frames, game, _ = drive(1)
    recorder = Recorder(tmp_path, INFO, patient=True)
    for i in range(10):
        frames["packet_id"] = i
        recorder.add(samples(frames, game)[0]._replace(time=float(i)))
    assert recorder.close().frames["packet_id"].tolist() == list(range(10))


def test_records_of_another_size_are_refused(tmp_path) -> None:
    frames, game, _ = drive(2)
    with Recorder(tmp_path, INFO) as recorder, pytest.raises(ValueError, match=r"structure|size|assign"):
        recorder.add(samples(frames, game)[0]._replace(frame=frames))
    assert len(recorder.close()) == 0


def test_rows_are_on_disk_while_recording(tmp_path) -> None:
    frames, game, _ = drive(400)
    recorder = Recorder(tmp_path, INFO, patient=True)
    for sample in samples(frames, game):
        recorder.add(sample)
    flushed = int(FLUSH / 0.003)
    assert wait_for_rows(recorder.folder, 2 * flushed) >= 2 * flushed
    live = Session.open(recorder.folder)
    assert live.meta.state == "recording"
    assert len(live) >= 2 * flushed
    assert np.array_equal(live.frames["speed"], frames["speed"][: len(live)])
    recorder.close()
    assert len(Session.open(recorder.folder)) == 400


def test_slow_sources_reach_the_disk_too(tmp_path) -> None:
    frames, game, _ = drive(8)
    recorder = Recorder(tmp_path, INFO)
    for sample in samples(frames, game, period=1.0):
        recorder.add(sample)
    assert wait_for_rows(recorder.folder, 6) >= 6
    recorder.close()


def test_a_clock_that_jumps_back_loses_nothing(tmp_path) -> None:
    frames, game, _ = drive(30)
    recorder = Recorder(tmp_path, INFO)
    taken = samples(frames, game, period=0.1)
    for sample in (*taken[10:], *taken[:10]):
        recorder.add(sample)
    session = recorder.close()
    assert len(session) == 30
    assert session.time.min() == pytest.approx(-1.0)


def test_laps_are_listed_as_the_car_counts_them(tmp_path) -> None:
    frames, game, _ = drive(1000)
    frames["lap_count"] = np.repeat([0, 1, 2, 0, 1], 200)
    frames["lap_time"][0] = 12.0
    frames["last_lap_time"], frames["last_lap_valid"] = 101.25, np.repeat([0, 1, 0, 0, 1], 200)
    with Recorder(tmp_path, INFO, patient=True) as recorder:
        for sample in samples(frames, game, period=0.01):
            recorder.add(sample)
    laps = recorder.close().meta.laps
    assert [(lap.number, lap.whole, lap.valid) for lap in laps] == [(1, False, True), (2, True, False), (1, True, True)]
    assert [lap.time for lap in laps] == pytest.approx([2.0, 4.0, 8.0])
    assert {lap.lap_time for lap in laps} == {101.25}
    assert recorder.close().meta.best_lap == 101.25


def test_channels_the_source_cannot_give_are_unknown(tmp_path) -> None:
    frames, game, _ = drive(5)
    recorder = Recorder(tmp_path, INFO, missing=("lap_valid", "boost"))
    for sample in samples(frames, game):
        recorder.add(sample)
    table = recorder.close().table(["lap_valid", "boost", "vel"])
    assert [table.column(i).null_count for i in range(3)] == [5, 5, 0]


def test_two_sessions_of_one_second_do_not_meet(tmp_path) -> None:
    meta = SessionMeta(car="a b/c:*?", track="ÄÖ..")
    folders = [Recorder(tmp_path, meta).close().folder for _ in range(3)]
    assert len(set(folders)) == 3
    assert all(folder.name.isascii() for folder in folders)
    assert [session.folder for session in scan(tmp_path).sessions] == folders


def test_an_orphan_is_recovered_and_a_live_recorder_left_alone(tmp_path) -> None:
    frames, game, _ = drive(1200)
    recorder = Recorder(tmp_path, INFO, "me", patient=True)
    for sample in samples(frames, game):
        recorder.add(sample)
    rows = wait_for_rows(recorder.folder, 1000)
    content = (recorder.folder / STREAM).read_bytes()
    assert not Session.open(recorder.folder).has_table
    recorder.close()
    (recorder.folder / TABLE).unlink()
    for cut in (len(content), len(content) - 1, len(content) // 2, 20_000, 3000, 1, 0):
        (recorder.folder / STREAM).write_bytes(content[:cut])
        (recorder.folder / META).write_text(recorder.meta.dump(), encoding="utf-8")
        session = Session.open(recorder.folder)
        assert session.has_table
        assert session.meta.state == "recovered"
        assert len(session) == session.meta.frames <= rows
        assert np.array_equal(session.frames["speed"], frames["speed"][: len(session)])
        assert not (recorder.folder / STREAM).exists()
        (recorder.folder / TABLE).unlink()


@pytest.mark.parametrize("where", [0.02, 0.3, 0.6, 0.9])
def test_a_damaged_stream_gives_what_is_whole(tmp_path, where) -> None:
    frames, game, _ = drive(2000)
    recorder = Recorder(tmp_path, INFO, patient=True)
    for sample in samples(frames, game):
        recorder.add(sample)
    wait_for_rows(recorder.folder, 1800)
    content = bytearray((recorder.folder / STREAM).read_bytes())
    recorder.close()
    (recorder.folder / TABLE).unlink()
    dice = np.random.default_rng(int(where * 100))
    for _ in range(6):
        damaged = content.copy()
        start = int(where * len(content))
        damaged[start : start + 64] = dice.integers(0, 256, 64, np.uint8).tobytes()
        (recorder.folder / STREAM).write_bytes(damaged)
        assert len(Session.open(recorder.folder)) <= 2000
        (recorder.folder / TABLE).unlink()


@pytest.mark.parametrize("json_is_old", [True, False])
def test_killed_between_the_last_steps(tmp_path, json_is_old) -> None:
    """The Parquet file is whole; `session.json` may still be that of the beginning, and the stream still there."""
    frames, game, _ = drive(50)
    recorder = Recorder(tmp_path, INFO)
    for sample in samples(frames, game):
        recorder.add(sample)
    session = recorder.close()
    (session.folder / STREAM).write_bytes(b"left over")
    if json_is_old:
        (session.folder / META).write_text(recorder.meta.dump(), encoding="utf-8")
        os.utime(session.folder / META, ns=(0, 0))
    for _ in range(2):
        found = Session.open(session.folder)
        assert (len(found), found.meta.frames, found.meta.state) == (50, 50, "complete")
        assert not (session.folder / STREAM).exists()
        os.utime(session.folder / META)


class Death(BaseException):
    """Stands for a kill at a certain step."""


@pytest.mark.parametrize("step", range(8))
def test_killed_at_any_step_of_completion(tmp_path, monkeypatch, step) -> None:
    """Each touch of the folder in turn is the last one."""
    frames, game, _ = drive(300)
    recorder = Recorder(tmp_path, INFO, "me")
    for sample in samples(frames, game):
        recorder.add(sample)
    left = step

    def die_later(real):
        def act(*arguments, **more):
            nonlocal left
            left -= 1
            if left < 0:
                raise Death
            return real(*arguments, **more)

        return act

    with monkeypatch.context() as patched:
        for target, name in ((Path, "replace"), (Path, "unlink"), (Path, "open"), (os, "fsync")):
            patched.setattr(target, name, die_later(getattr(target, name)))
        with contextlib.suppress(Death):
            recorder.close()
    recorder._lock.release()
    session = Session.open(recorder.folder)
    assert np.array_equal(session.frames, frames)
    assert session.meta.frames == 300
    assert session.meta.state in ("complete", "recovered")
    assert {path.name for path in session.folder.iterdir()} - {LOCK} == {META, TABLE}


def test_lost_meta_is_read_from_the_telemetry(tmp_path) -> None:
    recorder = Recorder(tmp_path, INFO, "me")
    session = recorder.close()
    for content in (None, b"", b"{", b"[]", b'{"format": "other"}', b"x" * 5_000_000):
        (session.folder / META).unlink(missing_ok=True)
        if content is not None:
            (session.folder / META).write_bytes(content)
        assert Session.open(session.folder).meta.driver == "me"


def test_only_one_writer_at_a_time(tmp_path) -> None:
    with WriterLock(tmp_path) as first, WriterLock(tmp_path) as second:
        assert first.acquire()
        assert not second.acquire()
        first.release()
        assert second.acquire()
    assert not (tmp_path / LOCK).exists()


def test_a_stalled_disk_costs_samples_and_is_told(tmp_path, monkeypatch) -> None:
    go_on = threading.Event()
    real = module.raw_batch

    def slow(*arguments):
        go_on.wait(20.0)
        return real(*arguments)

    monkeypatch.setattr(module, "raw_batch", slow)
    frames, game, _ = drive(1)
    recorder = Recorder(tmp_path, INFO)
    total = BLOCK_ROWS * (module.BLOCKS + 4)
    for i in range(total):
        frames["packet_id"] = i
        recorder.add(samples(frames, game)[0]._replace(time=i * 0.0001))
    assert recorder.lost > 0
    assert "did not keep up" in recorder.problem
    go_on.set()
    session = recorder.close()
    assert len(session) + session.meta.lost == total
    kept = session.frames["packet_id"]
    assert (np.diff(kept) > 0).all()


def test_a_full_disk_costs_samples_and_is_told(tmp_path, monkeypatch) -> None:
    frames, game, _ = drive(2000)
    recorder = Recorder(tmp_path, INFO, patient=True)
    taken = samples(frames, game)
    for sample in taken[:1000]:
        recorder.add(sample)
    wait_for_rows(recorder.folder, 800)

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "raw_batch", refuse)
    for sample in taken[1000:]:
        recorder.add(sample)
    session = recorder.close()
    assert "No space left" in recorder.problem
    assert len(session) + recorder.lost == 2000
    assert session.meta.lost == recorder.lost
    assert np.array_equal(session.frames, frames[: len(session)])


def test_when_it_cannot_be_made_complete_the_stream_stays(tmp_path, monkeypatch) -> None:
    frames, game, _ = drive(300)
    recorder = Recorder(tmp_path, INFO)
    for sample in samples(frames, game):
        recorder.add(sample)

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module, "compact", refuse)
        session = recorder.close()
    assert "No space left" in recorder.problem
    assert np.array_equal(session.frames, frames)
    again = Session.open(recorder.folder)
    assert again.has_table
    assert np.array_equal(again.frames, frames)


def test_no_place_to_write_is_told_at_once(tmp_path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SessionError, match="Choose another folder"):
        Recorder(tmp_path / "file", INFO)


def test_discard_leaves_nothing(tmp_path) -> None:
    recorder = Recorder(tmp_path, INFO)
    recorder.discard()
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_gives_the_same_session(tmp_path) -> None:
    recorder = Recorder(tmp_path, INFO)
    assert recorder.close() is recorder.close()


def test_an_empty_recording_is_a_session(tmp_path) -> None:
    session = Session.open(Recorder(tmp_path, INFO).close().folder)
    assert len(session) == session.meta.frames == 0
    assert session.frames.dtype == FRAME
    assert session.sent.dtype == CONTROLS


def test_the_stream_is_plain_arrow(tmp_path) -> None:
    frames, game, _ = drive(400)
    recorder = Recorder(tmp_path, INFO, patient=True)
    for sample in samples(frames, game):
        recorder.add(sample)
    wait_for_rows(recorder.folder, 100)
    with pa.OSFile(str(recorder.folder / STREAM)) as file, pa.ipc.open_stream(file) as reader:
        assert reader.schema.field("vel").metadata[b"unit"] == b"m/s"
        assert reader.read_next_batch().num_rows > 0
    recorder.close()


def test_killed_recorders_leave_whole_sessions(repository) -> None:
    """The long run of this script makes fifty kills."""
    words = [sys.executable, str(repository / "tools" / "kill_recorder.py"), "--kills", "3", "--longest", "0.6"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 sessions opened" in done.stdout
