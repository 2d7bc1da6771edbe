"""Drives a simulator and keeps every frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from actwin.analysis.rollout import Rollout
from actwin.content.library import load_car, load_track
from actwin.driving.driver import Driver
from actwin.telemetry.channels import FRAME, Controls, Frames, neutral_controls
from actwin.twin.simulator import Simulator


class FixedControls:
    """A driver who holds the same controls all the time.

    Args:
        controls: CONTROLS[N].
    """

    def __init__(self, controls: Controls) -> None:
        self.controls = controls

    def reset(self, index: object = None) -> None:
        """Nothing to forget."""

    def act(self, frames: Frames) -> Controls:
        """The controls, CONTROLS[N]."""
        return self.controls


def drive(simulator: Simulator, driver: Driver, steps: int, on_step: Callable[[int], None] | None = None) -> Frames:
    """Drives all cars from where they are.

    Args:
        simulator: Already reset.
        driver: For all its cars.
        steps: Control periods.
        on_step: Called after each with the number of steps done.

    Returns:
        FRAME[steps + 1, N], the present frames first.
    """
    kept = np.empty((steps + 1, simulator.n), FRAME)
    kept[0] = simulator.frames
    driver.reset(None)
    for step in range(1, steps + 1):
        kept[step] = simulator.step(driver.act(simulator.frames))
        if on_step:
            on_step(step)
    return kept


def rollout(simulator: Simulator, frames: Frames, driver: str, car: int = 0) -> Rollout:
    """One car's part of what `drive` kept.

    Args:
        simulator: That was driven.
        frames: FRAME[T, N].
        driver: Name to show.
        car: Which.
    """
    names = simulator.track.name, simulator.cars[car].name
    return Rollout(np.ascontiguousarray(frames[:, car]), simulator.control_period, *names, driver)


def run(
    track: str, car: str, controls: Mapping[str, float] | None, steps: int, distance: float = 0.0, speed: float = 0.0
) -> Rollout:
    """Drives one car from a place on the centre line.

    Args:
        track: Name or path of a track.
        car: Name or path of a car.
        controls: Fixed controls by channel name; None lets the scripted expert drive.
        steps: Control periods.
        distance: [m] Where to start.
        speed: [m/s] At the start.
    """
    model = load_car(car)
    simulator = Simulator(load_track(track), model)
    simulator.reset(distance=distance, speed=speed)
    driver: Driver
    if controls is None:
        from actwin.driving.line_follower import LineFollower  # plans a line, which fixed controls need not wait for

        driver, name = LineFollower(simulator.track, model), "line follower"
    else:
        held = neutral_controls(1)
        for channel, value in controls.items():
            held[channel] = value
        driver, name = FixedControls(held), "fixed controls"
    return rollout(simulator, drive(simulator, driver, steps), name)
