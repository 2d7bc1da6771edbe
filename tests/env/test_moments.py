"""Observations that show more than this moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwin.env.race import Race
from actwin.env.task import Task, TaskConfig
from actwin.errors import ConfigError

FRAMES = 3


def stacked(task: Task, values: Any) -> Any:
    """This moment and those before: [N, FRAMES, width]."""
    moment = task.layout.moment
    now, before = values[:, None, :moment], values[:, task.layout.present :].reshape(len(values), FRAMES - 1, moment)
    return np.concatenate([now, before], axis=1)


def test_moments_of_the_default_task_are_none_and_one_frame_is_the_default(make_task: Any) -> None:
    task = make_task()
    assert task.layout.size == task.layout.present == 147
    assert task.moments.past.shape == (1, 0)
    assert make_task(observation={"frames": 1}).fingerprint() == task.fingerprint()
    assert make_task(observation={"frames": 2}).fingerprint() != task.fingerprint()


def test_earlier_moments_follow_what_is_seen_now(make_task: Any) -> None:
    task = make_task(2, observation={"frames": FRAMES})
    layout = task.layout
    assert layout.size == 147 + 2 * layout.moment
    assert layout.columns[layout.present].label == "vx_1_before"
    assert layout.columns[-1].label == "tyres_out_2_before"
    assert [column.feature for column in layout.columns].count("earlier") == 2 * layout.moment
    assert "| 147-198 | earlier |" in layout.table()


@pytest.mark.parametrize("features", [("full",), ("roadmap",), ("speed", "rays")])
def test_the_past_is_what_was_seen(make_task: Any, features: tuple[str, ...]) -> None:
    """A car that begins anew seems to have been so for ever; the others go on."""
    task = make_task(4, observation={"frames": FRAMES, "features": features}, end={"time_limit": 0.4})
    race, plain = Race(task), make_task(4, observation={"features": features})
    seen = [stacked(task, race.reset(seed=3).copy())]
    assert np.array_equal(seen[0][:, 0], seen[0][:, 1])
    random = np.random.default_rng(0)
    begun = np.zeros(4, np.int64)
    for step in range(1, 25):
        race.step(random.uniform(-1.0, 1.0, (4, 2)))
        begun[race.ended] = step
        seen.append(stacked(task, race.observation.copy()))
        for car in range(4):
            for ago in range(FRAMES):
                assert np.array_equal(seen[-1][car, ago], seen[max(step - ago, begun[car])][car, 0])
        ended = stacked(task, race.final_observation)[race.ended]
        assert np.array_equal(ended[:, 1], seen[-2][race.ended, 0])
        assert np.array_equal(plain.observe(race.frames)[:, : task.layout.moment], seen[-1][:, 0])
    assert begun.max() > 0


def test_looking_twice_makes_no_two_moments_of_one(make_task: Any) -> None:
    task = make_task(2, observation={"frames": FRAMES})
    race = Race(task)
    race.reset(seed=1)
    race.step(np.zeros((2, 2)))
    first = race.observation.copy()
    assert np.array_equal(task.observe(race.frames), first)
    one = np.zeros((2, task.observation_size), np.float32)
    for car in range(2):
        task.observe(race.frames, one, car, car + 1)
    assert np.array_equal(one, first)
    task.observe_rows(race.frames, np.array([1]), one)
    assert np.array_equal(one, first)


def test_controls_that_others_send_count_as_a_moment_too(make_task: Any, make_frames: Any) -> None:
    task = make_task(observation={"frames": 2})
    frames = make_frames(10.0, vx=12.0)
    task.begin(frames)
    task.remember(np.zeros(1, task.actions.controls.dtype), frames)
    later = make_frames(11.0, vx=30.0)
    seen = task.observe(later)[0]
    assert (seen[0], seen[task.layout.present]) == pytest.approx((0.5, 0.2))
    task.forget(np.array([0]))
    assert task.observe(later)[0, task.layout.present] == pytest.approx(0.5)


def test_nothing_to_repeat() -> None:
    with pytest.raises(ConfigError, match=r"shows none. Add some, or set observation\.frames=1"):
        Task(TaskConfig.of({"track": "oval", "observation": {"features": ["rays"], "frames": 2}}))
