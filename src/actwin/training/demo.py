"""The demo: demonstrations, imitation, reinforcement learning, a race of the three drivers, a report."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from actwin.analysis.laps import Lap, best_lap
from actwin.analysis.page import open_in_browser
from actwin.analysis.report import LearningCurve, Report, write_report
from actwin.driving.driver import Driver
from actwin.driving.line_follower import LineFollower
from actwin.driving.policy import PolicyDriver
from actwin.env.task import TaskConfig
from actwin.training.board import read_metrics
from actwin.training.config import RunConfig, TrainConfig
from actwin.training.drives import Drive
from actwin.training.evaluation import draw_starts, drive_laps
from actwin.training.pipeline import train
from actwin.training.preparation import Stages, Trained
from actwin.training.progress import Result
from actwin.training.runs import checkpoint_path, versions
from actwin.units import lap_time_text

LEARNER: Final = "RL driver"
EXPERT: Final = "Expert"
CLONE: Final = "Clone"
TOTAL_MINUTES: Final = 5.4
"""[min] For training with all that comes before it; race and report take the rest of six minutes."""
MOST_MINUTES: Final = 4.0
"""[min] Reinforcement learning on a machine that is quick with the other stages."""
RACE_LAPS: Final = 2
"""For each driver, flying."""


@dataclass(frozen=True)
class DemoConfig:
    """What the demo can be told.

    Attributes:
        track, car: Names or paths.
        minutes: [min] Budget of reinforcement learning; None gives it what the other stages leave of six minutes.
        seed: Of everything random.
        out: Folder for the report, the checkpoints and the laps.
    """

    track: str = "monza"
    car: str = "formula_alpha_2022"
    minutes: float | None = None
    seed: int = 0
    out: Path = Path("runs/demo")

    @property
    def command(self) -> str:
        """The command that does the same."""
        minutes = "" if self.minutes is None else f" --minutes {self.minutes:g}"
        return (
            f"actwin demo --track {self.track} --car {self.car}{minutes} --seed {self.seed} --out {self.out.as_posix()}"
        )


@dataclass(frozen=True)
class DemoResult:
    """What the demo came to.

    Attributes:
        report: The HTML file.
        laps: Full laps of each driver, flying.
        result: Of the training.
    """

    report: Path
    laps: Mapping[str, Sequence[Lap]]
    result: Result

    @property
    def best(self) -> dict[str, float]:
        """[s] Fastest valid lap of each driver, NaN when there is none."""
        best = {name: best_lap(laps) for name, laps in self.laps.items()}
        return {name: lap.time if lap else math.nan for name, lap in best.items()}

    @property
    def summary(self) -> str:
        """One line for each driver."""
        width = max(map(len, self.best))
        clean = {name: sum(lap.valid for lap in laps) for name, laps in self.laps.items()}
        return "\n".join(
            f"{name:<{width}}  {lap_time_text(time)}  {clean[name]} of {len(self.laps[name])} laps clean"
            for name, time in self.best.items()
        )

    def open_report(self) -> bool:
        """Shows the report in the browser when there is a screen; whether it was shown."""
        return open_in_browser(self.report)


def run_demo(config: DemoConfig, stages: Stages) -> DemoResult:
    """Runs the demo.

    Args:
        config: What was asked for.
        stages: Gets told how far it is.
    """
    run = demo_run(config)
    total = TOTAL_MINUTES if config.minutes is None else None
    trained = train(run, config.out, stages, total_minutes=total)
    stages.update("Race", 0.0)
    drives = race(trained, stages)
    stages.update("Race", 1.0, ", ".join(f"{drive.driver} {lap_time_text(drive.best)}" for drive in drives))
    stages.update("Report", 0.0)
    rollouts = [drive.rollout for drive in drives if drive.rollout is not None]
    for each in rollouts:
        each.save(config.out / "laps" / each.driver.lower().replace(" ", "_"))
    task = trained.world.task_for(1)
    report = Report(
        track=task.track,
        car=task.car.identity.title,
        rollouts=rollouts,
        learning=learning_curve(config.out),
        settings=_settings(trained),
        provenance=_provenance(config),
    )
    path = write_report(report, config.out / "report.html")
    stages.update("Report", 1.0, str(path))
    return DemoResult(path, {drive.driver: drive.laps for drive in drives}, trained.result)


def demo_run(config: DemoConfig) -> RunConfig:
    """The run that the demo makes of what it was told."""
    train_config = TrainConfig(minutes=config.minutes or MOST_MINUTES, steps=2_000_000_000)
    return RunConfig(seed=config.seed, env=TaskConfig.of(track=config.track, car=config.car), train=train_config)


def race(trained: Trained, stages: Stages) -> list[Drive]:
    """Flying laps of the learner, the expert and the clone on the same road.

    Args:
        trained: The run.
        stages: Gets told how far it is.

    Returns:
        One drive for each driver, the learner first.
    """
    world = trained.world
    learner = PolicyDriver.from_checkpoint(checkpoint_path(trained.result.out))
    task = learner.task
    drivers: dict[str, Driver] = {LEARNER: learner, EXPERT: LineFollower(task.track, task.car)}
    if trained.clone is not None:
        drivers[CLONE] = PolicyDriver(world.task_for(1), trained.clone)
    flying = []
    for i, (name, driver) in enumerate(drivers.items()):
        stages.update("Race", i / len(drivers), name)
        flying += drive_laps(name, driver, task, draw_starts(task, ["flying"], episodes=1), RACE_LAPS)
    return flying


def learning_curve(out: Path) -> LearningCurve:
    """The flying laps of the test drives during a run.

    Args:
        out: Folder of the run.
    """
    rows = [row for row in read_metrics(out) if "evaluation/clean_share" in row]
    laps = [row.get("evaluation/flying_lap", math.nan) for row in rows]
    return LearningCurve(
        steps=np.array([row["step"] for row in rows], np.float64),
        lap_times=np.array(laps, np.float64),
        clean=np.array([row["evaluation/clean_share"] == 1.0 for row in rows], np.bool_),
    )


def _settings(trained: Trained) -> dict[str, str]:
    run = trained.config
    imitation, view = run.imitation, run.env.observation
    task = trained.world.task_for(1)
    steps, minutes = trained.result.steps / 1e6, trained.result.seconds / 60.0
    facts = {
        "Reinforcement learning": f"{run.agent.type.upper()}, {minutes:.1f} min",
        "Experience": f"{steps:.1f} million control steps with {run.train.cars} cars at once",
        "Network": " × ".join(map(str, run.agent.hidden)),
        "Observation": f"{task.observation_size} numbers: {', '.join(view.features)}",
        "Actions": f"{run.env.action.kind}, gears {run.env.action.gear}",
        "Control period": f"{1000.0 * run.env.period:.0f} ms",
        "Predicted lap": f"{lap_time_text(task.reference.lap_time)} by the speed profile",
    }
    if imitation is not None:
        facts["Demonstrations"] = (
            f"{imitation.cars} cars for {imitation.seconds:.0f} s, disturbance {imitation.noise:g}"
        )
    return facts


def _provenance(config: DemoConfig) -> dict[str, str]:
    made = versions()
    packages = [f"{name} {made[name]}" for name in ("torch", "numba", "numpy") if made.get(name)]
    commit = f", git {made['git'][:12]}" if made.get("git") else ""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical processors"
    return {
        "Command": config.command,
        "actwin": f"{made['actwin']}{commit}",
        "Python": f"{made['python']}, {', '.join(packages)}",
        "Seed": str(config.seed),
        "Machine": machine,
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
