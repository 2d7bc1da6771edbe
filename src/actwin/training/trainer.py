"""The training loop: collect, update, log, evaluate, save."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch

from actwin.agents.agent import Agent
from actwin.agents.device import chosen_device
from actwin.agents.memory_agent import MemoryAgent
from actwin.agents.networks import Policy
from actwin.agents.registry import new_agent
from actwin.agents.replay import Experience
from actwin.driving.interruption import Interruption
from actwin.errors import ActwinError, CheckpointError
from actwin.training.board import Board
from actwin.training.config import RunConfig
from actwin.training.finite import all_finite, broken_observation, broken_reward, broken_tensors, broken_values
from actwin.training.folder import BROKEN, FINISHED, RunFolder
from actwin.training.progress import Progress, Rate, Result
from actwin.training.protocols import Score, World
from actwin.training.runs import BEST, prepare_torch
from actwin.training.saving import Counters, Saver, restore


class Trainer:
    """Trains one agent.

    The run folder holds `config.yaml` (resolved), `run.json` (versions, seed, state), `metrics.parquet` with its
    journal, `last.pt`, `best.pt` by evaluation and `step_N.pt`; see `RunFolder` and `Saver`. Ctrl-C ends a run after
    the round that is going on, with a checkpoint from which it can go on exactly.

    Args:
        config: The run.
        world: Cars, evaluation and the task they belong to.
        out: Folder of the run; made if it does not exist.
        clone: A cloned policy to start from.
        experience: Demonstrations with their rewards, for agents with a memory.
        on_progress: Called after each update.
        logs: Folder of TensorBoard's curves; `logs/` in the folder of the run when None.
    """

    def __init__(
        self,
        config: RunConfig,
        world: World,
        out: Path,
        clone: Policy | None = None,
        experience: Experience | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        logs: Path | None = None,
    ) -> None:
        prepare_torch(config.train.threads)
        self.config, self.world, self.out, self._on_progress, self._logs = config, world, out, on_progress, logs
        self.agent: Agent = new_agent(
            config.agent,
            world.observations,
            world.action,
            config.train.cars,
            world.period,
            config.seed,
            clone,
            experience,
            out,
            chosen_device(config.train.device),
            config.train.cuda_graphs,
        )
        if config.train.offline:
            assert isinstance(self.agent, MemoryAgent)
            self.agent.offline = True
        self.cars = world.cars(config.train.cars)
        self.observation = self.cars.start(config.seed)
        self._saver = Saver(config, out, world, self.agent, self.cars)
        self.steps, self.updates, self.seconds = 0, 0, 0.0
        self.best: Score | None = None
        self.interruption = Interruption()
        self._shown: dict[str, float] = {}
        self._rate, self._update_rate = Rate(), Rate()
        self._resumed: tuple[int, float] | None = None
        self._unsaved = ""

    def resume(self, path: Path) -> None:
        """Goes on from a checkpoint of the same task and agent, exactly as if there had been no interruption.

        Raises:
            CheckpointError: It cannot be read, or belongs to another task, agent or number of cars.
        """
        counters, self.best, self.observation = restore(path, self.config, self.world, self.agent, self.cars)
        self.steps, self.updates, self.seconds = counters
        self._resumed = self.steps, self.seconds

    def run(self) -> Result:
        """Trains until the budget is used up, or somebody interrupts, and saves what came of it.

        Raises:
            ConfigError: The folder cannot be used.
            CheckpointError: The result cannot be saved; what was saved before is untouched.
            ActwinError: Something became infinite or undefined; the evidence is in `broken.pt`.
        """
        resumed = None if self._resumed is None else self._resumed[0]
        with RunFolder(self.config, self.out, self._logs, resumed) as folder, self.interruption as stop:
            board = Board(self.out, folder.logs, self._resumed)
            try:
                if self.best is None:
                    self._evaluate(board)
                while not self._finished() and not stop.asked:
                    self._advance(board)
                finished = self._finished()
                if finished:
                    self._evaluate(board)
                    folder.state = FINISHED
                self._saver.save_last(self._counters(), self.best)
            finally:
                board.close()
        best_lap = math.nan if self.best is None else self.best.best_lap
        return Result(self.out, self.steps, self.seconds, best_lap, finished)

    def _finished(self) -> bool:
        train = self.config.train
        return self.steps >= train.steps or (train.minutes is not None and self.seconds >= 60.0 * train.minutes)

    def _advance(self, board: Board) -> None:
        """One round of collecting and learning, with what is due after it."""
        train, before, begin, updates = self.config.train, self.steps, time.perf_counter(), self.agent.updates
        collected = self._collect()
        learned = {f"agent/{name}": value for name, value in self.agent.update().items()}
        if train.offline:
            self.steps = self.agent.updates
        took = time.perf_counter() - begin
        self.seconds += took
        self.updates += 1
        self._rate.add(self.steps - before, took)
        self._update_rate.add(self.agent.updates - updates, took)
        self._require_finite(learned)
        rates = {
            "time/steps_per_second": (self.steps - before) / took,
            "time/updates_per_second": (self.agent.updates - updates) / took,
        }
        self._shown |= collected | learned
        board.write(self.steps, self.seconds, rates | collected | learned)
        if self.steps // train.evaluate_every > before // train.evaluate_every and not self._finished():
            self._evaluate(board)
        if self.steps // train.save_every > before // train.save_every:
            self._save(board)
        elif self.agent.memory is not None and self.agent.memory.must_be_saved:
            self._save(board, step=False)
        if self._on_progress:
            self._on_progress(self.progress(board.trouble))

    def _collect(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        count, total, columns = 0, 0.0, self.world.columns
        while not self.agent.ready:
            actions = self.agent.act(self.observation)
            if not all_finite(actions):
                self._stop("the policy's action is not a finite number", {"observation": self.observation})
            observation, reward, terminated, truncated = self.cars.step_arrays(actions)
            told = broken_reward(reward, self.cars.reward_terms) or broken_observation(observation, columns)
            if told:
                self._stop(told, {"observation": observation, "actions": actions, "reward": reward})
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
        if not self.config.train.evaluate:
            return
        begin = time.perf_counter()
        score = self.world.evaluate(self.agent.policy)
        shown = {f"evaluation/{name}": value for name, value in score.scalars.items()}
        if math.isfinite(score.best_lap) and (self.best is None or score.value > self.best.value):
            score = self.world.evaluate(self.agent.policy, thorough=True)
            shown |= {f"thorough/{name}": value for name, value in score.scalars.items()}
        self.seconds += time.perf_counter() - begin
        self._shown |= shown
        board.write(self.steps, self.seconds, shown)
        if self.best is None or score.value > self.best.value:
            try:
                self._saver.save(BEST, self._counters(), score)
            except CheckpointError as error:
                if self.best is None or self._finished():  # nothing can be written at all, or never will be
                    raise
                self._unsaved = str(error)
                return
            self.best = score

    def _save(self, board: Board, step: bool = True) -> None:
        """Checkpoints; a disk that is full now may have room at the next ones, so the run goes on."""
        board.settle()
        try:
            if step:
                self._saver.save_step(self._counters(), self.best)
            self._saver.save_last(self._counters(), self.best)
        except CheckpointError as error:
            self._unsaved = str(error)
        else:
            self._unsaved = ""

    def _require_finite(self, learned: Mapping[str, float]) -> None:
        """Stops a run whose losses are broken, saying where that began."""
        if not (names := broken_values(learned)):
            return
        evidence = self.agent.evidence()
        told = f"{' and '.join(names)} {'is not a finite number' if len(names) == 1 else 'are not finite numbers'}"
        if inputs := broken_tensors(evidence):
            told += f", and so are {', '.join(inputs)} in the batch that it learned from"
        elif weights := broken_tensors(self.agent.state()):
            told += f"; so are {', '.join(weights[:3])}, while the batch that it learned from is finite"
        self._stop(told, evidence)

    def _stop(self, told: str, evidence: Mapping[str, Any]) -> NoReturn:
        """Ends a run that has become meaningless, keeping the evidence."""
        where = f"The state with the evidence is in {self.out / BROKEN}"
        arrays = {name: torch.as_tensor(value).clone() for name, value in evidence.items()}
        try:
            self._saver.save(BROKEN, self._counters(), self.best, {"broken": told, "evidence": arrays})
        except CheckpointError as error:
            where = f"The evidence could not be saved: {error}"
        raise ActwinError(
            f"Training stopped after {self.steps} steps: {told}. {where}; go on from the last checkpoint with --resume "
            "and a smaller learning rate (agent.actor_lr, agent.critic_lr or agent.lr), or look at env if the numbers "
            "came from there."
        )

    def _counters(self) -> Counters:
        return Counters(self.steps, self.updates, self.seconds)

    def progress(self, trouble: str = "") -> Progress:
        """Where the run is.

        Args:
            trouble: What could not be written, beside checkpoints.
        """
        train, rate = self.config.train, self._rate.value
        share = self.steps / max(train.steps, 1)
        left = (train.steps - self.steps) / rate if rate else math.inf
        if train.minutes is not None:
            share = max(share, self.seconds / (60.0 * train.minutes))
            left = min(left, 60.0 * train.minutes - self.seconds)
        return Progress(
            min(share, 1.0),
            self.steps,
            self.seconds,
            max(left, 0.0) if math.isfinite(left) else None,
            rate,
            self._update_rate.value,
            math.nan if self.best is None else self.best.best_lap,
            dict(self._shown),
            self._unsaved or trouble,
        )
