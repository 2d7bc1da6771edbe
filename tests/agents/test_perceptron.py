"""The quick networks against torch's own arithmetic."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from actwin.agents.networks import mlp
from actwin.agents.optimiser import Adam
from actwin.agents.perceptron import ACTIVATIONS, Perceptrons


def stacked(count: int, widths: list[int], norm: bool) -> list[list[nn.Parameter]]:
    generator = torch.Generator().manual_seed(0)
    layers = []
    for depth, (inputs, outputs) in enumerate(pairwise(widths)):
        shapes = [(count, inputs, outputs), (count, 1, outputs)]
        if norm and depth < len(widths) - 2:
            shapes += [(count, 1, outputs), (count, 1, outputs)]
        layers.append([nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes])
    return layers


def plainly(layers: list[list[nn.Parameter]], x: torch.Tensor) -> torch.Tensor:
    said = []
    for k in range(len(layers[0][0])):
        h = x
        for depth, (weight, bias, *norm) in enumerate(layers):
            h = h @ weight[k] + bias[k]
            if norm:
                h = nn.functional.layer_norm(h, h.shape[-1:], norm[0][k, 0], norm[1][k, 0])
            if depth < len(layers) - 1:
                h = h.relu()
        said.append(h)
    return torch.stack(said)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("count", [0, 1])
def test_outputs_and_every_gradient_are_those_of_autograd(norm, outputs, count):
    layers = stacked(3, [7, 16, 12, outputs], norm)
    copied = [[nn.Parameter(each.detach().clone()) for each in layer] for layer in layers]
    fixed, moving = torch.randn(20, 5), torch.randn(20, 2, requires_grad=True)
    network = Perceptrons(layers)
    quick = network(fixed, moving, count)
    plain = plainly(copied, torch.cat([fixed, moving], -1))[: count or 3]
    torch.testing.assert_close(quick, plain, rtol=1e-4, atol=1e-4)
    weights = torch.randn_like(plain)
    found = torch.autograd.grad((quick * weights).sum(), [network.values, moving])
    flat = [each for layer in copied for each in layer]
    *wanted, moved = torch.autograd.grad((plain * weights).sum(), [*flat, moving])
    torch.testing.assert_close(found[0], torch.cat([each.flatten() for each in wanted]), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found[1], moved, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_body_of_linear_layers(activation):
    body, x = mlp(6, (16, 16), 3, activation, 1.0), torch.randn(30, 6)
    plain, weights = body(x), torch.randn(30, 3)
    wanted = torch.autograd.grad((plain * weights).sum(), list(body.parameters()))
    network = Perceptrons.of(body, activation)
    quick = network(x)[0]
    torch.testing.assert_close(quick, plain)
    (quick * weights).sum().backward()
    torch.testing.assert_close(network.values.grad, torch.cat([each.flatten() for each in wanted]))
    assert torch.equal(body(x), plain)


def test_parameters_and_the_array_are_the_same_memory():
    body = mlp(3, (4,), 2, "relu", 1.0)
    network = Perceptrons.of(body, "relu", torch.bfloat16)
    x = torch.randn(5, 3)
    body.load_state_dict(mlp(3, (4,), 2, "relu", 1.0).state_dict())
    network.refresh()
    torch.testing.assert_close(network(x)[0], body(x), rtol=0.05, atol=0.05)
    with torch.no_grad():
        network.values.mul_(0.0)
    assert all(not parameter.any() for parameter in body.parameters())


def test_no_gradient_is_worked_out_that_nobody_wants():
    network = Perceptrons(stacked(2, [4, 8, 1], norm=True))
    action = torch.randn(5, 2, requires_grad=True)
    network(torch.randn(5, 2), action, learning=False).sum().backward()
    assert network.values.grad is None
    assert action.grad is not None
    assert not network(torch.randn(5, 2), torch.randn(5, 2), learning=False).requires_grad


def test_half_precision_is_that_of_hidden_layers_only():
    layers = stacked(2, [6, 32, 32, 1], norm=True)
    x = torch.randn(64, 6)
    single = plainly(layers, x)
    network = Perceptrons(layers, dtype=torch.bfloat16)
    half = network(x)
    assert half.dtype == torch.float32
    assert 0.0 < (half - single).abs().mean() < 0.02 * single.abs().mean()
    half.sum().backward()
    assert network.values.grad.dtype == torch.float32


@pytest.mark.parametrize("bound", [1e9, 0.5])
def test_steps_are_those_of_torchs_adam_with_clipped_gradients(bound):
    ours = [nn.Parameter(torch.randn(50)), nn.Parameter(torch.randn(3))]
    theirs = [nn.Parameter(each.detach().clone()) for each in ours]
    quick, known = Adam(ours, 1e-2), torch.optim.Adam(theirs, 1e-2)
    for _ in range(5):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        nn.utils.clip_grad_norm_(theirs, bound)
        known.step()
        quick.step(bound)
        quick.forget_gradients()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other)
    again = Adam([nn.Parameter(each.detach().clone()) for each in ours], 1e-2)
    again.load_state_dict(quick.state_dict())
    for optimiser in (quick, again):
        for each in optimiser.parameters:
            each.grad = torch.ones_like(each)
        optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(quick.parameters, again.parameters, strict=True))
