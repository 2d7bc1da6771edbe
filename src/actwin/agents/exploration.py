"""How a car explores with a policy, apart from the agent that learns: what a driver in another process needs."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from actwin.agents.arrays import Floats
from actwin.agents.iqn import IQNConfig, QuantilePolicy
from actwin.agents.networks import Policy
from actwin.agents.ppo import PPOConfig
from actwin.agents.registry import AgentConfig, DrivingPolicy
from actwin.agents.td3 import TD3Config
from actwin.errors import ConfigError


class Explorer(Protocol):
    """Drives one car with what the agent would do to learn."""

    def renew(self, policy: DrivingPolicy) -> None:
        """Goes on with another policy."""
        ...

    def act(self, observation: Floats) -> Floats:
        """An action float32[1, width] for a raw observation float32[1, observations]."""
        ...


class Drawn:
    """Draws from the distribution of a stochastic policy, as SAC does.

    Args:
        generator: Of the draws.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def renew(self, policy: DrivingPolicy) -> None:
        """Goes on with another policy."""
        assert isinstance(policy, Policy)
        self._policy = policy

    @torch.inference_mode()
    def act(self, observation: Floats) -> Floats:
        """An action float32[1, width] for a raw observation float32[1, observations]."""
        policy = self._policy
        decision = policy(policy.normaliser(torch.from_numpy(observation)))
        action: Floats = policy.controls(decision.sample(self._generator)).numpy()
        return action


class Noisy:
    """Adds noise to the most likely controls, as TD3 does.

    Args:
        generator: Of the noise.
        spread: Its standard deviation.
    """

    def __init__(self, generator: torch.Generator, spread: float) -> None:
        self._generator, self._spread = generator, spread

    def renew(self, policy: DrivingPolicy) -> None:
        """Goes on with another policy."""
        self._policy = policy

    def act(self, observation: Floats) -> Floats:
        """An action float32[1, width] for a raw observation float32[1, observations]."""
        likely = self._policy.drive(torch.from_numpy(observation))
        noise = self._spread * torch.randn(likely.shape, generator=self._generator)
        action: Floats = (likely + noise).clamp(-1.0, 1.0).numpy()
        return action


class Random:
    """Does something else now and then, and holds it for some steps, as IQN does.

    Args:
        generator: Of the choices.
        share: Of the steps at which a random action begins.
        longest: [steps] That one is held.
        choices: Number of actions.
    """

    def __init__(self, generator: torch.Generator, share: float, longest: int, choices: int) -> None:
        self._generator, self._share, self._longest, self._choices = generator, share, longest, choices
        self._held, self._left = torch.zeros(1, 1), 0

    def renew(self, policy: DrivingPolicy) -> None:
        """Goes on with another policy."""
        self._policy = policy

    def _draw(self, below: int) -> Tensor:
        return torch.randint(below, (1, 1), generator=self._generator)

    def act(self, observation: Floats) -> Floats:
        """An action float32[1, 1] for a raw observation float32[1, observations]."""
        if self._left == 0 and torch.rand(1, generator=self._generator).item() < self._share:
            self._held, self._left = self._draw(self._choices).float(), int(self._draw(self._longest)) + 1
        if self._left > 0:
            self._left -= 1
            held: Floats = self._held.numpy()
            return held
        return self._policy.decide(observation)


def explorer(config: AgentConfig, policy: DrivingPolicy, car: int, cars: int, cloned: bool, seed: int) -> Explorer:
    """Who explores for one of several cars; where the agent spreads its exploration over cars, each has its part.

    Args:
        config: Of the agent.
        policy: To begin with.
        car, cars: Number of the car, from 0, and how many there are.
        cloned: Whether learning began with a clone.
        seed: Of what is random; each car draws its own.

    Raises:
        ConfigError: PPO, which learns from what its own policy of this very moment did.
    """
    generator = torch.Generator().manual_seed(seed * 1009 + car)
    share = (car + 0.5) / cars  # midpoints: a single car is neither the wildest nor the steadiest
    found: Explorer
    if isinstance(config, PPOConfig):
        raise ConfigError("PPO learns only from what its policy of this very moment did. Use sac, qr_sac, td3 or iqn.")
    if isinstance(config, IQNConfig):
        assert isinstance(policy, QuantilePolicy)
        most, least = (math.log(value) for value in config.exploration)
        found = Random(generator, math.exp(most + share * (least - most)), config.sticky, policy.action.choices)
    elif isinstance(config, TD3Config):
        low, high = config.clone_noise_range if cloned else config.noise_range
        found = Noisy(generator, low + share * (high - low))
    else:
        found = Drawn(generator)
    found.renew(policy)
    return found
