"""A drive as columns over time, whatever recorded it: a twin's rollout, a session, arrays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from actwin.analysis.rollout import Rollout
from actwin.errors import UnknownNameError
from actwin.telemetry.channels import FRAME_CHANNEL, FRAME_CHANNELS, GAME_CHANNEL, GAME_CHANNELS, WHEELS
from actwin.telemetry.store.schema import to_numpy
from actwin.telemetry.store.session import Session

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
CHANNEL = FRAME_CHANNEL | GAME_CHANNEL
"""Every channel that is read, by name, in the order of the channel table."""


Read = Callable[[Collection[str], int, int], Mapping[str, Array]]
"""Reads channels by name on rows from the first to the last (not included), without those that hold nothing there."""


class Columns:
    """Channels of one car over time; each is read when it is first asked for, and only if the source tells it.

    Args:
        time: [s] [T] Time stamp of each row, as recorded: they may repeat, jump or be NaN.
        names: Channels that may be known, by their names in the channel table.
        read: Reads some of them, [K] or [K, 4] each.
        driver: Who drives.
    """

    def __init__(self, time: Floats, names: Collection[str], read: Read, driver: str = "") -> None:
        self.time, self.driver = time, driver
        self._names, self._read = set(names), read
        self._held: dict[str, Array] = {}

    @classmethod
    def of(cls, source: Rollout | Session | Columns) -> Columns:
        """Columns of whatever holds a drive."""
        if isinstance(source, Columns):
            return source
        return cls.of_rollout(source) if isinstance(source, Rollout) else cls.of_session(source)

    @classmethod
    def of_rollout(cls, rollout: Rollout) -> Columns:
        """Columns of a twin's run."""
        channels = {channel.name: rollout.frames[channel.name] for channel in FRAME_CHANNELS}
        return cls.of_arrays(rollout.time, rollout.driver, **channels)

    @classmethod
    def of_arrays(cls, time: Floats, driver: str = "", **channels: Array) -> Columns:
        """Columns of arrays by channel name, each [T] or [T, 4]."""
        made = cls(time, (), lambda wanted, first, last: {}, driver)
        made.add(channels)
        return made

    @classmethod
    def of_session(cls, session: Session) -> Columns:
        """Columns of a recorded or imported session; a channel that is null throughout is not known."""
        there = set(session.columns)
        names = {
            channel.name
            for channel in (*GAME_CHANNELS, *FRAME_CHANNELS)
            if there.issuperset(channel.columns) and channel.name not in session.meta.missing
        }

        def read(wanted: Collection[str], first: int, last: int) -> Mapping[str, Array]:
            return _of_table(session, wanted, first, last)

        return cls(session.time, names, read, session.meta.driver)

    def __len__(self) -> int:
        return len(self.time)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> Array:
        found = self.get(name)
        if found is None:
            raise UnknownNameError("channel", name, self._names)
        return found

    def get(self, name: str) -> Array | None:
        """One channel, [T] or [T, 4]; None when the source does not tell it."""
        self.load((name,))
        return self._held.get(name)

    def load(self, names: Collection[str]) -> None:
        """Reads some channels together, which is quicker than one after the other; unknown ones are passed over."""
        wanted = [name for name in names if name in self._names and name not in self._held]
        if wanted:
            self._held |= self._read(wanted, 0, len(self))
            self._names -= set(wanted) - self._held.keys()

    def add(self, channels: Mapping[str, Array]) -> None:
        """Further channels, [T] or [T, 4] each; those that the source tells stay as told."""
        more = {name: values for name, values in channels.items() if name not in self}
        self._held |= more
        self._names |= more.keys()

    def part(self, first: int, last: int) -> dict[str, Array]:
        """Every channel that holds something on rows `first` to `last` (not included), in the order of the channel
        table. What is not in memory is read for these rows only."""
        found = {name: values[first:last] for name, values in self._held.items()}
        if unread := self._names - found.keys():
            found |= self._read(unread, first, last)
        return {name: found[name] for name in CHANNEL if name in found}


def _of_table(session: Session, wanted: Collection[str], first: int, last: int) -> dict[str, Array]:
    """Channels of a session's table, without those that hold nothing."""
    table = session.table([column for name in wanted for column in CHANNEL[name].columns], first, last)
    found = {}
    for name in wanted:
        columns = [table.column(column) for column in CHANNEL[name].columns]
        if all(column.null_count == len(column) for column in columns):
            continue
        arrays = [to_numpy(_held_over(column) if CHANNEL[name].integer else column) for column in columns]
        found[name] = np.stack(arrays, axis=1) if len(arrays) == len(WHEELS) else arrays[0]
    return found


def _held_over(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Counts and codes keep their value where nothing was told: 0 would be a change."""
    if not column.null_count:
        return column
    return pc.fill_null_backward(pc.fill_null_forward(column))
