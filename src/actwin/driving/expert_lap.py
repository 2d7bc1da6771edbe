"""A flying lap of the scripted expert, to measure others by."""

from __future__ import annotations

from typing import Final

from actwin.analysis.rollout import Rollout
from actwin.content.car import Car
from actwin.content.track import Track
from actwin.driving.line_follower import LineFollower
from actwin.driving.recording import drive, rollout
from actwin.twin.simulator import Simulator

RUN_UP: Final = 400.0
"""[m] Before the line, where it starts at nearly the speed of its profile."""
BEYOND: Final = 1.15
"""[-] Of the predicted lap time that it is given from line to line."""


def expert_run(track: Track, car: Car) -> Rollout:
    """The scripted expert over the line, a whole lap, and a little further.

    Args:
        track: The road.
        car: The car.
    """
    driver = LineFollower(track, car)
    begin = float(track.wrap(-min(RUN_UP, 0.3 * track.length)))
    speed = 0.9 * float(driver.profile.speed_at(begin))
    simulator = Simulator(track, car)
    lateral, heading = float(driver.line.offset(begin)), float(driver.line.angle_at(begin))
    simulator.reset(distance=begin, lateral=lateral, heading=heading, speed=speed)
    seconds = BEYOND * driver.profile.lap_time + RUN_UP / speed + 3.0
    return rollout(simulator, drive(simulator, driver, round(seconds / simulator.control_period)), "expert")
