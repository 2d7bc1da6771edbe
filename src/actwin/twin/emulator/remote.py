"""The emulator's remote telemetry on UDP."""

from __future__ import annotations

import numpy as np

from actwin.telemetry.ac.frames import remote_from_frames
from actwin.telemetry.ac.remote_server import RemoteServer
from actwin.twin.emulator.game import Game
from actwin.twin.emulator.interface import Interface


class Remote(Interface):
    """Streams the player's car at every step of the physics, and tells the laps of all cars.

    Args:
        game: To show.
        host: Address to listen on.
        port: UDP port, 0 for any free one.

    Attributes:
        server: What answers.
    """

    name = "UDP telemetry"

    def __init__(self, game: Game, host: str, port: int) -> None:
        self._game, self._host = game, host
        self._laps = game.frames["lap_count"].copy()
        self.server = RemoteServer(port, host, game.info)

    @property
    def places(self) -> dict[str, str]:
        """Its address."""
        return {"telemetry": f"{self._host}:{self.server.port}"}

    def receive(self) -> None:
        """Answers handshakes, subscriptions and dismissals."""
        self.server.info = self._game.info
        self.server.poll()

    def publish(self, rendered: bool) -> None:
        """Sends the player's car and the laps that were completed in this step; nothing while the game is paused."""
        game = self._game
        if game.paused:
            return
        if self.server.subscribers:
            tyres = game.simulator.cars[0].tyres
            packet = remote_from_frames(game.frames[:1], game.rows[:1])
            packet["tyreRadius"] = np.repeat((tyres.front.radius, tyres.rear.radius), 2)
            self.server.publish(packet)
        counts = game.frames["lap_count"]
        if (counts != self._laps).any():
            for car in np.flatnonzero(counts > self._laps):
                lap, name = game.frames[car], game.simulator.cars[car].name
                self.server.publish_lap(int(counts[car]), float(lap["last_lap_time"]), int(car), car_name=name)
            self._laps[:] = counts

    def close(self) -> None:
        """Gives the port back."""
        self.server.close()
