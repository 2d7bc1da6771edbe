"""Messages between a learner and those who drive for it: names and numbers as JSON, arrays as their bytes.

Nothing in a message can be executed, sizes are bounded, and what does not fit exactly is refused. So the same bytes may
go through a pipe between two processes or, later, over a network.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError

LARGEST: Final = 256 << 20
"""[B] Of a message."""
LARGEST_HEADER: Final = 1 << 20
"""[B]"""
TYPES: Final = frozenset({"<f4", "<f8", "<i4", "<i8", "|i1", "|u1", "|b1"})
"""What arrays may hold."""
_LENGTH: Final = struct.Struct("<I")

Array = npt.NDArray[Any]


class Message(NamedTuple):
    """One message."""

    kind: str
    facts: dict[str, Any]
    """What JSON can say."""
    arrays: dict[str, Array]


def pack(kind: str, facts: Mapping[str, Any] | None = None, arrays: Mapping[str, Array] | None = None) -> bytes:
    """The bytes of a message.

    Args:
        kind: What it is.
        facts: What JSON can say; numbers that are not finite are allowed.
        arrays: Of the types in `TYPES`.

    Raises:
        SourceError: An array of another type.
    """
    parts = {name: np.asarray(array, order="C") for name, array in (arrays or {}).items()}
    if strange := {array.dtype.str for array in parts.values()} - TYPES:
        raise SourceError(f"A message cannot hold arrays of {', '.join(sorted(strange))}.")
    table = [[name, array.dtype.str, list(array.shape)] for name, array in parts.items()]
    header = json.dumps({"kind": kind, "facts": dict(facts or {}), "arrays": table}).encode()
    return b"".join([_LENGTH.pack(len(header)), header, *(array.tobytes() for array in parts.values())])


def unpack(data: bytes) -> Message:
    """The message behind bytes; its arrays may be written to.

    Raises:
        SourceError: They are not exactly one message.
    """
    try:
        return _unpack(data)
    except (ValueError, TypeError, KeyError, struct.error, RecursionError) as error:
        raise SourceError(f"A message of {len(data)} bytes makes no sense ({error}). Both sides must run the same "
                          "version of actwin.") from error  # fmt: skip


def _unpack(data: bytes) -> Message:
    (length,) = _LENGTH.unpack_from(data)
    if length > min(LARGEST_HEADER, len(data) - _LENGTH.size):
        raise ValueError("its header is too long")
    at = _LENGTH.size + length
    header = json.loads(data[_LENGTH.size : at])
    arrays: dict[str, Array] = {}
    for name, kind, shape in header["arrays"]:
        if kind not in TYPES or not all(isinstance(size, int) and 0 <= size <= LARGEST for size in shape):
            raise ValueError(f"array {name!r} is of no known type or shape")
        count = math.prod(shape)
        size = count * np.dtype(kind).itemsize
        if size > len(data) - at:
            raise ValueError(f"array {name!r} is cut off")
        arrays[str(name)] = np.frombuffer(data, kind, count, at).reshape(shape).copy()
        at += size
    if at != len(data) or not isinstance(header["facts"], dict):
        raise ValueError("it has another length than it says")
    return Message(str(header["kind"]), header["facts"], arrays)
