"""How a speed is measured and shown in these benchmarks."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

WINDOWS = 5
LARGEST_BATCH = 64
"""Calls between two looks at the clock, at most."""


class Speed(NamedTuple):
    """One line of a table of speeds.

    Attributes:
        name: What was run.
        note: What it computes, and in what it differs from the twin's control step.
        cars: Cars that advance together.
        threads: Threads that were allowed.
        rate: [Hz] Control steps in one second of simulated time.
        steps: [1/s] Control steps of one car in one second of real time.
    """

    name: str
    note: str
    cars: int
    threads: int
    rate: float
    steps: float


def calls_per_second(
    step: Callable[[], object],
    seconds: float,
    prepare: Callable[[], object] | None = None,
    every: int = sys.maxsize,
) -> float:
    """Calls made in one second, in the best of five windows: whatever else a machine does can only slow a window down.

    Args:
        step: What is measured; called once before, so that nothing is compiled in the windows.
        seconds: [s] Length of all windows together.
        prepare: Called at the start of each window and again after `every` calls, not measured.
        every: Calls after which `prepare` is due again.
    """
    step()
    rates = []
    for _ in range(WINDOWS):
        calls, spent, batch, since = 0, 0.0, 1, every
        while spent < seconds / WINDOWS:
            if prepare is not None and since >= every:
                prepare()
                since = 0
            count = batch if prepare is None else min(batch, every - since)
            start = time.perf_counter()
            for _ in range(count):
                step()
            took = time.perf_counter() - start
            calls, spent, since = calls + count, spent + took, since + count
            batch = min(2 * batch, LARGEST_BATCH) if took < 0.01 else batch
        rates.append(calls / spent)
    return max(rates)


def speed_table(speeds: Sequence[Speed]) -> str:
    """Markdown table of speeds; the last two columns are for one car."""
    head = ("simulator", "cars", "threads", "control steps/s", "ns a step", "s driven in 1 s")
    rows = [
        (s.name, f"{s.cars:,}", str(s.threads), f"{s.steps:,.0f}", f"{1e9 / s.steps:,.0f}", f"{s.steps / s.rate:,.0f}")
        for s in speeds
    ]
    return markdown(head, rows)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown table; columns after the first stand to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join("| " + " | ".join(_padded(row, widths)) + " |" for row in [head, rule, *rows])


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]


def machine() -> str:
    """Processor, number of cores that may be used, system and Python; for the caption of a table."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()}, Python {platform.python_version()}"
