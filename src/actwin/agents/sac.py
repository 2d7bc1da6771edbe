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
        self.log_temperature = torch.tensor(config.temperature).log().to(self.device).requires_grad_()
        self.temperature_optimiser = Adam([self.log_temperature], config.temperature_lr)
        std = config.std if self.clone is None else config.clone_std
        return new_sac_policy(observations, action, config, std)

    def _new_critics(self, observations: int, controls: int) -> Critics:
        return Critics(observations, controls, self.config.hidden, layer_norm=self.config.layer_norm)

    @property
    def temperature(self) -> Tensor:
        """alpha, without gradient."""
        return self.log_temperature.detach().exp()

    def _sample(self, decision: Decision) -> tuple[Tensor, Tensor]:
        """Actions before squashing and the log probabilities of what they become."""
        shape = decision.mean.shape
        noise = self.on_device.bring(lambda: torch.randn(shape, generator=self.generator))
        raw = decision.mean + decision.log_std.exp() * noise
        return raw, squashed_log_prob(decision.mean, decision.log_std, raw)

    def explore(self, observations: Tensor) -> Tensor:
        """float32[N, A]: actions drawn for raw observations."""
        policy = self.policy
        decision: Decision = policy(policy.normaliser(observations))
        return decision.sample(self.generator).tanh()

    def _bootstrap(self, batch: Transitions) -> Tensor:
        """float32[B, M]: what the critics should say, of the critic that says less."""
        raw, log_prob = self._sample(self.learner.decision(self.actor.forward(batch.following)[0][0]))
        values = self.targets(batch.following, raw.tanh())
        # The lower critic of each row, all of its outputs: minimum of the means, not of the quantiles.
        lower = values.mean(-1).argmin(0)
        chosen = values[lower, torch.arange(values.shape[1], device=values.device)]
        if self.config.entropy_in_target:
            chosen = chosen - (self.temperature * log_prob).unsqueeze(-1)
        return bootstrapped(batch, chosen)

    def _distance(self, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Half the squared error, averaged over the batch."""
        error = values - wanted
        return 0.5 * error.square().mean(dim=(1, 2)).sum(), error / error[0].numel()

    def _actor_step(self, batch: Transitions) -> dict[str, Tensor]:
        out, kept = self.actor.forward(batch.observations)
        decision = self.learner.decision(out[0])
        raw, log_prob = self._sample(decision)
        actions = raw.tanh()
        values, slopes = self._judged(batch.observations, actions)
        alpha = self.temperature
        # u = mean + std noise, a = tanh u: d log_prob / du = 2 a, d log_prob / d log_std = -1 beside that.
        each = alpha / len(actions)
        of_raw = 2.0 * each * actions - slopes * (1.0 - actions.square())
        of_log_std = of_raw * (raw - decision.mean) - each
        self._improve(out, kept, of_raw, of_log_std, values, batch.observations)
        loss, entropy = (alpha * log_prob - values).mean(), -log_prob.mean()
        if self.config.temperature_lr:
            # Of log alpha (entropy - wanted).
            self.log_temperature.grad = entropy - self.target_entropy
            self.temperature_optimiser.step()
        return {"actor_loss": loss, "entropy": entropy, "temperature": self.temperature}

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
