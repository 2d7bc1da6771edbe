from __future__ import annotations

import os
import sys
import threading

import pytest

from actwin.driving.priority import FIRST_CLASS, NICE, USUAL_CLASS, lowered, raised

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="priorities of Unix")


@pytest.mark.skipif(sys.platform != "linux", reason="scheduling of Linux")
@pytest.mark.parametrize(("first", "priority"), [(False, USUAL_CLASS), (True, FIRST_CLASS)])
def test_all_threads_are_raised_and_given_back(first: bool, priority: int) -> None:
    end = threading.Event()
    earlier, later = threading.Thread(target=end.wait), threading.Thread(target=end.wait)
    earlier.start()
    before = os.sched_getscheduler(0)
    try:
        with raised(first=first) as done:
            later.start()
            if done and os.sched_getscheduler(0) == os.SCHED_RR:
                for thread in (threading.main_thread(), earlier, later):
                    assert os.sched_getscheduler(thread.native_id or 0) == os.SCHED_RR
                    assert os.sched_getparam(thread.native_id or 0).sched_priority == priority
        for thread in (threading.main_thread(), earlier, later):
            assert os.sched_getscheduler(thread.native_id or 0) == before
    finally:
        end.set()
        earlier.join()
        later.join()


def refuse(*words: object) -> None:
    raise PermissionError


def test_without_real_time_it_is_a_nice_value(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with raised() as done:
        assert os.getpriority(os.PRIO_PROCESS, 0) == (min(before, NICE) if done else before)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_nobody_minds_when_it_is_not_allowed(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    monkeypatch.setattr(os, "setpriority", refuse)
    with raised() as done:
        assert not done
    with lowered():
        pass
