"""One run at a time in a folder, none overwritten, all of it told."""

import json
from pathlib import Path

import pytest

from actwin.errors import ActwinError, CheckpointError, ConfigError
from actwin.telemetry.store.folder import WriterLock
from actwin.training.catalogue import scan_runs
from actwin.training.config import RunConfig
from actwin.training.folder import (
    FINISHED,
    LOCK,
    RunFolder,
    is_locked,
    last_checkpoint,
    logs_folder,
    read_record,
    require_free,
)
from actwin.training.metrics import Metrics
from actwin.training.runs import git_commit


def state(out: Path) -> tuple[str, str]:
    record = read_record(out)
    assert record is not None
    return record["state"], record["note"]


def test_the_record_follows_the_run(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with RunFolder(RunConfig(seed=7), out) as folder:
        assert (state(out), is_locked(out)) == (("running", ""), True)
        folder.state = FINISHED
    assert (state(out), is_locked(out)) == (("finished", ""), False)
    record = read_record(out)
    assert record is not None
    assert record["seed"] == 7
    assert {"python", "torch", "actwin"} <= set(record["versions"])
    with pytest.raises(ActwinError), RunFolder(RunConfig(), out, resumed=512):
        raise ActwinError("The disk is full.")
    assert state(out) == ("failed", "The disk is full.")
    assert (read_record(out) or {})["resumed"] == [512]
    with pytest.raises(KeyboardInterrupt), RunFolder(RunConfig(), out, resumed=1024):
        raise KeyboardInterrupt
    assert state(out) == ("stopped", "")


def test_a_full_disk_still_has_room_for_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    run = RunFolder(RunConfig(), tmp_path).__enter__()
    monkeypatch.setattr("actwin.training.folder.write_text", full)
    run.__exit__(ActwinError, ActwinError("the disk is full"), None)
    assert state(tmp_path) == ("failed", "the disk is full")


def test_a_new_run_moves_the_one_before_aside_with_its_curves(tmp_path: Path) -> None:
    out, logs = tmp_path / "run", tmp_path / "logs"
    for seed in (1, 2, 3):
        with RunFolder(RunConfig(seed=seed), out, logs):
            for name in ("last.pt", "step_100.pt", "metrics.jsonl"):
                (out / name).write_text(str(seed), encoding="utf-8")
            (out / "notes.txt").write_text("mine", encoding="utf-8")
            logs.mkdir(exist_ok=True)
            (logs / f"events.out.tfevents.{seed}").touch()
    assert (out / "last.pt").read_text() == "3"
    assert [path.name for path in logs.iterdir()] == ["events.out.tfevents.3"]
    earlier = sorted((out / "earlier").iterdir())
    assert [(path / "step_100.pt").read_text() for path in earlier] == ["1", "2"]
    assert (earlier[0] / "logs" / "events.out.tfevents.1").exists()
    assert not (earlier[0] / "notes.txt").exists()
    assert {run.config.seed for run in scan_runs(tmp_path)[0]} == {1, 2, 3}


def test_a_resume_keeps_everything_but_torn_files(tmp_path: Path) -> None:
    with RunFolder(RunConfig(), tmp_path):
        (tmp_path / "last.pt").write_text("good", encoding="utf-8")
        (tmp_path / "last.pt.tmp").write_text("torn", encoding="utf-8")
    with RunFolder(RunConfig(), tmp_path, resumed=5):
        assert (tmp_path / "last.pt").read_text() == "good"
        assert not (tmp_path / "last.pt.tmp").exists()
    assert not (tmp_path / "earlier").exists()


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    with RunFolder(RunConfig(), tmp_path):
        assert scan_runs(tmp_path)[0][0].running
        with pytest.raises(ConfigError, match="another process trains here"):
            require_free(tmp_path)
        with pytest.raises(ConfigError, match="another process trains here"):
            RunFolder(RunConfig(), tmp_path).__enter__()
    require_free(tmp_path)


def test_folders_that_are_no_place_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("database: here", encoding="utf-8")
    with pytest.raises(ConfigError, match="somebody else's"):
        require_free(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file"):
        require_free(tmp_path / "file")
    with pytest.raises(ConfigError, match="Choose another folder"):
        RunFolder(RunConfig(), tmp_path / "file" / "run").__enter__()
    with pytest.raises(CheckpointError, match="Without --resume"):
        last_checkpoint(tmp_path)


def test_a_killed_run_and_damaged_folders_are_told(tmp_path: Path) -> None:
    with RunFolder(RunConfig(), tmp_path / "killed"):
        pass
    record = json.loads((tmp_path / "killed" / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "killed" / "run.json").write_text(json.dumps(record | {"state": "running"}), encoding="utf-8")
    (tmp_path / "killed" / LOCK).touch()  # left behind, but nobody holds it
    for name, damage in (("torn", "metrics.parquet"), ("odd", "config.yaml")):
        with RunFolder(RunConfig(), tmp_path / name):
            metrics = Metrics(tmp_path / name)
            metrics.write({"step": 1, "seconds": 1.0})
            metrics.settle()
            metrics.close()
        (tmp_path / name / damage).write_text("nothing: that [fits", encoding="utf-8")
    for text in ("[]", "{", '{"state": "flying"}', '{"state": ["running"]}'):
        with RunFolder(RunConfig(), tmp_path / "foreign"):
            pass
        (tmp_path / "foreign" / "run.json").write_text(text, encoding="utf-8")
        assert read_record(tmp_path / "foreign") is None
    runs, broken = scan_runs(tmp_path)
    assert {run.folder.name: run.state for run in runs if "earlier" not in run.folder.parts} == {
        "killed": "killed", "foreign": "",
    }  # fmt: skip
    assert {path.name for path in broken} == {"torn", "odd"}


def test_curves_of_all_runs_lie_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert logs_folder(Path("checkpoints/"), Path("logs")) == Path("logs/checkpoints")
    assert logs_folder(Path("runs/a/seed_0"), Path("logs")) == Path("logs/runs/a/seed_0")
    assert logs_folder(tmp_path.parent / "elsewhere", Path("logs")) == Path("logs/elsewhere")


def test_a_package_below_somebody_elses_checkout_has_no_commit(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    assert git_commit(tmp_path) == ""


def test_who_only_looks_does_not_keep_a_run_out(tmp_path: Path) -> None:
    tmp_path.mkdir(exist_ok=True)
    looking = WriterLock(tmp_path, LOCK)
    assert looking.acquire()
    looking.release()
    with RunFolder(RunConfig(), tmp_path):
        pass
