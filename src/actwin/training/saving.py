"""Checkpoints of a run that is going on: what a resume goes on from, and what is kept beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actwin.agents.agent import Agent
from actwin.agents.checkpoints import FORMAT, MEMORY, NEXT_MEMORY, save_checkpoint, save_memory
from actwin.training.config import RunConfig
from actwin.training.protocols import CarArray, Score, World
from actwin.training.runs import LAST, numerics, versions


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

    def save_last(self, counters: dict[str, Any], best: Score | None) -> None:
        """Writes what a resume goes on from.

        The old memory goes when the checkpoint that needs the new one is there, so that a kill at any moment leaves a
        checkpoint with its own.

        Args:
            counters: `env_steps`, `updates`, `seconds`.
            best: Of the evaluations so far.

        Raises:
            CheckpointError: It cannot be written; what was there is untouched.
        """
        memory = self._agent.memory if self.config.train.save_memory else None
        if memory is not None:
            save_memory(self.out / NEXT_MEMORY, memory, counters["env_steps"])
        self.save(LAST, counters, best)
        if memory is not None:
            (self.out / NEXT_MEMORY).replace(self.out / MEMORY)

    def save(self, name: str, counters: dict[str, Any], best: Score | None) -> None:
        """Writes one checkpoint.

        Args:
            name: Of the file.
            counters, best: As in `save_last`.

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
                "counters": counters,
                "best": None if best is None else best._asdict(),
                "versions": versions(),
                "numerics": numerics(),
            },
        )
