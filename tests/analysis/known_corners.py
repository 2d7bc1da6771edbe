"""A lap whose every corner point is known in closed form: constant accelerations between given places."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from actwin.analysis.compare import Trace
from actwin.analysis.corner_spans import CornerSpan

LENGTH = 2400.0
TOP = 60.0
BRAKES = -25.0
DRIVE = 8.0
RAMP = 10.0
"""[m] In which a pedal goes from one end to the other."""
SPANS = (
    CornerSpan(1, "Left", "Left", 500.0, 560.0, 620.0, 1),
    CornerSpan(2, "Right", "Right", 1500.0, 1540.0, 1580.0, -1),
)


@dataclass(frozen=True)
class Corner:
    """How one corner is driven: brakes on to the slowest place, holds the speed there, accelerates from `throttle`."""

    span: CornerSpan
    slow: float
    """[m/s]"""
    throttle: float
    """[m] Where the throttle begins to open."""
    brake_shift: float = 0.0
    """[m] Earlier than needed: the lower speed is held for longer."""

    @property
    def release(self) -> float:
        """[m] Where the brakes are off."""
        return self.span.apex - 20.0 - self.brake_shift

    @property
    def brake(self) -> float:
        """[m] Where they bite, from top speed."""
        return self.release - (TOP**2 - self.slow**2) / (-2.0 * BRAKES)


@dataclass(frozen=True)
class KnownLap:
    """A lap of two corners.

    Attributes:
        corners: How they are driven.
    """

    corners: tuple[Corner, ...] = field(
        default_factory=lambda: (Corner(SPANS[0], 20.0, 570.0), Corner(SPANS[1], 30.0, 1550.0))
    )

    @property
    def knots(self) -> tuple[np.ndarray, np.ndarray]:
        """Places [m] and squared speeds [m²/s²] between which the acceleration is constant."""
        places, squares = [0.0], [TOP**2]
        for corner in self.corners:
            reach = corner.throttle + (TOP**2 - corner.slow**2) / (2.0 * DRIVE)
            places += [corner.brake, corner.release, corner.throttle, reach]
            squares += [TOP**2, corner.slow**2, corner.slow**2, TOP**2]
        return np.array([*places, LENGTH]), np.array([*squares, TOP**2])

    def speed(self, s: np.ndarray) -> np.ndarray:
        return np.sqrt(np.interp(s, *self.knots))

    def time(self, s: np.ndarray) -> np.ndarray:
        """[s] Exact: twice the way over the sum of the speeds at both ends of each piece of constant acceleration."""
        places, squares = self.knots
        speeds = np.sqrt(squares)
        whole = np.concatenate(([0.0], np.cumsum(2.0 * np.diff(places) / (speeds[1:] + speeds[:-1]))))
        piece = np.clip(np.searchsorted(places, s, side="right") - 1, 0, len(places) - 2)
        return whole[piece] + 2.0 * (s - places[piece]) / (self.speed(s) + speeds[piece])

    @property
    def lap_time(self) -> float:
        return float(self.time(np.array([LENGTH]))[0])

    def channels(self, s: np.ndarray) -> dict[str, np.ndarray]:
        speed = self.speed(s)
        brake, throttle, bend = np.zeros_like(s), np.ones_like(s), np.zeros_like(s)
        for corner in self.corners:
            span = corner.span
            on = np.interp(
                s, [corner.brake, corner.brake + RAMP, corner.release - RAMP, corner.release], [0, 0.8, 0.8, 0]
            )
            off = [corner.brake - RAMP, corner.brake, corner.throttle, corner.throttle + RAMP]
            throttle = np.minimum(throttle, np.interp(s, off, [1.0, 0.0, 0.0, 1.0]))
            brake = np.maximum(brake, on)
            inside = np.clip((s - span.entry) / (span.exit - span.entry), 0.0, 1.0)
            bend = bend + span.direction * 0.03 * np.sin(np.pi * inside) ** 2
        return {
            "speed": speed, "vx": speed, "brake": brake, "throttle": throttle, "yaw_rate": speed * bend,
            "ay": speed**2 * bend, "steer": 10.0 * bend, "gear": np.clip(np.round(speed / 10.0), 1, 6),
            "border_left": 6.0 - 100.0 * bend, "border_right": 6.0 + 100.0 * bend,
            "lateral_offset": 100.0 * bend,
        }  # fmt: skip

    def trace(self, driver: str = "A", step: float = 1.0) -> Trace:
        """On a common axis."""
        s = np.linspace(0.0, LENGTH, round(LENGTH / step) + 1)
        return Trace(driver, s, self.time(s), self.channels(s))

    def sampled(self, rate: float, driver: str = "A") -> Trace:
        """At a rate [Hz] in time, as it would be recorded, both ends included."""
        fine = np.linspace(0.0, LENGTH, 200_001)
        time = np.arange(0.0, self.lap_time, 1.0 / rate)
        s = np.interp(time, self.time(fine), fine)
        s, time = np.append(s, LENGTH), np.append(time, self.lap_time)
        return Trace(driver, s, time, self.channels(s))

    def without(self, *names: str) -> Trace:
        lap = self.trace()
        return Trace(lap.driver, lap.distance, lap.time, {k: v for k, v in lap.channels.items() if k not in names})
