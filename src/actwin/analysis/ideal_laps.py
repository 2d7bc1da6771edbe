"""Laps that nobody drove: the least time by the speed profile, and the line of the game's own drivers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.analysis.compare import Trace
from actwin.analysis.place import LIKE_LENGTH, OFF_ROAD
from actwin.content.ai_line import read_ai_line
from actwin.content.car import Car
from actwin.content.track import Track
from actwin.errors import ContentError
from actwin.planning.envelope import performance_envelope
from actwin.planning.racing_line import minimum_curvature
from actwin.planning.speed_profile import speed_profile

Floats = npt.NDArray[np.float64]

SLOWEST: Final = 1.0
"""[m/s] Speeds of an AI line below it are taken for it."""


def profile_lap(track: Track, car: Car, axis: Floats) -> Trace:
    """The lap that the speed profile predicts on the line of least curvature, as a flying lap.

    Args:
        track: The road.
        car: Its envelope is what bounds the speed.
        axis: [m] From 0 to the track's length.
    """
    line = minimum_curvature(track)
    profile = speed_profile(line, performance_envelope(car), track)
    time = np.interp(axis, [*line.distance, track.length], [*profile.time, profile.lap_time])
    values = {"speed": profile.speed, "ax": profile.ax, "ay": profile.ay, "x": line.x, "y": line.y}
    channels = {name: line.at(each, axis) for name, each in (values | {"lateral_offset": line.lateral}).items()}
    return Trace("speed profile", axis, time, channels)


def ai_line_lap(path: str | Path, axis: Floats, track: Track | None = None) -> Trace:
    """The lap of the game's own drivers, as their line file tells it: line, speed and pedals that they aim for.

    Args:
        path: `fast_lane.ai` of the track.
        axis: [m] From 0 to the track's length.
        track: The road, in the game's coordinates: the line is projected on it. Without it, or where the line does not
            lie on it, the line's own length is stretched to the axis.

    Raises:
        ContentError: The file cannot be read, holds no line, or that of another track.
    """
    line = read_ai_line(path)
    x, y = np.append(line.x, line.x[0]), np.append(line.y, line.y[0])
    step = np.hypot(np.diff(x), np.diff(y))
    if not np.median(line.speed) > SLOWEST:
        problem = "are not told, so that the line has no lap time."
        raise ContentError(path, "speeds", problem, "Give a fast_lane.ai that the game's drivers were taught.")
    speed = np.maximum(np.append(line.speed, line.speed[0]), SLOWEST)
    way = np.concatenate(([0.0], np.cumsum(step)))
    if not way[-1] > 0.0:
        raise ContentError(path, "points", "all lie in one place.", "Copy the line from the game again.")
    if not abs(way[-1] / axis[-1] - 1.0) < LIKE_LENGTH:
        problem = f"make a lap of {way[-1]:.0f} m, the laps compared have {axis[-1]:.0f} m."
        raise ContentError(path, "points", problem, "Give the line of the track that was driven.")
    time = np.concatenate(([0.0], np.cumsum(2.0 * step / (speed[1:] + speed[:-1]))))
    lap, place = float(axis[-1]), way * (axis[-1] / way[-1])
    told = {"speed": speed, "x": x, "y": y, "z": np.append(line.z, line.z[0])}
    told |= {"throttle": np.append(line.throttle, line.throttle[0]), "brake": np.append(line.brake, line.brake[0])}
    if track is not None:
        s, n = track.to_road(x, y)
        if np.median(np.abs(n)) < OFF_ROAD:
            begin = float(track.difference(s[0], 0.0))
            place = (begin + np.concatenate(([0.0], np.cumsum(track.difference(s[1:], s[:-1]))))) * (lap / track.length)
            told["lateral_offset"] = n
    # The line may begin a little before or after ours: a lap more on either side.
    place = np.maximum.accumulate(np.concatenate([place[:-1] - lap, place[:-1], place + lap]))
    time = np.concatenate([time[:-1] - time[-1], time[:-1], time + time[-1]])
    around = {name: np.concatenate([values[:-1], values[:-1], values]) for name, values in told.items()}
    since = np.interp(axis, place, time)
    channels = {name: np.interp(axis, place, values) for name, values in around.items()}
    return Trace("game's AI line", axis, since - since[0], channels)
