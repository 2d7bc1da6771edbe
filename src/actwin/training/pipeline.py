"""A whole run: demonstrations, imitation, reinforcement learning."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Final

from actwin.agents.device import chosen_device, device_label
from actwin.training.config import RunConfig
from actwin.training.folder import last_checkpoint, require_free
from actwin.training.live import train_live
from actwin.training.offline import OfflineWorld
from actwin.training.preparation import Stages, Trained, imitate
from actwin.training.progress import Progress
from actwin.training.runs import prepare_torch
from actwin.training.trainer import Trainer
from actwin.training.world import TwinWorld
from actwin.units import lap_time_text

LEAST_MINUTES: Final = 0.5
"""[min] For reinforcement learning, however long the stages before it took."""


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
        ConfigError: The folder cannot be used, or there is no such device.
    """
    require_free(out)
    device = chosen_device(config.train.device)
    last = last_checkpoint(out) if resume else None
    if config.live is not None:
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
    stages.update(stage, 0.0, f"on {device_label(device)}")

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
