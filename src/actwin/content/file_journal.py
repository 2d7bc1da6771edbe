"""Changes to somebody else's files that can all be taken back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from actwin.content.ini_edit import read_value, with_value, without_value
from actwin.errors import ContentError

MANIFEST: Final = "manifest.json"
MANIFEST_LIMIT: Final = 4_000_000
_CLOSE_GAME: Final = "Close the game and try again, as the user who installed it; nothing was changed."


class Value(NamedTuple):
    """One value of an INI file that shall be set.

    Attributes:
        section, key, value: As written in the file.
    """

    section: str
    key: str
    value: str


class Change(NamedTuple):
    """What shall become of one file.

    Attributes:
        base: Name of the folder it lies in, as the journal was given it.
        path: Below that folder, with slashes.
        content: All its bytes, or the values that are set in it, whatever else it holds.
    """

    base: str
    path: str
    content: bytes | Sequence[Value]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Key(_Strict):
    section: str
    key: str
    before: str | None
    after: str


class _Entry(_Strict):
    base: str
    path: str
    written: str
    backup: str | None
    keys: tuple[_Key, ...] = ()

    @field_validator("path", "backup")
    @classmethod
    def _stays_inside(cls, path: str | None) -> str | None:
        pure = PurePosixPath(path or "a")
        if pure.is_absolute() or ".." in pure.parts or "\\" in str(pure) or ":" in str(pure):
            raise ValueError("leaves its folder")
        return path


class _Manifest(_Strict):
    format: Literal["actwin-changes-1"] = "actwin-changes-1"
    state: Literal["changing", "changed"]
    entries: tuple[_Entry, ...]
    folders: tuple[tuple[str, str], ...] = ()


class FileJournal:
    """Applies changes all or none, and takes them back.

    Before the first file is touched, the originals and a manifest of what will be done are on disk. So an interrupted
    change is taken back by the next call, whatever interrupted it. A file that somebody else changed meanwhile is not
    overwritten blindly: of an INI file only our values are taken out, any other file is kept aside first.

    Args:
        folder: For originals and manifest; it exists only while there is something to take back.
        bases: Folders that changes lie in, by name.
    """

    def __init__(self, folder: Path, bases: Mapping[str, Path]) -> None:
        self.folder, self.bases = folder, dict(bases)

    @property
    def applied(self) -> bool:
        """Whether there are changes to take back."""
        return (self.folder / MANIFEST).is_file()

    def apply(self, changes: Sequence[Change]) -> list[Path]:
        """Makes changes; those of an earlier call must have been taken back.

        Args:
            changes: One for each file.

        Returns:
            The files that were written; one that already is as wanted is none of them.

        Raises:
            ContentError: A file could not be read or written; all is as it was before.
        """
        if self.applied:
            raise ValueError("Take the earlier changes back first.")
        path = self.folder
        try:
            made = [done for i, change in enumerate(changes) if (done := self._prepare(i, change))]
            entries = tuple(entry for entry, _ in made)
            manifest = _Manifest(state="changing", entries=entries, folders=self._missing_folders(entries))
            self._write_manifest(manifest)
            for entry, content in made:
                path = self._path(entry)
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, content)
            self._write_manifest(manifest.model_copy(update={"state": "changed"}))
        except OSError as error:
            self._abandon()
            raise ContentError(path, "", f"cannot be written ({error.strerror}).", _CLOSE_GAME) from error
        return [self._path(entry) for entry, _ in made]

    def undo(self) -> list[Path]:
        """Takes all changes back.

        Returns:
            Copies of files that somebody had changed after us and that had to give way.

        Raises:
            ContentError: The manifest cannot be read, or a file not be written; calling again goes on.
        """
        if not self.applied:
            self._clear()
            return []
        manifest = self._read_manifest()
        kept, path = [], self.folder
        try:
            for entry in reversed(manifest.entries):
                path = self._path(entry)
                if copy := self._restore(entry, path):
                    kept.append(copy)
            self._remove_folders(manifest)
        except OSError as error:
            cure = "Close the game, then run the command again; it goes on where it stopped."
            raise ContentError(path, "", f"cannot be restored ({error.strerror}).", cure) from error
        self._clear()
        return kept

    def _path(self, entry: _Entry) -> Path:
        return self.bases[entry.base] / entry.path

    def _prepare(self, number: int, change: Change) -> tuple[_Entry, bytes] | None:
        """Keeps the original of a file; None when nothing is to be changed in it."""
        path = self.bases[change.base] / change.path
        original = path.read_bytes() if path.is_file() else None
        keys: tuple[_Key, ...] = ()
        if isinstance(change.content, bytes):
            content = change.content
        else:
            content, keys = original or b"", tuple(_keys(original or b"", change.content))
            for value in change.content:
                content = with_value(content, *value)
            if content == original:
                return None
        backup = None
        if original is not None:
            backup = f"original/{number:03d}"
            (self.folder / "original").mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / backup, original)
        entry = _Entry(base=change.base, path=change.path, written=_hash(content), backup=backup, keys=keys)
        return entry, content

    def _restore(self, entry: _Entry, path: Path) -> Path | None:
        """Puts one file back; the copy that was kept, if any."""
        original = (self.folder / entry.backup).read_bytes() if entry.backup else None
        current = path.read_bytes() if path.is_file() else None
        if current == original:
            return None
        if current is not None and _hash(current) != entry.written:
            if entry.keys:
                rest = _take_out(current, entry.keys)
                original = rest if rest.strip() or entry.backup else None
            else:
                kept = self.folder / "kept" / time.strftime("%Y%m%d-%H%M%S") / path.name
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(kept, current)
                _put(path, original)
                return kept
        elif current is None and entry.keys:
            return None
        _put(path, original)
        return None

    def _missing_folders(self, entries: Sequence[_Entry]) -> tuple[tuple[str, str], ...]:
        """Folders that do not exist yet, outer ones first."""
        found = []
        for entry in entries:
            for parent in reversed(PurePosixPath(entry.path).parents[:-1]):
                if not (self.bases[entry.base] / parent).is_dir():
                    found.append((entry.base, parent.as_posix()))
        return tuple(dict.fromkeys(found))

    def _remove_folders(self, manifest: _Manifest) -> None:
        for base, name in reversed(manifest.folders):
            folder = self.bases[base] / name
            shutil.rmtree(folder / "__pycache__", ignore_errors=True)
            with contextlib.suppress(OSError):  # somebody else's file lies in it
                folder.rmdir()

    def _write_manifest(self, manifest: _Manifest) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / MANIFEST, manifest.model_dump_json(indent=1).encode())

    def _read_manifest(self) -> _Manifest:
        path = self.folder / MANIFEST
        cure = "Restore the files by hand from the folder 'original' beside it, then delete it."
        try:
            with path.open("rb") as file:
                manifest = _Manifest.model_validate_json(file.read(MANIFEST_LIMIT))
        except (OSError, ValidationError) as error:
            raise ContentError(path, "", "is not a readable list of changes.", cure) from error
        if unknown := {entry.base for entry in manifest.entries} - set(self.bases):
            raise ContentError(path, "base", f"'{min(unknown)}' is not known.", cure)
        return manifest

    def _abandon(self) -> None:
        """Takes back what an apply that failed had done; what even now cannot be written stays in the manifest."""
        with contextlib.suppress(ContentError):
            self.undo()

    def _clear(self) -> None:
        """Forgets the changes; files that were kept for the user stay."""
        with contextlib.suppress(OSError):
            (self.folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "original", ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file by another at once: nobody ever sees half of it.

    Raises:
        OSError: It cannot be written; the file is as before.
    """
    draft = path.with_name(f".{path.name}.actwin")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


def _keys(original: bytes, values: Sequence[Value]) -> list[_Key]:
    return [
        _Key(section=value.section, key=value.key, before=before, after=value.value)
        for value in values
        if (before := read_value(original, value.section, value.key)) != value.value
    ]


def _take_out(content: bytes, keys: Sequence[_Key]) -> bytes:
    """An INI file with our values as they were.

    A value that somebody set to something else again is theirs.
    """
    for key in keys:
        if read_value(content, key.section, key.key) != key.after:
            continue
        if key.before is None:
            content = without_value(content, key.section, key.key)
        else:
            content = with_value(content, key.section, key.key, key.before)
    return content


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
