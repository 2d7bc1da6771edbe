"""Sessions as MoTeC logs: what goes out comes back, laps stand where the line was crossed."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from actwin.errors import SessionError
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, GAME, GAME_CHANNELS
from actwin.telemetry.store.imports import import_file
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.motec import read_ld
from actwin.telemetry.store.motec_channels import CHANNELS, NAMES, UNITS, unit_of
from actwin.telemetry.store.motec_export import crossings, export_ld
from actwin.telemetry.store.motec_laps import read_ldx
from actwin.telemetry.store.resampling import resampled
from actwin.telemetry.store.session import Session, write_session

LAP = 40.013
"""[s] Time of every lap of the recording below."""
LENGTH = 2000.0


def recording(tmp_path, period: float = 0.02, seconds: float = 130.0, missing=()) -> Session:
    """A car that goes round; each channel has a smooth course of its own."""
    count = int(seconds / period) + 1
    time = np.arange(count) * period
    frames, game = np.zeros(count, FRAME), np.zeros(count, GAME)
    for number, channel in enumerate((*FRAME_CHANNELS, *GAME_CHANNELS)):
        records = frames if channel in FRAME_CHANNELS else game
        shift = np.arange(4) if channel.wheels else 0.0
        middle, half = (channel.low + channel.high) / 2.0, (channel.high - channel.low) / 8.0
        wave = middle + half * np.sin(0.05 * time + number + np.expand_dims(shift, -1))
        records[channel.name] = np.round(wave.T) if channel.integer else wave.T
    phase = (time + 10.0) / LAP
    frames["lap_count"] = np.floor(phase)
    frames["lap_time"] = (phase % 1.0) * LAP
    frames["lap_progress"] = game["spline_position"] = phase % 1.0
    frames["lap_distance"] = (phase % 1.0) * LENGTH
    frames["last_lap_time"] = np.where(phase >= 1.0, LAP, 0.0)
    frames["yaw"] = np.angle(np.exp(1j * 2.0 * math.pi * phase))
    meta = SessionMeta(
        started=datetime(2026, 11, 21, 9, 30, tzinfo=UTC), source="twin", car="dallara_f317", track="monza",
        driver="expert", missing=missing,
    )  # fmt: skip
    return write_session(tmp_path / "sessions", meta, time, frames, game)


def test_every_channel_comes_back(tmp_path) -> None:
    session = recording(tmp_path)
    files = export_ld(session, tmp_path / "out.ld")
    assert (files.rate, files.channels) == (50, sum(line.written for line in NAMES))
    again = import_file(files.log, tmp_path / "again")
    assert again.meta.missing == ()
    np.testing.assert_allclose(again.time, session.time, atol=1e-9)
    for before, after in ((session.frames, again.frames), (session.game, again.game)):
        for name in before.dtype.names:
            scale = np.abs(before[name]).max() + 1e-9
            np.testing.assert_allclose(after[name] / scale, before[name] / scale, atol=3e-7, err_msg=name)
    assert (again.meta.car, again.meta.track, again.meta.driver) == ("dallara_f317", "monza", "expert")
    assert again.meta.started == session.meta.started
    assert [lap.number for lap in again.meta.laps] == [lap.number for lap in session.meta.laps] == [1, 2, 3]


def test_laps_stand_where_the_line_was_crossed(tmp_path) -> None:
    session = recording(tmp_path)
    expected = [LAP - 10.0, 2.0 * LAP - 10.0, 3.0 * LAP - 10.0]
    np.testing.assert_allclose(crossings(session), expected, atol=1e-4)
    files = export_ld(session, tmp_path / "out.ld")
    np.testing.assert_allclose(read_ldx(files.laps), expected, atol=1e-4)
    assert 'Value="0:40.013"' in files.laps.read_text(encoding="ascii")


@pytest.mark.parametrize(("period", "rate"), [(0.003, 500), (0.039, 50), (0.1, 10), (0.12, 10), (0.2, 5)])
def test_the_rate_follows_the_session(tmp_path, period, rate) -> None:
    session = recording(tmp_path, period, seconds=20.0)
    log = read_ld(export_ld(session, tmp_path / "out.ld").log)
    speed = next(channel for channel in log.channels if channel.name == "Ground Speed")
    assert (speed.rate, len(speed.values)) == (rate, int(session.time[-1] * rate + 1e-6) + 1)


def test_what_is_not_known_is_not_written(tmp_path) -> None:
    session = recording(tmp_path, missing=("fuel", "lap_count", "tyre_pressure"))
    names = {channel.name for channel in read_ld(export_ld(session, tmp_path / "out.ld").log).channels}
    assert "Ground Speed" in names
    assert not {"Fuel Level", "Session Lap Count", "Tire Pressure FL"} & names
    assert read_ldx(tmp_path / "out.ldx") == []


def test_a_session_without_time_is_refused(tmp_path) -> None:
    session = write_session(tmp_path, SessionMeta(), np.zeros(1), np.zeros(1, FRAME))
    with pytest.raises(SessionError, match="stretch of time"):
        export_ld(session, tmp_path / "out.ld")


def test_the_real_recordings_become_logs(shared_data, tmp_path) -> None:
    for path in sorted((shared_data / "telemetry").glob("*.csv")):
        session = import_file(path, tmp_path / "sessions")
        again = import_file(export_ld(session, tmp_path / "out.ld").log, tmp_path / "again")
        assert set(session.meta.missing) == set(again.meta.missing)
        assert again.meta.duration == pytest.approx(session.meta.duration, abs=0.2)


# The table of names


def test_every_name_is_written_once_and_every_channel_has_one() -> None:
    written = [line for line in NAMES if line.written]
    names = [line.name for line in written]
    assert len(names) == len(set(names))
    assert all(len(name) < 32 for name in names)
    assert all(len(line.unit) < 12 for line in written)
    assert {line.channel for line in written} == set(CHANNELS)


def test_every_name_has_a_unit_of_its_channel() -> None:
    for line in NAMES:
        unit = unit_of(line, line.unit)
        assert unit is not None, line
        assert unit.scale != 0.0, line
        assert unit == unit_of(line, ""), line
        assert unit_of(line, "furlong") is None


def test_every_unit_of_a_channel_is_known() -> None:
    assert {channel.unit for channel in CHANNELS.values()} == set(UNITS)


# Resampling


def test_counts_hold_and_numbers_follow() -> None:
    times, values = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 2.0])
    at = np.array([-1.0, 0.0, 0.25, 1.0, 1.5, 2.0, 9.0])
    np.testing.assert_allclose(resampled(times, values, at, "speed"), [1.0, 1.0, 1.5, 3.0, 2.5, 2.0, 2.0])
    np.testing.assert_allclose(resampled(times, values, at, "gear"), [1.0, 1.0, 1.0, 3.0, 3.0, 2.0, 2.0])


def test_jumps_are_not_ramps() -> None:
    times, at = np.array([0.0, 1.0]), np.array([0.5])
    assert resampled(times, np.array([0.98, 0.01]), at, "lap_progress")[0] == 0.98
    assert resampled(times, np.array([3.1, -3.1]), at, "yaw")[0] == 3.1
    assert resampled(times, np.array([1.0, -1.0]), at, "yaw")[0] == 0.0


def test_the_lap_clock_runs_to_the_line_and_begins_anew() -> None:
    times, clock = np.array([10.0, 11.0, 12.0]), np.array([80.0, 0.375, 1.375])
    at = np.array([9.0, 10.0, 10.5, 10.625, 10.75, 11.0, 11.5, 12.0, 13.0])
    found = resampled(times, clock, at, "lap_time")
    np.testing.assert_allclose(found, [80.0, 80.0, 80.5, 0.0, 0.125, 0.375, 0.875, 1.375, 1.375])


def test_holes_are_bridged_and_duplicates_harmless() -> None:
    times, values = np.array([0.0, 1.0, 1.0, 2.0]), np.array([0.0, np.nan, 5.0, 10.0])
    np.testing.assert_allclose(resampled(times, values, np.array([0.5, 1.0, 1.5]), "speed"), [2.5, 5.0, 7.5])
    twice = np.array([0.0, 1.0, 1.0, 2.0])
    assert np.isfinite(resampled(twice, np.arange(4.0), np.linspace(-1.0, 3.0, 50), "speed")).all()
