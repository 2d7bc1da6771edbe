"""`actwin serve` as its user meets it; what it serves is tested with the emulator."""

from __future__ import annotations

import json

import pytest

from actwin.cli import main


def run(capsys, folder, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    ports = ("--remote-port", "0", "--app-port", "0")
    with pytest.raises(SystemExit) as ended:
        main(
            (
                "serve",
                "--track",
                "oval",
                "--driver",
                "none",
                "--seconds",
                "0.2",
                "--folder",
                str(folder),
                *ports,
                *words,
            )
        )
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_says_where_it_answers_and_how_it_kept_up(capsys, tmp_path):
    code, out, err = run(capsys, tmp_path, "--car", "bmw_z4_gt3")
    assert (code, err) == (0, "")
    assert "Serving bmw_z4_gt3 on oval" in out
    for words in ("ego 127.0.0.1:", "acpmf_physics", "CustomAI", "real-time factor", "physics", "lost"):
        assert words in out, words


def test_json_lines(capsys, tmp_path):
    code, out, _ = run(capsys, tmp_path, "--json", "--without", "app", "--without", "memory", "--fps", "50")
    where, facts = (json.loads(line) for line in out.splitlines())
    assert code == 0
    assert set(where["serving"]) == {"Custom AI", "UDP telemetry"}
    assert facts["steps"] > 0
    assert {"step", "decide", "physics"} <= set(facts["sections"])


def test_what_does_not_fit_is_one_line(capsys, tmp_path):
    code, out, err = run(capsys, tmp_path, "--fps", "50", "--app-rate", "100")
    assert (code, out) == (1, "")
    assert err.startswith("Error: The app is called with each of 50 pictures")
    assert run(capsys, tmp_path, "--driver", "nobody.pt")[0] == 1
    assert list(tmp_path.iterdir()) == []
