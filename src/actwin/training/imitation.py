"""Demonstrations by the scripted expert and the clone made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch

from actwin.agents.arrays import Floats
from actwin.agents.bc import Demonstrations, Epoch, clone
from actwin.agents.device import chosen_device
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.registry import new_network
from actwin.agents.replay import Experience
from actwin.driving.line_follower import LineFollower
from actwin.env.task import Task, TaskConfig
from actwin.errors import ConfigError
from actwin.telemetry.channels import AUTO_GEAR, Controls, Frames
from actwin.training.config import RunConfig
from actwin.training.imitation_config import ImitationConfig
from actwin.twin.simulator import Simulator

STINT: Final = 20.0
"""[s] Driving from one start to the next; short ones show more of how to get back to the line."""
DISTURBANCE_TIME: Final = 0.4
"""[s] Correlation time of the disturbances."""
CUTTING: Final = 3
"""Wheels beyond the track limits from which a demonstration is not to be imitated."""
ASTRAY: Final = 1.0
"""[rad] Off the road's heading, from which it is not either."""


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
    stint, steps = round(STINT / config.period), round(imitation.seconds / config.period)
    notes = _Notes(task, steps, -(-steps // stint))
    disturbance = _Disturbance(imitation.noise, task.n, task.action_space.width, config.period, seed)
    for number, begin in enumerate(range(0, steps, stint)):
        frames = _begin(task, simulator, seed, number)
        expert.reset(None)
        for step in range(begin, min(begin + stint, steps)):
            controls = expert.act(frames)
            notes.see(frames, controls, number)
            sent = disturbance.apply(notes.wanted, task.action_space.continuous)
            decoded = task.decode(sent, frames)
            if task.actions.gears:
                decoded["gear"] = AUTO_GEAR  # the gear that it engages is what is demonstrated
            frames = simulator.step(decoded)
            task.judge(frames)
            notes.judge(frames, sent)
            if on_progress:
                on_progress((step + 1) / steps)
        notes.end(frames)
    usable = notes.usable
    share = usable.sum() / (steps * task.n)
    if share < 0.5:
        raise ConfigError(
            f"The expert left the road in {1.0 - share:.0%} of its demonstrations. "
            "Lower imitation.pace or imitation.noise."
        )
    return Demonstrations(notes.observations[usable], notes.actions[usable], notes.laps[usable]), notes.experience()


class _Notes:
    """What cars saw, did and earned; after each stint there is a row of what came of its last step.

    Args:
        task: For N cars.
        steps: Of each car.
        stints: That they are driven in.
    """

    def __init__(self, task: Task, steps: int, stints: int) -> None:
        shape = steps + stints, task.n
        self._task, self._row, self._alive = task, 0, np.ones(task.n, np.bool_)
        self.observations: Floats = np.empty((*shape, task.observation_size), np.float32)
        self.actions: Floats = np.zeros((*shape, task.action_space.width), np.float32)
        self.laps = np.zeros(shape, np.int64)
        self.usable, self._episode, self._terminated, self._truncated = np.zeros((4, *shape), np.bool_)
        self._done, self._rewards = np.zeros_like(self.actions), np.zeros(shape, np.float32)

    @property
    def wanted(self) -> Floats:
        """float32[N, width]: what the driver would do now."""
        wanted: Floats = self.actions[self._row]
        return wanted

    def see(self, frames: Frames, controls: Controls, stint: int) -> None:
        """Takes note of FRAME[N] and of what the driver would do, CONTROLS[N]."""
        row, task = self._row, self._task
        task.observe(frames, self.observations[row])
        self.actions[row] = task.encode(controls, frames)
        self.laps[row] = np.arange(task.n) + task.n * stint
        sound = (frames["tyres_out"] < CUTTING) & (np.abs(frames["heading_error"]) < ASTRAY)
        self.usable[row] = sound & (controls["gear"] != -1)

    def judge(self, frames: Frames, sent: Floats) -> None:
        """Takes note of what was really done, float32[N, width], and of what came of it, FRAME[N]."""
        row, judged = self._row, self._task.judged
        if self._task.actions.gears:
            engaged = np.clip(frames["gear"], 1, self._task.actions.gears) - 1.0
            self.actions[row, :, -1] = sent[:, -1] = engaged
        self._done[row], self._rewards[row], self._episode[row] = sent, judged.reward, self._alive
        self._terminated[row] = judged.terminated
        self._truncated[row] = judged.truncated & ~judged.terminated
        self._alive = self._alive & ~(judged.terminated | judged.truncated)
        self._row += 1

    def end(self, frames: Frames) -> None:
        """The stint is over with FRAME[N]; the next one begins elsewhere."""
        self._truncated[self._row - 1] |= self._alive
        self._task.observe(frames, self.observations[self._row])
        self._alive = np.ones(self._task.n, np.bool_)
        self._row += 1

    def experience(self) -> Experience:
        """Everything with its rewards, in time order."""
        return Experience(
            self.observations, self._done, self._rewards, self._terminated, self._truncated, self._episode
        )


def _begin(task: Task, simulator: Simulator, seed: int, stint: int) -> Frames:
    """Puts all cars where the task's own episodes may begin; FRAME[N]."""
    rows = np.arange(task.n)
    start = task.starts.draw(seed, rows, np.full(task.n, stint))
    frames = simulator.reset(distance=start.distance, lateral=start.lateral, heading=start.heading, speed=start.speed)
    task.begin(frames)
    return frames


def join_demonstrations(parts: Sequence[Demonstrations]) -> Demonstrations:
    """Several drivers' demonstrations as one; their laps stay different ones."""
    if len(parts) == 1:
        return parts[0]
    first, laps = 0, []
    for part in parts:
        names, lap = np.unique(part.laps, return_inverse=True)
        laps.append(lap + first)
        first += len(names)
    return Demonstrations(
        np.concatenate([part.observations for part in parts]), np.concatenate([part.actions for part in parts]),
        np.concatenate(laps),
    )  # fmt: skip


def join_experience(parts: Sequence[Experience]) -> Experience:
    """Several drivers' experience as one car's, one after the other."""
    if len(parts) == 1:
        return parts[0]
    cars = [part if part.rewards.shape[1] == 1 else part.joined() for part in parts]
    return Experience(*(np.concatenate(columns) for columns in zip(*cars, strict=True)))


def new_clone(
    config: RunConfig,
    demonstrations: Demonstrations,
    action: ActionSpec,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[Policy, list[Epoch]]:
    """The policy that does what was demonstrated, with the network that `config.agent` goes on with.

    Args:
        config: The run; needs its section `imitation`.
        demonstrations: Of the expert, of recorded drives, or of both.
        action: What is decided.
        on_epoch: Called after each pass.
    """
    assert config.imitation is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        policy = new_network(config.agent, demonstrations.observations.shape[1], action)
    assert isinstance(policy, Policy)
    device = chosen_device(config.train.device)
    return policy, clone(policy, demonstrations, config.imitation.bc, config.seed, on_epoch, device)
