"""docs/task.md says what the registries say."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_task_page_is_current(repository: Path) -> None:
    """Run `python docs/task.py` after a change of features, actions, rewards, starts, ends or settings."""
    page = runpy.run_path(str(repository / "docs" / "task.py"))["page"]
    assert (repository / "docs" / "task.md").read_text(encoding="utf-8") == page()
