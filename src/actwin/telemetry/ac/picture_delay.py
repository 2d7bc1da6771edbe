"""Carries position and lap time on from the last picture to the physics step of a sample."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy.typing as npt

from actwin.telemetry.ac.links import FORWARD, LEFT, UP
from actwin.telemetry.ac.pages import PHYSICS_STEP

Velocity = tuple[float, float, float]
"""[m/s] In the game's world."""

LONGEST: Final = 40
"""Physics steps, 0.12 s: pictures that are further apart are not bridged."""
UNSEEN: Final = 4
"""Physics steps between two looks above which it is not known well enough when a picture came."""


class PictureDelay:
    """Knows how many physics steps ago the graphics page was written.

    The graphics page is written with each picture, the physics page every 3 ms: between two pictures position and lap
    time stand still while the car moves on, at 80 m/s by more than a metre. Who looks at the pages often enough sees
    when a picture came, and adds the way since: mean velocity times time. At 60 pictures a second and 4 g what remains
    is below a centimetre, and below the way of one physics step when the picture was seen that late.

    Nothing is added after a session restart, in a pause, or when the pages were looked at too rarely.
    """

    def __init__(self) -> None:
        self._picture: int | None = None
        self._since: int | None = None
        self._packet = 0
        self._velocity: Velocity = (0.0, 0.0, 0.0)

    def look(self, packet: int, picture: int, velocity: Velocity) -> None:
        """Notes what the pages show now.

        Args:
            packet: `packetId` of the physics page.
            picture: `packetId` of the graphics page, read after it.
            velocity: Of the physics page.
        """
        unseen, self._packet = packet - self._packet, packet
        if picture == self._picture:
            return
        known = self._picture is not None and 0 <= unseen <= UNSEEN
        self._picture, self._since = picture, packet if known else None
        self._velocity = velocity

    def carry_on(self, velocity: Velocity, frames: npt.NDArray[Any]) -> None:
        """Moves `x`, `y`, `z` and `lap_time` to the physics step last looked at.

        Args:
            velocity: Of the physics page.
            frames: FRAME[1] made from the pages, changed in place.
        """
        if self._since is None or not 0 < self._packet - self._since <= LONGEST:
            return
        duration = (self._packet - self._since) * PHYSICS_STEP
        way = [0.5 * duration * (before + now) for before, now in zip(self._velocity, velocity, strict=True)]
        if all(map(math.isfinite, way)):
            frames["x"] += way[FORWARD]
            frames["y"] += way[LEFT]
            frames["z"] += way[UP]
            frames["lap_time"] += duration
