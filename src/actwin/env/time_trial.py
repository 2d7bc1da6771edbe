"""The Gymnasium environments of the time trial: one car, or thousands in one array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from actwin.env.config import TaskConfig
from actwin.env.ends import REASON_NAMES
from actwin.env.race import Race
from actwin.env.spaces import action_space, flat_actions, observation_space
from actwin.env.step_info import Step, frame_info, judged_step, split_options
from actwin.env.task import Task
from actwin.errors import ConfigError
from actwin.telemetry.channels import Frames

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Settings = TaskConfig | Mapping[str, Any] | None

METADATA = {"render_modes": ["rgb_array"], "render_fps": 26}


class TimeTrialEnv(gymnasium.Env[Floats, Any]):
    """One car alone on the track, against the clock.

    ## Description
    Drive laps as fast as the car can without leaving the track. The car moves in the twin: four wheels, physics steps
    of 3 ms, 13 of them to a control period of 39 ms. `gymnasium.make("actwin/TimeTrial-v0", track="monza",
    car="formula_alpha_2022")` makes it; `gymnasium.make_vec` with the same arguments and `num_envs=4096` makes
    thousands of them in one array, see `TimeTrialVectorEnv`. Every number below is a setting of `TaskConfig`: pass one
    as `task=`, or parts of it as a dictionary, `task={"action": {"kind": "rate"}}`.

    ## Action Space
    By default `Box(-1, 1, (2,), float32)`:

    | index | action | low | high | meaning |
    |---|---|---|---|---|
    | 0 | steer | -1 | 1 | steering as a share of the lock, left positive |
    | 1 | pedal | -1 | 1 | positive throttle, negative brake |

    `action.kind="rate"` makes them changes, `action.pedals="separate"` gives throttle and brake an axis each,
    `action.gear="learned"` makes the space `Dict(controls=Box, gear=Discrete)`, and `action.kind="discrete"` makes it
    `Discrete`, by default 35 combinations of steering rate and pedal. `env.unwrapped.task.actions.table()` prints the
    table of an instance.

    ## Observation Space
    `Box(float32)`, scaled to about [-1, 1] and limited to ±10. By default: velocities, yaw rate, accelerations,
    slips and loads of the wheels, engine speed, gear, controls at the car and sent in the two periods before, distances
    to both borders, heading error, tyres out, offset and angle to the racing line, and 16 points each of the left
    border, the right border and the racing line in the car frame, over the next 6 s at the present speed, with the
    racing speed at the car and at each of the 16 places. Further features and presets are in `actwin.env.features`;
    `env.unwrapped.task.layout.table()` prints the table of an instance.

    ## Rewards
    The sum of named terms, each times its weight in `reward`; `info["reward_terms"]` holds the weighted terms. By
    default metres along the racing line (not paid with three or more wheels off), minus wheels off the track × speed²,
    changes of the controls, slip beyond the peak, energy lost to walls and failures, plus a bonus for each valid lap.
    All terms are in `actwin.env.rewards.TERMS`.

    ## Starting State
    Drawn from `start.mixture`: `anywhere` on the lap at 40 to 95 % of the racing speed, `grid`, `pit_out`, `flying`, or
    `replay` of exact states two to four seconds before past mistakes. `reset(options={"start": "grid"})` asks for one
    kind, and `distance`, `lateral`, `heading`, `speed` among the options set the place. The same seed gives the same
    starts.

    ## Episode End
    Terminated: all four wheels off the track for half a second, a spin, 15 m backwards, five seconds standing, a hard
    wall hit. Truncated: `end.time_limit` (60 s), `end.lap_limit` laps. `info["reason"]` tells which.

    ## Arguments
    `track`, `car`: names of the library or paths of files. `task`: a `TaskConfig` or a dictionary of its settings.
    `render_mode="rgb_array"`: a view from above with a telemetry strip.

    ## Version History
    - v0: first version.
    """

    metadata = METADATA

    def __init__(
        self, track: str | None = None, car: str | None = None, task: Settings = None, render_mode: str | None = None
    ) -> None:
        check_render_mode(render_mode)
        self.task = Task(TaskConfig.of(task, track=track, car=car))
        self.race = Race(self.task)
        self.render_mode = render_mode
        self.observation_space = observation_space(self.task)
        self.action_space = action_space(self.task.action_space)
        self._view: Any = None

    @property
    def frames(self) -> Frames:
        """FRAME[1] of this moment."""
        return self.race.frames

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: Begins a new series of starts; None goes on with the series.
            options: `start`, a kind of start; `distance`, `lateral`, `heading`, `speed`, a place.

        Returns:
            Observation and info.
        """
        super().reset(seed=seed)
        start, place = split_options(options)
        observation = self.race.reset(_new_seed(self, seed), start=start, place=place)
        return observation[0].copy(), frame_info(self.frames, REASON_NAMES[0])

    def step(self, action: Any) -> Step:
        """Drives one control period.

        Args:
            action: From `action_space`.

        Returns:
            Observation, reward, terminated, truncated, info.
        """
        if self.race.episodes[0] < 0:
            raise gymnasium.error.ResetNeeded("Call reset() before step().")
        self.race.advance(flat_actions(action, 1))
        reason = REASON_NAMES[self.task.judged.reasons[0]]
        return judged_step(self.task, self.frames, self.race.observation, reason)

    def close(self) -> None:
        """Frees what the environment holds."""
        self.race.close()

    def render(self) -> npt.NDArray[np.uint8] | None:
        """The view from above, uint8[height, width, 3]; None without a render mode."""
        if self.render_mode is None:
            return None
        if self._view is None:
            self._view = _view(self.task)
        return np.asarray(self._view.draw(self.race.frames[0], self.task.actions.controls[0]))


class TimeTrialVectorEnv(VectorEnv[Floats, Any, Any]):
    """Thousands of cars in one array, each in its own time trial; they do not meet.

    Actions, observations, rewards, starts and ends are those of `TimeTrialEnv`. A car whose episode ends begins the
    next one in the same step (`AutoresetMode.SAME_STEP`): the observation returned is the new episode's first, the old
    one's last is in `info["final_obs"]`.

    Trainers use `step_arrays`, which returns arrays that are used again in the next step and builds no dictionaries.

    Args:
        num_envs: Number of cars N.
        track, car: Names of the library or paths of files.
        task: A `TaskConfig` or a dictionary of its settings.
        render_mode: `"rgb_array"` or None.
        threads: Threads that share the cars; by default one below 1,024 cars, else two.
        stagger: Begins first episodes at random ages, so that the time limit does not end all of them in the same step.
    """

    metadata = METADATA | {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        track: str | None = None,
        car: str | None = None,
        task: Settings = None,
        render_mode: str | None = None,
        threads: int | None = None,
        stagger: bool = False,
    ) -> None:
        check_render_mode(render_mode)
        self.num_envs, self.render_mode, self._stagger = num_envs, render_mode, stagger
        self.task = Task(TaskConfig.of(task, track=track, car=car), num_envs)
        self.race = Race(self.task, threads)
        self.single_observation_space = observation_space(self.task)
        self.single_action_space = action_space(self.task.action_space)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._view: Any = None

    @property
    def frames(self) -> Frames:
        """FRAME[N] of this moment."""
        return self.race.frames

    @property
    def final_observation(self) -> Floats:
        """float32[N, O] In rows whose episode ended in the last step, what was seen at its end."""
        return self.race.final_observation

    @property
    def reward_terms(self) -> Mapping[str, Floats]:
        """Weighted reward terms float32[N] of the last step by name; they sum to the reward."""
        return self.task.judged.terms

    def episode_stats(self) -> dict[str, npt.NDArray[Any]]:
        """Books of the episodes that ended since the last call, see `Race.episode_stats`."""
        return self.race.episode_stats()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begins an episode in every car.

        Args:
            seed: Begins a new series of starts; None goes on with the series.
            options: As in `TimeTrialEnv.reset`, and `reset_mask`, bool[N], for some cars only.

        Returns:
            Observations float32[N, O] and info.
        """
        super().reset(seed=seed)
        start, place = split_options(options)
        mask = place.pop("reset_mask", None)
        rows = None if mask is None else np.flatnonzero(mask)
        observation = self.race.reset(_new_seed(self, seed), rows, start, place)
        if self._stagger and rows is None:
            self._stagger_clocks()
        return observation.copy(), {}

    def reset_arrays(self, seed: int | None = None) -> Floats:
        """Begins an episode in every car.

        Args:
            seed: As in `reset`.

        Returns:
            float32[N, O], an array that is used again in every step.
        """
        self.reset(seed=seed)
        return self.race.observation

    def _stagger_clocks(self) -> None:
        periods = self.task.config.end.time_limit / self.task.config.period
        self.task.judged.age(np.random.default_rng(self.race.seed).uniform(0.0, 0.9 * periods, self.num_envs))

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """Drives one control period.

        Args:
            actions: float32[N, A], the continuous controls and then the index of the choice, if any.

        Returns:
            Observations float32[N, O], rewards float32[N], terminated bool[N] and truncated bool[N]; the same arrays in
            every step.

        Raises:
            ControlError: Another shape, or a value that is not finite; nothing is driven.
        """
        self.race.step(actions)
        judged = self.task.judged
        return self.race.observation, judged.reward, judged.terminated, judged.truncated

    def step(self, actions: Any) -> tuple[Floats, Any, Any, Any, dict[str, Any]]:
        """Drives one control period.

        Args:
            actions: From `action_space`.

        Returns:
            Observations, rewards, terminations, truncations and infos, in arrays of their own.
        """
        observation, reward, terminated, truncated = self.step_arrays(flat_actions(actions, self.num_envs))
        return observation.copy(), reward.astype(np.float64), terminated.copy(), truncated.copy(), self._infos()

    def close_extras(self, **kwargs: Any) -> None:
        """Frees what the environment holds."""
        self.race.close()

    def _infos(self) -> dict[str, Any]:
        rows = self.race.ended
        if not len(rows):
            return {}
        mask = np.zeros(self.num_envs, np.bool_)
        mask[rows] = True
        final = np.full(self.num_envs, None, dtype=object)
        reasons = np.full(self.num_envs, None, dtype=object)
        for row in rows:
            final[row] = self.race.final_observation[row].copy()
            reasons[row] = REASON_NAMES[self.task.judged.reasons[row]]
        info = {"reason": reasons, "_reason": mask.copy()}
        return {"final_obs": final, "_final_obs": mask.copy(), "final_info": info, "_final_info": mask}

    def render(self) -> tuple[npt.NDArray[np.uint8], ...] | None:
        """One view from above for each car, uint8[height, width, 3]; None without a render mode."""
        if self.render_mode is None:
            return None
        if self._view is None:
            self._view = _view(self.task)
        controls = self.task.actions.controls
        return tuple(np.asarray(self._view.draw(frame, controls[car])) for car, frame in enumerate(self.race.frames))


def check_render_mode(mode: str | None) -> None:
    """Raises `ConfigError` for a render mode that does not exist."""
    if mode is not None and mode not in METADATA["render_modes"]:  # type: ignore[operator]
        raise ConfigError(f"There is no render mode '{mode}'. Use \"rgb_array\" or None.")


def _new_seed(env: Any, seed: int | None) -> int | None:
    """The seed of a new series of starts; None when the old one goes on."""
    if seed is None and (env.race.episodes >= 0).any():
        return None
    return int(env.np_random.integers(2**31))


def _view(task: Task) -> Any:
    from actwin.env.render import TopView

    return TopView(task.reference, task.car)
