"""The facts of a session in the static page."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy.typing as npt

from actwin.telemetry.ac.pages import folder_text, printable_text, write_text
from actwin.telemetry.ac.source import GameInfo
from actwin.units import FUEL_DENSITY

Records = npt.NDArray[Any]

SM_VERSION: Final = "1.7"
AC_VERSION: Final = "1.16.4"
"""The version of the game whose pages these are."""


def write_static(info: GameInfo, static: Records) -> None:
    """Writes a session's facts into a static page; fields that `info` does not know keep what they hold.

    Args:
        info: The session.
        static: STATIC[1], written in place.
    """
    row = static[0]
    for field, words in (
        ("smVersion", info.sm_version or SM_VERSION),
        ("acVersion", info.ac_version or AC_VERSION),
        ("carModel", info.car),
        ("track", info.track),
        ("trackConfiguration", info.layout),
        ("playerName", info.driver),
        ("playerNick", info.driver),
    ):
        write_text(row[field], words)
    for field, value in (
        ("maxTorque", info.max_torque),
        ("maxPower", info.max_power),
        ("maxRpm", info.max_rpm),
        ("maxFuel", info.max_fuel / FUEL_DENSITY),
        ("trackSPlineLength", info.track_length),
        ("sectorCount", info.sector_count),
    ):
        if math.isfinite(value):
            row[field] = value


def info_from_static(static: Records, source: str = "memory", steer_lock: float = math.nan) -> GameInfo:
    """The session as the static page tells it.

    Args:
        static: STATIC[1].
        source: Name of who read it.
        steer_lock: [rad] When known from elsewhere.
    """
    row = static[0]
    name = " ".join(part for part in (printable_text(row["playerName"]), printable_text(row["playerSurname"])) if part)
    return GameInfo(
        source=source,
        car=folder_text(row["carModel"]),
        track=folder_text(row["track"]),
        layout=folder_text(row["trackConfiguration"]),
        driver=name or printable_text(row["playerNick"]),
        ac_version=printable_text(row["acVersion"]),
        sm_version=printable_text(row["smVersion"]),
        track_length=float(row["trackSPlineLength"]),
        max_rpm=float(row["maxRpm"]),
        max_fuel=float(row["maxFuel"]) * FUEL_DENSITY,
        max_torque=float(row["maxTorque"]),
        max_power=float(row["maxPower"]),
        sector_count=int(row["sectorCount"]),
        steer_lock=steer_lock,
    )


def clock_text(milliseconds: int) -> str:
    """A time as the game writes it, `m:ss:mmm`; `-:--:---` below zero."""
    if milliseconds < 0:
        return "-:--:---"
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest // 1000:02d}:{rest % 1000:03d}"
