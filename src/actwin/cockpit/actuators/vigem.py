"""A virtual Xbox 360 controller of Windows, by the driver ViGEm. Not proven on Windows."""

from __future__ import annotations

from typing import Any, Final

from actwin.cockpit.actuators.pad import STICK, PadState, in_steps
from actwin.errors import MissingExtraError, SourceError

TRIGGER: Final = 255


def _load() -> Any:
    try:
        import vgamepad
    except ImportError as error:
        raise MissingExtraError("vgamepad", "control") from error
    except Exception as error:  # the package connects to its driver when it is imported
        raise _refused(error) from error
    return vgamepad


def _refused(error: Exception) -> SourceError:
    return SourceError(
        f"The driver ViGEm does not answer: {error}. Install ViGEmBus; or drive by custom_ai, app or vjoy."
    )


class VigemPad:
    """Steering on the left stick, throttle and brake on the right and left trigger, shifts on the shoulder buttons,
    drag reduction on Y.

    Args:
        vgamepad: Module to use instead of the installed one.

    Raises:
        MissingExtraError: The package vgamepad is not installed.
        SourceError: The driver does not answer.
    """

    def __init__(self, vgamepad: Any = None) -> None:
        library = vgamepad or _load()
        names = library.XUSB_BUTTON
        self._up, self._down = names.XUSB_GAMEPAD_RIGHT_SHOULDER, names.XUSB_GAMEPAD_LEFT_SHOULDER
        self._drs = names.XUSB_GAMEPAD_Y
        try:
            self._pad: Any = library.VX360Gamepad()
        except Exception as error:  # the package raises plain exceptions
            raise _refused(error) from error

    def write(self, state: PadState) -> PadState:
        """Moves axes and buttons; returns the state in their steps."""
        pad = self._pad
        steer = in_steps(0.5 + 0.5 * state.steer, -STICK, STICK)
        throttle, brake = in_steps(state.throttle, 0, TRIGGER), in_steps(state.brake, 0, TRIGGER)
        pad.left_joystick(x_value=steer, y_value=0)
        pad.right_trigger(value=throttle)
        pad.left_trigger(value=brake)
        for button, held in ((self._up, state.up), (self._down, state.down), (self._drs, state.drs)):
            (pad.press_button if held else pad.release_button)(button=button)
        pad.update()
        return state._replace(steer=steer / STICK, throttle=throttle / TRIGGER, brake=brake / TRIGGER)

    def close(self) -> None:
        """Unplugs the controller, which goes with its last reference."""
        self._pad = None
