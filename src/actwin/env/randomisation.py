"""What differs from episode to episode: parameters of the car, fuel, tyres, wind, errors of what is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.env.config import RandomisationConfig
from actwin.env.starts import random_unit, random_units
from actwin.jit import kernel
from actwin.twin.layout import field_paths
from actwin.twin.params import CarParams
from actwin.twin.simulator import Simulator

Indices = npt.NDArray[np.int64]

_TYRES: Final = ("front_tyre", "rear_tyre")
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "mass": ("chassis.mass",),
    "grip": tuple(f"{tyre}.{name}" for tyre in _TYRES for name in ("grip_x", "grip_y")),
    "front_grip": ("front_tyre.grip_x", "front_tyre.grip_y"),
    "stiffness": tuple(f"{tyre}.{name}" for tyre in _TYRES for name in ("per_slip_ratio", "per_slip_tangent")),
    "downforce": ("aero.downforce_front", "aero.downforce_rear"),
    "drag": ("aero.drag_area",),
    "power": tuple(path for path in field_paths(CarParams) if path.startswith("engine.hinge.")),
    "brakes": ("brakes.torque_front", "brakes.torque_rear"),
    "front_brakes": ("brakes.torque_front",),
    "steering": ("chassis.lock", "chassis.ackermann"),
}
"""What each spread of `RandomisationConfig` multiplies, by the paths of `CarParams`."""
_PATHS: Final = field_paths(CarParams)
_FIRST_DRAW: Final = 100
"""Random numbers below this one are those of the starts."""


class Randomiser:
    """Gives cars other parameters for each episode.

    The same seed, car and episode give the same parameters, whatever the other cars do.

    Args:
        config: How much.
        simulator: Whose cars.
        eased: Whether a curriculum changes the grip too.
    """

    def __init__(self, config: RandomisationConfig, simulator: Simulator, eased: bool = False) -> None:
        self.config, self._simulator, self._eased = config, simulator, eased
        self._spreads = {name: spread for name in PARAMETERS if (spread := getattr(config, name)) > 0.0}

    def _draw(self, seed: int, rows: Indices, episodes: Indices, number: int) -> npt.NDArray[np.float64]:
        """Numbers in [-1, 1), float64[K]."""
        out = np.empty(len(rows))
        random_units(seed, rows, episodes, _FIRST_DRAW + number, out)
        return 2.0 * out - 1.0

    def vary(self, seed: int, rows: Indices, episodes: Indices, grip: float = 1.0) -> None:
        """Draws the parameters of cars that begin an episode.

        Args:
            seed: Of the run.
            rows: int64[K] Which cars.
            episodes: int64[N] Counter of each car's episodes.
            grip: [-] Factor on the grip of all tyres, beside the drawn one.
        """
        factors: dict[str, npt.NDArray[np.float64]] = {}
        if self._eased:  # also when it has become 1, as the episode before may have had another one
            factors = {path: np.full(len(rows), grip) for path in PARAMETERS["grip"]}
        for number, (name, paths) in enumerate(PARAMETERS.items()):
            if (spread := self._spreads.get(name)) is None:
                continue
            factor = 1.0 + spread * self._draw(seed, rows, episodes, number)
            for path in paths:
                factors[path] = factors.get(path, 1.0) * factor
        if factors:
            self._simulator.vary(rows, factors)

    def start(self, seed: int, rows: Indices, episodes: Indices, fuel: float) -> dict[str, Any]:
        """What cars begin an episode with, beside their place: arguments of `Simulator.reset`, float64[K] each.

        Args:
            seed: Of the run.
            rows: int64[K] Which cars.
            episodes: int64[N] Counter of each car's episodes.
            fuel: [kg] The usual amount.
        """
        config, car = self.config, self._simulator.cars[0]
        drawn: dict[str, Any] = {"fuel": fuel}

        def share(number: int) -> npt.NDArray[np.float64]:
            return 0.5 + 0.5 * self._draw(seed, rows, episodes, len(PARAMETERS) + number)

        if config.fuel > 0.0:
            most = max(fuel, config.fuel * car.chassis.fuel_capacity)
            drawn["fuel"] = fuel + share(0) * (most - fuel)
        if config.cold_tyres > 0.0:
            tyre = car.tyres.front
            middle = 0.5 * (tyre.optimal_temperature_low + tyre.optimal_temperature_high)
            drawn["tyre_temperature"] = middle - share(1) * config.cold_tyres
        if config.worn_tyres > 0.0:
            drawn["tyre_wear"] = share(2) * config.worn_tyres
        if config.wind > 0.0:
            speed, towards = share(3) * config.wind, share(4) * 2.0 * np.pi
            drawn["wind"] = speed * np.cos(towards), speed * np.sin(towards)
        return drawn


@kernel
def add_noise(seed: int, rows: Any, episodes: Any, periods: Any, size: float, observation: Any) -> None:
    """Adds errors of the sensors to observations: normal, independent from number to number and step to step.

    Args:
        seed: Of the run.
        rows: int64[K] Which cars.
        episodes: int64[N] Counter of each car's episodes.
        periods: float32[N] Control periods since each episode began.
        size: [-] Standard deviation, in the scaled units of the observation.
        observation: float32[N, O] Changed.
    """
    for row in rows:
        moment = episodes[row] * 1_000_003 + np.int64(periods[row])
        for column in range(observation.shape[1]):
            total = np.float32(0.0)
            # Twelve uniform numbers have variance one; four, scaled, are as good here and three times as quick.
            for part in range(4):
                total += np.float32(random_unit(seed, row, moment, 1000 + 4 * column + part)) - np.float32(0.5)
            observation[row, column] += np.float32(size) * np.float32(1.7320508) * total
