from __future__ import annotations

import json

import pytest

from actwin.cli import main
from actwin.driving.health_check import Check


@pytest.fixture
def checks(monkeypatch):
    found = [Check("game", True, "in a folder"), Check("app", None, "not needed")]
    monkeypatch.setattr("actwin.driving.doctor.examine", lambda *words, **options: iter(found))
    return found


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_one_line_a_check(capsys, checks) -> None:
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    assert [line[0] for line in out.splitlines()] == ["✓", "–"]


def test_a_no_has_its_cure_and_an_exit_code(capsys, checks) -> None:
    checks.append(Check("memory", False, "is not there.", "Start the game."))
    code, out, _ = run(capsys, "doctor")
    assert code == 1
    assert "✗ memory" in out
    assert "→ Start the game." in out
    code, out, _ = run(capsys, "doctor", "--json")
    assert code == 1
    assert [row["ok"] for row in json.loads(out)] == [True, None, False]
