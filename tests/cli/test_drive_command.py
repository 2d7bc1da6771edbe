from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from actwin.cli import main
from actwin.driving.live_drive import Driven
from actwin.driving.realtime import Drive, LapDriven
from actwin.pacing import Spread


@pytest.fixture
def asked(monkeypatch):
    """What was asked of the library; `drive` among it is what it answers."""
    found = {"drive": Drive(0.039, 100, 1300, 2, [LapDriven(1, 83.456, True)], ended="laps")}
    found["drive"].sections["send"] = Spread(100, 0.001, 0.002, 0.003)

    def drive_live(wanted, on_stage, **limits):
        on_stage("Driving")
        found.update(wanted=wanted, **limits)
        return Driven(found["drive"], "monza", "dallara_f317", wanted.driver, "memory", "custom_ai", ("tyre_wear",))

    monkeypatch.setattr("actwin.driving.live_drive.drive_live", drive_live)
    return found


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_laps_and_latency_are_shown(capsys, asked) -> None:
    code, out, _ = run(capsys, "drive", "expert", "--laps", "1", "--start", "grid", "--source", "app")
    assert code == 0
    assert (asked["wanted"].driver, asked["wanted"].source, asked["wanted"].start, asked["laps"]) == (
        "expert", "app", "grid", 1,
    )  # fmt: skip
    assert "1:23.456" in out
    assert "2.000" in out
    assert "missed: 2" in out
    assert "tyre_wear" in out


def test_json_has_everything(capsys, asked) -> None:
    _, out, _ = run(capsys, "drive", "expert", "--json", "--record", "somewhere")
    found = json.loads(out)
    assert asked["wanted"].record == Path("somewhere")
    assert found["laps"] == [{"number": 1, "time": 83.456, "valid": True}]
    assert found["sections"]["send"]["p99"] == 0.002
    assert found["game_time"] == pytest.approx(3.9)


def test_a_game_that_vanished_is_an_error_after_the_report(capsys, asked) -> None:
    asked["drive"].ended, asked["drive"].failed = "The game is gone.", True
    code, out, err = run(capsys, "drive", "expert")
    assert code == 1
    assert "1:23.456" in out
    assert err == "Driving ...\nError: The game is gone.\n"


def test_the_documents_script_is_the_command(capsys, asked, monkeypatch, repository) -> None:
    script = repository / "scripts" / "inference.py"
    monkeypatch.setattr(sys, "argv", [str(script), "expert", "--seconds", "3", "--json"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    assert asked["seconds"] == 3.0
    assert json.loads(capsys.readouterr().out)["driver"] == "expert"
