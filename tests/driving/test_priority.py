from __future__ import annotations

import os
import sys

import pytest

from actwin.driving.priority import NICE, raised

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="priorities of Unix")


def test_the_priority_is_raised_and_given_back() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with raised() as done:
        assert os.getpriority(os.PRIO_PROCESS, 0) == (min(before, NICE) if done else before)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_nobody_minds_when_it_is_not_allowed(monkeypatch) -> None:
    def refuse(*words) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    with raised() as done:
        assert not done
