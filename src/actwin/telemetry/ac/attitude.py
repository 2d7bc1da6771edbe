"""Yaw, pitch and roll from a car's axes in the game's world, and back.

Ours: yaw anticlockwise from x, then pitch with the nose down positive, then roll with the right side down positive
(ISO 8855). Theirs: unit vectors forward and up of the car in X, Y, Z with Y up, which are our y, z, x.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[Any]


def attitude_from_vectors(look: Vectors, up: Vectors) -> tuple[Vectors, Vectors, Vectors]:
    """Angles of cars.

    Args:
        look: float[K, 3] Forward, in the game's world.
        up: float[K, 3] Upward, normal to it.

    Returns:
        [rad] yaw, pitch, roll, each float[K].
    """
    yaw = np.arctan2(look[:, 0], look[:, 2])
    pitch = -np.arctan2(look[:, 1], np.hypot(look[:, 0], look[:, 2]))
    left_rise = up[:, 2] * look[:, 0] - up[:, 0] * look[:, 2]
    return yaw, pitch, np.arctan2(left_rise, up[:, 1])


def vectors_from_attitude(yaw: Vectors, pitch: Vectors, roll: Vectors) -> tuple[Vectors, Vectors]:
    """Axes of cars, the inverse of `attitude_from_vectors`.

    Args:
        yaw, pitch, roll: [rad] float[K].

    Returns:
        look and up, each float[K, 3] in the game's world.
    """
    sy, cy, sp, cp, sr, cr = (f(angle) for angle in (yaw, pitch, roll) for f in (np.sin, np.cos))
    look = np.stack((sy * cp, -sp, cy * cp), axis=1)
    up = np.stack((sy * sp * cr - cy * sr, cp * cr, cy * sp * cr + sy * sr), axis=1)
    return look, up
