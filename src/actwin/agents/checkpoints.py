"""Checkpoint files: plain tensors, numbers, lists and dicts, written atomically and read without unpickling code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Final

import torch

from actwin.agents.device import HOST, carried
from actwin.agents.replay import Replay
from actwin.agents.task_identity import require_same_task as require_same_task
from actwin.errors import CheckpointError

FORMAT: Final = 1
MEMORY: Final = "replay.pt"
"""File beside `last.pt` with what the agent remembers."""
NEXT_MEMORY: Final = "replay_next.pt"
"""The same of the checkpoint that is being written; left behind only by a kill."""
REQUIRED: Final = ("format", "kind", "config", "task", "spec", "agent", "counters", "versions", "numerics")

Checkpoint = dict[str, Any]
"""What a file holds. Keys, beside those of `REQUIRED` that say it themselves:

- `kind`: algorithm that made it ("ppo", "bc").
- `config`: the resolved run configuration.
- `task`: `{"fingerprint": str, "config": {...}}` of the Task the policy was trained for.
- `spec`: how to rebuild the policy's network.
- `agent`: `Agent.state()`: weights, statistics, optimiser.
- `environment`: state of the environments, for an exact resume.
- `counters`: `env_steps`, `updates`, `seconds`.
- `best`: score of the best evaluation so far.
"""


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a file that is complete or not there: beside its place first, forced to the disk, then moved over.

    Args:
        path: Ends in `.pt` by custom.
        checkpoint: Must hold every key of `REQUIRED`.

    Raises:
        CheckpointError: The disk is full or the folder cannot be written; the file that was there is untouched.
    """
    missing = [key for key in REQUIRED if key not in checkpoint]
    assert not missing, missing
    _write(path, checkpoint)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.tmp")
    try:
        with beside.open("wb") as file:
            # A run on a graphics card goes on, and its driver drives, on a machine without one.
            torch.save(carried(content, HOST), file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except (OSError, RuntimeError) as error:
        beside.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path}: cannot be written ({_reason(error)}). What was saved before is unharmed: free disk space, "
            "then go on from the last checkpoint, if there is one."
        ) from error


def _reason(error: BaseException) -> str:
    """What the system said: torch hides a full disk behind a complaint about positions in its own archive."""
    met: BaseException | None = error
    while met is not None:
        if isinstance(met, OSError) and met.strerror:
            return met.strerror
        met = met.__context__
    return str(error)


def save_memory(path: Path, memory: Replay, steps: int) -> None:
    """Writes what an agent remembers, as `save_checkpoint` does.

    Args:
        path: Where to.
        memory: The memory.
        steps: Car steps so far, by which `load_memory` knows that it belongs to a checkpoint.
    """
    _write(path, {"format": FORMAT, "env_steps": steps, "memory": memory.state()})


def load_memory(path: Path, memory: Replay, steps: int) -> None:
    """Fills a memory with what `save_memory` wrote.

    Args:
        path: The file.
        memory: Of the same size.
        steps: Car steps of the checkpoint.

    Raises:
        CheckpointError: It is absent, damaged or of another moment than the checkpoint.
    """
    if (following := path.with_name(NEXT_MEMORY)).is_file() and _memory_step(following) == steps:
        path = following
    cure = "Resume from a last.pt with its replay.pt, or start anew from the checkpoint's policy."
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        if loaded["env_steps"] != steps:
            raise CheckpointError(f"{path}: is of step {loaded['env_steps']}, the checkpoint of step {steps}. {cure}")
        memory.load_state(loaded["memory"], path.parent)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: the agent's memory cannot be read ({error}). {cure}") from error


def _memory_step(path: Path) -> int:
    """Car steps of a memory file, -1 when it cannot be read."""
    try:
        return int(torch.load(path, map_location="cpu", weights_only=True, mmap=True)["env_steps"])
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError):
        return -1


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Args:
        path: The file.

    Raises:
        CheckpointError: There is no such file, it is truncated, foreign, or of another format.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such checkpoint. Give the path of a .pt file or of a run folder.")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: is not a checkpoint of actwin (it holds something other than tensors and numbers). "
            "Give a file that `actwin train` wrote."
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path}: is truncated or damaged ({path.stat().st_size} bytes). "
            "Take another checkpoint of the same run (best.pt, step_*.pt)."
        ) from error
    _check(path, loaded)
    return loaded  # type: ignore[no-any-return]


def _check(path: Path, loaded: object) -> None:
    if not isinstance(loaded, dict) or any(key not in loaded for key in REQUIRED):
        missing = [key for key in REQUIRED if key not in loaded] if isinstance(loaded, dict) else list(REQUIRED)
        raise CheckpointError(
            f"{path}: is a torch file but not a checkpoint of actwin (without {', '.join(missing)}). "
            "Give a file that `actwin train` wrote."
        )
    if loaded["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: has format {loaded['format']}, this version {FORMAT}. Use the actwin that wrote it."
        )
