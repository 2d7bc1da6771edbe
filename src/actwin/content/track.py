"""A race track as functions of the distance along its centre line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actwin.content.clothoids import ClothoidLoop
from actwin.content.profiles import Linear, Smooth
from actwin.content.roadside import Roadside

Array = NDArray[np.float64]


class Corner(NamedTuple):
    """A named corner; all distances are lap distances."""

    number: int
    """Official number, counted from the line."""
    name: str
    """Official name, empty where the corner has none."""
    start: float
    """[m] Where the curvature begins."""
    apex: float
    """[m] Where the curvature is greatest."""
    end: float
    """[m] Where the curvature ends; smaller than `start` when the corner lies across the line."""


@dataclass(frozen=True, eq=False)
class Track:
    """A closed track; immutable, every function vectorised and periodic over lap distance.

    Lap distance s is measured along the centre line in plan view, from the start/finish line. Lateral offset n is
    horizontal, perpendicular to the centre line, positive to the left of the driving direction (ISO 8855).
    """

    name: str
    """Name in the library."""
    title: str
    """Full name for people."""
    line: ClothoidLoop
    """Centre line."""
    edge_left: Linear
    """[m] Centre line to the left edge (the outside of the white line)."""
    edge_right: Linear
    """[m] Centre line to the right edge."""
    height: Smooth
    """[m] Elevation of the centre line above the line's."""
    bank: Linear
    """[rad] Banking, positive where the right side is higher (helps a left turn)."""
    roadside: Roadside
    """Kerbs, run-off and walls."""
    source: str = ""
    licence: str = ""
    fit_rms: float = 0.0
    """[m] Root mean square distance of the source's centre line from this one; 0 when exact."""
    fit_max: float = 0.0
    """[m] Largest distance of the source's centre line from this one."""
    elevation_source: str = ""
    """Where the elevation comes from; empty when the track is flat because no source is known."""
    sectors: tuple[float, ...] = (0.0,)
    """[m] Start of each sector, the first at 0."""
    corners: tuple[Corner, ...] = ()
    grid: float = 0.0
    """[m] Lap distance of pole position."""
    grid_spacing: float = 8.0
    """[m] Distance from one grid slot to the next, which stands on the other side of the road."""
    pole_side: int = 1
    """Side of pole position: 1 left, -1 right."""
    pit_out: tuple[float, float] = (0.0, 0.0)
    """[m] Lap distance and lateral offset at which a car that leaves the pits joins the road."""
    altitude: float = 0.0
    """[m] Height above sea level, for the density of the air."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """How approximate data came about, by field."""

    @property
    def length(self) -> float:
        """[m] Length of the centre line."""
        return self.line.length

    @property
    def closed(self) -> bool:
        """Always true: the lap ends where it begins."""
        return True

    def wrap(self, s: ArrayLike) -> Array:
        """[m] Lap distance in [0, length)."""
        wrapped = np.mod(np.asarray(s, dtype=np.float64), self.length)
        return np.asarray(np.where(wrapped >= self.length, 0.0, wrapped))

    def difference(self, s1: ArrayLike, s0: ArrayLike) -> Array:
        """[m] Signed shortest way along the lap from s0 to s1, in [-length/2, length/2)."""
        ahead = np.asarray(s1, dtype=np.float64) - np.asarray(s0, dtype=np.float64)
        return np.asarray(self.wrap(ahead + 0.5 * self.length) - 0.5 * self.length)

    def curvature(self, s: ArrayLike) -> Array:
        """[1/m] Curvature of the centre line, positive to the left; continuous."""
        return self.line.curvature(s)

    def heading(self, s: ArrayLike) -> Array:
        """[rad] World heading, continuous over the lap; at the line it steps by a whole number of turns."""
        return self.line.heading(s)

    def position(self, s: ArrayLike) -> tuple[Array, Array]:
        """[m] World x and y of the centre line."""
        return self.line.position(s)

    def elevation(self, s: ArrayLike) -> Array:
        """[m] Height of the centre line."""
        return self.height(s)

    def grade(self, s: ArrayLike) -> Array:
        """[-] Rise per distance dz/ds, positive uphill."""
        return self.height(s, 1)

    def vertical_curvature(self, s: ArrayLike) -> Array:
        """[1/m] d2z/ds2, positive in a dip, which presses the car down."""
        return self.height(s, 2)

    def banking(self, s: ArrayLike) -> Array:
        """[rad] Banking, positive where the right side is higher (helps a left turn)."""
        return self.bank(s)

    def width_left(self, s: ArrayLike) -> Array:
        """[m] Centre line to the left edge."""
        return self.edge_left(s)

    def width_right(self, s: ArrayLike) -> Array:
        """[m] Centre line to the right edge, positive."""
        return self.edge_right(s)

    def kerb_left(self, s: ArrayLike) -> Array:
        """[m] Width of the kerb beyond the left edge, 0 where there is none."""
        return self.roadside.kerb_left(s)

    def kerb_right(self, s: ArrayLike) -> Array:
        """[m] Width of the kerb beyond the right edge, 0 where there is none."""
        return self.roadside.kerb_right(s)

    def wall_left(self, s: ArrayLike) -> Array:
        """[m] Centre line to the solid border on the left."""
        return self.roadside.wall_left(s)

    def wall_right(self, s: ArrayLike) -> Array:
        """[m] Centre line to the solid border on the right, positive."""
        return self.roadside.wall_right(s)

    def runoff_left(self, s: ArrayLike) -> NDArray[np.int32]:
        """Surface beyond the left kerb: 2 grass, 3 gravel, 4 asphalt (codes of the channel `surface`)."""
        return self.roadside.runoff_left(s)

    def runoff_right(self, s: ArrayLike) -> NDArray[np.int32]:
        """Surface beyond the right kerb: 2 grass, 3 gravel, 4 asphalt (codes of the channel `surface`)."""
        return self.roadside.runoff_right(s)

    def to_world(self, s: ArrayLike, n: ArrayLike) -> tuple[Array, Array, Array]:
        """World coordinates of a point on the road.

        Args:
            s: [m] Lap distance, any shape.
            n: [m] Lateral offset, positive to the left, shape that broadcasts with s.

        Returns:
            [m] x, y, z; z follows the banking.
        """
        x, y = self.position(s)
        angle, n = self.heading(s), np.asarray(n, dtype=np.float64)
        z = self.elevation(s) - n * np.tan(self.banking(s))
        return np.asarray(x - n * np.sin(angle)), np.asarray(y + n * np.cos(angle)), np.asarray(z)

    def to_road(self, x: ArrayLike, y: ArrayLike, near: ArrayLike | None = None) -> tuple[Array, Array]:
        """Lap distance and lateral offset of world points, the inverse of `to_world`.

        Args:
            x: [m] World x, any shape.
            y: [m] World y, same shape.
            near: [m] Lap distance within 60 m of the point. Without it the nearest part of the track is taken, which is
                the right one everywhere on the road except where the track crosses over itself.

        Returns:
            [m] s in [0, length) and n, positive to the left.
        """
        return self.line.project(x, y, near)

    def grid_positions(self, n: int) -> tuple[Array, Array]:
        """Starting grid: lap distance and lateral offset of the first n slots, pole first, each shape [n]."""
        slot = np.arange(n)
        s = self.wrap(self.grid - self.grid_spacing * slot)
        side = np.where(slot % 2 == 0, self.pole_side, -self.pole_side)
        width = np.where(side > 0, self.width_left(s), self.width_right(s))
        return s, np.asarray(side * 0.45 * width)

    def describe(self) -> dict[str, str]:
        """Facts about the track for people, label to text, in reading order."""
        grid = np.arange(0.0, self.length, 1.0)
        road = self.width_left(grid) + self.width_right(grid)
        height, turns = self.elevation(grid), self.line.turns
        facts = {
            "title": self.title,
            "length": f"{self.length:.0f} m",
            "direction": {1: "anticlockwise", -1: "clockwise"}.get(turns, "crosses itself"),
            "width": f"{road.min():.1f} to {road.max():.1f} m",
            "corners": str(len(self.corners)),
            "tightest radius": f"{1.0 / np.abs(self.curvature(grid)).max():.0f} m",
            "height difference": f"{np.ptp(height):.1f} m" if self.elevation_source else "flat (no source)",
            "altitude": f"{self.altitude:.0f} m",
            "fit error": f"{self.fit_rms:.3f} m rms, {self.fit_max:.3f} m max" if self.fit_max else "exact",
            "source": self.source,
            "licence": self.licence,
        }
        return {label: text for label, text in facts.items() if text}
