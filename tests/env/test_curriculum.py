import numpy as np
import pytest

from actwin.env.config import CurriculumConfig, TaskConfig
from actwin.env.curriculum import Curriculum
from actwin.env.race import Race
from actwin.env.task import Task
from actwin.errors import ConfigError
from actwin.twin.layout import block_column
from actwin.twin.params import CarParams

CONFIG = CurriculumConfig(window=10, step=0.25, rise_at=0.7, fall_at=0.3, extra_grip=0.4)


def after(curriculum: Curriculum, *failures: int) -> float:
    """Difficulty after windows of ten episodes with these numbers of failures."""
    for failed in failures:
        curriculum.count(np.arange(10) < failed)
    return curriculum.difficulty


def test_success_makes_it_harder_and_failure_easier():
    curriculum = Curriculum(CONFIG)
    assert after(curriculum, 0) == 0.25
    assert after(curriculum, 3, 2) == 0.75
    assert after(curriculum, 5) == 0.75
    assert after(curriculum, 8) == 0.5
    assert after(curriculum, 0, 0, 0, 0) == 1.0
    assert after(curriculum, 10, 10, 10, 10, 10) == 0.0


def test_nothing_changes_within_a_window():
    curriculum = Curriculum(CONFIG)
    curriculum.count(np.zeros(9, np.bool_))
    assert curriculum.difficulty == 0.0
    other = Curriculum(CONFIG)
    other.load_state(curriculum.state())
    other.count(np.zeros(1, np.bool_))
    assert other.difficulty == 0.25


def test_without_a_window_the_task_is_as_configured():
    curriculum = Curriculum(CurriculumConfig())
    curriculum.count(np.ones(1000, np.bool_))
    assert (curriculum.difficulty, curriculum.extra_grip) == (1.0, 1.0)


def test_easy_episodes_have_grip_and_start_on_the_line():
    race = Race(Task(TaskConfig(track="oval", curriculum=CONFIG, start={"mixture": {"anywhere": 1.0}}), 64))
    grip = block_column(CarParams, "front_tyre.grip_y")

    def begin() -> tuple[float, float]:
        race.reset(seed=1)
        simulator = race.cockpit.simulator
        line = race.task.reference.at("line_offset", race.frames["lap_distance"])
        spread = float(np.abs(race.frames["lateral_offset"] - line).max())
        return float(simulator._params[simulator._which[0], grip][0]), spread

    easy, near = begin()
    race.curriculum.difficulty = 1.0
    hard, far = begin()
    assert easy == pytest.approx(1.4 * hard, rel=1e-5)
    assert near < 0.05 < 0.5 < far


def test_levels_the_wrong_way_round_are_refused():
    with pytest.raises(ConfigError, match=r"fall_at must be below"):
        TaskConfig.of({"curriculum": {"rise_at": 0.2, "fall_at": 0.5}})
