"""Makes a game's frames whole: derives what the game does not tell from what it does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.cockpit.road_position import PLACE, RoadPosition
from actwin.cockpit.wheel_slip import Array, WheelSlip
from actwin.content.car import Car
from actwin.content.track import Track
from actwin.telemetry.channels import FRAME_CHANNEL, FRAME_CHANNELS, FRAME_COLUMN, Frames, as_floats
from actwin.twin.simulator import PHYSICS_STEP
from actwin.twin.world import Conditions

NEEDED: Final = ("x", "y", "yaw", "vx", "vy", "yaw_rate", "steer", "speed")
"""Channels without which nobody can drive."""
HARDEST: Final = 60.0
"""[m/s²] No car slows down faster without hitting something."""
GROUND: Final = ("surface", "tyres_out")
SLIP: Final = ("slip_ratio", "slip_angle", "grip_use")
FLOATS: Final = tuple(channel.name for channel in FRAME_CHANNELS if not channel.integer)


def columns(names: Iterable[str]) -> npt.NDArray[np.int64]:
    """Columns of `as_floats` of some channels of FRAME."""
    return np.array(
        [FRAME_COLUMN[name] + k for name in names for k in range(len(FRAME_CHANNEL[name].columns))], np.int64
    )


class Completion:
    """Fills the channels of one car's frames that its source does not tell.

    Always: the place on the road. Where missing: wheels on and beyond the road, slips of the wheels, steering by the
    car's lock, validity of the lap, and energy lost in collisions (a lower bound: what was lost faster than brakes
    and air could have taken it). What cannot be derived stays 0 and is listed. What the source does tell is never
    mended: where it is not finite, so is what follows from it.

    Args:
        track: The road.
        car: The car, as the twin knows it.
        missing: Channels that the source does not tell.
        period: [s] Between frames whose packet numbers do not tell it.

    Attributes:
        derived: Missing channels that are filled.
        lacking: Missing channels that stay 0.
    """

    def __init__(self, track: Track, car: Car, missing: Iterable[str] = (), period: float = 0.039) -> None:
        told = {channel.name for channel in FRAME_CHANNELS} - set(missing)
        self.missing = frozenset(missing)
        self._period = period
        self._road, self._slip = RoadPosition(track, car), WheelSlip(car)
        self._lap, self._mass, self._wheel_lock = track.length, car.chassis.mass, car.steering.wheel_lock
        self._allowed_out = Conditions().allowed_tyres_out
        able = {*PLACE, "lap_progress"}
        if "steer" in told or "steer_angle" in told:
            able |= {"steer", "steer_angle"}
        if {"x", "y", "yaw"} <= told:
            able |= {*GROUND, "lap_valid", "last_lap_valid"}
        if {"vx", "vy", "yaw_rate", "wheel_speed"} <= told and "steer" in told | able:
            able |= set(SLIP)
        if "speed" in told:
            able.add("collision")
        self.derived = self.missing & able
        self.lacking = self.missing - able
        self._blank = columns(self.lacking)
        self.forget()

    def forget(self) -> None:
        """Starts anew after the car was put somewhere else; the lap in which that happened does not count."""
        self._road.forget()
        self._valid, self._last_valid, self._moved = 1, 0, True
        self._before: Frames | None = None

    def fill(self, frames: Frames) -> None:
        """Fills one frame, in the order in which they come.

        Args:
            frames: FRAME[1].
        """
        self._road.fill(frames, ground=bool(self.derived & set(GROUND)))
        self._fill_steering_and_slip(frames)
        self._follow(frames)
        as_floats(frames)[:, self._blank] = 0.0
        self._before = frames.copy()

    def fill_series(self, frames: Frames, begins: npt.NDArray[np.bool_]) -> None:
        """Fills a whole drive at once.

        Args:
            frames: FRAME[T], a period apart.
            begins: [T] Whether nothing that is known leads to a frame.
        """
        self._road.fill_series(frames, ground=bool(self.derived & set(GROUND)))
        self._fill_steering_and_slip(frames)
        self._follow_series(frames, begins)
        as_floats(frames)[:, self._blank] = 0.0

    def _fill_steering_and_slip(self, frames: Frames) -> None:
        if "steer_angle" in self.derived:
            frames["steer_angle"] = frames["steer"] * self._wheel_lock
        elif "steer" in self.derived:
            frames["steer"] = np.clip(frames["steer_angle"] / self._wheel_lock, -1.0, 1.0)
        if self.derived & set(SLIP):
            for name, values in zip(SLIP, self._slip.compute(frames), strict=True):
                if name in self.derived:
                    frames[name] = values

    def _follow(self, frames: Frames) -> None:
        """What needs the frame before: laps and collisions."""
        before, now = self._before, frames[0]
        if before is not None:
            last = before[0]
            steps = int(now["packet_id"]) - int(last["packet_id"])
            elapsed = steps * PHYSICS_STEP if steps > 0 else self._period
            if "collision" in self.derived:
                frames["collision"] = self._energy_lost(float(last["speed"]), float(now["speed"]), elapsed)
            if now["lap_distance"] - last["lap_distance"] < -0.5 * self._lap and now["lap_time"] <= last["lap_time"]:
                self._last_valid = int(last["lap_valid"] > 0 and not self._moved)
                self._valid, self._moved = 1, False
        if now["tyres_out"] > self._allowed_out:
            self._valid = 0
        if "lap_valid" in self.derived:
            frames["lap_valid"] = self._valid
        if "last_lap_valid" in self.derived:
            frames["last_lap_valid"] = self._last_valid

    def _follow_series(self, frames: Frames, begins: npt.NDArray[np.bool_]) -> None:
        """`_follow` for a whole drive."""
        rows, count = np.arange(len(frames)), len(frames)
        if "collision" in self.derived:
            speed = frames["speed"].astype(np.float64)
            lost = self._energy_lost(np.roll(speed, 1), speed, self._period)
            frames["collision"] = np.where(begins | (rows == 0), 0.0, lost)
        distance, clock = frames["lap_distance"], frames["lap_time"]
        back = np.diff(distance, prepend=distance[:1]) < -0.5 * self._lap
        crossed = back & (clock <= np.roll(clock, 1)) & ~begins
        # Laps, and what there is of one after the car was put somewhere else.
        starts = np.maximum.accumulate(np.where(crossed | begins, rows, 0))
        last_out = np.maximum.accumulate(np.where(frames["tyres_out"] > self._allowed_out, rows, -1))
        valid = last_out < starts
        before = np.maximum(starts - 1, 0)
        last_valid = crossed[starts] & valid[before] & crossed[starts[before]]
        if "lap_valid" in self.derived and count:
            frames["lap_valid"] = valid
        if "last_lap_valid" in self.derived and count:
            frames["last_lap_valid"] = last_valid

    def _energy_lost(self, before: npt.ArrayLike, now: npt.ArrayLike, elapsed: float) -> Array:
        """[J] Kinetic energy that went faster than the hardest braking takes it."""
        explained = np.maximum(np.asarray(before) - HARDEST * elapsed, 0.0)
        return np.asarray(0.5 * self._mass * np.maximum(explained**2 - np.asarray(now) ** 2, 0.0))
