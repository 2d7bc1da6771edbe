"""The folder of a run while it is trained in: one run at a time, none overwritten."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from actwin.agents.checkpoints import MEMORY, NEXT_MEMORY
from actwin.agents.disk_rows import PATTERN
from actwin.errors import ActwinError, CheckpointError, ConfigError
from actwin.telemetry.store.folder import WriterLock, write_text
from actwin.training.config import RunConfig, dump_config
from actwin.training.metrics import JOURNAL, TABLE
from actwin.training.runs import BEST, LAST, numerics, versions

CONFIG: Final = "config.yaml"
RECORD: Final = "run.json"
LOCK: Final = "run.lock"
BROKEN: Final = "broken.pt"
STOP: Final = "stop.request"
"""A file of this name in the folder of a run that was started from a page ends it as Ctrl-C does: after its round."""
EARLIER: Final = "earlier"
"""Folder in a run's folder with the runs that were there before it."""
FILES: Final = (CONFIG, RECORD, TABLE, JOURNAL, LAST, BEST, BROKEN, MEMORY, NEXT_MEMORY)
RUNNING, FINISHED, STOPPED, FAILED = "running", "finished", "stopped", "failed"
STATES: Final = (RUNNING, FINISHED, STOPPED, FAILED)
_EVENTS: Final = "events.out.tfevents.*"
_LARGEST_RECORD: Final = 1 << 20
_PATIENCE: Final = 1.0
"""[s] Somebody who only looks holds the lock for a moment."""


class RunFolder:
    """Keeps others out of a run's folder, and says in `run.json` what becomes of the run.

    ```
    with RunFolder(config, out) as folder:
        ...
        folder.state = FINISHED
    ```

    `run.json` holds `state` ("running", "finished", "stopped" or "failed"; a process that was killed leaves "running"
    without its lock), `note` (why it failed), `started` and `updated` (UTC), `resumed` (car steps at each resume),
    `seed`, `versions` with the git commit of the sources where there is one, and `numerics`.

    Args:
        config: The run; written to `config.yaml`.
        out: The folder; made if it does not exist.
        logs: Folder of its curves; `logs/` in the folder when None.
        resumed: Car steps of the checkpoint that the run goes on from. None begins a new run: one that is in the folder
            is moved into `earlier/`, with its curves.

    Attributes:
        state: What the record says when the run ends without an error.

    Raises:
        ConfigError: Another process trains in the folder, it holds something else, or it cannot be written.
    """

    def __init__(self, config: RunConfig, out: Path, logs: Path | None = None, resumed: int | None = None) -> None:
        self.out, self.logs = out, logs or out / "logs"
        self.state = STOPPED
        self._config, self._resumed = config, resumed
        self._lock = WriterLock(out, LOCK)
        self._record: dict[str, Any] = {}

    def __enter__(self) -> Self:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            _acquire(self._lock, self.out)
            if self._resumed is None:
                set_aside(self.out, self.logs)
            for torn in self.out.glob("*.tmp"):
                torn.unlink(missing_ok=True)
            before = read_record(self.out) or {}
            write_text(self.out / CONFIG, dump_config(self._config))
            self._record = {
                "state": RUNNING,
                "note": "",
                "started": before.get("started") or _now(),
                "updated": _now(),
                "resumed": [*before.get("resumed", []), *([] if self._resumed is None else [self._resumed])],
                "seed": self._config.seed,
                "logs": self.logs.as_posix(),
                "versions": versions(),
                "numerics": numerics(self._config.train.device),
            }
            self._write()
        except OSError as error:
            self._lock.release()
            raise ConfigError(f"{self.out}: no run can be written here ({error}). Choose another folder.") from error
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            told = str(error) if isinstance(error, ActwinError) else f"{type(error).__name__}: {error}"
            self._record |= {"state": FAILED, "note": " ".join(told.split())}
        else:
            self._record["state"] = STOPPED if error is not None else self.state
        self._record["updated"] = _now()
        try:
            self._write()
        except OSError:  # on a full disk the new record still has the room of the old one
            with contextlib.suppress(OSError):  # the error that ended the run matters more
                (self.out / RECORD).write_text(self._text(), encoding="utf-8", newline="\n")
        self._lock.release()

    def _write(self) -> None:
        write_text(self.out / RECORD, self._text())

    def _text(self) -> str:
        return json.dumps(self._record, indent=2) + "\n"


def logs_folder(out: Path, root: Path) -> Path:
    """Where the curves of a run lie: in `root`, under the run's path from the working directory, or else its name.

    So `tensorboard --logdir logs` shows every run that was begun here, each by its own name.

    Args:
        out: Folder of the run.
        root: Of all curves.
    """
    with contextlib.suppress(ValueError):
        return root / out.resolve().relative_to(Path.cwd())
    return root / out.resolve().name


def require_free(out: Path) -> None:
    """Raises `ConfigError` when a run cannot begin in a folder, before anything long has been done for it."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file. Give a folder for the run.")
    if is_locked(out):
        raise ConfigError(_busy(out))
    _require_ours(out)


def last_checkpoint(out: Path) -> Path:
    """What a run goes on from.

    Raises:
        CheckpointError: There is none.
    """
    if not (out / LAST).is_file():
        raise CheckpointError(f"{out}: holds no {LAST} to go on from. Without --resume a new run begins there.")
    return out / LAST


def is_locked(out: Path) -> bool:
    """Whether a process trains in a folder now."""
    if not (out / LOCK).is_file():
        return False
    lock = WriterLock(out, LOCK)
    try:
        free = lock.acquire()
    except OSError:
        return True
    lock.release()
    return not free


def read_record(out: Path) -> dict[str, Any] | None:
    """What `run.json` says; None when there is none that can be read."""
    path = out / RECORD
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            return None
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, Mapping) or record.get("state") not in STATES:
        return None
    resumed = record.get("resumed")
    return dict(record) | {"resumed": resumed if isinstance(resumed, list) else []}


def set_aside(out: Path, logs: Path) -> Path | None:
    """Moves the run that is in a folder, with its curves, into a folder of its own below it.

    Args:
        out: Folder of the run.
        logs: Folder of its curves.

    Returns:
        Where it lies now; None when there was none.

    Raises:
        ConfigError: The folder holds something else.
        OSError: It cannot be moved.
    """
    _require_ours(out)
    files = list(_files(out))
    if not files:
        return None
    begun = (read_record(out) or {}).get("started")
    if not isinstance(begun, str):
        begun = datetime.fromtimestamp(min(path.stat().st_mtime for path in files), UTC).isoformat(timespec="seconds")
    name = "".join(sign if sign.isalnum() else "-" for sign in begun[:19])
    place = out / EARLIER / name
    for number in range(2, 1000):
        if not place.exists():
            break
        place = out / EARLIER / f"{name}_{number}"
    place.mkdir(parents=True)
    for path in files:
        path.replace(place / path.name)
    for path in list(logs.glob(_EVENTS)):
        (place / "logs").mkdir(exist_ok=True)
        shutil.move(path, place / "logs" / path.name)
    return place


def _require_ours(out: Path) -> None:
    if (out / CONFIG).is_file() and len(list(_files(out))) == 1:
        raise ConfigError(
            f"{out}: holds a {CONFIG} but no run, so that file is somebody else's. Choose another folder for the run."
        )


def _files(out: Path) -> Iterator[Path]:
    """The files of a run that are in a folder."""
    for name in FILES:
        if (out / name).is_file():
            yield out / name
    yield from out.glob("step_*.pt")
    yield from out.glob(PATTERN)


def _acquire(lock: WriterLock, out: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not lock.acquire():
        if time.monotonic() > end:
            raise ConfigError(_busy(out))
        time.sleep(0.05)


def _busy(out: Path) -> str:
    return f"{out}: another process trains here now. Give this run another folder, or wait until that one has ended."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
