"""A short run of the script that damages files."""

from __future__ import annotations

import subprocess
import sys


def test_damaged_files_are_read_or_refused(repository) -> None:
    done = subprocess.run(
        [sys.executable, "tools/fuzz_files.py", "--files", "1500", "--seed", "3"],
        cwd=repository, capture_output=True, timeout=120, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.stderr == ""
    assert "all well" in done.stdout
