"""How NamedTuples of scalars lie in blocks of cars: array of structures of arrays.

A block is one contiguous row of `fields × LANES` numbers, field after field, so that the same field of neighbouring
cars lies in one vector register. `loader` and `storer` make the functions that move one lane between a block and its
NamedTuple.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from actwin.jit import LANES, jit


@cache
def field_paths(schema: type) -> tuple[str, ...]:
    """Flat names of a NamedTuple's scalars, nested ones and tuple items joined by dots, in memory order."""
    paths: list[str] = []
    for name, hint in get_type_hints(schema).items():
        if hasattr(hint, "_fields"):
            paths += [f"{name}.{inner}" for inner in field_paths(hint)]
        elif items := get_args(hint):
            paths += [f"{name}.{index}" for index in range(len(items))]
        else:
            paths.append(name)
    return tuple(paths)


def width(schema: type) -> int:
    """Number of scalars in a NamedTuple."""
    return len(field_paths(schema))


def flatten(value: Any) -> list[float]:
    """The scalars of a NamedTuple in memory order."""
    if isinstance(value, tuple):
        return [scalar for item in value for scalar in flatten(item)]
    return [float(value)]


def loader(schema: type, stride: int = LANES) -> Any:
    """Makes `load(block, start) -> schema`, which reads field k at `start + k * stride`.

    With the default stride `start` is a lane of a block; with stride 1 it is the start of a record in a flat table.
    """
    names: dict[str, type] = {}
    text, _ = _load_text(schema, 0, stride, names)
    return _make(f"def load(block, start):\n    return {text}\n", "load", names)


def storer(schema: type) -> Any:
    """Makes `store(block, lane, value)`."""
    lines = [f"    block[{k * LANES} + lane] = value{_access(path)}\n" for k, path in enumerate(field_paths(schema))]
    return _make("def store(block, lane, value):\n" + "".join(lines), "store", {})


def block_column(schema: type, path: str) -> slice:
    """Where a field lies in a block row."""
    index = field_paths(schema).index(path)
    return slice(index * LANES, (index + 1) * LANES)


def empty_blocks(schema: type, blocks: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeroed storage of `blocks` blocks, shape [blocks, width × LANES]."""
    return np.zeros((blocks, width(schema) * LANES), dtype)


def _load_text(schema: type, first: int, stride: int, names: dict[str, type]) -> tuple[str, int]:
    names[schema.__name__] = schema
    parts = []
    for hint in get_type_hints(schema).values():
        if hasattr(hint, "_fields"):
            text, first = _load_text(hint, first, stride, names)
        elif items := get_args(hint):
            text = "(" + ", ".join(f"block[{(first + i) * stride} + start]" for i in range(len(items))) + ")"
            first += len(items)
        else:
            text = f"block[{first * stride} + start]"
            first += 1
        parts.append(text)
    return f"{schema.__name__}({', '.join(parts)})", first


def _access(path: str) -> str:
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))


def _make(source: str, name: str, names: dict[str, type]) -> Any:
    # The text is built from our own class definitions only; numba cannot build a NamedTuple from an array otherwise.
    namespace: dict[str, Any] = dict(names)
    exec(compile(source, f"<{name}>", "exec"), namespace)
    return jit(namespace[name])
