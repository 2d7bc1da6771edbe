"""Drivers beside each other: trained ones from their files, and the expert, from the same starts on the same road."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from actwin.agents.checkpoints import load_checkpoint
from actwin.agents.onnx_policy import OnnxPolicy
from actwin.driving.driver import Driver
from actwin.driving.line_follower import GRIP, LineFollower
from actwin.driving.policy import ONNX, PolicyDriver
from actwin.env.starts import Start
from actwin.env.task import Task, TaskConfig
from actwin.errors import CheckpointError
from actwin.telemetry.channels import FRAME
from actwin.training.drives import Drive
from actwin.training.evaluation import RANDOM, SLOWEST, InBlocks, draw_starts, drive_laps
from actwin.training.runs import BEST, LAST, checkpoint_path

EXPERT: Final = "expert"
MEMORY: Final = 400e6
"""[B] That the frames of the cars that drive at once may take."""


class Entrant(NamedTuple):
    """A driver who takes part."""

    name: str
    checkpoint: Path | None
    """None for the expert."""
    kind: str
    """Algorithm that trained it, or "expert"."""
    task: TaskConfig
    """What it was trained for, on the track that is driven."""
    configuration: str
    """The same for runs that differ in nothing but their seed; "" where that is not known."""
    seed: int | None
    steps: int | None
    """Car steps of its training."""


class Plan(NamedTuple):
    """What is asked of every driver."""

    starts: tuple[str, ...] = ("grid", "flying", RANDOM)
    episodes: int = 10
    laps: int = 1
    seed: int = 0
    """Of the random starts."""


class Entry(NamedTuple):
    """A driver with what came of it."""

    entrant: Entrant
    drives: list[Drive]


class Race(NamedTuple):
    """All drivers of one world: track, car, weather and physics."""

    title: str
    task: Task
    """Of the first driver; its reward is the one that is counted."""
    entries: list[Entry]

    @property
    def predicted(self) -> float:
        """[s] Lap of the speed profile."""
        return self.task.reference.lap_time


Keep = Callable[[Entrant, int, Drive], None]
"""Gets each drive with its frames, and its number from 1 among those of its driver."""


def hold_races(
    places: Sequence[str | Path], plan: Plan, track: str | None = None, *, expert: bool = True, keep: Keep | None = None
) -> list[Race]:
    """Lets drivers do the same laps; those of different tracks, cars or physics are kept apart.

    All files are read before anybody drives.

    Args:
        places: Checkpoints, exported policies, folders of runs whose best checkpoint is taken, or patterns of them.
        plan: What each of them drives.
        track: Another track than that of the training.
        expert: Whether the scripted expert drives, too.
        keep: Gets what is not kept here: every frame.

    Returns:
        A race for each world, in the order in which they appear; the drives are without their frames.

    Raises:
        CheckpointError: A file is missing, damaged, or of a task that means something else in this version.
    """
    entrants = find_entrants(places, track)
    worlds: dict[str, list[Entrant]] = {}
    for entrant in entrants:
        worlds.setdefault(world_title(entrant.task), []).append(entrant)
    opened = {entrant.checkpoint: _trained(entrant, track) for entrant in entrants}
    races = []
    for title, members in worlds.items():
        task = opened[members[0].checkpoint].task
        asked = [*members, Entrant(EXPERT, None, EXPERT, task.config, "", None, None)] if expert else members
        entries = [Entry(each, _drives(each, opened.get(each.checkpoint), task, plan, keep)) for each in asked]
        races.append(Race(title, task, entries))
    return races


def find_entrants(places: Sequence[str | Path], track: str | None = None) -> list[Entrant]:
    """Reads who takes part, each once, with names that tell them apart.

    Args:
        places: As of `hold_races`.
        track: As of `hold_races`.
    """
    files = {_checkpoint(each): each for place in places for each in _expanded(place)}
    short = [_name(place) for place in files.values()]
    names = short if len(set(short)) == len(short) else [place.as_posix() for place in files.values()]
    return [_entrant(name, path, track) for name, path in zip(names, files, strict=True)]


def world_title(task: TaskConfig) -> str:
    """Names what must be the same for laps to be comparable.

    Args:
        task: The settings.
    """
    physics = task.physics.model_dump(exclude_defaults=True)
    special = "".join(f", {name} {value:g}" for name, value in physics.items())
    return f"{task.car} on {task.track}, {task.weather}{special}"


def _expanded(place: str | Path) -> list[Path]:
    """What a pattern stands for, for shells that leave it as it is."""
    path = Path(place)
    if path.exists() or not any(sign in str(place) for sign in "*?["):
        return [path]
    relative = path.relative_to(path.anchor) if path.anchor else path
    return sorted(Path(path.anchor).glob(str(relative))) or [path]


def _checkpoint(place: Path) -> Path:
    """The file that a place means."""
    if place.is_dir() and not any((place / name).is_file() for name in (BEST, LAST)):
        runs = sorted(path.parent.name for name in (BEST, LAST) for path in place.glob(f"*/{name}"))
        if runs:
            raise CheckpointError(
                f"{place}: is no run but holds runs ({', '.join(dict.fromkeys(runs))}). "
                f"Give one of them, or all with {place.as_posix()}/*."
            )
    return checkpoint_path(place)


def _name(place: Path) -> str:
    resolved = place.resolve()
    return resolved.name if place.is_dir() else f"{resolved.parent.name}/{resolved.name}"


def _entrant(name: str, path: Path, track: str | None) -> Entrant:
    if path.suffix.lower() == ONNX:
        about = OnnxPolicy(path).about
        return Entrant(name, path, about["kind"], TaskConfig.of(about["task"]["config"], track=track), "", None, None)
    checkpoint = load_checkpoint(path)
    config: dict[str, Any] = dict(checkpoint["config"])
    seed = config.pop("seed", None)
    same = json.dumps(config, sort_keys=True, default=str)
    task, steps = TaskConfig.of(checkpoint["task"]["config"], track=track), checkpoint["counters"].get("env_steps")
    return Entrant(name, path, str(checkpoint["kind"]), task, same, seed, steps)


def _trained(entrant: Entrant, track: str | None) -> PolicyDriver:
    assert entrant.checkpoint is not None
    return PolicyDriver.from_checkpoint(entrant.checkpoint, track=track)


def _drives(entrant: Entrant, trained: PolicyDriver | None, judge: Task, plan: Plan, keep: Keep | None) -> list[Drive]:
    starts = draw_starts(judge, plan.starts, plan.episodes, plan.seed)
    steps = (plan.laps + 1) * SLOWEST * judge.reference.lap_time / judge.config.period
    cars = max(1, int(MEMORY / (steps * FRAME.itemsize)))
    drives: list[Drive] = []
    for first in range(0, plan.episodes, cars):
        some = Start._make(column[first : first + cars] for column in starts)
        driver = _driver(trained, judge, len(some.kind))
        for drive in drive_laps(entrant.name, driver, judge, some, plan.laps):
            if keep is not None:
                keep(entrant, len(drives) + 1, drive)
            drives.append(drive._replace(rollout=None, sent=None))
    return drives


def _driver(trained: PolicyDriver | None, judge: Task, n: int) -> Driver:
    if trained is None:
        return LineFollower(judge.track, judge.car, n, grip=GRIP * min(judge.config.conditions.grip, 1.0))
    task = trained.task
    return PolicyDriver(
        Task(task.config, n, track=task.track, car=task.car, reference=task.reference), InBlocks(trained.policy)
    )
