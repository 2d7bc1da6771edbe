"""A recorded drive as it is read piece by piece, whoever recorded it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from actwin.errors import SessionError
from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS, Controls, Frames
from actwin.telemetry.store.folder import TABLE
from actwin.telemetry.store.imports import read_recording
from actwin.telemetry.store.meta_files import damaged
from actwin.telemetry.store.schema import COLUMNS, QUALITY, SENT, TIME, Records, absent, to_numpy, to_records
from actwin.telemetry.store.session import Session
from actwin.telemetry.store.table import GROUP_ROWS

IMPORTED = "import"
"""Source of a session that another program recorded."""
GAME_READ = ("status", "in_pit", "in_pit_lane")
"""Channels of GAME that tell whether somebody drives."""


class Rows(NamedTuple):
    """Consecutive rows of a drive."""

    time: npt.NDArray[np.float64]
    """[s] [K]"""
    frames: Frames
    """FRAME[K], NaN where a float is not known."""
    game: Records
    """GAME[K] with `GAME_READ`."""
    sent: Controls
    """CONTROLS[K], NaN where nothing was sent."""
    quality: npt.NDArray[np.uint32]
    """[K] Marks of a check."""

    def take(self, which: Any) -> Rows:
        """Some of them."""
        return Rows(self.time[which], self.frames[which], self.game[which], self.sent[which], self.quality[which])

    def followed_by(self, others: Rows) -> Rows:
        """These, then others."""
        pairs: Any = zip(self, others, strict=True)
        return Rows(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class Tape:
    """A recorded drive.

    Attributes:
        name: To show.
        track, car, driver: As whoever recorded it named them; empty when nobody did.
        told: Channels of FRAME and GAME that hold anything.
        step: [s] Usual time from row to row; NaN for fewer than two rows.
        ours: Whether what was sent are controls as this package means them; another program's are its own.
        checked: Whether `actwin check` has looked at it.
        pieces: Its rows in order, some at a time.
    """

    name: str
    track: str
    car: str
    driver: str
    told: frozenset[str]
    step: float
    ours: bool
    checked: bool
    pieces: Callable[[], Iterator[Rows]]


def tape_of_session(session: Session, rows: int = GROUP_ROWS) -> Tape:
    """A recorded session, of which no more than some rows are in memory at a time.

    Args:
        session: Complete.
        rows: That are read at a time, at most.

    Raises:
        SessionError: It is still being recorded, or cannot be read.
    """
    if not session.has_table:
        raise SessionError(f"{session.folder}: is being recorded. Stop the recorder first.")
    meta = session.meta
    told = _told(session)
    names = [TIME, *(c.name for c in COLUMNS if c.part == "sent" or c.channel.name in told), QUALITY]
    names = [name for name in names if name in session.columns]

    def pieces() -> Iterator[Rows]:
        for batch in session.batches(names, rows):
            table = pa.Table.from_batches([batch])
            quality = to_numpy(table.column(QUALITY)) if QUALITY in names else np.zeros(len(table))
            yield Rows(
                to_numpy(table.column(TIME)), to_records(table, "frame"), to_records(table, "game"),
                to_records(table, "sent"), quality.astype(np.uint32),
            )  # fmt: skip

    ours = meta.source != IMPORTED
    return Tape(
        session.name, meta.track, meta.car, meta.driver, told, _step(session.time), ours, meta.findings is not None,
        pieces,
    )  # fmt: skip


def tape_of_file(path: Path) -> Tape:
    """A recording of another program, read without making a session of it.

    Raises:
        SessionError: The file cannot be used.
    """
    made = read_recording(path)
    count = len(made)
    sent = absent("sent", count) if made.sent is None else made.sent
    rows = Rows(made.time, made.frames, made.game, sent, np.zeros(count, np.uint32))
    told = frozenset(c.name for c in (*FRAME_CHANNELS, *GAME_CHANNELS)) - set(made.missing)
    return Tape(
        path.name, made.track, made.car, made.driver, told, _step(made.time), False, False, lambda: iter((rows,))
    )


def _told(session: Session) -> frozenset[str]:
    """Channels that a session says it has and that are not null throughout."""
    try:
        with pq.ParquetFile(session.folder / TABLE) as file:
            empty = _empty_columns(file.metadata)
    except (pa.ArrowException, OSError) as error:
        raise damaged(session.folder, error) from error
    known = set(session.columns) - empty
    names = {c.channel.name for c in COLUMNS if not c.name.startswith(SENT) and c.name in known}
    wanted = {*(channel.name for channel in FRAME_CHANNELS), *GAME_READ}
    return frozenset(names & wanted - set(session.meta.missing))


def _empty_columns(metadata: Any) -> set[str]:
    """Columns of a Parquet file that hold nothing, by its own statistics."""
    nulls: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            known = column.statistics is not None and column.statistics.has_null_count
            nulls[column.path_in_schema] = nulls.get(column.path_in_schema, 0) + (
                column.statistics.null_count if known else 0
            )
    return {name for name, count in nulls.items() if count and count == metadata.num_rows}


def _step(time: npt.NDArray[np.float64]) -> float:
    steps = np.diff(time)
    steps = steps[steps > 0.0]
    return float(np.median(steps)) if len(steps) else float("nan")
