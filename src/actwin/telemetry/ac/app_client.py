"""Client of the in-game app, ours or assetto_corsa_gym's: reads and drives the player's car."""

from __future__ import annotations

import math
import socket
import time
from typing import Any, Final

from actwin.errors import SourceError
from actwin.telemetry.ac import app_messages
from actwin.telemetry.ac.app_controls import ControlWriter
from actwin.telemetry.ac.app_questions import CURE, AppQuestions
from actwin.telemetry.channels import Controls

PORT: Final = 2345
"""UDP port of the driven car; opponents and management follow it."""
AGAIN: Final = 0.25
"""[s] From one greeting to the next until the app answers."""
SILENCE: Final = 1.0
"""[s] Without telemetry before the app is asked again."""
MOST_WAITING: Final = 256
"""Datagrams taken at once; only the newest of them counts."""

WELCOME: Final = b"identified"
GOODBYE: Final = b"disconnect"


class AppClient(AppQuestions):
    """Talks to the in-game app.

    ```
    client = AppClient()
    client.connect()
    message = client.receive()
    sent = client.send(controls)
    client.close()
    ```

    Args:
        host: Where the app runs.
        port: UDP port of the driven car.
        opponents_port, management_port: TCP ports; by default the two that follow.

    Attributes:
        rejected: Datagrams that were no telemetry.
        dropped: Messages that were lost, or not read before newer ones came; since `connect`.
        steps: Number of the last message.
        arrived: [s] `time.perf_counter()` when it was taken from the network.
        ended: Whether the app has said goodbye.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = PORT,
        opponents_port: int | None = None,
        management_port: int | None = None,
    ) -> None:
        super().__init__(
            host,
            port + 1 if opponents_port is None else opponents_port,
            port + 2 if management_port is None else management_port,
        )
        self.port = port
        self._socket: socket.socket | None = None
        self._writer = ControlWriter()
        self._gear: int | None = None
        self._newest: dict[str, Any] | None = None
        self._asked = 0.0
        self.rejected, self.dropped, self.steps = 0, 0, 0
        self.arrived = -math.inf
        self.ended = False

    @property
    def connected(self) -> bool:
        """Whether the app was greeted and has not said goodbye."""
        return self._socket is not None and not self.ended

    def connect(self, timeout: float = 2.0) -> None:
        """Asks for telemetry; may be called again.

        Args:
            timeout: [s] To wait for the answer.

        Raises:
            SourceError: No answer.
        """
        self.close()
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.connect((self.host, self.port))  # only the app's datagrams arrive, and a closed port tells
        except OSError as error:
            self.close()
            raise SourceError(f"No in-game app at {self.host}:{self.port} ({error}). {CURE}") from error
        self.rejected, self.dropped, self.steps, self.ended = 0, 0, 0, False
        self._newest = None
        end = time.perf_counter() + timeout
        while (left := end - time.perf_counter()) > 0.0:
            self.greet()
            if self._await_welcome(min(left, AGAIN)):
                return
        self.close()
        raise SourceError(f"No in-game app answers at {self.host}:{self.port}. {CURE}")

    def greet(self) -> None:
        """Asks for telemetry without waiting for the answer."""
        self._say(b"connect")

    def receive(self, timeout: float = 0.1) -> dict[str, Any] | None:
        """The newest message about the driven car; a silent app is asked again once a second.

        Args:
            timeout: [s] To wait for one.

        Returns:
            Numbers, texts and tuples by name; None when nothing new came in time.

        Raises:
            SourceError: Not connected.
        """
        self._drain(0.0 if self._newest is not None else timeout)
        newest, self._newest = self._newest, None
        self._keep_asking()
        return newest

    def send(self, controls: Controls) -> Controls:
        """Drives the car; whoever began last drives, until 0.5 s of silence.

        Args:
            controls: CONTROLS[1].

        Returns:
            CONTROLS[1] as they were really sent.

        Raises:
            ControlError: A value is not finite.
            SourceError: Not connected.
        """
        self._open()
        message, sent = self._writer.write(controls, self.steps, self._gear)
        self._say(message)
        self._drain(0.0)
        self._keep_asking()
        return sent

    def close(self) -> None:
        """Says goodbye; harmless when nothing is open."""
        if self._socket is not None:
            if not self.ended:
                self._say(GOODBYE)
            self._socket.close()
        self._socket = None
        self._gear = None

    def _await_welcome(self, timeout: float) -> bool:
        """Whether the app answers in time; a closed port is waited out, the game may just be starting."""
        end = time.perf_counter() + timeout
        while (left := end - time.perf_counter()) > 0.0:
            data = self._take(left)
            if data == WELCOME or (data is not None and app_messages.telemetry(data) is not None):
                self.arrived = time.perf_counter()
                return True
            if data is None:
                time.sleep(min(0.02, max(end - time.perf_counter(), 0.0)))
        return False

    def _drain(self, timeout: float) -> None:
        """Takes what has arrived and keeps the newest message.

        Args:
            timeout: [s] To wait for the first one.
        """
        end = time.perf_counter() + timeout
        while True:
            waiting = self._waiting(max(end - time.perf_counter(), 0.0))
            for data in waiting:
                if data == WELCOME:
                    self.steps = 0
                self.ended = data == GOODBYE
            for data in reversed(waiting):
                if data not in (WELCOME, GOODBYE) and self._keep(data):
                    return
            if time.perf_counter() >= end:
                return

    def _waiting(self, timeout: float) -> list[bytes]:
        """The datagrams that have arrived, oldest first."""
        data = self._take(timeout)
        found: list[bytes] = []
        while data is not None and len(found) < MOST_WAITING:
            found.append(data)
            data = self._take(0.0)
        return found

    def _keep(self, data: bytes) -> bool:
        """Reads telemetry; nonsense is counted."""
        message = app_messages.telemetry(data)
        if message is None:
            self.rejected += 1
            return False
        steps = int(message.get("steps", self.steps + 1))
        if steps > self.steps > 0:
            self.dropped += steps - self.steps - 1
        self.steps, self.arrived, self._newest = steps, time.perf_counter(), message
        if "actualGear" in message:
            self._gear = int(message["actualGear"]) - 1
        return True

    def _keep_asking(self) -> None:
        """Greets the app once a second while it is silent: a new session of the game does not know its clients."""
        now = time.perf_counter()
        if now - self.arrived >= SILENCE and now - self._asked >= SILENCE:
            self._asked = now
            self.greet()

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise SourceError(f"Not connected to the in-game app at {self.host}:{self.port}. Call connect() first.")
        return self._socket

    def _take(self, timeout: float) -> bytes | None:
        """The next datagram, None when there is none in time."""
        opened = self._open()
        opened.settimeout(timeout)
        try:
            return opened.recv(app_messages.MAX_TELEMETRY)
        except OSError:  # nothing there, or the port was closed when something was sent to it
            return None

    def _say(self, data: bytes) -> None:
        """Sends a datagram; whether somebody listens shows in the telemetry."""
        opened = self._open()
        opened.settimeout(0.1)
        try:
            opened.send(data)
        except OSError:  # an earlier datagram found the port closed
            return
