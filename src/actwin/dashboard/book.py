"""An opened session as pages use it: laps with labels, traces that are made once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import streamlit as st

from actwin.analysis.compare import CHANNELS, Trace, told_apart
from actwin.analysis.corners import CornerSpan, find_corners
from actwin.analysis.driven_laps import DrivenLap
from actwin.analysis.outline import Outline, outline, outline_of_lap
from actwin.analysis.pattern_report import car_driven
from actwin.analysis.session import DrivenSession, open_session
from actwin.content.car import Car
from actwin.dashboard.folders import Choice, check_size, one_line
from actwin.errors import ActwinError, SessionError
from actwin.telemetry.store.session import Session
from actwin.units import lap_time_text

if TYPE_CHECKING:
    import pandas as pd

SHOWN: Final = (*CHANNELS, "steer_angle", "rpm", "yaw_rate", "fuel")
"""Channels that pages draw."""
MOST_LAPS: Final = 400
"""Laps of a session that are listed."""
_KEPT: Final = 60
"""Traces kept in memory for each session."""


class Book:
    """A session that is looked at.

    Args:
        session: The session.
    """

    def __init__(self, session: DrivenSession) -> None:
        self.session = session
        self.laps: tuple[DrivenLap, ...] = tuple(session.laps)[:MOST_LAPS]
        self.whole = [i for i, lap in enumerate(self.laps) if lap.whole]
        """Numbers of the laps that have a lap time."""
        self._labels = told_apart([_label(lap) for lap in self.laps])
        self._traces: OrderedDict[tuple[int, float, int], Trace] = OrderedDict()
        self._lock = threading.Lock()

    def table(self) -> pd.DataFrame:
        """The lap table."""
        return self.session.laps[:MOST_LAPS].table()

    def label(self, i: int) -> str:
        """A lap in a few words, told apart from all others of the session."""
        return self._labels[i]

    def best(self) -> int | None:
        """Number of the fastest lap that counts, else of the fastest."""
        for among in ([i for i in self.whole if self.laps[i].valid], self.whole):
            if among:
                return min(among, key=lambda i: self.laps[i].time)
        return None

    def ranked(self) -> list[int]:
        """Laps with a time, those that count first, the fastest first."""
        return sorted(self.whole, key=lambda i: (not self.laps[i].valid, self.laps[i].time))

    def trace(self, i: int, axis: npt.NDArray[np.float64] | None = None) -> Trace:
        """A lap over distance, under its label.

        Args:
            i: Number of the lap.
            axis: [m] To be on; None means the session's own.

        Raises:
            SessionError: The lap tells no places.
        """
        axis = self.session.axis if axis is None else axis
        key = (i, float(axis[-1]), len(axis))
        with self._lock:
            if key not in self._traces:
                self._traces[key] = self._read(i, axis)
                while len(self._traces) > _KEPT:
                    self._traces.popitem(last=False)
            self._traces.move_to_end(key)
            return self._traces[key]

    def _read(self, i: int, axis: npt.NDArray[np.float64]) -> Trace:
        try:
            return replace(self.laps[i].trace(axis, SHOWN), driver=self.label(i))
        except (ValueError, IndexError) as error:
            raise SessionError(
                f"{self.session.name}: lap {self.laps[i].number} cannot be laid over distance."
            ) from error

    def traces(self, numbers: Sequence[int]) -> list[Trace]:
        """Several laps on the session's axis."""
        return [self.trace(i) for i in numbers]

    @cached_property
    def car(self) -> Car | None:
        """The car that was driven; None when it is not in the library."""
        return car_driven(self.session)

    def outline(self, lap: Trace) -> Outline:
        """The drawing of the road: of the track where the session lies on it, else of what a lap drove.

        Args:
            lap: To draw where no track is known.
        """
        track = self.session.track
        if track is not None and self.session.on_track:
            return _outline(track.name) if track.name in _bundled() else outline(track)
        return outline_of_lap(lap, self.session.name, track.sectors if track else (0.0,))

    def corners(self, laps: Sequence[Trace]) -> list[CornerSpan]:
        """Corners of the track, or found in the driven laps; none where nothing tells them."""
        try:
            return find_corners(self.session.track if self.session.track is not None else list(laps))
        except ActwinError:
            return []


def _label(lap: DrivenLap) -> str:
    mark = "" if lap.valid else " ✕"
    return f"L{lap.number} {lap_time_text(lap.time)}{mark} {one_line(lap.driver, 18)}".strip()


@st.cache_resource(max_entries=32, show_spinner=False)
def _outline(name: str) -> Outline:
    from actwin.content.library import load_track

    return outline(load_track(name))


@st.cache_resource(show_spinner=False)
def _bundled() -> frozenset[str]:
    from actwin.content.library import track_names

    return frozenset(track_names())


def open_book(choice: Choice) -> Book:
    """The session that was chosen, opened once until its files change.

    Raises:
        SessionError: It cannot be read, or is too large.
    """
    return _open(choice.name, choice.stamp, choice)


@st.cache_resource(max_entries=3, show_spinner="Reading laps …")
def _open(name: str, stamp: float, _choice: Choice) -> Book:
    check_size(_choice.folder)
    try:
        return Book(open_session(Session.open(_choice.folder)))
    except ActwinError:
        raise
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:  # rows that no recorder wrote
        raise SessionError(f"{name}: its rows make no sense ({type(error).__name__}). See: actwin check") from error
