"""Client of the in-game app, ours or assetto_corsa_gym's."""

from __future__ import annotations

import math
import socket
import time
from typing import Any, Final

from actwin.errors import SourceError
from actwin.telemetry.ac import app_messages
from actwin.telemetry.ac.literal import MAX_LENGTH, Completeness, parse
from actwin.telemetry.channels import Controls

PORT: Final = 2345
"""UDP port of the driven car; opponents and management follow it."""
AGAIN: Final = 0.25
"""[s] From one greeting to the next until the app answers."""
ANSWER_TIMEOUT: Final = 5.0
"""[s] To wait for an answer of the management port."""
SILENCE: Final = 1.0
"""[s] Without telemetry before the app is asked again."""
MOST_WAITING: Final = 256
"""Datagrams taken at once; only the newest of them counts."""

WELCOME: Final = b"identified"
GOODBYE: Final = b"disconnect"

CURE: Final = (
    "Start a session in the game with the app switched on (`actwin install-app` installs it), "
    "or run `actwin serve` to emulate one."
)


class AppClient:
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
        self.host, self.port = host, port
        self.opponents_port = opponents_port if opponents_port is not None else port + 1
        self.management_port = management_port if management_port is not None else port + 2
        self._socket: socket.socket | None = None
        self._writer = app_messages.ControlWriter()
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

    def reset(self, timeout: float = ANSWER_TIMEOUT) -> None:
        """Puts the car back on the road, standing.

        Args:
            timeout: [s] To wait for the app to have done it. The plugin of assetto_corsa_gym does not tell; then this
                returns when the command was handed over.

        Raises:
            SourceError: Nobody listens.
        """
        self._ask("reset", "get_config", timeout)

    def static_info(self, timeout: float = ANSWER_TIMEOUT) -> dict[str, Any]:
        """Facts of the session: `CarName`, `TrackName`, `TrackConfiguration`, `TrackLength` [m], …

        Raises:
            SourceError: No answer, or not the app's.
        """
        return app_messages.mapping(parse(self._ask("get_static_info", "", timeout)))

    def config(self, timeout: float = ANSWER_TIMEOUT) -> dict[str, Any]:
        """The app's settings, such as `ego_sampling_freq` [1/s]; ours has `app` = "actwin" among them.

        Raises:
            SourceError: No answer, or not the app's.
        """
        return app_messages.mapping(parse(self._ask("get_config", "", timeout)))

    def track_info(self, timeout: float = ANSWER_TIMEOUT) -> dict[str, list[Any]]:
        """Line and borders of the road: lists of [x, y] in the protocol's axes, empty where the game has none.

        Raises:
            SourceError: No answer, or not the app's.
        """
        found = parse(self._ask("get_track_info", "", timeout))
        if not isinstance(found, dict) or not all(isinstance(value, list) for value in found.values()):
            raise SourceError(f"The answer at {self.host}:{self.management_port} is not the in-game app's. {CURE}")
        return {str(name): value for name, value in found.items()}

    def opponents(self, timeout: float = 2.0) -> list[dict[str, Any]]:
        """The other cars at this moment.

        Args:
            timeout: [s] To wait for the list.

        Raises:
            SourceError: No list in time.
        """
        end = time.perf_counter() + timeout
        stream = app_messages.OpponentStream()
        with self._connection(self.opponents_port, timeout) as connection:
            while (left := end - time.perf_counter()) > 0.0:
                lists = stream.feed(self._bytes(connection, left))
                if lists:
                    return lists[-1]
        raise SourceError(f"No list of opponents came from {self.host}:{self.opponents_port} in {timeout:g} s. {CURE}")

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
        found = []
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

    def _connection(self, port: int, timeout: float) -> socket.socket:
        try:
            return socket.create_connection((self.host, port), timeout)
        except OSError as error:
            raise SourceError(f"Nobody listens at {self.host}:{port} ({error}). {CURE}") from error

    def _bytes(self, connection: socket.socket, timeout: float) -> bytes:
        """Some bytes of a stream."""
        connection.settimeout(max(timeout, 0.001))
        try:
            data = connection.recv(1 << 16)
        except OSError as error:
            raise SourceError(f"{self.host} gave no answer ({error}). {CURE}") from error
        if not data:
            raise SourceError(f"{self.host} ended the connection instead of answering. {CURE}")
        return data

    def _ask(self, command: str, then: str, timeout: float) -> str:
        """Sends a command and returns the answer; of two commands, the second one's."""
        end = time.perf_counter() + timeout
        answer, whole = bytearray(), Completeness()
        with self._connection(self.management_port, timeout) as connection:
            connection.sendall(command.encode("ascii"))
            if then:
                # Not in one packet: assetto_corsa_gym's plugin takes what arrives together for one command.
                time.sleep(0.05)
                connection.sendall(then.encode("ascii"))
            while not whole.complete:
                left = end - time.perf_counter()
                if left <= 0.0:
                    raise SourceError(f"{self.host}:{self.management_port} did not answer in {timeout:g} s. {CURE}")
                data = self._bytes(connection, left)
                answer += data
                if len(answer) > MAX_LENGTH:
                    raise SourceError(f"The answer of {self.host}:{self.management_port} has no end. Is this its port?")
                whole.feed(data)
        return answer.decode("utf-8", "replace")
