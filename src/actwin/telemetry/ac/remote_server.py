"""Serves Assetto Corsa's UDP remote telemetry, for an emulator."""

from __future__ import annotations

import socket
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.ac.frames import remote_from_frames
from actwin.telemetry.ac.pages import write_text
from actwin.telemetry.ac.remote_packets import ACCEPTED, PORT, RT_HANDSHAKER, RT_LAP, RT_RESPONSE, VERSION, Operation
from actwin.telemetry.ac.source import GameInfo

MOST_CLIENTS: Final = 64
"""Clients that are served; a new one beyond them displaces the one that was silent longest."""
MOST: Final = 256
"""Datagrams taken in one poll, so that a flood cannot hold the emulator."""
LARGEST: Final = 64
"""[B] Taken of a datagram; a request has 12."""

Address = tuple[str, int]


class RemoteServer:
    """Answers handshakes and streams to who subscribed; never waits.

    As in the game a subscription lasts until it is dismissed. An emulator calls `poll` and `publish` in its loop.

    Args:
        port: To listen on; 0 takes a free one.
        host: Address to listen on; the default keeps it on this machine. On a network, packets go to whatever address
            asks for them.
        info: The session that handshakes tell; may be set later.

    Attributes:
        info: As told.
        port: Where it listens.
        rejected: Datagrams that were no request.
        unsent: Packets that the network did not take.

    Raises:
        SourceError: The port is taken.
    """

    def __init__(self, port: int = PORT, host: str = "127.0.0.1", info: GameInfo | None = None) -> None:
        self.info = info or GameInfo()
        self.rejected = self.unsent = 0
        self._clients: dict[Address, set[Operation]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise SourceError(
                f"UDP port {port} on {host} is not free: {error.strerror or error}. "
                "Stop the game or emulator that uses it, or choose another port."
            ) from error
        self.port = int(self._socket.getsockname()[1])

    @property
    def subscribers(self) -> int:
        """Clients that get the car's stream."""
        return sum(Operation.SUBSCRIBE_UPDATE in wishes for wishes in self._clients.values())

    def poll(self) -> None:
        """Answers what has arrived."""
        for _ in range(MOST):
            try:
                data, client = self._socket.recvfrom(LARGEST)
            except BlockingIOError:
                return
            except OSError:  # Windows tells this way that a client is gone, or that a datagram was longer
                self.rejected += 1
                continue
            self._answer(data, client)

    def publish(self, packet: npt.NDArray[Any]) -> None:
        """Sends a packet to all who subscribed to the car.

        Args:
            packet: RT_CAR_INFO[1].
        """
        self._send_to(Operation.SUBSCRIBE_UPDATE, packet)

    def publish_frame(self, frame: npt.NDArray[Any], game: npt.NDArray[Any]) -> None:
        """`publish` of what channels say.

        Args:
            frame, game: FRAME[1] and GAME[1].
        """
        if self.subscribers:
            self.publish(remote_from_frames(frame, game))

    def publish_lap(self, lap: int, seconds: float, car: int = 0, driver: str = "", car_name: str = "") -> None:
        """Tells all who subscribed to events that a car completed a lap.

        Args:
            lap: Number of the lap.
            seconds: [s] Its time.
            car: Number of the car, 0 is the player's.
            driver, car_name: Its names; empty takes those of the session.
        """
        packet = np.zeros(1, RT_LAP)
        packet["carIdentifierNumber"], packet["lap"], packet["time"] = car, lap, round(seconds * 1000.0)
        write_text(packet["driverName"][0], driver or self.info.driver, "%")
        write_text(packet["carName"][0], car_name or self.info.car, "%")
        self._send_to(Operation.SUBSCRIBE_SPOT, packet)

    def close(self) -> None:
        """Gives the port back; harmless when closed."""
        self._clients.clear()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, data: bytes, client: Address) -> None:
        if len(data) != RT_HANDSHAKER.itemsize:
            self.rejected += 1
            return
        operation = int(np.frombuffer(data, RT_HANDSHAKER)["operationId"][0])
        if operation == Operation.HANDSHAKE:
            self._send(self._response(), client)
        elif operation in (Operation.SUBSCRIBE_UPDATE, Operation.SUBSCRIBE_SPOT):
            wishes = self._clients.pop(client, set())
            if len(self._clients) >= MOST_CLIENTS:
                del self._clients[next(iter(self._clients))]
            self._clients[client] = wishes | {Operation(operation)}
        elif operation == Operation.DISMISS:
            self._clients.pop(client, None)
        else:
            self.rejected += 1

    def _response(self) -> npt.NDArray[Any]:
        info = self.info
        packet = np.zeros(1, RT_RESPONSE)
        packet["identifier"], packet["version"] = ACCEPTED, VERSION
        for field, words in (
            ("carName", info.car),
            ("driverName", info.driver),
            ("trackName", info.track),
            ("trackConfig", info.layout or info.track),
        ):
            write_text(packet[field][0], words, "%")
        return packet

    def _send_to(self, wish: Operation, packet: npt.NDArray[Any]) -> None:
        for client, wishes in self._clients.items():
            if wish in wishes:
                self._send(packet, client)

    def _send(self, packet: npt.NDArray[Any], client: Address) -> None:
        try:
            self._socket.sendto(packet.tobytes(), client)
        except OSError:  # a full buffer, or an address that cannot be: the stream goes on
            self.unsent += 1
