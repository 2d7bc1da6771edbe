"""A reading as the live page shows it: units for drivers, nothing that is not known."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.content.library import load_track
from actwin.content.track import Track
from actwin.dashboard.folders import one_line
from actwin.dashboard.live_feed import View
from actwin.driving.watching import Reading
from actwin.errors import ActwinError
from actwin.telemetry.ac import app_frames, frames
from actwin.units import GRAVITY, KMH_PER_MS, degrees

Floats = npt.NDArray[np.float64]

FLAGS: Final = ("none", "blue", "yellow", "black", "white", "chequered", "penalty")
MAP_POINTS: Final = 240


class Reference(NamedTuple):
    """A lap to be compared with while driving."""

    words: str
    track: str
    """Name of its track as the library has it."""
    distance: Floats
    """[m]"""
    time: Floats
    """[s] Since the lap began, at each distance."""


@lru_cache(maxsize=64)
def known_track(name: str, layout: str = "") -> Track | None:
    """The bundled track a game means, None when there is none."""
    for text in (f"{name}_{layout}" if layout else name, name):
        # A path would be read; a name from a game is never one.
        if text and "/" not in text and "\\" not in text and "." not in text:
            try:
                return load_track(text)
            except ActwinError:
                continue
    return None


@lru_cache(maxsize=16)
def drawing(name: str) -> dict[str, Any]:
    """A bundled track for the small map: rounded to decimetres."""
    track = load_track(name)
    s = np.linspace(0.0, track.length, MAP_POINTS, endpoint=False)
    x, y = track.position(s)
    reach = 0.035 * max(float(np.ptp(x)), float(np.ptp(y)))
    ends = track.to_world(np.zeros(2), np.array([0.6, -0.6]) * reach)
    corners = []
    for corner in track.corners:
        side = -1.0 if float(track.curvature(corner.apex)) > 0.0 else 1.0
        at_x, at_y, _ = track.to_world(corner.apex, side * reach)
        corners.append([f"T{corner.number}", round(float(at_x), 1), round(float(at_y), 1)])
    return {
        "name": name,
        "line": [[round(float(a), 1), round(float(b), 1)] for a, b in zip(x, y, strict=True)],
        "start": [round(float(value), 1) for pair in zip(ends[0], ends[1], strict=True) for value in pair],
        "corners": corners,
    }


def picture(view: View, reference: Reference | None = None) -> dict[str, Any]:
    """What the live page shows; unknown numbers are None.

    Args:
        view: Of the feed.
        reference: The lap for the delta time.
    """
    reading = view.reading
    if reading is None:
        return {"state": "dead", "words": "No car", "facts": one_line(view.problem, 240), "who": "", "against": ""}
    info, health = reading.info, reading.health
    words = {"live": "Live", "paused": "Paused", "dead": "Lost"}[health.status]
    age = f", {health.age:.1f} s old" if math.isfinite(health.age) and health.age > 0.5 else ""
    shown: dict[str, Any] = {
        "state": health.status,
        "words": words,
        "facts": f"{health.rate:.0f} samples/s, {health.dropped} lost{age}",
        "who": " · ".join(one_line(text, 40) for text in (info.driver, info.car, info.track, info.source) if text),
        "against": f"against {reference.words}" if reference else "choose a lap to compare with",
    }
    if reading.sample is None:
        return shown
    car = _car(reading)
    shown["car"] = car
    fuel, use = car["fuel"], view.fuel_per_lap
    shown["laps_left"] = fuel / use if fuel is not None and use > 0.0 else None
    track = known_track(info.track, info.layout)
    shown |= _on_track(reading, track, reference)
    return shown


def _on_track(reading: Reading, track: Track | None, reference: Reference | None) -> dict[str, Any]:
    if track is None:
        return {"track": None, "note": f"No map of {one_line(reading.info.track) or 'this track'} is bundled."}
    assert reading.sample is not None
    frame, game = reading.sample.frame[0], reading.sample.game[0]
    found: dict[str, Any] = {"track": drawing(track.name)}
    s = _distance(frame, game, track)
    if s is None:
        return found
    offset = float(frame["lateral_offset"])
    x, y, _ = track.to_world(s, offset if math.isfinite(offset) else 0.0)
    found["at"] = [round(float(x), 1), round(float(y), 1)]
    if reference is not None and reference.track == track.name:
        now = _number(frame["lap_time"])
        then = float(np.interp(s, reference.distance, reference.time))
        found["delta"] = now - then if now else None
    elif reference is not None:
        found["note"] = f"The lap to compare with was driven on {reference.track}."
    return found


def _distance(frame: Any, game: Any, track: Track) -> float | None:
    """[m] Where the car is on the lap; a share of the game's own line where nothing better is told."""
    distance = _number(frame["lap_distance"])
    if distance is not None:
        return distance
    for value in (frame["lap_progress"], game["spline_position"]):
        share = _number(value)
        if share is not None and 0.0 <= share <= 1.0:
            return share * track.length
    return None


@lru_cache(maxsize=16)
def _untold(source: str) -> frozenset[str]:
    """Channels that a source never tells: in those that hold whole numbers a 0 means nothing."""
    return {**frames.MISSING, "app": app_frames.MISSING}.get(source.partition(":")[0], frozenset())


def _car(reading: Reading) -> dict[str, Any]:
    assert reading.sample is not None
    frame, game = reading.sample.frame[0], reading.sample.game[0]
    untold = _untold(reading.info.source)

    def told(name: str, value: Any) -> Any:
        return None if name in untold else value

    angle, flag = _number(frame["steer_angle"]), int(game["flag"])
    tread = [_four(game[f"tyre_temperature_{part}"]) for part in ("inner", "middle", "outer")]
    if not any(value is not None for part in tread for value in part):
        tread[1] = _four(frame["tyre_surface_temperature"])
    air, road = (_number(game[f"{what}_temperature"]) for what in ("air", "road"))
    return {
        "speed": _number(frame["speed"], KMH_PER_MS),
        "rpm": _number(frame["rpm"]),
        "max_rpm": _number(reading.info.max_rpm),
        "gear": told("gear", int(frame["gear"])),
        "throttle": _number(frame["throttle"]),
        "brake": _number(frame["brake"]),
        # Shown as the foot moves: down is pressed.
        "clutch": None if _number(frame["clutch"]) is None else 1.0 - float(frame["clutch"]),
        "steer": _number(frame["steer"]),
        "steer_angle": None if angle is None else degrees(angle),
        "gx": _number(frame["ax"], 1.0 / GRAVITY),
        "gy": _number(frame["ay"], 1.0 / GRAVITY),
        "lap_time": _number(frame["lap_time"]),
        "last": _number(frame["last_lap_time"]),
        "best": _number(frame["best_lap_time"]),
        "lap": told("lap_count", int(frame["lap_count"]) + 1),
        "sector": told("sector", int(frame["sector"]) + 1),
        "valid": told("lap_valid", bool(frame["lap_valid"])),
        "fuel": _number(frame["fuel"]),
        "drs": told("drs", "open" if frame["drs"] > 0.5 else "available" if game["drs_available"] == 1 else "closed"),
        "flag": told("flag", FLAGS[flag] if 0 <= flag < len(FLAGS) else None),
        "air": f"{air:.0f}, {road:.0f} °C" if air is not None and road is not None else "–",
        "assists": ", ".join("on" if frame[name] == 1 else "–" for name in ("abs_active", "tc_active")),
        "tread": tread,
        "core": _four(frame["tyre_core_temperature"]),
        "pressure": _four(game["tyre_pressure"], 1e-3),
        "brakes": _four(game["brake_temperature"]),
        "wear": _four(game["tyre_condition"]),
        "use": _four(frame["grip_use"]),
    }


def _number(value: Any, scale: float = 1.0) -> float | None:
    number = float(value) * scale
    return round(number, 4) if math.isfinite(number) else None


def _four(values: Any, scale: float = 1.0) -> list[float | None]:
    return [_number(value, scale) for value in values]
