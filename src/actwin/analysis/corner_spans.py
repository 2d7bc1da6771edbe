"""Where the corners of a lap are: named by the track, or found in the path that was driven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from actwin.analysis.compare import Trace
from actwin.analysis.pattern_channels import AbsentError, clean, known, runs
from actwin.content.corners import LEAST_TURN, SHARE
from actwin.content.corners import find_corners as bends
from actwin.content.track import Corner, Track
from actwin.errors import SessionError

Floats = npt.NDArray[np.float64]

SMOOTHING: Final = 10.0
"""[m] Standard deviation of the window that smooths a driven curvature."""
PEAK: Final = 1.0 / 350.0
"""[1/m] Curvature of the driven path from which a bend is a corner ..."""
EDGE: Final = 1.0 / 1000.0
"""[1/m] ... and above which it goes on, unless 15 % of its peak is more."""
MERGE: Final = 30.0
"""[m] Bends to one side that are no further apart are one corner."""
SLOWEST: Final = 5.0
"""[m/s] Below it the curvature of a driven path is not believed."""


class CornerSpan(NamedTuple):
    """One corner; all distances are lap distances."""

    number: int
    """Counted from the line; official where the track has official numbers."""
    name: str
    """Official name, empty where there is none."""
    label: str
    """What a sentence calls it: its name, with the number where several share it, else `T4`."""
    entry: float
    """[m] Where the bend begins."""
    apex: float
    """[m] Where it is tightest."""
    exit: float
    """[m] Where it ends; smaller than `entry` when the corner lies across the line."""
    direction: int
    """1 for a left-hand corner, -1 for a right-hand one."""


def find_corners(source: Track | Trace | Sequence[Trace]) -> list[CornerSpan]:
    """Corners in order of their apexes.

    Those of a track are its own where it names them, else they are found in the curvature of its centre line. Without a
    track they are found in the curvature of the driven path, of several laps in their median: smoothed, begun where it
    passes 1/350 m, continued down to 15 % of its peak (1/1000 m at least), bends to one side joined where 30 m
    or less lie between, and kept where the heading turns by 0.2 rad.

    Args:
        source: The track, or laps on one distance axis that starts at the line. Laps need `yaw_rate` and `speed`, or
            `ay` and `speed`, or `x` and `y`.

    Raises:
        SessionError: The laps have none of these channels.
    """
    if isinstance(source, Track):
        return _named(source, source.corners or bends(source.line))
    laps = [source] if isinstance(source, Trace) else list(source)
    if not laps:
        return []
    axis = laps[0].distance
    try:
        curvature = np.median([path_curvature(lap) for lap in laps], axis=0)
    except AbsentError as error:
        raise SessionError(
            f"Corners cannot be found in a lap that {error}. Name the track, or record yaw rate or lateral g."
        ) from error
    step = float(axis[-1] - axis[0]) / (len(axis) - 1)
    return _labelled(_bends_of(curvature[:-1], step))


def path_curvature(lap: Trace) -> Floats:
    """[1/m] Curvature of the driven path, left positive, smoothed over about 10 m, [M].

    From yaw rate and speed where both are known, else from lateral acceleration and speed, else from the positions.

    Raises:
        AbsentError: The lap has no channels that tell.
    """
    step = float(lap.distance[-1] - lap.distance[0]) / max(len(lap.distance) - 1, 1)
    if known(lap, "speed") and (known(lap, "yaw_rate") or known(lap, "ay")):
        speed = clean(lap, "speed")
        moving = np.maximum(speed, SLOWEST)
        raw = clean(lap, "yaw_rate") / moving if known(lap, "yaw_rate") else clean(lap, "ay") / moving**2
        raw = np.where(speed < SLOWEST, 0.0, raw)
    elif known(lap, "x") and known(lap, "y"):
        east, north = (np.gradient(gaussian_filter1d(clean(lap, name), 3.0 / step)) for name in ("x", "y"))
        raw = np.gradient(np.unwrap(np.arctan2(north, east))) / np.maximum(np.hypot(east, north), 1e-3)
    else:
        raise AbsentError(("yaw_rate or ay with speed", "x and y"))
    return np.asarray(gaussian_filter1d(raw, SMOOTHING / step, mode="nearest"), np.float64)


def _named(track: Track, corners: Sequence[Corner]) -> list[CornerSpan]:
    found = [(c.number, c.name, c.start, c.apex, c.end, 1 if track.curvature(c.apex) > 0.0 else -1) for c in corners]
    return _labelled(sorted(found, key=lambda corner: corner[3]))


def _labelled(found: Sequence[tuple[int, str, float, float, float, int]]) -> list[CornerSpan]:
    shared = Counter(corner[1] for corner in found)
    spans = []
    for number, name, entry, apex, end, direction in found:
        label = f"T{number}" if not name else name if shared[name] == 1 else f"{name} (T{number})"
        spans.append(CornerSpan(number, name, label, entry, apex, end, direction))
    return spans


def _bends_of(curvature: Floats, step: float) -> list[tuple[int, str, float, float, float, int]]:
    """Corners in a closed lap's curvature [K], its points `step` apart."""
    count = len(curvature)
    pieces = [piece for side in (1, -1) for piece in _side_bends(side * curvature, step, side)]
    kept = []
    for first, last, side in pieces:
        inside = np.arange(first, last + 1)
        bend = side * curvature[inside % count]
        if bend.sum() * step >= LEAST_TURN:
            apex = int(inside[int(np.argmax(bend))])
            kept.append((apex % count * step, first % count * step, last % count * step, side))
    kept.sort()
    return [(number, "", entry, apex, end, side) for number, (apex, entry, end, side) in enumerate(kept, start=1)]


def _side_bends(bend: Floats, step: float, side: int) -> list[tuple[int, int, int]]:
    """First and last point of each bend to one side; the last may lie beyond the end of the lap."""
    count = len(bend)
    start = int(np.argmin(bend))  # the lap is opened where it certainly does not bend to this side
    if bend[start] > EDGE:
        return []
    turned = np.roll(bend, -start)
    joined: list[list[int]] = []
    for first, last in runs(turned > EDGE):
        if joined and (first - joined[-1][1]) * step <= MERGE:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    found = []
    for first, last in joined:
        peak = float(turned[first : last + 1].max())
        if peak >= PEAK:
            above = first + np.flatnonzero(turned[first : last + 1] > max(EDGE, SHARE * peak))
            found.append((int(above[0] + start) % count, int(above[-1] - above[0]), side))
    return [(first, first + extent, side) for first, extent, side in found]
