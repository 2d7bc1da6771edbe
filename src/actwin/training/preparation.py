"""What comes before learning, wherever the cars are: demonstrations and their imitation."""

from __future__ import annotations

import math
import time
from typing import NamedTuple, Protocol

from actwin.agents.bc import Demonstrations, Epoch
from actwin.agents.networks import Policy
from actwin.agents.registry import clones, remembers
from actwin.agents.replay import Experience
from actwin.errors import ConfigError
from actwin.training.config import RunConfig
from actwin.training.imitation import demonstrate, join_demonstrations, join_experience, new_clone
from actwin.training.progress import Result
from actwin.training.recorded_demos import recorded_demonstrations
from actwin.training.world import TwinWorld


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
