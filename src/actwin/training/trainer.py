"""The training loop: collect, update, log, evaluate, save."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from actwin.agents.agent import Agent
from actwin.agents.arrays import Flags, Floats
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
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.registry import DrivingPolicy, new_agent
from actwin.agents.replay import Experience
from actwin.errors import ActwinError
from actwin.training.board import Board
from actwin.training.config import RunConfig, dump_config
from actwin.training.runs import BEST, LAST, numerics, prepare_torch, versions


class CarArray(Protocol):
    """What the trainer needs of N environments; the arrays are reused by the next step."""

    num_envs: int
    final_observation: Floats
    """float32[N, O]: observations before the reset, valid where an episode ended in the last step."""
    reward_terms: Mapping[str, npt.NDArray[Any]]
    """float32[N] for each term of the last reward."""

    def start(self, seed: int) -> Floats:
        """Resets all cars; float32[N, O]."""
        ...

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """One control step; observation, reward, terminated, truncated."""
        ...

    def episode_stats(self) -> Mapping[str, float]:
        """Means over the episodes that ended since the last call, by name."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything the next step depends on, as tensors, numbers, text, lists and dicts."""
        ...

    def load_state(self, state: dict[str, Any]) -> Floats:
        """Goes on from `state()`; the observation float32[N, O]."""
        ...


class Score(NamedTuple):
    """How well a policy drives without exploration."""

    value: float
    """Higher is better; the checkpoint with the highest is `best.pt`."""
    best_lap: float
    """[s] Fastest clean lap, NaN when there is none."""
    scalars: dict[str, float]
    """What the board shows, by name."""


class World(Protocol):
    """The side of a run that knows cars: environments, demonstrations, evaluation."""

    period: float
    """[s] Control period."""
    action: ActionSpec
    observations: int
    task: dict[str, Any]
    """`{"fingerprint", "config"}`, kept in checkpoints."""

    def cars(self, n: int) -> CarArray:
        """N cars to train with."""
        ...

    def evaluate(self, policy: DrivingPolicy) -> Score:
        """Drives fixed starts without exploration."""
        ...


class Progress(NamedTuple):
    """Where a run is, for a display."""

    share: float
    """0 to 1 of the budget."""
    steps: int
    seconds: float
    """[s] Training time so far."""
    left: float
    """[s] Time left at the present rate."""
    rate: float
    """[1/s] Car steps a second."""
    best_lap: float
    """[s] Fastest clean evaluation lap, NaN before there is one."""
    scalars: dict[str, float]
    """Latest values on the board."""


class Result(NamedTuple):
    """What a run came to."""

    out: Path
    steps: int
    seconds: float
    best_lap: float
    """[s] Fastest clean evaluation lap of the best checkpoint, NaN when there is none."""


class Trainer:
    """Trains one agent.

    The run folder holds `config.yaml` (resolved), `logs/` (TensorBoard), `metrics.jsonl`, `last.pt`, `best.pt` by
    evaluation and `step_N.pt`.

    Args:
        config: The run.
        world: Cars, evaluation and the task they belong to.
        out: Folder of the run; made if it does not exist.
        clone: A cloned policy to start from.
        experience: Demonstrations with their rewards, for agents with a memory.
        on_progress: Called after each update.
    """

    def __init__(
        self,
        config: RunConfig,
        world: World,
        out: Path,
        clone: Policy | None = None,
        experience: Experience | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        prepare_torch(config.train.threads)
        self.config, self.world, self.out, self._on_progress = config, world, out, on_progress
        self.agent: Agent = new_agent(
            config.agent,
            world.observations,
            world.action,
            config.train.cars,
            world.period,
            config.seed,
            clone,
            experience,
        )
        self.cars = world.cars(config.train.cars)
        self.observation = self.cars.start(config.seed)
        self.steps, self.updates, self.seconds = 0, 0, 0.0
        self.best: Score | None = None
        self._shown: dict[str, float] = {}
        self._rate = 0.0

    def resume(self, path: Path) -> None:
        """Goes on from a checkpoint of the same task and agent, exactly as if there had been no interruption.

        Raises:
            CheckpointError: It cannot be read or belongs to another task.
        """
        checkpoint = load_checkpoint(path)
        require_same_task(path, self.world.task, checkpoint["task"])
        self.agent.load_state(checkpoint["agent"])
        if self.agent.memory is not None:
            load_memory(path.with_name(MEMORY), self.agent.memory, checkpoint["counters"]["env_steps"])
        self.observation = self.cars.load_state(checkpoint["environment"])
        counters = checkpoint["counters"]
        self.steps, self.updates, self.seconds = counters["env_steps"], counters["updates"], counters["seconds"]
        best = checkpoint["best"]
        self.best = Score(best["value"], best["best_lap"], best["scalars"]) if best else None

    def run(self) -> Result:
        """Trains until the budget is used up and saves what came of it."""
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "config.yaml").write_text(dump_config(self.config), encoding="utf-8")
        board = Board(self.out)
        try:
            if self.best is None:
                self._evaluate(board)
            while not self._finished():
                self._advance(board)
            self._evaluate(board)
            self._save_last()
        finally:
            board.close()
        assert self.best is not None
        return Result(self.out, self.steps, self.seconds, self.best.best_lap)

    def _finished(self) -> bool:
        train = self.config.train
        return self.steps >= train.steps or (train.minutes is not None and self.seconds >= 60.0 * train.minutes)

    def _advance(self, board: Board) -> None:
        """One round of collecting and learning, with what is due after it."""
        train, before, begin = self.config.train, self.steps, time.perf_counter()
        collected = self._collect()
        learned = {f"agent/{name}": value for name, value in self.agent.update().items()}
        took = time.perf_counter() - begin
        self.seconds += took
        self.updates += 1
        self._rate = (self.steps - before) / took
        self._shown |= collected | learned
        self._check_finite(learned)
        board.write(self.steps, self.seconds, {"time/steps_per_second": self._rate} | collected | learned)
        if self.steps // train.evaluate_every > before // train.evaluate_every and not self._finished():
            self._evaluate(board)
        if self.steps // train.save_every > before // train.save_every:
            self._save(self.out / f"step_{self.steps}.pt")
            self._save_last()
        if self._on_progress:
            self._on_progress(self.progress())

    def _collect(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        count, total = 0, 0.0
        while not self.agent.ready:
            observation, reward, terminated, truncated = self.cars.step_arrays(self.agent.act(self.observation))
            self.agent.process(reward, terminated, truncated, observation, self.cars.final_observation)
            self.observation = observation
            total += float(reward.mean())
            for name, values in self.cars.reward_terms.items():
                sums[name] = sums.get(name, 0.0) + float(values.mean())
            count += 1
        self.steps += count * self.cars.num_envs
        if not count:  # an agent that learns from demonstrations before it drives
            return {}
        shown = {f"reward/{name}": value / count for name, value in sums.items()} | {"reward/total": total / count}
        return shown | {f"episode/{name}": value for name, value in self.cars.episode_stats().items()}

    def _evaluate(self, board: Board) -> None:
        begin = time.perf_counter()
        score = self.world.evaluate(self.agent.policy)
        self.seconds += time.perf_counter() - begin
        self._shown |= {f"evaluation/{name}": value for name, value in score.scalars.items()}
        board.write(self.steps, self.seconds, {f"evaluation/{name}": value for name, value in score.scalars.items()})
        if self.best is None or score.value > self.best.value:
            self.best = score
            self._save(self.out / BEST)

    def _check_finite(self, learned: dict[str, float]) -> None:
        broken = [name for name, value in learned.items() if not math.isfinite(value)]
        if broken:
            self._save(self.out / "broken.pt")
            raise ActwinError(
                f"Training stopped after {self.steps} steps: {', '.join(broken)} is not a finite number. The state is "
                f"in {self.out / 'broken.pt'}; resume from {LAST} with a smaller agent.actor_lr or agent.critic_lr."
            )

    def progress(self) -> Progress:
        """Where the run is."""
        train = self.config.train
        share = self.steps / train.steps
        left = (train.steps - self.steps) / max(self._rate, 1e-9)
        if train.minutes is not None:
            share = max(share, self.seconds / (60.0 * train.minutes))
            left = min(left, 60.0 * train.minutes - self.seconds)
        best_lap = math.nan if self.best is None else self.best.best_lap
        return Progress(
            min(share, 1.0), self.steps, self.seconds, max(left, 0.0), self._rate, best_lap, dict(self._shown)
        )

    def _save_last(self) -> None:
        """What a resume goes on from.

        The old memory goes when the checkpoint that needs the new one is there, so that a kill at any moment leaves a
        checkpoint with its own.
        """
        keeps = self.agent.memory is not None and self.config.train.save_memory
        if self.agent.memory is not None and keeps:
            save_memory(self.out / NEXT_MEMORY, self.agent.memory, self.steps)
        self._save(self.out / LAST)
        if keeps:
            (self.out / NEXT_MEMORY).replace(self.out / MEMORY)

    def _save(self, path: Path) -> None:
        save_checkpoint(
            path,
            {
                "format": FORMAT,
                "kind": self.agent.kind,
                "config": self.config.model_dump(mode="json"),
                "task": self.world.task,
                "spec": self.agent.policy.spec,
                "agent": self.agent.state(),
                "environment": self.cars.state(),
                "counters": {"env_steps": self.steps, "updates": self.updates, "seconds": self.seconds},
                "best": None if self.best is None else self.best._asdict(),
                "versions": versions(),
                "numerics": numerics(),
            },
        )
