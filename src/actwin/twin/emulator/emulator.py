"""The emulator: a game on the twin, behind all interfaces at once, one physics step at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from actwin.errors import ConfigError
from actwin.pacing import Pacer
from actwin.telemetry.channels import Controls, Frames, neutral_controls
from actwin.twin.emulator.game import Game
from actwin.twin.emulator.interface import Interface
from actwin.twin.simulator import PHYSICS_STEP, SUBSTEPS, Simulator

FPS: Final = 100.0
"""[1/s] Pictures of the emulated game, which draws none; clients of the in-game app ask for a cap of 50 or 100."""
FASTEST: Final = 1.0 / PHYSICS_STEP
"""[1/s] More pictures than steps of the physics there cannot be."""
REMOTE_PORT: Final = 9996
APP_PORTS: Final = (2345, 2346, 2347)
APP_RATE: Final = 25
"""[1/s] Messages of the in-game app; clients of assetto_corsa_gym insist on 25."""
HOST: Final = "127.0.0.1"

Clock = Callable[[], float]


class InternalDriver(Protocol):
    """Who drives while no client does."""

    def reset(self, index: npt.ArrayLike | None = None) -> None:
        """Some cars were put somewhere else."""

    def act(self, frames: Frames) -> Controls:
        """CONTROLS[N] of the next control period from FRAME[N] of now."""


@dataclass(frozen=True)
class Outlets:
    """Which interfaces are served, and where.

    Attributes:
        memory: Whether the three shared-memory pages are written.
        page_size: "exact" as the game, or "2048" as the bridges from Proton.
        custom_ai: Whether CSP's Custom AI is obeyed.
        folder: Of the mapping files where the platform has no named mappings; None for its default.
        host: Address that the servers listen on.
        remote_port: UDP port of remote telemetry, 0 for any free one, None for none.
        app_ports: Of the in-game app: UDP of the player's car, TCP of the opponents, TCP of the management; 0 for any
            free one; None for no app.
        fps: [1/s] Pictures: how often the graphics page is written and the app is called.
        app_rate: [1/s] Messages of the app to each client, at most one with each picture.
    """

    memory: bool = True
    page_size: Literal["exact", "2048"] = "exact"
    custom_ai: bool = True
    folder: Path | None = None
    host: str = HOST
    remote_port: int | None = REMOTE_PORT
    app_ports: tuple[int, int, int] | None = APP_PORTS
    fps: float = FPS
    app_rate: int = APP_RATE

    def __post_init__(self) -> None:
        if not 1.0 <= self.fps <= FASTEST:
            raise ConfigError(f"{self.fps:g} pictures a second are not possible. Choose 1 to 333, such as 50 or 100.")
        if self.app_ports is not None and not 1 <= self.app_rate <= self.fps:
            raise ConfigError(
                f"The app is called with each of {self.fps:g} pictures a second, so it cannot send {self.app_rate} "
                "messages. Choose more pictures or fewer messages."
            )


def open_interfaces(game: Game, outlets: Outlets, clock: Clock = time.perf_counter) -> list[Interface]:
    """Starts serving a game.

    Args:
        game: To serve.
        outlets: Which interfaces, and where.
        clock: [s] By which clients fall silent.

    Returns:
        The interfaces; who drives by an earlier one goes before who drives by a later one.

    Raises:
        SourceError: A port or name is taken.
    """
    # The servers come first: a port that is taken says that a game runs already, whose memory must be left alone.
    openers = (
        (outlets.remote_port is not None, _remote),
        (outlets.app_ports is not None, _app),
        (outlets.memory, _memory),
        (outlets.custom_ai, _custom_ai),
    )
    interfaces: list[Interface] = []
    try:
        for wanted, opener in openers:
            if wanted:
                interfaces.insert(0, opener(game, outlets, clock))
    except BaseException:
        for interface in interfaces:
            interface.close()
        raise
    return interfaces


# Each brings modules that a game without it need not import.


def _remote(game: Game, outlets: Outlets, clock: Clock) -> Interface:
    from actwin.twin.emulator.remote import Remote

    return Remote(game, outlets.host, outlets.remote_port or 0)


def _app(game: Game, outlets: Outlets, clock: Clock) -> Interface:
    from actwin.twin.emulator.app import App

    return App(game, outlets.host, outlets.app_ports or (0, 0, 0), outlets.fps, outlets.app_rate, clock)


def _memory(game: Game, outlets: Outlets, clock: Clock) -> Interface:
    from actwin.twin.emulator.memory import Memory

    return Memory(game, outlets.folder, outlets.page_size)


def _custom_ai(game: Game, outlets: Outlets, clock: Clock) -> Interface:
    from actwin.twin.emulator.custom_ai import CustomAi

    return CustomAi(game, outlets.folder)


class Emulator:
    """Assetto Corsa as far as its interfaces show it.

    A step takes what clients ask for, drives 3 ms of the twin, and publishes. Whoever drives by Custom AI goes before
    the in-game app, the app before the internal driver. It knows no clock: `driving.serve` paces it, tests step it.

    Args:
        simulator: The cars and the track, with `substeps=1`. Car 0 is the player's.
        driver: Drives all cars that no client drives; None leaves them alone.
        outlets: Which interfaces are served, and where; None for all of the game's own.
        period: Physics steps from one decision of the internal driver to the next.
        fuel_rate: [-] Factor on what the engines burn.
        clock: [s] By which clients fall silent; the wall's, unless a test has its own.

    Attributes:
        game: The session.
        interfaces: What is served.
        steps: Steps taken, those in a pause included.
        timing: Durations of the parts of a step: `decide`, `physics`, and each interface by its name.

    Raises:
        ConfigError: A simulator of more than one substep.
        SourceError: A port or name is taken.
    """

    def __init__(
        self,
        simulator: Simulator,
        driver: InternalDriver | None = None,
        outlets: Outlets | None = None,
        period: int = SUBSTEPS,
        fuel_rate: float = 1.0,
        clock: Clock = time.perf_counter,
    ) -> None:
        outlets = outlets or Outlets()
        self.steps = 0
        self.game = Game(simulator, fuel_rate)
        self.interfaces: Sequence[Interface] = open_interfaces(self.game, outlets, clock)
        self.timing = Pacer()
        self._driver, self._period = driver, period
        self._until_decision = 0
        self._idle = neutral_controls(simulator.n)
        self._decided = self._idle.copy()
        self._controls = self._idle.copy()
        self._steps_per_picture = 1.0 / (outlets.fps * simulator.physics_step)
        self._until_picture = 0.0

    @property
    def controls(self) -> Controls:
        """CONTROLS[N] of the last step."""
        return self._controls

    def step(self) -> Frames:
        """One physics step of 3 ms; while the game is paused it is only shown.

        Returns:
            FRAME[N], an array that the next step renews.
        """
        for interface in self.interfaces:
            interface.receive()
        if not self.game.paused:
            with self.timing.section("decide"):
                self._decide()
            with self.timing.section("physics"):
                self.game.advance(self._controls)
        self.steps += 1
        self._until_picture -= 1.0
        rendered = self._until_picture <= 0.0
        if rendered:
            self._until_picture += self._steps_per_picture
        for interface in self.interfaces:
            with self.timing.section(interface.name):
                interface.publish(rendered)
        return self.game.frames

    def _decide(self) -> None:
        """Gathers the controls of this step."""
        controls = self._controls
        controls[:] = self._internal()
        for car in range(self.game.n):
            driven = 0
            for interface in self.interfaces:
                asked = interface.controls(car)
                if asked is not None:
                    controls[car], driven = asked[0], 1
                    break
            self.game.rows["ai_controlled"][car] = self._driver is not None and not driven
            self.game.rows["auto_shifter"][car] = controls["gear"][car] < -1

    def _internal(self) -> Controls:
        """What the internal driver decided last; it decides once a control period."""
        if self._driver is None:
            return self._idle
        moved = self.game.moved
        if moved.any():
            self._driver.reset(np.flatnonzero(moved))
            self._until_decision = 0
            moved[:] = False
        if self._until_decision == 0:
            self._decided[:] = self._driver.act(self.game.frames)
            self._until_decision = self._period
        self._until_decision -= 1
        return self._decided

    def close(self) -> None:
        """Ends all interfaces; harmless when repeated."""
        for interface in self.interfaces:
            interface.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
