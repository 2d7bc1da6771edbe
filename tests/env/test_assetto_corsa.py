"""The environment of the game: the twin's task on a game's frames, and what happens when the game stops."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from actwin.cockpit.actuators.protocol import Pose, within_range
from actwin.cockpit.live import LiveCockpit
from actwin.cockpit.road_position import PLACE
from actwin.env.assetto_corsa import GAME_REASONS, AssettoCorsaEnv
from actwin.env.ends import REASONS
from actwin.env.registration import ASSETTO_CORSA
from actwin.env.time_trial import TimeTrialEnv
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.frames import MISSING
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.channels import FRAME, GAME, Controls, neutral_controls
from actwin.twin.simulator import Simulator

LIVE, PAUSE = 2, 3
UNTOLD = MISSING["memory"] & set(FRAME.names or ())
CAR = "formula_alpha_2022"


class Game:
    """A source and an actuator over one car of the twin, telling what shared memory tells."""

    name = "memory"

    def __init__(self, env_task: Any) -> None:
        self.simulator = Simulator(env_task.track, env_task.car, 1)
        self.simulator.reset(distance=100.0, speed=30.0)
        self.controls: Controls = neutral_controls(1)
        self.status, self.alive, self.places, self.puts_back = LIVE, True, True, True
        self.connections = 0

    def connect(self, timeout: float = 2.0) -> GameInfo:
        self.connections += 1
        if not self.alive:
            raise SourceError("No game. Start one.")
        return GameInfo("memory", CAR, "oval")

    def read(self, timeout: float = 0.1) -> Sample | None:
        if not self.alive or self.status != LIVE:
            time.sleep(min(timeout, 0.005))
            return None
        self.simulator.step(self.controls)
        return blanked(self.simulator.frames)

    def health(self) -> Health:
        return Health("dead" if not self.alive else "paused", 0.0, 0, 0.0)

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        self.controls = within_range(controls)
        return self.controls.copy()

    def reset(self, pose: Pose | None = None) -> bool:
        if not (self.puts_back if pose is None else self.places):
            return False
        distance = 0.0 if pose is None else float(self.simulator.track.to_road(pose.x, pose.y)[0])
        self.simulator.reset(distance=distance)
        return True

    def close(self) -> None:
        self.alive = self.alive and True


def blanked(frames: Any, untold: Iterable[str] = UNTOLD) -> Sample:
    """A sample without some channels, by default those that shared memory does not tell."""
    frame, game = frames.copy(), np.zeros(1, GAME)
    for name in untold:
        frame[name] = np.nan if FRAME[name].base.kind == "f" else 0
    game["status"] = LIVE
    return Sample(time.perf_counter(), frame, game)


def environment(game: Game | None = None, timeout: float = 0.15, **settings: Any) -> tuple[AssettoCorsaEnv, Game]:
    env = AssettoCorsaEnv(track="oval", car=CAR, task=settings)
    game = game or Game(env.task)
    seat = LiveCockpit(game, game, env.task.track, env.task.car, timeout=timeout, reconnect=0.5, sleep=lambda s: None)
    return AssettoCorsaEnv(track="oval", car=CAR, task=settings, cockpit=seat), game


class Tape:
    """A source that plays recorded frames, telling all but the place on the road, and an actuator that writes down what
    it is sent."""

    name = "tape"

    def __init__(self, recorded: list[Any]) -> None:
        self.frames: Iterator[Any] = iter(recorded)
        self.sent: list[Controls] = []

    def connect(self, timeout: float = 2.0) -> GameInfo:
        return GameInfo("tape", CAR, "oval")

    def read(self, timeout: float = 0.1) -> Sample | None:
        frames = next(self.frames, None)
        return None if frames is None else blanked(frames, PLACE)

    def health(self) -> Health:
        return Health("dead", 0.0, 0, 0.0)

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        self.sent.append(controls.copy())
        return controls.copy()

    def reset(self, pose: Pose | None = None) -> bool:
        return False

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "settings",
    [
        {"reward": {"progress": 0.02, "track_limits": 0.5, "smoothness": 0.1, "failure": 3.0}},
        {"observation": {"features": ("with_curvature",)}, "action": {"kind": "rate"}},
        {"observation": {"features": ("with_rays",)}, "action": {"kind": "discrete"}},
    ],
    ids=["full", "curvature", "rays"],
)
def test_the_same_states_give_the_same_numbers_as_in_the_twin(settings: Any) -> None:
    twin = TimeTrialEnv(track="oval", car=CAR, task=settings)
    twin.action_space.seed(3)
    observation, _ = twin.reset(seed=1, options={"start": "flying", "distance": 1100.0, "speed": 45.0})
    seen, actions, controls, paid = [observation], [], [], []
    recorded = [twin.frames.copy(), twin.frames.copy(), twin.frames.copy()]
    for _ in range(60):
        action = twin.action_space.sample()
        observation, reward, terminated, truncated, info = twin.step(action)
        assert not truncated
        actions.append(action)
        seen.append(observation)
        paid.append((reward, terminated, info))
        controls.append(twin.task.actions.controls.copy())
        recorded.append(twin.frames.copy())
        if terminated:
            break
    # Connecting, trying to put the car in its place and beginning take a frame each.
    tape = Tape(recorded)
    env = AssettoCorsaEnv(track="oval", car=CAR, task=settings)
    seat = LiveCockpit(tape, tape, env.task.track, env.task.car, timeout=0.2)
    env = AssettoCorsaEnv(track="oval", car=CAR, task=settings, cockpit=seat)
    observation, info = env.reset(seed=1)
    assert info["start"] == "here"
    np.testing.assert_allclose(observation, seen[0], atol=0.001)
    for step, action in enumerate(actions):
        observation, reward, terminated, truncated, info = env.step(action)
        expected, ended, details = paid[step]
        np.testing.assert_allclose(observation, seen[step + 1], atol=0.001, err_msg=str(step))
        np.testing.assert_array_equal(tape.sent[step], controls[step])
        assert reward == pytest.approx(expected, abs=1e-3)
        assert (terminated, truncated) == (ended, False)
        assert info["reason"] == details["reason"]
        assert info.keys() == details.keys()
        assert info["reward_terms"] == pytest.approx(details["reward_terms"], abs=1e-3)


@pytest.mark.parametrize("settings", [{}, {"action": {"gear": "learned"}}, {"action": {"kind": "discrete"}}])
def test_it_passes_gymnasiums_checker(settings: Any) -> None:
    env, _ = environment(**settings)
    env.spec = gymnasium.spec(ASSETTO_CORSA)
    check_env(env, skip_render_check=True)
    env.close()


def test_it_is_registered_and_explains_itself() -> None:
    env = gymnasium.make(ASSETTO_CORSA, source="memory:nowhere", actuator="none", track="oval", reconnect=0.2)
    with pytest.raises(SourceError, match="did not come back within"):
        env.reset()
    document = AssettoCorsaEnv.__doc__ or ""
    for part in ("Description", "Action Space", "Observation Space", "Rewards", "Starting State", "Episode End"):
        assert f"## {part}" in document
    assert not set(GAME_REASONS) & set(REASONS)
    assert all(meaning.startswith("truncated") for meaning in GAME_REASONS.values())
    with pytest.raises(ConfigError, match="render mode"):
        AssettoCorsaEnv(track="oval", render_mode="human")


def test_episodes_begin_where_the_twins_would() -> None:
    env, game = environment()
    twin = TimeTrialEnv(track="oval", car=CAR)
    for seed in (5, None, None):
        _, info = env.reset(seed=seed)
        _, expected = twin.reset(seed=seed)
        assert info["start"] == "placed"
        assert info["lap_distance"] == pytest.approx(expected["lap_distance"], abs=1.0)
    _, info = env.reset(options={"distance": 321.0, "lateral": 1.0})
    assert info["lap_distance"] == pytest.approx(321.0, abs=1.0)
    with pytest.raises(ConfigError, match="no 'height'"):
        env.reset(options={"height": 3.0})
    game.places = False
    _, info = env.reset()
    assert info["start"] == "reset"  # it stood
    game.simulator.reset(distance=200.0, speed=40.0)
    assert env.reset()[1]["start"] == "here"
    game.simulator.reset(distance=200.0, lateral=12.0, speed=40.0)
    assert env.reset()[1]["start"] == "reset"
    game.puts_back = False
    game.simulator.reset(distance=200.0, heading=2.0, speed=10.0)
    assert env.reset()[1]["start"] == "here"


@pytest.mark.parametrize("reason", ["game_paused", "game_lost"])
def test_a_game_that_stops_truncates_and_is_found_again(reason: str) -> None:
    env, game = environment()
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(2, np.float32))
    env.reset(seed=0)
    before = env.step(np.zeros(2, np.float32))[0]
    if reason == "game_lost":
        game.alive = False
    else:
        game.status = PAUSE
    begin = time.perf_counter()
    observation, reward, terminated, truncated, info = env.step(np.zeros(2, np.float32))
    assert time.perf_counter() - begin < 2.0
    assert (reward, terminated, truncated, info["reason"]) == (0.0, False, True, reason)
    assert info["error"]
    assert info["reward_terms"].keys() == env.task.judged.terms.keys()
    np.testing.assert_array_equal(observation, before)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(SourceError, match="did not come back"):
        env.reset()
    game.alive, game.status = True, LIVE
    env.reset()
    assert env.step(np.zeros(2, np.float32))[3] is False


def test_a_car_that_is_moved_by_somebody_truncates() -> None:
    env, game = environment()
    env.reset(seed=0, options={"distance": 100.0})
    env.step(np.zeros(2, np.float32))
    game.simulator.reset(distance=700.0)
    _, reward, terminated, truncated, info = env.step(np.zeros(2, np.float32))
    assert (reward, terminated, truncated, info["reason"]) == (0.0, False, True, "car_moved")


def test_what_a_source_cannot_tell_is_not_shown_as_zero() -> None:
    env, _ = environment(observation={"features": ("vx", "tyre_wear")})
    with pytest.raises(ConfigError, match="tyre_wear"):
        env.reset()
    with pytest.raises(ConfigError, match="period"):
        environment(physics={"substeps": 20})


def test_an_episode_runs_to_its_end() -> None:
    env, _ = environment(end={"time_limit": 1.0})
    env.reset(seed=0)
    step, ended = 0, False
    while not ended:
        step += 1
        *_, terminated, truncated, info = env.step(np.array([0.0, 0.3], np.float32))
        ended = terminated or truncated
    assert (step, info["reason"]) == (26, "time_limit")
