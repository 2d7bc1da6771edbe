"""Where Steam keeps its games, by Steam's own files."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from actwin.content.windows import registry_text

TEXT_LIMIT: Final = 4_000_000
"""Bytes of a Steam file that are read; a list of libraries has some thousand."""
DEPTH_LIMIT: Final = 32

_TOKEN: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|//[^\n]*|[^\s{}"]+')
_LINUX: Final = (
    ".steam/steam",
    ".steam/root",
    ".steam/debian-installation",
    ".local/share/Steam",
    ".var/app/com.valvesoftware.Steam/.local/share/Steam",
    ".var/app/com.valvesoftware.Steam/data/Steam",
    "snap/steam/common/.local/share/Steam",
)
"""Steam's folder below the home folder: its links, the package of Debian, Flatpak and Snap."""
_WINDOWS: Final = (
    (r"Software\Valve\Steam", "SteamPath"),
    (r"SOFTWARE\WOW6432Node\Valve\Steam", "InstallPath"),
    (r"SOFTWARE\Valve\Steam", "InstallPath"),
)


def steam_folders(home: Path | None = None) -> list[Path]:
    """Folders in which Steam itself may be, those that exist, each once.

    Args:
        home: The user's home folder; None takes this user's.
    """
    if sys.platform == "win32":
        places = [Path(text) for path, name in _WINDOWS if (text := registry_text(path, name))]
    else:
        places = [(home or Path.home()) / name for name in _LINUX]
    return _once(place for place in places if place.is_dir())


def libraries(steam: Path) -> list[Path]:
    """Folders that hold `steamapps`: Steam's own, then those its list of libraries names.

    A list that is missing or damaged names none.

    Args:
        steam: Steam's folder.
    """
    found = [steam]
    for name in ("steamapps", "SteamApps", "config"):
        entries = read_vdf(steam / name / "libraryfolders.vdf").get("libraryfolders")
        for key, entry in entries.items() if isinstance(entries, dict) else ():
            # Until 2021 the numbered entries were the paths themselves.
            path = entry.get("path") if isinstance(entry, dict) else entry if key.isdigit() else None
            if isinstance(path, str) and path:
                found.append(Path(path))
    return _once(place for place in found if place.is_dir())


def app_folders(app: int, folder: str, steam: Sequence[Path] | None = None) -> Iterator[Path]:
    """Folders in which a game is installed, best guess first.

    Args:
        app: Steam's number of the game.
        folder: Name of its folder where Steam's manifest does not say.
        steam: Steam's folders; None looks for them.
    """
    for place in steam_folders() if steam is None else steam:
        for library in libraries(place):
            state = read_vdf(library / "steamapps" / f"appmanifest_{app}.acf").get("appstate")
            name = state.get("installdir") if isinstance(state, dict) else None
            candidate = library / "steamapps" / "common" / (name if isinstance(name, str) and name else folder)
            if candidate.is_dir():
                yield candidate


def read_vdf(path: Path) -> dict[str, Any]:
    """One of Steam's text files as nested dictionaries with keys in lower case; empty when it cannot be read.

    Args:
        path: `libraryfolders.vdf`, `appmanifest_N.acf`.
    """
    try:
        with path.open("rb") as file:
            text = file.read(TEXT_LIMIT).decode("utf-8", errors="replace")
    except OSError:
        return {}
    return parse_vdf(text)


def parse_vdf(text: str) -> dict[str, Any]:
    """Nested dictionaries of Valve's KeyValues text; what is malformed is left out."""
    root: dict[str, Any] = {}
    stack, key = [root], None
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token.startswith("//"):
            continue
        if token == "{":
            inner: dict[str, Any] = {}
            if key is None or len(stack) > DEPTH_LIMIT:
                return root
            stack[-1][key] = inner
            stack.append(inner)
            key = None
        elif token == "}":
            if len(stack) > 1:
                stack.pop()
            key = None
        else:
            word = re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else token
            if key is None:
                key = word.lower()
            else:
                stack[-1][key], key = word, None
    return root


def _once(paths: Iterable[Path]) -> list[Path]:
    """Each folder once, links followed."""
    return list(dict.fromkeys(path.resolve() for path in paths))
