"""A whole run in running games: find them, demonstrate and imitate in the twin, learn in the games."""

from __future__ import annotations

import math
from pathlib import Path

from actwin.agents.device import chosen_device, device_label
from actwin.agents.registry import clones
from actwin.driving.priority import lowered
from actwin.training.config import RunConfig
from actwin.training.live_collector import Post
from actwin.training.live_games import Games
from actwin.training.live_trainer import LiveTrainer
from actwin.training.live_world import GameWorld
from actwin.training.preparation import Stages, Trained, imitate
from actwin.training.progress import Progress
from actwin.training.protocols import Score
from actwin.training.runs import prepare_torch
from actwin.training.world import TwinWorld
from actwin.units import lap_time_text

LEARNING = "Learning in the games"


def train_live(
    config: RunConfig, out: Path, stages: Stages, last: Path | None = None, logs: Path | None = None
) -> Trained:
    """Trains a driver in running games.

    Args:
        config: The run; its section `live` says which games.
        out: Its folder.
        stages: Gets told how far it is.
        last: Checkpoint to go on from; None begins anew.
        logs: Folder of TensorBoard's curves; `logs/` in the folder of the run when None.

    Raises:
        SourceError: A game does not answer, or drives something else; says which, and how to start it.
        CheckpointError: The checkpoint is of another task.
    """
    assert config.live is not None
    prepare_torch(config.train.threads)
    cloned = config.imitation is not None and clones(config.agent)
    stages.update("Games", 0.0, "starting their drivers")
    games = Games([Post(config, car, cloned) for car in range(len(config.live.games))])
    try:
        world = TwinWorld(config.env)
        task = world.task_for(1)
        games.await_ready(task)
        stages.update("Games", 1.0, f"{len(config.live.games)} answer")
        policy, experience = (
            (None, None) if config.imitation is None else imitate(config, world, stages, last is not None)
        )
        stages.update(LEARNING, 0.0, f"on {device_label(chosen_device(config.train.device))}")

        def show(progress: Progress) -> None:
            stages.update(LEARNING, min(progress.share, 0.999), _ongoing(progress), progress.left)

        trainer = LiveTrainer(config, GameWorld(world), task, games, out, policy, experience, show, logs)
        if last is not None:
            trainer.resume(last)
        with lowered():
            result = trainer.run()
        stages.update(LEARNING, 1.0, outcome(trainer))
    finally:
        games.close()
    return Trained(config, world, policy, result)


def _note(progress: Progress) -> str:
    """How far it is, in a line."""
    shown = progress.scalars
    lap = f"best {lap_time_text(progress.best_lap)}, " if math.isfinite(progress.best_lap) else ""
    missed = f"{shown.get('live/missed', 0.0):.0f} of {shown.get('live/periods', 0.0):.0f} deadlines missed"
    still = f", {idle:.0f} of {shown['live/games']:.0f} games not driven" if (idle := shown.get("live/idle")) else ""
    trouble = f"NOT SAVED: {progress.trouble} " if progress.trouble else ""
    return f"{trouble}{lap}{progress.steps} steps, {progress.update_rate:.0f} updates/s, {missed}{still}"


def _ongoing(progress: Progress) -> str:
    """The same, while the run goes on: after its time is up, games are driven once more."""
    return _note(progress) + (", the last weights are being judged" if progress.share >= 1.0 else "")


def outcome(trainer: LiveTrainer) -> str:
    """What a run came to, in a line: the first and the last evaluation, and what the loop of control says.

    Args:
        trainer: After its run.
    """
    note = _note(trainer.progress())
    if trainer.first is None or trainer.newest is None:
        return note
    return f"{_score(trainer.first)} → {_score(trainer.newest)}; {note}"


def _score(score: Score) -> str:
    lap = lap_time_text(score.best_lap) if math.isfinite(score.best_lap) else "no clean lap"
    return f"{lap} (score {score.value:.2f})"
