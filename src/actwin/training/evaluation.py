"""Deterministic laps of drivers: from the grid, flying, and from places all around the lap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.analysis.laps import Lap, find_laps
from actwin.analysis.rollout import Rollout
from actwin.driving.driver import Driver
from actwin.driving.recording import rollout
from actwin.env.task import Task
from actwin.telemetry.channels import FRAME, Frames
from actwin.training.runs import one_thread
from actwin.twin.simulator import Simulator

CUTTING: Final = 3
"""Wheels beyond the track limits that AC counts as an offence."""
RUN_UP: Final = 400.0
"""[m] Before the line, where a flying start begins."""
AROUND_SPEED: Final = 0.7
"""Share of the racing speed at which cars around the lap start."""


class Drive(NamedTuple):
    """What one car did from one start."""

    driver: str
    start: str
    """"grid", "flying" or "around"."""
    rollout: Rollout
    laps: list[Lap]
    """Full laps, clean or not."""
    excursions: int
    """Times that at least `CUTTING` wheels went beyond the track limits."""
    collision: float
    """[J] Energy lost to walls."""
    mean_speed: float
    """[m/s]"""
    smoothness: float
    """[1/s] Mean absolute change of the steering as a share of the lock."""
    reward: float
    """Sum of the task's reward over the drive."""
    least_border: float
    """[m] Least distance of the centre of gravity to a track edge, negative beyond it."""

    @property
    def clean(self) -> bool:
        """Whether it drove at least one lap, every lap counts, and no wall was touched."""
        return bool(self.laps) and all(lap.valid for lap in self.laps) and self.collision == 0.0

    @property
    def best(self) -> float:
        """[s] Fastest valid lap, infinite when there is none."""
        return min((lap.time for lap in self.laps if lap.valid), default=math.inf)


def drive_laps(
    name: str, driver: Driver, task: Task, *, around: int = 0, laps: int = 1, slowest: float = 1.25
) -> list[Drive]:
    """Drives from the grid, flying, and from places around the lap, at once.

    The cars of `driver` and `task` are, in this order: one from the grid, one flying, `around` others.

    Args:
        name: Of the driver, for tables.
        driver: For 2 + `around` cars.
        task: Gives track, car, physics and racing speed.
        around: Cars that start around the lap.
        laps: Full laps, from line to line, that each car has time for.
        slowest: How much longer than the predicted lap a lap may take.
    """
    n = 2 + around
    if task.n != n:
        task = Task(task.config, n, track=task.track, car=task.car, reference=task.reference)
    simulator = task.simulator()
    starts = ["grid", "flying", *["around"] * around]
    frames = place_cars(simulator, task, around, laps)
    driver.reset(None)
    task.begin(frames)
    # A policy that was made for this very task puts what it sends into the history itself.
    watching = getattr(driver, "task", None) is not task
    rewards = np.zeros(n)
    steps = round((laps + 1) * slowest * task.reference.lap_time / simulator.control_period)
    kept = np.empty((steps + 1, n), FRAME)
    kept[0] = frames
    with one_thread():
        for step in range(1, steps + 1):
            controls = driver.act(simulator.frames)
            if watching:
                task.actions.remember(controls)
            kept[step] = simulator.step(controls)
            task.judge(simulator.frames)
            rewards += task.judged.reward
            if step % 25 == 0 and kept["lap_count"][step].min() > laps:
                kept = kept[: step + 1]
                break
    return [_drive(name, start, simulator, kept, car, task, rewards[car]) for car, start in enumerate(starts)]


def place_cars(simulator: Simulator, task: Task, around: int, laps: int) -> Frames:
    """Puts 2 + `around` cars where `drive_laps` wants them; FRAME[N].

    The flying car has the car's default fuel, which is for one flying lap, for each lap; the others have one more,
    because they have up to a lap to drive before their first full one.
    """
    slots, offsets = task.track.grid_positions(1)
    run_up = float(task.track.wrap(-RUN_UP))
    distance = np.concatenate([slots, [run_up], np.arange(around) / max(around, 1) * task.track.length])
    lateral, heading = task.reference.at("line_offset", distance), task.reference.at("line_angle", distance)
    share = np.concatenate([[0.0, 0.9], np.full(around, AROUND_SPEED)])
    lateral[0], heading[0] = offsets[0], 0.0
    speed = share * task.reference.at("speed", distance)
    fuel = task.car.chassis.fuel * np.where(np.arange(2 + around) == 1, laps, laps + 1)
    return simulator.reset(distance=distance, lateral=lateral, heading=heading, speed=speed, fuel=fuel)


def _drive(name: str, start: str, simulator: Simulator, kept: Frames, car: int, task: Task, reward: float) -> Drive:
    run = rollout(simulator, kept, name, car)
    frames = run.frames
    out = frames["tyres_out"] >= CUTTING
    return Drive(
        name,
        start,
        run,
        find_laps(run, task.track),
        int(np.count_nonzero(out[1:] & ~out[:-1]) + out[0]),
        float(frames["collision"].astype(np.float64).sum()),
        float(frames["speed"].mean()),
        float(np.abs(np.diff(frames["steer"])).mean() / run.period),
        float(reward),
        float(np.minimum(frames["border_left"], frames["border_right"]).min()),
    )


class Summary(NamedTuple):
    """Drives of one driver in one line of a table."""

    driver: str
    drives: int
    clean: int
    """Drives with at least one lap, no offence and no wall."""
    best: float
    """[s] Fastest valid lap, infinite when there is none."""
    mean: float
    """[s] Mean of the valid laps, NaN when there is none."""
    sectors: tuple[float, ...]
    """[s] Of the fastest valid lap."""
    excursions: int
    collision: float
    """[J]"""


def summarise(drives: Sequence[Drive]) -> list[Summary]:
    """One line for each driver, in the order in which they appear."""
    lines = []
    for name in dict.fromkeys(drive.driver for drive in drives):
        mine = [drive for drive in drives if drive.driver == name]
        valid = [lap for drive in mine for lap in drive.laps if lap.valid]
        best = min(valid, key=lambda lap: lap.time, default=None)
        lines.append(
            Summary(
                name,
                len(mine),
                sum(drive.clean for drive in mine),
                math.inf if best is None else best.time,
                float(np.mean([lap.time for lap in valid])) if valid else math.nan,
                () if best is None else best.sectors,
                sum(drive.excursions for drive in mine),
                sum(drive.collision for drive in mine),
            )
        )
    return lines


def progress_of(frames: Frames, length: float) -> npt.NDArray[np.float64]:
    """[m] Way along the centre line of each car in FRAME[T, N], backwards negative; float[N]."""
    distance = np.unwrap(frames["lap_distance"].astype(np.float64), axis=0, period=length)
    return np.asarray(distance[-1] - distance[0])


def rate(drives: Sequence[Drive], predicted: float) -> float:
    """How good a driver is in one number, higher is better: minus the mean lap time, with what is not clean paid for.

    A drive without a lap counts as twice the predicted lap; one with a lap that does not count or with a wall as 5 % of
    the predicted lap more than its fastest.

    Args:
        drives: Of one driver.
        predicted: [s] Lap time of the speed profile.
    """
    total = 0.0
    for drive in drives:
        if not drive.laps:
            total += 2.0 * predicted
        else:
            total += min(lap.time for lap in drive.laps) + (0.0 if drive.clean else 0.05 * predicted)
    return -total / len(drives)


def scalars(drives: Sequence[Drive]) -> Mapping[str, float]:
    """What the board shows of one driver's drives."""
    [line] = summarise(drives)
    shown = {
        "clean_share": line.clean / line.drives,
        "best_lap": line.best,
        "mean_lap": line.mean,
        "excursions": float(line.excursions),
        "collision": line.collision,
        "mean_speed": float(np.mean([drive.mean_speed for drive in drives])),
        "smoothness": float(np.mean([drive.smoothness for drive in drives])),
        "reward": float(np.mean([drive.reward for drive in drives])),
    }
    shown |= {f"sector_{number}": time for number, time in enumerate(line.sectors, start=1)}
    for start in ("grid", "flying"):
        shown[f"{start}_lap"] = min((drive.best for drive in drives if drive.start == start), default=math.inf)
    return shown
