"""Checks that refuse a track on which nobody could drive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from actwin.content.track import Track
from actwin.content.track_schema import TrackFile
from actwin.errors import ContentError

Array = NDArray[np.float64]

BRIDGE_ANGLE: Final = np.radians(30.0)
"""[rad] A road that meets itself at a larger angle crosses over itself by a bridge; at a smaller one its borders
cross."""


def _check_distances(values: Sequence[float], length: float, field: str, source: str | Path) -> None:
    """Lap distances must rise and lie inside the lap."""
    knots = np.asarray(values)
    if np.any(np.diff(knots) <= 0.0):
        at = int(np.argmax(np.diff(knots) <= 0.0)) + 1
        raise ContentError(
            source, f"{field}[{at}]", f"{knots[at]:g} does not exceed the one before.", "Sort the distances."
        )
    if knots[0] < 0.0 or knots[-1] >= length:
        raise ContentError(source, field, f"leaves the lap of {length:g} m.", "Keep every distance in [0, length).")


def check_lists(data: TrackFile, source: str | Path) -> None:
    """Lists belong together, distances rise, widths are positive; raises `ContentError` otherwise."""
    length = data.centre.length
    for name in ("centre", "width", "elevation", "banking", "roadside"):
        table = getattr(data, name)
        if table is None:
            continue
        _check_distances(table.knots, length, f"{name}.knots", source)
        for field in type(table).model_fields:
            values = getattr(table, field)
            if isinstance(values, tuple) and field not in ("knots", "start") and len(values) != len(table.knots):
                problem = f"has {len(values)} values for {len(table.knots)} knots."
                raise ContentError(source, f"{name}.{field}", problem, "Give one value for each knot.")
    if data.centre.knots[0] != 0.0:
        raise ContentError(source, "centre.knots[0]", f"is {data.centre.knots[0]:g}.", "The first knot must be 0.")
    _check_distances(data.sectors, length, "sectors", source)
    if data.sectors[0] != 0.0:
        raise ContentError(source, "sectors[0]", f"is {data.sectors[0]:g}.", "The first sector starts at 0.")
    for index, corner in enumerate(data.corners):
        for field in ("start", "apex", "end"):
            if getattr(corner, field) >= length:
                raise ContentError(source, f"corners[{index}].{field}", "lies beyond the lap.", "Use a lap distance.")
    for field in ("left", "right"):
        check_widths(np.asarray(getattr(data.width, field)), f"width.{field}", source)


def check_widths(widths: Array, field: str, source: str | Path) -> None:
    """Widths are finite and positive; raises `ContentError` otherwise."""
    wrong = ~(np.isfinite(widths) & (widths > 0.0))
    if np.any(wrong):
        at = int(np.argmax(wrong))
        problem = f"{widths[at]:g} m is not a width."
        raise ContentError(
            source, f"{field}[{at}]", problem, "Both borders must lie on their own side of the centre line."
        )


def check_track(track: Track, source: str | Path, largest_gap: float) -> None:
    """The loop closes and its borders do not cross; raises `ContentError` otherwise.

    Args:
        track: The assembled track.
        source: Its origin, for the message.
        largest_gap: [m] How far the curve may miss its beginning before the exact closure was made.
    """
    turn, gap = abs(float(track.line.raw_gap[0])), float(np.hypot(*track.line.raw_gap[1:]))
    if not (turn < 0.1 and gap < largest_gap):
        problem = f"the lap misses its beginning by {gap:.1f} m and {turn:.2f} rad."
        raise ContentError(
            source, "centre.curvature", problem, "Fit the track again; the curvature does not describe a loop."
        )
    count = max(64, round(track.length / 2.0))
    s: Array = np.arange(count, dtype=np.float64) * (track.length / count)
    _check_folds(track, source, s)
    _check_overlaps(track, source, s)


def _check_folds(track: Track, source: str | Path, s: Array) -> None:
    """No border, wall included, may reach the centre of curvature: beyond it the road would fold over itself."""
    curvature = track.curvature(s)
    sides = (
        ("left", track.width_left(s), track.wall_left(s), 1.0),
        ("right", track.width_right(s), track.wall_right(s), -1.0),
    )
    for side, edge, wall, sign in sides:
        for name, reach in ((f"width.{side}", edge), (f"roadside.wall_{side}", wall)):
            folded = 1.0 - sign * reach * curvature <= 0.0
            if np.any(folded):
                at = int(np.argmax(folded))
                problem = (
                    f"the borders cross at {s[at]:.0f} m: {reach[at]:.1f} m to the {side} passes the centre of "
                    f"the bend's radius of {1.0 / abs(curvature[at]):.1f} m."
                )
                raise ContentError(source, name, problem, "Narrow the road there or correct the centre line.")
        if np.any(wall < edge):
            at = int(np.argmax(wall < edge))
            problem = f"stands on the road at {s[at]:.0f} m."
            raise ContentError(source, f"roadside.wall_{side}", problem, "Put the wall beyond the edge.")


def _check_overlaps(track: Track, source: str | Path, s: Array) -> None:
    """The road may meet another part of itself only like a bridge, at a large angle."""
    for side, n in (("left", track.width_left(s)), ("right", -track.width_right(s))):
        x, y, _ = track.to_world(s, 0.98 * n)
        found, _ = track.to_road(x, y)
        away = np.abs(track.difference(found, s)) > np.abs(n) + 5.0
        angle = np.abs(np.arcsin(np.sin(track.heading(found) - track.heading(s))))
        crossed = away & (angle < BRIDGE_ANGLE)
        if np.any(crossed):
            at = int(np.argmax(crossed))
            problem = f"the borders cross: the {side} edge at {s[at]:.0f} m lies on the road at {found[at]:.0f} m."
            raise ContentError(source, f"width.{side}", problem, "Narrow the road there or correct the centre line.")
