"""What SAC, TD3 and QR-SAC share: an actor, twin critics, the way from a clone to a better driver."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from actwin.agents.critics import Critics
from actwin.agents.device import HOST, Abroad, on
from actwin.agents.memory_agent import MemoryAgent, MemoryConfig
from actwin.agents.networks import ActionSpec, Activation, Policy
from actwin.agents.optimiser import Adam
from actwin.agents.perceptron import Kept, Perceptrons
from actwin.agents.replay import Experience, Transitions
from actwin.errors import ConfigError


class OffPolicyConfig(MemoryConfig):
    """Settings that the off-policy agents of continuous controls share."""

    hidden: tuple[int, ...] = Field(default=(256, 256), description="widths of the hidden layers of policy and critics")
    activation: Activation = "relu"
    actor_lr: float = Field(default=3e-4, gt=0)
    critic_lr: float = Field(default=3e-4, gt=0)
    polyak: float = Field(default=0.01, gt=0, le=1, description="share of the critics that their targets take on")
    averaging: float = Field(
        default=0.05, gt=0, le=1, description="share of the learner's weights that what drives takes on, an update"
    )
    layer_norm: bool = Field(default=True, description="whether the critics' hidden layers are normalised")
    precision: Literal["single", "bfloat16"] = Field(
        default="single", description="of the matrix products in an update; targets and losses stay single"
    )
    actor_every: int = Field(default=2, ge=1, description="updates of the critics for each of the policy")
    critic_warmup: int = Field(default=2000, ge=0, description="updates of a cloned policy that train only the critics")
    clone_weight: float = Field(default=2.0, ge=0, description="initial weight of the pull towards the clone")
    clone_floor: float = Field(default=0.2, ge=0, description="weight at which it stays")
    clone_fade: int = Field(default=20_000, ge=1, description="updates over which it falls")


class OffPolicy(MemoryAgent):
    """An actor with twin critics and their slowly following targets.

    What drives, `policy`, is a moving average of what learns, `learner`: a single update moves a lap either way.

    A clone is not handed to a critic that knows nothing: for `critic_warmup` updates only the critics learn, half of
    every batch are demonstrations (Ball et al. 2023, arXiv 2302.02948), and the actor's loss, scaled by the size of the
    values as in TD3+BC (Fujimoto & Gu 2021), is pulled towards the clone by a weight that fades.

    Args:
        observations: Length of an observation.
        action: What is decided; continuous only.
        cars: Number of parallel environments.
        period: [s] Control period, which turns the horizon into a discount.
        config: Settings.
        seed: Of weights, exploration and batches.
        clone: A cloned policy to start from; its network must be that of `config`.
        experience: Demonstrations with their rewards.
        folder: Of the run, for a memory on disk.
        device, graphs: As of `MemoryAgent`.

    Raises:
        ConfigError: A discrete choice among the actions, or a memory smaller than a batch.
    """

    settings: OffPolicyConfig

    def __init__(
        self,
        observations: int,
        action: ActionSpec,
        cars: int,
        period: float,
        config: OffPolicyConfig,
        seed: int,
        clone: Policy | None = None,
        experience: Experience | None = None,
        folder: Path | None = None,
        device: torch.device = HOST,
        graphs: bool = False,
    ) -> None:
        if action.choices:
            raise ConfigError(
                f"{self.kind.upper()} decides continuous controls only. Set env.action.gear=automatic and "
                "env.action.kind to absolute or rate, or use PPO or IQN."
            )
        super().__init__(observations, action.width, cars, period, config, seed, experience, folder, device, graphs)
        self.clone = None if clone is None else on(clone, device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = self._new_policy(observations, action)
            if clone is not None:
                learner.body.load_state_dict(clone.body.state_dict())
                learner.normaliser.load_state_dict(clone.normaliser.state_dict())
            self.critics = on(self._new_critics(observations, action.continuous), device)
        self.driver = Abroad(copy.deepcopy(learner).requires_grad_(False), device)
        self.normaliser = self.policy.normaliser
        self.learner, self.averaged = on(learner, device), self.driver.away
        self.targets = copy.deepcopy(self.critics)
        self.actor, self.average = self._quick(self.learner), self._quick(self.averaged)
        for each in (self.critics, self.targets):
            each.join(self.actor.dtype)
        self.actor_optimiser = Adam([self.actor, self.learner.spread], config.actor_lr)
        self.critic_optimiser = Adam([self.critics.network], config.critic_lr)

    @property
    def policy(self) -> Policy:
        """What drives: the moving average of the learner, on the host."""
        return self.driver.home

    def _quick(self, policy: Policy) -> Perceptrons:
        """The body of a policy as it learns."""
        dtype = torch.bfloat16 if self.settings.precision == "bfloat16" else torch.float32
        return Perceptrons.of(policy.body, self.settings.activation, dtype)

    @abstractmethod
    def _new_policy(self, observations: int, action: ActionSpec) -> Policy:
        """The untrained policy."""

    @abstractmethod
    def _new_critics(self, observations: int, controls: int) -> Critics:
        """The untrained critics; the policy is there already."""

    @abstractmethod
    def _bootstrap(self, batch: Transitions) -> Tensor:
        """float32[B, M]: what the critics should say."""

    @abstractmethod
    def _distance(self, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of float32[K, B, M] against float32[B, M], summed over critics, and its gradient by the values."""

    def _spread(self, values: Tensor) -> dict[str, Tensor]:
        """Further curves of what the critics say."""
        return {}

    @abstractmethod
    def _actor_step(self, batch: Transitions) -> dict[str, Tensor]:
        """One update of the policy."""

    def start_at(self, level: float) -> None:
        """Lets the critics begin at about `level`."""
        self.critics.start_at(level)
        self.targets.network.follow(self.critics.network, 1.0)

    def update_kind(self) -> Hashable:
        """Whether the policy learns, too: when its turn has come, and the critics of a clone have learned enough."""
        warm = self.clone is None or self.updates > self.settings.critic_warmup
        return warm and self.updates % self.settings.actor_every == 0

    def learn(self) -> dict[str, float]:
        """One update, with what the board should show."""
        with_policy = "actor_loss" in (shown := super().learn())
        if with_policy:
            self.driver.changed()
        return shown | ({"clone_weight": self.clone_weight()} if with_policy else {})

    @torch.no_grad()
    def compute(self) -> dict[str, Tensor]:
        """One update of the critics and, when its turn has come, of the policy.

        Gradients of the losses are written out: a graph of as many nodes costs a fifth of an update.
        """
        batch = self.batch()
        wanted, critics = self._bootstrap(batch), self.critics.network
        values, kept = critics.forward(torch.cat([batch.observations, batch.actions], -1))
        loss, gradient = self._distance(values, wanted)
        shown = {"critic_loss": loss, "value": wanted.mean()} | self._spread(values)
        _, critics.values.grad = critics.backward(kept, gradient)
        self.critic_optimiser.step(self.settings.gradient_norm)
        if self.update_kind():
            shown |= self._actor_step(batch)
            self.average.follow(self.actor, self.settings.averaging)
            self.averaged.spread.lerp_(self.learner.spread, self.settings.averaging)
        self.targets.network.follow(critics, self.settings.polyak)
        return shown

    def clone_weight(self) -> float:
        """Present weight of the pull towards the clone."""
        if self.clone is None:
            return 0.0
        since = max(self.updates - self.settings.critic_warmup, 0)
        fading = self.settings.clone_weight * (1.0 - since / self.settings.clone_fade)
        return max(fading, self.settings.clone_floor)

    def _judged(self, observations: Tensor, actions: Tensor, count: int = 0) -> tuple[Tensor, Tensor]:
        """Values float32[B] of actions by the critics, or the first of them, that say least, and their slopes.

        Returns:
            The values, and the gradient of their mean by the actions, float32[B, A].
        """
        said, kept = self.critics.network.forward(torch.cat([observations, actions], -1), count)
        values, lower = said.mean(-1).min(0)
        weights = torch.zeros_like(said)
        weights.scatter_(0, lower.view(1, -1, 1).expand(1, -1, said.shape[-1]), 1.0 / said[0].numel())
        slopes, _ = self.critics.network.backward(kept, weights, learning=False, moving=actions.shape[-1])
        assert slopes is not None
        return values, slopes

    def _improve(
        self, out: Tensor, kept: list[Kept], of_mean: Tensor, of_log_std: Tensor | None, values: Tensor, seen: Tensor
    ) -> None:
        """One step of the policy's optimiser, with the pull towards the clone.

        Args:
            out, kept: Of `actor.forward`.
            of_mean, of_log_std: float32[B, A]: the gradients of what the algorithm minimises by mean and spread.
            values: float32[B] of the actions, which give the scale.
            seen: float32[B, O], normalised.
        """
        if self.clone is not None:
            controls, wanted = self.learner.decision(out[0]).mean.tanh(), self.clone(seen).mean.tanh()
            scale = values.abs().mean().clamp_min(1e-3)
            rows = len(seen)
            weight = self.on_device.bring(lambda: torch.tensor(2.0 * self.clone_weight() / rows))
            pull = weight * (controls - wanted) * (1.0 - controls.square())
            of_mean = of_mean / scale + pull
            of_log_std = None if of_log_std is None else of_log_std / scale
        gradient, self.learner.spread.grad = self.learner.gradients(out[0], of_mean, of_log_std)
        _, self.actor.values.grad = self.actor.backward(kept, gradient.unsqueeze(0))
        self.actor_optimiser.step(self.settings.gradient_norm)

    def parts(self) -> dict[str, nn.Module | Adam]:
        """Networks and optimisers, by the names they have in a checkpoint."""
        return {
            "policy": self.policy, "learner": self.learner, "critics": self.critics, "targets": self.targets,
            "actor_optimiser": self.actor_optimiser, "critic_optimiser": self.critic_optimiser,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on, except the memory."""
        return super().state() | {"clone": None if self.clone is None else self.clone.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of an agent of the same configuration."""
        super().load_state(state)
        self.driver.send()
        for each in (self.actor, self.average, self.critics.network, self.targets.network):
            each.refresh()
        if state["clone"] is not None:
            clone = Policy.from_spec(self.policy.spec)
            clone.load_state_dict(state["clone"])
            self.clone = on(clone, self.device)
