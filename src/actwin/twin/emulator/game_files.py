"""The few files of the game's folder that its apps read, made from the twin's track and car.

Layout of `fast_lane.ai` version 7 as public readers decode it; world axes of the game: X, Y, Z are our y, z, x.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.content.track import Track
from actwin.telemetry.ac.source import GameInfo

SPACING: Final = 1.5
"""[m] Between the points of an AI line, about what the game's own have."""
VERSION: Final = 7

POINT: Final = np.dtype([("position", "<f4", (3,)), ("length", "<f4"), ("id", "<i4")])
"""20 bytes: a point of the line and how far along it lies."""
DETAIL: Final = np.dtype(
    [
        ("speed", "<f4"),
        ("gas", "<f4"),
        ("brake", "<f4"),
        ("obsolete", "<f4"),
        ("radius", "<f4"),
        ("side_left", "<f4"),
        ("side_right", "<f4"),
        ("camber", "<f4"),
        ("direction", "<f4"),
        ("normal", "<f4", (3,)),
        ("length", "<f4"),
        ("forward", "<f4", (3,)),
        ("tag", "<f4"),
        ("grade", "<f4"),
    ]
)
"""72 bytes: what the game's drivers know of the point."""


def write_game_files(root: Path, info: GameInfo, track: Track, car: Car) -> None:
    """Writes `content/tracks/…/ai/fast_lane.ai` and `content/cars/…/ui/ui_car.json`.

    Args:
        root: Folder that stands for the game's.
        info: The session, for the names of the folders.
        track, car: The session's.
    """
    line = root / "content" / "tracks" / info.track / info.layout / "ai" / "fast_lane.ai"
    line.parent.mkdir(parents=True, exist_ok=True)
    line.write_bytes(fast_lane(track))
    sheet = root / "content" / "cars" / info.car / "ui" / "ui_car.json"
    sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet.write_text(json.dumps(car_sheet(car), indent=2), encoding="utf-8")


def fast_lane(track: Track, spacing: float = SPACING) -> bytes:
    """An AI line along the centre of the road.

    Args:
        track: The track.
        spacing: [m] Between points, about.

    Returns:
        Bytes of a `fast_lane.ai`. The pedals and the speed of the game's drivers are 0: the twin has no such drivers.
    """
    count = max(4, round(track.length / spacing))
    s = np.arange(count) * track.length / count
    x, y, z = track.to_world(s, 0.0)
    points, details = np.zeros(count, POINT), np.zeros(count, DETAIL)
    points["position"] = _game_axes(x, y, z)
    points["length"], points["id"] = s, np.arange(count)
    heading, grade, curvature = track.heading(s), track.grade(s), track.curvature(s)
    ahead = _game_axes(np.cos(heading), np.sin(heading), grade)
    details["forward"] = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    details["side_left"], details["side_right"] = track.width_left(s), track.width_right(s)
    details["radius"] = 1.0 / np.maximum(np.abs(curvature), 1e-4)
    details["direction"] = np.where(curvature >= 0.0, 1.0, -1.0)
    details["camber"], details["grade"] = track.banking(s), grade
    details["normal"][:, 1] = 1.0
    details["length"] = track.length / count
    header = np.array([VERSION, count, 0, 0], "<i4")
    return b"".join(
        (header.tobytes(), points.tobytes(), np.array([count], "<i4").tobytes(), details.tobytes(), bytes(4))
    )


def car_sheet(car: Car) -> dict[str, Any]:
    """What `ui_car.json` says about a car, as far as the twin knows; lengths with the game's unit marks."""
    return {
        "name": car.identity.title,
        "specs": {
            "weight": f"{car.chassis.mass:.0f}kg",
            "length": f"{car.chassis.length:.3f}",
            "width": f"{car.chassis.width:.3f}",
        },
    }


def _game_axes(x: npt.ArrayLike, y: npt.ArrayLike, z: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """float[K, 3] in the game's X, Y, Z."""
    return np.stack((np.asarray(y), np.asarray(z), np.asarray(x)), axis=1).astype(np.float64)
