"""What a film is made of: the frames of a run, a session, or one lap of it, with the road they were driven on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.columns import Columns
from actwin.analysis.rollout import Rollout
from actwin.analysis.session import BEST, DrivenSession, open_session
from actwin.content.library import car_names, load_car, load_track
from actwin.content.track import Track
from actwin.errors import SessionError
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, Controls, Frames
from actwin.telemetry.store.folder import DEFAULT
from actwin.telemetry.store.listing import find_session

Floats = npt.NDArray[np.float64]
PLACE = ("lap_distance", "lateral_offset", "heading_error")


class Footage(NamedTuple):
    """Frames of one drive."""

    frames: Frames
    """FRAME[T]; 0 where nothing is known."""
    time: Floats
    """[s] [T], rising."""
    track: Track
    car: str
    """Name."""
    driver: str
    sent: Controls | None = None
    """CONTROLS[T] What the driver asked for."""
    begin: float = -math.inf
    """[s] Part that is meant ..."""
    end: float = math.inf

    @property
    def car_title(self) -> str:
        """Name of the car for people."""
        return load_car(self.car).identity.title if self.car in car_names() else self.car


def of_rollout(run: Rollout, sent: Controls | None = None) -> Footage:
    """A run of the twin.

    Args:
        run: On a track of the library.
        sent: CONTROLS[T] What was asked of the car.
    """
    return Footage(run.frames, run.time, load_track(run.track), run.car, run.driver, sent)


def find_footage(text: str, track: str | None = None, root: str | Path = DEFAULT) -> Footage:
    """The drive or lap that a user means.

    Args:
        text: A session or a rollout as `open_session` finds it, all of it; `SESSION:NUMBER` or `SESSION:best` is a lap.
        track: The road, where the session's own is not in the library.
        root: Folder of all sessions.

    Raises:
        SessionError, ContentError, UnknownNameError: There is no such drive or lap, or it does not tell its way.
    """
    name, mark, which = text.rpartition(":")
    if not mark or not (which == BEST or which.isdecimal()):
        name, which = text, ""
    sent = None
    if Path(name).suffix == ".npz" or any(Path(name).glob("*.npz")) or any(Path(name).glob("laps/*.npz")):
        session = open_session(name, track, root)
    else:
        recorded = find_session(name, root)
        session, sent = open_session(recorded, track), recorded.sent
    lap = None
    if which:
        lap = session.laps.number(int(which)) if which != BEST else session.laps.fastest()
        if lap is None:
            raise SessionError(f"{session.name}: has no lap that counts. Film all of it, or a lap by its number.")
    drive = lap.drive if lap else 0
    if lap is None and len(session.drives) > 1:
        raise SessionError(f"{session.name}: holds {len(session.drives)} drives. Give one file, or a lap of it.")
    whole = _of_drive(session, drive, sent)
    return whole._replace(begin=lap.begin, end=lap.end) if lap else whole


def _of_drive(session: DrivenSession, drive: int, sent: Controls | None) -> Footage:
    track = session.track
    if track is None:
        raise SessionError(f"{session.name}: its track is not known. Give one with --track NAME or a track file.")
    columns, rows = session.placed(drive), session.ways[drive].rows
    if not len(rows) or any(name not in columns for name in PLACE):
        raise SessionError(
            f"{session.name}: does not tell where on the road the car was. "
            "Where its positions are the game's own, give the game's track: --track FILE, its fast_lane.ai or borders."
        )
    frames = _frames(columns, rows)
    driver = columns.driver or session.meta.driver or "driver"
    return Footage(frames, columns.time[rows], track, session.meta.car, driver, None if sent is None else sent[rows])


def _frames(columns: Columns, rows: npt.NDArray[np.int64]) -> Frames:
    """FRAME[T] of what is known; laps count until something else is told."""
    frames = np.zeros(len(rows), FRAME)
    frames["lap_valid"] = 1
    for channel in FRAME_CHANNELS:
        values = columns.get(channel.name)
        if values is not None:
            frames[channel.name] = np.nan_to_num(values[rows]) if channel.name not in PLACE else values[rows]
    return frames
