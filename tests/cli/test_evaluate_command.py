"""`actwin evaluate` and `scripts/eval.py` as their user meets them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from actwin.agents.checkpoints import load_checkpoint, save_checkpoint
from actwin.analysis.session import open_session
from actwin.cli import main
from actwin.telemetry.store.listing import sessions
from actwin.training.config import dump_config, load_config
from actwin.training.pipeline import train

SETTINGS = (
    "env.track=oval", "imitation.cars=8", "imitation.seconds=15", "imitation.bc.epochs=4", "imitation.bc.batch=128",
    "agent.type=ppo", "agent.hidden=[32, 32]", "agent.rollout=8", "agent.critic_warmup=1", "train.cars=32",
    "train.threads=1", "train.steps=256", "train.evaluate_every=1_000_000",
)  # fmt: skip


class Quiet:
    """Nobody watches."""

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two runs that differ in their seed."""
    folder = tmp_path_factory.mktemp("runs")
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    train(load_config(None, SETTINGS), folder / "oval_0", Quiet())
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    shutil.copytree(folder / "oval_0", folder / "oval_1")
    for path in (folder / "oval_1").glob("*.pt"):
        checkpoint = load_checkpoint(path) if path.name in ("best.pt", "last.pt") else None
        if checkpoint is not None:
            checkpoint["config"] = dict(checkpoint["config"]) | {"seed": 1}
            save_checkpoint(path, checkpoint)
    (folder / "oval_1" / "config.yaml").write_text(
        dump_config(load_config(None, (*SETTINGS, "seed=1"))), encoding="utf-8"
    )
    return folder


def run(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(("evaluate", *map(str, words)))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_seeds_expert_and_profile_in_one_table(capsys, runs, tmp_path) -> None:
    results = tmp_path / "results" / "all.json"
    code, out, _ = run(capsys, str(runs / "oval_*"), "--episodes", "4", "--save-results", str(results))
    assert code == 0
    for word in ("oval_0", "oval_1", "oval × 2 seeds", "expert", "speed profile", "Mean lap", "Steering"):
        assert word in out
    told = json.loads(results.read_text(encoding="utf-8"))
    assert told["plan"] == {"starts": ["grid", "flying", "random"], "episodes": 4, "laps": 1, "seed": 0}
    [race] = told["races"]
    assert [line["driver"] for line in race["drivers"]] == [
        "oval_0", "oval_1", "oval × 2 seeds", "expert", "speed profile",
    ]  # fmt: skip
    assert len(race["episodes"]) == 3 * 4
    expert = race["drivers"][3]
    assert (expert["clean"], expert["episodes"], expert["of"]) == (4, 4, "expert")
    assert expert["mean_lap_low"] < expert["mean_lap"] < expert["mean_lap_high"]
    # The same weights: the seeds' interval has no width, the runs are equal to the last bit.
    first, second = ([each[k] for each in race["episodes"] if each["driver"] == d] for d in ("oval_0", "oval_1")
                     for k in ["reward"])  # fmt: skip
    assert first == second


def test_every_format_tells_the_same(capsys, runs) -> None:
    words = (str(runs / "oval_0" / "last.pt"), "--starts", "flying", "--no-expert", "--laps", "2")
    _, out, _ = run(capsys, *words, "--format", "csv", "--rows", "laps")
    laps = list(csv.DictReader(io.StringIO(out)))
    _, out, _ = run(capsys, *words, "--format", "csv", "--rows", "episodes")
    [episode] = csv.DictReader(io.StringIO(out))
    assert (episode["driver"], episode["start"], int(episode["laps"])) == ("oval_0/last.pt", "flying", len(laps))
    _, out, _ = run(capsys, *words, "--json")
    told = json.loads(out)["races"][0]
    assert [lap["time"] for lap in told["laps"]] == [float(lap["time"]) for lap in laps]
    _, out, _ = run(capsys, *words, "--format", "markdown")
    assert "| Driver | Clean | Best lap |" in out
    assert "| oval_0/last.pt |" in out


def test_rollouts_are_sessions_that_say_what_they_are(capsys, runs, tmp_path) -> None:
    code, _, err = run(
        capsys, str(runs / "oval_0"), "--episodes", "3", "--seed", "5", "--no-expert", "--save-rollouts", str(tmp_path)
    )
    assert code == 0
    assert err.count("Session ") == 3
    found = sessions(tmp_path)
    assert sorted(session.meta.settings["start"] for session in found) == ["flying", "grid", "random"]
    meta = found[0].meta
    assert (meta.driver, meta.track, meta.source) == ("oval_0", "oval", "twin")
    assert meta.settings["checkpoint"] == str(runs / "oval_0" / "best.pt")
    assert (meta.settings["start_seed"], meta.settings["training_seed"], meta.settings["algorithm"]) == (5, 0, "ppo")
    opened = open_session(found[0])
    assert opened.track is not None
    assert opened.track.name == "oval"
    assert len(found[0].sent) == len(found[0])


def test_the_documents_command(runs, tmp_path, repository) -> None:
    words = ["--checkpoint", str(runs / "oval_0" / "last.pt"), "--episodes", "3", "--save-rollouts", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(repository / "scripts" / "eval.py"), *words, "--no-expert", "--format", "csv"],
        capture_output=True, timeout=300, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "oval_0/last.pt" in done.stdout
    assert len(sessions(tmp_path)) == 3


def test_worlds_are_kept_apart(capsys, runs, tmp_path) -> None:
    checkpoint = load_checkpoint(runs / "oval_0" / "last.pt")
    other = json.loads(json.dumps(checkpoint["task"]["config"]))
    other["physics"]["grip"] = 0.9
    from actwin.env.task import Task, TaskConfig

    checkpoint["task"] = Task(TaskConfig.of(other)).identity()
    save_checkpoint(tmp_path / "slippery.pt", checkpoint)
    words = (str(runs / "oval_0"), str(tmp_path / "slippery.pt"), "--starts", "flying", "--no-expert")
    _, out, _ = run(capsys, *words, "--json")
    races = json.loads(out)["races"]
    assert [race["world"] for race in races] == [
        "formula_alpha_2022 on oval, clear", "formula_alpha_2022 on oval, clear, grip 0.9",
    ]  # fmt: skip
    assert races[1]["speed_profile_lap"] > races[0]["speed_profile_lap"]


def damaged(runs: Path, folder: Path) -> Path:
    whole = (runs / "oval_0" / "last.pt").read_bytes()
    (folder / "cut.pt").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.pt"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["{runs}", "--episodes", "0"], "'--episodes'"),
        (["{runs}/oval_0", "--starts", "grid", "--episodes", "3"], "grid starts are the same every time"),
        (["{runs}/oval_0", "--starts", "grdi"], "Unknown start 'grdi'. Did you mean grid"),
        (["{runs}/oval_0", "--starts", ""], "no kind of start"),
        (["{runs}"], "is no run but holds runs (oval_0, oval_1)"),
        (["{tmp}"], "holds no best.pt or last.pt"),
        (["{runs}/nowhere"], "there is no such checkpoint"),
        (["{runs}/x*"], "there is no such checkpoint"),
        (["{runs}/oval_0", "{damaged}"], "cut.pt: is truncated or damaged"),
        (["{runs}/oval_0", "--track", "ovl"], "Unknown track 'ovl'"),
        (["{runs}/oval_0", "--video", "film.avi"], "film.avi: a film is an .mp4 file"),
        (["{runs}/oval_0", "--format", "xml"], "'--format'"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_line(capsys, runs, tmp_path, words, hint) -> None:
    places = {"runs": runs, "tmp": tmp_path, "damaged": damaged(runs, tmp_path) if "{damaged}" in words else ""}
    code, out, err = run(capsys, *(word.format(**places) for word in words))
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert hint in err


def test_results_that_cannot_be_written_are_said(capsys, runs, tmp_path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    words = (str(runs / "oval_0"), "--starts", "flying", "--no-expert")
    code, _, err = run(capsys, *words, "--save-results", str(tmp_path / "file" / "all.json"))
    assert code == 1
    assert "cannot be written" in err


def test_the_fastest_drive_is_filmed(capsys, runs, tmp_path, monkeypatch) -> None:
    filmed = []
    monkeypatch.setattr("actwin.cli.video.shoot", lambda footage, path: filmed.append(footage) or path)
    words = (str(runs / "oval_0"), "--episodes", "2", "--rows", "episodes", "--format", "csv")
    code, out, err = run(capsys, *words, "--video", str(tmp_path / "lap.mp4"))
    assert code == 0
    assert "lap.mp4" in err
    [footage] = filmed
    assert (footage.driver, footage.track.name, len(footage.sent)) == ("oval_0", "oval", len(footage.time))
    times = {row["best_lap"]: row["start_distance"] for row in csv.DictReader(io.StringIO(out))
             if row["driver"] == "oval_0" and row["best_lap"]}  # fmt: skip
    if times:
        assert float(footage.frames["lap_distance"][0]) == float(times[min(times, key=float)])


def test_an_exported_policy_and_a_run_named_expert_take_part(capsys, runs, tmp_path) -> None:
    pytest.importorskip("onnxscript")
    from actwin.driving.policy_export import export_checkpoint

    shutil.copytree(runs / "oval_0", tmp_path / "expert")
    export_checkpoint(runs / "oval_0" / "best.pt", tmp_path / "policy.onnx")
    words = (str(tmp_path / "expert"), str(tmp_path / "policy.onnx"), "--starts", "flying", "--format", "csv")
    _, out, _ = run(capsys, *words, "--rows", "episodes")
    ours, exported, scripted = csv.DictReader(io.StringIO(out))
    assert [each["driver"] for each in (ours, scripted)] == ["expert", "expert"]
    assert exported["driver"].endswith("/policy.onnx")
    assert float(exported["reward"]) == pytest.approx(float(ours["reward"]), rel=0.02)
    assert scripted["clean"] == "True"
    assert scripted["reward"] != ours["reward"]
