"""Starting and ending training runs from a page: child processes that go on when the page, or its server, is gone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from actwin.errors import ConfigError
from actwin.training.folder import STOP, is_locked

LOG: Final = "dashboard.log"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_TAIL: Final = 6000
_children: list[subprocess.Popen[bytes]] = []


def presets(configs: Path) -> list[str]:
    """Names of the settings files a run can be started with.

    Args:
        configs: Their folder; links that lead out of it are passed over.
    """
    try:
        inside = configs.resolve()
        return sorted(path.name for path in configs.glob("*.yaml") if path.resolve().is_relative_to(inside))
    except OSError:
        return []


def start(configs: Path, preset: str, runs: Path, name: str, minutes: float, seed: int) -> Path:
    """Starts a run.

    Args:
        configs: Folder of settings files.
        preset: Name of one of `presets`.
        runs: Folder of runs.
        name: Of the run's folder in it: letters, digits, `_` and `-`.
        minutes: [min] Budget of reinforcement learning.
        seed: Of the run.

    Returns:
        The run's folder.

    Raises:
        ConfigError: The name does not fit, is taken, or there is no such settings file.
    """
    if preset not in presets(configs):
        raise ConfigError(f"{configs}: has no settings file of that name.")
    if not _NAME.fullmatch(name):
        raise ConfigError("A run's name has letters, digits, - and _ only, at most 40. Give another name.")
    folder = runs / name
    if folder.exists():
        raise ConfigError(f"{folder}: is there already. Give the run another name.")
    try:
        folder.mkdir(parents=True)
        with (folder / LOG).open("wb") as log:
            words = [str((configs / preset).resolve()), f"train.minutes={minutes:g}", f"seed={int(seed)}"]
            command = [sys.executable, "-m", "actwin.cli.training_child", *words, "--out", str(folder.resolve())]
            _children.append(_detached(command, log))
    except OSError as error:
        raise ConfigError(f"{folder}: the run cannot be started ({error}). Choose another folder for runs.") from error
    return folder


def _detached(command: list[str], log: object) -> subprocess.Popen[bytes]:
    """A process that Ctrl-C in the server's terminal does not reach."""
    kept = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(command, creationflags=flags, **kept)  # type: ignore[call-overload,no-any-return]
    return subprocess.Popen(command, start_new_session=True, **kept)  # type: ignore[call-overload,no-any-return]


def ask_to_stop(folder: Path) -> None:
    """Ends a run after its round, with a checkpoint to go on from.

    Args:
        folder: Of the run.

    Raises:
        ConfigError: The request cannot be written.
    """
    try:
        (folder / STOP).touch()
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be told to stop ({error}). Press Ctrl-C where it runs.") from error


def started_here(folder: Path) -> bool:
    """Whether a run was started from a page, so that it can be stopped from one."""
    return (folder / LOG).is_file()


def goes_on(folder: Path) -> bool:
    """Whether a run's process lives."""
    for child in list(_children):  # those that ended are let go
        if child.poll() is not None:
            _children.remove(child)
    mine = any(str(folder.resolve()) in map(str, child.args) for child in _children if isinstance(child.args, list))
    return mine or is_locked(folder)


def stopping(folder: Path) -> bool:
    """Whether a run was asked to end and has not seen it yet."""
    return (folder / STOP).exists()


def last_words(folder: Path) -> str:
    """The end of what a run wrote to its terminal; empty when it was started elsewhere."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            text = file.read(_TAIL).decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(line for line in text.replace("\r", "\n").splitlines() if line.strip())[-_TAIL:]
