"""Gradients that updates write out against those that torch derives from the losses."""

import copy

import pytest
import torch

from actwin.agents.losses import midpoints, quantile_regression, squashed_log_prob
from actwin.agents.networks import ActionSpec
from actwin.agents.qr_sac import QRSAC, QRSACConfig
from actwin.agents.replay import Transitions
from actwin.agents.sac import SAC, SACConfig
from actwin.agents.td3 import TD3, TD3Config

COMMON = {"batch": 32, "hidden": (16, 16), "replay": 100}
AGENTS = {
    "sac": (SAC, SACConfig(**COMMON, temperature=0.1)),
    "qr_sac": (QRSAC, QRSACConfig(**COMMON, temperature=0.1, quantiles=8)),
    "td3": (TD3, TD3Config(**COMMON)),
}


def batch(seed: int = 0) -> Transitions:
    generator = torch.Generator().manual_seed(seed)
    seen, after = torch.randn(2, 32, 5, generator=generator)
    actions = 2.0 * torch.rand(32, 2, generator=generator) - 1.0
    return Transitions(seen, actions, torch.randn(32, generator=generator), after, torch.ones(32))


@pytest.mark.parametrize("cloned", [False, True])
@pytest.mark.parametrize("name", AGENTS)
def test_the_policys_gradient(name, cloned):
    kind, config = AGENTS[name]
    clone = kind(5, ActionSpec(2), 4, 0.1, config, 7).policy if cloned else None
    agent, rows = kind(5, ActionSpec(2), 4, 0.1, config, 0, clone), batch()
    policy, noise = agent.learner, torch.Generator()
    noise.set_state(agent.generator.get_state())
    body, spread = copy.deepcopy(policy.body), policy.spread.detach().clone().requires_grad_()
    out, (low, high) = body(rows.observations), policy.log_std_range
    mean = out[:, :2]
    if name == "td3":
        values = agent.critics(rows.observations, mean.tanh())[0].squeeze(-1)
        loss = -values.mean()
    else:
        log_std = low + (high - low) * torch.sigmoid(spread + out[:, 2:])
        raw = mean + log_std.exp() * torch.randn(32, 2, generator=noise)
        values = agent.critics(rows.observations, raw.tanh()).mean(-1).amin(0)
        loss = (agent.temperature * squashed_log_prob(mean, log_std, raw) - values).mean()
    if clone is not None:
        away = mean.tanh() - clone(rows.observations).mean.tanh().detach()
        loss = loss / values.detach().abs().mean().clamp_min(1e-3)
        loss = loss + agent.clone_weight() * away.square().sum(-1).mean()
    loss.backward()
    with torch.no_grad():
        agent._actor_step(rows)
    wanted = torch.cat([each.grad.flatten() for each in body.parameters()])
    torch.testing.assert_close(agent.actor.values.grad, wanted, rtol=1e-4, atol=1e-6)
    if name != "td3":
        torch.testing.assert_close(policy.spread.grad, spread.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", AGENTS)
def test_the_critics_gradient(name):
    kind, config = AGENTS[name]
    agent = kind(5, ActionSpec(2), 4, 0.1, config, 0)
    values = torch.randn(2, 32, 8 if name == "qr_sac" else 1, requires_grad=True)
    wanted = torch.randn(values.shape[1:])
    loss, gradient = agent._distance(values.detach(), wanted)
    if name == "qr_sac":
        errors = wanted[:, None, :] - values[..., None]
        huber = torch.nn.functional.huber_loss(errors, torch.zeros_like(errors), reduction="none", delta=0.2) / 0.2
        tau = midpoints(8)[:, None]
        plain = ((tau - (errors < 0.0).float()).abs() * huber).mean(-1).sum(-1).mean(-1).sum()
    else:
        plain = (0.5 if name == "sac" else 1.0) * (values - wanted).square().mean(dim=(1, 2)).sum()
    torch.testing.assert_close(loss, plain.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(plain, values)[0])


def test_the_slope_of_the_quantile_loss_by_hand():
    # u = -2 and 0.5 with kappa 1, tau 0.25: slopes 0.75 * 1 and 0.25 * -0.5, averaged over the two targets.
    loss, slope = quantile_regression(torch.zeros(1), torch.tensor([-2.0, 0.5]), torch.tensor([0.25]), 1.0)
    assert float(loss) == pytest.approx((1.125 + 0.03125) / 2)
    assert slope.tolist() == [pytest.approx((0.75 - 0.125) / 2)]
