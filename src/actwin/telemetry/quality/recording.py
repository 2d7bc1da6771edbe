"""What a check reads: time, FRAME, GAME, the length of the lap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.errors import SessionError
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, GAME, GAME_CHANNELS, Channel, Frames
from actwin.telemetry.quality.findings import Floats


class Column(NamedTuple):
    """One flat column of the channel table."""

    name: str
    """As it is exported."""
    channel: Channel
    wheel: int
    """Index of the wheel; -1 for channels that have one value."""
    game: bool
    """Whether it belongs to GAME."""


def _columns() -> dict[str, Column]:
    found = {}
    for game, channels in ((False, FRAME_CHANNELS), (True, GAME_CHANNELS)):
        for channel in channels:
            for i, name in enumerate(channel.columns):
                found[name] = Column(name, channel, i if channel.wheels else -1, game)
    return found


COLUMNS: Final = _columns()
"""Every column of FRAME and GAME by its export name."""


@dataclass(frozen=True)
class Recording:
    """A recording of one car.

    Attributes:
        time: [s] [T] Time of each row since the session began, on the recorder's clock.
        frames: FRAME[T]; a float channel that the source could not give is NaN throughout.
        game: GAME[T], or None when there is none.
        track_length: [m] Length of a lap as the source told it; NaN when it did not.
        missing: Channels that the source cannot give; integer channels have no NaN to tell it.
    """

    time: Floats
    frames: Frames
    game: npt.NDArray[Any] | None = None
    track_length: float = np.nan
    missing: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.frames.dtype != FRAME or (self.game is not None and self.game.dtype != GAME):
            raise SessionError("The recording has other channels than this version. Import it again.")
        lengths = {len(self.time), len(self.frames)} | ({len(self.game)} if self.game is not None else set())
        if len(lengths) > 1:
            raise SessionError("Time and channels of the recording differ in length. Record or import it again.")

    def __len__(self) -> int:
        return len(self.time)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Values of a column [T], a view.

        Args:
            name: Its export name.
        """
        column = COLUMNS[name]
        records = self.game if column.game else self.frames
        assert records is not None
        values: npt.NDArray[Any] = records[column.channel.name]
        return values if column.wheel < 0 else values[:, column.wheel]

    @cached_property
    def given(self) -> frozenset[str]:
        """Columns that hold anything: those of channels that are not missing, with a number if they are floats."""
        names = (
            name
            for name, column in COLUMNS.items()
            if (self.game is not None or not column.game) and column.channel.name not in self.missing
        )
        return frozenset(name for name in names if _holds_something(self.column(name)))

    def has(self, *names: str) -> bool:
        """Whether all these columns are given."""
        return self.given.issuperset(names)

    def floats(self, name: str) -> Floats:
        """A column in double precision, NaN throughout when it is not given."""
        if name not in self.given:
            return np.full(len(self), np.nan)
        return self.column(name).astype(np.float64)

    def copy(self) -> Recording:
        """The same with arrays of its own."""
        game = None if self.game is None else self.game.copy()
        return replace(self, time=self.time.copy(), frames=self.frames.copy(), game=game)

    def take(self, rows: npt.NDArray[Any]) -> Recording:
        """Some of the rows, in the given order."""
        game = None if self.game is None else self.game[rows]
        return replace(self, time=self.time[rows], frames=self.frames[rows], game=game)


def _holds_something(values: npt.NDArray[Any]) -> bool:
    return bool(values.dtype.kind == "i" or np.any(np.isfinite(values)))
