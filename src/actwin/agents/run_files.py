"""Which checkpoint the folder of a run means."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from actwin.errors import CheckpointError

LAST: Final = "last.pt"
BEST: Final = "best.pt"


def checkpoint_path(place: str | Path, name: str = BEST) -> Path:
    """The checkpoint that a path means: itself, or for a run folder its best (else last) one.

    Raises:
        CheckpointError: There is none.
    """
    place = Path(place)
    if not place.is_dir():
        return place
    for candidate in (place / name, place / LAST):
        if candidate.is_file():
            return candidate
    raise CheckpointError(f"{place}: holds no {name} or {LAST}. Give a checkpoint or the folder of a run.")
