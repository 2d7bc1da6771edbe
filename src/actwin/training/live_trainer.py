"""The learner of live training: takes in what cars in running games do, updates, hands out weights, has them judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from torch import Tensor

from actwin.agents.arrays import Flags, Floats
from actwin.agents.checkpoints import load_checkpoint, save_checkpoint
from actwin.agents.intake import Chunk
from actwin.agents.memory_agent import MemoryAgent
from actwin.agents.networks import Policy
from actwin.agents.registry import DrivingPolicy
from actwin.agents.replay import Experience
from actwin.env.task import Task
from actwin.errors import ActwinError, ConfigError, ExperienceError, SourceError
from actwin.training.board import Board
from actwin.training.config import RunConfig
from actwin.training.live_board import live_scalars
from actwin.training.live_config import LiveConfig
from actwin.training.live_evaluation import INTERRUPTED, Seen, judge, longest
from actwin.training.live_games import Games
from actwin.training.progress import Progress
from actwin.training.protocols import Score, World
from actwin.training.runs import BEST
from actwin.training.trainer import Trainer

AT_ONCE: Final = 10
"""Updates after which what has arrived is taken in."""
IDLE: Final = 0.05
"""[s] To wait for experience when nothing is to be learned."""
SHOWN_EVERY: Final = 5.0
"""[s] Between two rows on the board."""
WATCH_EVERY: Final = 1.0
"""[s] Between looks after the drivers."""
REFUSED: Final = 10
"""Chunks in a row that make no sense, after which it is no accident."""
CANDIDATE: Final = "candidate.pt"
"""The weights that are being evaluated; `best.pt` if they turn out so."""
SPARE: Final = 60.0
"""[s] Beyond its longest drive, after which an evaluation does not come any more."""
ATTEMPTS: Final = 3
"""Of the last evaluation, when games interrupt it."""


class GameCars:
    """Cars that keep their own time, as the trainer knows them; a game cannot be put back into a former state.

    Args:
        n: How many.
        observations: Numbers in an observation.
    """

    def __init__(self, n: int, observations: int) -> None:
        self.num_envs = n
        self.final_observation: Floats = np.zeros((n, observations), np.float32)
        self.reward_terms: Mapping[str, npt.NDArray[Any]] = {}

    def start(self, seed: int) -> Floats:
        """Nothing is driven yet; float32[N, O]."""
        return self.final_observation

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """Games do not step together."""
        raise SourceError("Cars in running games keep their own time. Train them with section `live` of the settings.")

    def episode_stats(self) -> dict[str, float]:
        """Drivers report them."""
        return {}

    def state(self) -> dict[str, Any]:
        """Nothing: the games drive on."""
        return {}

    def load_state(self, state: dict[str, Any]) -> Floats:
        """Begins anew; float32[N, O]."""
        return self.final_observation


class GameWorld:
    """The task of a run whose cars are in running games.

    Args:
        twin: The same task in the twin, where demonstrations come from.
    """

    def __init__(self, twin: World) -> None:
        self.period, self.action, self.observations = twin.period, twin.action, twin.observations
        self.columns, self.task = twin.columns, twin.task

    def cars(self, n: int) -> GameCars:
        """The cars of N games."""
        return GameCars(n, self.observations)

    def evaluate(self, policy: DrivingPolicy) -> Score:
        """Games are asked to, and answer when they have driven."""
        raise SourceError("Cars in running games are judged while they drive. Use `actwin drive` for a checkpoint.")


class LiveTrainer(Trainer):
    """Trains one agent with what cars in running games do; drivers know `take` and `weights` of it and nothing else.

    The run folder holds what that of a run in the twin holds. A resume goes on from the last checkpoint with its
    memory; the games have driven on meanwhile, so it does not repeat what an uninterrupted run would have done.

    Args:
        config: The run; its section `live` says which games.
        world: The task that checkpoints name.
        task: For one car; judges evaluations.
        games: Whose drivers are ready.
        out, clone, experience, on_progress, logs: As of `Trainer`.

    Attributes:
        first, newest: Scores of the first evaluation (of the clone, if there is one) and of the last one.
    """

    agent: MemoryAgent

    def __init__(
        self,
        config: RunConfig,
        world: GameWorld,
        task: Task,
        games: Games,
        out: Path,
        clone: Policy | None = None,
        experience: Experience | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        logs: Path | None = None,
    ) -> None:
        assert config.live is not None
        self.live: LiveConfig = config.live
        train = config.train.model_copy(update={"cars": len(self.live.games)})
        config = config.model_copy(update={"train": train})
        super().__init__(config, world, out, clone, experience, on_progress, logs)
        if not isinstance(self.agent, MemoryAgent):
            raise ConfigError(f"{config.agent.type.upper()} cannot learn live. Use sac, qr_sac, td3 or iqn.")
        self._task, self._games = task, games
        games.learner = self
        self.first: Score | None = None
        self.newest: Score | None = None
        self._begun: tuple[int, int] | None = None
        self._refused = 0
        self._behind = 0.0
        self._learned: dict[str, list[float]] = {}
        self._judging: tuple[int, float] | None = None
        self._scored = -1
        self._turn_of = 0
        self._renewed = -1
        self._due: dict[str, float] = {}
        self._now = time.monotonic()
        self._told = self.steps, self.updates

    # What drivers know

    def take(self, chunk: Chunk) -> None:
        """Takes in what a car did.

        Raises:
            ExperienceError: Again and again it makes no sense.
        """
        try:
            self.steps += self.agent.absorb(chunk)
        except ExperienceError:
            self._refused += 1
            if self._refused >= REFUSED:
                raise
            return
        self._refused = 0
        self._behind = float(self.agent.updates - chunk.policy_version)

    def weights(self) -> tuple[int, dict[str, Tensor]]:
        """Version and weights of the policy that shall drive."""
        return self.agent.weights()

    # A round

    def _advance(self, board: Board) -> None:
        """Learns a little, takes in what has arrived, and does what is due."""
        train, before, then = self.config.train, self.steps, self._now
        learned = self._learn()
        if not self._overrun():
            self._games.deliver(0.0 if learned else IDLE)
        self._now = time.monotonic()
        self.seconds += self._now - then
        self.updates = self.agent.updates
        self._look_after(board)
        if self.steps // train.evaluate_every > before // train.evaluate_every and not self._finished():
            self._ask()
        if self.steps // train.save_every > before // train.save_every:
            self._save(board)

    def _learn(self) -> bool:
        """Some of the updates that are due; whether any was."""
        if not self.agent.ready:
            return False
        self._begun = self._begun or (self.steps, self.agent.updates)
        learned = {f"agent/{name}": value for name, value in self.agent.update(AT_ONCE).items()}
        self._require_finite(learned)
        for name, value in learned.items():
            self._learned.setdefault(name, []).append(value)
        return True

    def _ratio(self) -> float:
        """Updates for each step since learning began."""
        steps, updates = self._begun or (self.steps, self.agent.updates)
        return (self.agent.updates - updates) / max(self.steps - steps, 1)

    def _overrun(self) -> bool:
        """Whether so much has come for each update that no more is taken in before some are done."""
        return self._begun is not None and self.agent.ready and self._ratio() < self.live.least_ratio

    def _is_due(self, what: str, every: float) -> bool:
        """Whether something is to be done again."""
        if self._now < self._due.setdefault(what, self._now + every):
            return False
        self._due[what] = self._now + every
        return True

    def _look_after(self, board: Board) -> None:
        """Weights out, evaluations in, a row on the board, drivers alive."""
        if self._renewed != self.agent.updates and (self._renewed < 0 or self._is_due("renew", self.live.renew_every)):
            self._games.renew()
            self._renewed = self.agent.updates
        while self._games.seen:
            self._judge(self._games.seen.pop(0), board)
        if self._is_due("board", SHOWN_EVERY):
            board.write(self.steps, self.seconds, self._row())
        if self._is_due("watch", WATCH_EVERY):
            self._watch()
            if self._on_progress:
                self._on_progress(self.progress(board.trouble))

    def _watch(self) -> None:
        """Looks after the drivers; where nothing can be hoped for, what was learned is saved first."""
        try:
            self._games.watch(self.live.patience)
        except ActwinError:
            self._saver.save_last(self._counters(), self.best)
            raise

    def _row(self) -> dict[str, float]:
        """What the board shows of the time since the last row."""
        learned = {name: sum(values) / len(values) for name, values in self._learned.items()}
        self._learned = {}
        (steps, updates), self._told = self._told, (self.steps, self.updates)
        self._rate.add(self.steps - steps, SHOWN_EVERY)
        self._update_rate.add(self.updates - updates, SHOWN_EVERY)
        told = {"gaps": self.agent.intake.gaps, "behind": self._behind, "ratio": self._ratio()}
        shown = learned | live_scalars(self._games.pulses, self._games.episodes(), told)
        self._shown |= shown
        rates = {"steps_per_second": self._rate.value, "updates_per_second": self._update_rate.value}
        return {f"time/{name}": value for name, value in rates.items()} | shown

    # Evaluation

    def _evaluate(self, board: Board) -> None:
        """The first one is begun, the last one is waited for; in between, cars learn on while one is judged."""
        if not self._finished():
            self._games.renew()
            self._renewed = self.agent.updates
            self._games.wait_no_longer()
            self._ask()
            return
        self._await(board)
        for _ in range(ATTEMPTS):
            version = self._ask()
            self._await(board)
            if self._scored == version or self.interruption.asked:
                return

    def _ask(self) -> int | None:
        """Lets one game after the other drive the present weights without exploration; their version.

        None while another game is being judged.
        """
        if self._judging is not None and time.monotonic() < self._judging[1]:
            return None
        self._saver.save(CANDIDATE, self._counters(), self.best)
        version = self._games.evaluate(self._turn_of % len(self.live.games))
        self._judging = version, time.monotonic() + longest(self._task, self.live.evaluation_laps) + SPARE
        self._turn_of += 1
        return version

    def _await(self, board: Board) -> None:
        """Waits for the evaluation that is going on, if any, as long as it may take."""
        while self._judging is not None and self._now < self._judging[1] and not self.interruption.asked:
            self._games.deliver(IDLE)
            self._now = time.monotonic()
            self._look_after(board)
        self._judging = None

    def _judge(self, seen: Seen, board: Board) -> None:
        """Takes an evaluation."""
        if self._judging is None or seen.version != self._judging[0]:
            return
        self._judging = None
        candidate = self.out / CANDIDATE
        if seen.ended != INTERRUPTED:
            score = judge(seen, self._task, self.live.evaluation_laps)
            shown = {f"evaluation/{name}": value for name, value in score.scalars.items()}
            shown["evaluation/value"] = score.value
            self._shown |= shown
            board.write(self.steps, self.seconds, shown)
            self.first, self.newest, self._scored = self.first or score, score, seen.version
            if self.best is None or score.value > self.best.value:
                save_checkpoint(self.out / BEST, load_checkpoint(candidate) | {"best": score._asdict()})
                self.best = score
        candidate.unlink(missing_ok=True)
