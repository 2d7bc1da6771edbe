"""Decodes the pages of one session sample by sample."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.ac.codec import Codec, RowDecoder
from actwin.telemetry.ac.frames import BLANK_FRAME, BLANK_GAME, boost_unit, frames_from_pages
from actwin.telemetry.ac.links import PAGES_SAMPLE
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, absent_fields, page, text
from actwin.telemetry.channels import FRAME, FRAME_WIDTH, GAME

_PHYSICS_SIZE: Final = PHYSICS.itemsize
_GRAPHICS_SIZE: Final = GRAPHICS.itemsize


class SampleDecoder:
    """`frames_from_pages` for one physics and one graphics page, to the same bits in a third of the time.

    A reader at 333 samples a second sleeps between them, and each call into numpy finds the processor's caches cold:
    there the number of calls decides what reading costs.

    Args:
        static: STATIC[1] of the session.
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer_angle`.
    """

    def __init__(self, static: npt.NDArray[Any], steer_lock: float = math.nan) -> None:
        self._static, self._lock = static, steer_lock
        self._old = bool(absent_fields(text(static["acVersion"][0])))
        share = 1.0 / boost_unit(float(static["maxTurboBoost"][0]))
        links = [link._replace(scale=share) if link.channel == "frame.boost" else link for link in PAGES_SAMPLE.links]
        if math.isfinite(steer_lock):
            steer = next(link for link in links if link.channel == "frame.steer")
            links.append(steer._replace(channel="frame.steer_angle", scale=steer.scale * steer_lock))
        blank = np.zeros(1, PAGES_SAMPLE.record)
        blank["frame"], blank["game"] = BLANK_FRAME, BLANK_GAME
        self._row = RowDecoder(Codec(PAGES_SAMPLE.raw, PAGES_SAMPLE.record, links), blank)

    def decode(self, physics: bytes, graphics: bytes) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """What the pages say.

        Args:
            physics, graphics: Bytes of the pages, of any length that is in use.

        Returns:
            FRAME[1] and GAME[1].

        Raises:
            SourceError: Too few or too many bytes.
        """
        if self._old or len(physics) != _PHYSICS_SIZE or len(graphics) != _GRAPHICS_SIZE:
            return frames_from_pages(page(physics, PHYSICS), page(graphics, GRAPHICS), self._static, self._lock)
        row = self._row
        row.raw[:_PHYSICS_SIZE] = physics
        row.raw[_PHYSICS_SIZE:] = graphics
        with np.errstate(over="ignore", invalid="ignore"):
            row.decode()
        return row.cells[:FRAME_WIDTH].copy().view(FRAME), row.cells[FRAME_WIDTH:].copy().view(GAME)
