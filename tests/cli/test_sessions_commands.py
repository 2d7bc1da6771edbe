"""Recording, listing, asking and exporting from the command line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from actwin.cli import main
from actwin.driving import record as recording
from actwin.errors import SourceError
from actwin.telemetry.ac.frames import BLANK_FRAME, BLANK_GAME
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.channels import FRAME
from actwin.telemetry.store.listing import sessions
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import Extra, Session, write_session

INFO = GameInfo(source="udp", car="dallara_f317", track="monza", driver="Ada")


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


class Ticking:
    """A source that always has a new sample."""

    name = "udp"

    def __init__(self) -> None:
        self.time, self.answers = 0.0, True

    def connect(self, timeout: float = 2.0) -> GameInfo:
        if not self.answers:
            raise SourceError("Nobody is there. Start the game.")
        return INFO

    def read(self, timeout: float = 0.1) -> Sample:
        self.time += 0.04
        return Sample(self.time, BLANK_FRAME.copy(), BLANK_GAME.copy())

    def health(self) -> Health:
        return Health("live", 25.0, 0, 0.0)

    def close(self) -> None:
        pass


@pytest.fixture
def source(monkeypatch):
    made = Ticking()
    monkeypatch.setattr(recording, "open_source", lambda text: made)
    return made


@pytest.fixture
def session(tmp_path) -> Session:
    frames = np.zeros(100, FRAME)
    frames["speed"], frames["lap_count"][50:], frames["last_lap_time"] = np.arange(100), 1, 83.5
    frames["last_lap_valid"] = 1
    meta = SessionMeta(
        source="udp", car="dallara_f317", track="monza", driver="Ada", started=datetime(2026, 7, 5, 9, tzinfo=UTC)
    )
    extra = {"source_x": Extra(np.arange(100))}
    return write_session(tmp_path, meta, np.arange(100) * 0.04, frames, extra=extra)


def test_record_writes_a_session_and_says_where(capsys, tmp_path, source) -> None:
    code, out, err = run(capsys, "record", "--seconds", "2", "--to", "csv", "--to", "json", "--folder", str(tmp_path))
    assert (code, err) == (0, "")
    (made,) = sessions(tmp_path)
    assert "dallara_f317 on monza: 2.0 s, 51 frames, 0 missed, 0 laps" in out
    assert "Ended: time." in out
    assert all(f"Written: {made.folder / name}" in out for name in ("", "telemetry.csv", "telemetry.json") if name)
    assert len(made) == 51


def test_record_for_other_programs(capsys, tmp_path, source) -> None:
    _, out, _ = run(capsys, "record", "--seconds", "2", "--json", "--driver", "me", "--folder", str(tmp_path))
    told = json.loads(out)
    assert (told["frames"], told["lost"], told["problem"]) == (51, 0, "")
    assert Session.open(told["session"]).meta.driver == "me"


def test_record_without_a_game_is_one_line(capsys, tmp_path, source) -> None:
    source.answers = False
    assert run(capsys, "record", "--folder", str(tmp_path)) == (1, "", "Error: Nobody is there. Start the game.\n")
    assert list(tmp_path.iterdir()) == []


def test_the_documents_script_is_the_command(repository: Path) -> None:
    words = [sys.executable, str(repository / "scripts" / "record.py"), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0
    assert "actwin record" in done.stdout


def test_sessions_lists_them(capsys, tmp_path, session) -> None:
    code, out, err = run(capsys, "sessions", "--folder", str(tmp_path))
    assert (code, err) == (0, "")
    line = next(line for line in out.splitlines() if session.name in line)
    assert all(word in line for word in ("monza", "dallara_f317", "Ada", "4.0 s", "100", "1:23.500", "complete"))
    _, out, _ = run(capsys, "sessions", "--folder", str(tmp_path), "--json")
    assert json.loads(out)[0]["best_lap"] == 83.5


def test_sessions_shows_one(capsys, tmp_path, session) -> None:
    _, out, _ = run(capsys, "sessions", "last", "--folder", str(tmp_path))
    assert "1:23.500" in out
    assert "163, 1 of its own" in out
    _, out, _ = run(capsys, "sessions", session.name[:6], "--json", "--folder", str(tmp_path))
    assert json.loads(out)["columns"]["vel"] == "m/s"


def test_no_sessions_say_how_to_get_some(capsys, tmp_path) -> None:
    assert "actwin record" in run(capsys, "sessions", "--folder", str(tmp_path))[1]


def test_unreadable_sessions_are_named(capsys, tmp_path, session) -> None:
    (session.folder / "session.json").unlink()
    (session.folder / "telemetry.parquet").write_bytes(b"x")
    code, _, err = run(capsys, "sessions", "--folder", str(tmp_path))
    assert code == 0
    assert f"Not readable: {session.folder}" in err


def test_sql_answers_as_table_csv_and_json(capsys, tmp_path, session) -> None:
    question = "SELECT car, max(vel) AS top, min(fuel) AS fuel FROM frames JOIN sessions USING (recording) GROUP BY car"
    words = ("sql", question, "--folder", str(tmp_path))
    assert "99" in run(capsys, *words)[1]
    (row,) = csv.DictReader(io.StringIO(run(capsys, *words, "--csv")[1]))
    assert row == {"car": "dallara_f317", "top": "99.0", "fuel": "0.0"}
    assert json.loads(run(capsys, *words, "--json")[1]) == [{"car": "dallara_f317", "top": 99.0, "fuel": 0.0}]


def test_sql_alone_is_an_overview(capsys, tmp_path, session) -> None:
    assert session.name in run(capsys, "sql", "--folder", str(tmp_path))[1]


def test_sql_shows_so_many_rows(capsys, tmp_path, session) -> None:
    words = ("sql", "SELECT time FROM frames", "--json", "--folder", str(tmp_path))
    _, out, err = run(capsys, *words, "--rows", "10")
    assert len(json.loads(out)) == 10
    assert "first 10 rows" in err
    _, out, err = run(capsys, *words, "--rows", "0")
    assert (len(json.loads(out)), err) == (100, "")


def test_sql_mistakes_are_one_line(capsys, tmp_path, session) -> None:
    code, out, err = run(capsys, "sql", "SELECT vell FROM frames", "--folder", str(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith("Error: SQL: ")
    assert '"vel"' in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_export_writes_a_file(capsys, tmp_path, session, kind) -> None:
    out = tmp_path / f"out.{kind}"
    code, said, _ = run(capsys, "export", "last", "--to", kind, "--out", str(out), "--folder", str(tmp_path))
    assert code == 0
    assert str(out) in said
    assert out.stat().st_size > 100


def test_export_names_the_nearest_column(capsys, tmp_path, session) -> None:
    words = ("export", "last", "--columns", "time,vell", "--folder", str(tmp_path))
    assert "Did you mean vel" in run(capsys, *words)[2]
