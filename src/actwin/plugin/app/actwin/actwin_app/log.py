"""What the app tells the people: lines in the game's log and console."""

import time
import traceback

PAUSE = 5.0
"""[s] A failure that repeats is written once in this time."""
KEPT = 64
"""Kinds of failures that are told apart."""


class Log:
    """Writes to the game's log.

    Args:
        ac: The game's module.
        clock: Seconds; for tests.
    """

    def __init__(self, ac, clock=time.time):
        self._ac = ac
        self._clock = clock
        self._last = {}

    def say(self, text):
        """Write one line to the log and the console."""
        line = "actwin: " + text
        for name in ("log", "console"):
            write = getattr(self._ac, name, None)
            if write is not None:
                write(line)

    def now_and_then(self, kind, text):
        """Write a line unless one of the same kind was written a moment ago.

        Returns:
            Whether it was written.
        """
        now = self._clock()
        if now - self._last.get(kind, now - 2.0 * PAUSE) < PAUSE:
            return False
        if len(self._last) >= KEPT:
            self._last.clear()
        self._last[kind] = now
        self.say(text)
        return True

    def failure(self, where):
        """Write the exception being handled, once in a while."""
        self.now_and_then(where, where + " failed: " + traceback.format_exc(limit=6))
