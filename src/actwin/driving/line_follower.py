"""The scripted expert: follows the racing line at the speed that the car's envelope allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from actwin.content.car import Car
from actwin.content.track import Track
from actwin.driving.car_inverse import CarInverse
from actwin.planning.envelope import Envelope, performance_envelope
from actwin.planning.racing_line import RacingLine, minimum_curvature
from actwin.planning.speed_profile import SpeedProfile, speed_profile
from actwin.telemetry.channels import AUTO_GEAR, Controls, Frames, neutral_controls
from actwin.units import air_density

Array = NDArray[np.float64]

PERIOD: Final = 0.039
"""[s] Control period that the driver is tuned for."""
MARGIN: Final = 0.3
"""[m] Between the side of the car and the track edge."""
GRIP: Final = 0.94
"""[-] Share of the tyres' grip that the plan uses; the rest is for corrections."""
BRAKING: Final = 0.9
"""[-] Share of the braking at that grip which the plan uses on a straight ..."""
TRAILING: Final = 0.15
"""[-] ... and what it leaves out of it at the cornering limit."""
FORGET: Final = 1.0
"""[s] Memory of missing yaw rate."""
LARGEST_ANGLE: Final = 0.45
"""[rad] Steepest way back to the line."""
STUCK_AFTER: Final = 1.5
"""[s] Without moving before the driver backs out."""


Gain = float | Array


class Tuning(NamedTuple):
    """Gains of the driver; one number each, or one for each car.

    Attributes:
        bandwidth: [rad/s] Natural frequency of the offset from the line ...
        quickness: [-] ... and its upper bound as a multiple of one over the car's lag.
        damping: [-] Damping ratio of the offset from the line.
        lead: [-] Share of the course change that a turning body has in store which counts as done.
        yaw_gain: [-] Share of the missing yaw rate that the steering of a neutral car would add at once.
        yaw_integral: [1/s] The same for missing yaw rate that lasts.
        steer_delay: [s] From the command to the car's turning; the line's curvature is read so much ahead.
        pedal_delay: [s] From the command to the car's response, beyond the brakes' own time.
        speed_gain: [1/s] Acceleration for each m/s that the speed misses.
        easy_use: [-] Mean use of the rear tyres' grip above which the throttle is eased.
    """

    bandwidth: Gain = 3.2
    quickness: Gain = 0.75
    damping: Gain = 1.2
    lead: Gain = 0.5
    yaw_gain: Gain = 0.5
    yaw_integral: Gain = 2.4
    steer_delay: Gain = 0.1
    pedal_delay: Gain = 0.06
    speed_gain: Gain = 3.0
    easy_use: Gain = 0.75


class LineFollower:
    """Drives N cars of one model along the line of minimum curvature.

    Steering: the steady turn of the car (the trim that also makes its envelope) for the line's curvature a moment
    ahead, corrected by offset, course and yaw rate, held within the slip angle of the front tyres' peak. Pedals: the
    profile's acceleration a moment ahead, corrected by speed and turned into throttle or brake by the car's own engine
    map, limited to what the envelope leaves beside the lateral acceleration and eased where wheels slip. A car that
    left the line comes back slowly; one that is stuck backs out.

    Args:
        track: The road.
        car: The model of all N cars.
        n: Number of cars.
        pace: [-] Factor on the planned speed, one number or one for each car.
        noise: [-] Size of smooth, random deviations for demonstrations: at 1, about 0.4 m across, 1.5 % in speed and
            1 % of the lock; 0 for none.
        seed: Of the deviations.
        grip: [-] Share of the tyres' grip that the plan uses.
        line: Another line to follow.
        tuning: Gains.
    """

    def __init__(
        self,
        track: Track,
        car: Car,
        n: int = 1,
        *,
        pace: Gain = 1.0,
        noise: float = 0.0,
        seed: int = 0,
        grip: float = GRIP,
        line: RacingLine | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        self.track, self.car, self.n = track, car, n
        self.pace = np.broadcast_to(np.asarray(pace, float), (n,)).copy()
        self.noise = noise
        self.tuning = Tuning(*(np.asarray(value, float) for value in tuning or Tuning()))
        density = air_density(20.0, track.altitude)
        careful = performance_envelope(car, density, grip)
        self.envelope: Envelope = replace(careful, backward=(BRAKING - TRAILING * careful.shares) * careful.backward)
        self.line = minimum_curvature(track, 0.5 * car.chassis.width + MARGIN) if line is None else line
        self.profile: SpeedProfile = speed_profile(self.line, self.envelope, track)
        self.inverse = CarInverse(car, performance_envelope(car, density), density)
        plan = (self.line.lateral, np.sin(self.line.angle), self.line.curvature, self.profile.speed, self.profile.ax)
        self._table = np.stack(plan, axis=1)
        self._table = np.concatenate([self._table, self._table[:1]])
        self._random = np.random.default_rng(seed)
        self._controls = neutral_controls(n)
        self._drift = np.zeros((n, 3))
        self._ease = np.ones((n, 2))
        self._stuck = np.zeros(n)
        self._sum = np.zeros(n)
        self.reset()

    def reset(self, index: npt.ArrayLike | None = None) -> None:
        """Forgets drift, slip and being stuck of some cars; None means all."""
        where: Any = slice(None) if index is None else np.asarray(index)
        self._drift[where] = self._random.standard_normal(self._drift[where].shape)
        self._ease[where] = 1.0
        self._stuck[where] = 0.0
        self._sum[where] = 0.0
        self._controls[where] = neutral_controls(1)[0]

    def act(self, frames: Frames) -> Controls:
        """Controls for the next period: CONTROLS[N], reused at the next call."""
        self._wander()
        speed = np.maximum(frames["speed"].astype(float), 1.0)
        vx = np.maximum(frames["vx"].astype(float), 1.0)
        steer = self._steer(frames, speed, vx)
        throttle, brake = self._pedals(frames, speed)
        controls = self._controls
        controls["steer"] = np.clip(steer + 0.01 * self.noise * self._drift[:, 2], -1.0, 1.0)
        controls["throttle"], controls["brake"] = throttle, brake
        controls["gear"] = AUTO_GEAR
        self._back_out(frames)
        return controls

    def _look(self, distance: Array) -> Array:
        """[N, 5] Offset, sine of angle, curvature, speed and acceleration of the plan at lap distances [m]."""
        cells = len(self._table) - 1
        position = np.mod(distance, self.track.length) * (cells / self.track.length)
        cell = np.minimum(position.astype(np.int64), cells - 1)
        share = (position - cell)[:, None]
        return np.asarray(self._table[cell] * (1.0 - share) + self._table[cell + 1] * share)

    def _wander(self) -> None:
        """Moves the random deviations: of first order, with time constants of 3, 4 and 0.4 s and variance 1."""
        if self.noise > 0.0:
            keep = np.exp(-PERIOD / np.array([3.0, 4.0, 0.4]))
            self._drift = keep * self._drift + np.sqrt(1.0 - keep**2) * self._random.standard_normal(self._drift.shape)

    def _course(self, frames: Frames) -> Array:
        """[rad] Direction of travel relative to the road, of the body where the car hardly moves."""
        slip = np.where(frames["speed"] > 3.0, np.arctan2(frames["vy"], np.maximum(frames["vx"], 0.1)), 0.0)
        return np.asarray(frames["heading_error"] + slip)

    def _steer(self, frames: Frames, speed: Array, vx: Array) -> Array:
        gain = self.tuning
        s = frames["lap_distance"].astype(float)
        here, ahead = self._look(s), self._look(s + speed * gain.steer_delay)
        offset = frames["lateral_offset"] - here[:, 0] - 0.4 * self.noise * self._drift[:, 0]
        # A turning body draws the course after it with the lag of the tyres: some of that is as good as done.
        lag = self.inverse.lag(speed)
        turning = frames["yaw_rate"] - here[:, 2] * speed
        coming = gain.lead * (lag + PERIOD) * turning * np.clip(speed / 10.0 - 0.5, 0.0, 1.0)
        natural = np.minimum(gain.bandwidth, gain.quickness / (lag + gain.steer_delay)) * np.minimum(1.0, speed / 12.0)
        back = natural * offset / (2.0 * gain.damping * np.maximum(speed, 6.0))
        error = self._course(frames) - np.arcsin(here[:, 1]) + coming + np.clip(back, -LARGEST_ANGLE, LARGEST_ANGLE)
        error = np.mod(error + np.pi, 2.0 * np.pi) - np.pi
        correction = -2.0 * gain.damping * natural / np.maximum(speed, 4.0) * error
        angle = self.inverse.steer(speed, speed**2 * (ahead[:, 2] + correction))
        missing = speed * (here[:, 2] + correction) - frames["yaw_rate"]
        neutral = self.car.chassis.wheelbase / np.maximum(speed, 12.0)
        wanted = angle + neutral * (gain.yaw_gain * missing + gain.yaw_integral * self._sum)
        steer = self.inverse.hold_front(wanted, vx, frames["vy"], frames["yaw_rate"])
        free = np.abs(steer * self.car.steering.lock - wanted) < 1e-3
        self._sum = np.clip(self._sum * (1.0 - PERIOD / FORGET) + PERIOD * missing * free, -0.3, 0.3)
        return steer

    def _pedals(self, frames: Frames, speed: Array) -> tuple[Array, Array]:
        s = frames["lap_distance"].astype(float)
        delay = self.tuning.pedal_delay + self.car.brakes.response_time
        here, ahead = self._look(s), self._look(s + speed * delay)
        factor = self.pace * (1.0 + 0.015 * self.noise * self._drift[:, 1])
        course = np.abs(np.mod(self._course(frames) - np.arcsin(here[:, 1]) + np.pi, 2.0 * np.pi) - np.pi)
        aside = np.abs(frames["lateral_offset"] - here[:, 0])
        lost = 0.15 * np.maximum(aside - 2.5, 0.0) + 2.0 * np.maximum(course - 0.2, 0.0)
        target = np.maximum(here[:, 3] * factor * np.exp(-lost), np.minimum(here[:, 3], 8.0))
        wanted = ahead[:, 4] * factor**2 + self.tuning.speed_gain * (target - frames["speed"])
        throttle, brake = self.inverse.pedals(wanted, np.maximum(frames["speed"] - target, 0.0), frames)
        slip = frames["slip_ratio"] / self.inverse.peak_slip
        spin = np.maximum(slip[:, 2], slip[:, 3])
        lock = -slip.min(axis=1)
        self._ease[:, 0] = np.clip(self._ease[:, 0] + np.where(spin > 1.0, 0.6 * (1.0 - spin), 0.06), 0.1, 1.0)
        self._ease[:, 1] = np.clip(self._ease[:, 1] + np.where(lock > 1.0, 0.5 * (1.0 - lock), 0.08), 0.3, 1.0)
        use = frames["grip_use"][:, 2:].mean(axis=1)
        throttle = throttle * np.clip(1.0 - 2.5 * (use - self.tuning.easy_use), 0.0, 1.0)
        return throttle * self._ease[:, 0], brake * self._ease[:, 1]

    def _back_out(self, frames: Frames) -> None:
        """Reverses for a moment where a car has stood against something."""
        controls = self._controls
        moving = np.abs(frames["vx"]) > 1.0
        reversing = self._stuck < 0.0
        longer = self._stuck + PERIOD
        self._stuck = np.where(reversing, np.minimum(longer, 0.0), np.where(moving, 0.0, longer))
        self._stuck = np.where(self._stuck > STUCK_AFTER, -2.0, self._stuck)
        back = self._stuck < 0.0
        if back.any():
            controls["gear"][back] = -1
            controls["steer"][back] = -np.sign(controls["steer"][back])
            controls["throttle"][back] = 0.4
            controls["brake"][back] = 0.0
