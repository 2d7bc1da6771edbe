"""A virtual joystick of Windows, by the driver vJoy and its own library. Not proven on Windows."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Final

from actwin.cockpit.actuators.pad import PadState, in_steps
from actwin.errors import SourceError

X, Y, Z = 0x30, 0x31, 0x32
"""HID usages of the axes: steering, throttle, brake."""
LOW, HIGH = 0x1, 0x8000
"""Ends of every axis."""
UP, DOWN, DRS = 1, 2, 3
"""Buttons."""
OWNED, FREE = 0, 1
"""States of a device that can be taken."""
CURE: Final = (
    "Install vJoy with device 1, its axes X, Y and Z and three buttons, and close other feeders; "
    "or drive by custom_ai, app or vigem."
)


def _load() -> Any:
    if sys.platform != "win32":
        raise SourceError("vJoy is a driver of Windows. On Linux drive by custom_ai, app or uinput.")
    folder = Path(os.environ.get("ProgramFiles", r"C:\Program Files")) / "vJoy" / "x64"  # noqa: SIM112 (its own spelling)
    for name in (str(folder / "vJoyInterface.dll"), "vJoyInterface.dll"):
        try:
            return ctypes.WinDLL(name)
        except OSError:
            continue
    raise SourceError(f"vJoy is not installed: there is no vJoyInterface.dll. {CURE}")


class VjoyPad:
    """Steering on X, throttle on Y, brake on Z, shift up and down on buttons 1 and 2, drag reduction on 3.

    Args:
        library: The driver's library to use instead of the installed one.
        device: Number of the virtual joystick.

    Raises:
        SourceError: There is no driver, or its device is taken.
    """

    def __init__(self, library: Any = None, device: int = 1) -> None:
        self._library, self._device = library or _load(), device
        if not self._library.vJoyEnabled():
            raise SourceError(f"The driver vJoy is switched off. {CURE}")
        if self._library.GetVJDStatus(device) not in (OWNED, FREE) or not self._library.AcquireVJD(device):
            raise SourceError(f"Device {device} of vJoy is missing or taken by another program. {CURE}")
        self._open = True

    def write(self, state: PadState) -> PadState:
        """Moves axes and buttons; returns the state in their steps."""
        shares = (0.5 + 0.5 * state.steer, state.throttle, state.brake)
        steps = [in_steps(share, LOW, HIGH) for share in shares]
        for axis, step in zip((X, Y, Z), steps, strict=True):
            if not self._library.SetAxis(step, self._device, axis):
                raise SourceError(f"vJoy refuses to move axis {axis:#x} of device {self._device}. {CURE}")
        for button, held in ((UP, state.up), (DOWN, state.down), (DRS, state.drs)):
            self._library.SetBtn(int(held), self._device, button)
        steer, throttle, brake = ((step - LOW) / (HIGH - LOW) for step in steps)
        return state._replace(steer=2.0 * steer - 1.0, throttle=throttle, brake=brake)

    def close(self) -> None:
        """Gives the device back."""
        if self._open:
            self._open = False
            self._library.RelinquishVJD(self._device)
