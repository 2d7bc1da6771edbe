"""The environments train under Stable-Baselines3 as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_stable_baselines3_learns_in_our_environment(repository: Path, tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="needs a peer: pip install -r benchmarks/requirements.txt")
    script = repository / "examples" / "train_with_stable_baselines3.py"
    done = subprocess.run(
        [sys.executable, script, "--steps", "1010", "--out", str(tmp_path / "driver")],
        capture_output=True, timeout=300, encoding="utf-8", env=os.environ | {"PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "after 1,010 steps" in done.stdout
    assert (tmp_path / "driver.zip").is_file()
