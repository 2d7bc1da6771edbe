"""A game folder of empty files, as far as finding and installing can tell it from the real one."""

from __future__ import annotations

from pathlib import Path

from actwin.content.game import Game

GAMEPLAY = b"[PYTHON]\r\nENABLE_PYTHON=1\r\n"
PYTHON = b"[GEARS]\r\nACTIVE=1 ; mine\r\n"
MANIFEST = b"\xef\xbb\xbf[VERSION]\r\nSHADERS_PATCH=0.2.8\r\nSHADERS_PATCH_BUILD=3424\r\n"


def write(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_game(folder: Path, patch: bool = True) -> Game:
    """Folder and documents of a game, with names in the odd spelling that Windows does not mind."""
    root, documents = folder / "assettocorsa", folder / "Documents" / "Assetto Corsa"
    write(root / "acs.exe")
    (root / "Content" / "cars").mkdir(parents=True)
    (root / "apps" / "Python" / "gears").mkdir(parents=True)
    write(documents / "cfg" / "gameplay.ini", GAMEPLAY)
    write(documents / "cfg" / "Python.ini", PYTHON)
    if patch:
        write(root / "dwrite.dll")
        write(root / "extension" / "config" / "data_manifest.ini", MANIFEST)
    return Game(root, documents)


def contents(*folders: Path) -> dict[str, bytes]:
    """Every file below some folders."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.as_posix(): path.read_bytes() for path in files}
