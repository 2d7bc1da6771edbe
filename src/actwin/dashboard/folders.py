"""What may be chosen on a page: sessions and runs below the given folders, whatever somebody put there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from actwin.errors import SessionError
from actwin.telemetry.store.folder import FILES, TABLE, is_session
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.meta_files import read_meta, words
from actwin.units import lap_time_text

MOST_LISTED: Final = 500
"""Sessions or runs that a page offers; of more the newest."""
MOST_ROWS: Final = 6_000_000
"""Rows of a session the dashboard opens: five hours at the game's physics rate."""
MOST_BYTES: Final = 4 * 1024**3
"""Bytes the columns of a session may unpack to."""
TEXT: Final = 80


class Choice(NamedTuple):
    """Something that can be chosen.

    Attributes:
        name: Of its folder; what a page passes on.
        label: For people, one line.
        folder: Where it lies.
        stamp: Changes when its content does.
    """

    name: str
    label: str
    folder: Path
    stamp: float


class Listing(NamedTuple):
    """What lies in a folder."""

    choices: tuple[Choice, ...]
    """Newest first."""
    refused: dict[str, str]
    """Names of folders that cannot be shown, with the reason."""

    def find(self, name: str | None) -> Choice | None:
        """The choice of a name; names that are not listed have none, so that no path can be made of one."""
        return next((choice for choice in self.choices if choice.name == name), None)


def one_line(text: str, limit: int = TEXT) -> str:
    """Text from outside in one line: only what can be printed, at most so long."""
    cut = "".join(each if each.isprintable() else " " for each in text[: limit + 1])
    return cut if len(cut) <= limit else cut[:limit] + "…"


def list_sessions(root: Path) -> Listing:
    """The sessions of a folder; what cannot be read, or leads out of the folder, is named with the reason.

    Args:
        root: Folder of all sessions; one that does not exist holds none.
    """
    found: list[tuple[datetime, Choice]] = []
    refused: dict[str, str] = {}
    for folder in _folders(root):
        try:
            if not is_session(folder):
                continue
            _stay_inside(folder, root)
            meta = read_meta(folder)
            stamp = max((folder / name).stat().st_mtime for name in FILES if (folder / name).is_file())
        except (SessionError, OSError, ValueError) as error:
            refused[one_line(folder.name)] = one_line(words(error), 200)
            continue
        found.append((meta.started, Choice(folder.name, label_of(meta), folder, stamp)))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return Listing(tuple(choice for _, choice in found[:MOST_LISTED]), refused)


def label_of(meta: SessionMeta) -> str:
    """A session in one line: when, where, in what, by whom, how fast."""
    best = lap_time_text(meta.best_lap) if meta.best_lap else ""
    parts = (f"{meta.started.astimezone():%Y-%m-%d %H:%M}", meta.track, meta.car, meta.driver, best)
    return " · ".join(one_line(part, 32) for part in parts if part)


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def _stay_inside(folder: Path, root: Path) -> None:
    """Refuses links that lead out of the folder of all sessions."""
    inside = root.resolve()
    for path in (folder, *(folder / name for name in FILES)):
        if not path.resolve().is_relative_to(inside):
            raise SessionError(f"{path.name} is a link that leads out of the folder of sessions.")


def check_size(folder: Path) -> None:
    """Refuses a session that is larger than a page can hold, before anything of it is unpacked.

    Args:
        folder: Of the session.

    Raises:
        SessionError: It is, or its file cannot be read.
    """
    if not (folder / TABLE).is_file():
        return
    try:
        with pq.ParquetFile(folder / TABLE) as file:
            about = file.metadata
            rows, groups = about.num_rows, about.num_row_groups
            size = sum(about.row_group(i).total_byte_size for i in range(min(groups, 100_000)))
    except (pa.ArrowException, OSError) as error:
        raise SessionError(f"{folder.name}: {TABLE} cannot be read ({words(error)}).") from error
    if rows > MOST_ROWS or size > MOST_BYTES:
        raise SessionError(
            f"{folder.name}: claims {rows:,} rows of {size / 1e6:,.0f} MB in all; the dashboard opens {MOST_ROWS:,} "
            "rows at most. Export a part with: actwin export"
        )
