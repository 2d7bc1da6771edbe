"""Installing our in-game app, so that all of it can be taken back."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import actwin.plugin
from actwin.content.controls_preset import FOLDER, controls_presets
from actwin.content.file_journal import Change, FileJournal, Value
from actwin.content.game import APP, Game, find, place, python_apps_on, shaders_patch
from actwin.content.ini_edit import read_value, with_value
from actwin.errors import ConfigError, ContentError

SOURCE: Final = Path(actwin.plugin.__file__).parent / "app" / APP
"""The app as it comes with this package."""
JOURNAL: Final = "actwin-install"
"""Folder in the game's for the originals of what was replaced."""
CONFIG: Final = "config.ini"
SOCKET_MODULE: Final = "_socket.pyd"
MODULES: Final = "stdlib64"
"""Folder of the app for binary parts of Python that the game does not ship."""
SERVERS: Final = {"telemetry": "ego", "opponents": "opponents", "management": "simulation_management"}
"""What each of the app's servers is for, and how the names of its settings begin."""

_SIZE_LIMIT: Final = 4_000_000
_AMD64: Final = 0x8664
"""Machine of a 64-bit Windows program (Microsoft, "PE Format")."""


class Installed(NamedTuple):
    """What an installation did.

    Attributes:
        files: That were written.
        notes: What the user should know or still do.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def install(
    game: Game, settings: Mapping[str, object] | None = None, *, modules: Path | None = None, source: Path = SOURCE
) -> Installed:
    """Copies our app into the game and switches it on, with what it needs of the Custom Shaders Patch.

    An app of ours that is already there is taken out first; settings that were changed in it stay.

    Args:
        game: The installation.
        settings: Values for the app's config.ini, by name.
        modules: Folder with `_socket.pyd` of CPython 3.3 for 64-bit Windows; None looks in the game's own folders.
        source: The app.

    Raises:
        ContentError: A file cannot be read or written; the game is as it was before any installation.
        ConfigError: A setting that the app does not have.
    """
    check_settings(settings or {}, source)
    if modules is not None and find_socket_module([modules]) is None:
        raise ContentError(
            modules, "", f"holds no {SOCKET_MODULE} of CPython 3.3 for 64-bit Windows.", "Give its folder DLLs."
        )
    kept = _own_config(game)
    sockets = find_socket_module([modules] if modules is not None else _module_folders(game))
    socket_module = None if sockets is None else sockets.read_bytes()
    notes = _kept_notes(_journal(game).undo())
    changes = [*_app_files(game, source, kept, settings or {}, socket_module), *_switches(game), *_presets(game)]
    written = _journal(game).apply(changes)
    return Installed(tuple(written), (*notes, *_notes(game, socket_module is not None)))


def uninstall(game: Game) -> Installed:
    """Puts back everything that `install` changed.

    Raises:
        ContentError: Nothing was installed, or a file cannot be written; calling again goes on.
    """
    journal = _journal(game)
    if not journal.applied:
        raise ContentError(game.root, "", "has no app installed by this command.", "Nothing was changed.")
    return Installed((), _kept_notes(journal.undo()))


def installed_version(folder: Path = SOURCE) -> str | None:
    """Version of an app's folder; None when there is none."""
    try:
        text = (folder / "actwin_app" / "__init__.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r'^VERSION = "([^"\n]{1,40})"', text, re.MULTILINE)
    return found[1] if found else None


def listening(host: str | None = None, ports: Mapping[str, int] | None = None) -> dict[str, object]:
    """Settings of the app for where it listens.

    Args:
        host: Address of all its servers; None leaves them where they are.
        ports: Port of a server, by what it is for (`SERVERS`).
    """
    hosts = {f"{server}_server_host_name": host for server in SERVERS.values() if host is not None}
    return {**hosts, **{f"{SERVERS[use]}_server_port": port for use, port in (ports or {}).items()}}


def app_address(game: Game) -> tuple[str, dict[str, int]]:
    """Where the installed app listens: its host, and the port of each of its `SERVERS` that its settings give."""
    config = _own_config(game) or b""
    texts = {use: read_value(config, APP, f"{server}_server_port") or "" for use, server in SERVERS.items()}
    ports = {use: int(text) for use, text in texts.items() if text.isdigit()}
    return read_value(config, APP, f"{SERVERS['telemetry']}_server_host_name") or "127.0.0.1", ports


def check_settings(settings: Mapping[str, object], source: Path = SOURCE) -> None:
    """Raises `ConfigError` for settings that the app does not have."""
    template = (source / CONFIG).read_bytes()
    for name, value in settings.items():
        if read_value(template, APP, name) is None:
            raise ConfigError(f"The in-game app has no setting '{name}'. See {source / CONFIG}.")
        if not re.fullmatch(r"[\w.:-]{1,200}", str(value)):
            raise ConfigError(f"'{value}' cannot be the setting '{name}': letters, digits and . : - only.")


def find_socket_module(folders: Iterable[Path]) -> Path | None:
    """The socket module of CPython 3.3 for 64-bit Windows in some folders or below; None when it is in none."""
    for folder in folders:
        for path in sorted(folder.rglob(SOCKET_MODULE)) if folder.is_dir() else ():
            if _fits_the_game(path):
                return path
    return None


def _fits_the_game(path: Path) -> bool:
    """Whether a binary module is for the game's interpreter: 64 bit and linked with Python 3.3."""
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT)
        (header,) = struct.unpack_from("<I", data, 0x3C)
        signature, machine = struct.unpack_from("<4sH", data, header)
    except (OSError, struct.error):
        return False
    return bool(data[:2] == b"MZ" and signature == b"PE\0\0" and machine == _AMD64 and b"python33.dll" in data.lower())


def _module_folders(game: Game) -> tuple[Path, ...]:
    """Where our app has the socket module, or other apps leave it."""
    return (game.app_folder, place(game.root, "system", "x64"), place(game.root, "apps", "python"))


def _journal(game: Game) -> FileJournal:
    return FileJournal(game.root / JOURNAL, {"game": game.root, "documents": game.documents})


def _own_config(game: Game) -> bytes | None:
    path = find(game.app_folder, CONFIG)
    return path.read_bytes() if path is not None else None


def _app_files(
    game: Game, source: Path, kept: bytes | None, settings: Mapping[str, object], socket_module: bytes | None
) -> Iterator[Change]:
    """The app's own files; its config.ini with the settings that the user had."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    if not files:
        raise ContentError(source, "", "holds no app.", "Install actwin again.")
    base = game.app_folder
    for path in files:
        content = path.read_bytes()
        if path.name == CONFIG:
            content = _merged(content, kept, settings)
        yield _change(game, base.joinpath(path.relative_to(source)), content)
    if socket_module is not None:
        yield _change(game, base / MODULES / SOCKET_MODULE, socket_module)


def _merged(template: bytes, kept: bytes | None, settings: Mapping[str, object]) -> bytes:
    """The app's settings: as shipped, then as the user had them, then as asked for now."""
    names = re.findall(rb"(?m)^[ \t]*(\w+)[ \t]*=", template)
    for name in (raw.decode("ascii") for raw in names):
        old = read_value(kept, APP, name) if kept is not None else None
        value = settings.get(name, old)
        if value is not None:
            template = with_value(template, APP, name, str(value))
    return template


def _switches(game: Game) -> Iterator[Change]:
    """The settings that let the app run and move the car.

    The patch's own settings file is left alone, as an update replaces it: the user's goes before it.
    """
    yield _change(game, place(game.settings, "python.ini"), [Value(APP.upper(), "ACTIVE", "1")])
    if python_apps_on(game) is False:
        yield _change(game, place(game.settings, "gameplay.ini"), [Value("PYTHON", "ENABLE_PYTHON", "1")])
    if shaders_patch(game) is not None:
        behaviour = [Value("BASIC", "ENABLED", "1"), Value("CUSTOM_AI", "ENABLED", "1")]
        yield _change(game, place(game.settings, "extension", "new_behaviour.ini"), behaviour)


def _presets(game: Game) -> Iterator[Change]:
    for name, content in controls_presets().items():
        yield _change(game, place(game.settings, *FOLDER, name), content)


def _change(game: Game, path: Path, content: bytes | list[Value]) -> Change:
    for name, base in (("game", game.root), ("documents", game.documents)):
        if path.is_relative_to(base):
            return Change(name, path.relative_to(base).as_posix(), content)
    raise ValueError(f"{path} lies outside the game")


def _kept_notes(kept: Iterable[Path]) -> tuple[str, ...]:
    return tuple(f"{path.name} had been changed; the changed file is kept as {path}" for path in kept)


def _notes(game: Game, has_sockets: bool) -> Iterator[str]:
    """What is still missing after an installation."""
    if not has_sockets:
        yield (
            f"No {SOCKET_MODULE} of CPython 3.3 (64 bit) was found in the game's folders. If the game's log says that "
            f"Python's socket module is missing, give its folder with --modules FOLDER."
        )
    patch = shaders_patch(game)
    if patch is None:
        yield "The Custom Shaders Patch is not installed: controls go through a virtual controller, resets are slower."
    elif not patch.knows_custom_ai:
        yield f"The Custom Shaders Patch {patch.version} has no Custom AI; install 0.1.78 or newer."
    yield "Restart the session in the game; then `actwin doctor` shows whether the app answers."
