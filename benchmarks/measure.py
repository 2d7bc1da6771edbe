"""How a speed is measured in these benchmarks."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

WINDOWS = 5


class Speed(NamedTuple):
    """One line of a table of speeds.

    Attributes:
        name: What was run.
        model: What it computes.
        unlike: In what it differs from the twin's control step.
        cars: Cars that advance together.
        threads: Threads that were allowed.
        rate: [Hz] Control steps in one second of simulated time.
        steps: [1/s] Control steps of one car in one second of real time.
    """

    name: str
    model: str
    unlike: str
    cars: int
    threads: int
    rate: float
    steps: float

    @property
    def real_time(self) -> float:
        """Seconds of driving, of one car, computed in one second."""
        return self.steps / self.rate


def calls_per_second(step: Callable[[], object], seconds: float, prepare: Callable[[], object] | None = None) -> float:
    """Median over five windows of the calls made in one second.

    The median, because a shared machine disturbs single windows in both directions: busy neighbours, turbo clocks.

    Args:
        step: What is measured; called once before, so that nothing is compiled in the windows.
        seconds: [s] Length of all windows together.
        prepare: Called before each window, not measured.
    """
    step()
    rates = []
    for _ in range(WINDOWS):
        if prepare is not None:
            prepare()
        calls, spent, batch = 0, 0.0, 1
        while spent < seconds / WINDOWS:
            start = time.perf_counter()
            for _ in range(batch):
                step()
            took = time.perf_counter() - start
            calls, spent = calls + batch, spent + took
            batch = min(2 * batch, 64) if took < 0.01 else batch
        rates.append(calls / spent)
    return statistics.median(rates)


def machine() -> str:
    """Processor, number of cores that may be used, Python; for the caption of a table."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()}, Python {platform.python_version()}"
