"""Columns in another unit, sign or frame are named, brought into SI, and nothing else is found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from driven import drive, sampled

from actwin.telemetry.channels import FRAME, GAME, Frames
from actwin.telemetry.quality.checks import check_recording, scaled
from actwin.telemetry.quality.recording import Recording
from actwin.units import CELSIUS_ZERO, GRAVITY, KMH_PER_MS, MPH_PER_MS, PASCAL_PER_PSI, RPM_PER_RADS

LAP_CLOCKS = ("lap_time", "last_lap_time", "best_lap_time", "last_sector_time")
WHEELS = ("fl", "fr", "rl", "rr")
RADIAN = math.degrees(1.0)

MISTAKES = {
    "speed in km/h": (("speed",), KMH_PER_MS, ("vel",)),
    "speed in mph": (("speed",), MPH_PER_MS, ("vel",)),
    "speed divided twice": (("speed",), 1.0 / KMH_PER_MS, ("vel",)),
    "velocity in km/h": (("vx", "vy"), KMH_PER_MS, ("vx", "vy")),
    "place in km": (("x", "y"), 0.001, ("x", "y")),
    "yaw in degrees": (("yaw",), RADIAN, ("yaw",)),
    "yaw of other sign": (("yaw",), -1.0, ("yaw",)),
    "yaw rate in degrees": (("yaw_rate",), RADIAN, ("yaw_rate",)),
    "yaw rate of other sign": (("yaw_rate",), -1.0, ("yaw_rate",)),
    "yaw rate in degrees, of other sign": (("yaw_rate",), -RADIAN, ("yaw_rate",)),
    "lateral acceleration in g": (("ay",), 1.0 / GRAVITY, ("acceleration_lateral",)),
    "lateral acceleration of other sign": (("ay",), -1.0, ("acceleration_lateral",)),
    "longitudinal acceleration in g": (("ax",), 1.0 / GRAVITY, ("acceleration_longitudinal",)),
    "longitudinal acceleration of other sign": (("ax",), -1.0, ("acceleration_longitudinal",)),
    "steering of other sign": (("steer", "steer_angle"), -1.0, ("steer", "steer_angle")),
    "pedals in per cent": (("throttle", "brake"), 100.0, ("throttle", "brake")),
    "engine speed in rad/s": (("rpm",), 1.0 / RPM_PER_RADS, ("rpm",)),
    "loads in kN": (("load",), 0.001, tuple(f"load_{wheel}" for wheel in WHEELS)),
    "ride heights in mm": (
        ("ride_height_front", "ride_height_rear"),
        1000.0,
        ("ride_height_front", "ride_height_rear"),
    ),
    "lap clocks in ms": (LAP_CLOCKS, 1000.0, LAP_CLOCKS),
}


@pytest.fixture(scope="module")
def driven() -> Frames:
    return drive()


def units(recording: Recording) -> set[str]:
    """Columns named; every finding must be one of a unit."""
    report = check_recording(recording)
    assert set(report.findings_of) <= {"unit"}, [each.words for each in report.findings]
    assert all((each.first, each.last) == (0, len(recording) - 1) for each in report.findings)
    return {each.channel for each in report.findings}


@pytest.mark.parametrize("rate", [5.0, 25.0], ids="{:.0f} Hz".format)
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistaken_unit_is_named_and_undone(driven, mistake, rate) -> None:
    fields, factor, columns = mistake
    right = sampled(driven, rate)
    wrong = right.copy()
    for name in fields:
        wrong.frames[name] *= np.float32(factor)
    assert units(wrong) == set(columns)
    mended = scaled(wrong, list(check_recording(wrong).scales))
    for name in columns:
        assert mended.column(name) == pytest.approx(right.column(name), rel=2e-6, abs=2e-6)


@pytest.mark.parametrize("rate", [5.0, 25.0, 1000.0 / 3.0], ids="{:.0f} Hz".format)
def test_time_in_milliseconds(driven, rate) -> None:
    recording = sampled(driven, rate)
    recording.time[:] *= 1000.0
    assert units(recording) == {"time"}


def test_a_heading_from_another_axis(driven) -> None:
    recording = sampled(driven, 25.0)
    yaw = recording.frames["yaw"].copy()
    recording.frames["yaw"] = (yaw + 1.5 * np.pi) % (2.0 * np.pi) - np.pi
    assert units(recording) == {"yaw"}
    mended = scaled(recording, list(check_recording(recording).scales))
    away = (mended.frames["yaw"] - yaw + np.pi) % (2.0 * np.pi) - np.pi
    assert np.abs(away).max() < 0.03  # as well as the course shows the heading


def test_a_mirrored_world(driven) -> None:
    recording = sampled(driven, 25.0)
    recording.frames["x"], recording.frames["y"] = recording.frames["y"].copy(), recording.frames["x"].copy()
    assert units(recording) == {"x", "y"}


def test_steering_in_degrees_cannot_be_undone(driven) -> None:
    recording = sampled(driven, 25.0)
    recording.frames["steer"] *= 450.0
    report = check_recording(recording)
    assert report.findings_of == {"unit": 1}
    assert math.isnan(report.scales[0].factor)
    assert scaled(recording, list(report.scales)) is recording


def test_several_mistakes_at_once(driven) -> None:
    recording = sampled(driven, 25.0)
    for name, factor in {"speed": KMH_PER_MS, "yaw_rate": -RADIAN, "ay": 1.0 / GRAVITY, "throttle": 100.0}.items():
        recording.frames[name] *= np.float32(factor)
    assert units(recording) == {"vel", "yaw_rate", "acceleration_lateral", "throttle"}


@pytest.mark.parametrize(
    ("channel", "value", "factor", "offset"),
    [
        ("tyre_pressure", 26.0, PASCAL_PER_PSI, 0.0),
        ("tyre_pressure", 180.0, 1e3, 0.0),
        ("tyre_pressure", 1.8, 1e5, 0.0),
        ("air_temperature", 299.0, 1.0, -CELSIUS_ZERO),
        ("tyre_temperature_middle", 350.0, 1.0, -CELSIUS_ZERO),
        ("camber", -3.1, 1.0 / RADIAN, 0.0),
        ("tyre_condition", 98.0, 0.01, 0.0),
    ],
)
def test_what_only_a_game_tells(driven, channel, value, factor, offset) -> None:
    recording = sampled(driven, 25.0)
    game = np.zeros(len(recording), GAME)
    for name in GAME.names:
        if GAME[name].base.kind == "f":
            game[name] = np.nan
    game[channel] = value + 0.01 * np.sin(recording.time).reshape(-1, *[1] * (game[channel].ndim - 1))
    made = Recording(recording.time, recording.frames, game)
    scale = check_recording(made).scales[0]
    assert (scale.factor, scale.offset) == (pytest.approx(factor), pytest.approx(offset))
    columns = {channel} if game[channel].ndim == 1 else {f"{channel}_{wheel}" for wheel in WHEELS}
    assert units(made) == columns


def test_a_parked_car_has_no_units_to_compare() -> None:
    count = 500
    dice = np.random.default_rng(0)
    frames = np.zeros(count, FRAME)
    frames["packet_id"] = 13 * np.arange(count)
    frames["rpm"] = 1500.0 + dice.normal(0.0, 20.0, count)
    for name in ("speed", "vx", "vy", "ax", "ay", "yaw_rate"):
        frames[name] = np.abs(dice.normal(0.0, 0.003, count))
    frames["lap_time"] = 0.039 * np.arange(count)
    assert check_recording(Recording(0.039 * np.arange(count), frames)).findings == ()
