"""Telemetry from Assetto Corsa's UDP remote interface."""

from __future__ import annotations

import math
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.ac.codec import cells, cells_of
from actwin.telemetry.ac.frames import frames_from_remote
from actwin.telemetry.ac.pages import folder_text, printable_text
from actwin.telemetry.ac.remote_packets import (
    ACCEPTED,
    CAR_INFO_LETTER,
    PORT,
    RT_CAR_INFO,
    RT_HANDSHAKER,
    RT_LAP,
    RT_RESPONSE,
    VERSION,
    Operation,
)
from actwin.telemetry.ac.source import GameInfo, Health, Sample

LARGEST: Final = 2048
"""[B] Taken of a datagram; the longest packet has 408."""
MOST: Final = 512
"""Datagrams taken in one look, so that a flood cannot hold the reader."""
SILENCE: Final = 1.0
"""[s] Without a packet, after which the client asks again; the protocol has no sign of life."""
PAUSED_AFTER: Final = 0.2
"""[s] Without a packet; the game's rate is not documented and may be that of its pictures."""
LAPS_KEPT: Final = 256
SENSIBLE: Final = 1e7
"""Beyond this, no field of a real packet is."""
_FLOATS: Final = cells_of(RT_CAR_INFO, "<f4")


class Lap(NamedTuple):
    """A lap that some car completed.

    Attributes:
        car: Number of the car.
        lap: Number of the lap.
        driver: Name; personal data.
        car_name: Folder name of the car.
        time: [s].
    """

    car: int
    lap: int
    driver: str
    car_name: str
    time: float


class RemoteSource:
    """The game's UDP remote telemetry, or an emulator's; a `Source`.

    The game must be told to send it: "UDP telemetry" in its options or in Content Manager. Samples have no yaw and no
    physics step; their time is that of receipt. When packets wait in a queue the newest is taken and the others count
    as dropped.

    Args:
        host, port: Where the game listens.
        steer_lock: [rad] Steering-wheel angle at full lock, for `steer`.

    Attributes:
        info: The session, refreshed when the game answers again.
        rejected: Datagrams that were no packet of this protocol, or held impossible numbers.
    """

    name = "udp"

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = PORT,
        *,
        steer_lock: float = math.nan,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.host, self.port, self.steer_lock = host, port, steer_lock
        self.info, self.rejected = GameInfo(source=self.name), 0
        self._clock = clock
        self._socket: socket.socket | None = None
        self._asked = self._last_time = -math.inf
        self._reset()

    def connect(self, timeout: float = 2.0) -> GameInfo:
        """Shakes hands and subscribes to the car and to laps.

        Args:
            timeout: [s] To wait for the answer.

        Raises:
            SourceError: Nobody answers, or refuses.
        """
        self.close()
        self._reset()
        self._socket = self._opened()
        deadline = self._clock() + timeout
        while not self._known:
            now = self._clock()
            if now >= deadline:
                self.close()
                raise self._nobody()
            if now - self._asked > min(0.25, timeout / 3):
                self._ask(Operation.HANDSHAKE)
                self._asked = now
            self._wait(min(0.05, deadline - now))
            self._receive()
        return self.info

    def read(self, timeout: float = 0.1) -> Sample | None:
        """The newest packet that was not read before.

        Args:
            timeout: [s] To wait for one.

        Raises:
            SourceError: Not connected.
        """
        if self._socket is None:
            raise SourceError("The remote telemetry is not open. Call connect() first.")
        deadline = self._clock() + timeout
        while True:
            packet = self._receive()
            now = self._clock()
            if packet is not None:
                return Sample(self._last_time, *frames_from_remote(packet, self.steer_lock))
            if now >= deadline:
                return None
            if now - max(self._last_time, self._asked) > SILENCE:
                self._ask(Operation.HANDSHAKE)
                self._asked = now
            self._wait(min(deadline - now, 0.05))

    def laps(self) -> list[Lap]:
        """Laps of any car since the last call, at most the last 256."""
        laps = list(self._laps)
        self._laps.clear()
        return laps

    def health(self) -> Health:
        """How fresh the packets are; `dropped` counts packets that newer ones overtook."""
        now = self._clock()
        age = now - self._last_time if self._times else math.inf
        if age <= PAUSED_AFTER:
            return Health("live", self._rate(now), self._dropped, age)
        return Health("paused" if age <= SILENCE else "dead", self._rate(now), self._dropped, age)

    def close(self) -> None:
        """Tells the game to stop sending."""
        if self._socket is not None:
            self._ask(Operation.DISMISS)
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reset(self) -> None:
        self._known = False
        self._refusal = 0
        self._laps: deque[Lap] = deque(maxlen=LAPS_KEPT)
        self._times: deque[float] = deque(maxlen=1024)
        self._asked = self._last_time = -math.inf
        self._dropped = 0

    def _opened(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        try:
            opened.connect((self.host, self.port))
        except OSError as error:
            opened.close()
            raise SourceError(
                f"The address {self.host}:{self.port} cannot be reached: {error.strerror or error}. "
                "Give the address of the machine on which the game runs."
            ) from error
        return opened

    def _nobody(self) -> SourceError:
        if self._refusal:
            return SourceError(
                f"The game at {self.host}:{self.port} refused with code {self._refusal}, expected {ACCEPTED}. "
                "Restart the session in the game."
            )
        return SourceError(
            f"No answer from Assetto Corsa's UDP telemetry at {self.host}:{self.port}. "
            "Switch it on in the game's options, start a session, or run `actwin serve` to emulate one."
        )

    def _ask(self, operation: Operation) -> None:
        packet = np.zeros(1, RT_HANDSHAKER)
        packet["identifier"], packet["version"], packet["operationId"] = 1, VERSION, operation
        try:
            if self._socket is not None:
                self._socket.send(packet.tobytes())
        except OSError:  # nobody listens at present; the next silence asks again
            return

    def _wait(self, seconds: float) -> None:
        if self._socket is not None:
            select.select([self._socket], [], [], max(0.0, seconds))

    def _receive(self) -> npt.NDArray[Any] | None:
        """Takes what has arrived; RT_CAR_INFO[1], the newest, or None."""
        newest: npt.NDArray[Any] | None = None
        for _ in range(MOST):
            try:
                data = self._socket.recv(LARGEST) if self._socket is not None else b""
            except BlockingIOError:
                break
            except OSError:  # told that nobody listens there
                break
            packet = self._understand(data)
            if packet is not None:
                self._dropped += newest is not None
                newest = packet
        return newest

    def _understand(self, data: bytes) -> npt.NDArray[Any] | None:
        """Acts on a datagram, which its length names; RT_CAR_INFO[1] when it is one."""
        if len(data) == RT_CAR_INFO.itemsize:
            packet = np.frombuffer(data, RT_CAR_INFO)
            if sensible(packet):
                self._last_time = self._clock()
                self._times.append(self._last_time)
                return packet
        elif len(data) == RT_RESPONSE.itemsize:
            self._welcome(np.frombuffer(data, RT_RESPONSE)[0])
            return None
        elif len(data) == RT_LAP.itemsize:
            self._note_lap(np.frombuffer(data, RT_LAP)[0])
            return None
        self.rejected += 1
        return None

    def _welcome(self, answer: Any) -> None:
        if answer["identifier"] != ACCEPTED:
            self._refusal = int(answer["identifier"])
            self.rejected += 1
            return
        track, layout = folder_text(answer["trackName"]), folder_text(answer["trackConfig"])
        self.info = GameInfo(
            source=self.name,
            car=folder_text(answer["carName"]),
            track=track,
            layout="" if layout == track else layout,
            driver=printable_text(answer["driverName"]),
            steer_lock=self.steer_lock,
        )
        self._known = True
        self._ask(Operation.SUBSCRIBE_UPDATE)
        self._ask(Operation.SUBSCRIBE_SPOT)

    def _note_lap(self, lap: Any) -> None:
        self._laps.append(
            Lap(
                car=int(lap["carIdentifierNumber"]),
                lap=int(lap["lap"]),
                driver=printable_text(lap["driverName"]),
                car_name=folder_text(lap["carName"]),
                time=int(lap["time"]) * 1e-3,
            )
        )

    def _rate(self, now: float) -> float:
        recent = [moment for moment in self._times if now - moment <= 1.0]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


def sensible(packets: npt.NDArray[Any]) -> bool:
    """Whether RT_CAR_INFO[K] are packets of a car: marked as such, all numbers finite and of a possible size."""
    if not ((packets["identifier"][:, 0] == CAR_INFO_LETTER).all() and (packets["size"] == RT_CAR_INFO.itemsize).all()):
        return False
    numbers = cells(packets).view("<f4")[:, _FLOATS]
    gears = packets["gear"]
    return bool((np.abs(numbers) < SENSIBLE).all() and ((gears >= 0) & (gears < 20)).all())
