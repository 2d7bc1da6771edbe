"""A calibration of the controls from the first connection to the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from actwin.cockpit.actuators.opening import open_actuator
from actwin.cockpit.calibration import HOLD, Step, measure_controls
from actwin.cockpit.control_maps import ControlMaps, maps_path
from actwin.telemetry.ac.opening import open_source


class Calibrated(NamedTuple):
    """Curves, and the file that keeps them; None when they were not kept."""

    maps: ControlMaps
    path: Path | None


def calibrate(
    source: str,
    actuator: str,
    *,
    hold: float = HOLD,
    out: Path | None = None,
    keep: bool = True,
    on_control: Callable[[str], None] | None = None,
) -> Calibrated:
    """Connects, measures, keeps the curves and lets go.

    Args:
        source: As for `open_source`.
        actuator: As for `open_actuator`.
        hold: [s] For each step.
        out: File to write; None is the user's file of this car and actuator.
        keep: Whether to write it.
        on_control: Told the name of each control when it has begun.

    Raises:
        SourceError: No game, or a control that does not follow.
    """
    telemetry, begun = open_source(source), set[str]()

    def told(name: str, step: Step) -> None:
        if on_control and name not in begun:
            begun.add(name)
            on_control(name)

    try:
        info = telemetry.connect()
        moved = open_actuator(actuator, telemetry)
        try:
            maps = measure_controls(telemetry, moved, car=info.car, hold=hold, on_step=told)
        finally:
            moved.close()
    finally:
        telemetry.close()
    path = (out or maps_path(info.car, maps.actuator)) if keep else None
    return Calibrated(maps, maps.save(path) if path is not None else None)
