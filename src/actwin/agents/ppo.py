"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) over thousands of parallel cars."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from actwin.agents.arrays import Flags, Floats
from actwin.agents.device import HOST, Abroad, bfloat16_pays, carried, on
from actwin.agents.losses import clipped_surrogate, discount, excess, generalised_advantages
from actwin.agents.networks import ActionSpec, Activation, Decision, Policy, Squash, ValueFunction
from actwin.agents.rollout import Batch, Rollout, joined

INFERENCE_BATCH: Final = 8192
"""Rows in one forward pass; larger ones fall out of the cache."""
STEADY: Final = 1e-8
TOO_FAR: Final = 3.0
"""Times the wanted divergence from which a minibatch no longer moves the policy; one such step can undo a clone."""


class PPOConfig(BaseModel):
    """Settings of PPO; the defaults are those of the demo on two CPU cores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["ppo"] = "ppo"
    hidden: tuple[int, ...] = Field(
        default=(128, 128), description="widths of the hidden layers of policy and value function"
    )
    activation: Activation = "relu"
    squash: Squash = "clip"
    horizon: float = Field(default=6.0, gt=0, description="[s] mean time over which future reward counts")
    trace: float = Field(default=0.97, ge=0, le=1, description="lambda of the advantage estimates")
    rollout: int = Field(default=64, ge=1, description="steps of each car between updates")
    epochs: int = Field(default=4, ge=1, description="passes over a rollout in an update")
    minibatch: int = Field(default=8192, ge=1)
    clip: float = Field(default=0.2, gt=0)
    actor_lr: float = Field(default=5e-5, gt=0, description="initial learning rate of the policy")
    actor_lr_range: tuple[float, float] = (1e-5, 3e-3)
    critic_lr: float = Field(default=1e-3, gt=0)
    divergence: float = Field(default=0.008, ge=0, description="KL divergence that steers actor_lr; 0 keeps it")
    entropy: float = Field(default=3e-3, ge=0, description="weight of the entropy bonus")
    precision: Literal["auto", "single", "bfloat16"] = Field(
        default="auto",
        description="of the matrix products in an update; auto is bfloat16 where the CPU multiplies it, and on a "
        "graphics card in large minibatches",
    )
    averaging: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="share of the newest weights in the averaged policy that drives; 1 is none",
    )
    gradient_norm: float = Field(default=1.0, gt=0)
    std: float = Field(default=0.6, gt=0, description="initial standard deviation of the actions, from scratch")
    clone_std: float = Field(default=0.05, gt=0, description="the same from a clone: more noise only makes it crash")
    std_range: tuple[float, float] = (0.02, 1.5)
    state_dependent_std: bool = False
    bounds: float = Field(
        default=0.1,
        ge=0,
        description="weight of the squared excess of wanted controls over [-1, 1], where they are clipped to that",
    )
    normaliser_steps: int = Field(
        default=2_000_000, ge=0, description="car steps until the observation statistics freeze"
    )
    critic_warmup: int = Field(
        default=15, ge=0, description="updates of a cloned policy that train only the value function"
    )
    clone_weight: float = Field(default=0.0, ge=0, description="weight of the penalty on the divergence from the clone")
    clone_fade: int = Field(default=5_000_000, ge=1, description="car steps over which that penalty fades to nothing")


class PPO:
    """PPO with a Gaussian policy, a separate value function and a learning rate steered by the divergence.

    Differs from the paper: advantages are normalised over the rollout; the value function learns scaled returns without
    clipping; the learning rate follows the divergence (as in rsl_rl), because the right step shrinks as the policy
    sharpens; an episode that was cut off is bootstrapped with the value of its last state (Pardo et al. 2018); what
    drives is a moving average of the learner's weights, as single updates move a lap time by a second either way.

    Args:
        observations: Length of an observation.
        action: What is decided.
        cars: Number of parallel environments.
        period: [s] Control period, which turns the horizon into a discount.
        config: Settings.
        seed: Of weights, exploration and minibatches.
        clone: A cloned policy to start from; its network must be that of `config`.
        device: Where updates are computed; acting, random numbers and what drives are on the host.
    """

    kind = "ppo"
    memory: None = None

    def __init__(
        self,
        observations: int,
        action: ActionSpec,
        cars: int,
        period: float,
        config: PPOConfig,
        seed: int,
        clone: Policy | None = None,
        device: torch.device = HOST,
    ) -> None:
        self.config, self.device = config, device
        self.clone = None if clone is None else on(clone, device)
        self.gamma = discount(config.horizon, period)
        self.generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = new_policy(observations, action, config)
            self.critic = on(ValueFunction(observations, config.hidden, config.activation), device)
        if clone is not None:
            learner.body.load_state_dict(clone.body.state_dict())
            learner.normaliser.load_state_dict(clone.normaliser.state_dict())
            learner.set_std(config.clone_std)
        self.policy = copy.deepcopy(learner)
        self._acting = Abroad(learner, device)
        self.learner = self._acting.away
        self.optimiser = torch.optim.Adam(
            [
                {"params": list(self.learner.parameters()), "lr": config.actor_lr},
                {"params": list(self.critic.parameters()), "lr": config.critic_lr},
            ],
            eps=1e-5,
            fused=True,
        )
        self.bfloat16 = config.precision == "bfloat16" or (
            config.precision == "auto" and bfloat16_pays(device, config.minibatch)
        )
        self.steps, self.updates, self._filled = 0, 0, 0
        self._rollout = Rollout.empty(config.rollout, cars, observations, action.width)
        self._decisions: list[Decision] = []
        self._cut: list[tuple[int, Tensor, Tensor]] = []

    @property
    def ready(self) -> bool:
        """Whether the rollout is full."""
        return self._filled == self.config.rollout

    @property
    def actor_lr(self) -> float:
        """Present learning rate of the policy."""
        return float(self.optimiser.param_groups[0]["lr"])

    @torch.no_grad()
    def act(self, observation: Floats) -> Floats:
        """Draws actions float32[N, width] for float32[N, observations]."""
        rollout, step, acting = self._rollout, self._filled, self._acting.home
        rollout.raw[step] = torch.from_numpy(observation)
        rollout.observations[step] = acting.normaliser(rollout.raw[step])
        decision: Decision = acting(rollout.observations[step])
        rollout.actions[step] = decision.sample(self.generator)
        self._decisions.append(decision)
        actions: Floats = acting.controls(rollout.actions[step]).numpy()
        return actions

    @torch.no_grad()
    def process(
        self, reward: Floats, terminated: Flags, truncated: Flags, observation: Floats, final_observation: Floats
    ) -> None:
        """Stores what the last actions led to; see `Agent.process`."""
        rollout, step, normalise = self._rollout, self._filled, self._acting.home.normaliser
        rollout.rewards[step] = torch.from_numpy(reward)
        rollout.terminated[step] = torch.from_numpy(terminated)
        rollout.truncated[step] = torch.from_numpy(truncated) & ~rollout.terminated[step]
        cut = rollout.truncated[step].nonzero().squeeze(-1)
        if len(cut):
            self._cut.append((step, cut, normalise(torch.from_numpy(final_observation)[cut])))
        self._filled += 1
        self.steps += len(reward)
        if self.ready:
            rollout.observations[-1] = normalise(torch.from_numpy(observation))

    def update(self) -> dict[str, float]:
        """One PPO update on the full rollout; returns losses and diagnostics, averaged over its minibatches."""
        batch, shown = self._prepare()
        critic_only = self.clone is not None and self.updates < self.config.critic_warmup
        results = [self._learn(batch, rows, critic_only) for rows in self._minibatches(len(batch.returns))]
        shown |= {name: sum(result[name] for result in results) / len(results) for name in results[0]}
        self._acting.changed()
        acting = self._acting.home
        acting.normaliser.observe(self._rollout.raw.flatten(0, 1))
        if self.steps >= self.config.normaliser_steps:
            acting.normaliser.freeze()
        self._average(acting)
        self._filled, self._decisions, self._cut = 0, [], []
        self.updates += 1
        return shown

    @torch.no_grad()
    def _average(self, newest: Policy) -> None:
        """Moves the policy that drives towards the one that learns."""
        for slow, fast in zip(self.policy.parameters(), newest.parameters(), strict=True):
            slow.lerp_(fast, self.config.averaging)
        self.policy.normaliser.load_state_dict(newest.normaliser.state_dict())

    @torch.no_grad()
    def _prepare(self) -> tuple[Batch, dict[str, float]]:
        config, gathered = self.config, (self._rollout, joined(self._decisions), self._cut)
        rollout, decisions, cuts = carried(gathered, self.device)
        if self.updates == 0:
            # Bootstrapping over short rollouts would need a hundred updates to reach the level of the returns.
            self.critic.start_at(rollout.rewards.mean().item() / (1.0 - self.gamma))
        values = self._values(rollout.observations.flatten(0, 1)).view(rollout.observations.shape[:2])
        final_values = torch.zeros_like(rollout.rewards)
        for step, rows, observation in cuts:
            final_values[step, rows] = self._values(observation)
        advantages = generalised_advantages(
            rollout.rewards, values, rollout.terminated, rollout.truncated, final_values, self.gamma, config.trace
        ).flatten()
        returns = advantages + values[:-1].flatten()
        self.critic.rescale(returns)
        observations, actions = rollout.observations[:-1].flatten(0, 1), rollout.actions.flatten(0, 1)
        clone_means = None
        if self.clone is not None and self._clone_weight() > 0.0:
            clone_means = torch.cat([self.clone(part).mean for part in torch.split(observations, INFERENCE_BATCH)])
        shown = {
            "explained_variance": 1.0 - (advantages.var() / returns.var().clamp_min(STEADY)).item(),
            "value": values.mean().item(),
            "entropy": decisions.entropy().mean().item(),
            "std": decisions.log_std.exp().mean().item(),
        }
        return Batch(
            observations,
            actions,
            decisions.log_prob(actions),
            (advantages - advantages.mean()) / advantages.std().clamp_min(STEADY),
            self.critic.scale(returns.unsqueeze(-1)).squeeze(-1),
            decisions,
            clone_means,
        ), shown

    def _values(self, observations: Tensor) -> Tensor:
        return torch.cat([self.critic.value(part) for part in torch.split(observations, INFERENCE_BATCH)])

    def _minibatches(self, rows: int) -> Iterator[Tensor]:
        for _ in range(self.config.epochs):
            shuffled = carried(torch.randperm(rows, generator=self.generator), self.device)
            yield from torch.split(shuffled, self.config.minibatch)

    def _learn(self, batch: Batch, rows: Tensor, critic_only: bool) -> dict[str, float]:
        observations = batch.observations[rows]
        with self._precision():
            values = self.critic(observations)
        value_loss = 0.5 * (values - batch.returns[rows]).square().mean()
        shown, loss = {"value_loss": value_loss.item()}, value_loss
        if not critic_only:
            policy_loss, terms = self._policy_loss(batch, rows, observations)
            shown, loss = shown | terms, loss + policy_loss
        self.optimiser.zero_grad()
        loss.backward()
        for group in self.optimiser.param_groups:
            clip_grad_norm_(group["params"], self.config.gradient_norm)
        self.optimiser.step()
        return shown | {"actor_lr": self.actor_lr}

    def _policy_loss(self, batch: Batch, rows: Tensor, observations: Tensor) -> tuple[Tensor, dict[str, float]]:
        config = self.config
        with self._precision():
            decision: Decision = self.learner(observations)
        log_probs = decision.log_prob(batch.actions[rows])
        surrogate = clipped_surrogate(log_probs, batch.log_probs[rows], batch.advantages[rows], config.clip)
        loss = surrogate - config.entropy * decision.entropy().mean()
        if config.bounds and config.squash == "clip":
            # A pedal wanted at twice its travel is out of reach of exploration: nothing would ever teach it to brake.
            loss = loss + config.bounds * excess(decision.mean).mean()
        with torch.no_grad():
            divergence = batch.decisions.rows(rows).divergence(decision).mean().item()
            clipped = ((log_probs - batch.log_probs[rows]).abs() > config.clip).float().mean().item()
        shown = {"policy_loss": surrogate.item(), "divergence": divergence, "clipped": clipped}
        if batch.clone_means is not None:
            distance = (decision.mean - batch.clone_means[rows]) * torch.exp(-decision.log_std.detach())
            penalty = 0.5 * distance.square().sum(-1).mean()
            loss = loss + self._clone_weight() * penalty
            shown["clone_penalty"] = penalty.item()
        self._steer_learning_rate(divergence)
        if config.divergence and divergence > TOO_FAR * config.divergence:
            loss = 0.0 * loss
        return loss, shown

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16)

    def _clone_weight(self) -> float:
        return self.config.clone_weight * max(1.0 - self.steps / self.config.clone_fade, 0.0)

    def _steer_learning_rate(self, divergence: float) -> None:
        target, group = self.config.divergence, self.optimiser.param_groups[0]
        low, high = self.config.actor_lr_range
        if target and divergence > 2.0 * target:
            group["lr"] = max(group["lr"] / 1.5, low)
        elif target and 0.0 < divergence < 0.5 * target:
            group["lr"] = min(group["lr"] * 1.5, high)

    def evidence(self) -> dict[str, Tensor]:
        """The rollout of the last update; see `Agent.evidence`."""
        rollout = self._rollout
        return {
            "observations": rollout.raw, "actions": rollout.actions, "rewards": rollout.rewards,
            "terminated": rollout.terminated, "truncated": rollout.truncated,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on; to be taken between updates."""
        return {
            "policy": self.policy.state_dict(),
            "learner": self._acting.home.state_dict(),
            "critic": self.critic.state_dict(),
            "clone": None if self.clone is None else self.clone.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rates": [self.config.actor_lr, self.config.critic_lr],
            "generator": self.generator.get_state(),
            "steps": self.steps,
            "updates": self.updates,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of an agent of the same configuration."""
        self.policy.load_state_dict(state["policy"])
        self._acting.home.load_state_dict(state["learner"])
        self._acting.send()
        self.critic.load_state_dict(state["critic"])
        if state["clone"] is not None:
            clone = Policy.from_spec(self.policy.spec)
            clone.load_state_dict(state["clone"])
            self.clone = on(clone, self.device)
        self.optimiser.load_state_dict(state["optimiser"])
        ours = [self.config.actor_lr, self.config.critic_lr]
        for group, rate, before in zip(self.optimiser.param_groups, ours, state.get("rates", ours), strict=True):
            if rate != before:  # somebody goes on with other rates than the run began with
                group["lr"] = rate
        self.generator.set_state(state["generator"])
        self.steps, self.updates = state["steps"], state["updates"]
        self._filled, self._decisions, self._cut = 0, [], []


def new_policy(observations: int, action: ActionSpec, config: PPOConfig) -> Policy:
    """The untrained policy that these settings describe; a clone made with it hands its weights over unchanged."""
    return Policy(
        observations,
        action,
        config.hidden,
        config.activation,
        config.squash,
        config.std,
        config.std_range,
        config.state_dependent_std,
    )
