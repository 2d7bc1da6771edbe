"""Demonstrations by the scripted expert and the clone made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from actwin.agents.arrays import Floats
from actwin.agents.bc import Demonstrations, Epoch, clone
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.registry import new_network
from actwin.agents.replay import Experience
from actwin.driving.line_follower import LineFollower
from actwin.env.task import Task, TaskConfig
from actwin.errors import ConfigError
from actwin.telemetry.channels import Frames
from actwin.training.config import ImitationConfig, RunConfig
from actwin.twin.simulator import Simulator

STINT: Final = 20.0
"""[s] Driving from one start to the next; short ones show more of how to get back to the line."""
DISTURBANCE_TIME: Final = 0.4
"""[s] Correlation time of the disturbances."""
CUTTING: Final = 3
"""Wheels beyond the track limits from which a demonstration is not to be imitated."""


class _Disturbance:
    """Smooth random errors of the actions: what is demonstrated is how the expert mends them.

    Laskey et al. 2017, "DART: noise injection for robust imitation learning".
    """

    def __init__(self, size: float, n: int, width: int, period: float, seed: int) -> None:
        self.size, self._random = size, np.random.default_rng(seed)
        self._keep = float(np.exp(-period / DISTURBANCE_TIME))
        self._value = self._random.standard_normal((n, width))
        # Some cars drive undisturbed, so that what they do on the line is in the demonstrations too.
        self._strength = np.linspace(0.0, 2.0, n)[:, None]

    def apply(self, actions: Floats, continuous: int) -> Floats:
        """Actions float32[N, width] with their first `continuous` columns disturbed; a choice stays."""
        noise = self._random.standard_normal(self._value.shape)
        self._value = self._keep * self._value + np.sqrt(1.0 - self._keep**2) * noise
        disturbed = actions.copy()
        error = self.size * self._strength * self._value[:, :continuous]
        disturbed[:, :continuous] = np.clip(actions[:, :continuous] + error, -1.0, 1.0)
        return disturbed


def demonstrate(
    config: TaskConfig,
    imitation: ImitationConfig,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
    task: Task | None = None,
) -> tuple[Demonstrations, Experience]:
    """Lets the scripted expert drive many cars from everywhere on the lap and keeps what it saw and did.

    A stint counts as a lap when laps are kept for validation.

    Args:
        config: The task that is to be learned.
        imitation: How many cars, how long, how disturbed.
        seed: Of starts and disturbances.
        on_progress: Called with the share that is done.
        task: The task for `imitation.cars` cars, when it was already made.

    Returns:
        What the expert would do where it was, and what was really done with its rewards; they differ by the
        disturbances.

    Raises:
        ConfigError: The expert could not stay on the road.
    """  # fmt: skip
    task = task or Task(config, imitation.cars)
    simulator = task.simulator()
    expert = LineFollower(task.track, task.car, task.n, pace=imitation.pace, noise=imitation.deviation, seed=seed)
    frames, stint = simulator.frames, round(STINT / config.period)
    steps = round(imitation.seconds / config.period)
    observations = np.empty((steps, task.n, task.observation_size), np.float32)
    actions = np.empty((steps, task.n, task.action_space.width), np.float32)
    laps, usable = np.empty((steps, task.n), np.int64), np.empty((steps, task.n), np.bool_)
    done, rewards = np.empty_like(actions), np.empty((steps, task.n), np.float32)
    ended, alive = np.zeros((steps, task.n), np.bool_), np.ones((steps + 1, task.n), np.bool_)
    disturbance = _Disturbance(imitation.noise, task.n, task.action_space.width, config.period, seed)
    for step in range(steps):
        if step % stint == 0:
            frames = _begin(task, simulator, seed, step // stint)
            expert.reset(None)
            alive[step] = True
        task.observe(frames, observations[step])
        controls = expert.act(frames)
        actions[step] = task.encode(controls, frames)
        laps[step] = np.arange(task.n) + task.n * (step // stint)
        usable[step] = (
            (frames["tyres_out"] < CUTTING) & (np.abs(frames["heading_error"]) < 1.0) & (controls["gear"] != -1)
        )
        sent = disturbance.apply(actions[step], task.action_space.continuous)
        frames = simulator.step(task.decode(sent, frames))
        task.judge(frames)
        done[step], rewards[step] = sent, task.judged.reward
        ended[step] = task.judged.terminated | task.judged.truncated | ((step + 1) % stint == 0)
        alive[step + 1] = alive[step] & ~ended[step]
        if on_progress:
            on_progress((step + 1) / steps)
    if usable.mean() < 0.5:
        raise ConfigError(
            f"The expert left the road in {1.0 - usable.mean():.0%} of its demonstrations. "
            "Lower imitation.pace or imitation.noise."
        )
    shown = Demonstrations(observations[usable], actions[usable], laps[usable])
    return shown, Experience(observations, done, rewards, ended, alive[:-1])


def _begin(task: Task, simulator: Simulator, seed: int, stint: int) -> Frames:
    """Puts all cars where the task's own episodes may begin; FRAME[N]."""
    rows = np.arange(task.n)
    start = task.starts.draw(seed, rows, np.full(task.n, stint))
    frames = simulator.reset(distance=start.distance, lateral=start.lateral, heading=start.heading, speed=start.speed)
    task.begin(frames)
    return frames


def clone_expert(
    config: RunConfig,
    demonstrations: Demonstrations,
    action: ActionSpec,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[Policy, list[Epoch]]:
    """The policy that does what was demonstrated, with the network that `config.agent` goes on with.

    Args:
        config: The run; needs its section `imitation`.
        demonstrations: From `demonstrate`.
        action: What is decided.
        on_epoch: Called after each pass.
    """
    assert config.imitation is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        policy = new_network(config.agent, demonstrations.observations.shape[1], action)
    assert isinstance(policy, Policy)
    return policy, clone(policy, demonstrations, config.imitation.bc, config.seed, on_epoch)
