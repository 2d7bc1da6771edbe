"""The emulator's shared-memory pages."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np

from actwin.telemetry.ac.links import FORWARD, LEFT, UP
from actwin.telemetry.ac.page_writer import PageWriter
from actwin.telemetry.ac.pages import GRAPHICS_NAME, PHYSICS_NAME, STATIC_NAME, write_text
from actwin.telemetry.ac.session_page import write_static
from actwin.twin.emulator.game import Game
from actwin.twin.emulator.interface import Interface

SKIN: Final = "default"
COMPOUND: Final = "Slicks (S)"


class Memory(Interface):
    """The three pages about the player's car: physics at each step, graphics with each picture, static once a session.

    Args:
        game: To show.
        folder: Of the pages where the platform has no named mappings; None for its default.
        page_size: "exact" or "2048", see `PageWriter`.

    Attributes:
        writer: What writes the pages, with their last contents.
    """

    name = "shared memory"

    def __init__(self, game: Game, folder: Path | None = None, page_size: Literal["exact", "2048"] = "exact") -> None:
        self._game, self._folder = game, folder
        self.writer = PageWriter(folder, page_size)
        self._changes = game.changes
        self._write_facts()
        self.writer.begin(game.info)
        write_text(self.writer.graphics["tyreCompound"][0], COMPOUND)
        self.publish(rendered=True)

    @property
    def places(self) -> dict[str, str]:
        """Names of the pages, and their folder when it was chosen."""
        names = {"pages": ", ".join((PHYSICS_NAME, GRAPHICS_NAME, STATIC_NAME))}
        return names | ({"folder": str(self._folder)} if self._folder else {})

    def _write_facts(self) -> None:
        """What the static page says of car and session beyond `GameInfo`, and what never changes in the others."""
        game, row = self._game, self.writer.static[0]
        car = game.simulator.cars[0]
        row["numberOfSessions"], row["numCars"] = 1, game.n
        row["tyreRadius"] = np.repeat((car.tyres.front.radius, car.tyres.rear.radius), 2)
        row["maxTurboBoost"] = float(car.engine.turbo_share > 0.0)
        row["aidFuelRate"], row["aidTireRate"] = game.fuel_rate, float(game.simulator.conditions.tyre_thermal)
        row["aidAutoClutch"] = row["aidAutoBlip"] = 1
        row["hasDRS"] = int(car.aero.has_drs)
        write_text(row["carSkin"], SKIN)
        body = car.chassis
        front, rear = body.wheelbase * (1.0 - body.front_share), -body.wheelbase * body.front_share
        # Contact points in the car's axes, forward and left, for FL, FR, RL, RR.
        self._ahead = np.array([front, front, rear, rear])
        self._aside = 0.5 * np.array([body.track_front, -body.track_front, body.track_rear, -body.track_rear])

    def publish(self, rendered: bool) -> None:
        """Writes the pages; after another car or session the static page, too."""
        game, writer = self._game, self.writer
        if game.changes != self._changes:
            self._changes = game.changes
            self._write_facts()
            write_static(game.info, writer.static)
            writer.publish_static()
        frame, row = game.frames[:1], game.rows[:1]
        self._place_wheels()
        writer.physics_from(frame, row)
        if rendered:
            writer.graphics_from(frame, row)

    def _place_wheels(self) -> None:
        """Where the tyres touch the road, on the level of the car."""
        frame = self._game.frames[0]
        sine, cosine = np.sin(frame["yaw"]), np.cos(frame["yaw"])
        points = self.writer.physics["tyreContactPoint"][0]
        points[:, FORWARD] = frame["x"] + cosine * self._ahead - sine * self._aside
        points[:, LEFT] = frame["y"] + sine * self._ahead + cosine * self._aside
        points[:, UP] = frame["z"]

    def close(self) -> None:
        """Says that the game is off and removes the pages."""
        self.writer.close()
