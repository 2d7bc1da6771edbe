"""Trained drivers as ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from actwin.agents.checkpoints import load_checkpoint
from actwin.agents.export import export_onnx
from actwin.agents.onnx_policy import FORMAT
from actwin.agents.registry import DrivingPolicy
from actwin.driving.policy import PolicyDriver
from actwin.errors import CheckpointError


class Exported(NamedTuple):
    """What was written."""

    path: Path
    kind: str
    """Algorithm that trained it."""
    observations: int
    """Length of an observation."""
    actions: int
    """Columns of an action."""
    difference: float
    """Largest difference between an action of the file and of the network."""


def export_checkpoint(checkpoint: Path, to: Path) -> Exported:
    """Writes the driver of a checkpoint as one graph from raw observation to action, with all that tells its task.

    Args:
        checkpoint: File of a run.
        to: File to write; ends in `.onnx`.

    Raises:
        CheckpointError: The checkpoint cannot be used, or the file cannot be written.
        MissingExtraError: The packages for ONNX are not installed.
    """
    if to.suffix.lower() != ".onnx":
        raise CheckpointError(f"{to}: an exported policy is told by its ending. Give a name that ends in .onnx.")
    driver, loaded = PolicyDriver.from_checkpoint(checkpoint), load_checkpoint(checkpoint)
    policy: DrivingPolicy = driver.policy  # type: ignore[assignment]
    about = {
        "format": FORMAT, "kind": loaded["kind"], "task": loaded["task"], "spec": loaded["spec"],
        "columns": [[each.label, each.unit, each.scale] for each in driver.task.layout.columns],
        "versions": loaded["versions"],
    }  # fmt: skip
    difference = export_onnx(policy, to, about)
    return Exported(to, str(loaded["kind"]), policy.observations, policy.width, difference)
