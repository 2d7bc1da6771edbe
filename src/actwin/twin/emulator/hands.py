"""From the controls that CSP's Custom AI takes to those of the twin."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from actwin.telemetry.ac.custom_ai import CAR_CONTROLS, TELEPORT_PITS, TELEPORT_POSITION
from actwin.telemetry.ac.links import FORWARD, LEFT
from actwin.telemetry.channels import AUTO_GEAR, Controls, neutral_controls
from actwin.twin.emulator.game import Game

FARTHEST: Final = 1e5
"""[m] Teleports beyond it are ignored."""


class Hands:
    """Who drives one car by CAR_CONTROLS, be it through shared memory or from inside the game.

    Gears and teleports are asked for by bytes that go from 0 to something else; one that is held asks once. A number
    that is not finite counts as 0.

    Attributes:
        controls: CONTROLS[1] of this moment.
    """

    def __init__(self) -> None:
        self.controls: Controls = neutral_controls(1)
        self._before = np.zeros(1, CAR_CONTROLS)[0]
        self._gear = AUTO_GEAR

    def take(self, asked: Any, game: Game, car: int) -> None:
        """Takes what is asked for now.

        Args:
            asked: One record of CAR_CONTROLS.
            game: In which the car drives.
            car: Which.
        """
        self._move(asked, int(game.frames["gear"][car]))
        if self._pressed(asked, "teleport_to"):
            _teleport(asked, game, car)
        self._before = asked.copy()

    def _move(self, asked: Any, gear: int) -> None:
        controls = self.controls
        # CSP steers positive to the right.
        controls["steer"] = -_within(asked["steer"], -1.0)
        controls["throttle"] = _within(asked["gas"])
        controls["brake"] = _within(asked["brake"])
        # Both helpers work the clutch; without them the field does, and a driver who never wrote it has it pressed.
        helped = asked["autoclutch_on_start"] and asked["autoclutch_on_change"]
        controls["clutch"] = 1.0 if helped else _within(asked["clutch"])
        controls["gear"] = self._wanted_gear(asked, gear)
        controls["drs"] = float(asked["drs"] != 0)

    def _wanted_gear(self, asked: Any, gear: int) -> int:
        if asked["autoshift_active"]:
            self._gear = AUTO_GEAR
            return AUTO_GEAR
        if self._gear == AUTO_GEAR:
            self._gear = gear
        if self._pressed(asked, "gear_up"):
            self._gear = gear + 1
        if self._pressed(asked, "gear_dn"):
            self._gear = max(gear - 1, -1)
        return self._gear

    def _pressed(self, asked: Any, name: str) -> bool:
        return bool(asked[name]) and asked[name] != self._before[name]


def _teleport(asked: Any, game: Game, car: int) -> None:
    if asked["teleport_to"] == TELEPORT_PITS:
        game.to_pits(car)
    elif asked["teleport_to"] == TELEPORT_POSITION:
        place, ahead = asked["teleport_pos"], asked["teleport_dir"]
        if np.isfinite(place).all() and np.abs(place).max() < FARTHEST and np.isfinite(ahead).all():
            yaw = math.atan2(float(ahead[LEFT]), float(ahead[FORWARD]))
            game.to_place(float(place[FORWARD]), float(place[LEFT]), yaw, car)


def _within(value: Any, low: float = 0.0) -> float:
    """A control within [low, 1]; 0 when it is not finite."""
    number = float(value)
    return min(max(number, low), 1.0) if math.isfinite(number) else 0.0
