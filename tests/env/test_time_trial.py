"""The Gymnasium environments over the real twin."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import actwin.env
from actwin.env.race import Race
from actwin.env.registration import TIME_TRIAL
from actwin.env.task import TaskConfig
from actwin.env.time_trial import TimeTrialEnv, TimeTrialVectorEnv
from actwin.errors import ConfigError, ControlError

ACTIONS = [
    {},
    {"action": {"kind": "rate", "pedals": "separate"}},
    {"action": {"gear": "learned"}},
    {"action": {"kind": "discrete"}},
]
SHORT = {"end": {"time_limit": 2.0}, "start": {"mixture": {"anywhere": 1.0}}}


def make_vector(n: int, **settings: Any) -> TimeTrialVectorEnv:
    return TimeTrialVectorEnv(n, track="oval", task=settings)


def random_actions(env: TimeTrialVectorEnv, steps: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    shape = (steps, env.num_envs, env.task.action_space.width)
    return (rng.normal(0.0, 0.3, shape) + [0.0, 0.4]).astype(np.float32)


@pytest.mark.parametrize("settings", ACTIONS, ids=lambda s: str(s.get("action", "default")))
def test_the_single_environment_passes_gymnasiums_checker(settings: Any) -> None:
    env = gymnasium.make(TIME_TRIAL, track="oval", task=settings, render_mode="rgb_array")
    check_env(env.unwrapped)


@pytest.mark.parametrize("settings", ACTIONS, ids=lambda s: str(s.get("action", "default")))
def test_the_vector_environment_keeps_its_spaces(settings: Any) -> None:
    env = gymnasium.make_vec(TIME_TRIAL, num_envs=5, track="oval", task=settings | SHORT)
    env.action_space.seed(0)
    observation, info = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    assert info == {}
    ended = 0
    for _ in range(60):
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        assert reward.shape == terminated.shape == truncated.shape == (5,)
        done = terminated | truncated
        ended += int(done.sum())
        assert bool(info) == bool(done.any())
        for car in np.flatnonzero(done):
            assert env.single_observation_space.contains(info["final_obs"][car])
            assert info["final_info"]["reason"][car] != "driving"
    assert ended >= 5
    env.close()


def test_it_is_registered_by_importing_actwin_env() -> None:
    assert actwin.env.registration.TIME_TRIAL in gymnasium.registry
    spec = gymnasium.spec(TIME_TRIAL)
    assert spec.vector_entry_point is not None
    for part in (
        "Description",
        "Action Space",
        "Observation Space",
        "Rewards",
        "Starting State",
        "Episode End",
        "Arguments",
        "Version History",
    ):
        assert f"## {part}" in (TimeTrialEnv.__doc__ or "")


def test_gymnasiums_wrappers_fit() -> None:
    env = RecordEpisodeStatistics(gymnasium.make_vec(TIME_TRIAL, num_envs=6, track="oval", task=SHORT))
    env.reset(seed=0)
    lengths = []
    for _ in range(60):
        *_, info = env.step(env.action_space.sample() * 0.0)
        if "episode" in info:
            lengths += info["episode"]["l"][info["_episode"]].tolist()
    env.close()
    assert len(lengths) >= 6
    assert max(lengths) == 52, "2 s of 39 ms"


def test_one_car_alone_is_one_car_of_many() -> None:
    """The single environment is the N = 1 case, and N does not matter."""
    many, alone = make_vector(21, **SHORT), TimeTrialEnv(track="oval", task=SHORT)
    actions = random_actions(many, 40)
    seen, _ = many.reset(seed=5)
    own, _ = alone.reset(seed=5)
    np.testing.assert_array_equal(own, seen[0])
    for action in actions:
        seen, reward, terminated, truncated, info = many.step(action)
        own, paid, dead, cut, _ = alone.step(action[0])
        assert (paid, dead, cut) == (reward[0], terminated[0], truncated[0])
        if dead or cut:
            np.testing.assert_array_equal(own, info["final_obs"][0])
            own, _ = alone.reset()
        np.testing.assert_array_equal(own, seen[0])


@pytest.mark.parametrize(("n", "threads"), [(40, 1), (33, 2)])
def test_a_seed_repeats_a_run_bit_by_bit(n: int, threads: int) -> None:
    runs = []
    for _ in range(2):
        env = TimeTrialVectorEnv(
            n, track="oval", task=SHORT | {"start": {"mixture": {"anywhere": 1, "replay": 1}}}, threads=threads
        )
        env.reset(seed=3)
        for action in random_actions(env, 80):
            env.step_arrays(action)
        runs.append((env.race.observation.copy(), env.task.judged.reward.copy(), env.frames.copy()))
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)


def test_threads_change_nothing() -> None:
    seen = []
    for threads in (1, 2):
        env = TimeTrialVectorEnv(50, track="oval", task=SHORT, threads=threads)
        env.reset(seed=3)
        for action in random_actions(env, 30):
            env.step_arrays(action)
        seen.append(env.race.observation.copy())
    np.testing.assert_array_equal(*seen)


def test_the_fast_path_is_the_slow_path() -> None:
    fast, slow = make_vector(9, **SHORT), make_vector(9, **SHORT)
    fast.reset(seed=2)
    slow.reset(seed=2)
    for action in random_actions(fast, 60):
        arrays = fast.step_arrays(action)
        *copies, _ = slow.step(action)
        for array, copy in zip(arrays, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


def test_the_fast_path_uses_its_arrays_again() -> None:
    env = make_vector(4, **SHORT)
    env.reset(seed=0)
    actions = random_actions(env, 2)
    first, second = (env.step_arrays(action) for action in actions)
    assert all(a is b for a, b in zip(first, second, strict=True))
    np.testing.assert_allclose(sum(env.reward_terms.values()), second[1], rtol=1e-5, atol=1e-6)


def test_books_of_ended_episodes_add_up() -> None:
    env = make_vector(16, **SHORT)
    env.reset(seed=4)
    returns, finished = np.zeros(16), []
    for action in random_actions(env, 150):
        _, reward, terminated, truncated = env.step_arrays(action)
        returns += reward
        for car in np.flatnonzero(terminated | truncated):
            finished.append((car, returns[car]))
            returns[car] = 0.0
    stats = env.episode_stats()
    assert [int(car) for car in stats["car"]] == [car for car, _ in finished]
    np.testing.assert_allclose(stats["return"], [paid for _, paid in finished], rtol=1e-3, atol=1e-3)
    terms = sum(values for name, values in stats.items() if name.startswith("term/"))
    np.testing.assert_allclose(terms, stats["return"], rtol=1e-3, atol=1e-3)
    assert stats["duration"].max() <= 2.0 + 0.04
    assert env.episode_stats() == {}


def test_staggered_episodes_do_not_end_together() -> None:
    env = TimeTrialVectorEnv(
        64,
        track="oval",
        stagger=True,
        task={
            "end": {"time_limit": 4.0},
            "start": {"mixture": {"grid": 1.0}},
            "action": {"kind": "rate"},
        },
    )
    env.reset(seed=0)
    ends = []
    for _ in range(105):
        env.step_arrays(np.zeros((64, 2), np.float32))
        ends.append(len(env.race.ended))
    assert max(ends) < 12
    assert sum(ends) >= 64


def test_resets_can_choose_kind_and_place() -> None:
    env = make_vector(6)
    env.reset(seed=0, options={"start": "grid"})
    assert (env.frames["speed"] < 0.5).all()
    env.reset(options={"distance": 300.0, "speed": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0], "lateral": 1.0})
    np.testing.assert_allclose(env.frames["speed"], np.arange(10, 70, 10), rtol=1e-3)
    np.testing.assert_allclose(env.frames["lap_distance"], 300.0, rtol=1e-4)
    before = env.frames["lap_distance"].copy()
    env.reset(options={"reset_mask": np.arange(6) == 2, "distance": 700.0})
    assert np.flatnonzero(env.frames["lap_distance"] != before).tolist() == [2]
    with pytest.raises(ConfigError, match="no 'place'"):
        env.reset(options={"place": 3.0})


def test_replayed_episodes_begin_shortly_before_mistakes() -> None:
    """Full throttle without steering fails in every corner; a replay begins on the way there."""
    start = {"mixture": {"anywhere": 1.0, "replay": 3.0}, "slowest": 0.9, "replay_before": (2.0, 4.0)}
    env = make_vector(32, end={"time_limit": 30.0}, start=start)
    env.reset(seed=0)
    throttle = np.tile(np.array([[0.0, 1.0]], np.float32), (32, 1))
    durations = []
    for _ in range(700):
        env.step_arrays(throttle)
    stats = env.episode_stats()
    assert (stats["reason"] > 0).all()
    durations = stats["duration"][-100:]
    mistakes = env.race._mistakes
    assert mistakes is not None
    assert len(mistakes) > 20
    assert np.quantile(durations, 0.25) > 1.5
    assert np.quantile(durations, 0.6) < 5.0


def test_broken_actions_drive_nothing() -> None:
    env = make_vector(3)
    env.reset(seed=0)
    before = env.frames.copy()
    action = np.zeros((3, 2), np.float32)
    action[1, 0] = np.nan
    with pytest.raises(ControlError, match="car 1"):
        env.step_arrays(action)
    np.testing.assert_array_equal(env.frames, before)


def test_a_step_before_the_first_reset_is_refused() -> None:
    env = gymnasium.make(TIME_TRIAL, track="oval", disable_env_checker=True)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.unwrapped.step(np.zeros(2, np.float32))


def test_pictures() -> None:
    env = TimeTrialEnv(track="oval", render_mode="rgb_array")
    env.reset(seed=0, options={"start": "flying"})
    first = env.render()
    assert first is not None
    assert first.shape == (720, 1280, 3)
    assert first.dtype == np.uint8
    for _ in range(10):
        env.step(np.array([0.0, 1.0], np.float32))
    second = env.render()
    assert (first != second).any()
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 20
    vector = TimeTrialVectorEnv(2, track="oval", render_mode="rgb_array")
    vector.reset(seed=0)
    pictures = vector.render()
    assert pictures is not None
    assert len(pictures) == 2
    assert TimeTrialEnv(track="oval").render() is None
    with pytest.raises(ConfigError, match="render mode"):
        TimeTrialEnv(track="oval", render_mode="human")


def test_a_race_of_the_simulator_reads_frames_only(make_task: Any) -> None:
    """What the twin gives and what a game would give are the same thing: FRAME."""
    race = Race(make_task(4))
    race.reset(seed=0)
    twin = race.observation.copy()
    other = make_task(4)
    frames = race.frames.copy()
    other.begin(frames)
    np.testing.assert_array_equal(other.observe(frames), twin)
    assert isinstance(other.config, TaskConfig)
