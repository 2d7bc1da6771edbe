"""Up to four laps side by side: resampled on one axis, with the differences of sectors and corners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from actwin.analysis.compare import CHANNELS, Trace, compare_corners, stretch_of, told_apart
from actwin.analysis.corner_losses import Loss, where_time_is_lost
from actwin.analysis.corner_spans import CornerSpan, find_corners
from actwin.analysis.driven_laps import DrivenLap
from actwin.analysis.place import LIKE_LENGTH
from actwin.analysis.session import DrivenSession
from actwin.content.track import Track
from actwin.errors import ActwinError, SessionError

MOST: Final = 4
"""Laps that are laid over each other; more cannot be told apart."""
LEAST_LOSS: Final = 0.005
"""[s] A smaller loss is no loss to tell of."""
SHOWN: Final = (*CHANNELS, "steer_angle", "yaw_rate")
"""Channels that are compared."""


class Stretch(NamedTuple):
    """One sector, or one corner from half way after the corner before to half way to the next."""

    name: str
    begin: float
    """[m]"""
    end: float
    """[m]"""
    times: tuple[float, ...]
    """[s] Of each lap; NaN where a lap did not drive it."""
    slowest: tuple[float, ...]
    """[m/s] Of each lap."""

    def behind(self, lap: int, reference: int) -> float:
        """[s] That a lap lost against another; positive = slower."""
        return self.times[lap] - self.times[reference]


class Contest(NamedTuple):
    """Laps on one distance axis.

    Attributes:
        traces: Each lap; its `driver` is the label that tells it from the others.
        reference: Number of the lap that the others are measured against.
        track: The road; None when nobody knows it.
        on_track: Whether the positions lie on the track.
        spans: The corners; empty where none can be found.
    """

    traces: tuple[Trace, ...]
    reference: int
    track: Track | None
    on_track: bool
    spans: tuple[CornerSpan, ...]

    @property
    def sectors(self) -> list[Stretch]:
        """Times between the track's sector lines, all laps by the same lines."""
        length = float(self.traces[0].distance[-1])
        lines = self.track.sectors if self.track is not None else (0.0,)
        bounds = pairwise([*lines, length]) if len(lines) > 1 else ()
        return [
            Stretch(f"S{i}", *bound, *zip(*(stretch_of(lap, *bound) for lap in self.traces), strict=True))
            for i, bound in enumerate(bounds, start=1)
        ]

    @property
    def corners(self) -> list[Stretch]:
        """Times around each corner; those of a lap add up to its lap time."""
        return [
            Stretch(
                row.corner.label,
                row.start,
                row.end,
                tuple(lap.time for lap in row.laps),
                tuple(lap.minimum_speed for lap in row.laps),
            )
            for row in compare_corners(self.traces, self.spans)
        ]

    def losses(self, lap: int) -> list[Loss]:
        """Where a lap loses time to the reference, the greatest loss first; empty where that cannot be told."""
        mine, theirs = self.traces[lap], self.traces[self.reference]
        if not self.spans or not np.isfinite(mine.time).all() or not np.isfinite(theirs.time).all():
            return []
        try:
            return where_time_is_lost(mine, theirs, self.spans)
        except ActwinError:  # a lap without the channels that say how it was driven, such as a speed profile
            return []


def home(laps: Iterable[DrivenLap | Trace]) -> DrivenSession:
    """The session whose track and distance axis a comparison takes: the first that knows its track, else the first.

    Raises:
        SessionError: None of the laps was driven.
    """
    driven = [lap.session for lap in laps if isinstance(lap, DrivenLap)]
    if not driven:
        raise SessionError("Name at least one lap that was driven, such as last:best.")
    return next((session for session in driven if session.track is not None), driven[0])


def contest(laps: Sequence[DrivenLap | Trace], reference: int = -1) -> Contest:
    """Lays laps over each other.

    Args:
        laps: Two to four, at least one of them driven; traces of ideal laps must stand on the axis of `home`.
        reference: Which the others are measured against; the last by default.

    Raises:
        SessionError: Too few or too many laps, laps of different tracks, or a lap without a place.
    """
    if not 2 <= len(laps) <= MOST:
        count = f"{len(laps)} lap{'' if len(laps) == 1 else 's'}"
        raise SessionError(f"{count} cannot be compared: give two to {MOST}.")
    lead, driven = home(laps), [lap for lap in laps if isinstance(lap, DrivenLap)]
    for lap in driven[1:]:
        _require_same_track(driven[0], lap)
    axis, track = lead.axis, lead.track
    traces = [lap.trace(axis, SHOWN) if isinstance(lap, DrivenLap) else lap for lap in laps]
    labels = told_apart([lap.label if isinstance(lap, DrivenLap) else lap.driver for lap in laps])
    traces = [replace(each, driver=label) for each, label in zip(traces, labels, strict=True)]
    on_track = track is not None and all(lap.session.on_track for lap in driven)
    if not on_track:  # positions of an ideal lap are the library track's, those of the game its own
        traces = [_without_place(t) if isinstance(lap, Trace) else t for t, lap in zip(traces, laps, strict=True)]
    spans = _corners(track, [each for each, lap in zip(traces, laps, strict=True) if isinstance(lap, DrivenLap)])
    return Contest(tuple(traces), reference % len(laps), track, on_track, tuple(spans))


def _require_same_track(one: DrivenLap, other: DrivenLap) -> None:
    a, b = one.session, other.session
    if a.track is not None and b.track is not None and a.track.name != b.track.name:
        raise SessionError(f"{one.label} was driven on {a.track.title}, {other.label} on {b.track.title}.")
    if not abs(a.length / b.length - 1.0) < LIKE_LENGTH:
        raise SessionError(
            f"{one.label} has {a.length:.0f} m, {other.label} {b.length:.0f} m. Only laps of one track compare; "
            "where a recording does not know its track, give it: --track NAME or a track file."
        )


def _without_place(lap: Trace) -> Trace:
    return replace(lap, channels={name: values for name, values in lap.channels.items() if name not in ("x", "y", "z")})


def _corners(track: Track | None, driven: Sequence[Trace]) -> list[CornerSpan]:
    try:
        return find_corners(track if track is not None else driven)
    except ActwinError:
        return []


def ideal_lap(name: str, session: DrivenSession, car: str | Path | None) -> Trace:
    """A lap that nobody drove, on the axis of a session.

    Args:
        name: `profile`, or path of the game's AI line (`….ai`).
        session: Gives axis and track, and the car where it is not given.
        car: Name or file of the car; None takes the session's.

    Raises:
        SessionError: Track or car are needed and not known.
        ContentError: The line cannot be read, or is another track's.
    """
    from actwin.analysis.ideal_laps import ai_line_lap, profile_lap
    from actwin.content.library import load_car

    if Path(name).suffix.lower() == ".ai":
        return ai_line_lap(name, session.axis, session.track)
    return profile_lap(need_track(session), load_car(need_car(session, car)), session.axis)


def need_track(session: DrivenSession) -> Track:
    """The track, for those who cannot do without."""
    if session.track is None:
        told = session.meta.track or "no name"
        raise SessionError(f"{session.name}: its track ({told}) is not in the library. Give one with --track.")
    return session.track


def need_car(session: DrivenSession, car: str | Path | None) -> str | Path:
    """Name of the car, for those who cannot do without."""
    found = car or session.meta.car
    if not found:
        raise SessionError(f"{session.name}: does not tell its car. Give one with --car NAME.")
    return found
