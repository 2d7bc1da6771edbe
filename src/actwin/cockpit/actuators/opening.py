"""Actuators by how the user names them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from actwin.cockpit.actuators.protocol import NEUTRAL_BRAKE, Actuator
from actwin.errors import ActwinError, ConfigError, SourceError

if TYPE_CHECKING:
    from actwin.telemetry.ac.source import Source


def open_actuator(text: str, source: Source | None = None, *, brake: float = NEUTRAL_BRAKE) -> Actuator:
    """An actuator from how the user names it.

    Args:
        text: `custom_ai` or `custom_ai:FOLDER` (Custom Shaders Patch), `app` or `app:HOST[:PORT]` (the in-game app),
            `vigem` or `vjoy` (virtual controllers of Windows), `uinput` (Linux), `none` to move nothing, `auto` for the
            first of them that works.
        source: Where the telemetry comes from; `custom_ai` looks in the same folder, `app` shares the connection.
        brake: [-] Pedal of the car while nobody drives.

    Raises:
        ConfigError: Not one of these.
        SourceError: It does not answer.
        MissingExtraError: It needs a package that is not installed.
    """
    kind, _, rest = text.strip().partition(":")
    if kind == "auto" and not rest:
        return _first_that_works(source, brake)
    if kind == "custom_ai" and not rest and (folder := getattr(source, "folder", None)):
        text = f"custom_ai:{folder}"
    if kind not in _OPENERS:
        raise ConfigError(
            f"Unknown actuator '{text}'. Give auto, none, {', '.join(k for k in _OPENERS if k != 'none')}."
        )
    return _OPENERS[kind](text.strip(), rest, source, brake)


def _first_that_works(source: Source | None, brake: float) -> Actuator:
    """Nearest to the car first: Custom AI, the app, a virtual controller of this platform."""
    pads = {"win32": ("vigem", "vjoy"), "linux": ("uinput",)}.get(sys.platform, ())
    failures = []
    for text in ("custom_ai", "app", *pads):
        try:
            return open_actuator(text, source, brake=brake)
        except ActwinError as error:
            failures.append(f"{text}: {error}")
    raise SourceError(f"Nothing can move the controls. {' '.join(failures)}")


def _guarded(text: str, rest: str, source: Source | None, brake: float) -> Actuator:
    from actwin.cockpit.actuators.guarded import GuardedActuator

    return GuardedActuator(text, brake)


def _app(text: str, rest: str, source: Source | None, brake: float) -> Actuator:
    from actwin.cockpit.actuators.app import open_app

    return open_app(rest, source)


def _nothing(text: str, rest: str, source: Source | None, brake: float) -> Actuator:
    from actwin.cockpit.actuators.nothing import Nothing

    return Nothing()


_OPENERS: dict[str, Callable[[str, str, Source | None, float], Actuator]] = {
    "custom_ai": _guarded,
    "app": _app,
    "vigem": _guarded,
    "vjoy": _guarded,
    "uinput": _guarded,
    "none": _nothing,
}


def open_unguarded(text: str) -> Actuator:
    """One of the actuators that live in a process of their own, in this process; for that process and for tests.

    Args:
        text: As for `open_actuator`.

    Raises:
        ConfigError: Not one of them.
        SourceError: It does not answer.
        MissingExtraError: It needs a package that is not installed.
    """
    kind, _, rest = text.partition(":")
    if kind == "custom_ai":
        from actwin.cockpit.actuators.custom_ai import CustomAI

        return CustomAI(rest or None)
    if kind == "uinput":
        from actwin.cockpit.actuators.pad import PadActuator
        from actwin.cockpit.actuators.uinput import UinputPad

        return PadActuator("uinput", UinputPad())
    if kind == "vigem":
        from actwin.cockpit.actuators.pad import PadActuator
        from actwin.cockpit.actuators.vigem import VigemPad

        return PadActuator("vigem", VigemPad())
    if kind == "vjoy":
        from actwin.cockpit.actuators.pad import PadActuator
        from actwin.cockpit.actuators.vjoy import VjoyPad

        return PadActuator("vjoy", VjoyPad())
    raise ConfigError(f"'{text}' is not an actuator that needs a process of its own.")
