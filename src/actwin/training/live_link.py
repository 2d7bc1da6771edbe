"""One end of a connection between a learner and a driver, behind which nobody waits for the other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from actwin.errors import SourceError
from actwin.training.live_wire import LARGEST, Message, unpack

LOOK: Final = 0.2
"""[s] Between looks whether the link was closed."""
FLUSH: Final = 2.0
"""[s] For what was posted to go out when a link is closed."""

Packed = Callable[[], bytes]
"""Makes the bytes of a message, in the thread that sends."""


class Link:
    """Sends and receives messages in threads of its own.

    Args:
        reader, writer: Connections to the other end, each in one direction.
        on_message: Called for each message, in the receiving thread; while it blocks, the other end's messages wait
            there.
        room: Messages given to `post` that may wait.

    Attributes:
        dropped: Messages that were given to `post` and left out, because others came before they could go.
        lost: Whether the other end is gone, or said something that makes no sense.
    """

    def __init__(
        self, reader: Connection, writer: Connection, on_message: Callable[[Message], None], room: int = 64
    ) -> None:
        self._reader, self._writer, self._on_message = reader, writer, on_message
        self._posted: deque[Packed] = deque()
        self._important: deque[Packed] = deque()
        self._latest: deque[Packed] = deque(maxlen=1)
        self._room = room
        self._wake, self._closed = threading.Event(), threading.Event()
        self.dropped, self.lost = 0, False
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def post(self, message: Packed) -> None:
        """Sends a message when there is time; when too many wait, the oldest is left out."""
        if len(self._posted) >= self._room:
            with contextlib.suppress(IndexError):  # the sending thread was quicker
                self._posted.popleft()
                self.dropped += 1
        self._posted.append(message)
        self._wake.set()

    def post_latest(self, message: Packed) -> None:
        """Sends a message in the place of an earlier one that has not gone yet."""
        self._latest.append(message)
        self._wake.set()

    def insist(self, message: Packed) -> None:
        """Sends a message before others, in any case."""
        self._important.append(message)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Messages that wait to be sent."""
        return len(self._latest) + len(self._important) + len(self._posted)

    def _next(self) -> Packed | None:
        # Weights go first: an order that follows may be about them.
        for queue in (self._latest, self._important, self._posted):
            with contextlib.suppress(IndexError):
                return queue.popleft()
        return None

    def _send(self) -> None:
        try:
            while not (self._closed.is_set() and not self.waiting):
                self._wake.wait(LOOK)
                self._wake.clear()
                while (message := self._next()) is not None:
                    self._writer.send_bytes(message())
        except (OSError, ValueError):
            self.lost = True

    def _receive(self) -> None:
        try:
            while not self._closed.is_set():
                if self._reader.poll(LOOK):
                    self._on_message(unpack(self._reader.recv_bytes(LARGEST)))
        except (EOFError, OSError, SourceError):
            self.lost = True

    def close(self, flush: float = FLUSH) -> None:
        """Sends what was posted, as far as that goes in some seconds, and lets go."""
        end = time.monotonic() + flush
        self._closed.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0.0) + LOOK)
        for connection in (self._reader, self._writer):
            connection.close()
