"""SQL sees every session and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from recorded import INFO, drive

from actwin.errors import SessionError
from actwin.telemetry.store.catalogue import Catalogue
from actwin.telemetry.store.folder import META, TABLE
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.recorder import Recorder
from actwin.telemetry.store.session import Extra, Session, write_session


def write(root: Path, day: int, **more: object) -> Session:
    frames, game, _ = drive(500, seed=day)
    frames["lap_count"][250:], frames["last_lap_time"], frames["last_lap_valid"] = 1, 80.0 + day, 1
    meta = SessionMeta(car=f"car {day}", track="track", driver="me", started=datetime(2026, 7, day, 12, tzinfo=UTC))
    return write_session(root, meta, np.arange(500) * 0.04, frames, game if day > 1 else None, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("sessions")
    write(root, 1, extra={"source_x": Extra(np.arange(500) * 1.5), "source_y": Extra(np.arange(500))})
    write(root, 2, extra={"source_x": Extra(np.array(["text"] * 500))})
    write(root, 3)
    return root


@pytest.fixture(scope="module")
def catalogue(folder):
    with Catalogue(folder) as opened:
        yield opened


def test_sessions_table(catalogue) -> None:
    answer = catalogue.sql("SELECT started, car, driver, frames, laps, best_lap, state FROM sessions ORDER BY started")
    assert answer.columns == ("started", "car", "driver", "frames", "laps", "best_lap", "state")
    assert answer.rows == [
        (datetime(2026, 7, day, 12), f"car {day}", "me", 500, 1, 80.0 + day, "complete") for day in (1, 2, 3)
    ]


def test_laps_table(catalogue) -> None:
    rows = catalogue.sql(
        "SELECT lap, finished, lap_time, valid FROM laps JOIN sessions USING (recording) ORDER BY car"
    ).rows
    assert rows == [(1, pytest.approx(10.0), 80.0 + day, True) for day in (1, 2, 3)]


def test_frames_agree_with_the_sessions(catalogue, folder) -> None:
    asked = catalogue.sql("SELECT recording, count(*), sum(packet_id), max(vel) FROM frames GROUP BY 1 ORDER BY 1").rows
    for (name, count, total, fastest), path in zip(asked, sorted(folder.iterdir()), strict=True):
        frames = Session.open(path).frames
        assert (name, count, total) == (path.name, 500, frames["packet_id"].sum())
        assert fastest == frames["speed"].max()


def test_unknown_is_null(catalogue) -> None:
    rows = catalogue.sql(
        "SELECT count(wind_speed), count(sent_gear), count(*) FROM frames GROUP BY recording ORDER BY 1"
    )
    assert rows.rows == [(0, 0, 500), (500, 0, 500), (500, 0, 500)]


def test_source_columns_of_different_kinds_stand_together(catalogue) -> None:
    rows = catalogue.sql("SELECT DISTINCT source_x FROM frames WHERE time = 0.04 ORDER BY 1 NULLS LAST").rows
    assert rows == [("1.5",), ("text",), (None,)]
    assert catalogue.sql("SELECT sum(source_y) FROM frames").rows == [(sum(range(500)),)]


def test_the_questions_of_the_documents_have_answers(catalogue, repository) -> None:
    page = (repository / "docs" / "sessions.md").read_text(encoding="utf-8")
    questions = re.findall(r'actwin sql "([^"]+)"', page)
    assert len(questions) >= 2
    assert all(catalogue.sql(question).rows for question in questions)


def test_the_limit_limits(catalogue) -> None:
    assert len(catalogue.sql("SELECT * FROM frames", 7).rows) == 7
    assert len(catalogue.sql("DESCRIBE frames").rows) > 150
    assert len(catalogue.sql("SELECT * FROM frames LIMIT 3", 7).rows) == 3


def test_tables_of_ones_own_live_in_memory(catalogue) -> None:
    catalogue.sql("CREATE TEMP TABLE fast AS SELECT recording, max(vel) AS top FROM frames GROUP BY 1")
    assert len(catalogue.sql("SELECT * FROM fast").rows) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM read_parquet('{folder}/*/*.parquet')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY frames TO '{folder}/out.csv'",
        "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/out.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET python_enable_replacements = true",
        "RESET lock_configuration",
        "SELECT * FROM statement",
        "DROP TABLE sessions",
        "DELETE FROM frames",
        "INSERT INTO laps VALUES (1)",
        "UPDATE sessions SET car = 'x'",
        "SELEC 1",
        "SELECT velo FROM frames",
        "SELECT * FROM nowhere",
        "",
    ],
)
def test_nothing_else_can_be_reached_or_changed(catalogue, folder, tmp_path, statement) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    text = statement.format(file=secret.as_posix(), folder=folder.as_posix())
    if statement:
        with pytest.raises(SessionError, match="SQL: ") as told:
            catalogue.sql(text)
        assert "\n" not in str(told.value)
        assert len(str(told.value)) < 400
    else:
        assert catalogue.sql(text).rows == []
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_sessions_can_be_recorded_meanwhile(tmp_path) -> None:
    write(tmp_path, 1)
    recorder = Recorder(tmp_path, INFO)
    with Catalogue(tmp_path) as catalogue:
        assert catalogue.sql("SELECT state, count(*) FROM sessions GROUP BY 1 ORDER BY 1").rows == [
            ("complete", 1), ("recording", 1)]  # fmt: skip
        recorder.close()
        assert catalogue.sql("SELECT count(DISTINCT recording) FROM frames").rows == [(1,)]
    with Catalogue(tmp_path) as catalogue:
        assert catalogue.sql("SELECT count(*) FROM sessions WHERE state = 'complete'").rows == [(2,)]


def test_no_sessions_are_empty_tables(tmp_path) -> None:
    with Catalogue(tmp_path / "nowhere") as catalogue:
        for name in ("sessions", "laps", "frames"):
            assert catalogue.sql(f"SELECT count(*) FROM {name}").rows == [(0,)]


def test_damaged_sessions_are_named_and_left_out(tmp_path) -> None:
    good, bad, worse = write(tmp_path, 1), write(tmp_path, 2), write(tmp_path, 3)
    (bad.folder / TABLE).write_bytes(b"nonsense")
    (worse.folder / TABLE).write_bytes(b"nonsense")
    (worse.folder / META).unlink()
    with Catalogue(tmp_path) as catalogue:
        assert set(catalogue.damaged) == {bad.folder, worse.folder}
        assert catalogue.sql("SELECT DISTINCT recording FROM frames").rows == [(good.name,)]
