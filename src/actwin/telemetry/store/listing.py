"""Sessions of a folder: listed, and found by what a user calls them."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from actwin.errors import SessionError, UnknownNameError
from actwin.telemetry.store.folder import DEFAULT, is_session
from actwin.telemetry.store.session import Session

LAST: Final = "last"
"""Stands for the newest session where a name is asked for."""


class Scan(NamedTuple):
    """What lies in a folder of sessions."""

    sessions: list[Session]
    """In order of their start."""
    damaged: dict[Path, str]
    """Folders that hold something of a session that cannot be read, with the reason."""


def scan(root: str | Path = DEFAULT) -> Scan:
    """Opens every session in a folder; a damaged one does not keep the others from being listed.

    Args:
        root: Folder of all sessions; one that does not exist holds none.
    """
    found, damaged = [], {}
    folders = sorted(Path(root).iterdir()) if Path(root).is_dir() else []
    for folder in folders:
        if folder.is_dir() and not folder.name.startswith(".") and is_session(folder):
            try:
                found.append(Session.open(folder))
            except SessionError as error:
                damaged[folder] = str(error)
    return Scan(sorted(found, key=lambda session: session.meta.started), damaged)


def sessions(root: str | Path = DEFAULT) -> list[Session]:
    """Every session of a folder that can be read, in order of their start."""
    return scan(root).sessions


def find_session(name: str | Path, root: str | Path = DEFAULT) -> Session:
    """The session a user means.

    Args:
        name: Path of a session's folder, name of a folder in `root` or its beginning if only one has it, or "last".
        root: Folder of all sessions.

    Raises:
        UnknownNameError: There is none of that name.
        SessionError: It cannot be read, or several begin so.
    """
    for folder in (Path(name), Path(root) / name):
        if is_session(folder):
            return Session.open(folder)
    known = [session.name for session in sessions(root)]
    if not known:
        raise SessionError(f"{root}: holds no sessions. Record one with: actwin record")
    if str(name) == LAST:
        return Session.open(Path(root) / known[-1])
    fitting = [each for each in known if each.startswith(str(name))]
    if len(fitting) == 1:
        return Session.open(Path(root) / fitting[0])
    if fitting:
        raise SessionError(f"{name}: {len(fitting)} sessions begin so. Give one of: {', '.join(fitting[:5])}.")
    raise UnknownNameError("session", str(name), known)
