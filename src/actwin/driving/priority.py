"""A place before other programs on the processor, for loops that must not be late."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Final

NICE: Final = -10
"""On the scale of Unix, where 0 is usual and -20 goes before everything."""
BEHIND: Final = 10
"""On the same scale, for work that others need not wait for."""
ABOVE_NORMAL, NORMAL, BELOW_NORMAL = 0x8000, 0x20, 0x4000
"""Priority classes of Windows (Microsoft, "SetPriorityClass")."""


@contextlib.contextmanager
def raised() -> Iterator[bool]:
    """Goes before usual programs while the block runs, where the system lets us; what runs in it is short and sleeps.

    Linux lets only root, or a user with the right limit `nice`, do so. On Windows it was not tried.

    Yields:
        Whether the system let us.
    """
    if sys.platform == "win32":
        with _windows(ABOVE_NORMAL) as done:
            yield done
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
