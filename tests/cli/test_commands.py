"""The command line as its user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import actwin
from actwin.cli import main
from actwin.cli.terminal import explain
from actwin.content.library import car_names, track_names

COMMANDS = [
    (), ("demo",), ("tracks",), ("tracks", "show"), ("tracks", "fit"), ("cars",), ("cars", "show"), ("sim",),
    ("train",), ("evaluate",), ("runs",), ("install-app",), ("watch",), ("serve",), ("drive",), ("import",),
    ("calibrate-controls",), ("doctor",), ("record",), ("sessions",), ("sql",), ("export",), ("check",),
    ("export-policy",), ("video",), ("patterns",), ("laps",), ("compare",),
]  # fmt: skip
HEAVY = ("torch", "numba", "scipy", "plotly", "gymnasium", "numpy")


def run(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from actwin.cli import main; main()", *words],
        capture_output=True, timeout=120, env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(capsys, command) -> None:
    code, out, err = run(capsys, *command, "--help")
    assert code == 0
    assert err == ""
    assert "Usage: actwin" in " ".join(out.split())
    if command:
        assert "Example" in out


def test_help_needs_no_heavy_import() -> None:
    words = "import sys\nfrom actwin.cli import main\ntry: main(['demo', '--help'])\nexcept SystemExit: pass\n"
    script = words + f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120, text=True, encoding="utf-8")
    assert done.stderr.strip() == "[]"


def test_version(capsys) -> None:
    assert run(capsys, "--version") == (0, f"actwin {actwin.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("dmeo",), "'dmeo'. Did you mean 'demo'"),
        (("tracks", "fti"), "Did you mean 'fit'"),
        (("demo", "--trak", "spa"), "--trak. Did you mean --track"),
        (("sim", "--step", "3"), "--step. Did you mean --steps"),
        (("tracks", "show", "monzza"), "Unknown track 'monzza'. Did you mean monza?"),
        (("cars", "show", "dalara_f317"), "Unknown car 'dalara_f317'. Did you mean dallara_f317?"),
        (("tracks", "show"), "Missing argument"),
        (("demo", "--minutes", "soon"), "'--minutes'"),
        (("train", "nowhere.yaml"), "there is no such file"),
        (("tracks", "fit", "nowhere.csv"), "nowhere.csv"),
        (("evaluate", "nowhere.pt"), "nowhere.pt"),
        (("evaluate", "nowhere.onnx"), "no such policy"),
        (("export-policy", "nowhere.pt"), "nowhere.pt"),
    ],
)
def test_what_the_user_can_mend_is_one_line(capsys, words, hint) -> None:
    code, out, err = run(capsys, *words)
    assert code == 1
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert hint in err


def test_a_bug_keeps_its_traceback(monkeypatch) -> None:
    assert explain(ValueError("a bug")) is None
    monkeypatch.setattr("actwin.content.library.track_names", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["tracks"])


def test_errors_are_red_on_a_terminal(monkeypatch, capsys) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31mError: " in run(capsys, "dmeo")[2]


def test_tracks_lists_every_track(capsys) -> None:
    _, out, _ = run(capsys, "tracks")
    assert all(name in out for name in track_names())
    _, out, _ = run(capsys, "tracks", "--json")
    assert sorted(json.loads(out)) == track_names()


def test_tracks_show_draws_and_describes(capsys, tmp_path) -> None:
    page = tmp_path / "monza.html"
    code, out, err = run(capsys, "tracks", "show", "Monza", "--html", str(page))
    assert code == 0
    assert "Lesmo 1" in out
    assert "5791 m" in out
    assert str(page) in err
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_tracks_fit_writes_a_file_that_show_reads(capsys, tmp_path) -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 200, endpoint=False)
    survey = tmp_path / "survey.csv"
    rows = np.column_stack([300.0 * np.cos(angle), 200.0 * np.sin(angle), np.full(200, 5.0), np.full(200, 6.0)])
    np.savetxt(survey, rows, delimiter=",", header="x_m,y_m,w_tr_right_m,w_tr_left_m")
    code, out, _ = run(capsys, "tracks", "fit", str(survey), "--title", "Ellipse")
    assert code == 0
    assert "m rms" in out
    _, out, _ = run(capsys, "tracks", "show", str(survey.with_suffix(".toml")), "--json")
    assert json.loads(out)["title"] == "Ellipse"


def test_cars_lists_every_car(capsys) -> None:
    _, out, _ = run(capsys, "cars")
    assert all(name in out for name in car_names())
    _, out, _ = run(capsys, "cars", "--json")
    assert sorted(json.loads(out)) == car_names()


@pytest.mark.parametrize("name", car_names())
def test_cars_show_every_number_with_unit_and_source(capsys, name) -> None:
    _, out, _ = run(capsys, "cars", "show", name, "--json")
    numbers = json.loads(out)["numbers"]
    assert numbers["chassis.mass"]["unit"] == "kg"
    assert all(number["source"] for number in numbers.values())
    _, out, _ = run(capsys, "cars", "show", name)
    assert "chassis.mass" in out


def test_sim_prints_what_happens(capsys, tmp_path) -> None:
    words = ("sim", "--track", "oval", "--driver", "fixed", "--throttle", "1", "--speed", "20", "--steps", "50")
    _, out, err = run(capsys, *words, "--every", "10", "--json", "--out", str(tmp_path / "drive"))
    rows = json.loads(out)
    assert [row["time"] for row in rows] == pytest.approx([0.39 * i for i in range(6)])
    assert rows[-1]["vel"] > rows[0]["vel"]
    assert "drive.npz" in err
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "km/h" in out


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", "tracks show sao_paulo"),
        ("cp437", "cars show dallara_f317"),
        ("ascii", "demo --help"),
        ("ascii", "dmeo"),
    ],
)
def test_old_terminals_get_readable_text(encoding, words) -> None:
    done = process(*words.split(), PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert b"Traceback" not in done.stderr
    assert done.returncode == (words == "dmeo")
    assert len((done.stdout + done.stderr).decode(encoding)) > 20


def test_output_may_be_cut_off() -> None:
    """A pipe that is closed early, as by `head`, is no error of ours."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-c", "from actwin.cli import main; main()", "cars", "show", "dallara_f317"],
            stdout=closed, stderr=subprocess.PIPE, timeout=120,
        )  # fmt: skip
    assert b"Traceback" not in done.stderr


def test_a_run_that_is_ended_at_once_says_what_is_left(capsys, monkeypatch, tmp_path) -> None:
    def interrupted(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("actwin.training.pipeline.train", interrupted)
    (tmp_path / "run.yaml").write_text("seed: 1", encoding="utf-8")
    words = ("train", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "run"))
    code, out, _ = run(capsys, *words)
    assert (code, "no checkpoint was made yet" in out) == (130, True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/last.pt").touch()
    assert "go on with --resume" in run(capsys, *words)[1]
