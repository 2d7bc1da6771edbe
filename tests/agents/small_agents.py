"""An agent of each algorithm that learns within a second, with a clone and demonstrations where it takes them."""

import numpy as np
import torch
from toy import PointMass, learn

from actwin.agents.device import HOST
from actwin.agents.iqn import IQNConfig
from actwin.agents.networks import ActionSpec
from actwin.agents.ppo import PPOConfig
from actwin.agents.qr_sac import QRSACConfig
from actwin.agents.registry import clones, new_agent, new_network
from actwin.agents.replay import Experience
from actwin.agents.sac import SACConfig
from actwin.agents.td3 import TD3Config

MEMORY = {"hidden": (16, 16), "batch": 32, "replay": 800, "learning_starts": 64, "round_steps": 2, "pretrain": 5}
CAREFUL = MEMORY | {"critic_warmup": 3, "clone_fade": 30}
AGENTS = {
    "sac": SACConfig(**CAREFUL),
    "sac in bfloat16": SACConfig(**CAREFUL, precision="bfloat16", activation="silu"),
    "qr_sac": QRSACConfig(**CAREFUL, quantiles=8),
    "td3": TD3Config(**CAREFUL),
    "iqn": IQNConfig(**MEMORY),
    "ppo": PPOConfig(
        hidden=(16, 16),
        rollout=16,
        minibatch=64,
        precision="single",
        critic_warmup=1,
        clone_weight=0.5,
        clone_fade=9000,
    ),
}
REMEMBERING = [name for name in AGENTS if name != "ppo"]


class Named(PointMass):
    """The point mass with five named forces."""

    def step_arrays(self, actions):
        return super().step_arrays(0.5 * actions - 1.0)


def agent_of(name: str, on: torch.device = HOST, graphs: bool = False):
    """An agent on a device."""
    config = AGENTS[name]
    action = ActionSpec(0, 5) if name == "iqn" else ActionSpec(1)
    cloned = experience = None
    if clones(config):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            cloned = new_network(config, 3, action)
    if name != "ppo":
        random, shape = np.random.default_rng(0), (60, 2)
        actions = random.integers(0, 5, (*shape, 1)) if name == "iqn" else np.zeros((*shape, 1))
        ended = random.random((2, *shape)) < 0.02
        experience = Experience(
            random.normal(size=(*shape, 3)).astype(np.float32), actions.astype(np.float32),
            random.random(shape, np.float32), ended[0], ended[1], np.ones(shape, np.bool_),
        )  # fmt: skip
    return new_agent(config, 3, action, 8, 0.1, 0, cloned, experience, device=on, graphs=graphs)


def trained(agent, rounds: int, env=None):
    """What rounds of learning showed, and the environment after them."""
    env = env or (Named(8, seed=0) if agent.kind == "iqn" else PointMass(8, seed=0))
    return learn(agent, env, rounds), env
