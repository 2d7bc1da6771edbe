"""The folder of a session: its name, its files, who writes in it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from actwin.errors import SessionError

META: Final = "session.json"
STREAM: Final = "telemetry.arrows"
"""Arrow IPC stream that grows while recording."""
TABLE: Final = "telemetry.parquet"
LOCK: Final = "recording.lock"
FILES: Final = (META, STREAM, TABLE, LOCK)
DEFAULT: Final = Path("data/sessions")
"""Where sessions lie unless told otherwise, from the working directory."""

_NAME_PART: Final = 40
_SAME_NAME: Final = 1000


def is_session(folder: Path) -> bool:
    """Whether a folder holds a session, complete or not."""
    try:
        return any((folder / name).is_file() for name in (META, TABLE, STREAM))
    except OSError:  # no name of a file, such as one that is too long
        return False


def new_folder(root: Path, started: datetime, track: str, car: str, meta: str) -> Path:
    """Makes the folder of a session that begins; it appears with its meta in it, never without.

    Args:
        root: Folder of all sessions, made when absent.
        started, track, car: Give the name.
        meta: Content of `session.json`.

    Raises:
        SessionError: The folder cannot be made.
    """
    parts = [started.astimezone().strftime("%Y-%m-%d_%H-%M-%S"), *filter(None, map(_slug, (track, car)))]
    name = "_".join(parts)
    try:
        root.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        made.chmod(0o755)
        write_text(made / META, meta)
        for number in range(1, _SAME_NAME):
            target = root / (name if number == 1 else f"{name}_{number}")
            if not target.exists():
                try:
                    made.rename(target)
                except OSError:
                    if not target.exists():
                        raise
                else:
                    return target
    except OSError as error:
        raise SessionError(f"{root}: no session can be written here ({error}). Choose another folder.") from error
    raise SessionError(f"{root}: holds {_SAME_NAME} sessions named {name}. Choose another folder.")


def remove(folder: Path) -> None:
    """Removes a session; files that are not ours stay, and then their folder too.

    Args:
        folder: Of the session.
    """
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def write_text(path: Path, text: str) -> None:
    """Writes a file so that it has either the old content or the new one, whatever happens meanwhile."""
    made = path.with_name(f".{path.name}.new")
    with made.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


class WriterLock:
    """Says who writes in a folder; the system lets it go when the process ends, however it ends.

    Args:
        folder: Of the session, or of whatever else has one writer.
        name: Of the file that is locked.
    """

    def __init__(self, folder: Path, name: str = LOCK) -> None:
        self._path = folder / name
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Takes the lock; False when another writer has it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(handle):
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Lets the lock go; again is no error."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            with contextlib.suppress(OSError):  # somebody else looks at it just now, and will find nothing to do
                self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _slug(text: str) -> str:
    """The part of a file name that every system takes."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:_NAME_PART]
