"""Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018, arXiv 1802.09477)."""

from __future__ import annotations

from typing import Literal, cast

import torch
from pydantic import Field
from torch import Tensor

from actwin.agents.critics import Critics
from actwin.agents.memory_agent import bootstrapped
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.off_policy import OffPolicy, OffPolicyConfig
from actwin.agents.replay import Transitions


class TD3Config(OffPolicyConfig):
    """Settings of TD3."""

    type: Literal["td3"] = "td3"
    noise_range: tuple[float, float] = Field(
        default=(0.05, 0.45), description="standard deviation of exploration, from the steadiest car to the wildest"
    )
    clone_noise_range: tuple[float, float] = Field(default=(0.0, 0.15), description="the same from a clone")
    smoothing: float = Field(default=0.2, ge=0, description="noise on the action whose value is the target")
    smoothing_limit: float = Field(default=0.5, ge=0)


class TD3(OffPolicy):
    """TD3 with stacked twin critics and n-step returns.

    Differs from the paper: the slow policy of the targets drives, too; every car explores with its own amount of noise,
    so that some laps are nearly those of the policy; the critics are layer-normalised.
    """

    kind = "td3"

    @property
    def config(self) -> TD3Config:
        """The settings."""
        return cast(TD3Config, self.settings)

    def _new_policy(self, observations: int, action: ActionSpec) -> Policy:
        return new_td3_policy(observations, action, self.config)

    def _new_critics(self, observations: int, controls: int) -> Critics:
        return Critics(observations, controls, self.config.hidden, layer_norm=self.config.layer_norm)

    def explore(self, observations: Tensor) -> Tensor:
        """float32[N, A]: what the policy does with raw observations, with noise."""
        policy = self.policy
        controls = policy(policy.normaliser(observations)).mean.tanh()
        low, high = self.config.noise_range if self.clone is None else self.config.clone_noise_range
        spread = torch.linspace(low, high, len(controls)).unsqueeze(-1)
        noisy: Tensor = controls + spread * torch.randn(controls.shape, generator=self.generator)
        return noisy.clamp(-1.0, 1.0)

    def _bootstrap(self, batch: Transitions) -> Tensor:
        """float32[B, 1]: what the critics should say."""
        config = self.config
        actions = self.averaged.decision(self.average.forward(batch.following)[0][0]).mean.tanh()
        shape = actions.shape
        noise = config.smoothing * self.on_device.bring(lambda: torch.randn(shape, generator=self.generator))
        noise.clamp_(-config.smoothing_limit, config.smoothing_limit)
        values = self.targets(batch.following, (actions + noise).clamp(-1.0, 1.0)).min(0).values
        return bootstrapped(batch, values)

    def _distance(self, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """The squared error, averaged over the batch."""
        error = values - wanted
        return error.square().mean(dim=(1, 2)).sum(), error * (2.0 / error[0].numel())

    def _actor_step(self, batch: Transitions) -> dict[str, Tensor]:
        out, kept = self.actor.forward(batch.observations)
        controls = self.learner.decision(out[0]).mean.tanh()
        values, slopes = self._judged(batch.observations, controls, count=1)
        of_mean = slopes * (controls.square() - 1.0)
        self._improve(out, kept, of_mean, None, values, batch.observations)
        return {"actor_loss": -values.mean()}


def new_td3_policy(observations: int, action: ActionSpec, config: TD3Config) -> Policy:
    """The untrained policy that these settings describe; its spread is not used."""
    return Policy(observations, action, config.hidden, config.activation, "tanh", std=0.1)
