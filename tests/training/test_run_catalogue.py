import json
import math
import os
from pathlib import Path

import pytest

from actwin.errors import ConfigError
from actwin.training.catalogue import find_runs
from actwin.training.config import dump_config, load_config


def a_run(folder: Path, rows: list[dict[str, float]], written: float, *settings: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dump_config(load_config(None, settings)), encoding="utf-8")
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for path in folder.iterdir():
        os.utime(path, (written, written))
    return folder


def test_runs_are_found_newest_first_with_their_best_lap(tmp_path: Path) -> None:
    rows = [
        {"step": 100, "seconds": 5.0, "evaluation/best_lap": 90.5, "evaluation/clean_share": 0.5},
        {"step": 200, "seconds": 9.0, "evaluation/best_lap": 88.25, "evaluation/clean_share": 1.0},
        {"step": 300, "seconds": 12.0, "agent/loss": 0.1},
    ]
    old = a_run(tmp_path / "old", [], 1e9)
    new = a_run(tmp_path / "group" / "new", rows, 1.5e9, "agent.type=sac", "seed=3")
    (new / "best.pt").write_bytes(b"x")
    (tmp_path / "notes").mkdir()
    first, second = find_runs(tmp_path)
    assert (first.folder, second.folder) == (new, old)
    assert (first.steps, first.seconds, first.best_lap, first.clean_share) == (300, 12.0, 88.25, 1.0)
    assert (first.config.agent.type, first.config.seed, first.checkpoint) == ("sac", 3, new / "best.pt")
    assert math.isnan(second.best_lap)
    assert second.steps == 0
    assert not first.running


def test_a_folder_that_is_no_run_is_passed_over(tmp_path: Path) -> None:
    broken = a_run(tmp_path / "broken", [], 1e9)
    (broken / "config.yaml").write_text("agent: [1, 2", encoding="utf-8")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "config.yaml").write_text("database: here", encoding="utf-8")
    assert find_runs(tmp_path) == []


def test_a_folder_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        find_runs(tmp_path / "nothing")
