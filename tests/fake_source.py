"""A source of telemetry that a test drives."""

from __future__ import annotations

import numpy as np

from actwin.errors import SourceError
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.channels import FRAME, GAME


class FakeSource:
    """Gives samples of a car at 50 m/s, one each read, until it is told to die; a failed connection shuts it.

    Args:
        answers: Whether anybody is there.
        samples: How many there are; None never ends.
    """

    name = "fake"

    def __init__(self, answers: bool = True, samples: int | None = None) -> None:
        self.answers, self.samples, self.given, self.connects, self.closed = answers, samples, 0, 0, False
        self.now, self.shut = 0.0, False

    def connect(self, timeout: float = 2.0) -> GameInfo:
        self.connects += 1
        self.shut = not self.answers
        if self.shut:
            raise SourceError("Nobody is there. Start the game.")
        return GameInfo("fake", car="ks_mazda_miata", track="oval")

    def read(self, timeout: float = 0.1) -> Sample | None:
        if self.shut:
            raise SourceError("The source is not open.")
        if self.samples is not None and self.given >= self.samples:
            return None
        self.given += 1
        self.now += 0.003
        frame, game = np.zeros(1, FRAME), np.zeros(1, GAME)
        frame["packet_id"], frame["speed"], frame["fuel"], game["surface_grip"] = self.given, 50.0, np.nan, 0.97
        return Sample(self.now, frame, game)

    def health(self) -> Health:
        dead = self.samples is not None and self.given >= self.samples
        return Health("dead" if dead else "live", 333.0, 0, 0.0)

    def close(self) -> None:
        self.closed = True
