"""Losses and targets against values worked out by hand."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from actwin.agents.losses import (
    clipped_surrogate,
    discount,
    excess,
    gaussian_divergence,
    gaussian_entropy,
    gaussian_log_prob,
    generalised_advantages,
    imitation_loss,
)


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values).unsqueeze(-1)


def advantages(rewards, values, terminated, truncated, final_values, gamma=0.5, trace=0.5) -> list[float]:
    flags = [torch.tensor(each, dtype=torch.bool).unsqueeze(-1) for each in (terminated, truncated)]
    result = generalised_advantages(column(*rewards), column(*values), *flags, column(*final_values), gamma, trace)
    return result.squeeze(-1).tolist()


def test_advantages_of_an_open_episode() -> None:
    # deltas: 1 + .5*2 - 4 = -2; 2 + .5*8 - 2 = 4; then A1 = 4, A0 = -2 + .25*4
    assert advantages([1, 2], [4, 2, 8], [0, 0], [0, 0], [0, 0]) == [-1.0, 4.0]


def test_nothing_comes_after_a_termination() -> None:
    # deltas: 1 + .5*2 - 4 = -2; 2 + 0 - 2 = 0 (ends); 3 + .5*6 - 8 = -2
    nan = math.nan
    assert advantages([1, 2, 3], [4, 2, 8, 6], [0, 1, 0], [0, 0, 0], [nan, nan, nan]) == [-2.0, 0.0, -2.0]


def test_a_cut_episode_has_the_value_of_its_own_last_state() -> None:
    # the middle delta uses V(final) = 10, not the 8 of the next episode: 2 + .5*10 - 2 = 5
    assert advantages([1, 2, 3], [4, 2, 8, 6], [0, 0, 0], [0, 1, 0], [0, 10, 0]) == [-2.0 + 0.25 * 5.0, 5.0, -2.0]


def test_termination_wins_over_truncation() -> None:
    assert advantages([1.0], [0, 9], [1], [1], [7.0]) == [1.0]


def test_full_trace_gives_returns() -> None:
    gamma, rewards = 0.9, [1.0, 2.0, 3.0]
    result = advantages(rewards, [5, 6, 7, 8], [0, 0, 0], [0, 0, 0], [0, 0, 0], gamma, trace=1.0)
    returns = 1 + gamma * 2 + gamma**2 * 3 + gamma**3 * 8
    assert result[0] == pytest.approx(returns - 5, abs=1e-5)


def test_discount_of_a_horizon() -> None:
    assert discount(9.6, 0.1) == pytest.approx(0.98958, abs=1e-5)
    assert sum(discount(2.0, 0.04) ** k * 0.04 for k in range(10_000)) == pytest.approx(2.0)


def test_gaussians_agree_with_torch_distributions() -> None:
    torch.manual_seed(0)
    mean, log_std, other, other_log_std, value = torch.randn(5, 7, 3)
    first, second = Normal(mean, log_std.exp()), Normal(other, other_log_std.exp())
    torch.testing.assert_close(gaussian_log_prob(mean, log_std, value), first.log_prob(value).sum(-1))
    torch.testing.assert_close(gaussian_entropy(log_std), first.entropy().sum(-1))
    divergence = gaussian_divergence(mean, log_std, other, other_log_std)
    torch.testing.assert_close(divergence, kl_divergence(first, second).sum(-1))


def test_log_prob_of_a_standard_normal() -> None:
    zero = torch.zeros(1, 1)
    assert gaussian_log_prob(zero, zero, zero).item() == pytest.approx(-0.918939, abs=1e-6)
    assert gaussian_log_prob(zero, zero, zero + 2.0).item() == pytest.approx(-2.918939, abs=1e-6)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "learns"),
    [
        (1.1, 2.0, -2.2, True),
        (1.5, 2.0, -2.4, False),  # good action, already likely enough
        (0.5, 2.0, -1.0, True),
        (0.5, -2.0, 1.6, False),  # bad action, already unlikely enough
        (1.5, -2.0, 3.0, True),
    ],
)
def test_clipped_surrogate(ratio: float, advantage: float, loss: float, learns: bool) -> None:
    log_prob = torch.tensor([math.log(ratio)], requires_grad=True)
    value = clipped_surrogate(log_prob, torch.zeros(1), torch.tensor([advantage]), 0.2)
    value.backward()
    assert value.item() == pytest.approx(loss, abs=1e-6)
    assert (log_prob.grad.item() != 0.0) is learns


def test_excess_counts_only_what_lies_beyond_the_controls() -> None:
    controls = torch.tensor([[1.5, -3.0], [0.9, -1.0]])
    assert excess(controls).tolist() == pytest.approx([0.25 + 4.0, 0.0])


def test_imitation_loss_adds_error_and_cross_entropy() -> None:
    actions, wanted = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert imitation_loss(actions, wanted, None, None).item() == pytest.approx(2.5)
    logits, choice = torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([1])
    assert imitation_loss(actions, wanted, logits, choice).item() == pytest.approx(2.5 - math.log(0.75))
    empty = torch.zeros(1, 0)
    assert imitation_loss(empty, empty, logits, choice).item() == pytest.approx(-math.log(0.75))
