"""`actwin calibrate-controls` as its user meets it; the measurement itself is tested with the cockpit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actwin.cli import main
from actwin.cockpit.calibration_run import Calibrated
from actwin.cockpit.control_maps import ControlMaps, Curve


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["calibrate-controls", *words])
    return int(ended.value.code or 0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the command asks the library for; the library answers at once."""
    calls: list[dict[str, object]] = []

    def calibrate(source: str, actuator: str, **options: object) -> Calibrated:
        calls.append({"source": source, "actuator": actuator, **options})
        steer = Curve(command=(-0.5, 0.5), reached=(-1.0, 1.0))
        return Calibrated(ControlMaps(car="a_car", actuator="vigem", delay=0.042, steer=steer), Path("kept.json"))

    monkeypatch.setattr("actwin.cockpit.calibration_run.calibrate", calibrate)
    return calls


def test_the_curves_are_shown(asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--source", "memory", "--actuator", "vigem", "--hold", "0.4") == 0
    shown = capsys.readouterr().out
    for words in ("a_car by vigem", "-0.500", "+1.000", "as it says", "42 ms", "kept.json"):
        assert words in shown
    assert (asked[0]["source"], asked[0]["actuator"], asked[0]["hold"], asked[0]["keep"]) == (
        "memory", "vigem", 0.4, True,
    )  # fmt: skip


def test_json_is_for_other_programs(asked: list[dict[str, object]], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--dry", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["steer"]["reached"] == [-1.0, 1.0]
    assert asked[0]["keep"] is False


def test_without_a_game_it_says_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("--source", f"memory:{tmp_path}", "--actuator", "none") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "actwin serve" in err
    assert len(err.strip().splitlines()) == 1
