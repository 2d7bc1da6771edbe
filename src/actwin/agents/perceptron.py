"""Perceptrons that learn quickly: weights in one array, a whole network one node of the graph of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

_aten = torch.ops.aten
EPSILON: Final = 1e-5
"""Of the layer normalisation."""


class Layer(NamedTuple):
    """One layer of K perceptrons; `gain` and `shift` where its outputs are normalised."""

    weight: Tensor
    """[K, inputs, outputs], or turned."""
    bias: Tensor
    """[K, 1, outputs]"""
    gain: Tensor | None = None
    """[K, 1, outputs]"""
    shift: Tensor | None = None

    def first(self, count: int) -> Layer:
        """Of the first perceptrons only."""
        return Layer(*(None if each is None else each[:count] for each in self))  # type: ignore[arg-type]


class Perceptrons:
    """K perceptrons of equal shape that are computed and differentiated as one.

    A network of this size spends half of an update beside its matrix products: on nodes of the graph, on conversions,
    on one small tensor after the other. Here the parameters of all layers lie in one array, `values`, which an
    optimiser steps, clips and averages in single calls, and the whole network is one node.

    Hidden layers are computed in `dtype`, the last one in single precision: a value of five that is known to two digits
    would teach nothing. Whoever changes parameters calls `refresh` then.

    Args:
        parameters: Weight and bias, and gain and shift if its outputs are normalised, of each layer. They become views
            of `values`: what is written to either is in both.
        shapes: In which they are computed, where they are stored as another view of the same elements.
        turned: Whether weights are stored as [K, outputs, inputs].
        activation: Of the hidden layers.
        dtype: Of the hidden layers.
    """

    def __init__(
        self,
        parameters: Sequence[Sequence[nn.Parameter]],
        turned: bool = False,
        activation: str = "relu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.turned, self.dtype = turned, dtype
        self._activate, self._slope = ACTIVATIONS[activation]
        flat = [each for layer in parameters for each in layer]
        self.values = nn.Parameter(torch.cat([each.detach().reshape(-1) for each in flat]))
        """float32[P]"""
        self._shapes = [[_stacked(each) for each in layer] for layer in parameters]
        self._hidden = sum(each.numel() for layer in parameters[:-1] for each in layer)
        single = self.values.detach()
        views = (each for layer in self._views(single, single) for each in layer if each is not None)
        for parameter, view in zip(flat, views, strict=True):
            parameter.data = view.view(parameter.shape)
        self._low = single[: self._hidden].to(dtype)
        self.layers = self._views(self._low, single)
        # Gradients have one place for good: memory that was just used is near.
        self._slopes = torch.zeros_like(single)
        self._low_slopes = self._slopes[: self._hidden].to(dtype)
        self._found = self._views(self._low_slopes, self._slopes)

    @classmethod
    def of(cls, body: nn.Sequential, activation: str, dtype: torch.dtype = torch.float32) -> Perceptrons:
        """One perceptron of linear layers with activations between them."""
        linear = [each for each in body if isinstance(each, nn.Linear)]
        return cls([list(each.parameters()) for each in linear], turned=True, activation=activation, dtype=dtype)

    def _views(self, low: Tensor, single: Tensor) -> list[Layer]:
        """The layers: the hidden ones as views of one array, the last of another in which all have their place."""
        result, begin = [], 0
        for shapes in self._shapes:
            source, parts = low if begin < self._hidden else single, []
            for shape in shapes:
                parts.append(source[begin : begin + shape.numel()].view(shape))
                begin += shape.numel()
            result.append(Layer(*parts))
        return result

    @torch.no_grad()
    def refresh(self) -> None:
        """Takes parameters that were changed into what is computed with."""
        if self.dtype != torch.float32:
            self._low.copy_(self.values[: self._hidden])

    @torch.no_grad()
    def follow(self, source: Perceptrons, share: float) -> None:
        """Moves towards other parameters, values += share (source - values)."""
        self.values.lerp_(source.values, share)
        self.refresh()

    def __call__(self, fixed: Tensor, moving: Tensor | None = None, count: int = 0, learning: bool = True) -> Tensor:
        """What the perceptrons say.

        Args:
            fixed: float32[B, I]: inputs that need no gradient.
            moving: float32[B, J]: further inputs that may need one.
            count: Only so many of the K are asked; 0 is all.
            learning: Whether the parameters need a gradient.

        Returns:
            float32[K, B, outputs]
        """
        values = self.values if learning else self.values.detach()
        result: Tensor = _Node.apply(fixed, moving, values, self, count)  # type: ignore[no-untyped-call]
        return result

    @torch.no_grad()
    def forward(self, x: Tensor, count: int = 0) -> tuple[Tensor, list[Kept]]:
        """float32[K, B, outputs] for float32[B, inputs], and what `backward` needs of each layer.

        With these two an update whose gradients are known in closed form needs no graph.
        """
        layers = [layer.first(count) for layer in self.layers] if count else self.layers
        x = x.to(self.dtype).expand(len(layers[0].weight), -1, -1)
        kept: list[Kept] = []
        for layer in layers[:-1]:
            before, x = x, torch.baddbmm(layer.bias, x, self._weight(layer))
            norms: list[tuple[Tensor, ...]] = []
            if layer.gain is not None and layer.shift is not None:
                width = [x.shape[-1]]
                norms = [
                    (z, *_aten.native_layer_norm(z, width, gain[0], shift[0], EPSILON))
                    for z, gain, shift in zip(x, layer.gain, layer.shift, strict=True)
                ]
                x = torch.stack([each[1] for each in norms])
            x, remembered = self._activate(x)
            kept.append(Kept(layer, before, remembered, norms))
        last, x = layers[-1], x.float()
        kept.append(Kept(last, x, x, []))
        if last.bias.shape[-1] == 1:
            # A product with a single column is slower than multiplying and adding up.
            return (x * self._weight(last).mT).sum(-1, keepdim=True).add_(last.bias), kept
        return torch.baddbmm(last.bias, x, self._weight(last)), kept

    @torch.no_grad()
    def backward(
        self, kept: list[Kept], gradient: Tensor, learning: bool = True, moving: int = 0
    ) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of the last inputs, float32[B, moving], and of `values`; of each only if it is wanted.

        Args:
            kept: Of `forward`.
            gradient: float32[K, B, outputs] Of the outputs.
            learning: Whether `values` wants one.
            moving: How many of the last inputs want one.

        Returns:
            Of the last inputs, and of `values`; the second is written over by the next call.
        """
        if learning and len(kept[0].layer.bias) < len(self.layers[0].bias):
            # Perceptrons that were not asked have no gradient.
            self._slopes.zero_()
            self._low_slopes.zero_()
        for depth in range(len(kept) - 1, -1, -1):
            layer, before, after, norms = kept[depth]
            into = self._found[depth].first(len(layer.bias)) if learning else None
            if depth < len(kept) - 1:
                gradient = self._slope(gradient, after)
                gradient = self._through_norm(layer, gradient, norms, into)
            if into is not None:
                self._weigh(before, gradient, into)
            if depth:
                weight = self._weight(layer).mT
                single = layer.bias.shape[-1] == 1
                gradient = (gradient * weight if single else torch.bmm(gradient, weight)).to(self.dtype)
        moved = None
        if moving:
            weight = self._weight(kept[0].layer)[:, -moving:].mT
            moved = torch.bmm(gradient, weight).float().sum(0)
        if learning and self.dtype != torch.float32:
            self._slopes[: self._hidden] = self._low_slopes
        return moved, self._slopes if learning else None

    def _weight(self, layer: Layer) -> Tensor:
        """[K, inputs, outputs]"""
        return layer.weight.mT if self.turned else layer.weight

    def _weigh(self, before: Tensor, gradient: Tensor, into: Layer) -> None:
        """Gradients of weights and biases."""
        torch.sum(gradient, 1, keepdim=True, out=into.bias)
        if gradient.shape[-1] == 1:
            into.weight.copy_((before * gradient).sum(1).view(into.weight.shape))
        elif self.turned:
            torch.bmm(gradient.mT, before, out=into.weight)
        else:
            torch.bmm(before.mT, gradient, out=into.weight)

    def _through_norm(
        self, layer: Layer, gradient: Tensor, norms: list[tuple[Tensor, ...]], into: Layer | None
    ) -> Tensor:
        """The gradient before a layer normalisation."""
        if not norms:
            return gradient
        assert layer.gain is not None
        assert layer.shift is not None
        result, wanted = torch.empty_like(gradient), [True, into is not None, into is not None]
        for k, (z, _, mean, scale) in enumerate(norms):
            result[k], gain, shift = _aten.native_layer_norm_backward(
                gradient[k], z, [z.shape[-1]], mean, scale, layer.gain[k, 0], layer.shift[k, 0], wanted
            )
            if into is not None and into.gain is not None and into.shift is not None:
                into.gain[k, 0], into.shift[k, 0] = gain, shift
        return result


class Kept(NamedTuple):
    """What the gradient needs of one layer."""

    layer: Layer
    before: Tensor
    after: Tensor
    norms: list[tuple[Tensor, ...]]


class _Node(torch.autograd.Function):
    """The network as one node."""

    @staticmethod
    def forward(
        ctx: Any, fixed: Tensor, moving: Tensor | None, values: Tensor, network: Perceptrons, count: int
    ) -> Tensor:
        result, ctx.kept = network.forward(fixed if moving is None else torch.cat([fixed, moving], -1), count)
        ctx.network, ctx.moving = network, 0 if moving is None else moving.shape[-1]
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        _, moving, learning, *_ = ctx.needs_input_grad
        moved, found = ctx.network.backward(ctx.kept, gradient, learning, ctx.moving if moving else 0)
        return None, moved, None if found is None else found.clone(), None, None


def _in_place(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """An activation whose derivative follows from its output."""

    def apply(x: Tensor) -> tuple[Tensor, Tensor]:
        x = function(x)
        return x, x

    return apply


def _relu_slope(gradient: Tensor, output: Tensor) -> Tensor:
    return _aten.threshold_backward.grad_input(gradient, output, 0.0, grad_input=gradient)  # type: ignore[no-any-return]


def _tanh_slope(gradient: Tensor, output: Tensor) -> Tensor:
    return _aten.tanh_backward(gradient, output)  # type: ignore[no-any-return]


def _elu_slope(gradient: Tensor, output: Tensor) -> Tensor:
    return _aten.elu_backward(gradient, 1.0, 1.0, 1.0, True, output)  # type: ignore[no-any-return]


_Activation = Callable[[Tensor], tuple[Tensor, Tensor]]
_Slope = Callable[[Tensor, Tensor], Tensor]
ACTIVATIONS: Final[dict[str, tuple[_Activation, _Slope]]] = {
    "relu": (_in_place(torch.relu_), _relu_slope),
    "tanh": (_in_place(torch.tanh_), _tanh_slope),
    "elu": (_in_place(nn.functional.elu_), _elu_slope),
    "silu": (lambda x: (nn.functional.silu(x), x), _aten.silu_backward),
}
"""Activations, giving their output and what the derivative needs; and the derivatives, of gradient and that.

A gradient that is handed over may be written over."""


def _stacked(parameter: Tensor) -> torch.Size:
    """The shape with a perceptron's number first: of a weight [1, outputs, inputs], of a bias [1, 1, outputs]."""
    shape = parameter.shape
    return shape if len(shape) == 3 else torch.Size([1] * (3 - len(shape)) + list(shape))
