"""Questions to the in-game app over TCP: the session, the road, the other cars."""

from __future__ import annotations

import socket
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.ac import app_messages
from actwin.telemetry.ac.literal import MAX_LENGTH, Completeness, parse

ANSWER_TIMEOUT: Final = 5.0
"""[s] To wait for an answer of the management port."""

CURE: Final = (
    "Start a session in the game with the app switched on (`actwin install-app` installs it), "
    "or run `actwin serve` to emulate one."
)


class AppQuestions:
    """Asks the app; each question has a connection of its own.

    Args:
        host: Where the app runs.
        opponents_port, management_port: TCP ports.
    """

    def __init__(self, host: str, opponents_port: int, management_port: int) -> None:
        self.host, self.opponents_port, self.management_port = host, opponents_port, management_port

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

    def track_info(self, timeout: float = ANSWER_TIMEOUT) -> dict[str, npt.NDArray[np.float64]]:
        """Line and borders of the road as the game's own drivers know it; empty where the game has none.

        Returns:
            `fast_lane`, `left_lane`, `right_lane`: float[K, 2], [m] in the protocol's x and y, which are ours;
            `throttle_arr`, `brake_arr`, `speed_arr`: float[K].

        Raises:
            SourceError: No answer, or not the app's.
        """
        return app_messages.road(parse(self._ask("get_track_info", "", timeout)))

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
