"""Progress bars of a job with several stages, each with the time it has left."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from actwin.cli.terminal import console


class _TimeLeft(ProgressColumn):
    """Time left as the stage knows it, else from its pace so far."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """The column's text."""
        if task.finished:
            return Text("")
        left = task.fields.get("left")
        left = task.time_remaining if left is None else left
        return Text(_left(left).removeprefix(", "), style="cyan")


class StageBars:
    """One bar for each stage; implements what `actwin.training.demo` reports to.

    Without a screen (a log file, CI) a line is printed for each stage that ends, and now and then for one that goes on.

    Args:
        every: [s] Between the lines of a stage without a screen.
        clock: [s] What time it is.
    """

    def __init__(self, every: float = 10.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._every, self._clock, self._told = every, clock, clock()
        self._console = console(stderr=True)
        self._live = self._console.is_terminal
        rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=16),
            TextColumn("{task.percentage:>3.0f} %", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            _TimeLeft(table_column=Column(no_wrap=True, min_width=9)),
            TextColumn("{task.fields[note]}", markup=False, table_column=rest),
            console=self._console,
            disable=not self._live,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        """Moves a stage's bar; the first call begins the stage.

        Args:
            stage: Its name, shown before the bar.
            share: [-] Done, 0 to 1.
            note: A few words behind the bar.
            left: [s] Time left, when the stage knows it.
        """
        if stage not in self._tasks:
            self._begun[stage] = self._told = self._clock()
            self._tasks[stage] = self._bars.add_task(f"{stage:<24}", total=1.0, note="")
        task = self._tasks[stage]
        self._bars.update(task, completed=share, note=note, left=left)
        if not self._live:
            self._tell(stage, share, note, left)

    def _tell(self, stage: str, share: float, note: str, left: float | None) -> None:
        """Prints a line when one is due."""
        now = self._clock()
        if share >= 1.0:
            begun = self._begun.pop(stage, None)
            line = "" if begun is None else f"{stage} ({now - begun:.0f} s): {note or 'done'}"
        else:
            due = now - self._told >= self._every
            line = f"{stage} {share:.0%}: {note}{_left(left)}" if due else ""
        if line:
            self._told = now
            self._console.print(line, soft_wrap=True)


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", {int(seconds) // 60}:{int(seconds) % 60:02d} left"
