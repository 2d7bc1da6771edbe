"""Deterministic drives: starts, what is measured, and that company changes nothing."""

import math

import numpy as np
import pytest
import torch

from actwin.agents.networks import ActionSpec, Policy
from actwin.analysis.laps import Lap
from actwin.driving.line_follower import LineFollower
from actwin.driving.policy import PolicyDriver
from actwin.env.starts import Start
from actwin.env.task import Task, TaskConfig
from actwin.errors import ConfigError, UnknownNameError
from actwin.telemetry.channels import FRAME, neutral_controls
from actwin.training.drives import Drive, _reach
from actwin.training.evaluation import BLOCK, InBlocks, draw_starts, drive_laps
from actwin.training.scores import rate, scalars

OVAL = TaskConfig.of(track="oval")


@pytest.fixture(scope="module")
def task() -> Task:
    return Task(OVAL, 5)


@pytest.fixture(scope="module")
def expert(task: Task) -> list[Drive]:
    starts = draw_starts(task, episodes=5, seed=7)
    return drive_laps("expert", LineFollower(task.track, task.car, 5), task, starts, laps=2)


def test_the_expert_laps_cleanly_from_every_start(task: Task, expert: list[Drive]) -> None:
    assert [drive.start for drive in expert] == ["grid", "flying", "random", "random", "random"]
    for drive in expert:
        assert drive.clean
        assert (drive.ended, drive.asked, len(drive.laps)) == ("finished", 2, 2)
        assert task.reference.lap_time < drive.best <= drive.mean < 1.15 * task.reference.lap_time
        assert sum(drive.laps[0].sectors) == pytest.approx(drive.laps[0].time)


def test_only_the_grid_has_a_lap_from_standing(expert: list[Drive]) -> None:
    assert expert[0].opening > expert[0].best + 1.0
    assert all(math.isnan(drive.opening) for drive in expert[1:])


def test_an_episode_ends_with_its_last_lap(expert: list[Drive]) -> None:
    for drive in expert:
        counts = drive.rollout.frames["lap_count"]
        goal = 3 if drive.start == "grid" else 2
        assert (counts[-1], counts[-2]) == (goal, goal - 1)
        assert len(drive.sent) == len(counts)


def test_measures_are_those_of_the_frames(expert: list[Drive]) -> None:
    drive = expert[2]
    frames = drive.rollout.frames
    assert drive.centre_border == np.minimum(frames["border_left"], frames["border_right"]).min()
    # The car is 2 m wide: straight on the road its side is one metre nearer than its middle.
    assert drive.centre_border - 1.5 < drive.outline_border < drive.centre_border - 0.95
    steer = frames["steer"].astype(float)
    assert drive.steering == pytest.approx(np.abs(np.diff(steer)).sum() / (len(steer) - 1) / 0.039)
    assert drive.mean_speed == pytest.approx(float(frames["speed"].mean()), rel=1e-6)


def test_a_second_evaluation_gives_identical_numbers(task: Task, expert: list[Drive]) -> None:
    again = drive_laps("expert", LineFollower(task.track, task.car, 5), task, draw_starts(task, episodes=5, seed=7), 2)
    for one, two in zip(expert, again, strict=True):
        assert np.array_equal(one.rollout.frames, two.rollout.frames)
        assert one._replace(rollout=None, sent=None, opening=0.0) == two._replace(rollout=None, sent=None, opening=0.0)


def clumsy(task: Task, n: int) -> PolicyDriver:
    """A policy that was never trained."""
    torch.manual_seed(3)
    policy = Policy(task.observation_size, ActionSpec(*task.action_space), [64, 64])
    return PolicyDriver(
        Task(task.config, n, track=task.track, car=task.car, reference=task.reference), InBlocks(policy)
    )


def test_company_changes_nothing(task: Task) -> None:
    """A car alone, one of five and one of forty: the same frames, the same figures."""
    many = draw_starts(task, ("random",), 40, seed=1)
    crowd = drive_laps("x", clumsy(task, 40), task, many)
    for car in (0, 17, 39):
        alone = Start._make(column[car : car + 1] for column in many)
        [single] = drive_laps("x", clumsy(task, 1), task, alone)
        assert np.array_equal(single.rollout.frames, crowd[car].rollout.frames)
        assert single.reward == crowd[car].reward


def test_a_network_decides_in_blocks() -> None:
    seen = []

    class Sum:
        observations, width = 2, 1

        def decide(self, observations):
            seen.append(len(observations))
            return observations.sum(axis=1, keepdims=True)

    values = np.arange(2 * (BLOCK + 3), dtype=np.float32).reshape(-1, 2)
    assert np.array_equal(InBlocks(Sum()).decide(values)[:, 0], values.sum(axis=1))
    assert seen == [BLOCK, BLOCK]


def test_random_starts_repeat_and_do_not_depend_on_their_number(task: Task) -> None:
    few, many = (draw_starts(task, ("random", "grid"), n, seed=5) for n in (4, 9))
    assert all(np.array_equal(a, b[:4]) for a, b in zip(few, many, strict=True))
    other = draw_starts(task, ("random", "grid"), 4, seed=6)
    assert few.distance[0] == other.distance[0]
    assert not np.any(few.distance[1:] == other.distance[1:])
    assert (many.distance[1:] >= 0.0).all()
    assert (many.distance < task.track.length).all()


def test_starts_that_are_all_the_same_are_refused(task: Task) -> None:
    with pytest.raises(
        ConfigError, match=r"3 episodes, but grid and flying starts are the same every time\. Ask for 2"
    ):
        draw_starts(task, ("grid", "flying"), 3)
    with pytest.raises(UnknownNameError, match="Did you mean random"):
        draw_starts(task, ("randm",), 3)


class Idle:
    """Never moves a pedal."""

    def reset(self, index=None) -> None:
        pass

    def act(self, frames):
        return neutral_controls(len(frames))


def test_a_car_that_stands_is_not_waited_for(task: Task) -> None:
    grid = draw_starts(task, ("grid",), 1)
    [drive] = drive_laps("idle", Idle(), task, grid)
    assert (drive.ended, drive.clean, drive.laps) == ("stopped", False, [])
    assert math.isinf(drive.best)
    assert math.isnan(drive.mean)
    assert 10.0 < drive.rollout.time[-1] < 10.2


def test_reward_ends_where_the_task_would_end(task: Task) -> None:
    """Standing still ends a training episode after `stall_time`, so nothing is paid for the rest."""
    config = TaskConfig.of(OVAL, reward={"stall": 1.0, "failure": 5.0})
    judge = Task(config, 1, track=task.track, car=task.car, reference=task.reference)
    [drive] = drive_laps("idle", Idle(), judge, draw_starts(judge, ("grid",), 1))
    # One a second for the five seconds that a car may stand, five for the failure.
    assert drive.reward == pytest.approx(-10.0, abs=0.1)


def test_the_outline_by_hand(task: Task) -> None:
    """Straight it reaches half its width, across half its length, at 30° something of both."""
    frames = np.zeros(3, FRAME)
    frames["heading_error"] = [0.0, math.pi / 2, math.pi / 6]
    assert (task.car.chassis.length, task.car.chassis.width) == (5.6, 2.0)
    np.testing.assert_allclose(_reach(frames, task.car), [1.0, 2.8, 1.4 + math.sqrt(0.75)], rtol=1e-6)


def drive(*laps: tuple[float, bool], ended: str = "finished", contacts: int = 0, excursions: int = 0) -> Drive:
    """An episode by its laps."""
    made = [Lap("x", 1, 0, 1, 0.0, time, (time,), valid, 50.0, 0) for time, valid in laps]
    return Drive(
        "x", "flying", 0.0, 1, ended, None, None, made, math.nan, excursions, contacts, 100.0 * contacts, 50.0, 0.1,
        0.2, 3.0, 1.0, 0.0,
    )  # fmt: skip


def test_clean_means_nothing_to_complain_about() -> None:
    assert drive((90.0, True)).clean
    assert not drive((90.0, True), ended="out of time").clean
    assert not drive((90.0, True), (91.0, False)).clean
    assert not drive((90.0, True), contacts=1).clean
    assert not drive((90.0, True), excursions=1).clean


def test_rating_prefers_clean_over_fast() -> None:
    assert rate([drive((90.0, True))], 80.0) == -90.0
    assert rate([drive((90.0, False))], 80.0) == -130.0
    assert rate([drive((90.0, True), contacts=1)], 80.0) == -130.0
    assert rate([drive((90.0, True)), drive(ended="stopped")], 80.0) == -(90.0 + 240.0) / 2


def test_the_board_gets_every_metric() -> None:
    shown = scalars([drive((90.0, False), excursions=1), drive((91.0, True), (92.0, True))])
    assert (shown["best_lap"], shown["mean_lap"], shown["clean_share"]) == (91.0, 91.5, 0.5)
    assert (shown["excursions"], shown["flying_lap"], shown["sector_1"], shown["reward"]) == (1.0, 91.0, 91.0, 3.0)
    assert math.isinf(scalars([drive()])["best_lap"])
