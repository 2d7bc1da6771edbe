"""The car turned around: from wanted turn and acceleration to steering and pedals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actwin.content.car import Car
from actwin.planning.envelope import Envelope
from actwin.telemetry.channels import Frames
from actwin.twin.params import car_params
from actwin.units import GRAVITY

Array = NDArray[np.float64]

STEADIEST: float = 0.9
"""[-] Share of the lateral limit up to which the steady turn's steering is used; nearer, it no longer says much."""
FRONT_SLIP: float = 1.05
"""[-] Greatest slip angle of the front wheels, in slip angles of peak force."""
OVERBRAKE: float = 1.05
"""[-] Braking that the pedal may ask for, over the envelope's; the brakes' slip control trims it."""
RESERVE: float = 0.95
"""[-] Share of the envelope's drive that the throttle asks for ..."""
OVERDRIVE: float = 0.3
"""[m/s²] ... and what it adds, so that full throttle is reached where the engine is the limit."""
ENDS = np.array([0.0, 1.0])


class CarInverse:
    """Controls that give a car a wanted motion, vectorised over N cars.

    Args:
        car: The model.
        envelope: Its envelope, for the steady turn and the limits.
        density: [kg/m³] Air density.

    Attributes:
        peak_slip: [4] Slip ratio of peak force of the wheels.
    """

    def __init__(self, car: Car, envelope: Envelope, density: float) -> None:
        self.car, self.envelope, self.params = car, envelope, car_params(car)
        front, rear = car.tyres.front, car.tyres.rear
        self.peak_slip = np.array([front.peak_slip_ratio] * 2 + [rear.peak_slip_ratio] * 2)
        self._peak_angle = front.peak_slip_angle
        self._drag = 0.5 * density * car.aero.drag_area
        self._downforce = 0.5 * density * car.aero.downforce_area
        self._cornering = rear.stiffness_factor * rear.grip_y / rear.peak_slip_angle
        self._ratios = np.array([0.0, *self.params.drive.ratios[1:], 0.0])
        level = int(np.argmin(np.abs(envelope.pushes)))
        last = int(np.searchsorted(envelope.shares, STEADIEST)) + 1
        self._shares = envelope.shares[:last]
        self._angle = np.maximum.accumulate(envelope.steer[:, :last] * car.steering.lock, axis=1)
        self._slope = (self._angle[:, -1] - self._angle[:, -3]) / (self._shares[-1] - self._shares[-3])
        self._lateral = envelope.lateral[:, level].copy()
        self._forward, self._backward = envelope.forward[:, level].copy(), envelope.backward[:, level].copy()

    def _rows(self, speed: Array) -> tuple[NDArray[np.int64], Array]:
        speeds = self.envelope.speeds
        position = np.clip((speed - speeds[0]) / (speeds[1] - speeds[0]), 0.0, len(speeds) - 1.001)
        row = position.astype(np.int64)
        return row, position - row

    def _table(self, table: Array, axis: Array, speed: Array, share: Array) -> Array:
        row, a = self._rows(speed)
        share = np.clip(share, axis[0], axis[-1])
        column = np.clip(np.searchsorted(axis, share, side="right") - 1, 0, len(axis) - 2)
        b = (share - axis[column]) / (axis[column + 1] - axis[column])
        low = table[row, column] * (1.0 - b) + table[row, column + 1] * b
        high = table[row + 1, column] * (1.0 - b) + table[row + 1, column + 1] * b
        return np.asarray(low * (1.0 - a) + high * a)

    def share(self, speed: Array, ay: Array) -> Array:
        """[-] Lateral acceleration [m/s²] over the greatest at a speed [m/s]."""
        row, a = self._rows(speed)
        limit = self._lateral[row] * (1.0 - a) + self._lateral[row + 1] * a
        return np.asarray(np.abs(ay) / limit)

    def steer(self, speed: Array, ay: Array) -> Array:
        """[rad] Road-wheel angle of the steady turn with a lateral acceleration [m/s²] at a speed [m/s]."""
        share = self.share(speed, ay)
        angle = self._table(self._angle, self._shares, speed, share)
        slope = self._table(self._slope[:, None].repeat(2, 1), ENDS, speed, share)
        beyond = np.clip(share - self._shares[-1], 0.0, 1.0) * slope
        return np.asarray(np.sign(ay) * (angle + beyond))

    def hold_front(self, angle: Array, vx: Array, vy: ArrayLike, yaw_rate: ArrayLike) -> Array:
        """Steering as a share of the lock, with the front wheels' slip angle held to its peak.

        Args:
            angle: [rad] Wanted road-wheel angle.
            vx, vy: [m/s] Velocity, vx positive.
            yaw_rate: [rad/s]
        """
        flow = np.arctan2(np.asarray(vy) + np.asarray(yaw_rate) * self.params.chassis.front_arm, vx)
        most = FRONT_SLIP * self._peak_angle
        return np.asarray(np.clip(np.clip(angle, flow - most, flow + most) / self.car.steering.lock, -1.0, 1.0))

    def lag(self, speed: Array) -> Array:
        """[s] Time constant with which the course follows the body: m v over the tyres' cornering stiffness."""
        mass = self.envelope.mass
        load = mass * GRAVITY + self._downforce * speed**2
        return np.asarray(mass * speed / (self._cornering * load))

    def pedals(self, ax: Array, excess: Array, frames: Frames) -> tuple[Array, Array]:
        """Throttle and brake for a longitudinal acceleration.

        Too fast, the car gives up some of its line for more braking.

        Args:
            excess: [m/s] By how much the car is too fast, not negative.
            ax: [m/s²] Wanted; limited to the envelope at the lateral acceleration of the moment.
            frames: FRAME[N]

        Returns:
            Throttle and brake, each [N] in [0, 1].
        """
        speed, engine = frames["speed"].astype(float), self.car.engine
        share = np.minimum(self.share(speed, frames["ay"].astype(float)), 1.0)
        most = self._table(self._forward, self.envelope.shares, speed, share)
        braking = np.minimum(share, np.clip(1.0 - 0.15 * (excess - 0.2), 0.6, 1.0))
        least = self._table(self._backward, self.envelope.shares, speed, braking)
        ax = np.clip(ax, OVERBRAKE * least, np.where(most > 0.0, RESERVE * most, most) + OVERDRIVE)
        mass = self.car.chassis.mass + frames["fuel"].astype(float)
        front_slip = np.abs(frames["slip_angle"][:, :2]).mean(axis=1)
        chassis = self.car.chassis
        cornering = front_slip * np.abs(frames["ay"]) * chassis.front_share
        resistance = self._drag * speed**2 + mass * (chassis.rolling_resistance * GRAVITY + cornering)
        force = mass * ax + resistance
        ratio = self._ratios[np.clip(frames["gear"], 0, len(self._ratios) - 1)]
        ratio = np.where(ratio > 0.0, ratio, self._ratios[1])
        lever = ratio / self.car.tyres.rear.radius
        rpm = frames["rpm"].astype(float)
        boost = 1.0 - engine.turbo_share * (1.0 - frames["boost"])
        full = np.interp(rpm, engine.rpm, engine.torque) * engine.driveline_efficiency * lever * np.maximum(boost, 0.3)
        coast = engine.coast_torque * np.minimum(rpm / engine.limiter_rpm, 1.2) * lever
        # Speeding up turns wheels and engine as well.
        turning = 4.0 * self.car.tyres.rear.inertia / self.car.tyres.rear.radius**2 + engine.inertia * lever**2
        force = force + np.maximum(ax, 0.0) * turning
        throttle = np.clip((force + coast) / (full + coast), 0.0, 1.0)
        brake = np.clip(-(force + coast) / self.car.brakes.max_force, 0.0, 1.0)
        return np.asarray(throttle), np.asarray(np.where(throttle > 0.0, 0.0, brake))
