"""Messages of the in-game app as FRAME and GAME.

The names are those of assetto_corsa_gym's plugin, whose world axes are the game's turned round (x is the game's z, y
its x, z its y) while velocities and rates keep the game's axes; `physics.NAME` and `graphics.NAME` are fields of the
shared-memory pages, which only our app sends. A message becomes records of the game, and those become channels at the
one door for units and axes, `actwin.telemetry.ac.frames`. The table of the protocol is in docs/app_protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.ac.codec import Codec, blank
from actwin.telemetry.ac.frames import frames_from_pages
from actwin.telemetry.ac.links import GRAPHICS_FRAME, GRAPHICS_GAME, PHYSICS_FRAME, PHYSICS_GAME, REMOTE_FRAME
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, STATIC
from actwin.telemetry.ac.remote_packets import RT_CAR_INFO
from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS, WHEELS

Records = npt.NDArray[Any]
Message = Mapping[str, Any]
"""Numbers, and sequences of numbers, by name."""

PHYSICS_EXTRAS: Final = tuple(
    name
    for line in (
        "packetId fuel steerAngle accG wheelSlip tyreWear tyreDirtyLevel drs tc carDamage pitLimiterOn abs",
        "kersCharge kersInput autoShifterOn rideHeight turboBoost ballast airDensity airTemp roadTemp",
        "performanceMeter engineBrake drsAvailable brakeTemp clutch tyreTempI tyreTempM tyreTempO isAIControlled",
        "brakeBias",
    )
    for name in line.split()
)
GRAPHICS_EXTRAS: Final = tuple(
    name
    for line in (
        "status session position iBestTime sessionTimeLeft distanceTraveled currentSectorIndex lastSectorTime",
        "normalizedCarPosition flag isInPitLane surfaceGrip windSpeed windDirection",
    )
    for name in line.split()
)
"""Fields of the pages that our app sends besides the plugin's names."""

_XYZ: Final = ("y", "z", "x")
"""The protocol's names of the game's first, second and third world axis."""


def _each(pattern: str, field: str, suffixes: Sequence[str]) -> dict[str, tuple[str, int | None]]:
    return {pattern.format(suffix): (field, part) for part, suffix in enumerate(suffixes)}


def _page(page: str, fields: Sequence[str]) -> dict[str, tuple[str, int | None]]:
    return {f"{page}.{field}": (field, None) for field in fields}


_Table = dict[str, tuple[str, int | None]]
_PHYSICS: Final[_Table] = {
    "accStatus": ("gas", None),
    "brakeStatus": ("brake", None),
    "actualGear": ("gear", None),
    "accelX": ("accG", 0),
    "accelY": ("accG", 2),
    "pitch": ("pitch", None),
    "roll": ("roll", None),
    "numberOfTyresOut": ("numberOfTyresOut", None),
    "cgHeight": ("cgHeight", None),
    "LastFF": ("finalFF", None),
    "tyres_load": ("wheelLoad", None),
    "dynamic_pressure": ("wheelsPressure", None),
    "SuspensionTravel": ("suspensionTravel", None),
    "CamberRad": ("camberRAD", None),
    **_each("local_velocity_{}", "localVelocity", _XYZ),
    **_each("velocity_{}", "velocity", ("x", "y", "z")),
    **_each("angular_velocity_{}", "localAngularVel", ("x", "y", "z")),
    **_each("wheel_speed_{}", "wheelAngularSpeed", WHEELS),
    **_each("{}_tire_temperature_core", "tyreCoreTemperature", WHEELS),
    **_page("physics", PHYSICS_EXTRAS),
}
_GRAPHICS: Final[_Table] = {
    "currentTime": ("iCurrentTime", None),
    "iLastTime": ("iLastTime", None),
    "BestLap": ("iBestTime", None),
    "LapCount": ("completedLaps", None),
    "completedLaps": ("completedLaps", None),
    "NormalizedSplinePosition": ("normalizedCarPosition", None),
    "isInPit": ("isInPit", None),
    "penaltyTime": ("penaltyTime", None),
    **_each("world_position_{}", "carCoordinates", _XYZ),
    **_page("graphics", GRAPHICS_EXTRAS),
}
_REMOTE: Final[_Table] = {
    "speed": ("speed_Ms", None),
    "RPM": ("engineRPM", None),
    "steerAngle": ("steer", None),
    "NdSlip": ("ndSlip", None),
    **_each("SlipAngle_{}", "slipAngle", WHEELS),
    **_each("tyre_slip_ratio_{}", "slipRatio", WHEELS),
}
_TOLD: Final = frozenset({"speed", "rpm", "steer_angle", "slip_angle", "slip_ratio", "grip_use"})
_SLIPS: Final = Codec(RT_CAR_INFO, REMOTE_FRAME.record, [link for link in REMOTE_FRAME.links if link.channel in _TOLD])


class _Writer:
    """Writes what messages say into records of the game.

    Args:
        record: Record type of four-byte fields.
        table: Field and part of it by name in the message.
    """

    def __init__(self, record: np.dtype[Any], table: _Table) -> None:
        self.record = record
        self._blank = blank(record).tobytes()
        self.shapes: dict[str, int] = {}
        self._floats: list[tuple[str, list[int]]] = []
        self._integers: list[tuple[str, list[int]]] = []
        fields: Mapping[str, Any] = record.fields or {}
        for name, (field, part) in table.items():
            kind, offset = fields[field][:2]
            first = offset // 4 + (part or 0)
            length = 1 if part is not None else kind.itemsize // 4
            self.shapes[name] = 0 if part is not None or not kind.shape else length
            columns = self._integers if kind.base.kind == "i" else self._floats
            columns.append((name, list(range(first, first + length))))

    def records(self, messages: Sequence[Message]) -> Records:
        """record[K]; what a message does not say is NaN, or 0 in integer fields."""
        made = np.frombuffer(bytearray(len(messages) * self._blank), self.record)
        size = self.record.itemsize // 4
        floats, integers = (made.view(kind).reshape(-1, size) for kind in ("<f4", "<i4"))
        for row, message in enumerate(messages):
            columns, values = _flat(self._floats, message)
            floats[row, columns] = values
            columns, values = _flat(self._integers, message)
            integers[row, columns] = [_whole(value) for value in values]
        return made


def _flat(table: Sequence[tuple[str, list[int]]], message: Message) -> tuple[list[int], list[float]]:
    """Columns and values of the names that a message has; of two names for one column the later counts."""
    columns: list[int] = []
    values: list[float] = []
    for name, places in table:
        value = message.get(name)
        if value is not None:
            columns += places
            if isinstance(value, tuple):
                values += value
            else:
                values.append(value)
    return columns, values


def _whole(value: float) -> int:
    """The nearest number that an integer field holds."""
    return min(max(round(value), -(2**31)), 2**31 - 1)


_WRITERS: Final = (_Writer(PHYSICS, _PHYSICS), _Writer(GRAPHICS, _GRAPHICS), _Writer(RT_CAR_INFO, _REMOTE))
SHAPES: Final[dict[str, int]] = {
    **dict.fromkeys(("yaw", "LapInvalidated", "steps", "timestamp_ac", "static_serial", "packetId"), 0),
    **{name: length for writer in _WRITERS for name, length in writer.shapes.items()},
}
"""How many numbers each known name holds, 0 for a single one."""


def _missing() -> frozenset[str]:
    told = {"lap_valid", "yaw", "steer"} | _TOLD
    for table, codecs in ((_PHYSICS, (PHYSICS_FRAME, PHYSICS_GAME)), (_GRAPHICS, (GRAPHICS_FRAME, GRAPHICS_GAME))):
        sent = {field for field, _ in table.values()}
        told |= {link.channel for codec in codecs for link in codec.links if link.field in sent}
    return frozenset(channel.name for channel in (*FRAME_CHANNELS, *GAME_CHANNELS) if channel.name not in told)


MISSING: Final = _missing()
"""Channels of FRAME and GAME that our app does not tell; assetto_corsa_gym's own plugin tells fewer."""

REQUIRED: Final = frozenset(
    {"currentTime", "speed", "yaw", *(f"world_position_{axis}" for axis in "xyz"), "NormalizedSplinePosition"}
)
"""What every telemetry message has; one without is something else."""


def frames_from_app(
    messages: Sequence[Message], static: Records | None = None, steer_lock: float = np.nan
) -> tuple[Records, Records]:
    """What messages of the app say.

    Args:
        messages: K of them, as `app_messages.telemetry` returns them: with the names in `REQUIRED`, and known names in
            the shapes of `SHAPES`.
        static: STATIC[1] of the session (`static_from_app`), for the unit of the turbo's boost.
        steer_lock: [rad] Steering-wheel angle at full lock; gives `steer` where the app does not tell it.

    Returns:
        FRAME[K] and GAME[K]; what the messages do not tell is NaN, 0 in integer channels.
    """
    physics, graphics, remote = (writer.records(messages) for writer in _WRITERS)
    physics["heading"] = [-message["yaw"] for message in messages]
    frames, games = frames_from_pages(physics, graphics, np.zeros(1, STATIC) if static is None else static)
    _SLIPS.decode(remote, frames)
    frames["lap_valid"] = [not message.get("LapInvalidated", 0) for message in messages]
    unknown = np.isnan(frames["steer"])
    frames["steer"][unknown] = frames["steer_angle"][unknown] / steer_lock
    return frames, games


def static_from_app(facts: Message) -> Records:
    """STATIC[1] as far as `get_static_info` tells it.

    Args:
        facts: The answer; `static.NAME` are fields of the page.
    """
    static = np.zeros(1, STATIC)
    boost = facts.get("static.maxTurboBoost", 0.0)
    static["maxTurboBoost"] = boost if isinstance(boost, int | float) else 0.0
    return static
