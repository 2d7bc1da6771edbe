"""Laps of recordings with everything that goes wrong in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_drives import LENGTH, SECTORS, Law, Recording, as_the_game_shows, drive, in_single_precision

from actwin.analysis.compare import distance_axis, trace_of
from actwin.analysis.laps import all_laps
from actwin.analysis.way import way_of

LAW = Law()
RATE = 60
SOURCES = {
    "everything": lambda: in_single_precision(drive(LAW, RATE)),
    "the game's pages": lambda: as_the_game_shows(LAW, RATE),
    "lap distance only": lambda: in_single_precision(drive(LAW, RATE)).keep("lap_distance", "speed"),
}
ERROR = {"everything": 1e-3, "the game's pages": 1e-3, "lap distance only": 2e-3}


@pytest.fixture(params=SOURCES)
def source(request) -> str:
    return request.param


@pytest.fixture
def recording(source) -> Recording:
    return SOURCES[source]()


def row_at(recording: Recording, seconds: float) -> int:
    return int(np.searchsorted(recording.time, recording.time[0] + seconds))


def times(recording: Recording) -> dict[int, float]:
    return {lap.number: lap.time for lap in recording.laps() if lap.valid}


def assert_known(found: dict[int, float], numbers: list[int], error: float) -> None:
    assert sorted(found) == numbers
    for number, time in found.items():
        assert time == pytest.approx(LAW.lap_time(number - 1), abs=error)


def test_a_pause_that_was_recorded_takes_no_time(recording, source) -> None:
    middle, rows = row_at(recording, 75.0), np.arange(len(recording.time))
    order = np.concatenate([rows[:middle], np.full(20 * RATE, middle), rows[middle:]])
    stand = recording.time[middle] + np.arange(20 * RATE) / RATE
    time = np.concatenate([recording.time[:middle], stand, recording.time[middle:] + 20.0])
    paused = replace(recording.rows(order), time=time)
    assert_known(times(paused), [1, 2, 3], ERROR[source])
    lap = paused.laps()[2]
    assert lap.end - lap.begin == pytest.approx(lap.time + 20.0, abs=0.05), "the session's clock went on"
    columns = paused.columns
    trace = trace_of(columns, way_of(columns, length=LENGTH), lap, distance_axis(LENGTH))
    assert np.abs(trace.time - (LAW.time(LENGTH + trace.distance) - LAW.time(LENGTH))).max() < 0.01


def test_a_pause_in_which_nothing_was_recorded_takes_no_time(recording, source) -> None:
    middle = row_at(recording, 75.0)
    rows = np.arange(len(recording.time))
    paused = recording.rows(rows[:middle]).then(recording.rows(rows[middle:]), 600.0)
    assert_known(times(paused), [1, 2, 3], max(ERROR[source], 0.02 if source == "lap distance only" else 0.0))


def test_lost_rows_within_a_lap_change_nothing(recording, source) -> None:
    middle, rows = row_at(recording, 75.0), np.arange(len(recording.time))
    assert_known(times(recording.rows(np.delete(rows, slice(middle, middle + 2 * RATE)))), [1, 2, 3], ERROR[source])


def test_rows_that_are_lost_over_the_line(source, recording) -> None:
    line = row_at(recording, float(LAW.time(LENGTH) - LAW.time(-137.0)))
    laps = recording.rows(np.delete(np.arange(len(recording.time)), slice(line - RATE, line + RATE))).laps()
    if source == "lap distance only":
        assert [lap.reason for lap in laps] == ["incomplete", "gap", "gap", "", "incomplete"]
    else:
        assert_known({lap.number: lap.time for lap in laps if lap.valid}, [1, 2, 3], ERROR[source])


@pytest.mark.parametrize("seconds", [1.5, 6.0])
def test_a_long_gap_over_the_line_is_bridged_by_the_lap_clock(seconds) -> None:
    """The clock of the first row after the gap tells when the lap began, to its step of 3 ms."""
    recording = as_the_game_shows(LAW, RATE).without("last_lap_time", "lap_count")
    line = row_at(recording, float(LAW.time(LENGTH) - LAW.time(-137.0)))
    lost = slice(line - round(0.8 * seconds * RATE), line + round(0.2 * seconds * RATE))
    laps = recording.rows(np.delete(np.arange(len(recording.time)), lost)).laps()
    assert_known({lap.number: lap.time for lap in laps if lap.valid}, [1, 2, 3], 6e-3)
    assert {lap.clock for lap in laps[1:4]} == {"clock"}


def test_a_gap_in_which_anything_may_have_happened_cuts_the_lap(recording) -> None:
    middle, rows = row_at(recording, 75.0), np.arange(len(recording.time))
    laps = recording.rows(np.delete(rows, slice(middle, middle + 15 * RATE))).laps()
    reasons = [lap.reason for lap in laps]
    assert reasons in (
        ["incomplete", "", "gap", "incomplete", "", "incomplete"],
        ["incomplete", "", "", "", "incomplete"],
    )


def test_a_lap_cut_in_two_by_a_restart(recording, source) -> None:
    rows = np.arange(len(recording.time))
    again = recording.rows(rows[: row_at(recording, 75.0)]).then(recording, 1.0 / RATE)
    laps = again.laps()
    assert [lap.kind for lap in laps] == [
        "partial",
        "flying",
        "partial",
        "partial",
        "flying",
        "flying",
        "flying",
        "partial",
    ]
    assert [lap.number for lap in laps] == list(range(8))
    assert laps[2].reason == "reset"
    assert [lap.stint for lap in laps] == [1, 1, 1, 2, 2, 2, 2, 2]
    for lap, line in ((laps[1], 0), (laps[4], 0), (laps[5], 1), (laps[6], 2)):
        assert lap.time == pytest.approx(LAW.lap_time(line), abs=ERROR[source])


def test_a_teleport_ends_the_lap(recording) -> None:
    rows = np.arange(len(recording.time))
    away = recording.rows(np.delete(rows, slice(row_at(recording, 75.0), row_at(recording, 85.0))))
    step = np.diff(away.time)
    closed = replace(away, time=away.time[0] + np.concatenate([[0.0], np.cumsum(np.minimum(step, 1.0 / RATE))]))
    assert [lap.reason for lap in closed.laps() if not lap.valid] == ["incomplete", "reset", "incomplete", "incomplete"]


def test_stamps_that_repeat_fall_or_are_not_numbers(recording, source) -> None:
    time, odd = recording.time.copy(), np.arange(len(recording.time)) % 50
    time[odd == 7] -= 1.0
    time[odd == 17] = np.nan
    time[odd == 27] = time[np.flatnonzero(odd == 27) - 1]
    assert_known(times(replace(recording, time=time)), [1, 2, 3], max(ERROR[source], 2e-3))


def test_a_spin_that_rolls_back_over_the_line_counts_it_once() -> None:
    """Over the line, 30 m back behind it, and on: the lap began when the line was crossed first."""
    pieces = ((-400.0, 20.0, 800), (20.0, -30.0, 400), (-30.0, 6300.0, 11_000))
    way = np.concatenate([np.linspace(*piece) for piece in pieces])
    time = np.arange(len(way)) / 100.0
    columns = Recording(time, {"lap_distance": np.mod(way, LENGTH), "speed": np.abs(np.gradient(way, time))})
    laps = columns.laps()
    assert [lap.kind for lap in laps] == ["partial", "flying", "flying", "partial"]
    assert laps[1].begin == pytest.approx(400.0 / 420.0 * 7.99, abs=1e-2)


def test_driving_the_wrong_way_round_makes_no_lap(recording) -> None:
    turned = {name: values[::-1].copy() for name, values in recording.channels.items()}
    turned |= {name: np.zeros(len(recording.time)) for name in ("lap_time",) if name in turned}
    turned |= {name: np.zeros(len(recording.time), np.int32) for name in ("lap_count",) if name in turned}
    laps = Recording(recording.time, turned).laps()
    assert not [lap for lap in laps if lap.whole]


def test_a_pit_stop_makes_an_in_lap_and_an_out_lap() -> None:
    recording = in_single_precision(drive(LAW, RATE))
    seconds = recording.time - recording.time[0] + float(LAW.time(-137.0))
    lane = (seconds > LAW.time(2 * LENGTH) - 6.0) & (seconds < LAW.time(2 * LENGTH) + 9.0)
    laps = recording.changed(in_pit_lane=lane.astype(np.int32)).laps()
    assert [lap.kind for lap in laps] == ["partial", "flying", "in", "out", "partial"]
    assert [lap.reason for lap in laps] == ["incomplete", "", "pit", "pit", "incomplete"]
    assert [lap.stint for lap in laps] == [1, 1, 1, 2, 2]
    assert laps[2].time == pytest.approx(LAW.lap_time(1), abs=1e-3), "timed all the same"


def test_the_reason_why_a_lap_does_not_count() -> None:
    recording = in_single_precision(drive(LAW, RATE))
    cut = recording.channels["lap_valid"].copy()
    cut[row_at(recording, 75.0)] = 0
    judged = recording.without("last_lap_valid").changed(lap_valid=cut).laps()
    assert [lap.reason for lap in judged][1:4] == ["", "track limits", ""]
    wheels = np.zeros(len(recording.time), np.int32)
    wheels[row_at(recording, 75.0)] = 3
    seen = recording.without("last_lap_valid", "lap_valid").changed(tyres_out=wheels).laps()
    assert [lap.reason for lap in seen][1:4] == ["", "track limits", ""]


def test_a_standing_start_before_the_line() -> None:
    recording = drive(LAW, RATE)
    told = recording.channels
    # Until the second time over the line the clock counts from the start.
    start = recording.time - recording.time[0]
    clock = np.where(start < LAW.time(LENGTH) - LAW.time(-137.0), start, told["lap_time"])
    count = np.where(start < LAW.time(LENGTH) - LAW.time(-137.0), 0, told["lap_count"]).astype(np.int32)
    laps = recording.changed(lap_time=clock, lap_count=count).without("last_lap_time", "last_sector_time").laps()
    assert [(lap.number, lap.kind) for lap in laps][:2] == [(1, "standing"), (2, "flying")]
    assert laps[0].time == pytest.approx(LAW.time(LENGTH) - LAW.time(-137.0), abs=1e-3)
    assert laps[0].valid


def test_nothing_and_next_to_nothing() -> None:
    for recording in (
        drive(LAW, RATE).rows(np.arange(0)),
        drive(LAW, RATE).rows(np.arange(1)),
        drive(LAW, RATE).keep("gear"),
    ):
        assert recording.laps() == []
    nowhere = drive(LAW, RATE).keep("lap_distance", "speed")
    assert nowhere.changed(lap_distance=np.full(len(nowhere.time), np.nan)).laps() == []


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_rows_are_missing_known_laps_stay_known(data) -> None:
    recording = as_the_game_shows(LAW, RATE)
    rows = np.arange(len(recording.time))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(rows) - 2))
        rows = np.delete(rows, slice(at, at + data.draw(st.integers(1, 3 * RATE))))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(rows) - 1))
        rows = np.insert(rows, at, np.full(data.draw(st.integers(1, 30)), rows[at]))
    missing = data.draw(
        st.sets(st.sampled_from(["lap_count", "last_lap_time", "sector", "last_sector_time", "lap_valid"]))
    )
    rough = recording.rows(rows).without(*missing)
    columns = rough.columns
    way = way_of(columns, length=LENGTH)
    laps = all_laps(columns, way, SECTORS)
    assert np.all(np.diff(way.driven) >= 0.0)
    for lap in laps:
        assert lap.last > lap.first
        assert (lap.reason == "") == lap.valid
    for lap in (lap for lap in laps if lap.whole and lap.reason != "gap"):  # those say that their time is not sure
        truth = min((LAW.lap_time(line) for line in range(3)), key=lambda time: abs(time - lap.time))
        assert lap.time == pytest.approx(truth, abs=0.02 if "last_lap_time" in missing else 1e-3)
        assert sum(lap.sectors) == pytest.approx(lap.time, abs=1e-6)
