"""Units and axes: the game's records and ours, both ways."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwin.telemetry.ac.attitude import attitude_from_vectors, vectors_from_attitude
from actwin.telemetry.ac.codec import CHUNK
from actwin.telemetry.ac.custom_ai import CAR
from actwin.telemetry.ac.frames import (
    BLANK_FRAME,
    BLANK_GAME,
    MISSING,
    custom_ai_from_frames,
    frames_from_custom_ai,
    frames_from_pages,
    frames_from_remote,
    pages_from_frames,
    remote_from_frames,
    write_graphics,
    write_physics,
)
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, STATIC, Status, text, write_text
from actwin.telemetry.ac.remote_packets import RT_CAR_INFO
from actwin.telemetry.ac.sample_decoder import SampleDecoder
from actwin.telemetry.ac.session_page import info_from_static, write_static
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, GAME, GAME_CHANNELS, Channel
from actwin.units import FUEL_DENSITY, GRAVITY

LOCK = 4.7
BOOST = 1.38
CHANNELS = (*FRAME_CHANNELS, *GAME_CHANNELS)
INFO = GameInfo(
    source="memory",
    car="ks_audi_r8_lms",
    track="monza",
    layout="junior",
    driver="Ayşe Ö.",
    ac_version="1.16.4",
    sm_version="1.7",
    track_length=5758.66,
    max_rpm=8500.0,
    max_fuel=90.0,
    max_torque=540.0,
    max_power=430e3,
    sector_count=3,
    steer_lock=LOCK,
)

Records = npt.NDArray[Any]


class Way(NamedTuple):
    """There and back through one interface."""

    name: str
    travel: Callable[[Records, Records], tuple[Records, Records]]
    steps: dict[str, float]
    """What a channel is rounded to on the way, where it is."""


def through_pages(frame: Records, game: Records) -> tuple[Records, Records]:
    physics, graphics, static = np.zeros(len(frame), PHYSICS), np.zeros(len(frame), GRAPHICS), np.zeros(1, STATIC)
    static["maxTurboBoost"] = BOOST
    pages_from_frames(frame, game, INFO, physics, graphics, static)
    return frames_from_pages(physics, graphics, static, LOCK)


def through_packets(frame: Records, game: Records) -> tuple[Records, Records]:
    return frames_from_remote(remote_from_frames(frame, game), LOCK)


def through_custom_ai(frame: Records, game: Records) -> tuple[Records, Records]:
    cars = np.zeros(len(frame), CAR)
    custom_ai_from_frames(frame, game, cars, BOOST)
    return frames_from_custom_ai(cars, LOCK, BOOST)


_WORDS = ("current_time_str", "result")
"""Columns of the Imola recording that are no numbers."""
_MS = dict.fromkeys(("lap_time", "last_lap_time", "best_lap_time", "last_sector_time"), 0.5e-3)
WAYS = [
    Way("memory", through_pages, {**_MS, "rpm": 0.5}),
    Way("udp", through_packets, _MS),
    Way("custom_ai", through_custom_ai, _MS),
]
every_way = pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])


def driven(n: int, seed: int) -> tuple[Records, Records]:
    """Any values in the ranges of the table, where two channels say the same with the same value."""
    random = np.random.default_rng(seed)
    frame, game = np.zeros(n, FRAME), np.zeros(n, GAME)
    for records, channels in ((frame, FRAME_CHANNELS), (game, GAME_CHANNELS)):
        for channel in channels:
            low, high = max(channel.low, -1e4), min(channel.high, 1e4)
            shape = records[channel.name].shape
            whole = random.integers(round(low), round(high), shape, endpoint=True)
            records[channel.name] = whole if channel.integer else random.uniform(low, high, shape)
    frame["pitch"] = random.uniform(-1.5, 1.5, n)
    frame["steer_angle"] = frame["steer"] * LOCK
    game["spline_position"] = frame["lap_progress"]
    game["tyre_temperature_middle"] = frame["tyre_surface_temperature"]
    game["status"] = Status.LIVE
    return frame, game


def far(channel: Channel, was: Records, now: Records) -> float:
    """Largest difference; along the circle for angles of the whole one."""
    gap = np.abs(was[channel.name].astype(np.float64) - now[channel.name])
    circle = 2.0 * math.pi if channel.unit == "rad" and channel.high == pytest.approx(math.pi, abs=1e-3) else math.inf
    return float(np.minimum(gap, np.abs(circle - gap)).max())


@every_way
@pytest.mark.parametrize("n", [1, 7, CHUNK, 1100])
def test_there_and_back(way: Way, n: int) -> None:
    frame, game = driven(n, seed=n)
    frame_back, game_back = way.travel(frame, game)
    for was, now, channels in ((frame, frame_back, FRAME_CHANNELS), (game, game_back, GAME_CHANNELS)):
        for channel in channels:
            values = now[channel.name]
            if channel.name in MISSING[way.name]:
                assert (values == 0 if channel.integer else np.isnan(values)).all(), channel.name
                continue
            allowed = way.steps.get(channel.name, 0.0) + 2e-6 * min(max(abs(channel.high), 1.0), 1e4)
            assert far(channel, was, now) <= allowed, channel.name


@every_way
def test_a_batch_says_the_same_as_one_after_the_other(way: Way) -> None:
    frame, game = driven(2 * CHUNK, seed=3)
    together = way.travel(frame, game)
    for k in range(0, 2 * CHUNK, 97):
        alone = way.travel(frame[k : k + 1], game[k : k + 1])
        for one, many in zip(alone, together, strict=True):
            assert one.tobytes() == many[k : k + 1].tobytes()


@pytest.mark.parametrize("lock", [LOCK, math.nan])
@pytest.mark.parametrize("version", ["1.16.4", "1.9"])
def test_sample_by_sample_says_the_same(version: str, lock: float) -> None:
    frame, game = driven(20, seed=6)
    physics, graphics, static = np.zeros(20, PHYSICS), np.zeros(20, GRAPHICS), np.zeros(1, STATIC)
    static["maxTurboBoost"] = BOOST
    pages_from_frames(frame, game, INFO._replace(ac_version=version), physics, graphics, static)
    decoder = SampleDecoder(static, lock)
    for k in range(20):
        part = slice(k, k + 1)
        together = frames_from_pages(physics[part], graphics[part], static, lock)
        for tail in (b"", bytes(100)):
            alone = decoder.decode(physics[part].tobytes() + tail, graphics[part].tobytes() + tail)
            for one, many in zip(alone, together, strict=True):
                assert one.tobytes() == many.tobytes()
                assert one.flags.writeable


def test_what_each_interface_tells() -> None:
    """The place on the road is nobody's; memory tells most; slip comes from the others."""
    road = {"lap_distance", "lateral_offset", "heading_error", "border_left", "border_right", "road_curvature"}
    assert all(road <= missing for missing in MISSING.values())
    names = {channel.name for channel in CHANNELS}
    assert all(missing < names for missing in MISSING.values())
    assert "slip_ratio" in MISSING["memory"]
    assert "slip_ratio" not in MISSING["udp"] | MISSING["custom_ai"]
    assert {"yaw", "packet_id"} <= MISSING["udp"]
    assert len(MISSING["memory"]) < len(MISSING["custom_ai"]) < len(MISSING["udp"])


def turning_left() -> tuple[Records, Records]:
    """A car that goes east at 30 m/s, up a slope, in a left turn of 10 m/s², braking at 5 m/s²."""
    frame, game = np.zeros(1, FRAME), np.zeros(1, GAME)
    frame["vx"] = frame["speed"] = 30.0
    frame["yaw_rate"], frame["ay"], frame["ax"] = 1.0 / 3.0, 10.0, -5.0
    frame["steer"], frame["steer_angle"], frame["roll"], frame["pitch"] = 0.2, 0.94, 0.05, -0.02
    frame["x"], frame["y"], frame["z"] = 100.0, 20.0, 3.0
    frame["gear"], frame["fuel"] = 3, 30.0
    game["status"] = Status.LIVE
    return frame, game


def test_the_games_signs() -> None:
    """As the recordings of the game show them: what grows to the left, to the right, upwards."""
    frame, game = turning_left()
    physics, graphics = np.zeros(1, PHYSICS), np.zeros(1, GRAPHICS)
    write_physics(frame, game, physics)
    write_graphics(frame, game, graphics)
    row = physics[0]
    assert row["steerAngle"] == pytest.approx(-0.2)  # to the right
    assert row["accG"][0] == pytest.approx(10.0 / GRAVITY)  # left
    assert row["accG"][2] == pytest.approx(-5.0 / GRAVITY)
    assert row["localAngularVel"][1] > 0.0
    assert row["roll"] > 0.0
    assert row["pitch"] > 0.0  # nose up
    assert row["speedKmh"] == pytest.approx(108.0)
    assert row["gear"] == 4
    assert row["fuel"] == pytest.approx(30.0 / FUEL_DENSITY)
    assert row["localVelocity"].tolist() == [0.0, 0.0, 30.0]
    assert row["velocity"].tolist() == pytest.approx([0.0, 0.0, 30.0])  # our east is the game's Z
    assert graphics["carCoordinates"][0].tolist() == [20.0, 3.0, 100.0]
    assert remote_from_frames(frame, game)["steer"][0] == pytest.approx(-math.degrees(0.94))


@pytest.mark.parametrize("yaw", [-3.0, -1.0, 0.0, 0.5, 2.0])
def test_heading_belongs_to_velocity(yaw: float) -> None:
    """heading = -atan2(vX, vZ), and the contact patches point along it."""
    frame, game = turning_left()
    frame["yaw"] = yaw
    physics = np.zeros(1, PHYSICS)
    write_physics(frame, game, physics)
    velocity = physics["velocity"][0]
    assert physics["heading"][0] == pytest.approx(-math.atan2(velocity[0], velocity[2]), abs=1e-6)
    assert np.linalg.norm(velocity) * 3.6 == pytest.approx(physics["speedKmh"][0], rel=1e-6)
    assert physics["tyreContactHeading"][0] == pytest.approx(np.tile(velocity / 30.0, (4, 1)), abs=1e-6)


@given(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_attitude_and_vectors_are_inverse(yaw: float, pitch: float, roll: float) -> None:
    angles = [np.array([angle]) for angle in (yaw, pitch, roll)]
    look, up = vectors_from_attitude(*angles)
    assert np.linalg.norm(look) == pytest.approx(1.0)
    assert np.linalg.norm(up) == pytest.approx(1.0)
    assert np.sum(look * up) == pytest.approx(0.0, abs=1e-12)
    assert np.concatenate(attitude_from_vectors(look, up)) == pytest.approx([yaw, pitch, roll], abs=1e-9)


def test_attitude_is_that_of_iso_8855() -> None:
    """Nose down looks down; right side down leans the roof to the right: the game's -X along +Z."""
    look, _ = vectors_from_attitude(np.zeros(1), np.full(1, 0.1), np.zeros(1))
    assert look[0, 1] < 0.0
    _, up = vectors_from_attitude(np.zeros(1), np.zeros(1), np.full(1, 0.1))
    assert up[0, 0] < 0.0


def real_sample() -> Records:
    """A packet of the game that was published: a BMW E30 on the main straight of Monza 1966, in fifth gear."""
    packet = np.zeros(1, RT_CAR_INFO)
    row = packet[0]
    row["identifier"], row["size"] = (ord("a"), 0x7F), 328
    row["speed_Kmh"], row["speed_Mph"], row["speed_Ms"] = 209.451, 130.147, 58.1809
    row["isAbsEnabled"] = row["isTcEnabled"] = 1
    row["accG_vertical"], row["accG_horizontal"], row["accG_frontal"] = 0.02184, -0.01383, 0.09118
    row["lapTime"], row["lastLap"], row["bestLap"], row["lapCount"] = 12, 77288, 77288, 1
    row["gas"], row["clutch"], row["engineRPM"], row["gear"], row["cgHeight"] = 1.0, 1.0, 6832.69, 6, 0.46384
    row["wheelAngularSpeed"] = 176.024, 176.102, 178.879, 178.879
    row["slipAngle"] = 0.1706, -0.2195, 0.2603, -0.2093
    row["slipRatio"] = -0.00051, -0.00046, 0.01539, 0.01521
    row["ndSlip"] = 0.0502, 0.0415, 0.1112, 0.1104
    row["load"] = 2331.22, 2025.21, 3270.30, 2940.89
    row["Dy"] = 1.4937, 1.5227, 1.3917, 1.4065
    row["Mz"] = 7.524, -5.502, 3.490, -4.595
    row["camberRAD"] = -0.07261, -0.07224, -0.05090, -0.05251
    row["tyreRadius"] = 0.3225
    row["tyreLoadedRadius"] = 0.31636, 0.31650, 0.31301, 0.31360
    row["suspensionHeight"] = 0.01436, 0.01525, 0.03273, 0.03290
    row["carPositionNormalized"] = 0.001037
    row["carCoordinates"] = -176.475, -6.580, 102.819
    return packet


def test_a_real_packet_is_a_plausible_car() -> None:
    frame, game = (records[0] for records in frames_from_remote(real_sample()))
    assert frame["speed"] == pytest.approx(209.451 / 3.6, abs=1e-3)
    assert frame["gear"] == 5
    assert (frame["x"], frame["y"], frame["z"]) == pytest.approx((102.819, -176.475, -6.580))
    assert frame["lap_time"] == pytest.approx(0.012)
    assert frame["last_lap_time"] == frame["best_lap_time"] == pytest.approx(77.288)
    assert np.all(np.abs(frame["slip_angle"]) < math.radians(0.3))
    rolling = 0.3305  # [m] which the tyre has grown to at this speed
    assert frame["wheel_speed"][2:] * rolling / frame["speed"] - 1.0 == pytest.approx(frame["slip_ratio"][2:], abs=2e-3)
    assert (frame["clutch"], frame["abs_active"], game["in_pit"]) == (1.0, 0, 0)
    for channels, row in ((FRAME_CHANNELS, frame), (GAME_CHANNELS, game)):
        for channel in channels:
            values = row[channel.name]
            if channel.name not in MISSING["udp"] and channel.name != "steer":
                assert np.all((values >= channel.low) & (values <= channel.high)), channel.name


def test_signs_on_a_real_recording(shared_data: Path) -> None:
    """Shared memory of a lap at Imola: what is decoded obeys the mechanics of a car that drives and turns."""
    path = shared_data / "telemetry" / "ac_imola_shared_memory_8hz.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    column = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name not in _WORDS}
    physics, graphics = np.zeros(len(rows), PHYSICS), np.zeros(len(rows), GRAPHICS)
    physics["speedKmh"], physics["steerAngle"] = column["speed"], column["steer"]
    physics["accG"][:, 0], physics["accG"][:, 2] = column["g_force_y"], column["g_force_x"]
    physics["localAngularVel"][:, 1] = column["yaw_rate"]
    frame, _ = frames_from_pages(physics, graphics, np.zeros(1, STATIC))
    quick = frame["speed"] > 15.0
    turning = (frame["speed"] * frame["yaw_rate"])[quick]
    assert np.corrcoef(turning, frame["ay"][quick])[0, 1] > 0.9
    assert np.polyfit(turning, frame["ay"][quick], 1)[0] == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(frame["steer"][quick], frame["yaw_rate"][quick])[0, 1] > 0.8
    clock = [row["current_time_str"].split(":") for row in rows]
    time = np.array([60.0 * int(m) + int(s) + 1e-3 * int(ms) for m, s, ms in clock])
    step = np.diff(time)
    even = (step > 0.05) & (step < 0.3) & quick[1:]
    gained = np.diff(frame["speed"].astype(np.float64))[even] / step[even]
    pushed = 0.5 * (frame["ax"][1:] + frame["ax"][:-1])[even]
    assert np.polyfit(gained, pushed, 1)[0] == pytest.approx(1.0, abs=0.05)


def test_the_slip_angles_of_the_real_packet_push_where_it_accelerates() -> None:
    """Our sign of slip angles: velocity to the left of the wheel's plane pushes to the right."""
    frame, _ = frames_from_remote(real_sample())
    push = np.sum(-frame["slip_angle"] * frame["load"])
    assert np.sign(push) == np.sign(frame["ay"][0])


def test_other_units_of_speed_agree() -> None:
    frame, game = turning_left()
    packet = remote_from_frames(frame, game)[0]
    assert packet["speed_Kmh"] / packet["speed_Ms"] == pytest.approx(209.451 / 58.1809, rel=1e-5)
    assert packet["speed_Mph"] / packet["speed_Ms"] == pytest.approx(130.147 / 58.1809, rel=1e-5)


def test_session_facts_there_and_back() -> None:
    static = np.zeros(1, STATIC)
    write_static(INFO, static)
    back = info_from_static(static, steer_lock=LOCK)
    assert back._replace(**{name: getattr(INFO, name) for name in ("track_length", "max_fuel")}) == INFO
    assert (back.track_length, back.max_fuel) == pytest.approx((INFO.track_length, INFO.max_fuel), rel=1e-6)
    static["trackSPlineLength"] = 1.0
    write_static(GameInfo(car="x"), static)
    assert static["trackSPlineLength"] == 1.0  # unknown, so left as it was


def test_times_are_written_as_in_the_game() -> None:
    frame, game = turning_left()
    graphics = np.zeros(1, GRAPHICS)
    frame["lap_time"], frame["best_lap_time"] = 83.042, 107.9
    write_graphics(frame, game, graphics)
    row = graphics[0]
    assert [text(row[name]) for name in ("currentTime", "lastTime", "bestTime")] == ["1:23:042", "-:--:---", "1:47:900"]


def test_an_older_game_tells_less() -> None:
    """Before 1.12 there is no velocity in the car's axes: it follows from the world's. Older ones lack the clutch."""
    frame, game = driven(20, seed=9)
    frame["vy"] *= 0.1
    physics, graphics, static = np.zeros(20, PHYSICS), np.zeros(20, GRAPHICS), np.zeros(1, STATIC)
    pages_from_frames(frame, game, INFO._replace(ac_version="1.9"), physics, graphics, static)
    physics["localVelocity"] = physics["clutch"] = physics["tyreTempM"] = 0.0
    for part in (slice(0, 1), slice(0, 20)):
        old_frame, old_game = frames_from_pages(physics[part], graphics[part], static, LOCK)
        assert old_frame["vx"] == pytest.approx(frame["vx"][part], abs=1e-4)
        assert old_frame["vy"] == pytest.approx(frame["vy"][part], abs=1e-4)
        assert np.isnan(old_frame["clutch"]).all()
        assert np.isnan(old_frame["tyre_surface_temperature"]).all()
        assert np.isnan(old_game["vz"]).all()
        assert (old_game["ai_controlled"] == 0).all()
        assert old_frame["throttle"].tolist() == frame["throttle"][part].tolist()


def test_what_is_unknown_becomes_zero_for_other_programs() -> None:
    """A blank FRAME is written without a NaN, which other readers of these interfaces do not expect."""
    physics, graphics, cars = np.zeros(1, PHYSICS), np.zeros(1, GRAPHICS), np.zeros(1, CAR)
    write_physics(BLANK_FRAME, BLANK_GAME, physics)
    write_graphics(BLANK_FRAME, BLANK_GAME, graphics)
    custom_ai_from_frames(BLANK_FRAME, BLANK_GAME, cars)
    packet = remote_from_frames(BLANK_FRAME, BLANK_GAME)
    for records in (physics, graphics, packet, cars, cars["wheels"][0]):
        for name in records.dtype.names or ():
            if records[name].dtype.kind == "f":
                assert np.isfinite(records[name]).all(), name


def any_record(dtype: np.dtype[Any]) -> st.SearchStrategy[Records]:
    return hnp.arrays(np.uint8, st.integers(1, 3).map(lambda n: n * dtype.itemsize)).map(lambda raw: raw.view(dtype))


@settings(max_examples=60)
@given(any_record(PHYSICS), any_record(GRAPHICS), any_record(STATIC))
def test_any_pages_are_decoded(physics: Records, graphics: Records, static: Records) -> None:
    n = min(len(physics), len(graphics))
    frame, game = frames_from_pages(physics[:n], graphics[:n], static[:1])
    again = np.zeros(n, PHYSICS), np.zeros(n, GRAPHICS)
    write_physics(frame, game, again[0])
    write_graphics(frame, game, again[1])
    assert (len(frame), len(game)) == (n, n)
    assert info_from_static(static[:1]).car is not None


@settings(max_examples=60)
@given(any_record(RT_CAR_INFO), any_record(CAR))
def test_any_packets_are_decoded(packets: Records, cars: Records) -> None:
    remote_from_frames(*frames_from_remote(packets))
    custom_ai_from_frames(*frames_from_custom_ai(cars), cars.copy())


@pytest.mark.parametrize("n", [1, 2000])
def test_noise_is_decoded_without_a_word(n: int) -> None:
    random = np.random.default_rng(n)

    def noise(dtype: np.dtype[Any]) -> Records:
        return np.frombuffer(random.bytes(n * dtype.itemsize), dtype)

    pages_from_frames(
        *frames_from_pages(noise(PHYSICS), noise(GRAPHICS), noise(STATIC)[:1]),
        INFO,
        np.zeros(n, PHYSICS),
        np.zeros(n, GRAPHICS),
        np.zeros(1, STATIC),
    )
    remote_from_frames(*frames_from_remote(noise(RT_CAR_INFO)))
    custom_ai_from_frames(*frames_from_custom_ai(noise(CAR)), np.zeros(n, CAR))


def test_texts_of_the_static_page_name_folders() -> None:
    static = np.zeros(1, STATIC)
    write_text(static["carModel"][0], "../../evil\x07")
    assert "/" not in info_from_static(static).car
