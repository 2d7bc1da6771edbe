"""Laps, sectors and corners of drives that are known in closed form come back to the millisecond, from any source."""

from __future__ import annotations

import numpy as np
import pytest
from known_drives import LENGTH, SECTORS, Law, Recording, as_the_game_shows, drive, in_single_precision

from actwin.analysis.compare import Trace, delta, distance_axis, trace_of
from actwin.analysis.laps import Lap, all_laps
from actwin.analysis.way import way_of

LAW, RIVAL = Law(), Law(61.0, 1.7)
MILLISECOND = 1e-3
CORNERS = ((300.0, 500.0), (500.0, 1203.0), (2000.5, 2999.0))
SOURCES = {
    "everything": lambda law, rate: in_single_precision(drive(law, rate)),
    "double precision": drive,
    "lap distance only": lambda law, rate: in_single_precision(drive(law, rate)).keep("lap_distance", "speed"),
    "share of the lap only": lambda law, rate: in_single_precision(drive(law, rate)).keep("spline_position", "speed"),
    "lap clock and share": lambda law, rate: in_single_precision(drive(law, rate)).keep(
        "spline_position", "speed", "lap_time"
    ),
    "no place at all": lambda law, rate: in_single_precision(drive(law, rate)).keep("speed", "lap_time", "lap_count"),
    "the game's pages": as_the_game_shows,
}


def fastest_trace(recording: Recording) -> tuple[Lap, Trace]:
    columns = recording.columns
    way = way_of(columns, length=LENGTH)
    lap = next(lap for lap in all_laps(columns, way, SECTORS) if lap.number == 2)
    return lap, trace_of(columns, way, lap, distance_axis(LENGTH), ("speed", "gear"))


@pytest.mark.parametrize("rate", [5, 25, 60, 100, 333])
@pytest.mark.parametrize("source", SOURCES)
def test_laps_and_sectors(source, rate) -> None:
    laps = SOURCES[source](LAW, rate).laps()
    assert [lap.number for lap in laps] == [0, 1, 2, 3, 4]
    assert [lap.kind for lap in laps] == ["partial", "flying", "flying", "flying", "partial"]
    for lap in laps[1:4]:
        assert lap.valid
        assert lap.time == pytest.approx(LAW.lap_time(lap.number - 1), abs=MILLISECOND)
        assert lap.sectors == pytest.approx(LAW.sector_times(lap.number - 1), abs=MILLISECOND)
        assert sum(lap.sectors) == pytest.approx(lap.time, abs=1e-9)
    assert {laps[0].reason, laps[4].reason} == {"incomplete"}


@pytest.mark.parametrize("rate", [25, 60, 100, 333])
@pytest.mark.parametrize(
    ("source", "error"), [("everything", 0.05), ("lap distance only", 0.05), ("the game's pages", 3.0)]
)
def test_corners_and_delta(source, error, rate) -> None:
    """The game's running clock counts physics steps of 3 ms, so times between two corners are known to 3 ms there."""
    (lap, trace), (other, rival) = (fastest_trace(SOURCES[source](law, rate)) for law in (LAW, RIVAL))
    for law, got in ((LAW, trace), (RIVAL, rival)):
        for begin, end in CORNERS:
            found = np.interp(end, got.distance, got.time) - np.interp(begin, got.distance, got.time)
            expected = law.time(LENGTH + end) - law.time(LENGTH + begin)
            assert found == pytest.approx(expected, abs=error * MILLISECOND)
    behind = delta(trace, rival)
    assert behind[0] == 0.0
    assert behind[-1] == lap.time - other.time, "exactly"


def test_what_told_the_lap_time_is_known() -> None:
    clocks = {name: make(LAW, 100).laps()[2].clock for name, make in SOURCES.items()}
    assert clocks["everything"] == clocks["the game's pages"] == "game"
    assert clocks["lap clock and share"] == clocks["no place at all"] == "clock"
    assert clocks["lap distance only"] == clocks["share of the lap only"] == "distance"


def test_a_game_that_tells_another_lap_time_is_not_believed() -> None:
    told = drive(LAW, 60).channels
    wrong = {name: told[name] + 3.0 for name in ("last_lap_time", "last_sector_time")}
    lap = drive(LAW, 60).changed(**wrong).laps()[2]
    assert lap.clock == "clock"
    assert lap.time == pytest.approx(LAW.lap_time(1), abs=MILLISECOND)
    assert lap.sectors == pytest.approx(LAW.sector_times(1), abs=MILLISECOND)


def test_sector_times_that_count_from_the_line() -> None:
    recording = in_single_precision(drive(LAW, 60))
    first = np.array([LAW.sector_times(line)[0] for line in range(4)])[recording.channels["lap_count"]]
    told = recording.channels["last_sector_time"] + np.where(recording.channels["sector"] == 2, first, 0.0)
    assert recording.changed(last_sector_time=told).laps()[2].sectors == pytest.approx(
        LAW.sector_times(1), abs=MILLISECOND
    )


def test_sector_lines_of_an_unknown_track_are_where_the_game_counts() -> None:
    recording = in_single_precision(drive(LAW, 100))
    for lap in recording.laps(sectors=(0.0,))[1:4]:
        assert lap.sectors == pytest.approx(LAW.sector_times(lap.number - 1), abs=MILLISECOND)
    untimed = recording.without("last_sector_time").laps(sectors=(0.0,))[2]
    assert untimed.sectors == pytest.approx(LAW.sector_times(1), abs=5 * MILLISECOND), "to part of a row"


def test_a_place_along_another_line_of_the_track_is_stretched_to_it() -> None:
    recording = drive(LAW, 60).keep("lap_distance", "speed")
    lap = recording.changed(lap_distance=recording.channels["lap_distance"] * 1.004).laps()[2]
    assert lap.time == pytest.approx(LAW.lap_time(1), abs=MILLISECOND)
    assert lap.sectors == pytest.approx(LAW.sector_times(1), abs=MILLISECOND)


@pytest.mark.parametrize("channel", ["lap_distance", "spline_position", "lap_time"])
def test_the_length_of_an_unknown_track(channel) -> None:
    recording = in_single_precision(drive(LAW, 60)).keep(channel, "speed")
    assert way_of(recording.columns).length == pytest.approx(LENGTH, rel=2e-3)


@pytest.mark.parametrize("rate", [25, 100])
def test_the_length_by_a_share_that_stands_between_pictures(rate) -> None:
    recording = as_the_game_shows(LAW, rate).keep("spline_position", "speed")
    assert way_of(recording.columns).length == pytest.approx(LENGTH, rel=2e-3)


def test_mixed_rates_and_repeated_stamps_change_nothing() -> None:
    recording = drive(LAW, 333)
    chance = np.random.default_rng(3)
    rows = np.sort(chance.choice(len(recording.time), len(recording.time) // 4, replace=False))
    rows = np.sort(np.concatenate([rows, rows[::10]]))  # every tenth twice
    for lap in recording.rows(rows).keep("lap_distance", "speed", "sector").laps()[1:4]:
        assert lap.time == pytest.approx(LAW.lap_time(lap.number - 1), abs=MILLISECOND)
