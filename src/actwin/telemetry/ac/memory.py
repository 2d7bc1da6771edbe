"""Telemetry from Assetto Corsa's shared memory."""

from __future__ import annotations

import math
import struct
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import numpy as np

from actwin.errors import SourceError
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.page_writer import PageWriter as PageWriter
from actwin.telemetry.ac.pages import (
    GRAPHICS,
    GRAPHICS_NAME,
    PHYSICS,
    PHYSICS_NAME,
    PHYSICS_STEP,
    STATIC,
    STATIC_NAME,
    Status,
    page,
    static_page,
    text,
    version_of,
)
from actwin.telemetry.ac.picture_delay import PictureDelay, Velocity
from actwin.telemetry.ac.sample_decoder import SampleDecoder
from actwin.telemetry.ac.session_page import info_from_static
from actwin.telemetry.ac.source import GameInfo, Health, Sample

POLL: Final = 0.0005
"""[s] Between two looks at a page that did not change."""
QUIET: Final = 0.8 * PHYSICS_STEP
"""[s] After a sample, in which no other can come."""
PAUSED_AFTER, DEAD_AFTER = 0.05, 1.0
"""[s] Without a physics step; Content Manager judges by the same times."""
ATTEMPTS: Final = 16
"""Copies of a page before giving up to see the same bytes twice."""
LOOK_AGAIN: Final = 0.25
"""[s] Without news, between looks whether the files were replaced by those of another run."""
_VELOCITY: Final = struct.Struct("<3f")
_VELOCITY_AT: Final = 32
"""[B] Offset of `velocity` in the physics page."""


class SharedMemorySource:
    """The game's shared memory, or an emulator's; a `Source`.

    A page counts as read when two copies in a row are equal, so that one that is being written is not taken. Only a
    physics page with another `packetId` is a new sample: the game may stop, or vanish, and leave the pages as they are.
    There is no lock, so one case is left: a writer whom the system stops in the middle of a page while two copies are
    made. Our own writes `packetId` last; under the old number, a reader who sees every step takes no such page.

    Args:
        folder: Where the pages are files; None is the platform's own place.
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer_angle`.
        align: Whether position and lap time, which the game refreshes only with each picture, are carried on to the
            physics step of the sample. See `PictureDelay`.

    Attributes:
        folder: As given.
        info: The session, refreshed when the game starts another one.
        torn: Copies that had to be made again.
    """

    name = "memory"

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        steer_lock: float = math.nan,
        align: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.steer_lock, self.torn = steer_lock, 0
        self.info = GameInfo(source=self.name)
        self.folder, self._align, self._clock, self._sleep = folder, align, clock, sleep
        self._pages: dict[str, Mapping] = {}
        self._decoder = SampleDecoder(np.zeros(1, STATIC))
        self._delay = PictureDelay()
        self._reset()

    def connect(self, timeout: float = 2.0) -> GameInfo:
        """Finds the pages and waits until they move, or say that the game is paused.

        Args:
            timeout: [s] To wait for that.

        Raises:
            SourceError: No pages, pages that stand still, or those of another game.
        """
        self.close()
        self._reset()
        deadline = self._clock() + timeout
        while True:
            problem = self._attach()
            if problem is None:
                return self.info
            if self._clock() >= deadline:
                self.close()
                raise problem
            self._sleep(min(0.02, max(POLL, timeout / 20)))

    def read(self, timeout: float = 0.1) -> Sample | None:
        """The newest sample, as soon as there is one that was not read before.

        Args:
            timeout: [s] To wait for one.

        Raises:
            SourceError: Not connected.
        """
        if not self._pages:
            raise SourceError("The shared memory is not open. Call connect() first.")
        deadline = self._clock() + timeout
        while True:
            sample = self._new_sample()
            now = self._clock()
            if sample is not None or now >= deadline:
                return sample
            if now - max(self._last_time, self._last_look) > LOOK_AGAIN:
                self._look_again(now)
            quiet = self._last_time + QUIET - now
            self._sleep(min(max(POLL, quiet), max(0.0, deadline - now)))

    def health(self) -> Health:
        """How fresh the samples are; `dropped` counts physics steps that passed unread."""
        now = self._clock()
        age = now - self._last_time if self._times else math.inf
        if age <= PAUSED_AFTER and self._status == Status.LIVE:
            return Health("live", self._rate(now), self._dropped, age)
        paused = bool(self._pages) and (age <= DEAD_AFTER or self._status == Status.PAUSE)
        return Health("paused" if paused else "dead", self._rate(now), self._dropped, age)

    def close(self) -> None:
        """Lets the pages go."""
        for mapping in self._pages.values():
            mapping.close()
        self._pages = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reset(self) -> None:
        self._packet: int | None = None
        self._first_packet: int | None = None
        self._status = int(Status.OFF)
        self._times: deque[float] = deque(maxlen=512)
        self._last_time = self._last_look = -math.inf
        self._dropped = self._since_static = 0
        self._static_bytes = b""
        self._velocity: Velocity = (0.0, 0.0, 0.0)

    def _attach(self) -> SourceError | None:
        """Opens what is not open; None when the game is there."""
        try:
            if not self._pages or any(mapping.replaced() for mapping in self._pages.values()):
                self._open()
            physics = page(self._stable(PHYSICS_NAME), PHYSICS)
            graphics = page(self._stable(GRAPHICS_NAME), GRAPHICS)
            self._read_static()
        except SourceError as error:
            return error
        packet, status = int(physics["packetId"][0]), int(graphics["status"][0])
        if self._first_packet is None:
            self._first_packet = packet
        if not self.info.car or (packet == self._first_packet and status not in (Status.PAUSE, Status.REPLAY)):
            return SourceError(
                "Assetto Corsa's shared memory is there, but stands still: no session is running, or the game is gone. "
                "Start a session in the game, or run `actwin serve` to emulate one."
            )
        self._status = status
        return None

    def _open(self) -> None:
        self.close()
        opened: dict[str, Mapping] = {}
        try:
            for name, layout in ((PHYSICS_NAME, PHYSICS), (GRAPHICS_NAME, GRAPHICS), (STATIC_NAME, STATIC)):
                opened[name] = Mapping.open(name, layout.itemsize, self.folder)
        except SourceError as error:
            for mapping in opened.values():
                mapping.close()
            raise SourceError(
                "No Assetto Corsa shared memory found. Start a session in the game, or run `actwin serve` to emulate "
                "one. With the game under Proton, see docs/assetto_corsa.md for the bridge."
            ) from error
        self._pages = opened

    def _stable(self, name: str) -> bytes:
        """Bytes of a page that two copies agree on; the last copy when none do, which only a hostile writer causes."""
        mapping = self._pages[name]
        before = mapping.read()
        for _ in range(ATTEMPTS):
            after = mapping.read()
            if after == before:
                break
            self.torn += 1
            before = after
        return before

    def _moving_pages(self) -> tuple[bytes, bytes]:
        """Physics and graphics of one moment: the physics page is the same before and after the other was read."""
        mapping = self._pages[PHYSICS_NAME]
        before, graphics = mapping.read(), b""
        for _ in range(ATTEMPTS):
            graphics = self._stable(GRAPHICS_NAME)
            after = mapping.read()
            if after == before:
                break
            self.torn += 1
            before = after
        return before, graphics

    def _read_static(self) -> None:
        data = self._stable(STATIC_NAME)
        if data == self._static_bytes:
            return
        static = static_page(data)
        if version_of(text(static["smVersion"][0]))[:2] > (1, 7):
            raise SourceError(
                f"The shared memory has layout {text(static['smVersion'][0])}, Assetto Corsa's is 1.7: this is another "
                "game. Close it and start Assetto Corsa."
            )
        self._decoder, self._static_bytes = SampleDecoder(static, self.steer_lock), data
        self.info = info_from_static(static, self.name, self.steer_lock)

    def _new_sample(self) -> Sample | None:
        packet = _number(self._pages[PHYSICS_NAME].read(4))
        if packet == self._packet:
            if self._align:
                self._delay.look(packet, _number(self._pages[GRAPHICS_NAME].read(4)), self._velocity)
            return None
        now = self._clock()
        try:
            physics, graphics = self._moving_pages()
            self._notice(_number(physics), now)
            return self._sample(now, physics, graphics)
        except SourceError:
            return None  # a page is being replaced; the next look opens the new one

    def _sample(self, now: float, physics: bytes, graphics: bytes) -> Sample:
        frames, games = self._decoder.decode(physics, graphics)
        self._status = int(games["status"][0])
        self._velocity = _VELOCITY.unpack_from(physics, _VELOCITY_AT)
        if self._align:
            self._delay.look(self._packet or 0, _number(graphics), self._velocity)
            self._delay.carry_on(self._velocity, frames)
        return Sample(now, frames, games)

    def _notice(self, packet: int, now: float) -> None:
        """Counts a new physics page, and looks whether the session is still the same."""
        steps = packet - self._packet if self._packet is not None else 1
        self._since_static += 1
        if steps < 0 or now - self._last_time > PAUSED_AFTER or self._since_static > 300:
            self._read_static()
            self._since_static = 0
        if steps > 1:
            self._dropped += steps - 1
        self._packet, self._last_time = packet, now
        self._times.append(now)

    def _look_again(self, now: float) -> None:
        """After a restart of an emulator or a bridge the names mean other files."""
        self._last_look = now
        if any(mapping.replaced() for mapping in self._pages.values()):
            old, self._pages = self._pages, {}
            try:
                self._open()
            except SourceError:
                self._pages = old
                return
            for mapping in old.values():
                mapping.close()

    def _rate(self, now: float) -> float:
        recent = [moment for moment in self._times if now - moment <= 1.0]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


def _number(data: bytes) -> int:
    """`packetId`, with which both moving pages begin."""
    return int.from_bytes(data[:4], "little", signed=True)
