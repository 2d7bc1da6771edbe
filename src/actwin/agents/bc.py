"""Behaviour cloning: supervised imitation of demonstrations with the network that reinforcement learning continues."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from actwin.agents.arrays import Floats
from actwin.agents.device import HOST, carried, on
from actwin.agents.losses import imitation_loss
from actwin.agents.networks import Policy
from actwin.errors import ConfigError

INFERENCE_BATCH = 8192


class BCConfig(BaseModel):
    """Settings of behaviour cloning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=25, ge=1, description="at most so many passes over the demonstrations")
    batch: int = Field(default=2048, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-5, ge=0)
    validation: float = Field(default=0.15, gt=0, lt=1, description="share of the laps kept for validation")
    patience: int = Field(default=6, ge=1, description="epochs without a better validation loss before it stops")


class Demonstrations(NamedTuple):
    """What a demonstrator saw and did, one row a control step."""

    observations: Floats
    """float32[D, observations]"""
    actions: Floats
    """float32[D, width] in the environment's terms; a discrete choice is the last column."""
    laps: npt.NDArray[np.int64]
    """int64[D]: which lap a row belongs to; whole laps go to validation, because neighbouring rows are near copies."""


class Epoch(NamedTuple):
    """One pass over the demonstrations."""

    number: int
    training_loss: float
    validation_loss: float


def clone(
    policy: Policy,
    demonstrations: Demonstrations,
    config: BCConfig,
    seed: int,
    on_epoch: Callable[[Epoch], None] | None = None,
    device: torch.device = HOST,
) -> list[Epoch]:
    """Fits a policy to demonstrations and leaves it with the weights of the best validation loss.

    The observation statistics are those of the demonstrations and are frozen: they now belong to the policy.

    Args:
        policy: Changed in place.
        demonstrations: At least two laps.
        config: Settings.
        seed: Of the split and the shuffling.
        on_epoch: Called after each pass.
        device: Where its gradients are computed.

    Raises:
        ConfigError: Demonstrations that do not fit the policy, or too few laps to keep one for validation.
    """
    _check(policy, demonstrations)
    generator = torch.Generator().manual_seed(seed)
    held = _validation_rows(demonstrations.laps, config.validation, seed)
    observations = torch.from_numpy(demonstrations.observations)
    # Hours of driving fill the memory once; only batches of them are copied.
    train, validation = (~held).nonzero().squeeze(-1), held.nonzero().squeeze(-1)
    for rows in torch.split(train, INFERENCE_BATCH):
        policy.normaliser.observe(observations[rows])
    policy.normaliser.freeze()
    trained = on(policy, device)
    data, body = _Data(trained, observations, torch.from_numpy(demonstrations.actions), device), trained.body
    steps = config.epochs * -(-len(train) // config.batch)
    optimiser = torch.optim.AdamW(body.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=steps, pct_start=0.1)
    best, kept, history = float("inf"), copy.deepcopy(body.state_dict()), list[Epoch]()
    for number in range(1, config.epochs + 1):
        total = 0.0
        for rows in _batches(train, config.batch, generator):
            optimiser.zero_grad()
            loss = data.loss(rows)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
        history.append(Epoch(number, total / len(train), _validate(data, validation)))
        if on_epoch:
            on_epoch(history[-1])
        if history[-1].validation_loss < best:
            best, kept = history[-1].validation_loss, copy.deepcopy(body.state_dict())
        elif number - min(history, key=lambda epoch: epoch.validation_loss).number >= config.patience:
            break
    policy.body.load_state_dict(kept)
    return history


def _check(policy: Policy, demonstrations: Demonstrations) -> None:
    rows = len(demonstrations.observations)
    shapes = (demonstrations.observations.shape, demonstrations.actions.shape, demonstrations.laps.shape)
    wanted = ((rows, policy.observations), (rows, policy.action.width), (rows,))
    if shapes != wanted:
        raise ConfigError(
            f"Demonstrations of shapes {shapes} do not fit a policy that needs {wanted}. Record them anew."
        )
    if len(np.unique(demonstrations.laps)) < 2:
        raise ConfigError("Demonstrations of fewer than two laps leave none for validation. Record more laps.")
    if not (np.isfinite(demonstrations.observations).all() and np.isfinite(demonstrations.actions).all()):
        raise ConfigError("Demonstrations contain values that are not finite. Record them again or drop those rows.")


def _validation_rows(laps: npt.NDArray[np.int64], share: float, seed: int) -> Tensor:
    names = np.unique(laps)
    count = min(max(round(share * len(names)), 1), len(names) - 1)
    held = np.random.default_rng(seed).permutation(names)[:count]
    return torch.from_numpy(np.isin(laps, held))


def _batches(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    return iter(torch.split(rows[torch.randperm(len(rows), generator=generator)], size))


class _Data(NamedTuple):
    """Demonstrations, on the host, for a policy that may be elsewhere."""

    policy: Policy
    observations: Tensor
    actions: Tensor
    device: torch.device

    def loss(self, rows: Tensor) -> Tensor:
        """How far the policy is from what was done in some rows, int64[B]."""
        policy, count = self.policy, self.policy.action.continuous
        seen, wanted = carried((self.observations[rows], self.actions[rows]), self.device)
        decision = policy(policy.normaliser(seen))
        # A clipped control has no gradient beyond its bound, so the unclipped mean is what must match.
        driven = decision.mean.tanh() if policy.squash == "tanh" else decision.mean
        choice = wanted[:, count].long() if policy.action.choices else None
        return imitation_loss(driven, wanted[:, :count], decision.logits, choice)


@torch.inference_mode()
def _validate(data: _Data, rows: Tensor) -> float:
    total = 0.0
    for part in torch.split(rows, INFERENCE_BATCH):
        total += data.loss(part).item() * len(part)
    return total / len(rows)
