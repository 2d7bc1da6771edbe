"""Named shared memory: file mappings of Windows, files in `/dev/shm` elsewhere.

This is the one module that knows the platform. On Windows a mapping is `Local\\name`, lives as long as somebody holds
it and cannot be listed; elsewhere it is a file, whose folder may be chosen. Names are case-sensitive.

`read` and `write` copy. They are what to use unless an address is needed: a file that another program shortens ends in
a short read there, while touching a `view` beyond its end kills the process.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import sys
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from actwin.errors import ConfigError, SourceError

SHM: Final = Path("/dev/shm")
LARGEST: Final = 1 << 20
"""[B] Larger mappings are refused."""


class Mapping:
    """One block of shared memory; `Mapping.create` and `Mapping.open` make it.

    Attributes:
        name: As given.
        size: [B] Mapped.
        writable: Whether `write` is allowed.
        created: Whether it did not exist before.
    """

    def __init__(self, name: str, size: int, writable: bool, folder: str | Path | None, create: bool) -> None:
        if not 0 < size <= LARGEST:
            raise ConfigError(f"Shared memory of {size} bytes is not possible. Give 1 to {LARGEST}.")
        if not name.isprintable() or set(name) & set('/\\:*?"<>|') or name in ("", ".", ".."):
            raise ConfigError(f"'{name}' cannot name shared memory. Give a name without slashes.")
        self.name, self.size, self.writable = name, size, writable
        self._map: mmap.mmap | None = None
        self._view: memoryview | None = None
        self._file = -1
        if sys.platform == "win32" and folder is None:
            self.created = self._open_windows(create)
        else:
            self._path = Path(folder or SHM) / name
            self.created = self._open_file(create)

    @classmethod
    def create(cls, name: str, size: int, folder: str | Path | None = None) -> Self:
        """Opens shared memory for writing, making it when there is none; a longer one keeps its length.

        Args:
            name: Without prefix.
            size: [B].
            folder: To keep it in, as a file; None is the platform's own place.

        Raises:
            SourceError: The platform refuses.
        """
        return cls(name, size, writable=True, folder=folder, create=True)

    @classmethod
    def open(cls, name: str, size: int, folder: str | Path | None = None, *, writable: bool = False) -> Self:
        """Opens shared memory that exists; never makes it.

        Args:
            name: Without prefix.
            size: [B] To map at most.
            folder: As in `create`.
            writable: To write into it, too.

        Raises:
            SourceError: There is none of that name, or it is empty.
        """
        return cls(name, size, writable=writable, folder=folder, create=False)

    @property
    def view(self) -> memoryview:
        """The memory itself, `size` bytes; writable or read-only as the mapping is."""
        if self._view is None:
            if self._map is None:
                access = mmap.ACCESS_WRITE if self.writable else mmap.ACCESS_READ
                self._map = mmap.mmap(self._file, self.size, access=access)
            self._view = memoryview(self._map)
        return self._view

    def array(self, layout: npt.DTypeLike) -> npt.NDArray[Any]:
        """layout[1] on the memory itself."""
        return np.frombuffer(self.view, layout, count=1)

    def read(self, size: int | None = None) -> bytes:
        """A copy of the bytes; fewer than asked for when the file was shortened meanwhile.

        Args:
            size: [B] To copy, from the start; None copies all.
        """
        size = self.size if size is None else min(size, self.size)
        if sys.platform != "win32" and self._file >= 0:
            return os.pread(self._file, size, 0)
        return bytes(self.view[:size])

    def write(self, data: bytes | bytearray | memoryview, offset: int = 0) -> None:
        """Copies bytes in.

        Args:
            data: The bytes, which must fit.
            offset: [B] Where they go.
        """
        if not self.writable or offset < 0 or offset + len(data) > self.size:
            raise ValueError(f"{len(data)} bytes at {offset} do not fit into '{self.name}', or it is read-only.")
        if sys.platform != "win32" and self._file >= 0:
            os.pwrite(self._file, data, offset)
        else:
            self.view[offset : offset + len(data)] = data

    def replaced(self) -> bool:
        """Whether the name now means other memory, or none, because somebody removed the file."""
        if self._file < 0:
            return False
        try:
            return not os.path.samestat(os.fstat(self._file), self._path.stat(follow_symlinks=False))
        except OSError:
            return True

    def unlink(self) -> None:
        """Removes the name, if it still means this memory; who has it open keeps it. Nothing to do on Windows."""
        if self._file >= 0 and not self.replaced():
            with contextlib.suppress(OSError):
                self._path.unlink()

    def close(self) -> None:
        """Lets go; arrays on the memory keep it until they are gone."""
        self._view = None
        if self._map is not None:
            with contextlib.suppress(BufferError):
                self._map.close()
            self._map = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_file(self, create: bool) -> bool:
        flags = os.O_RDWR if self.writable else os.O_RDONLY
        for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"):
            flags |= getattr(os, name, 0)
        created = create and not self._path.exists()
        try:
            self._file = os.open(self._path, flags | (os.O_CREAT if create else 0), 0o600)
        except OSError as error:
            raise _absent(self.name, str(self._path), error.strerror or "it cannot be opened") from error
        found = os.fstat(self._file)
        if create and stat.S_ISREG(found.st_mode) and found.st_size < self.size:
            os.ftruncate(self._file, self.size)
            return created
        if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
            self.close()
            raise _absent(self.name, str(self._path), "it is empty or no file")
        self.size = min(self.size, found.st_size)
        return created

    def _open_windows(self, create: bool) -> bool:
        """`mmap` makes what it does not find; a handle of the existing mapping, held meanwhile, excludes that."""
        from actwin.telemetry.ac.windows import close_handle, open_file_mapping

        tag = f"Local\\{self.name}"
        handle = open_file_mapping(tag)
        if not handle and not create:
            raise _absent(self.name, tag, "it does not exist")
        access = mmap.ACCESS_WRITE if self.writable else mmap.ACCESS_READ
        try:
            self._map = mmap.mmap(-1, self.size, tagname=tag, access=access)  # type: ignore[call-arg,unused-ignore]
        except OSError as error:
            raise _absent(self.name, tag, error.strerror or "it cannot be mapped") from error
        finally:
            if handle:
                close_handle(handle)
        return not handle


def _absent(name: str, place: str, reason: str) -> SourceError:
    return SourceError(
        f"No shared memory '{name}' ({place}): {reason}. "
        "Start a session in the game, or run `actwin serve` to emulate one."
    )
