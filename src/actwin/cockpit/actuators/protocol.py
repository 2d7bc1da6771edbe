"""What every way to move the controls offers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from actwin.errors import ActwinError, ConfigError, SourceError
from actwin.telemetry.channels import CONTROL_CHANNELS, Controls, neutral_controls

if TYPE_CHECKING:
    from actwin.telemetry.ac.source import Source

SILENCE: Final = 0.35
"""[s] Without controls after which a car is left neutral."""
NEUTRAL_BRAKE: Final = 0.4
"""[-] Brake of a car that nobody drives: it comes to a halt without locking its wheels at speed."""


class Pose(NamedTuple):
    """A place to put a car: world position [m] and heading [rad], anticlockwise from x."""

    x: float
    y: float
    z: float
    yaw: float


class Actuator(Protocol):
    """Moves the controls of one car. It is ready when it is made; `close` leaves the car neutral."""

    name: str
    """How `open_actuator` names it."""

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """Moves the controls.

        Args:
            controls: CONTROLS[1]; values beyond their range are cut to it.
            gear: Engaged now, as in FRAME, for actuators that can only shift up and down.

        Returns:
            CONTROLS[1] as really sent; what cannot be moved (a clutch) has the value that it keeps.

        Raises:
            ControlError: A value that is not finite, or another shape; nothing is sent.
            SourceError: The controls cannot be reached any more.
        """
        ...

    def reset(self, pose: Pose | None = None) -> bool:
        """Puts the car somewhere, at rest.

        Args:
            pose: Where; None is where the game puts a car.

        Returns:
            Whether the car was put there: False when this actuator cannot, True for `None` wherever it ended up.
        """
        ...

    def close(self) -> None:
        """Leaves the car neutral and lets go; harmless when done already."""
        ...


_RANGES: Final = tuple((channel.name, channel.low, channel.high) for channel in CONTROL_CHANNELS)


def neutral(brake: float = NEUTRAL_BRAKE) -> Controls:
    """CONTROLS[1] for a car that nobody drives: throttle off, wheels straight.

    Args:
        brake: [-] Pedal, 0 to 1.
    """
    if not 0.0 <= brake <= 1.0:
        raise ConfigError(f"The brake of a car that nobody drives must lie between 0 and 1, not {brake}.")
    controls = neutral_controls(1)
    controls["brake"] = brake
    return controls


def within_range(controls: Controls) -> Controls:
    """A copy of CONTROLS[1] cut to the range of each channel."""
    sent = controls.copy()
    row = sent[0]
    # One row at a time, as plain numbers: a tenth of the time that array functions take.
    for name, low, high in _RANGES:
        row[name] = min(max(row[name].item(), low), high)
    return sent


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
