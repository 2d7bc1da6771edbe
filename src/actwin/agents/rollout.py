"""Experience between two updates of an on-policy agent."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from actwin.agents.networks import Decision


class Rollout(NamedTuple):
    """Experience between two updates."""

    raw: Tensor
    """float32[T, N, O]: observations as they came, for the statistics."""
    observations: Tensor
    """float32[T + 1, N, O]: normalised, with the one after the last step."""
    actions: Tensor
    """float32[T, N, width]: before squashing."""
    rewards: Tensor
    terminated: Tensor
    truncated: Tensor

    @classmethod
    def empty(cls, steps: int, cars: int, observations: int, width: int) -> Rollout:
        """Room for T steps of N cars."""
        flags = torch.zeros(2, steps, cars, dtype=torch.bool)
        return cls(
            torch.zeros(steps, cars, observations),
            torch.zeros(steps + 1, cars, observations),
            torch.zeros(steps, cars, width),
            torch.zeros(steps, cars),
            *flags,
        )


class Batch(NamedTuple):
    """A rollout with its targets, flattened to rows."""

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    returns: Tensor
    """In units of the value function's scale."""
    decisions: Decision
    clone_means: Tensor | None


def joined(decisions: list[Decision]) -> Decision:
    """The decisions of successive steps as one batch."""
    first = decisions[0]
    log_std = first.log_std if first.log_std.ndim == 1 else torch.cat([each.log_std for each in decisions])
    logits = None if first.logits is None else torch.cat([each.logits for each in decisions if each.logits is not None])
    return Decision(torch.cat([each.mean for each in decisions]), log_std, logits)
