"""Soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905)."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from actwin.agents.critics import Critics
from actwin.agents.losses import squashed_log_prob
from actwin.agents.memory_agent import bootstrapped
from actwin.agents.networks import ActionSpec, Decision, Policy
from actwin.agents.off_policy import OffPolicy, OffPolicyConfig
from actwin.agents.optimiser import Adam
from actwin.agents.replay import Transitions


class SACConfig(OffPolicyConfig):
    """Settings of SAC."""

    type: Literal["sac"] = "sac"
    temperature: float = Field(default=5e-4, gt=0, description="alpha: worth of a nat of entropy, at the start")
    temperature_lr: float = Field(default=1e-3, ge=0, description="0 keeps the temperature")
    target_entropy: float = Field(
        default=-2.5, description="[nat] wanted for each control; lower ends in a steadier hand"
    )
    entropy_in_target: bool = Field(default=True, description="whether the value of a state includes its entropy")
    std: float = Field(default=0.5, gt=0, description="initial standard deviation of the actions, from scratch")
    clone_std: float = Field(default=0.1, gt=0, description="the same from a clone")
    std_range: tuple[float, float] = (0.01, 1.0)


class SAC(OffPolicy):
    """SAC with stacked twin critics, n-step returns and a bounded state-dependent spread.

    Differs from the paper: rewards of n steps precede the bootstrap, without the entropy of the steps between (as in
    Fuchs et al. 2021); the critics are layer-normalised; the policy learns every second update.
    """

    kind = "sac"

    @property
    def config(self) -> SACConfig:
        """The settings."""
        return cast(SACConfig, self.settings)

    def _new_policy(self, observations: int, action: ActionSpec) -> Policy:
        config, count = self.config, action.continuous
        self.target_entropy = config.target_entropy * count
        self.log_temperature = torch.tensor(config.temperature).log().requires_grad_()
        self.temperature_optimiser = Adam([self.log_temperature], config.temperature_lr)
        std = config.std if self.clone is None else config.clone_std
        return new_sac_policy(observations, action, config, std)

    def _new_critics(self, observations: int, controls: int) -> Critics:
        return Critics(observations, controls, self.config.hidden, layer_norm=self.config.layer_norm)

    @property
    def temperature(self) -> Tensor:
        """alpha, without gradient."""
        return self.log_temperature.detach().exp()

    def _sample(self, decision: Decision) -> tuple[Tensor, Tensor, Tensor]:
        """Actions in [-1, 1], their log probabilities and the most likely ones."""
        noise = torch.randn(decision.mean.shape, generator=self.generator)
        raw = decision.mean + decision.log_std.exp() * noise
        return raw.tanh(), squashed_log_prob(decision.mean, decision.log_std, raw), decision.mean.tanh()

    def explore(self, observations: Tensor) -> Tensor:
        """float32[N, A]: actions drawn for raw observations."""
        return self._sample(self.policy(self.policy.normaliser(observations)))[0]

    def _decision(self, normalised: Tensor) -> Decision:
        return self.policy.decision(self.actor(normalised)[0])

    @torch.no_grad()
    def _bootstrap(self, batch: Transitions) -> Tensor:
        """float32[B, M]: what the critics should say, of the critic that says less."""
        actions, log_prob, _ = self._sample(self._decision(batch.following))
        values = self.targets(batch.following, actions)
        # The lower critic of each row, all of its outputs: minimum of the means, not of the quantiles.
        lower = values.mean(-1).argmin(0)
        chosen = values[lower, torch.arange(values.shape[1])]
        if self.config.entropy_in_target:
            chosen = chosen - (self.temperature * log_prob).unsqueeze(-1)
        return bootstrapped(batch, chosen)

    def _critic_loss(self, batch: Transitions) -> tuple[Tensor, dict[str, float]]:
        wanted = self._bootstrap(batch)
        values = self.critics(batch.observations, batch.actions)
        loss = self._distance(values, wanted)
        return loss, {"critic_loss": loss.item(), "value": wanted.mean().item()} | self._spread(values)

    def _distance(self, values: Tensor, wanted: Tensor) -> Tensor:
        """Loss of float32[K, B, M] against float32[B, M], summed over critics."""
        return 0.5 * (values - wanted).square().mean(dim=(1, 2)).sum()

    def _spread(self, values: Tensor) -> dict[str, float]:
        """Further curves."""
        return {}

    def _actor_step(self, batch: Transitions) -> dict[str, float]:
        actions, log_prob, likely = self._sample(self._decision(batch.observations))
        values = self._judged(batch.observations, actions).mean(-1).amin(0)
        loss = (self.temperature * log_prob - values).mean()
        self._improve(loss, values, batch.observations, likely)
        entropy = -log_prob.detach().mean()
        if self.config.temperature_lr:
            # Of log alpha (entropy - wanted).
            self.log_temperature.grad = entropy - self.target_entropy
            self.temperature_optimiser.step()
        return {
            "actor_loss": loss.item(),
            "entropy": entropy.item(),
            "temperature": self.temperature.item(),
            "clone_weight": self.clone_weight(),
        }

    def parts(self) -> dict[str, nn.Module | Adam]:
        """Networks and optimisers, by the names they have in a checkpoint."""
        return super().parts() | {"temperature_optimiser": self.temperature_optimiser}

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on, except the memory."""
        return super().state() | {"log_temperature": self.log_temperature.detach().clone()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of an agent of the same configuration."""
        super().load_state(state)
        with torch.no_grad():
            self.log_temperature.copy_(state["log_temperature"])


def new_sac_policy(observations: int, action: ActionSpec, config: SACConfig, std: float) -> Policy:
    """The untrained policy that these settings describe."""
    return Policy(
        observations, action, config.hidden, config.activation, "tanh", std, config.std_range, state_dependent_std=True
    )
