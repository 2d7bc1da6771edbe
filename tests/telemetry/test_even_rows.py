"""Recorded drives at even times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actwin.errors import SessionError
from actwin.telemetry.ac.pages import Status
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, GAME
from actwin.telemetry.quality import findings as marks
from actwin.telemetry.store.even_rows import even_rows
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.recorder import Recorder
from actwin.telemetry.store.schema import absent
from actwin.telemetry.store.session import Session, write_session
from actwin.telemetry.store.tape import Rows, Tape, tape_of_session

PERIOD = 0.04
SPEED = 50.0


def drive(seconds: float = 20.0, step: float = 0.01) -> Rows:
    """A car at constant speed that steers along a sine."""
    time = np.arange(round(seconds / step) + 1) * step
    frames, game, sent = np.zeros(len(time), FRAME), np.zeros(len(time), GAME), absent("sent", len(time))
    frames["x"], frames["speed"], frames["throttle"] = SPEED * time, SPEED, 1.0
    frames["steer"], frames["gear"], frames["yaw"] = np.sin(time), 4, np.mod(time + np.pi, 2 * np.pi) - np.pi
    game["status"] = Status.LIVE
    return Rows(time, frames, game, sent, np.zeros(len(time), np.uint32))


def tape(rows: Rows, piece: int = 10_000, **changes: Any) -> Tape:
    """A tape that is read so many rows at a time."""

    def pieces() -> Iterator[Rows]:
        for first in range(0, len(rows.time), piece):
            yield rows.take(slice(first, first + piece))

    steps = np.diff(rows.time)
    told = frozenset(channel.name for channel in FRAME_CHANNELS) | {"status", "in_pit", "in_pit_lane"}
    step = float(np.median(steps)) if len(steps) else float("nan")
    return replace(Tape("drive", "", "", "", told, step, True, True, pieces), **changes)


NEEDED = ("x", "speed", "steer")


@pytest.mark.parametrize("rate", [5.1, 8.3, 25.0, 60.0, 333.3])
def test_any_rate_becomes_that_of_the_task(rate: float) -> None:
    even = even_rows(tape(drive(step=1.0 / rate)), PERIOD, NEEDED)
    np.testing.assert_allclose(np.diff(even.time), PERIOD)
    assert len(even.time) >= 20.0 / PERIOD - 1.0 / rate / PERIOD
    assert np.flatnonzero(even.begins).tolist() == [0]
    np.testing.assert_allclose(even.frames["x"], SPEED * even.time, rtol=1e-5, atol=1e-3)
    # A chord lies at most h² / 8 inside a sine.
    np.testing.assert_allclose(even.frames["steer"], np.sin(even.time), atol=1.0 / rate**2 / 8.0 + 1e-6)
    assert set(even.frames["gear"]) == {4}
    assert not even.left_out.total()


def test_it_does_not_matter_in_what_pieces_a_drive_is_read() -> None:
    rows = drive(step=0.003)
    rows.sent["steer"], rows.sent["throttle"], rows.sent["brake"] = np.cos(rows.time), 0.5, 0.0
    rows.quality[1000:1300] = marks.FROZEN.mask
    rows.quality[4000] = marks.PAUSE.mask
    rows.frames["x"][5000:] += 300.0
    whole = even_rows(tape(rows), PERIOD, NEEDED)
    assert whole.begins.sum() == 4
    for piece in (7, 1000, 1001):
        other = even_rows(tape(rows, piece), PERIOD, NEEDED)
        assert np.array_equal(other.time, whole.time)
        assert np.array_equal(other.begins, whole.begins)
        for name in ("steer", "x", "yaw"):
            np.testing.assert_allclose(other.frames[name], whole.frames[name], atol=1e-6)
        np.testing.assert_allclose(other.sent["steer"], whole.sent["steer"], atol=1e-6)
        assert other.left_out == whole.left_out


@pytest.mark.parametrize(
    ("what", "reason", "rows"),
    [
        (lambda r: r.game["status"].__setitem__(slice(500, 800), Status.PAUSE), "pause or replay", 300),
        (lambda r: r.game["in_pit"].__setitem__(slice(500, 800), 1), "in the pits", 300),
        (lambda r: r.game["in_pit_lane"].__setitem__(slice(500, 800), 1), "in the pit lane", 300),
        (lambda r: r.frames["steer"].__setitem__(slice(500, 800), np.nan), "no number", 300),
        (lambda r: r.frames["steer"].__setitem__(slice(500, 800), np.inf), "no number", 300),
        (lambda r: r.quality.__setitem__(slice(500, 800), marks.MOTION.mask), "marked motion", 300),
        (lambda r: r.time.__setitem__(slice(500, 800), 1.0), "time stands or runs back", 300),
        (lambda r: (r.frames["speed"].__setitem__(slice(500, 800), 0.2),
                    r.frames["throttle"].__setitem__(slice(500, 800), 0.0)), "waiting", 300),
    ],
)  # fmt: skip
def test_rows_that_say_nothing_are_left_out_and_counted(what: Any, reason: str, rows: int) -> None:
    recorded = drive()
    what(recorded)
    even = even_rows(tape(recorded), PERIOD, NEEDED)
    assert dict(even.left_out) == {reason: rows}
    assert not ((even.time > 4.99) & (even.time < 8.0)).any()
    assert even.begins.sum() == 2
    assert even.rows == 2001
    assert np.isfinite(even.frames["steer"]).all()


@pytest.mark.parametrize("kind", [marks.GAP, marks.PAUSE, marks.RESTART])
def test_a_drive_is_broken_where_a_check_says_that_something_is_missing(kind: marks.Kind) -> None:
    recorded = drive()
    recorded.quality[500] = kind.mask
    even = even_rows(tape(recorded), PERIOD, NEEDED)
    assert not even.left_out.total()
    assert even.time[even.begins].tolist() == [0.0, 5.0]
    assert even_rows(tape(recorded), PERIOD, NEEDED, accept=[kind.name]).begins.sum() == 1


def test_a_break_on_a_row_that_is_left_out_counts_for_the_next() -> None:
    recorded = drive()
    recorded.quality[500] = marks.RESTART.mask | marks.FROZEN.mask
    for piece in (10_000, 501, 500):
        assert even_rows(tape(recorded, piece), PERIOD, NEEDED).time[1:][
            even_rows(tape(recorded, piece), PERIOD, NEEDED).begins[1:]
        ].tolist() == pytest.approx([5.01])


def test_leaps_and_gaps_are_seen_without_a_check() -> None:
    recorded = drive()
    recorded.frames["x"][500:] += 40.0
    later = recorded._replace(time=recorded.time + 0.5 * (np.arange(2001) >= 1000))
    even = even_rows(tape(later), PERIOD, NEEDED)
    assert even.time[even.begins].tolist() == pytest.approx([0.0, 5.0, 10.5])


def test_a_missing_row_breaks_nothing() -> None:
    recorded = drive()
    recorded.frames["steer"][500] = np.nan
    even = even_rows(tape(recorded), PERIOD, NEEDED)
    assert even.begins.sum() == 1
    np.testing.assert_allclose(even.frames["steer"], np.sin(even.time), atol=1e-4)


def test_findings_may_be_accepted() -> None:
    recorded = drive()
    recorded.quality[:] = marks.RANGE.mask
    assert not len(even_rows(tape(recorded), PERIOD, NEEDED).time)
    assert len(even_rows(tape(recorded), PERIOD, NEEDED, accept=["range"]).time) == 501


def test_what_was_sent_counts_by_its_time() -> None:
    """Held for 40 ms each, seen from 10 ms later on: three quarters of one, a quarter of the next."""
    recorded = drive(step=PERIOD)
    recorded.sent["steer"] = np.arange(501)
    even = even_rows(tape(recorded.take(slice(0, 2)).followed_by(recorded.take(slice(2, None)))), PERIOD, NEEDED)
    np.testing.assert_allclose(even.sent["steer"], np.arange(501), atol=1e-5)
    shifted = recorded._replace(time=np.concatenate([[0.0], recorded.time[1:] + 0.03]))
    sent = even_rows(tape(shifted), PERIOD, NEEDED).sent["steer"]
    np.testing.assert_allclose(sent[2:6], [1.25, 2.25, 3.25, 4.25], atol=1e-5)


@pytest.mark.parametrize(("rows", "says"), [(drive(step=0.5), "has 2 rows a second"), (drive(0.0), "fewer than two")])
def test_too_few_rows(rows: Rows, says: str) -> None:
    with pytest.raises(SessionError, match=f"{says}.*Record it at a higher rate"):
        even_rows(tape(rows), PERIOD, NEEDED)


def test_a_slow_driver_may_be_recorded_slowly() -> None:
    assert len(even_rows(tape(drive(step=0.5)), 0.5, NEEDED).time) == 41


def recorded(tmp_path: Path, rows: Rows, **meta: Any) -> Session:
    return write_session(tmp_path, SessionMeta(**meta), rows.time, rows.frames, rows.game, rows.sent, rows.quality)


def test_a_session_is_read_in_pieces(tmp_path: Path) -> None:
    rows = drive()
    session = recorded(tmp_path, rows, source="memory", track="monza", car="x", driver="Ada")
    read = tape_of_session(session, rows=333)
    assert (read.track, read.car, read.driver, read.ours, read.checked) == ("monza", "x", "Ada", True, False)
    assert read.step == pytest.approx(0.01)
    pieces = list(read.pieces())
    assert [len(piece.time) for piece in pieces] == [333] * 6 + [3]
    for name in ("time", "quality"):
        assert np.array_equal(np.concatenate([getattr(piece, name) for piece in pieces]), getattr(rows, name))
    assert np.array_equal(np.concatenate([piece.frames["x"] for piece in pieces]), rows.frames["x"])
    assert not tape_of_session(recorded(tmp_path, rows, source="import")).ours


def test_what_is_null_throughout_is_not_told(tmp_path: Path) -> None:
    rows = drive()
    rows.frames["load"], rows.frames["steer"][:10] = np.nan, np.nan
    told = tape_of_session(recorded(tmp_path, rows, missing=("slip_angle",))).told
    assert not told & {"load", "slip_angle"}
    assert told >= {"steer", "x", "status"}


def test_a_session_that_is_being_recorded_is_refused(tmp_path: Path) -> None:
    from actwin.telemetry.ac.source import GameInfo

    with Recorder(tmp_path, GameInfo("memory", car="x", track="monza")) as recorder:
        with pytest.raises(SessionError, match=r"is being recorded\. Stop the recorder first"):
            tape_of_session(Session.open(recorder.folder))
        recorder.discard()
