"""Checkpoints of a run that is going on: what a resume goes on from, and what is kept beside it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from actwin.agents.agent import Agent
from actwin.agents.checkpoints import (
    FORMAT,
    MEMORY,
    NEXT_MEMORY,
    load_checkpoint,
    load_memory,
    require_same_task,
    save_checkpoint,
    save_memory,
)
from actwin.agents.task_identity import differences
from actwin.errors import CheckpointError
from actwin.training.config import RunConfig
from actwin.training.protocols import CarArray, Score, World
from actwin.training.runs import LAST, numerics, versions

STEP: Final = re.compile(r"step_(\d+)\.pt")


class Counters(NamedTuple):
    """How far a run is, in a checkpoint."""

    env_steps: int
    """Car steps."""
    updates: int
    """Rounds of collecting and learning."""
    seconds: float
    """[s] Training time."""


class Saver:
    """Writes the checkpoints of one run.

    Args:
        config: The run.
        out: Its folder.
        world: Whose task the checkpoints name.
        agent: Whose state they hold.
        cars: Theirs too.
    """

    def __init__(self, config: RunConfig, out: Path, world: World, agent: Agent, cars: CarArray) -> None:
        self.config, self.out = config, out
        self._world, self._agent, self._cars = world, agent, cars

    def save_step(self, counters: Counters, best: Score | None) -> None:
        """Writes a checkpoint that is kept, and removes the oldest beyond `train.keep`; arguments as in `save`."""
        keep = self.config.train.keep
        if keep == 0:
            return
        self.save(f"step_{counters.env_steps}.pt", counters, best)
        if keep is not None:
            for path in step_checkpoints(self.out)[:-keep]:
                path.unlink(missing_ok=True)

    def save_last(self, counters: Counters, best: Score | None) -> None:
        """Writes what a resume goes on from; arguments as in `save`.

        The old memory goes when the checkpoint that needs the new one is there, so that a kill at any moment leaves a
        checkpoint with its own.
        """
        memory = self._agent.memory if self.config.train.save_memory else None
        if memory is not None:
            save_memory(self.out / NEXT_MEMORY, memory, counters.env_steps)
        try:
            self.save(LAST, counters, best)
        except CheckpointError:
            (self.out / NEXT_MEMORY).unlink(missing_ok=True)  # of no use without its checkpoint, and it takes room
            raise
        if memory is not None:
            with contextlib.suppress(OSError):  # somebody reads the old one; a resume finds the new one all the same
                (self.out / NEXT_MEMORY).replace(self.out / MEMORY)
            memory.saved()

    def save(self, name: str, counters: Counters, best: Score | None, more: Mapping[str, Any] | None = None) -> None:
        """Writes one checkpoint.

        Args:
            name: Of the file.
            counters: How far the run is.
            best: Of the evaluations so far.
            more: Further content.

        Raises:
            CheckpointError: It cannot be written; what was there is untouched.
        """
        save_checkpoint(
            self.out / name,
            {
                "format": FORMAT,
                "kind": self._agent.kind,
                "config": self.config.model_dump(mode="json"),
                "task": self._world.task,
                "spec": self._agent.policy.spec,
                "agent": self._agent.state(),
                "environment": self._cars.state(),
                "counters": counters._asdict(),
                "best": None if best is None else best._asdict(),
                "versions": versions(),
                "numerics": numerics(self.config.train.device),
                **(more or {}),
            },
        )


def restore(
    path: Path, config: RunConfig, world: World, agent: Agent, cars: CarArray
) -> tuple[Counters, Score | None, Any]:
    """Puts agent and cars into the state of a checkpoint.

    Args:
        path: The checkpoint; what the agent remembers lies beside it.
        config: The run that goes on.
        world: Its world.
        agent, cars: Changed.

    Returns:
        How far the run is, its best evaluation, and the observation float32[N, O].

    Raises:
        CheckpointError: It cannot be read, or belongs to another task, agent or number of cars.
    """
    checkpoint = load_checkpoint(path)
    require_same_task(path, world.task, checkpoint["task"])
    counters = Counters(*(checkpoint["counters"][name] for name in Counters._fields))
    try:
        if checkpoint["kind"] != agent.kind:
            raise ValueError(checkpoint["kind"])
        agent.load_state(checkpoint["agent"])
        observation = cars.load_state(checkpoint["environment"])
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError) as error:
        raise CheckpointError(f"{path}: {_misfit(config, checkpoint['config']) or error}") from error
    if agent.memory is not None:
        load_memory(path.with_name(MEMORY), agent.memory, counters.env_steps)
    best = checkpoint["best"]
    return counters, Score(best["value"], best["best_lap"], best["scalars"]) if best else None, observation


def step_checkpoints(out: Path) -> list[Path]:
    """The checkpoints of a run that are kept, oldest first."""
    return sorted((path for path in out.glob("step_*.pt") if STEP.fullmatch(path.name)), key=_step)


def _step(path: Path) -> int:
    matched = STEP.fullmatch(path.name)
    assert matched is not None
    return int(matched[1])


def _misfit(config: RunConfig, theirs: Mapping[str, Any]) -> str:
    """Why a run cannot go on from a checkpoint that was made with other settings; "" when they are the same."""
    ours = config.model_dump(mode="json")
    mine, other = ({"agent": tree.get("agent"), "train.cars": tree["train"].get("cars")} for tree in (ours, theirs))
    found = differences(mine, other)
    if not found:
        return ""
    return f"was made with other settings: {'; '.join(found)}. Resume with those, or begin a new run."
