"""Asking a loop to end, so that it can finish its turn and tidy up."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Final, Self

SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""SIGBREAK is what a program on Windows can send to one of its own."""


class Interruption:
    """Notes Ctrl-C, and requests to end the process, instead of raising in the middle of a turn.

    A second Ctrl-C raises as usual, for a loop that does not come to its end.

    ```
    with Interruption() as stop:
        while not stop.asked:
            ...
    ```

    Attributes:
        asked: Somebody wants the loop to end.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._before: dict[int, object] = {}
        self._depth = 0

    @property
    def asked(self) -> bool:
        """Whether the loop shall end."""
        return self._event.is_set()

    def ask(self) -> None:
        """Ends the loop, from any thread."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Waits, at most until somebody asks.

        Args:
            seconds: [s] To wait.

        Returns:
            Whether the loop shall end.
        """
        return self._event.wait(seconds)

    def __enter__(self) -> Self:
        """Begins to listen; only the main thread can. Inside itself it listens already."""
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.ask()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Signals mean again what they meant before."""
        self._depth -= 1
        if self._depth:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}
