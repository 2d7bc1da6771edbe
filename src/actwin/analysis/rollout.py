"""A driven run of one car: every frame it gave, with what is needed to read them later."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import ContentError
from actwin.telemetry.channels import FRAME, Frames

FORMAT: Final = "actwin-rollout-1"
FRAME_LIMIT: Final = 20_000_000
"""Frames a file may claim to hold (nine days at 25 Hz); more is taken for a damaged or hostile file."""
_HEADER_LIMIT: Final = 4096
_PARTS: Final = ("format", "frames", "period", "track", "car", "driver")
_RECORD_AGAIN: Final = "Record the run again with this version of actwin."


@dataclass(frozen=True)
class Rollout:
    """What one car did.

    Attributes:
        frames: FRAME[T] in order of time, one for each control period.
        period: [s] Time from one frame to the next.
        track, car: Names as `load_track` and `load_car` take them.
        driver: Who drove, as it is shown to the user.
    """

    frames: Frames
    period: float
    track: str
    car: str
    driver: str

    def __post_init__(self) -> None:
        _check(self, "rollout")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def time(self) -> npt.NDArray[np.float64]:
        """[s] Time of each frame since the first, [T]."""
        return np.arange(len(self.frames), dtype=np.float64) * self.period

    def save(self, path: str | Path) -> Path:
        """Writes the run as a compressed `.npz` file.

        Args:
            path: Where to; `.npz` is added when the name has another ending.

        Returns:
            The file that was written.
        """
        path = Path(path)
        if path.suffix != ".npz":
            path = path.with_name(path.name + ".npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        header = {"format": FORMAT, "track": self.track, "car": self.car, "driver": self.driver}
        texts = {name: np.frombuffer(text.encode(), np.uint8) for name, text in header.items()}
        np.savez_compressed(path, allow_pickle=False, frames=self.frames, period=np.float64(self.period), **texts)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Rollout:
        """Reads a run that `save` wrote.

        Raises:
            ContentError: The file is missing, truncated, too large, or was recorded with another channel table.
        """
        path = Path(path)
        try:
            _check_sizes(path)
            with np.load(path, allow_pickle=False) as file:
                if absent := set(_PARTS) - set(file.files):
                    raise ContentError(path, min(absent), "is missing from the file.", _RECORD_AGAIN)
                if (kind := _text(file["format"])) != FORMAT:
                    raise ContentError(path, "format", f"is '{kind[:40]}', not '{FORMAT}'.", _RECORD_AGAIN)
                frames, period = file["frames"], float(file["period"])
                track, car, driver = (_text(file[name]) for name in ("track", "car", "driver"))
        except FileNotFoundError:
            raise ContentError(path, "", "there is no such file.", "Check the name of the run.") from None
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ContentError(path, "", f"is not a readable run ({error}).", _RECORD_AGAIN) from error
        _check_frames(frames, path)
        return cls(frames, period, track, car, driver)


def _text(array: npt.NDArray[Any]) -> str:
    if array.dtype != np.uint8 or array.ndim != 1:
        raise ValueError("a name is not text")
    return array.tobytes().decode()


def _check_sizes(path: Path) -> None:
    """Refuses, before anything is unpacked, a file whose parts would not fit what a run can be."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            limit = FRAME_LIMIT * FRAME.itemsize if part.filename == "frames.npy" else _HEADER_LIMIT
            if part.file_size > limit:
                raise ContentError(path, part.filename, f"is larger than {limit} bytes.", _RECORD_AGAIN)


def _check_frames(frames: npt.NDArray[Any], source: object) -> None:
    if frames.dtype != FRAME:
        raise ContentError(source, "frames", "were recorded with another channel table.", _RECORD_AGAIN)
    if frames.ndim != 1:
        raise ContentError(source, "frames", f"have {frames.ndim} dimensions instead of one.", "Save one car a file.")


def _check(rollout: Rollout, source: object) -> None:
    _check_frames(rollout.frames, source)
    if not (math.isfinite(rollout.period) and rollout.period > 0.0):
        raise ContentError(source, "period", f"is {rollout.period} s.", "Give a positive time between frames.")
    for name in ("track", "car", "driver"):
        if not getattr(rollout, name):
            raise ContentError(source, name, "is empty.", "Give it a name.")
