"""Action values of continuous controls: several critics with stacked weights, so that one product serves all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from actwin.agents.perceptron import Perceptrons


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

    `join` is due after they were moved, copied or loaded.
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
        self.join()

    def join(self, dtype: torch.dtype = torch.float32) -> None:
        """Makes one network of the parameters, wherever they are now; see `Perceptrons`."""
        norms = [list(each) for each in zip(self.gains, self.shifts, strict=True)] or [[]] * (len(self.weights) - 1)
        parts = zip(self.weights, self.biases, [*norms, []], strict=True)
        self.network = Perceptrons([[weight, bias, *norm] for weight, bias, norm in parts], dtype=dtype)

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Values of actions.

        Args:
            observations: float32[B, O], normalised; without gradient.
            actions: float32[B, A].

        Returns:
            float32[K, B, outputs]
        """
        return self.network(observations, actions)

    @torch.no_grad()
    def start_at(self, level: float) -> None:
        """Says about `level` everywhere, so that only differences are left to learn.

        Bootstrapping towards a level takes tens of thousands of updates, in which an actor would follow noise.
        """
        self.weights[-1].mul_(0.1)
        self.biases[-1].fill_(level)
        self.network.refresh()
