"""The installed game: its folders, and what is installed in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from actwin.content.ini_edit import read_value
from actwin.content.steam import app_folders
from actwin.content.windows import documents_folder
from actwin.errors import ContentError

STEAM_APP: Final = 244210
FOLDER: Final = "assettocorsa"
DOCUMENTS: Final = "Assetto Corsa"
PROGRAMS: Final = ("acs.exe", "acs_pro.exe")
APP: Final = "actwin"
"""Name of our in-game app and of its folder."""
CUSTOM_AI_VERSION: Final = (0, 1, 78)
"""Custom Shaders Patch that brought the Custom AI memory (its own page "Other Things - Custom AI")."""

_INI_LIMIT: Final = 4_000_000


@dataclass(frozen=True)
class Game:
    """An installation of Assetto Corsa.

    Attributes:
        root: Folder that holds `acs.exe`.
        documents: The user's folder of the game, `Documents/Assetto Corsa`; absent before the game's first start.
        prefix: Wine prefix the game runs in (the one with `drive_c`), None on Windows.
    """

    root: Path
    documents: Path
    prefix: Path | None = None

    @property
    def app_folder(self) -> Path:
        """Where our in-game app belongs."""
        return place(self.root, "apps", "python", APP)

    @property
    def settings(self) -> Path:
        """The user's settings of the game."""
        return place(self.documents, "cfg")


class ShadersPatch(NamedTuple):
    """The Custom Shaders Patch of a game.

    Attributes:
        version: As its manifest says, such as "0.2.8"; empty when it does not say.
        active: Its loader `dwrite.dll` is in place and the user did not switch it off.
        custom_ai: Its Custom AI memory is switched on; None where no file says.
    """

    version: str
    active: bool
    custom_ai: bool | None

    @property
    def knows_custom_ai(self) -> bool:
        """Whether this version has the Custom AI memory; assumed where the version is not told."""
        return not self.version or version_numbers(self.version) >= CUSTOM_AI_VERSION


def find_game(
    folder: Path | None = None, *, documents: Path | None = None, steam: Sequence[Path] | None = None
) -> Game:
    """The game that is installed on this machine.

    Args:
        folder: The game's folder; None asks Steam.
        documents: The user's folder of the game, where it is not where the system says.
        steam: Steam's folders; None looks for them.

    Raises:
        ContentError: There is no game.
    """
    if folder is not None:
        root = folder.expanduser().resolve()
        if not is_game(root):
            raise ContentError(folder, "", "holds no acs.exe.", "Give the folder of the game: --ac FOLDER.")
    else:
        root = next((found for found in app_folders(STEAM_APP, FOLDER, steam) if is_game(found)), Path())
        if not root.parts:
            raise ContentError(
                "Assetto Corsa", "", "is not installed where Steam knows of.",
                "Give its folder with --ac FOLDER, or work without it: `actwin serve` plays the game.",
            )  # fmt: skip
    prefix = None if sys.platform == "win32" else wine_prefix(root)
    return Game(root, documents or _documents(root, prefix), prefix)


def is_game(folder: Path) -> bool:
    """Whether a folder holds the game: a program and its content."""
    return any(find(folder, name) for name in PROGRAMS) and find(folder, "content") is not None


def wine_prefix(root: Path) -> Path | None:
    """The Wine prefix of a game: around it, or Proton's beside its library; None when there is neither.

    Args:
        root: The game's folder, `.../steamapps/common/assettocorsa` in a library.
    """
    for parent in root.parents:
        if parent.name.lower() == "drive_c":
            return parent.parent
    if len(root.parents) < 2:
        return None
    return find(root.parents[1], "compatdata", str(STEAM_APP), "pfx")


def _documents(root: Path, prefix: Path | None) -> Path:
    """The user's folder of the game.

    Raises:
        ContentError: Nobody can say where it is.
    """
    if prefix is not None:
        return _wine_documents(prefix)
    known = documents_folder()
    if known is None:
        raise ContentError(
            root, "", "has no Wine prefix beside it.",
            "Start the game once, or give its settings folder: --documents FOLDER.",
        )  # fmt: skip
    return place(known, DOCUMENTS)


def _wine_documents(prefix: Path) -> Path:
    """`Documents/Assetto Corsa` of the prefix's user: who has one, else Proton's only user."""
    users = place(prefix, "drive_c", "users")
    names = sorted(entry.name for entry in users.iterdir() if entry.is_dir()) if users.is_dir() else []
    own = [name for name in names if name.lower() != "public"]
    for name in ("steamuser", *own):
        for folder in ("Documents", "My Documents"):
            if found := find(users, name, folder, DOCUMENTS):
                return found
    user = "steamuser" if "steamuser" in own or not own else own[0]
    return place(users, user, "Documents", DOCUMENTS)


def find(base: Path, *names: str) -> Path | None:
    """A path below a folder whatever the case of its names, as Windows finds it; None when it does not exist."""
    found = place(base, *names)
    return found if found.exists() else None


def place(base: Path, *names: str) -> Path:
    """A path below a folder, spelled as far as it exists, else as given."""
    path = base
    for name in names:
        exact = path / name
        path = exact if exact.exists() else next(_spelled(path, name), exact)
    return path


def _spelled(folder: Path, name: str) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    yield from (entry for entry in entries if entry.name.lower() == name.lower())


def ini_value(path: Path | None, section: str, key: str) -> str | None:
    """A value of one of the game's INI files; None where file or key is missing."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return read_value(file.read(_INI_LIMIT), section, key)
    except OSError:
        return None


def shaders_patch(game: Game) -> ShadersPatch | None:
    """The Custom Shaders Patch of a game; None when there is none.

    The files and keys are those that Content Manager reads; the user's own settings go before the patch's.
    """
    manifest = find(game.root, "extension", "config", "data_manifest.ini")
    if manifest is None:
        return None
    switched = ini_value(find(game.settings, "extension", "general.ini"), "BASIC", "ENABLED")
    active = find(game.root, "dwrite.dll") is not None and switched != "0"
    custom_ai = None
    for path in (
        find(game.settings, "extension", "new_behaviour.ini"),
        find(game.root, "extension", "config", "new_behaviour.ini"),
    ):
        if custom_ai is None and (value := ini_value(path, "CUSTOM_AI", "ENABLED")) is not None:
            custom_ai = value.strip() == "1"
    return ShadersPatch(ini_value(manifest, "VERSION", "SHADERS_PATCH") or "", active, custom_ai)


def version_numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: (0, 2, 3) of "0.2.3-preview211"."""
    numbers = []
    for part in text.strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def python_apps_on(game: Game) -> bool | None:
    """Whether the game runs Python apps at all (`gameplay.ini`); None where no file says."""
    value = ini_value(find(game.settings, "gameplay.ini"), "PYTHON", "ENABLE_PYTHON")
    return None if value is None else value.strip() != "0"


def app_on(game: Game) -> bool:
    """Whether our app is switched on in the game (`python.ini`)."""
    value = ini_value(find(game.settings, "python.ini"), APP.upper(), "ACTIVE")
    return (value or "").strip() == "1"
