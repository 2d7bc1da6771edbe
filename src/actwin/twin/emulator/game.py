"""The emulated game without its interfaces: a session of the twin that can be paused, restarted and rearranged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.errors import ConfigError
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import Controls, Frames
from actwin.twin.emulator.laps import LapBook
from actwin.twin.emulator.pace_meter import PaceMeter
from actwin.twin.emulator.world import STATUS_LIVE, STATUS_PAUSE, GameRows, game_info
from actwin.twin.simulator import Simulator


class Game:
    """A session of Assetto Corsa on the twin.

    Args:
        simulator: The cars and the track, stepping once a physics step (`substeps=1`). Car 0 is the player's.
        fuel_rate: [-] Factor on what the engines burn; 0 lets a car drive for ever with the fuel it began with.

    Attributes:
        simulator: As given.
        info: What the game says of itself.
        frames: FRAME[N] as the game shows them: laps and packet counts go on when a car is put somewhere else.
        rows: GAME[N].
        ticks: Physics steps since the game began.
        paused: Whether time stands still.
        time_scale: [-] How much faster than the clock on the wall the session was asked to run.
        changes: Grows by one with every new session or car; interfaces then tell who and where they are again.
        fuel_rate: As given.
        moved: bool[N] Cars that were put somewhere since whoever drives them was told.

    Raises:
        ConfigError: The simulator takes more than one physics step at a time.
    """

    def __init__(self, simulator: Simulator, fuel_rate: float = 1.0) -> None:
        if simulator.substeps != 1:
            raise ConfigError(
                f"The game is published once a physics step, but the simulator takes {simulator.substeps} at a time. "
                "Create it with Simulator(..., substeps=1)."
            )
        self.simulator = simulator
        self.fuel_rate = fuel_rate
        self.info: GameInfo = game_info(simulator.track, simulator.cars[0])
        self.ticks, self.changes = 0, 0
        self.paused, self.time_scale = False, 1.0
        self.moved = np.zeros(simulator.n, bool)
        self._laps = LapBook(simulator.n)
        self._rows = GameRows(simulator)
        self._pace = [PaceMeter() for _ in range(simulator.n)]
        self._began = 0
        self._burn(None)
        self.restart()

    @property
    def n(self) -> int:
        """Number of cars."""
        return self.simulator.n

    @property
    def frames(self) -> Frames:
        """FRAME[N] of this moment."""
        return self._laps.frames

    @property
    def rows(self) -> npt.NDArray[Any]:
        """GAME[N] of this moment."""
        return self._rows.rows

    @property
    def elapsed(self) -> float:
        """[s] Since the session began."""
        return (self.ticks - self._began) * float(self.simulator.physics_step)

    def advance(self, controls: Controls) -> None:
        """Drives all cars through one physics step, unless the game is paused.

        Args:
            controls: CONTROLS[N].
        """
        if self.paused:
            return
        self.simulator.step(controls)
        self.ticks += 1
        self._refresh(self.simulator.physics_step)

    def _refresh(self, step: float) -> None:
        frames = self._laps.update(self.simulator.frames, self.ticks)
        rows = self._rows.update(frames, self.elapsed, step)
        for car, meter in enumerate(self._pace):
            rows["performance_delta"][car] = meter.update(frames[car])

    def pause(self, on: bool = True) -> None:
        """Stops or resumes time; the game goes on to show itself.

        Args:
            on: Whether it shall stand still.
        """
        self.paused = on
        self.rows["status"] = STATUS_PAUSE if on else STATUS_LIVE

    def restart(self) -> None:
        """Begins a new session: all cars on the starting grid, no laps, time at zero, not paused."""
        slots, offsets = self.simulator.track.grid_positions(self.n)
        self.simulator.reset(distance=slots, lateral=offsets)
        self._laps.restart()
        self._rows.restart()
        for meter in self._pace:
            meter.restart()
        self._began = self.ticks
        self.moved[:] = True
        self.changes += 1
        self.pause(False)
        self._refresh(0.0)

    def _burn(self, index: int | None) -> None:
        if self.fuel_rate != 1.0:
            self.simulator.scale(index, engine__fuel_rate=self.fuel_rate)

    def change_car(self, car: Car, index: int = 0) -> None:
        """Begins a new session with another car.

        Args:
            car: The model.
            index: Whose.
        """
        self.simulator.set_car(index, car)
        self._burn(index)
        self.info = game_info(self.simulator.track, self.simulator.cars[0])
        self._rows.refresh()
        self.restart()

    def to_pits(self, car: int = 0) -> None:
        """Puts a car, standing, where cars leave the pits, with its first fuel; the lap it is on does not count.

        Args:
            car: Which.
        """
        distance, lateral = self.simulator.track.pit_out
        self._put(car, distance, lateral, 0.0, boxed=True, fuel=None)

    def put_back(self, car: int = 0) -> None:
        """Puts a car, standing, back on the middle of the road beside it; the lap it is on does not count.

        Args:
            car: Which.
        """
        self._put(car, float(self.frames["lap_distance"][car]), 0.0, 0.0, fuel=self._fuel(car))

    def to_place(self, x: float, y: float, yaw: float, car: int = 0) -> None:
        """Puts a car, standing, at a place in the world; the lap it is on does not count.

        A place beyond the walls becomes the nearest one that a car can stand at.

        Args:
            x, y: [m] World position of the centre of gravity.
            yaw: [rad] World heading.
            car: Which.

        Raises:
            ConfigError: A number that is not finite.
        """
        if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(yaw)):
            raise ConfigError(f"A car cannot be put at ({x}, {y}) with heading {yaw}. Give finite numbers.")
        track = self.simulator.track
        s, n = (float(value) for value in track.to_road(x, y))
        side = 0.5 * self.simulator.cars[car].chassis.width
        right, left = side - float(track.wall_right(s)), float(track.wall_left(s)) - side
        turn = yaw - float(track.heading(s))
        heading = math.remainder(turn, 2.0 * math.pi)
        self._put(car, s, min(max(n, right), left), heading, fuel=self._fuel(car))

    def _fuel(self, car: int) -> float:
        return float(self.simulator.frames["fuel"][car])

    def _put(
        self, car: int, distance: float, lateral: float, heading: float, *, fuel: float | None, boxed: bool = False
    ) -> None:
        index = np.array([car])
        self.simulator.reset(index, distance=distance, lateral=lateral, heading=heading, fuel=fuel)
        self._laps.moved(index)
        self._rows.moved(index, boxed)
        self.moved[car] = True
        self._refresh(0.0)
