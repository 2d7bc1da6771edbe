import copy
import math

import numpy as np
import pytest
import torch
from toy import PointMass, learn

from actwin.agents.critics import Critics
from actwin.agents.iqn import IQN, IQNConfig, QuantilePolicy, large_margin
from actwin.agents.losses import midpoints, quantile_huber, squashed_log_prob
from actwin.agents.memory_agent import bootstrapped
from actwin.agents.networks import ActionSpec, follow
from actwin.agents.qr_sac import QRSAC, QRSACConfig
from actwin.agents.replay import Experience, Transitions
from actwin.agents.sac import SAC, SACConfig
from actwin.agents.td3 import TD3, TD3Config
from actwin.errors import ConfigError

COMMON = {
    "horizon": 2.0, "hidden": (32, 32), "batch": 128, "replay": 20_000, "learning_starts": 1000,
    "updates_per_step": 4.0, "polyak": 0.02, "normaliser_steps": 2000, "n_step": 3, "pretrain": 0,
}  # fmt: skip
CONTINUOUS = {
    "sac": (SAC, SACConfig(**COMMON, actor_lr=1e-3, critic_lr=1e-3)),
    "qr_sac": (QRSAC, QRSACConfig(**COMMON, actor_lr=1e-3, critic_lr=1e-3, quantiles=16)),
    "td3": (TD3, TD3Config(**COMMON, actor_lr=1e-3, critic_lr=1e-3)),
}
FORCES = np.linspace(-1.0, 1.0, 5)


class Named(PointMass):
    """The point mass with five named forces."""

    def step_arrays(self, actions):
        return super().step_arrays(FORCES[actions[:, 0].astype(int)][:, None])


def agent_of(name: str, seed: int = 0, cars: int = 32, **more):
    if name == "iqn":
        return IQN(3, ActionSpec(0, 5), cars, 0.1, IQNConfig(**COMMON, lr=1e-3, averaging=0.02), seed, **more)
    kind, config = CONTINUOUS[name]
    return kind(3, ActionSpec(1), cars, 0.1, config, seed, **more)


def env_of(name: str, n: int, seed: int) -> PointMass:
    return Named(n, seed) if name == "iqn" else PointMass(n, seed)


def weights(agent) -> torch.Tensor:
    modules = [part for part in agent.parts().values() if isinstance(part, torch.nn.Module)]
    return torch.cat([each.flatten() for module in modules for each in module.parameters()])


ALL = [*CONTINUOUS, "iqn"]


@pytest.mark.parametrize("name", ALL)
def test_learns_to_hold_a_mass_in_the_middle(name):
    agent, test = agent_of(name), env_of(name, 64, seed=1)
    before = test.mean_distance(agent.policy)
    # What drives of IQN is an average that lags behind.
    learn(agent, env_of(name, 32, seed=0), updates=60 if name == "iqn" else 40)
    # Five forces cannot hold the mass as still as any force can.
    assert test.mean_distance(agent.policy) < (0.2 if name == "iqn" else 0.12) < before


@pytest.mark.parametrize("name", CONTINUOUS)
def test_learns_in_half_precision_too(name):
    kind, config = CONTINUOUS[name]
    agent = kind(3, ActionSpec(1), 32, 0.1, config.model_copy(update={"precision": "bfloat16"}), 0)
    test = PointMass(64, seed=1)
    learn(agent, PointMass(32, seed=0), updates=40)
    assert test.mean_distance(agent.policy) < 0.15
    assert all(parameter.dtype == torch.float32 for parameter in agent.critics.parameters())


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_weights(name):
    first, second, other = (agent_of(name, seed) for seed in (3, 3, 4))
    for agent in (first, second, other):
        learn(agent, env_of(name, 32, seed=0), updates=2)
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("name", ALL)
def test_resumed_equals_uninterrupted(name):
    agent, env = agent_of(name), env_of(name, 32, seed=0)
    learn(agent, env, updates=2)
    state, memory, half_way = copy.deepcopy(agent.state()), agent.memory.state(), copy.deepcopy(env)
    straight = learn(agent, env, updates=2)
    resumed = agent_of(name, seed=99)
    resumed.load_state(state)
    resumed.memory.load_state(memory)
    again = learn(resumed, half_way, updates=2)
    assert torch.equal(weights(agent), weights(resumed))
    assert straight == again


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_clone_is_left_alone_until_the_critics_know_something(name):
    kind, config = CONTINUOUS[name]
    clone = agent_of(name, seed=5).policy
    config = config.model_copy(update={"critic_warmup": 10_000})
    agent = kind(3, ActionSpec(1), 32, 0.1, config, 0, clone)
    before = copy.deepcopy(agent.policy.body.state_dict())
    critics = copy.deepcopy(agent.critics.state_dict())
    learn(agent, PointMass(32, seed=0), updates=3)
    assert all(torch.equal(before[key], value) for key, value in agent.policy.body.state_dict().items())
    assert not all(torch.equal(critics[key], value) for key, value in agent.critics.state_dict().items())


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_pull_towards_the_clone_fades_to_its_floor(name):
    agent = agent_of(name, clone=agent_of(name).policy)
    config = agent.settings
    agent.updates = config.critic_warmup
    assert agent.clone_weight() == config.clone_weight
    agent.updates += config.clone_fade // 2
    assert agent.clone_weight() == pytest.approx(0.5 * config.clone_weight)
    agent.updates += config.clone_fade
    assert agent.clone_weight() == config.clone_floor


@pytest.mark.parametrize("name", ALL)
def test_demonstrations_are_part_of_every_batch(name):
    rng = np.random.default_rng(0)
    shape = (200, 4)
    experience = Experience(
        np.full((*shape, 3), 7.0, np.float32), np.zeros((*shape, 1), np.float32), rng.random(shape, np.float32),
        np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.ones(shape, np.bool_),
    )  # fmt: skip
    agent = agent_of(name, experience=experience)
    learn(agent, env_of(name, 32, seed=0), updates=1)
    batch, shown = agent.draw(), agent.demonstrated
    assert shown == round(agent.settings.demo_share * agent.settings.batch)
    seven = agent.policy.normaliser(torch.full((1, 3), 7.0))
    assert torch.equal(batch.observations[-shown:], seven.expand(shown, -1))
    assert not torch.equal(batch.observations[0], seven[0])


@pytest.mark.parametrize("name", ALL)
def test_values_begin_at_the_level_of_the_returns(name):
    agent, env = agent_of(name), env_of(name, 32, seed=0)
    while not agent.ready:
        observation, *rest = env.step_arrays(agent.act(env.observation))
        agent.process(*rest, observation, env.final_observation)
    level = agent.level()
    assert level == pytest.approx(agent.memory.mean_reward() / (1 - agent.gamma))
    agent.learn()
    seen = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    said = agent.policy.values(seen) if name == "iqn" else agent.targets(seen, torch.zeros(100, 1))
    assert (said - level).abs().max() < 0.3 * level


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_discrete_choice_is_refused(name):
    kind, config = CONTINUOUS[name]
    with pytest.raises(ConfigError, match="continuous controls only"):
        kind(3, ActionSpec(1, 2), 4, 0.1, config, 0)


def test_iqn_wants_named_actions():
    with pytest.raises(ConfigError, match="kind=discrete"):
        IQN(3, ActionSpec(2), 4, 0.1, IQNConfig(), 0)


@pytest.mark.parametrize("name", ALL)
def test_a_batch_larger_than_the_memory_is_refused(name):
    config = agent_of(name).settings.model_copy(update={"replay": 100})
    kind = IQN if name == "iqn" else CONTINUOUS[name][0]
    action = ActionSpec(0, 5) if name == "iqn" else ActionSpec(1)
    with pytest.raises(ConfigError, match="does not fit a memory"):
        kind(3, action, 4, 0.1, config, 0)


def test_quantile_huber_by_hand():
    def loss(error: float, fraction: float, threshold: float) -> float:
        prediction, target = torch.tensor([0.0]), torch.tensor([error])
        return float(quantile_huber(prediction, target, torch.tensor([fraction]), threshold))

    assert loss(2.0, 0.25, 1.0) == pytest.approx(0.375)
    assert loss(-2.0, 0.25, 1.0) == pytest.approx(1.125)
    assert loss(0.5, 0.25, 1.0) == pytest.approx(0.03125)
    assert loss(-0.5, 0.25, 1.0) == pytest.approx(0.09375)
    assert loss(1.0, 0.5, 0.005) == pytest.approx(0.49875)


def test_quantile_huber_sums_over_predictions_and_averages_over_targets():
    generator = torch.Generator().manual_seed(0)
    predictions, targets = torch.randn(4, 8, generator=generator), torch.randn(4, 6, generator=generator)
    fractions = midpoints(8)
    whole = quantile_huber(predictions, targets, fractions, 0.3)
    doubled = quantile_huber(predictions.repeat(1, 2), targets, fractions.repeat(2), 0.3)
    torch.testing.assert_close(doubled, 2.0 * whole)
    torch.testing.assert_close(quantile_huber(predictions, targets.repeat(1, 3), fractions, 0.3), whole)


def test_quantile_huber_finds_the_quantiles_of_a_normal():
    samples = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    fractions = midpoints(16)
    guess = torch.zeros(16, requires_grad=True)
    optimiser = torch.optim.Adam([guess], 0.02)
    for step in range(600):
        rows = samples[torch.randint(20_000, (512,), generator=torch.Generator().manual_seed(step))]
        optimiser.zero_grad()
        quantile_huber(guess, rows, fractions, 1e-3).backward()
        optimiser.step()
    exact = math.sqrt(2.0) * torch.erfinv(2.0 * fractions - 1.0)
    assert float((guess.detach() - exact).abs().max()) < 0.1


def test_squashed_log_prob_is_the_density_of_the_squashed_action():
    """Its integral over all actions is one, and it equals the change of variables written out."""
    mean, log_std = torch.tensor([[0.3]]), torch.tensor([[-0.4]])
    actions = torch.linspace(-0.99999, 0.99999, 200_001, dtype=torch.float64)
    raw = torch.atanh(actions).unsqueeze(-1)
    density = squashed_log_prob(mean.double(), log_std.double(), raw).exp()
    assert float(torch.trapezoid(density, actions)) == pytest.approx(1.0, abs=1e-3)
    at = torch.tensor([[20.0]])
    assert math.isfinite(float(squashed_log_prob(mean, log_std, at)))


def test_nothing_leaks_from_what_follows_a_termination():
    batch = Transitions(
        torch.zeros(2, 1), torch.zeros(2, 1), torch.tensor([3.0, 3.0]), torch.zeros(2, 1), torch.tensor([0.0, 0.5])
    )
    wanted = bootstrapped(batch, torch.tensor([[math.nan], [4.0]]))
    assert wanted.flatten().tolist() == [3.0, 5.0]


def test_the_target_is_the_critic_with_the_lower_mean_row_by_row():
    agent = agent_of("qr_sac")
    rows = 6
    batch = Transitions(
        torch.zeros(rows, 3), torch.zeros(rows, 1), torch.zeros(rows), torch.randn(rows, 3), torch.ones(rows)
    )
    outputs = torch.randn(2, rows, 16)
    agent.targets.forward = lambda observations, actions: outputs
    agent.settings = agent.settings.model_copy(update={"entropy_in_target": False})
    wanted = agent._bootstrap(batch)
    for row in range(rows):
        lower = 0 if outputs[0, row].mean() < outputs[1, row].mean() else 1
        assert torch.equal(wanted[row], outputs[lower, row])


def test_stacked_critics_are_separate_perceptrons():
    critics = Critics(3, 2, (8, 8), outputs=4, count=2)
    observations, actions = torch.randn(5, 3), torch.randn(5, 2)
    together = critics(observations, actions)
    assert together.shape == (2, 5, 4)
    for k in range(2):
        x = torch.cat([observations, actions], -1)
        for layer in range(3):
            x = x @ critics.weights[layer][k] + critics.biases[layer][k]
            if layer < 2:
                x = torch.nn.functional.layer_norm(x, (8,)) * critics.gains[layer][k] + critics.shifts[layer][k]
                x = x.relu()
        torch.testing.assert_close(together[k], x)


def test_the_actors_loss_leaves_the_critics_without_gradient():
    agent = agent_of("sac")
    learn(agent, PointMass(32, seed=0), updates=1)
    agent.critic_optimiser.forget_gradients()
    agent._actor_step(agent.draw())
    assert agent.critics.network.values.grad is None
    assert agent.actor.values.grad is not None


def test_targets_follow_by_their_share():
    source, target = Critics(2, 1, (4,)), Critics(2, 1, (4,))
    before = [parameter.clone() for parameter in target.parameters()]
    follow(target, source, 0.25)
    for old, new, wanted in zip(before, target.parameters(), source.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25 * (wanted - old))


def test_the_margin_is_missing_by_hand():
    values = torch.tensor([[1.0, 0.9, 0.0], [1.0, 0.0, 0.0]])
    # First row: the other action stands at 0.9 + 0.2, 0.1 above; second row: nothing comes near.
    assert float(large_margin(values, torch.tensor([0, 0]), 0.2)) == pytest.approx(0.05)


def test_cosines_stand_for_the_fractions():
    """The embedding is relu(W cos(pi i tau) + b), multiplied into the features."""
    network = QuantilePolicy(3, ActionSpec(0, 5), (16, 16), dueling=False)
    features, fraction = torch.rand(1, 16), 0.37
    cosines = torch.tensor([math.cos(math.pi * i * fraction) for i in range(1, 65)])
    embedded = (network.embedding.weight @ cosines + network.embedding.bias).relu()
    wanted = network.advantage(features * embedded)
    torch.testing.assert_close(network.quantiles(features, torch.tensor([[fraction]]))[0], wanted)


def test_the_network_is_rebuilt_from_its_spec():
    network = QuantilePolicy(3, ActionSpec(0, 5), (16, 16, 8))
    again = QuantilePolicy.from_spec(network.spec)
    again.load_state_dict(network.state_dict())
    seen = torch.randn(40, 3)
    assert torch.equal(network.drive(seen), again.drive(seen))
