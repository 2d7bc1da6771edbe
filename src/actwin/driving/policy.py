"""A trained policy as a driver: the task of its checkpoint turns frames into observations and actions into controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from actwin.agents.checkpoints import load_checkpoint, require_same_task
from actwin.agents.registry import DrivingPolicy, network_from_spec
from actwin.env.task import Task, TaskConfig
from actwin.errors import CheckpointError
from actwin.telemetry.channels import Controls, Frames


class PolicyDriver:
    """Drives N cars with the most likely actions of a policy.

    Args:
        task: What the policy sees and means, for N cars.
        policy: The network with its observation statistics.
    """

    def __init__(self, task: Task, policy: DrivingPolicy) -> None:
        self.task, self.policy = task, policy

    @classmethod
    def from_checkpoint(cls, path: Path, n: int = 1, **changes: Any) -> PolicyDriver:
        """The driver that a checkpoint holds, with the task it was trained for.

        Args:
            path: Checkpoint file.
            n: Number of cars.
            changes: `track=...` or `car=...` to drive elsewhere than in training; None changes nothing.

        Raises:
            CheckpointError: It cannot be used, or its task means something else in this version; names the difference.
        """
        checkpoint = load_checkpoint(path)
        config = TaskConfig.of(checkpoint["task"]["config"], **changes)
        task = Task(config, n)
        if not any(value is not None for value in changes.values()):
            require_same_task(path, task.identity(), checkpoint["task"])
        policy = network_from_spec(checkpoint["spec"])
        policy.load_state_dict(checkpoint["agent"]["policy"])
        if policy.observations != task.observation_size or policy.action.width != task.action_space.width:
            raise CheckpointError(
                f"{path}: its policy sees {policy.observations} numbers and decides {policy.action.width}, the "
                f"task has {task.observation_size} and {task.action_space.width}. Use the car of its training."
            )
        return cls(task, policy)

    def reset(self, index: npt.ArrayLike | None = None) -> None:
        """Forgets the controls sent to some cars; None means all."""
        rows = np.arange(self.task.n) if index is None else np.atleast_1d(np.asarray(index))
        self.task.actions.begin(np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64))

    def act(self, frames: Frames) -> Controls:
        """Controls for the next period: CONTROLS[N], reused at the next call."""
        actions = self.policy.drive(torch.from_numpy(self.task.observe(frames)))
        return self.task.decode(actions.numpy(), frames)
