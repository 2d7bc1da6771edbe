"""The three shared-memory pages of Assetto Corsa as numpy record types.

Field names, order and meaning are those of the official "AC Shared Memory Documentation"; where recordings of the game
contradict that document (`steerAngle` is a share of the lock, `clutch` is 1 when released, `wheelSlip` is a slip and no
speed), the recordings decide. Little endian, aligned to four bytes at most, text in UTF-16 code units of two bytes on
every platform, so that the same bytes decode on Windows and Linux. Wheels: FL, FR, RL, RR.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError

Bytes = bytes | bytearray | memoryview
"""What a page is decoded from."""

PHYSICS_NAME: Final = "acpmf_physics"
GRAPHICS_NAME: Final = "acpmf_graphics"
STATIC_NAME: Final = "acpmf_static"

PHYSICS_STEP: Final = 0.003
"""[s] One step of the game's physics; `packetId` of the physics page counts them."""

_INT, _FLOAT, _XYZ, _WHEELS = "<i4", "<f4", ("<f4", (3,)), ("<f4", (4,))
_CLOCK, _NAME = ("<u2", (15,)), ("<u2", (33,))


class Status(IntEnum):
    """`status` of the graphics page."""

    OFF = 0
    REPLAY = 1
    LIVE = 2
    PAUSE = 3


class Session(IntEnum):
    """`session` of the graphics page."""

    UNKNOWN = -1
    PRACTICE = 0
    QUALIFY = 1
    RACE = 2
    HOTLAP = 3
    TIME_ATTACK = 4
    DRIFT = 5
    DRAG = 6


class Flag(IntEnum):
    """`flag` of the graphics page."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    BLACK = 3
    WHITE = 4
    CHEQUERED = 5
    PENALTY = 6


def record(fields: str, **types: Any) -> np.dtype[Any]:
    """A record type with C's layout under `#pragma pack(4)`.

    Args:
        fields: Lines of `type name name …`, with a type's name from `types`.
        types: numpy types by name.
    """
    lines = (line.split() for line in fields.splitlines() if line.strip())
    pairs = [(name, types[kind]) for kind, *names in lines for name in names]
    return np.dtype([(name, *kind) if isinstance(kind, tuple) else (name, kind) for name, kind in pairs], align=True)


_TYPES: Final[dict[str, Any]] = {
    "int": _INT,
    "float": _FLOAT,
    "pair": ("<f4", (2,)),
    "five": ("<f4", (5,)),
    "xyz": _XYZ,
    "wheels": _WHEELS,
    "wheels_xyz": ("<f4", (4, 3)),
    "clock": _CLOCK,
    "name": _NAME,
    "short": _CLOCK,
}

PHYSICS: Final = record(
    """
    int packetId
    float gas brake fuel
    int gear rpms
    float steerAngle speedKmh
    xyz velocity accG
    wheels wheelSlip wheelLoad wheelsPressure wheelAngularSpeed tyreWear tyreDirtyLevel tyreCoreTemperature camberRAD
    wheels suspensionTravel
    float drs tc heading pitch roll cgHeight
    five carDamage
    int numberOfTyresOut pitLimiterOn
    float abs kersCharge kersInput
    int autoShifterOn
    pair rideHeight
    float turboBoost ballast airDensity airTemp roadTemp
    xyz localAngularVel
    float finalFF performanceMeter
    int engineBrake ersRecoveryLevel ersPowerLevel ersHeatCharging ersIsCharging
    float kersCurrentKJ
    int drsAvailable drsEnabled
    wheels brakeTemp
    float clutch
    wheels tyreTempI tyreTempM tyreTempO
    int isAIControlled
    wheels_xyz tyreContactPoint tyreContactNormal tyreContactHeading
    float brakeBias
    xyz localVelocity
    """,
    **_TYPES,
)
"""580 bytes, written every physics step: fuel in l, pressures in psi, angles in rad, `accG` in g without gravity."""

GRAPHICS: Final = record(
    """
    int packetId status session
    clock currentTime lastTime bestTime split
    int completedLaps position iCurrentTime iLastTime iBestTime
    float sessionTimeLeft distanceTraveled
    int isInPit currentSectorIndex lastSectorTime numberOfLaps
    name tyreCompound
    float replayTimeMultiplier normalizedCarPosition
    xyz carCoordinates
    float penaltyTime
    int flag idealLineOn isInPitLane
    float surfaceGrip
    int mandatoryPitDone
    float windSpeed windDirection
    """,
    **_TYPES,
)
"""296 bytes, written once a rendered frame: times in ms (`penaltyTime` in s), wind in km/h and degrees."""

_STATIC_FIELDS = """
    clock smVersion acVersion
    int numberOfSessions numCars
    name carModel track playerName playerSurname playerNick
    int sectorCount
    float maxTorque maxPower
    int maxRpm
    float maxFuel
    wheels suspensionMaxTravel tyreRadius
    float maxTurboBoost deprecated_1 deprecated_2
    int penaltiesEnabled
    float aidFuelRate aidTireRate aidMechanicalDamage
    int aidAllowTyreBlankets
    float aidStability
    int aidAutoClutch aidAutoBlip hasDRS hasERS hasKERS
    float kersMaxJ
    int engineBrakeSettingsCount ersPowerControllerCount
    float trackSPlineLength
    {layout} trackConfiguration
    float ersMaxJ
    int isTimedRace hasExtraLap
    name carSkin
    int reversedGridPositions pitWindowStart pitWindowEnd
    """

STATIC: Final = record(_STATIC_FIELDS.format(layout="name"), **_TYPES)
"""684 bytes, written once a session: `maxFuel` in l, `maxTorque` in N m, `trackSPlineLength` in m."""

STATIC_SHORT: Final = record(_STATIC_FIELDS.format(layout="short"), **_TYPES)
"""The static page as some programs write it, with 15 instead of 33 characters for `trackConfiguration`."""

OLDEST: Final = {PHYSICS: 276, GRAPHICS: 276, STATIC: 464, STATIC_SHORT: 464}
"""[B] What each page held before version 1.5 of the game; what a shorter page lacks reads as 0."""

_LARGEST = 65_536
_NOT_IN_NAMES = frozenset('\\/:*?"<>|')

_SINCE: Final[dict[tuple[int, ...], str]] = {
    (1, 5): "turboBoost ballast airDensity isInPitLane surfaceGrip",
    (1, 6): "airTemp roadTemp localAngularVel finalFF",
    (1, 7): "performanceMeter engineBrake ersRecoveryLevel ersPowerLevel ersHeatCharging ersIsCharging kersCurrentKJ"
    " drsAvailable drsEnabled brakeTemp",
    (1, 10): "clutch tyreTempI tyreTempM tyreTempO",
    (1, 10, 2): "isAIControlled",
    (1, 11): "tyreContactPoint tyreContactNormal tyreContactHeading brakeBias",
    (1, 12): "localVelocity",
    (1, 13): "mandatoryPitDone windSpeed windDirection",
}


def version_of(words: str) -> tuple[int, ...]:
    """Numbers of a version such as "1.16.4"; what follows the last number is dropped, () when there is none."""
    numbers: list[int] = []
    for part in words.split("."):
        if not (part.isascii() and part.isdigit()):
            break
        numbers.append(int(part))
    return tuple(numbers)


def absent_fields(ac_version: str) -> frozenset[str]:
    """Fields of the physics and graphics page that this version of the game leaves at 0.

    The versions come from comments in public readers of the pages. An unknown version is taken for a new one.

    Args:
        ac_version: As in `acVersion` of the static page.
    """
    version = version_of(ac_version)
    if not version:
        return frozenset()
    return frozenset(name for since, names in _SINCE.items() if version < since for name in names.split())


def page(data: Bytes, layout: np.dtype[Any]) -> npt.NDArray[Any]:
    """A page out of the bytes of a mapping or file: exact, longer (2048 bytes of a bridge), or an older, shorter one.

    Args:
        data: The bytes.
        layout: `PHYSICS`, `GRAPHICS`, `STATIC` or `STATIC_SHORT`.

    Returns:
        layout[1], a copy that is read-only.

    Raises:
        SourceError: Fewer bytes than the game ever wrote, or far more than anybody writes.
    """
    if not OLDEST[layout] <= len(data) <= _LARGEST:
        raise SourceError(
            f"A shared-memory page of {len(data)} bytes is not Assetto Corsa's, which has {layout.itemsize}. "
            "Close what else writes it and start the session again."
        )
    size = layout.itemsize
    return np.frombuffer(bytes(data[:size]).ljust(size, b"\0"), layout)


def text(field: npt.ArrayLike) -> str:
    """Text of a field: UTF-16 code units up to the first NUL or, as in the UDP handshake, `%`.

    Args:
        field: uint16[n]; broken surrogates become U+FFFD.
    """
    units = np.asarray(field, "<u2")
    ends = np.flatnonzero((units == 0) | (units == ord("%")))
    return units[: ends[0] if len(ends) else len(units)].tobytes().decode("utf-16-le", errors="replace")


def printable_text(field: npt.ArrayLike) -> str:
    """`text` without control characters, for people."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text(field))


def folder_text(field: npt.ArrayLike) -> str:
    """`text` that names a folder; what no folder name may contain becomes `_`, so that it cannot lead elsewhere."""
    words = "".join("_" if letter in _NOT_IN_NAMES else letter for letter in printable_text(field)).strip()
    return words if words.strip(".") else "_" * len(words)


def write_text(field: npt.NDArray[Any], words: str, end: str = "\0") -> None:
    """Writes text into a field, cut to fit with its end, the rest zeros.

    Args:
        field: uint16[n], written in place.
        words: The text.
        end: What follows it: NUL in pages, `%` in the UDP handshake.
    """
    units = np.frombuffer(words.encode("utf-16-le", errors="replace"), "<u2")[: len(field) - 1]
    if len(units) and 0xD800 <= units[-1] < 0xDC00:  # half of a character would be left
        units = units[:-1]
    field[:] = 0
    field[: len(units)] = units
    field[len(units)] = ord(end)


def static_layout(data: Bytes) -> np.dtype[Any]:
    """Which of the two layouts in circulation a static page has.

    `carSkin` is a folder name and lies 36 bytes earlier in the layout with the short `trackConfiguration`.

    Args:
        data: Bytes of the page.

    Returns:
        `STATIC_SHORT` when only that layout shows a folder name, else `STATIC`.
    """
    if _folder_name(page(data, STATIC)["carSkin"][0]):
        return STATIC
    return STATIC_SHORT if _folder_name(page(data, STATIC_SHORT)["carSkin"][0]) else STATIC


def static_page(data: Bytes) -> npt.NDArray[Any]:
    """STATIC[1] from either layout."""
    layout = static_layout(data)
    found = page(data, layout)
    if layout is STATIC:
        return found
    result = np.zeros(1, STATIC)
    for name in layout.names or ():
        value = found[name]
        result[name][..., : value.shape[-1]] = value
    return result


def _folder_name(field: npt.NDArray[Any]) -> bool:
    words = text(field)
    return bool(words) and words.isprintable() and not set(words) & (_NOT_IN_NAMES | {"\ufffd"})
