"""Sessions and their laps in the sport's words: filtered, ranked, with their telemetry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.analysis.compare import CHANNELS, Trace, distance_axis, line_before, trace_of
from actwin.analysis.lap_table import LapRow, Mark, lap_table, rolling_best, theoretical_best
from actwin.analysis.laps import Lap, all_laps, best_lap
from actwin.analysis.place import lies_on, place_on
from actwin.analysis.way import Way, way_of
from actwin.content.track import Track
from actwin.errors import MissingExtraError, SessionError, UnknownNameError
from actwin.telemetry.channels import WHEELS
from actwin.telemetry.store.meta import SessionMeta

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
STEP: Final = 2.0
"""[m] Of the common distance axis."""
ROAD: Final = ("lap_distance", "lateral_offset", "heading_error", "border_left", "border_right", "road_curvature")
"""Channels that follow from position and track where the source does not tell them."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DrivenLap(Lap):
    """A lap with its telemetry.

    Attributes:
        session: It was driven in.
        drive: Number of the drive in it.
    """

    session: DrivenSession
    drive: int = 0

    def __repr__(self) -> str:
        why = f", {self.reason}" if self.reason else ""
        return f"DrivenLap({self.driver!r}, {self.number}, {self.time:.3f} s{why})"

    @property
    def label(self) -> str:
        """Who drove which lap, as tables and figures call it."""
        return f"{self.driver or self.session.name}, lap {self.number}"

    @property
    def columns(self) -> Columns:
        """The drive's channels, all rows."""
        return self.session.placed(self.drive)

    @property
    def way(self) -> Way:
        """The drive's way, all rows."""
        return self.session.ways[self.drive]

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Rows of the drive within the lap, without those that repeat a moment or tell no place."""
        kept = self.way.rows
        return kept[np.searchsorted(kept, self.first) : np.searchsorted(kept, self.last)]

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The lap's rows by channel name: `time` [s] since it began, without pauses, `distance` [m] from the line, then
        every channel that is known, in SI units; wheel channels [K, 4]. The road channels are computed from position
        and track where the source does not tell them."""
        way, rows = self.way, self.rows
        at = np.searchsorted(way.rows, rows)
        line = line_before(way, self) * way.length
        found: dict[str, npt.NDArray[Any]] = {
            "time": way.driven[at] - self.driven_begin,
            "distance": way.distance[at] - line,
        }
        part = self.columns.part(self.first, self.last)
        return found | {name: values[rows - self.first] for name, values in part.items()}

    @property
    def telemetry(self) -> pd.DataFrame:
        """`arrays` as a table; wheel channels as four columns (`load_fl`, …).

        Raises:
            MissingExtraError: pandas is not installed.
        """
        columns: dict[str, npt.NDArray[Any]] = {}
        for name, values in self.arrays.items():
            if values.ndim == 1:
                columns[name] = values
            else:
                columns |= {f"{name}_{wheel}": values[:, index] for index, wheel in enumerate(WHEELS)}
        return pandas().DataFrame(columns)

    def trace(self, axis: Floats | None = None, channels: Sequence[str] = CHANNELS) -> Trace:
        """The lap on a distance axis, to be laid over others.

        Args:
            axis: [m] From 0 to the track's length; None takes the session's own.
            channels: Which to carry; those that nobody knows are left out.
        """
        return trace_of(self.columns, self.way, self, self.session.axis if axis is None else axis, channels)

    def mini_sectors(self, n: int = 20) -> Floats:
        """[s] [n] Time of each of n equally long parts of the lap; they sum to the lap time.

        Parts that a lap did not drive whole are NaN.
        """
        length = self.session.length
        marks = self.trace(np.linspace(0.0, length, n * max(1, round(length / n / STEP)) + 1), ()).time
        return np.diff(marks[:: (len(marks) - 1) // n])


class Laps(Sequence[DrivenLap]):
    """Laps in order, with filters; each filter gives Laps."""

    def __init__(self, laps: Iterable[DrivenLap]) -> None:
        self._laps = tuple(laps)

    def __len__(self) -> int:
        return len(self._laps)

    @overload
    def __getitem__(self, index: int) -> DrivenLap: ...
    @overload
    def __getitem__(self, index: slice) -> Laps: ...
    def __getitem__(self, index: int | slice) -> DrivenLap | Laps:
        return Laps(self._laps[index]) if isinstance(index, slice) else self._laps[index]

    def __repr__(self) -> str:
        return f"Laps({list(self._laps)!r})"

    def where(self, keep: Callable[[DrivenLap], bool]) -> Laps:
        """Those for which a function is true."""
        return Laps([lap for lap in self._laps if keep(lap)])

    def valid(self) -> Laps:
        """Those that count: whole, within the track limits, not through the pits."""
        return self.where(lambda lap: lap.valid)

    def whole(self) -> Laps:
        """Those that have a lap time, counted or not."""
        return self.where(lambda lap: lap.whole)

    def flying(self) -> Laps:
        """Those driven from line to line."""
        return self.where(lambda lap: lap.kind == "flying")

    def driver(self, name: str) -> Laps:
        """Those of one driver."""
        return self.where(lambda lap: lap.driver == name)

    def stint(self, number: int) -> Laps:
        """Those of one stint, counted from 1."""
        return self.where(lambda lap: lap.stint == number)

    def number(self, number: int) -> DrivenLap:
        """The first lap of a number.

        Raises:
            UnknownNameError: There is none.
        """
        found = next((lap for lap in self._laps if lap.number == number), None)
        if found is None:
            raise UnknownNameError("lap", str(number), [str(lap.number) for lap in self._laps])
        return found

    @property
    def drivers(self) -> tuple[str, ...]:
        """Who drove, in order of appearance."""
        return tuple(dict.fromkeys(lap.driver for lap in self._laps))

    def fastest(self) -> DrivenLap | None:
        """The fastest lap that counts; None when there is none."""
        best = best_lap(self._laps)
        return best if isinstance(best, DrivenLap) else None

    def theoretical_best(self) -> float:
        """[s] Sum of the best sectors of the laps that count; NaN when there is none."""
        return theoretical_best(self._laps)

    def rolling_best(self) -> float:
        """[s] Fastest way round in one piece, from any sector line to the same one; NaN when there is none."""
        drives = dict.fromkeys((id(lap.session), lap.drive) for lap in self._laps)
        times = [rolling_best([lap for lap in self._laps if (id(lap.session), lap.drive) == each]) for each in drives]
        return float(np.fmin.reduce(times)) if times else math.nan

    def table(self) -> pd.DataFrame:
        """One row for each lap: number, driver, time, sectors, gap, mark (the timing screen's colour), validity, ….

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return pandas().DataFrame(self.records())

    def records(self) -> list[dict[str, Any]]:
        """The same as plain values, None where nothing is known."""
        rows = lap_table(self._laps)
        count = max((len(row.lap.sectors) for row in rows), default=0)
        return [_record(row, count) for row in rows]


class DrivenSession:
    """One session, or several drives on one track that are looked at together.

    Args:
        name: To show.
        drives: Columns of each drive, by its name.
        meta: What is known besides; of a twin's run track, car and driver.
        track: The road; None when nobody knows it.
        length: [m] Of the lap, where there is no track.
    """

    def __init__(
        self, name: str, drives: Mapping[str, Columns], meta: SessionMeta, track: Track | None, length: float = math.nan
    ) -> None:
        self.name, self.meta = name, meta
        self.names, self.drives = tuple(drives), tuple(drives.values())
        self._given, self._length = track, length
        self._placed: set[int] = set()

    def __repr__(self) -> str:
        return f"DrivenSession({self.name!r}, {len(self.laps)} laps)"

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """The way of each drive."""
        return tuple(way_of(columns, self._given, self._length) for columns in self.drives)

    @cached_property
    def track(self) -> Track | None:
        """The track if it is known and the session was driven on it; its corners and borders then fit the laps."""
        lengths = [way.length for way in self.ways if len(way)]
        if self._given is None or any(abs(length - self._given.length) > 1e-6 for length in lengths):
            return None
        return self._given

    @property
    def length(self) -> float:
        """[m] Of the lap; NaN when nobody knows it."""
        return next((way.length for way in self.ways if way.length > 0.0), math.nan)

    @property
    def axis(self) -> Floats:
        """[m] The common distance axis of its laps.

        Raises:
            SessionError: The length of the lap is not known.
        """
        if not self.length > 0.0:
            cure = "Give its track: --track NAME or a track file."
            raise SessionError(f"{self.name}: tells no place on the lap. {cure}")
        return distance_axis(self.length, STEP)

    @cached_property
    def on_track(self) -> bool:
        """Whether its positions lie on the track, so that both can be drawn on one map."""
        return self.track is not None and all(lies_on(columns, self.track) for columns in self.drives)

    def placed(self, drive: int) -> Columns:
        """Columns of a drive, with the road channels that follow from position and track."""
        columns = self.drives[drive]
        if drive not in self._placed and self.track is not None and self.on_track:
            self._placed.add(drive)
            if any(name not in columns for name in ROAD):
                columns.add(place_on(columns, self.track) or {})
        return columns

    @cached_property
    def laps(self) -> Laps:
        """Every lap and every part of one, in order."""
        sectors = self.track.sectors if self.track is not None else (0.0,)
        return Laps(
            DrivenLap(**vars(lap), session=self, drive=drive)
            for drive, columns in enumerate(self.drives)
            for lap in all_laps(columns, self.ways[drive], sectors)
        )


def _record(row: LapRow, count: int) -> dict[str, Any]:
    lap = row.lap
    sectors = [*lap.sectors, *[math.nan] * (count - len(lap.sectors))]
    marks = [mark.value for mark in row.sector_marks] + [Mark.INVALID.value] * (count - len(row.sector_marks))
    return {
        "drive": lap.session.names[lap.drive] if isinstance(lap, DrivenLap) else "",
        "number": lap.number,
        "driver": lap.driver,
        "stint": lap.stint,
        "kind": lap.kind,
        "valid": lap.valid,
        "reason": lap.reason,
        "time": _known(lap.time if lap.whole else math.nan),
        "gap": _known(row.gap),
        "mark": row.mark.value,
        **{f"sector_{i}": _known(time) for i, time in enumerate(sectors, start=1)},
        **{f"sector_{i}_mark": mark for i, mark in enumerate(marks, start=1)},
        "begin": lap.begin,
        "end": lap.end,
        "top_speed": _known(lap.top_speed),
        "tyres_out": lap.tyres_out,
        "clock": lap.clock if lap.whole else "",
    }


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def pandas() -> Any:
    """The package pandas, imported where it is needed.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("pandas", "dashboard") from error
    return pd
