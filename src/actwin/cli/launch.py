"""`actwin launch`: several training runs at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from actwin.cli.options import LogsOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.training.launcher import Status

EXAMPLES = (
    "Examples: actwin launch configs/bc_sac_monza.yaml --seeds 0,1,2 --out runs/seeds · "
    "actwin launch configs/ppo_monza.yaml configs/bc_ppo_monza.yaml train.minutes=10 --out runs/compared"
)


def launch(
    words: Annotated[
        list[str],
        typer.Argument(
            help="YAML files of runs, and settings that differ in all of them.", metavar="CONFIG... [K=V]..."
        ),
    ],
    seeds: Annotated[str, typer.Option(help="A run of each file for each seed, like 0,1,2 or 0-4.")] = "",
    out: Annotated[Path, typer.Option(help="Folder of all runs; each gets a folder in it.")] = Path("runs"),
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, help="Runs at a time; by default one for each core.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with runs that have a checkpoint, leave out those that finished.")
    ] = False,
    logs: LogsOption = Path("logs"),
) -> None:
    """Train several drivers at once, each in a process of its own. Ctrl-C lets all of them save and end."""
    from actwin.errors import ActwinError, ConfigError
    from actwin.training.launcher import DONE, FAILED, SKIPPED, Launcher, parse_seeds, plan

    configs = [Path(word) for word in words if "=" not in word]
    if not configs:
        raise ConfigError("No settings file was given. Example: actwin launch configs/ppo_monza.yaml --seeds 0,1,2")
    settings = [word for word in words if "=" in word]
    jobs = plan(configs, settings, parse_seeds(seeds) if seeds else [], out)
    launcher = Launcher(jobs, at_once, resume, logs)
    console(stderr=True).print(
        f"{len(jobs)} runs, {launcher.at_once} at a time with {launcher.threads} threads each; output of each in its "
        "folder, output.log",
        soft_wrap=True,
    )
    with _Lines(out) as lines:
        ended = launcher.run(lines.show)
    failed = [status for status in ended if status.state == FAILED]
    if failed:
        told = "; ".join(f"{status.job.out}: {status.line}" for status in failed)
        raise ActwinError(f"{len(failed)} of {len(jobs)} runs failed. {told}")
    if any(status.state not in (DONE, SKIPPED) for status in ended):
        console().print("Stopped. Go on with the same command and --resume.")
        raise typer.Exit(130)
    console().print(f"All {len(jobs)} runs have finished. They are listed by: actwin runs {out}", soft_wrap=True)


class _Lines:
    """One line for each run: renewed on a screen, printed now and then elsewhere.

    Args:
        root: Folder of all runs.
    """

    EVERY = 30.0
    """[s] Between the lines of one run without a screen."""

    def __init__(self, root: Path) -> None:
        from rich.live import Live

        self._root, self._console = root, console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._told: dict[Path, tuple[str, float]] = {}

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, statuses: Sequence[Status]) -> None:
        """Shows what each run does."""
        if self._live is not None:
            rows = table("Run", "", "")
            for status in statuses:
                rows.add_row(self._name(status), status.state, status.line)
            self._live.update(rows, refresh=True)
            return
        now = time.monotonic()
        for status in statuses:
            state, when = self._told.get(status.job.out, ("", -self.EVERY))
            if status.state != state or (status.state == "running" and now - when >= self.EVERY):
                self._told[status.job.out] = status.state, now
                line = f": {status.line}" if status.line else ""
                self._console.print(f"{self._name(status)} {status.state}{line}", soft_wrap=True)

    def _name(self, status: Status) -> str:
        return status.job.out.relative_to(self._root).as_posix()
