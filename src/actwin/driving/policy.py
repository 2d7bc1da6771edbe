"""A trained policy as a driver: the task of its checkpoint turns frames into observations and actions into controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Floats
from actwin.agents.onnx_policy import OnnxPolicy
from actwin.agents.run_files import checkpoint_path
from actwin.agents.task_identity import require_same_task
from actwin.env.task import Task, TaskConfig
from actwin.errors import CheckpointError
from actwin.telemetry.channels import Controls, Frames

ONNX: Final = ".onnx"
"""Ending of an exported policy; every other file is a checkpoint."""


class Decider(Protocol):
    """A network with its observation statistics, or what was exported from one."""

    observations: int

    @property
    def width(self) -> int:
        """Columns of an action."""
        ...

    def decide(self, observations: Floats) -> Floats:
        """float32[N, width]: the most likely actions for raw observations float32[N, observations]."""
        ...


class PolicyDriver:
    """Drives N cars with the most likely actions of a policy.

    Args:
        task: What the policy sees and means, for N cars.
        policy: The network with its observation statistics.
    """

    def __init__(self, task: Task, policy: Decider) -> None:
        self.task, self.policy = task, policy

    @classmethod
    def from_checkpoint(cls, path: Path, n: int = 1, **changes: Any) -> PolicyDriver:
        """The driver that a file holds, with the task it was trained for.

        Args:
            path: Checkpoint, folder of a run, whose best one is taken, or a policy that `actwin export-policy` wrote,
                which needs no torch.
            n: Number of cars.
            changes: `track=...` or `car=...` to drive elsewhere than in training; None changes nothing.

        Raises:
            CheckpointError: It cannot be used, or its task means something else in this version; names the difference.
            MissingExtraError: It is an exported policy and onnxruntime is not installed.
        """
        path = checkpoint_path(path)
        identity, policy = _open(path)
        config = TaskConfig.of(identity["config"], **changes)
        task = Task(config, n)
        if not any(value is not None for value in changes.values()):
            require_same_task(path, task.identity(), identity)
        if policy.observations != task.observation_size or policy.width != task.action_space.width:
            raise CheckpointError(
                f"{path}: its policy sees {policy.observations} numbers and decides {policy.width}, the "
                f"task has {task.observation_size} and {task.action_space.width}. Use the car of its training."
            )
        return cls(task, policy)

    def reset(self, index: npt.ArrayLike | None = None) -> None:
        """Forgets the controls sent to some cars; None means all."""
        rows = np.arange(self.task.n) if index is None else np.atleast_1d(np.asarray(index))
        self.task.forget(np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64))

    def act(self, frames: Frames) -> Controls:
        """Controls for the next period: CONTROLS[N], reused at the next call."""
        return self.task.decode(self.policy.decide(self.task.observe(frames)), frames)


def real_time_driver(path: Path, n: int = 1, **changes: Any) -> PolicyDriver:
    """`PolicyDriver.from_checkpoint` for a process that does nothing but drive: its network computes in one thread.

    Args:
        path, n, changes: As of `PolicyDriver.from_checkpoint`.
    """
    if path.suffix.lower() != ONNX:
        import torch  # which an exported policy does without

        torch.set_num_threads(1)  # a second thread only makes the small network of a few cars wait
    return PolicyDriver.from_checkpoint(path, n, **changes)


def _open(path: Path) -> tuple[dict[str, Any], Decider]:
    """Identity of the task, and the policy."""
    if path.suffix.lower() == ONNX:
        exported = OnnxPolicy(path)
        return exported.about["task"], exported
    from actwin.agents.checkpoints import load_checkpoint  # brings torch
    from actwin.agents.registry import network_from_spec

    checkpoint = load_checkpoint(path)
    policy = network_from_spec(checkpoint["spec"])
    policy.load_state_dict(checkpoint["agent"]["policy"])
    return checkpoint["task"], policy
