"""A recorded session as a source of telemetry: its rows come at the pace at which they were recorded."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from actwin.errors import SourceError
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.store.folder import TABLE
from actwin.telemetry.store.schema import COLUMNS, TIME, absent, to_numpy, to_records
from actwin.telemetry.store.session import Session

LONGEST_GAP: Final = 2.0
"""[s] A longer pause in the recording is shortened to this."""
_ROWS: Final = 2000


class ReplaySource:
    """Plays a session over and over.

    Args:
        folder: Of the session.
        pace: [-] Times as fast as it was recorded.
    """

    def __init__(self, folder: Path, pace: float = 1.0) -> None:
        self.name = f"replay:{folder.name}"
        self._folder, self._pace = folder, pace
        self._session: Session | None = None
        self._rows: Iterator[tuple[float, Sample]] = iter(())
        self._next: tuple[float, Sample] | None = None
        self._last = (-math.inf, 0.0)
        """Clock and session time of the last sample."""
        self._period = 0.0

    def connect(self, timeout: float = 2.0) -> GameInfo:
        """Opens the session.

        Raises:
            SourceError: It has no rows.
            SessionError: It cannot be read.
        """
        session = Session.open(self._folder)
        if not len(session):
            raise SourceError(f"{session.name}: holds no rows. Choose another session.")
        if not (session.folder / TABLE).is_file():
            raise SourceError(f"{session.name}: is still being recorded. Watch the game itself instead.")
        self._session, self._rows, self._next = session, _samples(session), None
        self._period = session.meta.period or session.meta.duration / max(len(session) - 1, 1)
        meta, facts = session.meta, session.meta.facts
        top = facts.get("max_rpm", math.nan)
        return GameInfo(
            source=meta.source, car=meta.car, track=meta.track, layout=meta.layout, driver=meta.driver,
            max_rpm=float(top) if isinstance(top, int | float) else math.nan,
        )  # fmt: skip

    def read(self, timeout: float = 0.1) -> Sample | None:
        """The newest row that is due; rows that were not asked for in time are passed over."""
        if self._session is None:
            raise SourceError("The replay is not open. Connect it first.")
        until, found = time.perf_counter() + timeout, None
        while True:
            if self._next is None:
                self._next = next(self._rows, None)
                if self._next is None:  # from the beginning
                    self._rows, self._last = _samples(self._session), (-math.inf, 0.0)
                    continue
            due, now = self._due(self._next[0]), time.perf_counter()
            if due > now:
                if found is not None:
                    return found
                time.sleep(max(0.0, min(due, until) - now))
                if due > until:
                    return None
                now = time.perf_counter()
            at, sample = self._next
            self._last, self._next = (max(due, now - 1.0), at), None
            found = sample._replace(time=now)

    def _due(self, at: float) -> float:
        clock, before = self._last
        if clock == -math.inf:
            return time.perf_counter()
        return clock + min(max(at - before, 0.0), LONGEST_GAP) / self._pace

    def health(self) -> Health:
        """Live while rows come."""
        age = time.perf_counter() - self._last[0]
        rate = self._pace / self._period if self._period > 0.0 else 0.0
        return Health("live" if age < LONGEST_GAP + 0.5 else "paused", rate, 0, age)

    def close(self) -> None:
        """Lets the session go."""
        self._session = None


def _samples(session: Session) -> Iterator[tuple[float, Sample]]:
    """Session time and sample of each row, read piece by piece."""
    columns = [TIME, *(c.name for c in COLUMNS if c.part in ("frame", "game") and c.name in session.columns)]
    for batch in session.batches(columns, _ROWS):
        table = pa.Table.from_batches([batch])
        times = to_numpy(table.column(TIME))
        frames, game = to_records(table, "frame"), to_records(table, "game")
        if len(game) != len(times):
            game = absent("game", len(times))
        for row in range(len(times)):
            at = float(np.nan_to_num(times[row]))
            yield at, Sample(0.0, frames[row : row + 1], game[row : row + 1])
