"""The networks of the agents: multi-layer perceptrons, the stochastic policy, the value function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from actwin.agents.arrays import Floats
from actwin.agents.losses import gaussian_divergence, gaussian_entropy, gaussian_log_prob
from actwin.agents.normaliser import Normaliser

Activation = Literal["relu", "elu", "tanh", "silu"]
Squash = Literal["clip", "tanh"]
ACTIVATIONS: Final[dict[str, Callable[[], nn.Module]]] = {
    "relu": lambda: nn.ReLU(inplace=True), "elu": lambda: nn.ELU(inplace=True), "tanh": nn.Tanh, "silu": nn.SiLU,
}  # fmt: skip
"""In place where the gradient allows it: a fresh tensor of a megabyte costs as much as the arithmetic on it."""


class ActionSpec(NamedTuple):
    """What a policy decides each step.

    An action is `width` floats: the continuous controls in [-1, 1], then the index of the discrete choice, if any.
    """

    continuous: int
    """Number of continuous controls."""
    choices: int = 0
    """Number of values of the discrete choice (a gear, or a whole action set); 0 when there is none."""

    @property
    def width(self) -> int:
        """Columns of an action array."""
        return self.continuous + (self.choices > 0)


def mlp(inputs: int, hidden: Sequence[int], outputs: int, activation: Activation, output_gain: float) -> nn.Sequential:
    """A perceptron with orthogonal weights and zero biases.

    Args:
        inputs, outputs: Widths of the first and last layer.
        hidden: Widths between them.
        activation: After each hidden layer; ReLU is the fastest on a CPU.
        output_gain: Scale of the last layer: 0.01 starts a policy near zero, 1 is usual for values.
    """
    layers: list[nn.Module] = []
    width = inputs
    for size in hidden:
        layers += [_linear(width, size, math.sqrt(2.0)), ACTIVATIONS[activation]()]
        width = size
    return nn.Sequential(*layers, _linear(width, outputs, output_gain))


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class Decision(NamedTuple):
    """Parameters of the action distribution for a batch of observations."""

    mean: Tensor
    """float32[B, A] of the normal, before squashing."""
    log_std: Tensor
    """float32[A] or float32[B, A]."""
    logits: Tensor | None
    """float32[B, K] of the discrete choice."""

    def rows(self, index: Tensor) -> Decision:
        """The same for some rows of the batch."""
        log_std = self.log_std if self.log_std.ndim == 1 else self.log_std[index]
        return Decision(self.mean[index], log_std, None if self.logits is None else self.logits[index])

    def log_prob(self, action: Tensor) -> Tensor:
        """float32[B]: log probability of unsquashed actions float32[B, width]."""
        continuous = self.mean.shape[-1]
        result = gaussian_log_prob(self.mean, self.log_std, action[:, :continuous])
        if self.logits is not None:
            chosen = action[:, continuous].long().unsqueeze(-1)
            result = result + functional.log_softmax(self.logits, -1).gather(-1, chosen).squeeze(-1)
        return result

    def entropy(self) -> Tensor:
        """float32[B] or scalar: entropy of the unsquashed normal plus that of the choice."""
        result = gaussian_entropy(self.log_std)
        if self.logits is not None:
            logs = functional.log_softmax(self.logits, -1)
            result = result - (logs.exp() * logs).sum(-1)
        return result

    def divergence(self, other: Decision) -> Tensor:
        """float32[B]: KL(self || other)."""
        result = gaussian_divergence(self.mean, self.log_std, other.mean, other.log_std)
        if self.logits is not None and other.logits is not None:
            logs, others = functional.log_softmax(self.logits, -1), functional.log_softmax(other.logits, -1)
            result = result + (logs.exp() * (logs - others)).sum(-1)
        return result

    def sample(self, generator: torch.Generator) -> Tensor:
        """float32[B, width]: a drawn action, before squashing."""
        noise = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype)
        drawn = self.mean + self.log_std.exp() * noise
        if self.logits is None:
            return drawn
        choice = torch.multinomial(functional.softmax(self.logits, -1), 1, generator=generator)
        return torch.cat([drawn, choice.to(drawn.dtype)], -1)

    def mode(self) -> Tensor:
        """float32[B, width]: the most likely action, before squashing."""
        if self.logits is None:
            return self.mean
        return torch.cat([self.mean, self.logits.argmax(-1, keepdim=True).to(self.mean.dtype)], -1)


class Policy(nn.Module):
    """A stochastic policy with its observation statistics: all that is needed to drive.

    The standard deviation is bounded smoothly, log sigma = low + (high - low) sigmoid(.), so that it can neither vanish
    (the known end of PPO's learning in racing, Fuchs et al. 2021) nor explode, and a gradient always brings it back.

    Args:
        observations: Length of an observation.
        action: What is decided.
        hidden: Widths of the hidden layers.
        activation: Of the hidden layers.
        squash: How the normal's value becomes a control in [-1, 1].
        std: Initial standard deviation.
        std_range: Its bounds.
        state_dependent_std: Whether it is an output of the network rather than one parameter for each control.
    """

    def __init__(
        self,
        observations: int,
        action: ActionSpec,
        hidden: Sequence[int] = (128, 128),
        activation: Activation = "relu",
        squash: Squash = "clip",
        std: float = 0.5,
        std_range: tuple[float, float] = (0.02, 1.5),
        state_dependent_std: bool = False,
    ) -> None:
        super().__init__()
        self.observations, self.action, self.squash = observations, action, squash
        self.state_dependent_std = state_dependent_std
        self.log_std_range = (math.log(std_range[0]), math.log(std_range[1]))
        self.spec: dict[str, Any] = {
            "observations": observations, "continuous": action.continuous, "choices": action.choices,
            "hidden": list(hidden), "activation": activation, "squash": squash, "std": std,
            "std_range": list(std_range), "state_dependent_std": state_dependent_std,
        }  # fmt: skip
        self.normaliser = Normaliser(observations)
        outputs = action.continuous * (1 + state_dependent_std) + action.choices
        self.body = mlp(observations, hidden, outputs, activation, output_gain=0.01)
        self.spread = nn.Parameter(torch.empty(action.continuous))
        self.set_std(std)

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> Policy:
        """The untrained policy whose `spec` this is."""
        spec = dict(spec)
        action = ActionSpec(spec.pop("continuous"), spec.pop("choices"))
        return cls(action=action, std_range=tuple(spec.pop("std_range")), **spec)

    @torch.no_grad()
    def set_std(self, std: float) -> None:
        """Restarts exploration with this standard deviation for every control."""
        low, high = self.log_std_range
        share = min(max((math.log(std) - low) / (high - low), 1e-3), 1.0 - 1e-3)
        self.spread.fill_(math.log(share / (1.0 - share)))

    def forward(self, normalised: Tensor) -> Decision:
        """The action distribution for observations that went through `normaliser`, float32[B, observations]."""
        return self.decision(self.body(normalised).float())

    def decision(self, out: Tensor) -> Decision:
        """The action distribution that the body's outputs mean."""
        count = self.action.continuous
        raw: Tensor = self.spread
        if self.state_dependent_std:
            raw = raw + out[:, count : 2 * count]
        low, high = self.log_std_range
        log_std = low + (high - low) * torch.sigmoid(raw)
        return Decision(out[:, :count], log_std, out[:, -self.action.choices :] if self.action.choices else None)

    def gradients(self, out: Tensor, of_mean: Tensor, of_log_std: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Of a loss by the body's outputs and by `spread`, from those by `decision(out)`; there are no choices.

        Args:
            out: float32[B, outputs].
            of_mean, of_log_std: float32[B, A]; the second only where the spread depends on the state.
        """
        if of_log_std is None:
            return of_mean, None
        count, (low, high) = self.action.continuous, self.log_std_range
        share = torch.sigmoid(self.spread + out[:, count : 2 * count])
        of_raw = of_log_std * (high - low) * share * (1.0 - share)
        return torch.cat([of_mean, of_raw], -1), of_raw.sum(0)

    def controls(self, action: Tensor) -> Tensor:
        """float32[B, width]: an unsquashed action as the environment takes it."""
        count = self.action.continuous
        raw = action[:, :count]
        squashed = raw.tanh() if self.squash == "tanh" else raw.clamp(-1.0, 1.0)
        return squashed if not self.action.choices else torch.cat([squashed, action[:, count:]], -1)

    @torch.inference_mode()
    def drive(self, observations: Tensor) -> Tensor:
        """float32[B, width]: the most likely action for raw observations, no exploration."""
        return self.best(observations)

    def best(self, observations: Tensor) -> Tensor:
        """The same as one expression of tensors, which can be exported."""
        return self.controls(self(self.normaliser(observations)).mode())

    @property
    def width(self) -> int:
        """Columns of an action."""
        return self.action.width

    def decide(self, observations: Floats) -> Floats:
        """float32[B, width]: `drive` for arrays."""
        decided: Floats = self.drive(torch.from_numpy(observations)).numpy()
        return decided


class ValueFunction(nn.Module):
    """State value with its own running scale, so that the network learns numbers near one whatever the rewards.

    van Hasselt et al. 2016, "Learning values across many orders of magnitude" (Pop-Art): when the scale moves, the last
    layer is changed so that the outputs stay.

    Args:
        observations: Length of an observation.
        hidden: Widths of the hidden layers.
        activation: Of the hidden layers.
    """

    def __init__(self, observations: int, hidden: Sequence[int] = (128, 128), activation: Activation = "relu") -> None:
        super().__init__()
        self.body = mlp(observations, hidden, 1, activation, output_gain=1.0)
        self.scale = Normaliser(1, clip=math.inf, memory=1e6)

    def forward(self, normalised: Tensor) -> Tensor:
        """float32[B]: values in units of `scale` for normalised observations."""
        return self.body(normalised).squeeze(-1).float()  # type: ignore[no-any-return]

    def value(self, normalised: Tensor) -> Tensor:
        """float32[B]: values in units of reward."""
        return self.scale.restore(self(normalised))

    @torch.no_grad()
    def start_at(self, level: float) -> None:
        """Says about `level` everywhere, so that only differences between states are left to learn."""
        last = self.body[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(0.1)
        last.bias.fill_(level)

    @torch.no_grad()
    def rescale(self, returns: Tensor) -> None:
        """Takes float32[B] returns into the scale and keeps what the network says."""
        mean, std = self.scale.mean.clone(), self.scale.std.clone()
        self.scale.observe(returns.unsqueeze(-1))
        last = self.body[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_((std / self.scale.std).to(last.weight.dtype))
        last.bias.copy_((std * last.bias + mean - self.scale.mean) / self.scale.std)


@torch.no_grad()
def follow(target: nn.Module, source: nn.Module, share: float) -> None:
    """Moves a target network towards its source, target += share · (source - target)."""
    # One call for all tensors: a loop would cost as much as a layer.
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), share)
