import copy

import numpy as np
import pytest
import torch
from toy import PointMass, learn

from actwin.agents.networks import ActionSpec
from actwin.agents.ppo import PPO, PPOConfig, new_policy

SMALL = PPOConfig(
    hidden=(32, 32), horizon=2.0, rollout=16, minibatch=1024, normaliser_steps=50_000, actor_lr=1e-3, precision="single"
)


def new_agent(config: PPOConfig = SMALL, seed: int = 0, choices: int = 0, cars: int = 128, clone=None) -> PPO:
    return PPO(3, ActionSpec(1, choices), cars, 0.1, config, seed, clone)


def weights(agent: PPO) -> torch.Tensor:
    return torch.cat([each.flatten() for each in (*agent.learner.parameters(), *agent.critic.parameters())])


@pytest.mark.parametrize(("squash", "state_dependent_std"), [("clip", False), ("tanh", True)])
def test_learns_to_hold_a_mass_in_the_middle(squash: str, state_dependent_std: bool) -> None:
    config = SMALL.model_copy(update={"squash": squash, "state_dependent_std": state_dependent_std})
    agent, test = new_agent(config), PointMass(64, seed=1)
    before = test.mean_distance(agent.policy)
    learn(agent, PointMass(128, seed=0), updates=60)
    assert test.mean_distance(agent.policy) < 0.1 < before


def test_learns_a_discrete_choice_beside_the_continuous_one() -> None:
    agent, test = new_agent(choices=2), PointMass(64, seed=1, choices=2)
    learn(agent, PointMass(128, seed=0, choices=2), updates=60)
    assert test.mean_distance(agent.policy) < 0.1
    assert agent.policy.drive(torch.tensor([[0.8, 0.0, 1.0]]))[0, 1] == 1.0


def test_same_seed_same_weights() -> None:
    first, second, other = (new_agent(seed=seed) for seed in (3, 3, 4))
    for agent in (first, second, other):
        learn(agent, PointMass(128, seed=0), updates=3)
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


def test_resumed_equals_uninterrupted() -> None:
    agent, env = new_agent(), PointMass(128, seed=0)
    learn(agent, env, updates=3)
    state, half_way = copy.deepcopy(agent.state()), copy.deepcopy(env)
    straight = learn(agent, env, updates=3)
    resumed = new_agent(seed=99)
    resumed.load_state(state)
    again = learn(resumed, half_way, updates=3)
    assert torch.equal(weights(agent), weights(resumed))
    assert straight == again
    moments = zip(agent.optimiser.state.values(), resumed.optimiser.state.values(), strict=True)
    assert all(torch.equal(a["exp_avg_sq"], b["exp_avg_sq"]) for a, b in moments)


def test_a_cloned_policy_waits_for_the_critic() -> None:
    clone = new_policy(3, ActionSpec(1), SMALL)
    clone.normaliser.observe(torch.randn(100, 3))
    clone.normaliser.freeze()
    agent = new_agent(SMALL.model_copy(update={"critic_warmup": 20}), clone=clone)
    observation = torch.randn(5, 3)
    wanted = clone.drive(observation)
    assert torch.equal(agent.policy.drive(observation), wanted)
    env = PointMass(128, seed=0)
    shown = learn(agent, env, updates=20)
    assert torch.equal(agent.policy.drive(observation), wanted)
    assert shown[-1]["explained_variance"] > 0.2 > shown[0]["explained_variance"]
    learn(agent, env, updates=1)
    assert not torch.equal(agent.policy.drive(observation), wanted)


def test_the_penalty_holds_the_policy_near_its_clone() -> None:
    distances = []
    for weight in (0.0, 10.0):
        torch.manual_seed(0)
        clone = new_policy(3, ActionSpec(1), SMALL)
        changes = {"clone_weight": weight, "critic_warmup": 1, "clone_std": 0.5}
        agent = new_agent(SMALL.model_copy(update=changes), clone=clone)
        learn(agent, PointMass(128, seed=0), updates=25)
        observation = torch.rand(200, 3) * 2.0 - 1.0
        distances.append((agent.learner.drive(observation) - clone.drive(observation)).abs().mean().item())
    assert distances[1] < 0.3 * distances[0]


def test_a_truncated_step_uses_the_observation_before_the_reset() -> None:
    config = SMALL.model_copy(update={"rollout": 1, "trace": 0.0, "minibatch": 2, "normaliser_steps": 0})
    agent = new_agent(config, cars=2)
    agent.updates = 1
    observation = np.zeros((2, 3), np.float32)
    reset_to, final = np.full((2, 3), 0.5, np.float32), np.full((2, 3), -0.7, np.float32)
    agent.act(observation)
    agent.process(np.zeros(2, np.float32), np.array([False, True]), np.array([True, False]), reset_to, final)
    targets = agent.gamma * agent.critic.value(agent.policy.normaliser(torch.from_numpy(final))).detach()
    batch, _ = agent._prepare()
    returns = agent.critic.scale.restore(batch.returns.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(returns, torch.tensor([targets[0].item(), 0.0]), atol=1e-5, rtol=1e-5)


def test_divergence_steers_the_learning_rate() -> None:
    agent = new_agent()
    for divergence, factor in ((0.03, 1 / 1.5), (0.001, 1.5), (0.01, 1.0)):
        before = agent.actor_lr
        agent._steer_learning_rate(divergence)
        assert agent.actor_lr == pytest.approx(before * factor)
