"""Opening what was driven: recorded sessions, rollouts, folders of them; and the lap a user means.

```
from actwin.analysis import open_session

session = open_session("last")
session.laps.valid().fastest().telemetry  # a pandas DataFrame
```
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from actwin.analysis.columns import Columns
from actwin.analysis.driven_laps import DrivenLap, DrivenSession, Laps
from actwin.analysis.rollout import Rollout
from actwin.content.library import load_track
from actwin.content.track import Track
from actwin.errors import ContentError, SessionError, UnknownNameError
from actwin.telemetry.store.folder import DEFAULT, FILES, is_session
from actwin.telemetry.store.listing import find_session, sessions
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import Session

__all__ = ["BEST", "DrivenLap", "DrivenSession", "Laps", "find_lap", "known_track", "open_session"]

BEST: Final = "best"
"""Stands for the fastest lap that counts where a lap is asked for."""
TOGETHER: Final = 200
"""Drives of a folder that are opened together, at most."""


def open_session(
    source: str | Path | Rollout | Session, track: Track | str | Path | None = None, root: str | Path = DEFAULT
) -> DrivenSession:
    """Opens what was driven.

    Args:
        source: Folder or name of a recorded or imported session ("last" is the newest); a rollout file; a folder of
            sessions or rollouts of one track, such as a demo's, to be looked at together; or one of these, opened.
        track: The road, by name, by file (a game's `fast_lane.ai` too) or loaded; None takes the session's own if it is
            in the library.
        root: Folder of all sessions, in which names are looked for.

    Raises:
        SessionError, ContentError, UnknownNameError: There is nothing to open, it is damaged, or it was driven on
            another track.
    """
    road = load_track(track) if isinstance(track, str | Path) else track
    opened = _open(source, road, root)
    if road is not None and opened.track is None:
        raise SessionError(
            f"{opened.name}: its lap has {opened.length:.0f} m, that of {road.title} {road.length:.0f} m. "
            "Give the track it was driven on, or none."
        )
    return opened


def _open(source: str | Path | Rollout | Session, track: Track | None, root: str | Path) -> DrivenSession:
    if isinstance(source, Rollout):
        return _of_rollouts(source.driver, {source.driver: source}, track)
    if isinstance(source, Session):
        return _of_sessions(source.name, [source], track)
    path = Path(source)
    if path.suffix == ".npz":
        return _of_rollouts(path.stem, {path.stem: Rollout.load(path)}, track)
    if not _is_there(path):
        found = find_session(source, root)
        return _of_sessions(found.name, [found], track)
    if path.is_file():
        own = path.name in FILES
        cure = f"Give its folder: {path.parent}" if own else f"Make one of it with: actwin import {path}"
        raise SessionError(f"{path}: is a file{' of a session' if own else ', not a session'}. {cure}")
    for folder in (path, path / "laps"):
        if files := sorted(folder.glob("*.npz")):
            _require_few(path, len(files))
            return _of_rollouts(path.name, {file.stem: Rollout.load(file) for file in files}, track)
    together = [] if is_session(path) else sessions(path)
    _require_few(path, len(together))
    opened = together or [find_session(source, root)]
    return _of_sessions(path.name if together else opened[0].name, opened, track)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # no name of a file, such as one that is too long
        return False


def _require_few(folder: Path, count: int) -> None:
    if count > TOGETHER:
        cure = "Open them one by one, or move those you need into a folder of their own."
        raise SessionError(f"{folder}: holds {count} drives; {TOGETHER} are opened together at most. {cure}")


def find_lap(text: str, track: Track | str | Path | None = None, root: str | Path = DEFAULT) -> DrivenLap:
    """The lap a user means.

    Args:
        text: `SESSION:NUMBER` or `SESSION:best`; `SESSION` alone means its best lap, where no lap counts the fastest.
        track: As for `open_session`.
        root: As for `open_session`.

    Raises:
        SessionError, ContentError, UnknownNameError: There is no such session or lap.
    """
    name, mark, which = text.rpartition(":")
    if not mark or set(which) & set("/\\") or _is_there(Path(text)):  # a path may have a colon of its own
        name, which = text, ""
    elif not name or not (which.lower() == BEST or (which.isdecimal() and len(which) < _DIGITS)):
        raise SessionError(f"{text}: names no lap. Give SESSION:NUMBER, SESSION:{BEST}, or SESSION for its best lap.")
    session = open_session(name, track, root)
    if which.isdecimal():
        return session.laps.number(int(which))
    found = session.laps.fastest()
    if found is None and not which:
        found = min(session.laps.whole(), key=lambda lap: lap.time, default=None)
    if found is None:
        laps = ", ".join(f"{lap.number} ({lap.reason})" for lap in session.laps[:8]) or "none"
        raise SessionError(f"{session.name}: has no lap that counts. Its laps: {laps}. Choose one with {name}:NUMBER.")
    return found


_DIGITS: Final = 9
"""Digits of a lap's number, at most."""


def _of_sessions(name: str, opened: Sequence[Session], track: Track | None) -> DrivenSession:
    metas = [session.meta for session in opened]
    _require_one_track(name, [" ".join(filter(None, (meta.track, meta.layout))) for meta in metas])
    length = metas[0].facts.get("track_length", math.nan)
    length = float(length) if isinstance(length, int | float) and length > 0.0 else math.nan
    road = track or known_track(metas[0].track, metas[0].layout)
    drives = {session.name: Columns.of_session(session) for session in opened}
    return DrivenSession(name, drives, _common(metas), road, length)


def _of_rollouts(name: str, rollouts: Mapping[str, Rollout], track: Track | None) -> DrivenSession:
    runs = list(rollouts.values())
    _require_one_track(name, [each.track for each in runs])
    metas = [
        SessionMeta(
            state="complete", source="twin", car=each.car, track=each.track, driver=each.driver, period=each.period,
            frames=len(each), duration=max(len(each) - 1, 0) * each.period,
        )
        for each in runs
    ]  # fmt: skip
    drives = {each: Columns.of_rollout(run) for each, run in rollouts.items()}
    return DrivenSession(name, drives, _common(metas), track or known_track(runs[0].track))


def _require_one_track(name: str, tracks: Sequence[str]) -> None:
    other = [each for each in tracks if each != tracks[0]]
    if other:
        one, two = (each or "a track without a name" for each in (tracks[0], other[0]))
        raise SessionError(f"{name}: holds drives on {one} and on {two}. Open them one by one.")


def _common(metas: Sequence[SessionMeta]) -> SessionMeta:
    """What several drives have in common; the car is empty where they differ."""
    if len(metas) == 1:
        return metas[0]
    car = metas[0].car if all(meta.car == metas[0].car for meta in metas) else ""
    frames, duration = sum(meta.frames for meta in metas), max(meta.duration for meta in metas)
    return metas[0].model_copy(update={"car": car, "frames": frames, "duration": duration, "laps": ()})


def known_track(name: str, layout: str = "") -> Track | None:
    """A track of the library by the name that a recording gives; None when it has none of that name.

    A name is never taken for a path: recordings come from anywhere.
    """
    for each in (f"{name}_{layout}" if layout else name, name):
        if each and Path(each).name == each and Path(each).suffix.lower() not in (".toml", ".csv", ".ai"):
            try:
                return load_track(each)
            except (UnknownNameError, ContentError):
                continue
    return None
