"""The short form of `tools/fuzz_app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def test_hostile_messages(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(repository / "tools")
    import fuzz_app

    monkeypatch.setattr(sys, "argv", ["fuzz_app", "--messages", "4000", "--seed", "7"])
    fuzz_app.main()
    assert capsys.readouterr().out.count("all servers answer") == len(fuzz_app.TARGETS)
