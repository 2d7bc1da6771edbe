"""The emulator in real time: paces its steps, drives its cars, says how well it kept up."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from actwin.content.library import load_car, load_track
from actwin.driving.driver import Driver
from actwin.driving.interruption import Interruption
from actwin.driving.priority import raised
from actwin.errors import ConfigError, SourceError
from actwin.pacing import SPIN, Pacer, Spread
from actwin.telemetry.channels import neutral_controls
from actwin.twin.emulator.emulator import Emulator, Outlets
from actwin.twin.simulator import SUBSTEPS, Simulator
from actwin.twin.world import Assists

TRACK: Final = "monza"
CAR: Final = "dallara_f317"
EXPERT: Final = "expert"
NOBODY: Final = "none"
CATCH_UP: Final = 10
"""Steps that are made up for when the loop was late; what is lost beyond them stays lost."""
PATIENCE: Final = 0.6 * SPIN
"""[s] Of the time before a step in which the clock is polled, what is slept instead."""
PACES: Final = 0.01
"""[-] How much slower each opponent drives than the car before it."""


@dataclass(frozen=True)
class Service:
    """What is served.

    Attributes:
        track, car: Name or path; None takes those that a checkpoint was trained with, else Monza and an F3 car.
        driver: `expert`, `none`, or the path of a checkpoint.
        cars: Cars on the track; the first is the player's.
        outlets: Interfaces.
        fuel_rate: [-] Factor on what the engines burn; 0 lets a car drive for ever.
    """

    track: str | None = None
    car: str | None = None
    driver: str = EXPERT
    cars: int = 1
    outlets: Outlets = field(default_factory=Outlets)
    fuel_rate: float = 0.0


@dataclass(frozen=True)
class Served:
    """How it went.

    Attributes:
        steps: Physics steps.
        game_time: [s] They cover.
        wall_time: [s] They took.
        processor_time: [s] Of this process's processor time they took.
        late: Steps that came a whole step or more after their time, and were made up for or lost.
        lost: Steps that were left out, because the loop was later than it may make up for.
        sections: Durations by section.
    """

    steps: int
    game_time: float
    wall_time: float
    processor_time: float
    late: int
    lost: int
    sections: dict[str, Spread]

    @property
    def real_time_factor(self) -> float:
        """[-] Game time over wall time."""
        return self.game_time / self.wall_time if self.wall_time > 0.0 else 0.0


def open_service(service: Service) -> Emulator:
    """The emulator that a service describes, already answering.

    Args:
        service: What to serve.

    Raises:
        UnknownNameError, ContentError: No such track or car.
        CheckpointError: The driver's checkpoint cannot be used.
        SourceError: A port or name is taken, or the folder cannot be made.
    """
    if (folder := service.outlets.folder) is not None:
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(f"{folder}: cannot be made ({error}). Give a folder that can be written.") from error
    simulator, driver, period = _simulator_and_driver(service)
    # The first calls load compiled code; nobody should wait for that on the track. The game puts the cars back.
    simulator.step(neutral_controls(simulator.n))
    if driver is not None:
        driver.act(simulator.frames)
    return Emulator(simulator, driver, service.outlets, period, service.fuel_rate)


def _simulator_and_driver(service: Service) -> tuple[Simulator, Driver | None, int]:
    n = service.cars
    if service.driver in (EXPERT, NOBODY):
        track, car = load_track(service.track or TRACK), load_car(service.car or CAR)
        simulator = Simulator(track, car, n, substeps=1)
        if service.driver == NOBODY:
            return simulator, None, SUBSTEPS
        from actwin.driving.line_follower import LineFollower  # plans a line, which nobody else need wait for

        return simulator, LineFollower(track, car, n, pace=1.0 - PACES * np.arange(n, dtype=float)), SUBSTEPS
    from actwin.driving.policy import real_time_driver  # plans a line, which nobody else need wait for

    policy = real_time_driver(Path(service.driver), n, track=service.track, car=service.car)
    physics = policy.task.config.physics
    simulator = Simulator(
        policy.task.track,
        policy.task.car,
        n,
        substeps=1,
        physics_step=physics.physics_step,
        conditions=policy.task.config.conditions,
        assists=Assists(abs=physics.abs, traction_control=physics.traction_control),
    )
    return simulator, policy, physics.substeps


def serve(
    emulator: Emulator,
    *,
    speed: float = 1.0,
    fast: bool = False,
    seconds: float | None = None,
    stop: Interruption | None = None,
    on_second: Callable[[Served], None] | None = None,
) -> Served:
    """Runs an emulator until it is stopped: by time, by Ctrl-C or by a request to end the process.

    Args:
        emulator: To run; it stays open.
        speed: [-] How fast time runs, 1 = real; a client's time scale multiplies it.
        fast: As fast as the machine can, whatever the speed.
        seconds: [s] On the wall clock; None means until stopped.
        stop: To ask for the end by other means.
        on_second: Told about every second.

    Returns:
        How it went.

    Raises:
        ConfigError: A speed that makes no sense.
    """
    if not 0.0 < speed <= 100.0:
        raise ConfigError(f"Time cannot run {speed:g} times as fast. Choose above 0 to 100.")
    shown = 1.0
    # What was made so far stays; looking through it again and again would cost milliseconds in some steps.
    gc.collect()
    gc.freeze()
    # As fast as it can is no pace that others would have to wait for.
    punctual = contextlib.nullcontext() if fast or speed > 1.0 else raised(first=True)
    try:
        with punctual, stop or Interruption() as stop:
            loop = _Loop(emulator, speed, fast)
            while not stop.asked and (seconds is None or loop.wall_time < seconds):
                loop.turn()
                if on_second and loop.wall_time >= shown:
                    shown += 1.0
                    on_second(loop.served())
            return loop.served()
    finally:
        gc.unfreeze()


class _Loop:
    """The steps of an emulator on the clock of the wall."""

    def __init__(self, emulator: Emulator, speed: float, fast: bool) -> None:
        self._emulator, self._speed, self._fast = emulator, speed, fast
        self._physics_step = float(emulator.game.simulator.physics_step)
        self._scale = emulator.game.time_scale
        self._pacer = Pacer(None if fast else self._period(), sleep=_sleep)
        self._processor = time.process_time()
        self._steps = self._late = self._lost = 0

    def _period(self) -> float:
        return self._physics_step / (self._speed * self._scale)

    @property
    def wall_time(self) -> float:
        """[s] Since the start."""
        return self._pacer.elapsed

    def turn(self) -> None:
        """One step, and those that the loop owes when it came late."""
        pacer, owed = self._pacer, 1
        if not self._fast and self._emulator.game.time_scale != self._scale:
            self._scale = self._emulator.game.time_scale
            pacer.period = self._period()
            pacer.restart()
        late = pacer.wait()
        if pacer.period is not None:
            missed = int(late / pacer.period)
            owed += min(missed, CATCH_UP)
            self._late += missed
            self._lost += max(missed - CATCH_UP, 0)
        for _ in range(owed):
            with pacer.section("step"):
                self._emulator.step()
            self._steps += 1

    def served(self) -> Served:
        """How it went so far."""
        return Served(
            steps=self._steps,
            game_time=self._steps * self._physics_step,
            wall_time=self._pacer.elapsed,
            processor_time=time.process_time() - self._processor,
            late=self._late,
            lost=self._lost,
            sections=self._pacer.spreads() | self._emulator.timing.spreads(),
        )


def _sleep(seconds: float) -> None:
    """Sleeps on into the time for which `Pacer` would poll the clock.

    That much punctuality would cost a sixth of a core here, and no reader notices a tenth of a millisecond.
    """
    time.sleep(seconds + PATIENCE)
