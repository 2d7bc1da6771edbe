"""Gymnasium's spaces of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from actwin.env.actions import ActionSpace
from actwin.env.task import Task

Floats = npt.NDArray[np.float32]


def observation_space(task: Task) -> spaces.Space[Any]:
    """Space of one observation, float32[O]."""
    columns = task.layout.columns
    return spaces.Box(
        np.array([column.low for column in columns], np.float32),
        np.array([column.high for column in columns], np.float32),
        dtype=np.float32,
    )


def action_space(size: ActionSpace) -> spaces.Space[Any]:
    """Space of one action: a box, a choice, or a dictionary of both (`controls`, `gear`)."""
    box = spaces.Box(-1.0, 1.0, (size.continuous,), np.float32)
    if not size.choices:
        return box
    choice = spaces.Discrete(size.choices)
    return spaces.Dict({"controls": box, "gear": choice}) if size.continuous else choice


def flat_actions(actions: Any, n: int) -> Floats:
    """Actions of any of the spaces of `action_space`, batched, as float32[N, A]."""
    if isinstance(actions, Mapping):
        controls = np.asarray(actions["controls"], np.float32).reshape(n, -1)
        return np.concatenate([controls, np.asarray(actions["gear"], np.float32).reshape(n, 1)], axis=1)
    return np.asarray(actions, np.float32).reshape(n, -1)
