"""Updates on a graphics card: what they need from the host, and all of their kernels launched with one call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from actwin.agents.replay import Transitions

WARM_UP: Final = 3
"""Updates of a kind that run as they are before one is recorded: libraries take their workspaces in the first ones."""

Result = TypeVar("Result")


class Recorder(Protocol):
    """Records what a function launches."""

    def warm(self, function: Callable[[], Result]) -> Result:
        """Runs it where `record` will record it."""
        ...

    def record(self, function: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """Calls it without computing anything; returns what launches its kernels, and its tensors, filled then."""
        ...


class CudaRecorder:
    """CUDA graphs, which need neither a compiler nor Triton and so exist on Windows, too."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def warm(self, function: Callable[[], Result]) -> Result:
        """Runs it on the stream of the recordings."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            result = function()
        torch.cuda.current_stream().wait_stream(self._stream)
        return result

    def record(self, function: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """Records it; see `Recorder`."""
        graph = torch.cuda.CUDAGraph()
        # Other threads may allocate meanwhile, where cars in games are learned from.
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            result = function()
        return graph.replay, result


class _Shown(NamedTuple):
    """What an update tells."""

    names: list[str]
    values: Tensor
    """float32[names]"""


class _Delivery:
    """Tensors that come from the host, always to the same place on the device, in one transfer.

    Args:
        make: Makes them on the host, float32.
        device: Where to.
    """

    def __init__(self, make: Callable[[], Sequence[Tensor]], device: torch.device) -> None:
        self._make, made = make, make()
        sizes = [each.numel() for each in made]
        self._host = torch.empty(sum(sizes), pin_memory=device.type == "cuda")
        self._there = torch.empty(sum(sizes), device=device)
        flat = torch.split(self._there, sizes)
        self.parts = [part.view(each.shape) for part, each in zip(flat, made, strict=True)]
        self._carry(made)

    def renew(self, make: Callable[[], Sequence[Tensor]] | None = None) -> None:
        """Makes them again, in the way given or else as the last time."""
        self._make = make or self._make
        self._carry(self._make())

    def _carry(self, made: Sequence[Tensor]) -> None:
        # The transfer before this one is over: what its update told has been read.
        torch.cat([each.reshape(-1) for each in made], out=self._host)
        self._there.copy_(self._host, non_blocking=True)


@dataclass
class _Kind:
    """Updates that launch the same kernels."""

    deliveries: list[_Delivery] = field(default_factory=list)
    runs: int = 0
    replay: Callable[[], None] | None = None
    shown: _Shown | None = None


class Updates:
    """Runs the updates of an agent on its device.

    On the host an update is a plain call. On a graphics card the small networks of an agent wait for the launches of
    some hundred kernels, so that an update may be recorded and replayed. It must then be the same every time: whatever
    differs from one update to the next comes in through `bring`, and nothing in it looks at a number. Random numbers
    are drawn on the host, in the same order as there, so that a run's generator means the same on every device.

    Args:
        device: Where tensors are computed.
        recorder: Replays updates; None runs each as it is.
    """

    def __init__(self, device: torch.device, recorder: Recorder | None = None) -> None:
        self.device, self._recorder = device, recorder
        self._at_home = device.type == "cpu" and recorder is None
        self._kinds: dict[Hashable, _Kind] = {}
        self._kind, self._next, self._recording = _Kind(), 0, False

    def bring(self, make: Callable[[], Tensor]) -> Tensor:
        """A tensor that differs from update to update, on the device.

        Args:
            make: Makes it on the host, float32; called once an update, in the order in which the update asks. A
                replayed update asks no more, so this may refer to the agent and to shapes, but to no tensor of it.
        """
        return make() if self._at_home else self._brought(lambda: (make(),))[0]

    def bring_batch(self, draw: Callable[[], Transitions]) -> Transitions:
        """The same for a batch, in one transfer."""
        return draw() if self._at_home else Transitions(*self._brought(draw))

    def _brought(self, make: Callable[[], Sequence[Tensor]]) -> Sequence[Tensor]:
        deliveries = self._kind.deliveries
        if self._next == len(deliveries):
            assert not self._recording, "an update asks for more than those before it"
            deliveries.append(_Delivery(make, self.device))
        elif not self._recording:
            deliveries[self._next].renew(make)
        self._next += 1
        return deliveries[self._next - 1].parts

    def run(self, kind: Hashable, update: Callable[[], dict[str, Tensor]]) -> dict[str, float]:
        """One update.

        Args:
            kind: Updates of the same kind launch the same kernels.
            update: Computes it and returns what to tell of it, scalars.
        """

        def told() -> _Shown:
            self._next = 0
            shown = update()
            return _Shown(list(shown), torch.stack(list(shown.values())))

        if self._at_home:
            return _read(told())
        known = self._kind = self._kinds.setdefault(kind, _Kind())
        if self._recorder is None:
            return _read(told())
        if known.replay is None and known.runs < WARM_UP:
            known.runs += 1
            return _read(self._recorder.warm(told))
        if known.replay is None:
            self._recording = True
            try:
                known.replay, known.shown = self._recorder.record(told)
            finally:
                self._recording = False
        assert known.shown is not None
        for delivery in known.deliveries:
            delivery.renew()
        known.replay()
        return _read(known.shown)

    def forget(self) -> None:
        """To be said when networks were replaced by others: nothing that was recorded is replayed any more."""
        self._kinds.clear()


def updates_on(device: torch.device, graphs: bool) -> Updates:
    """Runs updates on a device; as CUDA graphs if that is wanted and there are such things."""
    return Updates(device, CudaRecorder() if graphs and device.type == "cuda" else None)


def _read(shown: _Shown) -> dict[str, float]:
    """The one moment of an update that waits for the device."""
    return dict(zip(shown.names, shown.values.tolist(), strict=True))
