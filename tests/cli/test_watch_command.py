from __future__ import annotations

import json

import pytest

from actwin.cli import main
from fake_source import FakeSource


@pytest.fixture
def source(monkeypatch):
    made = FakeSource()
    monkeypatch.setattr("actwin.telemetry.ac.opening.open_source", lambda text: made)
    return made


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_once_shows_what_a_driver_looks_at(capsys, source) -> None:
    code, out, _ = run(capsys, "watch", "--once")
    assert code == 0
    assert "ks_mazda_miata at oval" in out
    assert "180.0 km/h" in out
    assert source.closed


def test_json_is_one_object_a_line(capsys, source) -> None:
    code, out, _ = run(capsys, "watch", "--json", "--rate", "60", "--seconds", "0.1")
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) >= 2
    assert all(row["vel"] == 50.0 for row in rows)


def test_a_terminal_gets_a_live_table(capsys, source, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, out, _ = run(capsys, "watch", "--seconds", "0.1")
    assert code == 0
    assert "180.0 km/h" in out


def test_nobody_there_is_one_line(capsys, source) -> None:
    source.answers = False
    code, _, err = run(capsys, "watch")
    assert (code, err) == (1, "Error: Nobody is there. Start the game.\n")
    assert source.closed
