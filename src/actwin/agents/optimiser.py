"""Adam (Kingma & Ba 2015, arXiv 1412.6980) for a few large arrays, with the gradient's bound in the same pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from actwin.agents.perceptron import Perceptrons


class Adam:
    """Adam for perceptrons and single parameters.

    torch's own costs more on the way to its kernel than in it when there is little to step.

    Args:
        parts: Perceptrons, or leaf tensors.
        rate: Learning rate.
        epsilon: Of the denominator.
        betas: Decay of the two averages.
    """

    def __init__(
        self,
        parts: Sequence[Perceptrons | Tensor],
        rate: float,
        epsilon: float = 1e-8,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        self.rate, self.epsilon, self.betas = rate, epsilon, betas
        self._networks = [each for each in parts if isinstance(each, Perceptrons)]
        self.parameters = [each.values if isinstance(each, Perceptrons) else each for each in parts]
        self._means = [torch.zeros_like(each, requires_grad=False) for each in self.parameters]
        self._squares = [torch.zeros_like(each, requires_grad=False) for each in self.parameters]
        self._steps = [torch.zeros((), device=each.device) for each in self.parameters]

    def forget_gradients(self) -> None:
        """Before a new one is worked out."""
        for each in self.parameters:
            each.grad = None

    @torch.no_grad()
    def step(self, bound: float = math.inf) -> None:
        """Takes a step along the gradients.

        Args:
            bound: Longest gradient, of all parameters together.
        """
        found = [each.grad for each in self.parameters]
        present = [i for i, each in enumerate(found) if each is not None]
        gradients = [each for each in found if each is not None]
        shrink = None
        if bound < math.inf:
            norms = torch._foreach_norm(gradients)
            norm = norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))
            # The kernel divides gradients by this, as it would by the scale of a loss in half precision.
            shrink = (norm / bound).clamp_min_(1.0)
        steps = [self._steps[i] for i in present]
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            [self.parameters[i] for i in present], gradients, [self._means[i] for i in present],
            [self._squares[i] for i in present], [], steps, lr=self.rate, beta1=self.betas[0], beta2=self.betas[1],
            weight_decay=0.0, eps=self.epsilon, amsgrad=False, maximize=False, grad_scale=shrink, found_inf=None,
        )  # fmt: skip
        for network in self._networks:
            network.refresh()

    def state_dict(self) -> dict[str, Any]:
        """Averages and counts."""
        return {"means": self._means, "squares": self._squares, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from `state_dict()`."""
        for name, ours in self.state_dict().items():
            for mine, theirs in zip(ours, state[name], strict=True):
                mine.copy_(theirs)
