"""Numbers that are not finite: which they are, and where they first appeared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from actwin.agents.arrays import Floats

NAMED: Final = 3
"""So many are named, the others are counted."""


def all_finite(array: Floats) -> bool:
    """Whether every number of an array is finite, at the price of one sum."""
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.isfinite(array.sum())) or bool(np.isfinite(array).all())


def broken_observation(observation: Floats, columns: Sequence[str]) -> str:
    """Which cars see what that is not finite, in words; "" when all is well.

    Args:
        observation: float32[N, O].
        columns: What each of its O numbers is.
    """
    if all_finite(observation):
        return ""
    found = [
        f"the observation '{columns[column]}' of car {car} is {observation[car, column]}"
        for car, column in np.argwhere(~np.isfinite(observation))
    ]
    return _listed(found)


def broken_reward(reward: Floats, terms: Mapping[str, npt.NDArray[Any]]) -> str:
    """Which cars were paid what that is not finite, in words; "" when all is well.

    Args:
        reward: float32[N].
        terms: float32[N] by name; they sum to the reward.
    """
    if all_finite(reward):
        return ""
    found = [
        f"the reward term '{name}' of car {car} is {values[car]}"
        for name, values in terms.items()
        for car in np.flatnonzero(~np.isfinite(values))
    ]
    return _listed(
        found or [f"the reward of car {car} is {reward[car]}" for car in np.flatnonzero(~np.isfinite(reward))]
    )


def broken_values(values: Mapping[str, float]) -> list[str]:
    """The names of values that are not finite."""
    return [name for name, value in values.items() if not math.isfinite(value)]


def broken_tensors(tree: Mapping[str, Any]) -> list[str]:
    """Dotted names of the tensors in nested dicts and lists that hold a number that is not finite."""
    return [name for name, tensor in _tensors(tree) if tensor.is_floating_point() and not torch.isfinite(tensor).all()]


def _tensors(tree: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(tree, Tensor):
        yield name, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _tensors(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, list | tuple):
        for number, value in enumerate(tree):
            yield from _tensors(value, f"{name}.{number}")


def _listed(found: Sequence[str]) -> str:
    more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more
