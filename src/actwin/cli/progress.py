"""Progress bars of a job with several stages, each with the time it has left."""

from __future__ import annotations

import time
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
        return Text("" if left is None else f"{int(left) // 60}:{int(left) % 60:02d} left", style="cyan")


class StageBars:
    """One bar for each stage; implements what `actwin.training.demo` reports to.

    Without a screen (a log file, CI) only the finished stages are printed, one line each.
    """

    def __init__(self) -> None:
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
            self._begun[stage] = time.perf_counter()
            self._tasks[stage] = self._bars.add_task(f"{stage:<24}", total=1.0, note="")
        task = self._tasks[stage]
        self._bars.update(task, completed=share, note=note, left=left)
        if share >= 1.0 and not self._live and (begun := self._begun.pop(stage, None)):
            self._console.print(f"{stage} ({time.perf_counter() - begun:.0f} s): {note or 'done'}", soft_wrap=True)
