"""Deterministic laps of drivers: from the grid, flying, and from random places of the lap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Floats
from actwin.analysis.laps import find_laps
from actwin.content.car import Car
from actwin.driving.driver import Driver
from actwin.driving.policy import Decider
from actwin.driving.recording import rollout
from actwin.env.config import StartConfig
from actwin.env.starts import FLYING, GRID, START_NAMES, Start, Starts
from actwin.env.task import Task
from actwin.errors import ConfigError, UnknownNameError
from actwin.telemetry.channels import CONTROLS, FRAME, Frames
from actwin.training.drives import Drive, measured
from actwin.training.runs import one_thread
from actwin.twin.simulator import Simulator

SLOWEST: Final = 1.5
"""How much longer than the predicted lap a lap may take."""
STANDSTILL: Final = 1.0
"""[m/s] Below it a car stands ..."""
PATIENCE: Final = 10.0
"""[s] ... and after so long it will not go on."""
BLOCK: Final = 32
"""Cars for which a network decides at a time."""
KINDS: Final[Mapping[str, str]] = {"grid": "grid", "flying": "flying", "pit_out": "pit_out", "random": "anywhere"}
"""Kinds of start that an evaluation knows, with their names in `actwin.env.starts`."""
RANDOM: Final = "random"
"""The only kind that differs from episode to episode."""


class InBlocks:
    """A policy that always decides for `BLOCK` cars, some of which may not exist.

    The last bits of a matrix product depend on its size. So a car gets the same controls whoever else is driven.

    Args:
        policy: The policy.
    """

    def __init__(self, policy: Decider) -> None:
        self._policy = policy
        self.observations = policy.observations

    @property
    def width(self) -> int:
        """Columns of an action."""
        return self._policy.width

    def decide(self, observations: Floats) -> Floats:
        """float32[N, width]: the most likely actions for raw observations float32[N, observations]."""
        n = len(observations)
        filled = np.zeros((-(-n // BLOCK) * BLOCK, observations.shape[1]), np.float32)
        filled[:n] = observations
        blocks = [np.array(self._policy.decide(filled[i : i + BLOCK])) for i in range(0, n, BLOCK)]
        return np.concatenate(blocks)[:n]


def draw_starts(
    task: Task, kinds: Sequence[str] = ("grid", "flying", RANDOM), episodes: int = 2, seed: int = 0
) -> Start:
    """Where episodes begin: one of each kind that is always the same, in the given order, then random ones.

    Random starts are drawn as `actwin.env.starts` draws them with the settings that are usual in training: anywhere, at
    40 % to 95 % of the racing speed, off the racing line and askew. They depend on seed and number only.

    Args:
        task: Gives the road.
        kinds: Names out of `KINDS`.
        episodes: Number of starts.
        seed: Of the random ones.

    Raises:
        UnknownNameError: A kind that does not exist.
        ConfigError: More starts than different ones.
    """
    if not kinds:
        raise ConfigError(f"There is no kind of start to drive from. Choose of {', '.join(KINDS)}.")
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownNameError("start", kind, KINDS)
    fixed = [kind for kind in dict.fromkeys(kinds) if kind != RANDOM][:episodes]
    left = episodes - len(fixed)
    if left and RANDOM not in kinds:
        raise ConfigError(
            f"{episodes} episodes, but {' and '.join(fixed)} starts are the same every time. "
            f"Ask for {len(fixed)}, or add random starts."
        )
    source = Starts(StartConfig(), task.reference)
    one, many = np.zeros(1, np.int64), np.arange(left)
    drawn = [source.draw(seed, one, one, KINDS[kind]) for kind in fixed]
    if left:
        drawn.append(source.draw(seed, many, np.zeros(left, np.int64), KINDS[RANDOM]))
    return Start._make(np.concatenate(column) for column in zip(*drawn, strict=True))


def drive_laps(name: str, driver: Driver, task: Task, starts: Start, laps: int = 1) -> list[Drive]:
    """Drives all starts at once, each until its laps are done.

    What comes of an episode depends on nothing but driver, task and its own start.

    Args:
        name: Of the driver, for tables.
        driver: For as many cars as there are starts.
        task: Judges, and gives track, car, physics and racing speed; of the driver, or of another that is compared
            with it.
        starts: From `draw_starts`.
        laps: Full laps, from line to line, after the first time over the line.
    """
    n = len(starts.kind)
    if task.n != n:
        task = Task(task.config, n, track=task.track, car=task.car, reference=task.reference)
    simulator = task.simulator()
    fuel = np.minimum(_fuel(task.car, starts, laps), task.car.chassis.fuel_capacity)
    frames = simulator.reset(
        distance=starts.distance, lateral=starts.lateral, heading=starts.heading, speed=starts.speed, fuel=fuel
    )
    steps = math.ceil((laps + 1) * SLOWEST * task.reference.lap_time / simulator.control_period)
    # The car itself counts what it begins standing on the grid as a lap, other ways to the line not.
    goals = laps + (starts.kind == GRID)
    watch = _Watch(frames, goals, round(PATIENCE / simulator.control_period), steps)
    with one_thread():
        _drive(driver, task, simulator, watch)
    return [
        _drive_of(name, laps, START_NAMES[kind], simulator, watch, car, task) for car, kind in enumerate(starts.kind)
    ]


def _fuel(car: Car, starts: Start, laps: int) -> npt.NDArray[np.float64]:
    """[kg] The car's default, which is for one quick lap, for each lap and for the way to the line."""
    return np.asarray(car.chassis.fuel * np.where(starts.kind == FLYING, laps, laps + 1))


class _Watch:
    """Keeps what N cars do, and knows which of them are still driving.

    Args:
        frames: FRAME[N] where they begin.
        goals: int[N] Laps that each car is to count.
        patience: Steps that a car may stand.
        steps: At most.
    """

    def __init__(self, frames: Frames, goals: npt.NDArray[np.int64], patience: int, steps: int) -> None:
        n = len(frames)
        self.frames, self.sent = np.empty((steps + 1, n), FRAME), np.zeros((steps + 1, n), CONTROLS)
        self.frames[0] = frames
        self.reward, self.ends = np.zeros(n), np.full(n, steps)
        self.driving, self.paid = np.ones(n, np.bool_), np.ones(n, np.bool_)
        self._standing = np.zeros(n, np.int64)
        self.goals, self._patience, self.steps = goals, patience, steps

    def add(self, step: int, frames: Frames, judged: Any) -> None:
        """Enters what a control period brought; FRAME[N] after it and what the judge says."""
        self.frames[step] = frames
        self.reward += np.where(self.driving & self.paid, judged.reward, 0.0)
        self.paid &= ~judged.terminated
        moves = frames["speed"] > STANDSTILL  # false for a state that is no number, too
        self._standing = np.where(moves, 0, self._standing + 1)
        done = self.driving & ((frames["lap_count"] >= self.goals) | (self._standing > self._patience))
        self.ends[done] = step
        self.driving &= ~done


def _drive(driver: Driver, task: Task, simulator: Simulator, watch: _Watch) -> None:
    driver.reset(None)
    task.begin(simulator.frames)
    # A policy that was made for this very task puts what it sends into the history itself.
    watching = getattr(driver, "task", None) is not task
    for step in range(1, watch.steps + 1):
        controls = driver.act(simulator.frames)
        watch.sent[step - 1] = controls
        if watching:
            task.remember(controls, simulator.frames)
        simulator.step(controls)
        task.judge(simulator.frames)
        watch.add(step, simulator.frames, task.judged)
        if not watch.driving.any():
            return


def _drive_of(name: str, asked: int, kind: str, simulator: Simulator, watch: _Watch, car: int, task: Task) -> Drive:
    end = int(watch.ends[car])
    run = rollout(simulator, watch.frames[: end + 1], name, car)
    frames = run.frames
    laps, opening = find_laps(run, task.track), math.nan
    if kind == "grid":
        # What began standing is a figure of its own, wherever the grid lies.
        full = int(np.argmax(frames["lap_count"] > 0)) or len(frames)
        laps = [lap for lap in laps if lap.first >= full]
        opening = float(frames["last_lap_time"][full]) if full < len(frames) else math.nan
    start = next(word for word, meaning in KINDS.items() if meaning == kind)
    sent = np.ascontiguousarray(watch.sent[: end + 1, car])
    ended = _ended(frames, watch, car)
    return measured(run, sent, start, asked, ended, laps, opening, float(watch.reward[car]), task.car)


def _ended(frames: Frames, watch: _Watch, car: int) -> str:
    if frames["lap_count"][-1] >= watch.goals[car]:
        return "finished"
    if frames["fuel"][-1] <= 0.0:
        return "out of fuel"
    return "stopped" if watch.ends[car] < watch.steps else "out of time"
