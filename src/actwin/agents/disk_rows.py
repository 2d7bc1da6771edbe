"""Rows of numbers in a file, used as if they were in memory."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from actwin.errors import CheckpointError, ConfigError

PATTERN: Final = "replay_*.rows"
"""Names of the files; each is another one's, so that a new run never writes into the rows of an earlier one."""
SPARE: Final = 256 << 20
"""[bytes] What must be free beside the rows, for checkpoints and curves."""
LARGE: Final = 2 << 30
"""[bytes] A memory of more goes to the disk whatever the machine has: each checkpoint would write all of it."""
_BLOCK: Final = 1 << 24


class DiskRows:
    """A float32 array in a file whose room is taken when it is made.

    A hole in a file that cannot be filled later, because the disk is full by then, would kill the process.

    Args:
        path: The file.
        shape: Of the array.

    Raises:
        CheckpointError: The file is absent or of another size.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape = path, shape
        wanted = 4 * int(np.prod(shape))
        found = path.stat().st_size if path.is_file() else -1
        if found != wanted:
            raise CheckpointError(
                f"{path}: {'is missing' if found < 0 else f'has {found} bytes'}, where {wanted} bytes of what the "
                "agent remembers belong. Copy the run with all of its files, or begin a new run."
            )
        self._map = np.memmap(path, np.float32, "r+", shape=shape)
        self.rows: Tensor = torch.from_numpy(self._map)

    @classmethod
    def new(cls, folder: Path, shape: tuple[int, ...]) -> DiskRows:
        """An array of zeros under a name of its own.

        Raises:
            ConfigError: The disk has not so much room.
        """
        path = folder / PATTERN.replace("*", secrets.token_hex(4))
        size = 4 * int(np.prod(shape))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (free := shutil.disk_usage(folder).free) < size + SPARE:
                raise OSError(errno.ENOSPC, f"{free / 1e9:.1f} GB are free")
            _reserve(path, size)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise ConfigError(
                f"{folder}: there is no room for a memory of {size / 1e9:.1f} GB ({error.strerror}). "
                "Free disk space, lower agent.replay, or set agent.replay_on_disk=false if there is memory for it."
            ) from error
        return cls(path, shape)

    def copied(self, folder: Path) -> DiskRows:
        """The same in another folder, under a name of its own."""
        copy = DiskRows.new(folder, self.shape)
        for begin in range(0, len(self._map), 4096):
            copy._map[begin : begin + 4096] = self._map[begin : begin + 4096]
        return copy

    def flush(self) -> None:
        """Returns when the disk has everything."""
        self._map.flush()

    def write_over(self, number: int) -> None:
        """Marks a save whose rows will be written over, so that nobody takes it for whole.

        Raises:
            CheckpointError: That cannot be written down.
        """
        try:
            self._marker(number).touch()
        except OSError as error:
            raise CheckpointError(
                f"{self.path.parent}: nothing can be written ({error}), and the memory would write over what the last "
                "checkpoint needs. That is unharmed; free disk space and resume from it."
            ) from error

    def written_over(self, number: int) -> bool:
        """Whether rows of a save were written over."""
        return self._marker(number).exists()

    def _marker(self, number: int) -> Path:
        return self.path.with_suffix(f".over{number}")

    def tidy(self) -> None:
        """Removes what belongs to earlier saves, and rows of memories that nothing refers to any more."""
        others = (path for path in self.path.parent.glob(PATTERN) if path != self.path)
        for path in (*others, *self.path.parent.glob("replay_*.over*")):
            with contextlib.suppress(OSError):
                path.unlink()


def belongs_on_disk(choice: bool | str, size: int) -> bool:
    """Whether a memory of so many bytes lies on the disk: as was chosen, else if it is large for this machine."""
    if isinstance(choice, bool):
        return choice
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        machine = 4 * LARGE
    return size > min(LARGE, machine // 4)


def _reserve(path: Path, size: int) -> None:
    with path.open("xb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            zeros = bytes(_BLOCK)
            for begin in range(0, size, _BLOCK):
                file.write(zeros[: size - begin])
            file.flush()
            os.fsync(file.fileno())
