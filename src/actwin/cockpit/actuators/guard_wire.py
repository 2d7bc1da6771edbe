"""The messages between a driver and the process that holds its actuator."""

from __future__ import annotations

import socket
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.channels import CONTROLS

SEND, RESET, CLOSE, BEAT = 1, 2, 3, 4
"""Kinds of requests; a beat only says that the driver is alive, and has no reply."""
UNKNOWN_GEAR: Final = -100
REQUEST: Final = np.dtype([("kind", "<i4"), ("gear", "<i4"), ("controls", CONTROLS), ("pose", "<f8", (4,))])
"""`pose` is NaN where the game chooses the place."""
REPLY: Final = np.dtype([("done", "<i4"), ("controls", CONTROLS)])
TOKEN: Final = 32
"""[B] Secret by which the driver knows its process."""
HELLO: Final = np.dtype([("token", "u1", (TOKEN,)), ("kind", "<i4"), ("length", "<i4")])
"""Followed by `length` bytes of text: the actuator's name, or why it cannot be opened."""
READY, REFUSED, MISSING = 0, 1, 2
LONGEST: Final = 4000
"""[B] Of the text."""


def receive(connection: socket.socket, layout: np.dtype[Any]) -> npt.NDArray[Any] | None:
    """One record; None when the other side has closed.

    Args:
        connection: With a timeout.
        layout: Of the record.

    Raises:
        TimeoutError: Nothing, or not all of it, came in time.
    """
    data = receive_bytes(connection, layout.itemsize)
    return None if data is None else np.frombuffer(data, layout, 1).copy()


def receive_bytes(connection: socket.socket, size: int) -> bytes | None:
    """So many bytes; None when the other side has closed."""
    data = bytearray()
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except TimeoutError:
            raise
        except OSError:
            return None
        if not part:
            return None
        data += part
    return bytes(data)


def lost(name: str) -> SourceError:
    """The error of a driver whose process is gone."""
    return SourceError(
        f"The process that holds the controls ({name}) does not answer. The car was left neutral; begin anew."
    )
