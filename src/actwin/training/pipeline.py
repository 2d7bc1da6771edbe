"""A whole run: demonstrations, imitation, reinforcement learning."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from actwin.agents.bc import Demonstrations, Epoch
from actwin.agents.networks import Policy
from actwin.agents.registry import clones, remembers
from actwin.agents.replay import Experience
from actwin.errors import ConfigError
from actwin.training.config import RunConfig
from actwin.training.folder import last_checkpoint, require_free
from actwin.training.imitation import demonstrate, join_demonstrations, join_experience, new_clone
from actwin.training.offline import OfflineWorld
from actwin.training.progress import Progress, Result
from actwin.training.recorded_demos import recorded_demonstrations
from actwin.training.runs import prepare_torch
from actwin.training.trainer import Trainer
from actwin.training.world import TwinWorld
from actwin.units import lap_time_text

LEAST_MINUTES: Final = 0.5
"""[min] For reinforcement learning, however long the stages before it took."""


class Stages(Protocol):
    """Who shows how far a job is."""

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        """A stage went on; the first call begins it, a share of 1 ends it.

        Args:
            stage: Its name.
            share: [-] Done, 0 to 1.
            note: A few words.
            left: [s] Time left, when the stage knows it.
        """
        ...


class Trained(NamedTuple):
    """What a run leaves behind."""

    config: RunConfig
    """As it was run."""
    world: TwinWorld
    clone: Policy | None
    """The imitation that reinforcement learning began with; None when there was none."""
    result: Result


def train(
    config: RunConfig,
    out: Path,
    stages: Stages,
    resume: bool = False,
    total_minutes: float | None = None,
    logs: Path | None = None,
) -> Trained:
    """Trains a driver.

    Args:
        config: The run.
        out: Its folder; a run that is in it is moved into `earlier/` there, unless it is gone on with.
        stages: Gets told how far it is.
        resume: Go on from the folder's last checkpoint.
        total_minutes: [min] For all stages: reinforcement learning gets what the others leave, at most its own budget,
            at least half a minute.
        logs: Folder of TensorBoard's curves; `logs/` in the folder of the run when None.

    Raises:
        CheckpointError: There is no checkpoint to go on from, or it is of another task.
        ConfigError: The folder cannot be used.
    """
    require_free(out)
    last = last_checkpoint(out) if resume else None
    if config.live is not None:
        from actwin.training.live import train_live  # needs what is here

        return train_live(config, out, stages, last, logs)
    begin = time.perf_counter()
    prepare_torch(config.train.threads)
    stages.update("Preparation", 0.0, "racing line, compiled physics")
    world = TwinWorld(config.env)
    stages.update("Preparation", 1.0, f"predicted lap {lap_time_text(world.task_for(1).reference.lap_time)}")
    policy, experience = (None, None) if config.imitation is None else imitate(config, world, stages, resume)
    if total_minutes is not None:
        config = _shortened(config, total_minutes - (time.perf_counter() - begin) / 60.0)
    offline = config.train.offline
    stage = "Offline learning" if offline else "Reinforcement learning"
    stages.update(stage, 0.0)

    def show(progress: Progress) -> None:
        # The last evaluation comes after the budget is used up.
        stages.update(stage, min(progress.share, 0.999), _note(progress, offline), progress.left)

    trainer = Trainer(config, OfflineWorld(world) if offline else world, out, policy, experience, show, logs)
    if last is not None:
        trainer.resume(last)
    result = trainer.run()
    stages.update(stage, 1.0, _note(trainer.progress(), offline) + ("" if result.finished else ", stopped"))
    return Trained(config, world, policy, result)


def _shortened(config: RunConfig, minutes: float) -> RunConfig:
    """The run with no more time for reinforcement learning than this."""
    left = max(LEAST_MINUTES, min(minutes, config.train.minutes or math.inf))
    return config.model_copy(update={"train": config.train.model_copy(update={"minutes": round(left, 2)})})


def imitate(
    config: RunConfig, world: TwinWorld, stages: Stages, resume: bool = False
) -> tuple[Policy | None, Experience | None]:
    """Gathers demonstrations and clones the driver.

    Args:
        config: The run, with its section `imitation`.
        world: Where to drive.
        stages: Gets told how far it is.
        resume: The run goes on: its policy is there already, only what goes into a memory is needed.

    Returns:
        The clone, for algorithms that begin with one; the demonstrations, for those that remember them.

    Raises:
        ConfigError: There is nothing to imitate, or recorded drives do not fit the task.
        SessionError: A recorded drive cannot be used.
    """
    cloning, remembering = clones(config.agent) and not resume, remembers(config.agent)
    if not (cloning or remembering):
        return None, None
    imitation = config.imitation
    assert imitation is not None
    shown, experience = gather(config, world, stages, remembering)
    if not cloning:
        return None, experience
    stages.update("Imitation", 0.0)

    def show(epoch: Epoch) -> None:
        share = min(epoch.number / imitation.bc.epochs, 0.999)
        stages.update("Imitation", share, f"validation loss {epoch.validation_loss:.4f}")

    policy, history = new_clone(config, shown, world.action, show)
    best = min((epoch.validation_loss for epoch in history), default=math.nan)
    stages.update("Imitation", 1.0, f"{len(history)} epochs, validation loss {best:.4f}")
    return policy, experience


def gather(
    config: RunConfig, world: TwinWorld, stages: Stages, rewards: bool
) -> tuple[Demonstrations, Experience | None]:
    """Demonstrations of the recorded drives and of the scripted expert, as the settings want them.

    Args:
        config: The run, with its section `imitation`.
        world: Where the expert drives.
        stages: Gets told how far it is.
        rewards: Whether the same is wanted with rewards, in time order.
    """
    imitation = config.imitation
    assert imitation is not None
    shown, experience = list[Demonstrations](), list[Experience]()
    if imitation.sessions:
        stages.update("Recorded drives", 0.0)
        task = world.task_for(1)
        seen, kept, account = recorded_demonstrations(
            imitation, task, rewards, lambda share: stages.update("Recorded drives", min(share, 0.999))
        )
        stages.update("Recorded drives", 1.0, account.words())
        shown.append(seen)
        experience += [kept] if kept is not None else []
    if imitation.with_expert:
        begin = time.perf_counter()
        stages.update("Demonstrations", 0.0)
        seen, lived = demonstrate(
            config.env, imitation, config.seed, lambda share: stages.update("Demonstrations", min(share, 0.999)),
            world.task_for(imitation.cars),
        )  # fmt: skip
        hours = len(seen.observations) * world.period / 3600.0
        stages.update("Demonstrations", 1.0, f"{hours:.1f} h of driving in {time.perf_counter() - begin:.0f} s")
        shown.append(seen)
        experience += [lived] if rewards else []
    if not shown:
        raise ConfigError(
            "There is nothing to imitate: imitation.expert is false and imitation.sessions names no drive. Give "
            "recorded sessions, let the expert demonstrate, or set imitation: null to learn from nothing."
        )
    return join_demonstrations(shown), join_experience(experience) if experience else None


def _note(progress: Progress, offline: bool) -> str:
    """What a display says of a run, beside how far it is."""
    words = [] if math.isnan(progress.best_lap) else [f"best {lap_time_text(progress.best_lap)}"]
    if offline:
        words.append(f"{progress.steps} updates")
    else:
        words.append(f"{progress.steps / 1e6:.1f} M steps")
        words += [f"{progress.rate / 1000.0:.0f} k/s"] if progress.rate else []
    words += [f"{progress.update_rate:.3g} updates/s"] if progress.update_rate else []
    return (f"NOT SAVED: {progress.trouble} " if progress.trouble else "") + ", ".join(words)
