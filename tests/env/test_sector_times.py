"""Sectors are counted when they were driven whole and without an offence."""

import numpy as np
import pytest

from actwin.driving.line_follower import LineFollower
from actwin.env.config import TaskConfig
from actwin.env.race import Race
from actwin.env.task import Task
from actwin.training.episodes import episode_scalars


def test_sectors_of_a_lap_sum_to_it() -> None:
    task = Task(TaskConfig.of({"track": "oval", "end": {"time_limit": 300.0}}))
    race = Race(task)
    race.reset(1, place={"distance": task.track.length - 150.0, "lateral": 0.0, "heading": 0.0, "speed": 40.0})
    driver = LineFollower(task.track, task.car)
    driver.reset(None)
    noted: dict[int, list[float]] = {}
    while race.frames["lap_count"][0] < 1:
        race.step(task.encode(driver.act(race.frames), race.frames))
        for sector, times in race.sector_times().items():
            noted.setdefault(sector, []).extend(times.tolist())
    # The last metres before the line, where the car began, are not a sector.
    assert [len(noted[sector]) for sector in range(len(task.track.sectors))] == [1] * len(task.track.sectors)
    assert sum(sum(times) for times in noted.values()) == pytest.approx(race.frames["last_lap_time"][0], abs=1e-3)


def test_a_sector_with_an_offence_does_not_count() -> None:
    task = Task(TaskConfig.of({"track": "oval", "end": {"off_track_wheels": 4, "off_track_time": 30.0}}), 1)
    race = Race(task)
    race.reset(1)
    frames, judged = race.frames, task.judged
    frames["last_sector_time"], frames["sector"], frames["lap_valid"] = 20.0, 1, 1
    task.begin(frames)
    for sector, valid, expected in ((2, 1, 0.0), (0, 1, 20.0), (1, 1, 20.0), (2, 0, 0.0), (0, 1, 20.0)):
        frames["sector"], frames["lap_valid"], frames["last_lap_valid"] = sector, valid, valid
        task.judge(frames)
        assert judged.splits[0] == expected, sector
        task.judge(frames)
        assert judged.splits[0] == 0.0


def test_scalars_of_two_episodes_by_hand() -> None:
    books = {
        "duration": np.array([10.0, 30.0]), "return": np.array([1.0, 3.0]), "progress": np.array([500.0, 1500.0]),
        "off_track_time": np.array([0.0, 1.0]), "excursions": np.array([0.0, 4.0]), "collision": np.array([0.0, 100.0]),
        "laps": np.array([0.0, 2.0]), "valid_laps": np.array([0.0, 1.0]), "best_lap": np.array([0.0, 80.0]),
        "reason": np.array([7, 1]), "term/progress": np.array([2.0, 4.0]),
    }  # fmt: skip
    shown = episode_scalars(books, {0: np.array([21.0, 20.0], np.float32)})
    assert shown["mean_speed"] == 50.0
    assert (shown["excursions_per_km"], shown["collision_per_km"], shown["collisions"]) == (2.0, 50.0, 0.5)
    assert (shown["best_lap"], shown["mean_lap"], shown["valid_laps"], shown["sector_1"]) == (80.0, 80.0, 1.0, 20.0)
    assert (shown["end_off_track"], shown["end_time_limit"], shown["term_progress"]) == (0.5, 0.5, 3.0)
    assert shown["off_track_time"] == pytest.approx(0.5)
    assert episode_scalars({}, {}) == {}
