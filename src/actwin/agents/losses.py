"""Losses and targets as pure functions of tensors, small enough to be checked by hand."""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

HALF_LOG_TWO_PI: Final = 0.5 * math.log(2.0 * math.pi)


def discount(horizon: float, period: float) -> float:
    """Discount factor of one control step whose rewards fade over a horizon, gamma = 1 - period / horizon.

    Args:
        horizon: [s] Mean time over which future reward counts.
        period: [s] Control period.
    """
    return 1.0 - period / horizon


def generalised_advantages(
    rewards: Tensor,
    values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    final_values: Tensor,
    gamma: float,
    trace: float,
) -> Tensor:
    """Generalised advantage estimates, Schulman et al. 2016, equation 16.

    delta_t = r_t + gamma V(s_{t+1}) - V(s_t) and A_t = delta_t + gamma lambda A_{t+1}. An episode that terminated has
    no value after it; one that was cut off has the value of the state it was cut in, not of the one it was reset to.

    Args:
        rewards: float32[T, N].
        values: float32[T + 1, N], V of the observation before each step and after the last.
        terminated, truncated: bool[T, N], how the step ended its episode, if it did.
        final_values: float32[T, N], V of the pre-reset observation where truncated; not read elsewhere.
        gamma: Discount of one step.
        trace: lambda, 0 for one-step targets, 1 for full returns.

    Returns:
        float32[T, N]
    """
    ended = terminated | truncated
    after = torch.where(truncated, final_values, values[1:])
    after = torch.where(terminated, torch.zeros_like(after), after)
    deltas = rewards + gamma * after - values[:-1]
    carry = torch.where(ended, 0.0, gamma * trace).to(deltas.dtype)
    advantages = torch.empty_like(deltas)
    following = torch.zeros_like(deltas[0])
    for step in range(len(rewards) - 1, -1, -1):
        following = deltas[step] + carry[step] * following
        advantages[step] = following
    return advantages


def gaussian_log_prob(mean: Tensor, log_std: Tensor, value: Tensor) -> Tensor:
    """Log density of independent normals, summed over the last axis; log_std broadcasts."""
    scaled = (value - mean) * torch.exp(-log_std)
    return (-0.5 * scaled.square() - log_std - HALF_LOG_TWO_PI).sum(-1)


def squashed_log_prob(mean: Tensor, log_std: Tensor, raw: Tensor) -> Tensor:
    """Log density of tanh(raw) for raw drawn from independent normals, summed over the last axis.

    Haarnoja et al. 2018, appendix C, with log(1 - tanh² u) = 2 (log 2 - u - softplus(-2 u)), which does not cancel.
    """
    volume = 2.0 * (math.log(2.0) - raw - functional.softplus(-2.0 * raw))
    return gaussian_log_prob(mean, log_std, raw) - volume.sum(-1)


def quantile_regression(
    predictions: Tensor, targets: Tensor, fractions: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    """Quantile regression with a Huber loss, Dabney et al. 2018 (arXiv 1710.10044), equation 10.

    rho(u) = |tau - [u < 0]| L(u) / kappa for u = target - prediction, summed over predictions, averaged over targets.

    Args:
        predictions: float32[..., M].
        targets: float32[..., N].
        fractions: float32[M] or [..., M], tau of each prediction.
        threshold: kappa, the error from which the loss grows linearly. It should be well below the spread of the
            returns: at kappa = 1 the quantiles of a unit normal are fitted a fifth too narrow.

    Returns:
        The loss, float32[...], and its gradient by the predictions, float32[..., M]; both from the same passes over the
        errors, which cost more than anything else here.
    """
    errors = targets.unsqueeze(-2) - predictions.unsqueeze(-1)
    # L(u) = c (u - c / 2) and L'(u) = c with c = u clipped to kappa: one form for both branches.
    small = errors.clamp(-threshold, threshold)
    tau = fractions.unsqueeze(-1)
    slopes = torch.where(errors < 0.0, 1.0 - tau, tau).mul_(small)
    loss = errors.sub_(small, alpha=0.5).mul_(slopes).mean(-1).sum(-1)
    return loss / threshold, slopes.mean(-1).div_(-threshold)


class _QuantileHuber(torch.autograd.Function):
    """`quantile_regression` as one node."""

    @staticmethod
    def forward(ctx: Any, predictions: Tensor, targets: Tensor, fractions: Tensor, threshold: float) -> Tensor:
        loss, slopes = quantile_regression(predictions, targets, fractions, threshold)
        ctx.save_for_backward(slopes)
        return loss

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient.unsqueeze(-1) * ctx.saved_tensors[0], None, None, None


def quantile_huber(predictions: Tensor, targets: Tensor, fractions: Tensor, threshold: float) -> Tensor:
    """The loss of `quantile_regression`, float32[...], with its gradient; none flows into the targets."""
    loss: Tensor = _QuantileHuber.apply(predictions, targets, fractions, threshold)  # type: ignore[no-untyped-call]
    return loss


def midpoints(count: int) -> Tensor:
    """float32[count]: the fractions (2 i - 1) / (2 count) that quantile critics stand for."""
    return (torch.arange(count) + 0.5) / count


def gaussian_entropy(log_std: Tensor) -> Tensor:
    """Entropy of independent normals, summed over the last axis: sum of log sigma + (1 + log 2 pi) / 2."""
    return (log_std + 0.5 + HALF_LOG_TWO_PI).sum(-1)


def gaussian_divergence(mean: Tensor, log_std: Tensor, other_mean: Tensor, other_log_std: Tensor) -> Tensor:
    """Kullback-Leibler divergence KL(first || other) of independent normals, summed over the last axis."""
    ratio = torch.exp(2.0 * (log_std - other_log_std))
    distance = (mean - other_mean).square() * torch.exp(-2.0 * other_log_std)
    return (other_log_std - log_std + 0.5 * (ratio + distance - 1.0)).sum(-1)


def clipped_surrogate(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """PPO's policy loss, the negative of equation 7 in Schulman et al. 2017.

    Args:
        log_prob, old_log_prob: float32[B], of the taken actions, now and when they were taken.
        advantages: float32[B].
        clip: epsilon, how far the probability ratio may leave 1 before its gradient stops.
    """
    ratio = torch.exp(log_prob - old_log_prob)
    bounded = ratio.clamp(1.0 - clip, 1.0 + clip)
    return -torch.minimum(ratio * advantages, bounded * advantages).mean()


def excess(controls: Tensor) -> Tensor:
    """float32[B]: squared distance of controls float32[B, A] from [-1, 1]."""
    return (controls.abs() - 1.0).clamp_min(0.0).square().sum(-1)


def imitation_loss(actions: Tensor, wanted: Tensor, logits: Tensor | None, choice: Tensor | None) -> Tensor:
    """Behaviour cloning: mean squared error of the continuous actions plus cross-entropy of the discrete one.

    Args:
        actions, wanted: float32[B, A], what the policy does and what the demonstration did.
        logits: float32[B, K] of the discrete choice, None when there is none.
        choice: int64[B], the demonstrated choice.
    """
    loss = functional.mse_loss(actions, wanted) if actions.shape[-1] else actions.new_zeros(())
    if logits is not None and choice is not None:
        loss = loss + functional.cross_entropy(logits, choice)
    return loss
