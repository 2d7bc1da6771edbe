"""The game's control settings for virtual controllers: straight lines, no filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FOLDER: Final = ("controllers", "savedsetups")
"""Where the game looks for the user's control settings, below its own settings; one is chosen in the game."""
VJOY: Final = "4C035200-7051-11EB-8002-444553540000"
"""Product identifier under which public control settings for the game name vJoy's device."""

_UNUSED: Final = (
    "BALANCEUP", "BALANCEDN", "STARTER", "KERS", "ABSUP", "ABSDN", "TCUP", "TCDN", "TURBOUP", "TURBODN",
    "ENGINE_BRAKE_UP", "ENGINE_BRAKE_DN", "MGUK_DELIVERY_UP", "MGUK_DELIVERY_DN", "MGUK_RECOVERY_UP",
    "MGUK_RECOVERY_DN", "MGUH_MODE",
)  # fmt: skip
_NOTHING: Final = {"JOY": -1, "BUTTON": -1, "KEY": -1, "XBOXBUTTON": -1}

_Sections = dict[str, Mapping[str, object]]


def controls_presets() -> dict[str, bytes]:
    """Control settings that pass on what is sent, by name of their file.

    Without gamma, filter, dead zone or sensitivity to speed, so that an axis is what the driver meant. The keys are
    those of public control settings; that the game reads the gamepad's this way was not tried.
    """
    return {"actwin vJoy.ini": _text(_joystick()), "actwin gamepad.ini": _text(_gamepad())}


def _joystick() -> _Sections:
    """A vJoy device: axis 0 steers, 1 is the throttle, 2 the brake; buttons 0 and 1 shift up and down, 2 is DRS."""
    pedal = {"JOY": 0, "MIN": -1, "MAX": 1, "GAMMA": 1}
    return {
        "HEADER": {"INPUT_METHOD": "WHEEL"},
        "CONTROLLERS": {"CON0": "vJoy Device", "PGUID0": VJOY},
        "STEER": {
            "JOY": 0, "AXLE": 0, "SCALE": 1, "LOCK": 900, "FF_GAIN": 0, "FILTER_FF": 0, "FF_DAMPER": 0,
            "STEER_GAMMA": 1, "STEER_FILTER": 0, "SPEED_SENSITIVITY": 0, "DEBOUNCING_MS": 50,
        },
        "THROTTLE": {**pedal, "AXLE": 1},
        "BRAKES": {**pedal, "AXLE": 2},
        "GEARUP": {**_NOTHING, "JOY": 0, "BUTTON": 0},
        "GEARDN": {**_NOTHING, "JOY": 0, "BUTTON": 1},
        "DRS": {**_NOTHING, "JOY": 0, "BUTTON": 2},
        **_rest(),
    }  # fmt: skip


def _gamepad() -> _Sections:
    """An Xbox 360 controller: left stick steers, triggers are the pedals, shoulder buttons shift, Y is DRS."""
    return {
        "HEADER": {"INPUT_METHOD": "X360"},
        "X360": {
            "STEER_THUMB": "LEFT", "STEER_GAMMA": 1, "STEER_FILTER": 0, "SPEED_SENSITIVITY": 0,
            "STEER_DEADZONE": 0, "RUMBLE_INTENSITY": 0, "STEER_SPEED": 1,
        },
        "GEARUP": {**_NOTHING, "XBOXBUTTON": "RSHOULDER"},
        "GEARDN": {**_NOTHING, "XBOXBUTTON": "LSHOULDER"},
        "DRS": {**_NOTHING, "XBOXBUTTON": "Y"},
        **_rest(),
    }  # fmt: skip


def _rest() -> _Sections:
    """What nobody moves."""
    return {
        "CLUTCH": {"JOY": -1, "AXLE": -1, "MIN": -1, "MAX": 1},
        "HANDBRAKE": {"JOY": -1, "BUTTON": -1, "AXLE": -1, "MIN": -1, "MAX": 1},
        "SHIFTER": {"ACTIVE": 0, "JOY": -1},
        "ADVANCED": {"COMBINE_WITH_KEYBOARD_CONTROL": 0},
        **dict.fromkeys(_UNUSED, _NOTHING),
    }


def _text(sections: _Sections) -> bytes:
    """The bytes of an INI file with Windows line ends."""
    lines = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{key}={value}" for key, value in keys.items()), ""]
    return "\r\n".join([*lines, ""]).encode("ascii")
