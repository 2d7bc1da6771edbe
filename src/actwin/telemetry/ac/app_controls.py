"""Controls as a client of the in-game app says them."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from actwin.errors import ControlError
from actwin.telemetry.channels import AUTO_GEAR, CONTROLS, Controls

SHIFT_PULSE: Final = 2
SHIFT_PERIOD: Final = 8
"""Messages for which a shift is asked for, and from one request to the next."""


class ControlWriter:
    """Turns CONTROLS into the client's message.

    The plugin of assetto_corsa_gym knows no wanted gear, only shift buttons; both are sent.
    """

    def __init__(self) -> None:
        self._since_shift = SHIFT_PERIOD
        self._shift = 0

    def write(self, controls: Controls, steps: int, gear: int | None) -> tuple[bytes, Controls]:
        """One message.

        Args:
            controls: CONTROLS[1].
            steps: Number of the telemetry message it answers.
            gear: Engaged gear, None when unknown.

        Returns:
            The message, and CONTROLS[1] as it says them.

        Raises:
            ControlError: A value is not finite, or there is more than one row.
        """
        sent = limited(controls)
        row = sent[0]
        clutch, by_hand = float(row["clutch"]), int(row["gear"]) != AUTO_GEAR
        message: dict[str, float] = {
            "steer": _say(-row["steer"]),
            "acc": _say(2.0 * row["throttle"] - 1.0),
            "brake": _say(2.0 * row["brake"] - 1.0),
            "enable_clutch": int(clutch < 1.0),
            "clutch": _say(1.0 - 2.0 * clutch),
            "enable_gear_shift": int(by_hand),
            "shift_up": 0,
            "shift_down": 0,
            "drs": int(row["drs"] > 0.5),
            "server_steps": steps,
        }
        if by_hand:
            message["gear"] = int(row["gear"])
            self._press(int(row["gear"]), gear, message)
        return json.dumps(message).encode("ascii"), sent

    def _press(self, wanted: int, gear: int | None, message: dict[str, float]) -> None:
        self._since_shift += 1
        if self._since_shift >= SHIFT_PERIOD and gear is not None and gear != wanted:
            self._shift, self._since_shift = (1 if wanted > gear else -1), 0
        if self._since_shift < SHIFT_PULSE:
            message["shift_up" if self._shift > 0 else "shift_down"] = 1


def limited(controls: Controls) -> Controls:
    """CONTROLS[1] within the limits of every control.

    Args:
        controls: CONTROLS[1].

    Raises:
        ControlError: A value is not finite, or there is more than one row.
    """
    if len(controls) != 1:
        raise ControlError(f"The in-game app drives one car, but controls for {len(controls)} were given.")
    sent = np.zeros(1, CONTROLS)
    for name, low, high in (("steer", -1, 1), ("throttle", 0, 1), ("brake", 0, 1), ("clutch", 0, 1), ("drs", 0, 1)):
        value = float(controls[name][0])
        if not math.isfinite(value):
            raise ControlError(f"The control '{name}' is {value}, which no car can follow.")
        sent[name] = min(max(value, low), high)
    sent["drs"] = sent["drs"] > 0.5
    sent["gear"] = np.clip(controls["gear"], AUTO_GEAR, 10)
    return sent


def _say(value: Any) -> float:
    """The number with as many digits as single precision has."""
    return float(f"{float(value):.9g}")
