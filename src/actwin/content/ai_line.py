"""Assetto Corsa's AI lines (`fast_lane.ai`, version 7): the line its drivers follow, with the road beside it.

Layout: four integers (version, points, two unused); points of 20 bytes; a count; details of 72 bytes, one a point; then
a search grid that is not needed. The game's world is y up, x and z in plan: ours are x = its z, y = its x, z = its y,
which keeps left on the left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actwin.errors import ContentError

Array = NDArray[np.float64]

SUFFIX: Final = ".ai"
VERSION: Final = 7
FILE_LIMIT: Final = 1 << 28
"""Bytes of the largest file that is read; a lap of 20 km has about 10 MB."""
POINT_LIMIT: Final = 200_000
"""Points a line may have; 20 km have about 13,000."""
PLACE_LIMIT: Final = 1e6
"""[m] Farther from the origin no track lies."""

HEADER: Final = np.dtype([("version", "<i4"), ("points", "<i4"), ("lap_time", "<i4"), ("samples", "<i4")])
POINT: Final = np.dtype([("position", "<f4", (3,)), ("distance", "<f4"), ("id", "<i4")])
DETAIL: Final = np.dtype(
    [
        *((name, "<f4") for name in ("speed", "gas", "brake", "lateral_g", "radius", "side_left", "side_right")),
        ("camber", "<f4"),
        ("direction", "<f4"),
        ("normal", "<f4", (3,)),
        ("length", "<f4"),
        ("forward", "<f4", (3,)),
        ("tag", "<f4"),
        ("grade", "<f4"),
    ]
)


class AiLine(NamedTuple):
    """The line of the game's drivers in our axes; every array is [M], in driving order.

    Point 0 is where the share of the lap that the game tells (`spline_position`) is 0.
    """

    x: Array
    """[m] East."""
    y: Array
    """[m] North."""
    z: Array
    """[m] Up."""
    distance: Array
    """[m] Along the line, from point 0."""
    side_left: Array
    """[m] From the line to the left border."""
    side_right: Array
    """[m] From the line to the right border."""
    speed: Array
    """[m/s] That the game's drivers aim for."""
    throttle: Array
    """[-] Of the game's drivers."""
    brake: Array
    """[-] Of the game's drivers."""

    def borders(self) -> tuple[Array, Array, Array, Array]:
        """[m] x and y of the left border, x and y of the right border, one point beside each of the line's."""
        along_x, along_y = np.roll(self.x, -1) - np.roll(self.x, 1), np.roll(self.y, -1) - np.roll(self.y, 1)
        length = np.hypot(along_x, along_y)
        across_x, across_y = (v / np.where(length > 0.0, length, 1.0) for v in (-along_y, along_x))
        return (
            self.x + self.side_left * across_x,
            self.y + self.side_left * across_y,
            self.x - self.side_right * across_x,
            self.y - self.side_right * across_y,
        )


def read_ai_line(path: str | Path) -> AiLine:
    """Reads an AI line.

    Args:
        path: `fast_lane.ai` in the folder `ai` of a track or layout; `pit_lane.ai` and `ideal_line.ai` have the same
            form.

    Raises:
        ContentError: The file cannot be read, is of another version, ends early, or holds no finite numbers.
    """
    path = Path(path)
    try:
        if path.stat().st_size > FILE_LIMIT:
            raise _bad(path, "", f"is larger than {FILE_LIMIT} bytes.")
        content = path.read_bytes()
    except OSError as error:
        raise ContentError(path, "", f"cannot be read: {error.strerror}.", "Check the path.") from error
    header = _records(content, HEADER, 0, 1, path, "header")[0]
    if header["version"] != VERSION:
        cure = "Open the track in the game's line editor, or with Content Manager, and save its line again."
        raise ContentError(path, "version", f"is {header['version']} instead of {VERSION}.", cure)
    count = int(header["points"])
    if not 0 < count <= POINT_LIMIT:
        raise _bad(path, "points", f"are {count}; 1 to {POINT_LIMIT} make a line.")
    points = _records(content, POINT, HEADER.itemsize, count, path, "points")
    place = HEADER.itemsize + POINT.itemsize * count
    told = int(_records(content, np.dtype("<i4"), place, 1, path, "details")[0])
    if told != count:
        raise _bad(path, "details", f"are {told} for {count} points.")
    return _line(points, _records(content, DETAIL, place + 4, count, path, "details"), path)


def _line(points: NDArray[Any], details: NDArray[Any], path: Path) -> AiLine:
    with np.errstate(invalid="ignore"):  # some bit patterns of NaN raise a flag when they are widened
        position = points["position"].astype(np.float64)
        told = [details[name].astype(np.float64) for name in ("side_left", "side_right", "speed", "gas", "brake")]
        distance = points["distance"].astype(np.float64)
    line = AiLine(position[:, 2], position[:, 0], position[:, 1], distance, *told)
    for name, values in zip(line._fields, line, strict=True):
        wrong = ~np.isfinite(values) | (np.abs(values) > PLACE_LIMIT)
        if np.any(wrong):
            at = int(np.argmax(wrong))
            raise _bad(path, f"{name}[{at}]", f"is {values[at]:g}.")
    return line


def _records(content: bytes, layout: Any, offset: int, count: int, path: Path, what: str) -> NDArray[Any]:
    """Some records of the file, checked to lie in it."""
    end = offset + count * np.dtype(layout).itemsize
    if end > len(content):
        raise _bad(path, what, f"would end at byte {end} of {len(content)}.")
    return np.frombuffer(content, layout, count, offset)


def _bad(path: Path, field: str, problem: str) -> ContentError:
    return ContentError(path, field, problem, "It is damaged or no AI line; copy it from the game again.")


def line_label(path: str | Path) -> str:
    """Name of the track that an AI line belongs to, from the folders it lies in.

    Args:
        path: ".../tracks/ks_barcelona/layout_gp/ai/fast_lane.ai" gives "ks_barcelona_layout_gp"; a file that lies
            elsewhere or is called otherwise gives its own name.
    """
    path = Path(path)
    parts = path.resolve().parent.parts
    if path.stem.lower() != "fast_lane" or not parts or parts[-1].lower() != "ai":
        return path.stem
    lower = [part.lower() for part in parts]
    start = len(parts) - 1 - lower[::-1].index("tracks") + 1 if "tracks" in lower else len(parts) - 2
    return "_".join(parts[start:-1]) or path.stem
