import numpy as np
import torch

from actwin.agents.networks import ActionSpec, Policy, ValueFunction
from actwin.agents.normaliser import Normaliser


def test_statistics_are_those_of_all_batches_together() -> None:
    data = torch.randn(1000, 4) * torch.tensor([1.0, 10.0, 0.5, 3.0]) + 5.0
    normaliser = Normaliser(4)
    for part in data.split((1, 99, 400, 500)):
        normaliser.observe(part)
    np.testing.assert_allclose(normaliser.mean, data.double().mean(0), atol=1e-6)
    np.testing.assert_allclose(normaliser.variance, data.double().var(0, correction=0), rtol=1e-6)
    scaled = normaliser(data)
    torch.testing.assert_close(normaliser.restore(scaled), data, rtol=1e-5, atol=1e-5)


def test_frozen_statistics_stay_and_outliers_are_clipped() -> None:
    normaliser = Normaliser(1, clip=3.0)
    normaliser.observe(torch.randn(100, 1))
    normaliser.freeze()
    mean = normaliser.mean.clone()
    normaliser.observe(torch.full((100, 1), 50.0))
    assert torch.equal(normaliser.mean, mean)
    assert normaliser(torch.tensor([[1e6]])).item() == 3.0


def test_a_short_memory_follows_a_moving_scale() -> None:
    normaliser = Normaliser(1, memory=1000)
    normaliser.observe(torch.zeros(100_000, 1))
    for _ in range(20):
        normaliser.observe(torch.ones(500, 1))
    assert normaliser.mean.item() > 0.99


def test_a_constant_channel_is_not_blown_up() -> None:
    normaliser = Normaliser(1)
    normaliser.observe(torch.full((50, 1), 2.0))
    assert abs(normaliser(torch.tensor([[2.0005]])).item()) < 1.0


def test_spec_and_weights_rebuild_the_policy() -> None:
    policy = Policy(5, ActionSpec(2, 3), hidden=(16,), squash="tanh", state_dependent_std=True)
    policy.normaliser.observe(torch.randn(100, 5) * 7.0)
    twin = Policy.from_spec(policy.spec)
    twin.load_state_dict(policy.state_dict())
    observation = torch.randn(9, 5)
    assert torch.equal(policy.drive(observation), twin.drive(observation))
    assert twin.spec == policy.spec


def test_standard_deviation_starts_where_it_is_told_and_stays_bounded() -> None:
    policy = Policy(2, ActionSpec(3), std=0.4, std_range=(0.05, 1.0))
    decision = policy(torch.zeros(1, 2))
    torch.testing.assert_close(decision.log_std.exp(), torch.full((3,), 0.4))
    with torch.no_grad():
        policy.spread.fill_(-1e3)
    torch.testing.assert_close(policy(torch.zeros(1, 2)).log_std.exp(), torch.full((3,), 0.05))


def test_samples_have_the_distribution_they_claim() -> None:
    policy = Policy(2, ActionSpec(1, 3), std=0.5)
    decision = policy(torch.randn(1, 2).expand(200_000, 2))
    drawn = decision.sample(torch.Generator().manual_seed(0))
    assert abs(drawn[:, 0].mean() - decision.mean[0, 0]) < 5e-3
    assert abs(drawn[:, 0].std() - 0.5) < 5e-3
    shares = torch.bincount(drawn[:, 1].long(), minlength=3) / len(drawn)
    torch.testing.assert_close(shares, decision.logits[0].softmax(-1), atol=5e-3, rtol=0.0)
    assert abs(-decision.log_prob(drawn).mean() - decision.entropy().mean()) < 1e-2


def test_rows_of_a_decision_are_those_rows() -> None:
    policy = Policy(2, ActionSpec(2, 3), state_dependent_std=True)
    decision = policy(torch.randn(6, 2))
    action, rows = decision.mode(), torch.tensor([4, 1])
    torch.testing.assert_close(decision.rows(rows).log_prob(action[rows]), decision.log_prob(action)[rows])
    assert decision.divergence(decision).abs().max() < 1e-6


def test_controls_lie_in_their_bounds() -> None:
    for squash in ("clip", "tanh"):
        policy = Policy(2, ActionSpec(2, 5), squash=squash)
        controls = policy.controls(torch.tensor([[9.0, -9.0, 4.0]]))
        assert controls[0, :2].abs().max() <= 1.0
        assert controls[0, 2] == 4.0


def test_values_stay_when_their_scale_moves() -> None:
    critic = ValueFunction(3)
    observation = torch.randn(20, 3)
    critic.rescale(torch.randn(100))
    before = critic.value(observation)
    critic.rescale(torch.randn(300) * 50.0 + 20.0)
    torch.testing.assert_close(critic.value(observation), before, rtol=1e-4, atol=1e-4)
