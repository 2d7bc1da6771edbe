"""What an importer makes of a file: rows of the channel table, with every column of the file beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.telemetry.channels import (
    FRAME_CHANNEL,
    FRAME_CHANNELS,
    GAME_CHANNEL,
    GAME_CHANNELS,
    WHEELS,
    Channel,
    Controls,
    Frames,
)
from actwin.telemetry.store.csv_table import CsvTable
from actwin.telemetry.store.schema import SOURCE, Records, absent
from actwin.telemetry.store.session import Extra

Array = npt.NDArray[np.float64]

INTEGER_RANGE: Final = 2**31 - 1
_NOT_A_NAME: Final = re.compile(r"\W+")


class Mapped(NamedTuple):
    """How a column of a file becomes a channel: value = column * scale + offset.

    Attributes:
        column: Name in the file.
        channel: Name in the channel table, of FRAME or GAME.
        scale, offset: Into our unit and sign.
        wheel: Index of the wheel for channels that have four, else -1.
    """

    column: str
    channel: str
    scale: float = 1.0
    offset: float = 0.0
    wheel: int = -1


def each_wheel(column: str, channel: str, names: Iterable[str] = WHEELS, scale: float = 1.0) -> tuple[Mapped, ...]:
    """One line for each wheel.

    Args:
        column: Name in the file with `{}` where the wheel stands.
        channel: Of the channel table.
        names: The wheels as the file calls them, front left, front right, rear left, rear right.
        scale: As in `Mapped`.
    """
    return tuple(Mapped(column.format(name), channel, scale, 0.0, wheel) for wheel, name in enumerate(names))


def in_kind(values: Array, integer: bool, unknown: int = 0) -> npt.NDArray[Any]:
    """Values as a channel holds them.

    Args:
        values: [T] Anything.
        integer: Whether the channel holds 32-bit integers; else it is single precision, where a value beyond its range
            becomes infinite, which a check finds.
        unknown: Integer for NaN.
    """
    if integer:
        whole = np.nan_to_num(np.round(values), nan=unknown, posinf=INTEGER_RANGE, neginf=-INTEGER_RANGE)
        return np.clip(whole, -INTEGER_RANGE, INTEGER_RANGE).astype(np.int32)
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32)


@dataclass(eq=False)
class Imported:
    """A recording from elsewhere.

    Attributes:
        time: [s] [T] Since its first row; never falls.
        car, track, layout, driver: As the file or the user tells; empty when nobody does.
        started: When its first row was taken, None when nobody tells.
        facts: Other facts for the meta.
        notes: What was assumed or left out, a sentence each.
        extra: Every column of the file under `source_<name>`, unchanged.
        renamed: Names in the file by column name, where they differ.
        frames, game, sent: FRAME[T], GAME[T], CONTROLS[T].
    """

    time: Array
    car: str = ""
    track: str = ""
    layout: str = ""
    driver: str = ""
    started: datetime | None = None
    facts: dict[str, str | int | float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Extra] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    frames: Frames = field(init=False)
    game: Records = field(init=False)
    sent: Controls | None = None

    def __post_init__(self) -> None:
        self.frames, self.game = absent("frame", len(self.time)), absent("game", len(self.time))
        self._given: set[str] = set()

    def __len__(self) -> int:
        return len(self.time)

    @property
    def missing(self) -> tuple[str, ...]:
        """Channels of FRAME and GAME that nothing was put into."""
        return tuple(c.name for c in (*FRAME_CHANNELS, *GAME_CHANNELS) if c.name not in self._given)

    def has(self, channel: str) -> bool:
        """Whether something was put into a channel."""
        return channel in self._given

    def put(self, channel: str, values: npt.ArrayLike, wheel: int = -1) -> None:
        """Fills a channel.

        Args:
            channel: Name in FRAME or GAME.
            values: [T] In our unit and sign; NaN where nothing is known.
            wheel: Index of the wheel, -1 for channels with one value.
        """
        line, records = self._place(channel)
        column = records[channel] if wheel < 0 else records[channel][:, wheel]
        column[:] = in_kind(np.asarray(values, np.float64), line.integer)
        self._given.add(channel)

    def _place(self, channel: str) -> tuple[Channel, Records]:
        if channel in FRAME_CHANNEL:
            return FRAME_CHANNEL[channel], self.frames
        return GAME_CHANNEL[channel], self.game

    def put_mapped(self, table: Iterable[Mapped], columns: Mapping[str, Array]) -> None:
        """Fills channels from the file's columns by a table; lines whose column the file lacks are passed over.

        Args:
            table: Lines; of two for one channel the first that applies wins.
            columns: [T] By name in the file.
        """
        filled: set[tuple[str, int]] = set()
        for line in table:
            if line.column in columns and (line.channel, line.wheel) not in filled:
                filled.add((line.channel, line.wheel))
                with np.errstate(over="ignore"):
                    values = columns[line.column] * line.scale + line.offset
                self.put(line.channel, values, line.wheel)

    def keep(self, name: str, values: npt.NDArray[Any], unit: str = "") -> None:
        """Keeps a column of the file as it is.

        Args:
            name: In the file; characters that are awkward in queries become `_`, and a number makes it unique.
            values: [T] Numbers or text.
            unit: As in the file.
        """
        plain = SOURCE + (_NOT_A_NAME.sub("_", name).strip("_") or "column")
        unique, number = plain, 2
        taken = {column.lower() for column in self.extra}
        while unique.lower() in taken:  # SQL does not tell upper from lower case
            unique, number = f"{plain}_{number}", number + 1
        self.extra[unique] = Extra(values, unit)
        if unique != SOURCE + name:
            self.renamed[unique] = name

    def keep_all(self, table: CsvTable, units: Iterable[str] = ()) -> None:
        """Keeps every column of a CSV file, and says what was wrong with its rows.

        Args:
            table: T rows.
            units: Of the columns, when the file tells them.
        """
        for index, (name, unit) in enumerate(zip_longest(table.names, units, fillvalue="")):
            self.keep(name, table.column(index), unit)
        if table.short:
            self.notes.append(f"{table.short} rows end early and were filled with empty cells.")
