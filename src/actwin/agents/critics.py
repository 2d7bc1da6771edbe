"""Action values of continuous controls: several critics with stacked weights, so that one product serves all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class Critics(nn.Module):
    """K critics of equal shape, each its own perceptron with layer normalisation.

    Layer normalisation keeps values of actions that were never tried from growing without bound (Ball et al. 2023,
    arXiv 2302.02948), which a policy that starts from a clone would follow.

    Args:
        observations, actions: Columns of both.
        hidden: Widths of the hidden layers.
        outputs: Numbers that a critic says: 1 for the mean, M for quantiles of the return.
        count: K.
        layer_norm: Whether hidden layers are normalised.
    """

    def __init__(
        self,
        observations: int,
        actions: int,
        hidden: Sequence[int] = (256, 256),
        outputs: int = 1,
        count: int = 2,
        layer_norm: bool = True,
    ) -> None:
        super().__init__()
        self.count, self.outputs, self.layer_norm = count, outputs, layer_norm
        widths = [observations + actions, *hidden, outputs]
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        self.gains = nn.ParameterList()
        self.shifts = nn.ParameterList()
        for layer, (before, after) in enumerate(pairwise(widths)):
            weight = torch.empty(count, after, before)
            for each in weight:
                nn.init.orthogonal_(each, math.sqrt(2.0) if layer < len(hidden) else 1.0)
            self.weights.append(nn.Parameter(weight.transpose(1, 2).contiguous()))
            self.biases.append(nn.Parameter(torch.zeros(count, 1, after)))
            if layer_norm and layer < len(hidden):
                self.gains.append(nn.Parameter(torch.ones(count, 1, after)))
                self.shifts.append(nn.Parameter(torch.zeros(count, 1, after)))

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Values of actions.

        Args:
            observations: float32[B, O], normalised.
            actions: float32[B, A].

        Returns:
            float32[K, B, outputs]
        """
        x = torch.cat([observations, actions], -1).expand(self.count, -1, -1)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer == last and self.outputs == 1:
                # A product with a single column is slower than multiplying and adding up.
                single: Tensor = (x.float() * weight.transpose(1, 2)).sum(-1, keepdim=True) + bias
                return single
            x = torch.baddbmm(bias, x, weight)
            if layer == last:
                break
            if self.layer_norm:
                x = torch.addcmul(self.shifts[layer], functional.layer_norm(x, x.shape[-1:]), self.gains[layer])
            x = functional.relu(x, inplace=True)
        return x.float()

    @torch.no_grad()
    def start_at(self, level: float) -> None:
        """Says about `level` everywhere, so that only differences are left to learn.

        Bootstrapping towards a level takes tens of thousands of updates, in which an actor would follow noise.
        """
        self.weights[-1].mul_(0.1)
        self.biases[-1].fill_(level)


@torch.no_grad()
def follow(target: nn.Module, source: nn.Module, share: float) -> None:
    """Moves a target network towards its source, target += share · (source - target)."""
    # One call for all tensors: a loop would cost as much as a layer.
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), share)
