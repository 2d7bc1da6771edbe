"""Updates on a graphics card beside the same on the host; skipped where torch finds no card."""

import math

import numpy as np
import pytest
import torch
from small_agents import AGENTS, REMEMBERING, agent_of, trained
from torch.utils._pytree import tree_leaves
from toy import PointMass, learn

from actwin.agents.checkpoints import FORMAT, REQUIRED, load_checkpoint, save_checkpoint
from actwin.agents.device import LARGE_BATCH, chosen_device
from actwin.agents.networks import ActionSpec
from actwin.agents.ppo import PPOConfig
from actwin.agents.registry import new_agent
from actwin.agents.sac import SACConfig

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no graphics card")
APART = 0.02
"""Largest difference of weights, as a share of the way that they went: sums are added in another order."""


@pytest.fixture(autouse=True)
def plain_products():
    """Single precision without TF32, for comparisons."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


def weights(agent) -> torch.Tensor:
    networks = [agent.learner, agent.critics if hasattr(agent, "critics") else agent.policy]
    return torch.cat([each.detach().cpu().flatten() for network in networks for each in network.parameters()]).double()


def apart(name: str, first, second, rounds: int = 4) -> float:
    """How far two agents are apart after some rounds, as a share of the way."""
    begin = weights(first)
    assert torch.equal(begin, weights(second))
    trained(first, rounds)
    trained(second, rounds)
    assert first.updates == second.updates
    return float((weights(first) - weights(second)).norm() / (weights(first) - begin).norm())


@pytest.mark.parametrize("name", AGENTS)
def test_an_update_is_that_of_the_host(name):
    share = 0.2 if "bfloat16" in name else APART
    assert apart(name, agent_of(name), agent_of(name, chosen_device("cuda"))) < share


@pytest.mark.parametrize("name", REMEMBERING)
def test_a_replayed_update_is_the_update(name):
    card = chosen_device("cuda")
    replayed = agent_of(name, card, graphs=True)
    assert apart(name, agent_of(name, card), replayed, 8) < (0.2 if "bfloat16" in name else APART)
    assert any(kind.replay is not None for kind in replayed.on_device._kinds.values())


@pytest.mark.parametrize("name", AGENTS)
def test_a_run_goes_on_where_there_is_no_card_and_the_other_way_round(name, tmp_path):
    agent, seen = agent_of(name, chosen_device("cuda")), np.zeros((4, 3), np.float32)
    trained(agent, 4)
    save_checkpoint(tmp_path / "last.pt", dict.fromkeys(REQUIRED, FORMAT) | {"agent": agent.state()})
    state = load_checkpoint(tmp_path / "last.pt")["agent"]
    assert {each.device.type for each in tree_leaves(state) if isinstance(each, torch.Tensor)} == {"cpu"}
    for device in ("cpu", "cuda"):
        other = agent_of(name, chosen_device(device))
        other.load_state(state)
        assert np.array_equal(other.policy.decide(seen), agent.policy.decide(seen))
        assert torch.equal(weights(other), weights(agent))


def test_learns_to_hold_a_mass_in_the_middle_by_replays():
    torch.set_float32_matmul_precision("medium")
    config = SACConfig(
        horizon=2.0, hidden=(32, 32), batch=128, replay=20_000, learning_starts=1000, updates_per_step=4.0,
        polyak=0.02, normaliser_steps=2000, n_step=3, actor_lr=1e-3, critic_lr=1e-3,
    )  # fmt: skip
    agent = new_agent(config, 3, ActionSpec(1), 32, 0.1, 0, device=chosen_device("cuda"), graphs=True)
    learn(agent, PointMass(32, seed=0), 60)
    assert PointMass(64, seed=1).mean_distance(agent.policy) < 0.12


def test_large_minibatches_are_computed_in_half_precision():
    config = PPOConfig(hidden=(64, 64), rollout=32, minibatch=LARGE_BATCH)
    agent = new_agent(config, 3, ActionSpec(1), 128, 0.1, 0, device=chosen_device("cuda"))
    shown = learn(agent, PointMass(128, seed=0), 3)
    assert agent.bfloat16 == torch.cuda.is_bf16_supported(including_emulation=False)
    assert all(map(math.isfinite, shown[-1].values()))
