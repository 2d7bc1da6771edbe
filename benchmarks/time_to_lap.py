"""How soon a learning driver laps, and how fast it gets: `python benchmarks/time_to_lap.py configs/ppo_monza.yaml`."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from actwin.cli.progress import StageBars
from actwin.driving.line_follower import LineFollower
from actwin.driving.policy import PolicyDriver
from actwin.env.task import Task
from actwin.training.config import RunConfig, load_config
from actwin.training.drives import Drive
from actwin.training.evaluation import draw_starts, drive_laps
from actwin.training.metrics import read_metrics
from actwin.training.pipeline import train
from actwin.training.runs import BEST, physical_cores
from actwin.units import lap_time_text
from measure import machine, markdown

MARGIN = 1.02
"""Of the theoretical lap, the last milestone."""
TIMES = (15, 30, 60, 120, 180, 300, 600, 900, 1200, 1800)
"""[s] At which the curve is printed."""
STARTS_SEED = 7
"""Of the random starts of the last test, which no evaluation of the training uses."""

NOTES = (
    "Times are wall-clock seconds of the run: demonstrations and imitation, collecting, learning and evaluating; "
    "compiling the simulator before it is not in them",
    "first clean lap: the first evaluation in which a car finished its lap without a track-limit offence or a wall; "
    "all clean: in which all cars did, from the grid, flying and from random places",
    "expert: the scripted line follower, from the same starts; theory: the speed profile of the racing line",
    "the last test drives the best checkpoint from random starts that training never used",
)


class Curve(NamedTuple):
    """The evaluations of one run.

    Attributes:
        seconds: [s] Since the run began, [K].
        clean: Share of the drives that were clean, [K].
        best: [s] Fastest valid lap, infinite where there was none, [K].
    """

    seconds: np.ndarray
    clean: np.ndarray
    best: np.ndarray

    def first(self, happened: np.ndarray) -> float:
        """[s] When something was seen first, NaN if never."""
        return float(self.seconds[np.argmax(happened)]) if happened.any() else math.nan


def curve(out: Path, before: float) -> Curve:
    """What a run's evaluations showed.

    Args:
        out: Folder of the run.
        before: [s] What the stages before reinforcement learning took.
    """
    rows = [row for row in read_metrics(out) if "evaluation/clean_share" in row]
    values = [
        (before + row["seconds"], row["evaluation/clean_share"], row.get("evaluation/best_lap", math.inf))
        for row in rows
    ]
    return Curve(*np.array(values, np.float64).T)


def expert_lap(task: Task) -> float:
    """[s] Fastest lap of the scripted driver."""
    starts = draw_starts(task, episodes=8)
    driver = LineFollower(task.track, task.car, len(starts.kind))
    return min(drive.best for drive in drive_laps("expert", driver, task, starts))


def last_test(checkpoint: Path, cars: int, laps: int) -> list[Drive]:
    """Laps of a checkpoint from random starts."""
    driver = PolicyDriver.from_checkpoint(checkpoint, cars)
    starts = draw_starts(driver.task, ("random",), cars, STARTS_SEED)
    return drive_laps("policy", driver, driver.task, starts, laps)


class Clock(StageBars):
    """Progress bars that measure what the stages between preparation and reinforcement learning take."""

    before = 0.0
    """[s]"""

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        """See `StageBars`."""
        if stage == "Preparation":
            self._prepared = time.perf_counter()
        elif stage == "Reinforcement learning" and not self.before:
            self.before = time.perf_counter() - self._prepared
        super().update(stage, share, note, left)


def run(config: RunConfig, out: Path, cars: int, laps: int) -> tuple[Curve, list[Drive]]:
    """Trains one seed and tests what came of it."""
    with Clock() as bars:
        train(config, out, bars)
    return curve(out, bars.before), last_test(out / BEST, cars, laps)


def seed_row(seed: int, found: Curve, drives: Sequence[Drive], expert: float, theory: float) -> tuple[str, ...]:
    """A row of the table of milestones."""
    moments = (found.clean > 0, found.clean == 1.0, found.best < expert, found.best <= MARGIN * theory)
    times = ["never" if math.isnan(when) else f"{when:.0f}" for when in map(found.first, moments)]
    best = float(found.best[found.clean == 1.0].min(initial=math.inf))
    clean = f"{sum(drive.clean for drive in drives)} of {len(drives)}"
    mean = float(np.mean([lap for drive in drives for lap in drive.valid] or [math.nan]))
    above = f"{100.0 * (best / theory - 1.0):+.1f} %"
    return (str(seed), *times, lap_time_text(best), above, clean, lap_time_text(mean))


def curve_rows(curves: Sequence[Curve], until: float) -> list[tuple[str, ...]]:
    """The fastest lap so far of each seed at fixed times, of evaluations in which all drives were clean."""
    rows = []
    for moment in (each for each in TIMES if each <= until):
        cells = []
        for found in curves:
            seen = (found.seconds <= moment) & (found.clean == 1.0)
            cells.append(lap_time_text(float(found.best[seen].min())) if seen.any() else "none")
        rows.append((str(moment), *cells))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="YAML file of the run")
    parser.add_argument("settings", nargs="*", help="settings that differ, as key=value")
    parser.add_argument("--seeds", nargs="*", type=int, default=(0, 1, 2))
    parser.add_argument("--minutes", type=float, default=20.0, help="of wall-clock time for each seed")
    parser.add_argument("--cars", type=int, default=32, help="in the last test")
    parser.add_argument("--laps", type=int, default=10, help="of each car in the last test")
    parser.add_argument("--out", type=Path, default=Path("runs/time_to_lap"))
    wanted = parser.parse_args()
    config = load_config(wanted.config, [*wanted.settings, f"train.minutes={wanted.minutes}"])
    task = Task(config.env, 8)
    expert, theory = expert_lap(task), task.reference.lap_time
    rows, curves = [], []
    for seed in wanted.seeds:
        found, drives = run(
            config.model_copy(update={"seed": seed}), wanted.out / f"seed_{seed}", wanted.cars, wanted.laps
        )
        curves.append(found)
        rows.append(seed_row(seed, found, drives, expert, theory))
    threads = config.train.threads or physical_cores()
    print(f"\n# Time to lap: {Path(wanted.config).as_posix()} {' '.join(wanted.settings)}\n")
    print(
        f"{machine()}; torch {torch.__version__}, {threads} threads; {config.agent.type}, {wanted.minutes:g} min each."
    )
    print(f"{config.env.track}, {config.env.car}: expert {lap_time_text(expert)}, theory {lap_time_text(theory)}.\n")
    head = ("seed", "first clean lap [s]", "all clean [s]", "faster than the expert [s]", "within 2 % of theory [s]",
            "best, all clean", "to theory", f"{wanted.laps} clean laps", "mean of their laps")  # fmt: skip
    print(markdown(head, rows))
    print("\nFastest lap so far of evaluations in which every car was clean:\n")
    print(
        markdown(
            ("wall clock [s]", *(f"seed {seed}" for seed in wanted.seeds)), curve_rows(curves, 60.0 * wanted.minutes)
        )
    )
    print()
    for note in NOTES:
        print(f"- {note}.")


if __name__ == "__main__":
    main()
