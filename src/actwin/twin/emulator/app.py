"""The in-game app at work in the emulator: its own code, called once a picture."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.typing as npt

from actwin.twin.emulator.app_host import AppHost
from actwin.twin.emulator.fake_ac import FakeAc
from actwin.twin.emulator.game import Game
from actwin.twin.emulator.game_files import write_game_files
from actwin.twin.emulator.hands import Hands
from actwin.twin.emulator.interface import Interface


class App(Interface):
    """The app, and through it whoever drives by it.

    Once a client has driven, the app keeps the car, as it does in the game: after the client's silence it is neutral.

    Args:
        game: That the app runs in.
        host: Address that its servers listen on.
        ports: Of telemetry (UDP), opponents and management (TCP); 0 takes a free one.
        fps: [1/s] Pictures.
        rate: [1/s] Messages to each client.
        clock: [s] The app's clock.

    Attributes:
        app: What runs.
    """

    name = "in-game app"

    def __init__(
        self,
        game: Game,
        host: str,
        ports: tuple[int, int, int],
        fps: float,
        rate: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._game, self._changes = game, game.changes
        self._frame_time = 1.0 / fps
        self._hands = Hands()
        self._root = tempfile.TemporaryDirectory(prefix="actwin-")
        fake = FakeAc(game.info, game.simulator.cars[0], game.n)
        fake.on_reset = game.put_back
        fake.update(game.frames, game.rows)
        settings = {"ego_sampling_freq": rate, "sampling_freq": round(fps)}
        try:
            self._write_files()
            self.app = AppHost(fake, ports, host, settings, Path(self._root.name), clock)
        except BaseException:
            self._root.cleanup()
            raise

    def _write_files(self) -> None:
        simulator = self._game.simulator
        write_game_files(Path(self._root.name), self._game.info, simulator.track, simulator.cars[0])

    @property
    def places(self) -> dict[str, str]:
        """Addresses of its servers."""
        return {name: f"{host}:{port}" for name, (host, port) in self.app.addresses.items()}

    def controls(self, car: int) -> npt.NDArray[Any] | None:
        """CONTROLS[1] of whoever drives the player's car through the app."""
        return self._hands.controls if car == 0 and self.app.controls is not None else None

    def publish(self, rendered: bool) -> None:
        """Calls the app as the game does with every picture, paused or not."""
        if not rendered:
            return
        game, fake = self._game, self.app.fake
        if game.changes != self._changes:
            self._changes = game.changes
            self._write_files()
            fake.begin(game.info, game.simulator.cars[0])
        fake.update(game.frames, game.rows)
        self.app.update(self._frame_time)
        asked = self.app.controls
        if asked is not None:
            self._hands.take(asked[0], game, 0)

    def close(self) -> None:
        """Ends the app and removes the files that it read."""
        self.app.close()
        self._root.cleanup()
