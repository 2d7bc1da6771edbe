"""The training loop: collect, update, log, evaluate, save."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from actwin.agents.agent import Agent
from actwin.agents.checkpoints import MEMORY, load_checkpoint, load_memory, require_same_task
from actwin.agents.networks import Policy
from actwin.agents.registry import new_agent
from actwin.agents.replay import Experience
from actwin.errors import ActwinError
from actwin.training.board import Board
from actwin.training.config import RunConfig, dump_config
from actwin.training.progress import Progress, Result
from actwin.training.protocols import Score, World
from actwin.training.runs import BEST, LAST, prepare_torch
from actwin.training.saving import Saver


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
        self._saver = Saver(config, out, world, self.agent, self.cars)
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
            self._saver.save_last(self._counters(), self.best)
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
            self._saver.save(f"step_{self.steps}.pt", self._counters(), self.best)
            self._saver.save_last(self._counters(), self.best)
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
            self._saver.save(BEST, self._counters(), self.best)

    def _check_finite(self, learned: dict[str, float]) -> None:
        broken = [name for name, value in learned.items() if not math.isfinite(value)]
        if broken:
            self._saver.save("broken.pt", self._counters(), self.best)
            raise ActwinError(
                f"Training stopped after {self.steps} steps: {', '.join(broken)} is not a finite number. The state is "
                f"in {self.out / 'broken.pt'}; resume from {LAST} with a smaller agent.actor_lr or agent.critic_lr."
            )

    def _counters(self) -> dict[str, Any]:
        return {"env_steps": self.steps, "updates": self.updates, "seconds": self.seconds}

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
