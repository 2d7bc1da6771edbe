"""Laps cut from runs whose times are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.analysis.crossings import crossing_times
from actwin.analysis.lap_table import Mark, lap_table, theoretical_best
from actwin.analysis.laps import best_lap, cut_laps

LENGTH, SECTORS = 3000.0, (0.0, 900.0, 2100.0)
MILLISECOND = 1e-3


@pytest.mark.parametrize("clock", [False, True])
@pytest.mark.parametrize("mean_speed", [33.3, 60.0, 101.7])
def test_known_laps_and_sectors_come_back_to_the_millisecond(known_run, known_sectors, mean_speed, clock) -> None:
    laps = cut_laps(known_run("A", mean_speed, laps=3, clock=clock), LENGTH, SECTORS)
    assert [lap.number for lap in laps] == [1, 2, 3]
    for lap in laps:
        assert lap.time == pytest.approx(LENGTH / mean_speed, abs=0.5 * MILLISECOND)
        assert lap.sectors == pytest.approx(known_sectors(mean_speed), abs=MILLISECOND)
        assert sum(lap.sectors) == pytest.approx(lap.time, abs=1e-9)
        assert lap.valid


def test_laps_follow_each_other_without_a_gap(known_run) -> None:
    first, second = cut_laps(known_run(laps=2), LENGTH, SECTORS)
    assert first.end == second.begin
    assert first.last == second.first


def test_a_run_that_never_closes_a_lap_has_none(known_run) -> None:
    run = known_run(laps=1)
    half = type(run)(run.frames[: len(run) // 2], run.period, run.track, run.car, run.driver)
    assert cut_laps(half, LENGTH, SECTORS) == []


def test_standing_start_counts_from_the_start(known_run) -> None:
    run = known_run(mean_speed=60.0, laps=1, start=-137.0)
    frames = run.frames.copy()
    frames["lap_time"] = run.time  # from the grid; it does not restart at the first crossing
    frames["lap_time"][-40:] = np.arange(40) * run.period
    lap = cut_laps(type(run)(frames, run.period, "ring", "kart", "A"), LENGTH, SECTORS)[0]
    assert lap.begin == pytest.approx(0.0, abs=1e-4)


def test_a_cut_lap_is_invalid_and_never_best(known_run) -> None:
    run = known_run(laps=2)
    run.frames["lap_valid"][len(run) // 4] = 0
    laps = cut_laps(run, LENGTH, SECTORS)
    assert [lap.valid for lap in laps] == [False, True]
    assert best_lap(laps) is laps[1]
    assert lap_table(laps)[0].mark is Mark.INVALID
    assert best_lap(laps[:1]) is None


def test_the_car_has_the_last_word_on_validity(known_run) -> None:
    run = known_run(laps=1, clock=True)
    counted = int(np.flatnonzero(np.diff(run.frames["lap_count"]))[-1]) + 1
    run.frames["last_lap_valid"][counted:] = 0  # an offence between the last frame of the lap and the line
    assert [lap.valid for lap in cut_laps(run, LENGTH, SECTORS)] == [False]


def test_marks_follow_the_timing_screen(known_run) -> None:
    runs = [known_run("A", 60.0, laps=1), known_run("B", 61.0, laps=1)]
    laps = [lap for run in runs for lap in cut_laps(run, LENGTH, SECTORS)]
    rows = lap_table(laps)
    assert [row.mark for row in rows] == [Mark.PERSONAL_BEST, Mark.OVERALL_BEST]
    assert [row.gap for row in rows] == pytest.approx([LENGTH / 60.0 - LENGTH / 61.0, 0.0], abs=MILLISECOND)
    assert len(rows[0].sector_marks) == 3


def test_theoretical_best_is_never_slower_than_the_best_lap(known_run) -> None:
    laps = cut_laps(known_run(laps=3), LENGTH, SECTORS)
    best = best_lap(laps)
    assert best is not None
    assert theoretical_best(laps) <= best.time
    assert np.isnan(theoretical_best([]))


def test_crossings_outside_the_run_are_unknown() -> None:
    time, distance = np.arange(5.0), np.array([0.0, 1.0, 1.0, 0.5, 3.0])  # stands still, then rolls back
    found = crossing_times(time, distance, np.array([-1.0, 0.5, 2.0, 9.0]))
    assert np.isnan(found[[0, 3]]).all()
    assert 0.0 < found[1] < 1.0 < found[2] < 4.0
