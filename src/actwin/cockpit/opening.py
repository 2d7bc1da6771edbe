"""A seat in the game from the words of the user."""

from __future__ import annotations

from actwin.cockpit.actuators.opening import open_actuator
from actwin.cockpit.limits import ControlLimits
from actwin.cockpit.live import RECONNECT, LiveCockpit
from actwin.content.car import Car
from actwin.content.track import Track
from actwin.telemetry.ac.opening import open_source


def open_cockpit(
    source: str,
    actuator: str,
    track: Track | None = None,
    car: Car | None = None,
    period: float = 0.039,
    *,
    limits: ControlLimits | None = None,
    reconnect: float = RECONNECT,
) -> LiveCockpit:
    """A seat in the game, not yet connected.

    Args:
        source: As for `open_source`.
        actuator: As for `open_actuator`.
        track, car, period, limits, reconnect: As for `LiveCockpit`.

    Raises:
        ConfigError: Not a source.
        SourceError: `auto`, and no game answers.
    """
    telemetry = open_source(source)
    return LiveCockpit(
        telemetry,
        lambda: open_actuator(actuator, telemetry),
        track,
        car,
        period,
        limits=limits,
        reconnect=reconnect,
    )
