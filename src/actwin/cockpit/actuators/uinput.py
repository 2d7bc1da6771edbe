"""A virtual game controller of Linux, by uinput.

It looks like an Xbox 360 controller, which SDL, and so Proton, knows without a mapping. Not proven with the game.
"""

from __future__ import annotations

from typing import Any, Final

from actwin.cockpit.actuators.pad import STICK, PadState, in_steps
from actwin.errors import MissingExtraError, SourceError

VENDOR, PRODUCT, VERSION, USB = 0x045E, 0x028E, 0x0110, 0x03
TRIGGER: Final = 255
"""Steps of a trigger, as the real controller has."""


def _load() -> Any:
    try:
        import evdev
    except ImportError as error:
        raise MissingExtraError("evdev", "control") from error
    return evdev


class UinputPad:
    """Steering on the left stick, throttle and brake on the right and left trigger, shifts on the shoulder buttons,
    drag reduction on Y.

    Args:
        evdev: Module to use instead of the installed one.

    Raises:
        MissingExtraError: The package evdev is not installed.
        SourceError: The user may not create input devices.
    """

    def __init__(self, evdev: Any = None) -> None:
        library = evdev or _load()
        self._codes = codes = library.ecodes
        stick = library.AbsInfo(value=0, min=-STICK - 1, max=STICK, fuzz=0, flat=0, resolution=0)
        trigger = library.AbsInfo(value=0, min=0, max=TRIGGER, fuzz=0, flat=0, resolution=0)
        hat = library.AbsInfo(value=0, min=-1, max=1, fuzz=0, flat=0, resolution=0)
        sticks = (codes.ABS_X, codes.ABS_Y, codes.ABS_RX, codes.ABS_RY)
        axes = [(code, stick) for code in sticks]
        axes += [(code, trigger) for code in (codes.ABS_Z, codes.ABS_RZ)]
        axes += [(code, hat) for code in (codes.ABS_HAT0X, codes.ABS_HAT0Y)]
        # All buttons of the real controller, so that their numbers in the game are the usual ones.
        buttons = ("A", "B", "X", "Y", "TL", "TR", "SELECT", "START", "MODE", "THUMBL", "THUMBR")
        keys = [getattr(codes, f"BTN_{name}") for name in buttons]
        try:
            self._device: Any = library.UInput(
                {codes.EV_ABS: axes, codes.EV_KEY: keys},
                name="Microsoft X-Box 360 pad",
                vendor=VENDOR,
                product=PRODUCT,
                version=VERSION,
                bustype=USB,
            )
        except (OSError, getattr(library, "UInputError", OSError)) as error:
            raise SourceError(
                f"No virtual controller can be made: {error}. Load the kernel module uinput and allow your user to "
                "write to it (a udev rule, or the group input); or drive by custom_ai or app."
            ) from error

    def write(self, state: PadState) -> PadState:
        """Moves axes and buttons; returns the state in their steps."""
        codes, device = self._codes, self._device
        steer = in_steps(0.5 + 0.5 * state.steer, -STICK, STICK)
        throttle, brake = in_steps(state.throttle, 0, TRIGGER), in_steps(state.brake, 0, TRIGGER)
        device.write(codes.EV_ABS, codes.ABS_X, steer)
        device.write(codes.EV_ABS, codes.ABS_RZ, throttle)
        device.write(codes.EV_ABS, codes.ABS_Z, brake)
        for button, held in ((codes.BTN_TR, state.up), (codes.BTN_TL, state.down), (codes.BTN_Y, state.drs)):
            device.write(codes.EV_KEY, button, int(held))
        device.syn()
        return state._replace(steer=steer / STICK, throttle=throttle / TRIGGER, brake=brake / TRIGGER)

    def close(self) -> None:
        """Unplugs the controller."""
        device, self._device = self._device, None
        if device is not None:
            device.close()
