"""Slips of the wheels from the motion of the body, for games that do not tell them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.cockpit.road_position import wheel_places
from actwin.content.car import Car
from actwin.telemetry.channels import Frames
from actwin.twin.params import car_params
from actwin.twin.tyres import TyreParams

SLOWEST: Final = 3.0
"""[m/s] Below it slips refer to this speed instead of their own, which tends to zero."""
RATIO_LIMIT: Final = 3.0
"""[-] Bound of the slip ratio, the twin's own."""

Array = npt.NDArray[np.float64]


class WheelSlip:
    """Slip ratios, slip angles and use of grip of a car's wheels, by the kinematics of a rigid body.

    A wheel at (a, b) of a body with velocity (vx, vy) and yaw rate r moves with (vx - r b, vy + r a); the slip angle is
    that of this velocity to the wheel's plane, the slip ratio (w R - v) / v along it (Pacejka, "Tire and Vehicle
    Dynamics", 3rd ed., ch. 1). Quasi-static: no relaxation length.

    Args:
        car: Its geometry and tyres.
    """

    def __init__(self, car: Car) -> None:
        params = car_params(car)
        self._lock, self._ackermann = params.chassis.lock, params.chassis.ackermann
        self._toe = params.front_axle.toe, params.rear_axle.toe
        self._places = wheel_places(params.chassis, params.front_axle.half_track, params.rear_axle.half_track)
        tyres = (params.front_tyre, params.front_tyre, params.rear_tyre, params.rear_tyre)
        self._radius, self._growth = _each(tyres, "radius"), _each(tyres, "angular_growth")
        self._per_ratio, self._per_tangent = _each(tyres, "per_slip_ratio"), _each(tyres, "per_slip_tangent")

    def angles(self, steer: npt.ArrayLike) -> Array:
        """Angles of the wheels' planes to the body.

        Args:
            steer: [-] [N] Share of the lock, left positive.

        Returns:
            [rad] float64[N, 4].
        """
        angle = np.asarray(steer, np.float64) * self._lock
        spread, (front, rear) = self._ackermann * angle * angle, self._toe
        still = np.zeros_like(angle)
        return np.stack([angle + spread - front, angle - spread + front, still - rear, still + rear], axis=-1)

    def compute(self, frames: Frames) -> tuple[Array, Array, Array]:
        """Slips of the wheels.

        Args:
            frames: FRAME[N] with `vx`, `vy`, `yaw_rate`, `steer`, `wheel_speed`.

        Returns:
            Slip ratio [-], slip angle [rad], and combined slip over the slip of peak force [-], float64[N, 4] each.
        """
        vx, vy, rate = (frames[name].astype(np.float64)[:, None] for name in ("vx", "vy", "yaw_rate"))
        along, across = vx - rate * self._places[:, 1], vy + rate * self._places[:, 0]
        angle = self.angles(frames["steer"])
        forward = along * np.cos(angle) + across * np.sin(angle)
        sideways = across * np.cos(angle) - along * np.sin(angle)
        size = np.maximum(np.abs(forward), SLOWEST)
        spin = frames["wheel_speed"].astype(np.float64)
        rim = spin * (self._radius + self._growth * np.abs(spin))
        ratio = np.clip((rim - forward) / size, -RATIO_LIMIT, RATIO_LIMIT)
        tangent = sideways / size
        use = np.hypot(ratio * self._per_ratio, tangent * self._per_tangent)
        return ratio, np.arctan(tangent), np.minimum(use, 10.0)


def _each(tyres: tuple[TyreParams, ...], field: str) -> Array:
    return np.array([getattr(tyre, field) for tyre in tyres])
