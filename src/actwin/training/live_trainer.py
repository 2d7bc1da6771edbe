"""The learner of live training: takes in what cars in running games do, updates, hands out weights, has them judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from torch import Tensor

from actwin.agents.checkpoints import load_checkpoint, save_checkpoint
from actwin.agents.intake import Chunk
from actwin.agents.memory_agent import MemoryAgent
from actwin.agents.networks import Policy
from actwin.agents.replay import Experience
from actwin.env.task import Task
from actwin.errors import ActwinError, CheckpointError, ConfigError, ExperienceError
from actwin.training.board import Board
from actwin.training.config import RunConfig
from actwin.training.live_board import live_scalars
from actwin.training.live_config import LiveConfig
from actwin.training.live_evaluation import INTERRUPTED, Seen, judge, longest
from actwin.training.live_games import Games
from actwin.training.live_world import GameWorld
from actwin.training.progress import Progress, Result
from actwin.training.protocols import Score
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

    def run(self) -> Result:
        """As of `Trainer`."""
        self._games.wait_no_longer()  # demonstrations and imitation may have taken longer than patience lasts
        return super().run()

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
        told["restarts"] = self._games.restarts
        shown = learned | live_scalars(self._games.pulses, self._games.episodes(), told)
        self._shown |= shown
        rates = {"steps_per_second": self._rate.value, "updates_per_second": self._update_rate.value}
        return {f"time/{name}": value for name, value in rates.items()} | shown

    # Evaluation

    def _evaluate(self, board: Board) -> None:
        """The first one is begun, the last one is waited for; in between, cars learn on while one is judged.

        What a new run begins with is kept in `step_0.pt`, to compare with later.
        """
        if self.steps == 0:
            self._saver.save_step(self._counters(), self.best)
        if not self.config.train.evaluate:
            return
        if not self._finished():
            self._games.renew()
            self._renewed = self.agent.updates
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

        None while another game is being judged, and where nobody wants to know or could keep what is judged.
        """
        going_on = self._judging is not None and time.monotonic() < self._judging[1]
        if going_on or not self.config.train.evaluate or not self._write(CANDIDATE):
            return None
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
                self._promote(candidate, score)
        candidate.unlink(missing_ok=True)

    def _write(self, name: str) -> bool:
        """Saves a checkpoint; whether that worked, as a disk that is full now may have room later."""
        try:
            self._saver.save(name, self._counters(), self.best)
        except CheckpointError as error:
            self._unsaved = str(error)
            return False
        return True

    def _promote(self, candidate: Path, score: Score) -> None:
        """Makes the weights that were judged the best ones."""
        try:
            save_checkpoint(self.out / BEST, load_checkpoint(candidate) | {"best": score._asdict()})
        except CheckpointError as error:
            self._unsaved = str(error)
        else:
            self.best = score
