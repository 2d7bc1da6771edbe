"""The twin as the trainer sees it: arrays of cars to learn with, fixed starts to be judged by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch

from actwin.agents.arrays import Flags, Floats
from actwin.agents.networks import ActionSpec
from actwin.agents.registry import DrivingPolicy
from actwin.driving.policy import PolicyDriver
from actwin.env.judge import MEMORY
from actwin.env.race import Race
from actwin.env.task import Task, TaskConfig
from actwin.training.episodes import episode_scalars
from actwin.training.evaluation import draw_starts, drive_laps
from actwin.training.protocols import Score
from actwin.training.scores import rate, scalars

STARTS: Final = 24
"""Of an evaluation: from the grid, flying, and random ones, which are the same each time."""
THOROUGH_LAPS: Final = 5
"""From each of them, before a policy is called the best: one lap does not show a crash in every thirtieth."""


class TwinCars:
    """N cars of a task in the twin; implements `trainer.CarArray`.

    Args:
        task: For N cars.
    """

    def __init__(self, task: Task) -> None:
        # A learner that was given one thread shares the processor with others.
        self._race = Race(task, 1 if torch.get_num_threads() == 1 else None)
        self.num_envs = task.n
        self.final_observation = self._race.final_observation
        self.reward_terms = task.judged.terms

    def start(self, seed: int) -> Floats:
        """Resets all cars; float32[N, O].

        The clocks of the first episodes are spread, so that time limits do not end all of them at once for ever after.
        """
        observation = self._race.reset(seed)
        judged, end = self._race.task.judged, self._race.task.config.end
        limit = end.time_limit / self._race.task.config.period
        judged.memory[:, MEMORY.index("periods")] = np.floor(np.random.default_rng(seed).random(self.num_envs) * limit)
        return observation

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """One control step; observation, reward, terminated, truncated."""
        race, judged = self._race, self._race.task.judged
        race.step(actions)
        return race.observation, judged.reward, judged.terminated, judged.truncated

    def episode_stats(self) -> dict[str, float]:
        """What the episodes that ended since the last call were like, and the sectors driven; see `episode_scalars`."""
        curriculum = self._race.curriculum
        eased = {"difficulty": curriculum.difficulty} if curriculum.config.window else {}
        return episode_scalars(self._race.episode_stats(), self._race.sector_times()) | eased

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        kept: dict[str, Any] = _converted(self._race.state(), np.ndarray, torch.from_numpy)
        return kept

    def load_state(self, state: dict[str, Any]) -> Floats:
        """Goes on from `state()`; the observation float32[N, O].

        Raises:
            ValueError: Of another number of cars.
        """
        if len(state["episodes"]) != self.num_envs:
            raise ValueError(f"{len(state['episodes'])} cars instead of {self.num_envs}")
        return self._race.load_state(_converted(state, torch.Tensor, torch.Tensor.numpy))


def _converted(tree: Any, kind: type, convert: Callable[[Any], Any]) -> Any:
    """Nested dicts with everything of one kind converted."""
    if isinstance(tree, dict):
        return {name: _converted(value, kind, convert) for name, value in tree.items()}
    return convert(tree) if isinstance(tree, kind) else tree


class TwinWorld:
    """A task in the twin; implements `trainer.World`.

    Args:
        config: The task.
    """

    def __init__(self, config: TaskConfig) -> None:
        self._judge = self.tasks(config, STARTS)
        self.config, self.period = config, config.period
        self.observations = self._judge.observation_size
        self.action = ActionSpec(*self._judge.action_space)
        self.columns: Sequence[str] = [column.label for column in self._judge.layout.columns]
        self.task = self._judge.identity()

    @staticmethod
    def tasks(config: TaskConfig, n: int, like: Task | None = None) -> Task:
        """The task for N cars; what was computed for `like` is used again."""
        if like is None:
            return Task(config, n)
        return Task(config, n, track=like.track, car=like.car, reference=like.reference)

    def task_for(self, n: int) -> Task:
        """The task for N cars."""
        return self.tasks(self.config, n, self._judge)

    def cars(self, n: int) -> TwinCars:
        """N cars to train with."""
        return TwinCars(self.task_for(n))

    def evaluate(self, policy: DrivingPolicy, thorough: bool = False) -> Score:
        """Drives a lap, or with more fuel several, from each of the fixed starts, without exploration."""
        starts, laps = draw_starts(self._judge, episodes=STARTS), THOROUGH_LAPS if thorough else 1
        drives = drive_laps("policy", PolicyDriver(self._judge, policy), self._judge, starts, laps)
        shown = dict(scalars(drives))
        best = min(drive.best for drive in drives)
        return Score(rate(drives, self._judge.reference.lap_time), best if math.isfinite(best) else math.nan, shown)
