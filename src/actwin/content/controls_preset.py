"""The game's control settings for a virtual controller: straight lines, no filters."""

from __future__ import annotations

from typing import Final

PRESET_NAME: Final = "actwin virtual controller.ini"
"""File among the user's saved control settings; it is chosen in the game or in Content Manager."""

VJOY: Final = "4C035200-7051-11EB-8002-444553540000"
"""Product identifier under which public control settings for the game name vJoy's device."""

_STEER: Final = {
    "JOY": 0, "AXLE": 0, "SCALE": 1, "LOCK": 900, "FF_GAIN": 0, "FILTER_FF": 0, "FF_DAMPER": 0,
    "STEER_GAMMA": 1, "STEER_FILTER": 0, "SPEED_SENSITIVITY": 0, "DEBOUNCING_MS": 50,
}  # fmt: skip
_UNUSED: Final = (
    "BALANCEUP", "BALANCEDN", "STARTER", "KERS", "DRS", "ABSUP", "ABSDN", "TCUP", "TCDN", "TURBOUP", "TURBODN",
    "ENGINE_BRAKE_UP", "ENGINE_BRAKE_DN", "MGUK_DELIVERY_UP", "MGUK_DELIVERY_DN", "MGUK_RECOVERY_UP",
    "MGUK_RECOVERY_DN", "MGUH_MODE",
)  # fmt: skip


def controls_preset(device: str = "vJoy Device", identifier: str = VJOY) -> bytes:
    """Control settings that pass on what is sent: no gamma, no filter, no sensitivity to speed.

    Axis 0 steers, axis 1 is the throttle, axis 2 the brake, each from -1 to 1; button 0 shifts up, button 1 down.

    Args:
        device: Name of the controller as the game lists it.
        identifier: Its product identifier.

    Returns:
        The bytes of an INI file with Windows line ends.
    """
    sections: dict[str, dict[str, object]] = {
        "HEADER": {"INPUT_METHOD": "WHEEL"},
        "CONTROLLERS": {"CON0": device, "PGUID0": identifier},
        "STEER": dict(_STEER),
        "THROTTLE": {"JOY": 0, "AXLE": 1, "MIN": -1, "MAX": 1, "GAMMA": 1},
        "BRAKES": {"JOY": 0, "AXLE": 2, "MIN": -1, "MAX": 1, "GAMMA": 1},
        "CLUTCH": {"JOY": -1, "AXLE": -1, "MIN": -1, "MAX": 1},
        "HANDBRAKE": {"JOY": -1, "BUTTON": -1, "AXLE": -1, "MIN": -1, "MAX": 1},
        "GEARUP": {"JOY": 0, "BUTTON": 0},
        "GEARDN": {"JOY": 0, "BUTTON": 1},
        "SHIFTER": {"ACTIVE": 0, "JOY": -1},
        "ADVANCED": {"COMBINE_WITH_KEYBOARD_CONTROL": 0},
    }
    sections |= {name: {"JOY": -1, "BUTTON": -1, "KEY": -1, "XBOXBUTTON": -1} for name in _UNUSED}
    text = "".join(
        f"[{name}]\r\n" + "".join(f"{key}={value}\r\n" for key, value in keys.items()) + "\r\n"
        for name, keys in sections.items()
    )
    return text.encode("ascii")
