"""A place before other programs on the processor, for loops that must not be late."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Final

NICE: Final = -10
"""On the scale of Unix, where 0 is usual and -20 goes before everything."""
BEHIND: Final = 10
"""On the same scale, for work that others need not wait for."""
USUAL_CLASS, FIRST_CLASS = 1, 2
"""Priorities of `SCHED_RR`, of which 1 already goes before everything that is not of this kind."""
ABOVE_NORMAL, NORMAL, BELOW_NORMAL = 0x8000, 0x20, 0x4000
"""Priority classes of Windows (Microsoft, "SetPriorityClass")."""


@contextlib.contextmanager
def raised(*, first: bool = False) -> Iterator[bool]:
    """Goes before usual programs while the block runs, where the system lets us; what runs in it is short and sleeps.

    That is all threads of this process that Python knows, and those begun in the block: one that was left behind could
    hold the interpreter's lock while the loop is due. On Linux they are scheduled in real time, as a nice value counts
    only among programs of the same terminal (sched(7), "The autogroup feature"), else by a nice value. Linux lets only
    root, or a user with the right limit `rtprio` or `nice`, do so. On Windows it was not tried.

    Args:
        first: Whether to go before other such loops, too, as one with a shorter period should.

    Yields:
        Whether the system let us.
    """
    if sys.platform == "win32":
        with _windows(ABOVE_NORMAL) as done:
            yield done
        return
    with _real_time(FIRST_CLASS if first else USUAL_CLASS) as done:
        if done:
            yield True
            return
        with _unix(min(os.getpriority(os.PRIO_PROCESS, 0), NICE)) as done:
            yield done


@contextlib.contextmanager
def lowered() -> Iterator[None]:
    """Goes behind usual programs while the block runs: work that takes all it gets, beside loops that must not be late.

    On Unix that is this thread and those it starts; one who is not root may not be able to come back.
    """
    if sys.platform == "win32":
        with _windows(BELOW_NORMAL):
            yield
        return
    with _unix(max(os.getpriority(os.PRIO_PROCESS, 0), BEHIND)):
        yield


@contextlib.contextmanager
def _real_time(priority: int) -> Iterator[bool]:
    if sys.platform != "linux":
        yield False
        return
    policy, before = os.sched_getscheduler(0), os.sched_getparam(0)
    if policy == os.SCHED_RR:  # somebody else did it, who will undo it
        yield True
        return
    if not _schedule(os.SCHED_RR, os.sched_param(priority)):
        yield False
        return
    try:
        yield True
    finally:
        _schedule(policy, before)


def _schedule(policy: int, parameters: os.sched_param) -> bool:
    """Schedules all threads of this process that Python knows; whether that may be done."""
    if sys.platform != "linux":
        return False
    for thread in threading.enumerate():
        try:
            os.sched_setscheduler(thread.native_id or 0, policy, parameters)
        except ProcessLookupError:  # it has ended meanwhile
            continue
        except OSError:
            return False
    return True


@contextlib.contextmanager
def _unix(nice: int) -> Iterator[bool]:
    if sys.platform == "win32":
        raise OSError("not on this system")
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, before)


@contextlib.contextmanager
def _windows(priority: int) -> Iterator[bool]:
    if sys.platform != "win32":
        raise OSError("not on this system")
    import ctypes

    kernel = ctypes.windll.kernel32
    process = kernel.GetCurrentProcess()
    before = kernel.GetPriorityClass(process)
    done = bool(kernel.SetPriorityClass(process, priority))
    try:
        yield done
    finally:
        kernel.SetPriorityClass(process, before or NORMAL)
