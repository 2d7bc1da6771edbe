"""Arrays that draw a track: edges, line, corner labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.compare import Trace
from actwin.content.track import Track

Floats = npt.NDArray[np.float64]


class Label(NamedTuple):
    """A corner's number beside the road, on the outside of the turn."""

    text: str
    """As drivers say it: `T4`."""
    name: str
    """Official name, may be empty."""
    distance: float
    """[m] Lap distance of the apex."""
    x: float
    """[m] World position of the label."""
    y: float
    apex_x: float
    """[m] World position of the apex on the centre line."""
    apex_y: float


class Outline(NamedTuple):
    """What a drawing of a track needs; [m] world coordinates, closed (the last point repeats the first)."""

    title: str
    length: float
    """[m] Of the lap."""
    sectors: tuple[float, ...]
    """[m] Where each sector begins."""
    left: tuple[Floats, Floats]
    """x and y of the left edge."""
    right: tuple[Floats, Floats]
    """x and y of the right edge."""
    line: tuple[Floats, Floats]
    """x and y of the two ends of the start line, left first."""
    arrow: tuple[float, float, float]
    """x, y and heading [rad] of the arrow that shows the driving direction."""
    labels: tuple[Label, ...]

    @property
    def size(self) -> float:
        """[m] Longer side of the drawing."""
        return float(max(np.ptp(self.left[0]), np.ptp(self.left[1])))


def outline(track: Track, step: float = 3.0) -> Outline:
    """The drawing of a track.

    Args:
        track: The track.
        step: [m] Distance between the points of an edge.
    """
    s = np.linspace(0.0, track.length, max(16, round(track.length / step) + 1))
    left_x, left_y, _ = track.to_world(s, track.width_left(s))
    right_x, right_y, _ = track.to_world(s, -track.width_right(s))
    ahead = np.array([0.004 * track.length])
    arrow_x, arrow_y = track.position(ahead)
    size = max(np.ptp(left_x), np.ptp(left_y))
    return Outline(
        title=track.title,
        length=track.length,
        sectors=track.sectors,
        left=(left_x, left_y),
        right=(right_x, right_y),
        line=(np.array([left_x[0], right_x[0]]), np.array([left_y[0], right_y[0]])),
        arrow=(float(arrow_x[0]), float(arrow_y[0]), float(track.heading(ahead)[0])),
        labels=_labels(track, 0.03 * size),
    )


def corner_groups(outline: Outline, clearance: float = 0.03) -> list[tuple[str, float]]:
    """Corner labels for a distance axis, neighbours joined (`T8–10`) where their texts would touch.

    Args:
        outline: The track.
        clearance: [-] Least room for a label as a share of the lap.

    Returns:
        Texts with the lap distances [m] they stand at.
    """
    groups: list[list[Label]] = []
    for label in sorted(outline.labels, key=lambda label: label.distance):
        if groups and label.distance - groups[-1][-1].distance < clearance * outline.length:
            groups[-1].append(label)
        else:
            groups.append([label])
    return [
        (
            group[0].text if len(group) == 1 else f"{group[0].text}–{group[-1].text[1:]}",
            (group[0].distance + group[-1].distance) / 2.0,
        )
        for group in groups
    ]


def _labels(track: Track, clearance: float) -> tuple[Label, ...]:
    if not track.corners:
        return ()
    apex = np.array([corner.apex for corner in track.corners])
    turn = np.sign(track.curvature(apex))
    beside = np.where(turn > 0.0, -track.width_right(apex) - clearance, track.width_left(apex) + clearance)
    x, y, _ = track.to_world(apex, beside)
    apex_x, apex_y = track.position(apex)
    return tuple(
        Label(f"T{corner.number}", corner.name, *map(float, place))
        for corner, *place in zip(track.corners, apex, x, y, apex_x, apex_y, strict=True)
    )


def outline_of_lap(lap: Trace, title: str = "", sectors: tuple[float, ...] = (0.0,)) -> Outline:
    """A drawing for a track that nobody knows: what a lap drove, without borders and corners.

    Args:
        lap: With `x` and `y`; without them the drawing is a straight.
        title: Of the drawing.
        sectors: [m] Where each sector begins.
    """
    length = float(lap.distance[-1])
    x, y = lap.channels.get("x"), lap.channels.get("y")
    if x is None or y is None or not (np.isfinite(x) & np.isfinite(y)).any():
        x, y = lap.distance.copy(), np.zeros_like(lap.distance)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    x, y = (np.interp(lap.distance, lap.distance[known], values[known]) for values in (x, y))
    heading = float(np.arctan2(y[1] - y[0], x[1] - x[0]))
    side = 7.0 * np.array([-np.sin(heading), np.cos(heading)])
    ahead = min(len(x) - 1, max(1, round(0.004 * len(x))))
    return Outline(
        title=title,
        length=length,
        sectors=sectors,
        left=(x, y),
        right=(x, y),
        line=(x[0] + np.array([side[0], -side[0]]), y[0] + np.array([side[1], -side[1]])),
        arrow=(float(x[ahead]), float(y[ahead]), heading),
        labels=(),
    )
