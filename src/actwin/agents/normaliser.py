"""Running mean and variance of a stream of vectors, part of the policy that was trained with it."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

SMALLEST_STD: Final = 1e-3
"""A channel that hardly moves is not blown up to unit variance: its first wobble would saturate the network."""


class Normaliser(nn.Module):
    """Scales vectors to zero mean and unit variance and clips what is far out.

    The statistics are buffers, so they travel with the weights in `state_dict`: a policy is only the same policy with
    the same statistics. They are kept in double precision: the count reaches 1e8, single precision counts to 1.6e7.

    Args:
        size: Length of a vector.
        clip: Bound of the result, in standard deviations.
        memory: Number of vectors after which old ones fade, so that a moving scale is followed.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor
    frozen: Tensor
    _centre: Tensor
    _scale: Tensor

    def __init__(self, size: int, clip: float = 10.0, memory: float = math.inf) -> None:
        super().__init__()
        self.clip, self.memory = clip, memory
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(size, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("frozen", torch.tensor(False))
        self.register_buffer("_centre", torch.zeros(size), persistent=False)
        self.register_buffer("_scale", torch.ones(size), persistent=False)
        self.register_load_state_dict_post_hook(lambda module, _: module._settle())  # type: ignore[no-untyped-call]

    @property
    def std(self) -> Tensor:
        """float64[size]: standard deviations, never below `SMALLEST_STD`."""
        return self.variance.sqrt().clamp_min(SMALLEST_STD)

    @torch.no_grad()
    def observe(self, batch: Tensor) -> None:
        """Takes a batch into the statistics, unless they are frozen.

        Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.

        Args:
            batch: float32[B, size].
        """
        if self.frozen:
            return
        batch = batch.double()
        size = len(batch)
        mean, variance = batch.mean(0), batch.var(0, correction=0)
        total = self.count + size
        difference = mean - self.mean
        share = size / total
        spread = self.variance * (1.0 - share) + variance * share + difference.square() * share * (1.0 - share)
        self.mean.add_(difference * share)
        self.variance.copy_(spread)
        self.count.copy_(total.clamp_max(self.memory))
        self._settle()

    def _settle(self) -> None:
        """Single-precision statistics, worked out once and not whenever they are used."""
        self._centre.copy_(self.mean)
        self._scale.copy_(self.std)

    def freeze(self) -> None:
        """Keeps the statistics as they are from now on."""
        self.frozen.fill_(True)

    def forward(self, values: Tensor) -> Tensor:
        """float32[..., size] to the same shape, scaled and clipped."""
        return ((values - self._centre) / self._scale).clamp_(-self.clip, self.clip)

    def restore(self, scaled: Tensor) -> Tensor:
        """The inverse of `forward` inside the clip bounds."""
        return scaled * self._scale + self._centre
