"""The door between Assetto Corsa's units and axes and ours: its records become FRAME and GAME, and the other way.

Everything here takes batches, and any bytes: impossible values come out as they are, infinite where they do not fit.
What a source cannot tell is NaN, or 0 in integer channels; `MISSING` names it. The place on the road is never told by
the game in our terms: `actwin.cockpit` works it out from the track. A channel that both records have (the middle tread
temperature, the share of the lap) is written from FRAME.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.ac.attitude import attitude_from_vectors, vectors_from_attitude
from actwin.telemetry.ac.codec import Codec, blank, cells, chunks
from actwin.telemetry.ac.links import (
    CAR_FRAME,
    CAR_GAME,
    FORWARD,
    GRAPHICS_FRAME,
    GRAPHICS_GAME,
    LEFT,
    PAGES_SAMPLE,
    PHYSICS_FRAME,
    PHYSICS_GAME,
    PHYSICS_SAMPLE,
    REMOTE_FRAME,
    REMOTE_GAME,
    UP,
)
from actwin.telemetry.ac.pages import Status, absent_fields, text, write_text
from actwin.telemetry.ac.remote_packets import CAR_INFO_LETTER, RT_CAR_INFO
from actwin.telemetry.ac.session_page import clock_text
from actwin.telemetry.ac.session_page import write_static as write_static
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, FRAME_WIDTH, GAME, GAME_CHANNELS
from actwin.units import KMH_PER_MS, MPH_PER_MS

Records = npt.NDArray[Any]

BLANK_FRAME: Final = blank(FRAME)
"""FRAME[1] that says nothing."""
BLANK_GAME: Final = blank(GAME)
"""GAME[1] that says nothing."""

_BLANK_SAMPLE: Final = np.concatenate((cells(BLANK_FRAME), cells(BLANK_GAME)), axis=1)
_CODECS: Final[dict[str, tuple[Codec, ...]]] = {
    "memory": (PHYSICS_FRAME, PHYSICS_GAME, GRAPHICS_FRAME, GRAPHICS_GAME),
    "udp": (REMOTE_FRAME, REMOTE_GAME),
    "custom_ai": (CAR_FRAME, CAR_GAME),
}
_DERIVED: Final = {
    "memory": {"steer_angle"},
    "udp": {"steer", "status"},
    "custom_ai": {"steer", "yaw", "pitch", "roll", "tyres_out", "status"},
}


def _missing(source: str) -> frozenset[str]:
    told = _DERIVED[source].union(*(codec.channels for codec in _CODECS[source]))
    return frozenset(channel.name for channel in (*FRAME_CHANNELS, *GAME_CHANNELS) if channel.name not in told)


MISSING: Final = {source: _missing(source) for source in _CODECS}
"""Channels of FRAME and GAME that a source does not tell. Of `steer` and `steer_angle` every source tells one; the
other follows when the steering lock is known."""


@np.errstate(over="ignore", invalid="ignore")
def frames_from_pages(
    physics: Records, graphics: Records, static: Records, steer_lock: float = math.nan
) -> tuple[Records, Records]:
    """What the shared-memory pages say.

    Args:
        physics: PHYSICS[K].
        graphics: GRAPHICS[K], the page that was current with each.
        static: STATIC[1] of the session.
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer_angle`.

    Returns:
        FRAME[K] and GAME[K].
    """
    frames, games = _decoded(physics, graphics)
    absent = _absent(static["acVersion"][0].tobytes())
    if absent:
        _forget(absent, (PHYSICS_FRAME, GRAPHICS_FRAME), frames)
        _forget(absent, (PHYSICS_GAME, GRAPHICS_GAME), games)
    if "localVelocity" in absent:
        _local_from_world(physics, frames)
    frames["boost"] *= 1.0 / boost_unit(float(static["maxTurboBoost"][0]))
    if math.isfinite(steer_lock):
        frames["steer_angle"] = frames["steer"] * steer_lock
    return frames, games


def pages_from_frames(
    frame: Records, game: Records, info: GameInfo, physics: Records, graphics: Records, static: Records
) -> None:
    """Writes all three pages; fields that are no channel and follow from none keep what they hold.

    Args:
        frame: FRAME[K].
        game: GAME[K].
        info: The session.
        physics, graphics: PHYSICS[K] and GRAPHICS[K], written in place.
        static: STATIC[1], written in place; its `maxTurboBoost` gives `turboBoost` its unit.
    """
    write_static(info, static)
    write_physics(frame, game, physics, float(static["maxTurboBoost"][0]))
    write_graphics(frame, game, graphics)


@np.errstate(over="ignore", invalid="ignore")
def write_physics(frame: Records, game: Records, physics: Records, max_boost: float = 0.0) -> None:
    """Writes what follows from the channels into physics pages.

    Args:
        frame, game: FRAME[K] and GAME[K].
        physics: PHYSICS[K], written in place.
        max_boost: `maxTurboBoost` of the static page; 0 when there is no turbo.
    """
    for part in chunks(len(frame)):
        ours = np.concatenate((cells(game[part]), cells(frame[part])), axis=1)
        PHYSICS_SAMPLE.encode_cells(ours, cells(physics[part]))
    physics["turboBoost"] *= boost_unit(max_boost)
    _write_velocity(frame, game, physics["velocity"])
    sine, cosine = _finite(np.sin(frame["yaw"])), _finite(np.cos(frame["yaw"]))
    physics["tyreContactNormal"][..., UP] = 1.0
    physics["tyreContactHeading"][..., LEFT] = sine[:, None]
    physics["tyreContactHeading"][..., FORWARD] = cosine[:, None]


@np.errstate(over="ignore", invalid="ignore")
def write_graphics(frame: Records, game: Records, graphics: Records) -> None:
    """Writes what follows from the channels into graphics pages; `packetId` stays the caller's.

    Args:
        frame, game: FRAME[K] and GAME[K].
        graphics: GRAPHICS[K], written in place.
    """
    GRAPHICS_GAME.encode(game, graphics)
    GRAPHICS_FRAME.encode(frame, graphics)
    graphics["replayTimeMultiplier"] = 1.0
    for row in graphics:
        write_text(row["currentTime"], clock_text(int(row["iCurrentTime"])))
        write_text(row["lastTime"], clock_text(int(row["iLastTime"]) or -1))
        write_text(row["bestTime"], clock_text(int(row["iBestTime"]) or -1))
        write_text(row["split"], clock_text(int(row["lastSectorTime"])))


@np.errstate(over="ignore", invalid="ignore")
def frames_from_remote(packets: Records, steer_lock: float = math.nan) -> tuple[Records, Records]:
    """What packets of the UDP remote telemetry say; the game sends them in live sessions only.

    Args:
        packets: RT_CAR_INFO[K].
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer`.

    Returns:
        FRAME[K] and GAME[K].
    """
    frames, games = _blank(len(packets))
    REMOTE_FRAME.decode(packets, frames)
    REMOTE_GAME.decode(packets, games)
    games["status"] = Status.LIVE
    frames["steer"] = frames["steer_angle"] / steer_lock
    return frames, games


@np.errstate(over="ignore", invalid="ignore")
def remote_from_frames(frame: Records, game: Records) -> Records:
    """Packets of the UDP remote telemetry.

    Args:
        frame, game: FRAME[K] and GAME[K].

    Returns:
        RT_CAR_INFO[K]; fields that follow from no channel are 0, as some of them are in the game.
    """
    packets = np.zeros(len(frame), RT_CAR_INFO)
    REMOTE_GAME.encode(game, packets)
    REMOTE_FRAME.encode(frame, packets)
    packets["identifier"][:, 0] = CAR_INFO_LETTER
    packets["size"] = RT_CAR_INFO.itemsize
    packets["speed_Kmh"] = packets["speed_Ms"] * KMH_PER_MS
    packets["speed_Mph"] = packets["speed_Ms"] * MPH_PER_MS
    packets["isAbsEnabled"] = (game["abs_level"] > 0.0) | (frame["abs_active"] > 0)
    packets["isTcEnabled"] = (game["tc_level"] > 0.0) | (frame["tc_active"] > 0)
    return packets


@np.errstate(over="ignore", invalid="ignore")
def frames_from_custom_ai(
    cars: Records, steer_lock: float = math.nan, max_boost: float = 0.0
) -> tuple[Records, Records]:
    """What the data of cars under CSP's Custom AI say.

    Args:
        cars: CAR[K].
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer`.
        max_boost: `maxTurboBoost` of the static page.

    Returns:
        FRAME[K] and GAME[K]. `tyres_out` counts wheels off a valid surface, which CSP tells since 0.1.79.
    """
    frames, games = _blank(len(cars))
    CAR_FRAME.decode(cars, frames)
    CAR_GAME.decode(cars, games)
    games["status"] = Status.LIVE
    frames["boost"] *= 1.0 / boost_unit(max_boost)
    frames["steer"] = frames["steer_angle"] / steer_lock
    frames["yaw"], frames["pitch"], frames["roll"] = attitude_from_vectors(cars["look"], cars["up"])
    bits = cars["wheels_valid_surface"][:, None] >> np.arange(4) & 1
    frames["tyres_out"] = 4 - bits.sum(axis=1)
    return frames, games


@np.errstate(over="ignore", invalid="ignore")
def custom_ai_from_frames(frame: Records, game: Records, cars: Records, max_boost: float = 0.0) -> None:
    """Writes the data of cars under Custom AI; fields that follow from no channel keep what they hold.

    Args:
        frame, game: FRAME[K] and GAME[K].
        cars: CAR[K], written in place.
        max_boost: `maxTurboBoost` of the static page.
    """
    CAR_GAME.encode(game, cars)
    CAR_FRAME.encode(frame, cars)
    cars["turbo"] *= boost_unit(max_boost)
    attitude = (_finite(frame[name]) for name in ("yaw", "pitch", "roll"))
    cars["look"], cars["up"] = vectors_from_attitude(*attitude)
    _write_velocity(frame, game, cars["velocity"])
    farthest_out = np.argsort(-frame["surface"], axis=1, kind="stable")
    out = np.zeros((len(frame), 4), bool)
    np.put_along_axis(out, farthest_out, np.arange(4) < frame["tyres_out"][:, None], axis=1)
    cars["wheels_valid_surface"] = (~out << np.arange(4)).sum(axis=1)


def _blank(n: int) -> tuple[Records, Records]:
    return _repeated(BLANK_FRAME, n), _repeated(BLANK_GAME, n)


def _decoded(physics: Records, graphics: Records) -> tuple[Records, Records]:
    """All that is linear, of both pages at once: for single samples the number of calls is what takes time."""
    n = len(physics)
    frames, games = np.empty((n, FRAME_WIDTH), "<i4"), np.empty((n, GAME.itemsize // 4), "<i4")
    for part in chunks(n):
        raw = np.concatenate((cells(physics[part]), cells(graphics[part])), axis=1)
        ours = np.repeat(_BLANK_SAMPLE, len(raw), axis=0)
        PAGES_SAMPLE.decode_cells(raw, ours)
        frames[part], games[part] = ours[:, :FRAME_WIDTH], ours[:, FRAME_WIDTH:]
    return frames.view(FRAME).reshape(n), games.view(GAME).reshape(n)


def _repeated(record: Records, n: int) -> Records:
    """record[n]; cell by cell, as numpy copies whole records slowly."""
    cells = np.empty((n, record.dtype.itemsize // 4), "<i4")
    cells[:] = record.view("<i4")
    return cells.view(record.dtype).reshape(n)


@lru_cache(maxsize=16)
def _absent(version: bytes) -> frozenset[str]:
    """`absent_fields`, remembered by the bytes of `acVersion`."""
    return absent_fields(text(np.frombuffer(version, "<u2")))


def boost_unit(max_boost: float) -> float:
    """The game's boost for a share of 1."""
    return max_boost if math.isfinite(max_boost) and max_boost > 0.0 else 1.0


def _forget(absent: frozenset[str], codecs: tuple[Codec, ...], records: Records) -> None:
    """Blanks the channels whose fields an older game leaves at 0."""
    for codec in codecs:
        for link in codec.links:
            if link.field in absent:
                source = BLANK_FRAME if records.dtype == FRAME else BLANK_GAME
                records[link.channel] = source[link.channel][0]


def _local_from_world(physics: Records, frames: Records) -> None:
    """Car-frame velocity from the world's, on a level road."""
    sine, cosine = np.sin(frames["yaw"]), np.cos(frames["yaw"])
    east, north = physics["velocity"][:, FORWARD], physics["velocity"][:, LEFT]
    frames["vx"] = east * cosine + north * sine
    frames["vy"] = north * cosine - east * sine


def _write_velocity(frame: Records, game: Records, velocity: Records) -> None:
    """World velocity on a level road, in the game's axes."""
    sine, cosine = np.sin(frame["yaw"]), np.cos(frame["yaw"])
    velocity[:, FORWARD] = _finite(frame["vx"] * cosine - frame["vy"] * sine)
    velocity[:, LEFT] = _finite(frame["vx"] * sine + frame["vy"] * cosine)
    velocity[:, UP] = _finite(game["vz"])


def _finite(values: Records) -> Records:
    return np.where(np.isfinite(values), values, np.float32(0.0))
