"""Implicit quantile networks (Dabney et al. 2018, arXiv 1806.06923) for a set of named actions."""

from __future__ import annotations

import copy
import math
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from actwin.agents.arrays import Floats
from actwin.agents.device import HOST, Abroad, on
from actwin.agents.losses import midpoints, quantile_huber
from actwin.agents.memory_agent import MemoryAgent, MemoryConfig, bootstrapped
from actwin.agents.networks import ActionSpec, Activation, follow, mlp
from actwin.agents.normaliser import Normaliser
from actwin.agents.optimiser import Adam
from actwin.agents.replay import Experience, Transitions
from actwin.errors import ConfigError

EMBEDDING: Final = 64
"""Cosines that stand for a fraction."""
ROWS_AT_ONCE: Final = 256
"""Observations in one forward pass of acting; each becomes `fractions` rows."""


class IQNConfig(MemoryConfig):
    """Settings of IQN."""

    type: Literal["iqn"] = "iqn"
    hidden: tuple[int, ...] = Field(
        default=(256, 256), min_length=2, description="widths: layers before the fractions come in, and one after"
    )
    activation: Activation = "relu"
    n_step: int = Field(default=3, ge=1, description="steps of reward before a target bootstraps")
    batch: int = Field(default=256, ge=1)
    lr: float = Field(default=3e-4, gt=0)
    polyak: float = Field(
        default=0.005, gt=0, le=1, description="share of the network that its target takes on, an update"
    )
    averaging: float = Field(
        default=0.0005, gt=0, le=1, description="share of the network that what drives takes on, an update"
    )
    quantiles: int = Field(default=8, ge=1, description="N and N': fractions drawn for predictions and targets")
    acting_quantiles: int = Field(default=32, ge=1, description="K: fractions whose mean decides")
    threshold: float = Field(default=0.2, gt=0, description="kappa of the quantile Huber loss")
    dueling: bool = True
    double: bool = Field(default=True, description="whether the learning network chooses the action of the target")
    exploration: tuple[float, float] = Field(
        default=(0.4, 0.005), description="share of random actions, from the wildest car to the steadiest"
    )
    sticky: int = Field(default=8, ge=1, description="control steps for which a random action may be held")
    pretrain: int = Field(default=3000, ge=0, description="updates on demonstrations alone, before the first step")
    demo_share: float = Field(default=0.25, ge=0, lt=1, description="share of each batch that is demonstrations")
    margin_weight: float = Field(
        default=0.1, ge=0, description="weight of the wish that demonstrated actions be worth more than others"
    )
    margin: float = Field(default=0.2, ge=0, description="by so much, in units of return")


class QuantilePolicy(nn.Module):
    """The network of IQN with its observation statistics: all that is needed to drive.

    Args:
        observations: Length of an observation.
        action: A discrete choice and nothing else.
        hidden: Widths; the fractions come in before the last.
        activation: Of the hidden layers.
        dueling: Whether values of states and advantages of actions are told apart.
        fractions: K, for driving.
    """

    waves: Tensor

    def __init__(
        self,
        observations: int,
        action: ActionSpec,
        hidden: Sequence[int] = (256, 256),
        activation: Activation = "relu",
        dueling: bool = True,
        fractions: int = 32,
    ) -> None:
        super().__init__()
        if action.continuous or not action.choices:
            raise ConfigError("IQN decides among named actions. Set env.action.kind=discrete.")
        self.observations, self.action, self.dueling, self.fractions = observations, action, dueling, fractions
        self.spec: dict[str, Any] = {
            "network": "iqn", "observations": observations, "choices": action.choices, "hidden": list(hidden),
            "activation": activation, "dueling": dueling, "fractions": fractions,
        }  # fmt: skip
        self.normaliser = Normaliser(observations)
        *before, after = hidden
        self.torso = mlp(observations, before[:-1], before[-1], activation, output_gain=math.sqrt(2.0))
        self.embedding = nn.Linear(EMBEDDING, before[-1])
        # A cosine has half the variance of a normal.
        nn.init.orthogonal_(self.embedding.weight, 2.0)
        nn.init.zeros_(self.embedding.bias)
        self.advantage = mlp(before[-1], (after,), action.choices, activation, output_gain=0.01)
        self.worth = mlp(before[-1], (after,), 1, activation, output_gain=1.0) if dueling else None
        self.register_buffer("waves", math.pi * torch.arange(1, EMBEDDING + 1), persistent=False)

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> QuantilePolicy:
        """The untrained network whose `spec` this is."""
        spec = {name: value for name, value in spec.items() if name != "network"}
        return cls(action=ActionSpec(0, spec.pop("choices")), **spec)

    def features(self, normalised: Tensor) -> Tensor:
        """float32[B, H]: what the fractions are combined with."""
        return functional.relu(self.torso(normalised))

    def quantiles(self, features: Tensor, fractions: Tensor) -> Tensor:
        """Quantiles of the return of every action.

        Args:
            features: float32[B, H].
            fractions: float32[B, N] in (0, 1), or float32[1, N] for all rows.

        Returns:
            float32[B, N, choices]
        """
        cosines = torch.cos(fractions.unsqueeze(-1) * self.waves)
        x = features.unsqueeze(1) * functional.relu(self.embedding(cosines))
        result: Tensor = self.advantage(x)
        if self.worth is not None:
            result = result - result.mean(-1, keepdim=True) + self.worth(x)
        return result

    @torch.no_grad()
    def start_at(self, level: float) -> None:
        """Says about `level` everywhere, so that only differences are left to learn; see `Critics.start_at`."""
        last = (self.advantage if self.worth is None else self.worth)[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(0.1)
        last.bias.fill_(level)

    def values(self, normalised: Tensor) -> Tensor:
        """float32[B, choices]: mean returns, by fixed fractions."""
        return self.quantiles(self.features(normalised), midpoints(self.fractions).unsqueeze(0)).mean(1)

    def best(self, observations: Tensor) -> Tensor:
        """float32[B, 1]: the index of the best action for raw observations, as one expression of tensors."""
        return self.values(self.normaliser(observations)).argmax(-1, keepdim=True).float()

    @torch.inference_mode()
    def drive(self, observations: Tensor) -> Tensor:
        """float32[B, 1]: the index of the best action for raw observations."""
        return torch.cat([self.best(part) for part in torch.split(observations, ROWS_AT_ONCE)])

    @property
    def width(self) -> int:
        """Columns of an action."""
        return self.action.width

    def decide(self, observations: Floats) -> Floats:
        """float32[B, 1]: `drive` for arrays."""
        decided: Floats = self.drive(torch.from_numpy(observations)).numpy()
        return decided


class IQN(MemoryAgent):
    """IQN with n-step returns, a dueling head, a target network that follows and a slow average that drives.

    Differs from the paper: what drives, `policy`, is a moving average of the learning network over some thousand
    updates, as the best action changes with every update where several are nearly as good; the action of the target is
    chosen by the learning network (van Hasselt et al. 2016); one set of fractions serves choice and target, which saves
    a third of the arithmetic; every car explores with its own share of random actions (Horgan et al. 2018), each held
    for some steps, as one of 39 ms goes nowhere; demonstrations teach with a margin (Hester et al. 2018, arXiv
    1704.03732).

    Args:
        observations: Length of an observation.
        action: A discrete choice.
        cars: Number of parallel environments.
        period: [s] Control period, which turns the horizon into a discount.
        config: Settings.
        seed: Of weights, exploration and batches.
        experience: Demonstrations with their rewards.
        folder: Of the run, for a memory on disk.
        device, graphs: As of `MemoryAgent`.
    """

    kind = "iqn"

    def __init__(
        self,
        observations: int,
        action: ActionSpec,
        cars: int,
        period: float,
        config: IQNConfig,
        seed: int,
        experience: Experience | None = None,
        folder: Path | None = None,
        device: torch.device = HOST,
        graphs: bool = False,
    ) -> None:
        super().__init__(observations, action.width, cars, period, config, seed, experience, folder, device, graphs)
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner = new_quantile_policy(observations, action, config)
        self.driver = Abroad(copy.deepcopy(learner).requires_grad_(False), device)
        self.normaliser = self.policy.normaliser
        self.learner, self.averaged = on(learner, device), self.driver.away
        self.target = copy.deepcopy(self.learner).requires_grad_(False)
        if self.demonstrations is not None:
            self.normaliser.observe(self.demonstrations.observations.flatten(0, 1))
            self.normaliser.freeze()
        self.optimiser = Adam(list(self.learner.parameters()), config.lr, epsilon=1e-5)
        high, low = config.exploration
        self._epsilon = torch.logspace(math.log10(high), math.log10(low), cars)
        self._held, self._left = torch.zeros(cars), torch.zeros(cars, dtype=torch.int64)

    @property
    def policy(self) -> QuantilePolicy:
        """What drives, on the host."""
        return self.driver.home

    def explore(self, observations: Tensor) -> Tensor:
        """float32[N, 1]: the best actions for raw observations, some replaced by random ones that are held."""
        best = self.policy.drive(observations).squeeze(-1)
        cars = len(observations)
        starts = (self._left == 0) & (torch.rand(cars, generator=self.generator) < self._epsilon)
        drawn = torch.randint(self.policy.action.choices, (cars,), generator=self.generator).float()
        lengths = torch.randint(1, self.config.sticky + 1, (cars,), generator=self.generator)
        self._held = torch.where(starts, drawn, self._held)
        self._left = torch.where(starts, lengths, self._left)
        action = torch.where(self._left > 0, self._held, best).unsqueeze(-1)
        self._left = (self._left - 1).clamp_min(0)
        return action

    def start_at(self, level: float) -> None:
        """Lets values begin at about `level`."""
        for network in (self.learner, self.target, self.averaged):
            network.start_at(level)

    def update_kind(self) -> Hashable:
        """How many rows of a batch are demonstrations, which are wished to be worth more."""
        return self.demonstrated

    def learn(self) -> dict[str, float]:
        """One update, with what the board should show."""
        shown = super().learn()
        self.driver.changed()
        return shown

    def compute(self) -> dict[str, Tensor]:
        """One update; see `MemoryAgent.compute`."""
        config, batch, demonstrated = self.config, self.batch(), self.demonstrated
        chosen = batch.actions.squeeze(-1).long()
        features = self.learner.features(batch.observations)
        fractions = self._fractions(len(chosen))
        every = self.learner.quantiles(features, fractions)
        predictions = every.gather(-1, chosen.view(-1, 1, 1).expand(-1, config.quantiles, 1)).squeeze(-1)
        wanted = self._wanted(batch)
        loss = quantile_huber(predictions, wanted, fractions, config.threshold).mean()
        spread = predictions.detach().std(-1).mean()
        shown = {"loss": loss.detach(), "value": wanted.mean(), "quantile_spread": spread}
        if demonstrated and config.margin_weight:
            missing = large_margin(every[-demonstrated:].mean(1), chosen[-demonstrated:], config.margin)
            loss = loss + config.margin_weight * missing
            shown["margin_loss"] = missing.detach()
        self.optimiser.forget_gradients()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step(config.gradient_norm)
        follow(self.target, self.learner, config.polyak)
        follow(self.averaged, self.learner, config.averaging)
        return shown

    def _fractions(self, rows: int) -> Tensor:
        """float32[B, N]: drawn evenly from (0, 1)."""
        return self.on_device.bring(lambda: torch.rand(rows, self.config.quantiles, generator=self.generator))

    @torch.no_grad()
    def _wanted(self, batch: Transitions) -> Tensor:
        """float32[B, N']: targets of the quantiles."""
        following = batch.following
        fractions = self._fractions(len(following))
        quantiles = self.target.quantiles(self.target.features(following), fractions)
        judge = quantiles
        if self.config.double:
            judge = self.learner.quantiles(self.learner.features(following), fractions)
        best = judge.mean(1).argmax(-1)
        after = quantiles.gather(-1, best.view(-1, 1, 1).expand(-1, self.config.quantiles, 1)).squeeze(-1)
        return bootstrapped(batch, after)

    def parts(self) -> dict[str, nn.Module | Adam]:
        """Networks and optimisers, by the names they have in a checkpoint."""
        return {
            "policy": self.policy, "learner": self.learner, "target": self.target, "optimiser": self.optimiser,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on, except the memory."""
        return super().state() | {"held": self._held.clone(), "left": self._left.clone()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of an agent of the same configuration."""
        super().load_state(state)
        self.driver.send()
        self._held, self._left = state["held"].clone(), state["left"].clone()


def large_margin(values: Tensor, chosen: Tensor, margin: float) -> Tensor:
    """How far demonstrated actions are from being worth more than all others by a margin, Hester et al. 2018.

    Args:
        values: float32[B, choices].
        chosen: int64[B], what the demonstrator did.
        margin: In units of return.
    """
    wished = torch.full_like(values, margin).scatter_(-1, chosen.unsqueeze(-1), 0.0)
    own = values.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
    return ((values + wished).max(-1).values - own).mean()


def new_quantile_policy(observations: int, action: ActionSpec, config: IQNConfig) -> QuantilePolicy:
    """The untrained network that these settings describe."""
    return QuantilePolicy(
        observations, action, config.hidden, config.activation, config.dueling, config.acting_quantiles
    )
