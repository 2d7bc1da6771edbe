"""What a game makes of the controls that are sent: measured curves of a car's steering and pedals.

Between a command and the car lie a controller's dead zone, the game's gamma and filters, and its own idea of full lock.
A curve is measured once for each car and actuator (`actwin calibrate-controls`) and kept in the user's folder.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from actwin.errors import ConfigError
from actwin.telemetry.channels import Controls

MAPPED: Final = ("steer", "throttle", "brake")
NEARLY: Final = 0.01
"""[-] Curves that are straight within it need no arithmetic."""
LARGEST_FILE: Final = 100_000
"""[B] A larger file is no control map."""


class Curve(BaseModel):
    """A rising curve, linear between its points."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    command: tuple[float, ...] = Field((-1.0, 1.0), min_length=2, max_length=1000, description="[-] What was sent.")
    reached: tuple[float, ...] = Field((-1.0, 1.0), min_length=2, max_length=1000, description="[-] What the car did.")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.command) != len(self.reached):
            raise ValueError("a curve needs as many commands as values that were reached")
        for values in (self.command, self.reached):
            if not all(a < b for a, b in pairwise(values)):
                raise ValueError("commands, and what they reach, must rise along a curve")
        return self

    @property
    def straight(self) -> bool:
        """Whether commands reach what they say, over their whole range and within a hundredth."""
        ends = {self.command[0], self.command[-1]} <= {-1.0, 0.0, 1.0}
        return ends and all(abs(a - b) < NEARLY for a, b in zip(self.command, self.reached, strict=True))

    def reach(self, command: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """What commands reach."""
        return np.asarray(np.interp(np.asarray(command, np.float64), self.command, self.reached))

    def invert(self, wanted: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Commands that reach what is wanted, or come nearest to it."""
        return np.asarray(np.interp(np.asarray(wanted, np.float64), self.reached, self.command))


PEDAL: Final = Curve(command=(0.0, 1.0), reached=(0.0, 1.0))


class ControlMaps(BaseModel):
    """The curves of one car and actuator, by default straight."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    car: str = Field("", description="As the game names it.")
    actuator: str = Field("", description="What sent the commands.")
    measured: str = Field("", description="When, in ISO 8601.")
    delay: float = Field(0.0, ge=0.0, le=5.0, description="[s] From a command to the first answer of the steering.")
    steer: Curve = Curve()
    throttle: Curve = PEDAL
    brake: Curve = PEDAL

    @property
    def straight(self) -> bool:
        """Whether all of them are straight."""
        return all(getattr(self, name).straight for name in MAPPED)

    def invert(self, wanted: Controls) -> Controls:
        """Commands that give the car these controls.

        Args:
            wanted: CONTROLS[N] as the car should have them.

        Returns:
            CONTROLS[N], a new array.
        """
        commands = wanted.copy()
        for name in MAPPED:
            commands[name] = getattr(self, name).invert(wanted[name])
        return commands

    def reach(self, commands: Controls) -> Controls:
        """Controls that commands give the car.

        Args:
            commands: CONTROLS[N] as sent.

        Returns:
            CONTROLS[N], a new array.
        """
        reached = commands.copy()
        for name in MAPPED:
            reached[name] = getattr(self, name).reach(commands[name])
        return reached

    def save(self, path: Path) -> Path:
        """Writes a JSON file, whole or not at all.

        Args:
            path: Of the file; its folder is made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            json.dump(self.model_dump(), file, indent=1)
        Path(file.name).replace(path)
        return path


def maps_folder() -> Path:
    """Where measured curves are kept: `ACTWIN_CONFIG_DIR`, else the user's folder for settings."""
    if chosen := os.environ.get("ACTWIN_CONFIG_DIR"):
        return Path(chosen) / "controls"
    if local := os.environ.get("LOCALAPPDATA"):
        return Path(local) / "actwin" / "controls"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "actwin" / "controls"


def maps_path(car: str, actuator: str) -> Path:
    """The file of a car and an actuator.

    Args:
        car: As the game names it.
        actuator: Its name; what follows a colon is a place, not a kind.
    """
    kind = actuator.partition(":")[0]
    plain = [re.sub(r"[^a-z0-9_-]+", "_", word.lower()) or "unknown" for word in (kind, car)]
    return maps_folder() / plain[0] / f"{plain[1]}.json"


def load_maps(car: str, actuator: str) -> ControlMaps:
    """The curves measured for a car and an actuator; straight ones when there are none.

    Args:
        car, actuator: As for `maps_path`.

    Raises:
        ConfigError: The file is damaged.
    """
    path = maps_path(car, actuator)
    return read_maps(path) if path.is_file() else ControlMaps(car=car, actuator=actuator)


def read_maps(path: Path) -> ControlMaps:
    """Curves from a file.

    Raises:
        ConfigError: There is none, or it is damaged.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path} is too large for a control map. Measure again: actwin calibrate-controls")
        return ControlMaps.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ConfigError(f"{path} is no control map: {reason}. Measure again: actwin calibrate-controls") from error
