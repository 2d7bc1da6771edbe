"""Several training runs on one machine: each a process of its own, with its share of the processor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from actwin.driving.interruption import Interruption
from actwin.errors import ConfigError
from actwin.training.config import load_config
from actwin.training.folder import FINISHED, read_record, require_free
from actwin.training.runs import LAST, physical_cores

OUTPUT: Final = "output.log"
"""File in a run's folder with what its process prints."""
MOST_RUNS: Final = 256
MOST_THREADS: Final = 8
"""More do not help networks of this size."""
WAITING, RUNNING, DONE, FAILED, SKIPPED = "waiting", "running", "finished", "failed", "finished before"
POLL: Final = 0.25
"""[s] Between two looks at the processes."""
_TAIL: Final = 4096


class Job(NamedTuple):
    """One run to be."""

    config: Path
    settings: tuple[str, ...]
    """As key=value."""
    out: Path


class Status(NamedTuple):
    """What a run is doing."""

    job: Job
    state: str
    """"waiting", "running", "finished", "failed", "stopped" or "finished before"."""
    line: str
    """The last one that it printed."""


def plan(configs: Sequence[Path], settings: Sequence[str], seeds: Sequence[int], out: Path) -> list[Job]:
    """One run for each settings file and seed, each in a folder of its own, all checked before any begins.

    Args:
        configs: Settings files.
        settings: What differs in all of them, as key=value.
        seeds: None for that of each file.
        out: Folder of all runs.

    Raises:
        ConfigError: Settings that do not fit, two runs of one name, a folder that is in use, too many runs.
    """
    jobs = []
    for config in configs:
        for seed in seeds or (None,):
            name = config.stem if seed is None else f"{config.stem}/seed_{seed}"
            own = settings if seed is None else (*settings, f"seed={seed}")
            jobs.append(Job(config, tuple(own), out / name))
    if len(jobs) > MOST_RUNS:
        raise ConfigError(f"{len(jobs)} runs are more than {MOST_RUNS}. Launch them in parts.")
    folders = [job.out for job in jobs]
    if twice := next((folder for folder in folders if folders.count(folder) > 1), None):
        raise ConfigError(f"Two runs would be written to {twice}. Give each seed once and files of different names.")
    for job in jobs:
        load_config(job.config, job.settings)
        require_free(job.out)
    return jobs


def parse_seeds(text: str) -> list[int]:
    """Seeds as they are written: "0,1,2" or "0-4" or both.

    Raises:
        ConfigError: Anything else.
    """
    seeds: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ConfigError(f"'{text}' are no seeds. Write them like 0,1,2 or 0-4.")
        seeds += range(int(first), min(int(last or first), int(first) + MOST_RUNS) + 1)
    return seeds


class Launcher:
    """Runs jobs, some at once, the others after them.

    Args:
        jobs: What to run.
        at_once: Processes at a time; by default one for each core.
        resume: Go on with runs that have a checkpoint, and leave out those that have finished.
        logs: Folder of all curves.
        cores: Of this machine, to be shared.
    """

    def __init__(
        self, jobs: Sequence[Job], at_once: int | None = None, resume: bool = False, logs: Path = Path("logs"),
        cores: int | None = None,
    ) -> None:  # fmt: skip
        cores = cores or physical_cores()
        self.at_once = min(at_once or cores, len(jobs))
        self.threads = max(1, min(cores // max(self.at_once, 1), MOST_THREADS))
        self._resume, self._logs = resume, logs
        self._jobs = list(jobs)
        self._states = [SKIPPED if resume and _finished(job.out) else WAITING for job in jobs]
        self._children: dict[int, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}
        self._told = False

    def run(self, show: Callable[[list[Status]], None], every: float = 1.0) -> list[Status]:
        """Runs all of them; Ctrl-C asks all that run to save and end, a second one ends them at once.

        Args:
            show: Gets told what each of them does.
            every: [s] How often.

        Returns:
            What became of each.
        """
        shown = -every
        try:
            with Interruption() as stop:
                while self._go_on(stop.asked):
                    if time.monotonic() - shown >= every:
                        shown = time.monotonic()
                        show(self.statuses())
                    time.sleep(POLL)
        finally:
            for child, output in self._children.values():
                child.kill()
                child.wait()
                output.close()
        statuses = self.statuses()
        show(statuses)
        return statuses

    def statuses(self) -> list[Status]:
        """What each run is doing."""
        return [
            Status(job, state, _last_line(job.out / OUTPUT) if state not in (WAITING, SKIPPED) else "")
            for job, state in zip(self._jobs, self._states, strict=True)
        ]

    def _go_on(self, stopping: bool) -> bool:
        """Looks after the processes; False when nothing is left to do."""
        for number, (child, output) in list(self._children.items()):
            if (code := child.poll()) is None:
                continue
            output.close()
            del self._children[number]
            self._states[number] = DONE if code == 0 else "stopped" if stopping else FAILED
        if stopping:
            if not self._told:
                self._told = True
                for child, _ in self._children.values():
                    _ask_to_end(child)
            return bool(self._children)
        for number, state in enumerate(self._states):
            if state == WAITING and len(self._children) < self.at_once:
                self._begin(number)
        return bool(self._children)

    def _begin(self, number: int) -> None:
        job = self._jobs[number]
        job.out.mkdir(parents=True, exist_ok=True)
        words = ["train", str(job.config), *job.settings, f"train.threads={self.threads}"]
        words += ["--out", str(job.out), "--logs", str(self._logs)]
        words += ["--resume"] if self._resume and (job.out / LAST).is_file() else []
        output = (job.out / OUTPUT).open("ab" if self._resume else "wb")
        self._children[number] = start([sys.executable, "-m", "actwin.cli", *words], output, self.threads), output
        self._states[number] = RUNNING


def start(command: Sequence[str], output: IO[bytes], threads: int) -> subprocess.Popen[bytes]:
    """Starts a process that Ctrl-C in our terminal does not reach: we tell it ourselves, once.

    Args:
        command: Words.
        output: Gets what it prints.
        threads: For libraries that would otherwise take every core.
    """
    env = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env,
        creationflags=flags, start_new_session=os.name != "nt",
    )  # fmt: skip


def _ask_to_end(child: subprocess.Popen[bytes]) -> None:
    """What Ctrl-C would have told it."""
    child.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))


def _finished(out: Path) -> bool:
    return (read_record(out) or {}).get("state") == FINISHED


def _last_line(path: Path) -> str:
    """The last line of a file that has something in it, "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
