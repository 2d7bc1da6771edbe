"""The short form of `tools/fuzz_interfaces.py`."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_everything_still_answers_after_hostile_messages(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(repository / "tools")
    import fuzz_interfaces

    monkeypatch.setattr(fuzz_interfaces, "GROWTH", 1e9)  # caches still fill in a run this short
    assert fuzz_interfaces.run(messages=4000, seed=7, quiet=True) == []
