"""Writes the shared-memory pages as the game does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.ac.frames import write_graphics, write_physics
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.pages import (
    GRAPHICS,
    GRAPHICS_NAME,
    PHYSICS,
    PHYSICS_NAME,
    PHYSICS_STEP,
    STATIC,
    STATIC_NAME,
    Status,
)
from actwin.telemetry.ac.session_page import write_static
from actwin.telemetry.ac.source import GameInfo

BRIDGE_SIZE: Final = 2048
"""[B] Length of the pages that bridges between Proton and Linux make."""


class PageWriter:
    """The three pages, for an emulator.

    ```
    writer = PageWriter()
    writer.begin(info)
    writer.physics_from(frame, game)     # every physics step
    writer.graphics_from(frame, game)    # every picture
    writer.close()
    ```

    As in the game nothing is locked. A page's `packetId` is written after all the rest, so that a reader who waits for
    a new one finds the page complete. Where physics and graphics are written together, physics goes first.

    Args:
        folder: To keep the pages in, as files; None is the platform's own place.
        size_style: "exact" lengths as the game has, or "2048" as bridges to Linux have.

    Attributes:
        physics, graphics, static: PHYSICS[1], GRAPHICS[1], STATIC[1], as last written; fields that no channel sets
            (radii, compound, …) may be set here.

    Raises:
        SourceError: Somebody else writes these pages, or they cannot be made.
    """

    def __init__(self, folder: str | Path | None = None, size_style: Literal["exact", "2048"] = "exact") -> None:
        self.physics = np.zeros(1, PHYSICS)
        self.graphics = np.zeros(1, GRAPHICS)
        self.static = np.zeros(1, STATIC)
        _refuse_when_written(folder)
        self._mappings: list[Mapping] = []
        pages = ((PHYSICS_NAME, PHYSICS), (GRAPHICS_NAME, GRAPHICS), (STATIC_NAME, STATIC))
        try:
            for name, layout in pages:
                size = BRIDGE_SIZE if size_style == "2048" else layout.itemsize
                self._mappings.append(Mapping.create(name, size, folder))
        except SourceError:
            self._release()
            raise

    def begin(self, info: GameInfo) -> None:
        """Starts a session: writes the static page, then empty others.

        Args:
            info: What the static page says; further fields may be set in `static` before.
        """
        write_static(info, self.static)
        self.physics[:] = 0
        self.graphics[:] = 0
        self.graphics["status"] = Status.PAUSE
        self.publish_static()
        self.publish_physics()
        self.publish_graphics()

    def physics_from(self, frame: npt.NDArray[Any], game: npt.NDArray[Any]) -> None:
        """Writes the physics page.

        Args:
            frame, game: FRAME[1] and GAME[1].
        """
        write_physics(frame, game, self.physics, float(self.static["maxTurboBoost"][0]))
        self.publish_physics()

    def graphics_from(self, frame: npt.NDArray[Any], game: npt.NDArray[Any]) -> None:
        """Writes the graphics page and counts its `packetId` on by two, as the game does for each picture.

        Args:
            frame, game: FRAME[1] and GAME[1].
        """
        write_graphics(frame, game, self.graphics)
        self.publish_graphics()

    def publish_physics(self) -> None:
        """Shows `physics` as it is."""
        _publish(self._mappings[0], self.physics)

    def publish_graphics(self) -> None:
        """Shows `graphics` with the next `packetId`."""
        self.graphics["packetId"] = (self.graphics["packetId"] + 2) % (1 << 30)
        _publish(self._mappings[1], self.graphics)

    def publish_static(self) -> None:
        """Shows `static` as it is."""
        self._mappings[2].write(self.static.tobytes())

    def close(self) -> None:
        """Says that the game is off and removes pages that were not there before; harmless when closed."""
        if self._mappings:
            self.graphics["status"] = Status.OFF
            self.publish_graphics()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _release(self) -> None:
        for mapping in self._mappings:
            if mapping.created:
                mapping.unlink()
            mapping.close()
        self._mappings = []


def _publish(mapping: Mapping, record: npt.NDArray[Any]) -> None:
    data = record.tobytes()
    mapping.write(data[4:], 4)
    mapping.write(data[:4])


def _refuse_when_written(folder: str | Path | None) -> None:
    """Two games on the same pages would make one car of two."""
    try:
        mapping = Mapping.open(PHYSICS_NAME, PHYSICS.itemsize, folder)
    except SourceError:
        return
    with mapping:
        before = mapping.read()[:4]
        time.sleep(8 * PHYSICS_STEP)
        if mapping.read()[:4] != before:
            raise SourceError(
                "Somebody already writes Assetto Corsa's shared memory here: the game or another `actwin serve`. "
                "Stop it, or give this one a folder of its own."
            )
