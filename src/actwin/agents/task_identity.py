"""Whether a trained policy belongs to a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actwin.errors import CheckpointError


def require_same_task(path: Path, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Refuses a policy of another task.

    Args:
        path: Its file, for the message.
        ours: `{"fingerprint", "config"}` of the task at hand.
        theirs: The file's.

    Raises:
        CheckpointError: Names every setting that differs.
    """
    if ours["fingerprint"] == theirs["fingerprint"]:
        return
    found = differences(ours["config"], theirs["config"])
    listed = "; ".join(found) if found else "same settings, but the task itself changed between versions"
    raise CheckpointError(f"{path}: was trained for another task: {listed}. Use its own settings, or train anew.")


def differences(ours: Any, theirs: Any, name: str = "") -> list[str]:
    """Settings that are not the same in two trees of plain values, in words.

    Args:
        ours: The run's at hand.
        theirs: The checkpoint's.
        name: Of the part that is compared.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found: list[str] = []
        for key in sorted({*ours, *theirs}):
            found += differences(ours.get(key), theirs.get(key), f"{name}.{key}" if name else str(key))
        return found
    return [] if ours == theirs else [f"{name} was {theirs!r}, here {ours!r}"]
