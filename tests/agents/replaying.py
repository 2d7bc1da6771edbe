"""A stand-in for CUDA graphs: operations are recorded with the memory that they used, and done again there."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS_A_NUMBER = ("aten::item", "aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::masked_select")


class NotRecordableError(Exception):
    """What a graph cannot hold."""


class Recording(TorchDispatchMode):
    """Operations on tensors, as they are done."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple, dict, Any]] = []
        self._before: list[tuple[torch.Tensor, torch.Tensor]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func._schema.name
        if name in READS_A_NUMBER:
            raise NotRecordableError(f"{name} waits for the device")
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise NotRecordableError(f"{name} draws from a generator")
        given = dict(zip((each.name for each in func._schema.arguments), args, strict=False)) | kwargs
        for argument in func._schema.arguments:
            if argument.alias_info is not None and argument.alias_info.is_write:
                written = [each for each in tree_leaves(given.get(argument.name)) if isinstance(each, torch.Tensor)]
                self._before += [(each, each.clone()) for each in written]
        result = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, result))
        return result

    def undo(self) -> None:
        """Puts back what was written over: recording computes nothing."""
        for tensor, before in reversed(self._before):
            tensor.copy_(before)
        self._before.clear()

    @torch.no_grad()
    def replay(self) -> None:
        """Does it all again; results go where they went before."""
        for func, args, kwargs, result in self.operations:
            pairs = zip(tree_leaves(func(*args, **kwargs)), tree_leaves(result), strict=True)
            for new, old in pairs:
                if isinstance(old, torch.Tensor) and _memory(new) != _memory(old):
                    old.copy_(new)


class HostRecorder:
    """`actwin.agents.cuda_graph.Recorder` without a graphics card."""

    def __init__(self) -> None:
        self.warmed, self.recorded, self.replayed = 0, 0, 0

    def warm(self, function):
        self.warmed += 1
        return function()

    def record(self, function):
        self.recorded += 1
        with Recording() as recording:
            result = function()
        with torch.no_grad():
            recording.undo()

        def replay() -> None:
            self.replayed += 1
            recording.replay()

        return replay, result


def _memory(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
