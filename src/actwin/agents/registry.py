"""All agents by the name of their algorithm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field

from actwin.agents.agent import Agent
from actwin.agents.device import HOST
from actwin.agents.iqn import IQN, IQNConfig, QuantilePolicy, new_quantile_policy
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.off_policy import OffPolicyConfig
from actwin.agents.ppo import PPO, PPOConfig, new_policy
from actwin.agents.qr_sac import QRSAC, QRSACConfig
from actwin.agents.replay import Experience
from actwin.agents.sac import SAC, SACConfig, new_sac_policy
from actwin.agents.td3 import TD3, TD3Config, new_td3_policy
from actwin.errors import CheckpointError, ConfigError

AgentConfig = Annotated[PPOConfig | SACConfig | QRSACConfig | TD3Config | IQNConfig, Field(discriminator="type")]
"""The settings of one algorithm, told by their `type`."""
ALGORITHMS = ("ppo", "sac", "qr_sac", "td3", "iqn")
DrivingPolicy = Policy | QuantilePolicy
"""What drives: a network with its observation statistics."""


def new_agent(
    config: AgentConfig,
    observations: int,
    action: ActionSpec,
    cars: int,
    period: float,
    seed: int,
    clone: Policy | None = None,
    experience: Experience | None = None,
    folder: Path | None = None,
    device: torch.device = HOST,
    graphs: bool = False,
) -> Agent:
    """The agent that settings describe.

    Args:
        config: Of any algorithm.
        observations: Length of an observation.
        action: What is decided.
        cars: Number of parallel environments.
        period: [s] Control period.
        seed: Of weights, exploration and batches.
        clone: A cloned policy to start from; made with `new_network` of the same settings.
        experience: Demonstrations with their rewards, for agents with a memory.
        folder: Of the run, where a large memory lies.
        device: Where updates are computed; see `chosen_device`.
        graphs: Whether updates of agents with a memory are recorded and replayed there.

    Raises:
        ConfigError: The algorithm cannot decide such actions.
    """
    if isinstance(config, IQNConfig):
        return IQN(observations, action, cars, period, config, seed, experience, folder, device, graphs)
    if not action.continuous:
        raise ConfigError(
            f"{config.type.upper()} decides continuous controls, but env.action.kind is discrete. "
            "Set it to absolute or rate, or use agent.type=iqn."
        )
    if isinstance(config, PPOConfig):
        return PPO(observations, action, cars, period, config, seed, clone, device)
    kinds: dict[str, type[SAC] | type[TD3]] = {"sac": SAC, "qr_sac": QRSAC, "td3": TD3}
    kind = kinds[config.type]
    return kind(observations, action, cars, period, config, seed, clone, experience, folder, device, graphs)


def clones(config: AgentConfig) -> bool:
    """Whether the algorithm begins with a cloned policy; IQN learns from demonstrations in its memory instead."""
    return not isinstance(config, IQNConfig)


def remembers(config: AgentConfig) -> bool:
    """Whether demonstrations go into the algorithm's memory."""
    return isinstance(config, OffPolicyConfig | IQNConfig)


def new_network(config: AgentConfig, observations: int, action: ActionSpec) -> DrivingPolicy:
    """The untrained network that settings describe; a clone made with it hands its weights over unchanged."""
    if isinstance(config, IQNConfig):
        return new_quantile_policy(observations, action, config)
    if isinstance(config, PPOConfig):
        return new_policy(observations, action, config)
    if isinstance(config, TD3Config):
        return new_td3_policy(observations, action, config)
    return new_sac_policy(observations, action, config, config.clone_std)


def network_from_spec(spec: dict[str, Any]) -> DrivingPolicy:
    """The untrained network whose `spec` a checkpoint holds.

    Raises:
        CheckpointError: No network of this version is described so.
    """
    try:
        if spec.get("network") == "iqn":
            return QuantilePolicy.from_spec(spec)
        return Policy.from_spec(spec)
    except (TypeError, KeyError, ConfigError) as error:
        raise CheckpointError(
            f"The checkpoint describes a network that this version does not know ({error}). "
            "Use the actwin that wrote it."
        ) from error
