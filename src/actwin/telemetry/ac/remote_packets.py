"""The packets of Assetto Corsa's UDP remote telemetry as numpy record types.

Kunos' document "ACRemoteTelemetry". There is no type field: a packet is known by its length. Text ends with `%`, and
after it anything may follow.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from actwin.telemetry.ac.pages import record

PORT: Final = 9996
"""UDP port on which the game listens."""

VERSION: Final = 1
ACCEPTED: Final = 4242
"""`identifier` of the response when all is well."""
CAR_INFO_LETTER: Final = ord("a")


class Operation(IntEnum):
    """What a client asks for."""

    HANDSHAKE = 0
    SUBSCRIBE_UPDATE = 1
    SUBSCRIBE_SPOT = 2
    DISMISS = 3


_TYPES: Final[dict[str, Any]] = {
    "int": "<i4",
    "float": "<f4",
    "byte": "u1",
    "chars": ("u1", (2,)),
    "xyz": ("<f4", (3,)),
    "wheels": ("<f4", (4,)),
    "text": ("<u2", (50,)),
}

RT_HANDSHAKER: Final = record("int identifier version operationId", **_TYPES)
"""12 bytes, client to game. `identifier` names the kind of device, 1 is an iPad; the game's reaction to others is not
documented."""

RT_RESPONSE: Final = record("text carName driverName\nint identifier version\ntext trackName trackConfig", **_TYPES)
"""408 bytes, the answer to a handshake."""

RT_CAR_INFO: Final = record(
    """
    chars identifier
    int size
    float speed_Kmh speed_Mph speed_Ms
    byte isAbsEnabled isAbsInAction isTcInAction isTcEnabled isInPit isEngineLimiterOn
    float accG_vertical accG_horizontal accG_frontal
    int lapTime lastLap bestLap lapCount
    float gas brake clutch engineRPM steer
    int gear
    float cgHeight
    wheels wheelAngularSpeed slipAngle slipAngle_ContactPatch slipRatio tyreSlip ndSlip load Dy Mz tyreDirtyLevel
    wheels camberRAD tyreRadius tyreLoadedRadius suspensionHeight
    float carPositionNormalized carSlope
    xyz carCoordinates
    """,
    **_TYPES,
)
"""328 bytes, the stream of a car: times in ms, `steer` in degrees of the wheel, slip angles in degrees."""

RT_LAP: Final = record("int carIdentifierNumber lap\ntext driverName carName\nint time", **_TYPES)
"""212 bytes, after each lap of any car; `time` in ms."""
