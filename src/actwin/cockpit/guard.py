"""The process that holds an actuator: it leaves the car neutral when its driver dies, hangs or falls silent.

Shared memory and virtual controllers keep the last controls when a driver hangs, and shared memory even when it dies.
So a process of their own holds them, which hears from the driver through a local connection.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.cockpit.actuators.guard_wire import (
    BEAT,
    CLOSE,
    HELLO,
    LONGEST,
    MISSING,
    READY,
    REFUSED,
    REPLY,
    REQUEST,
    RESET,
    SEND,
    TOKEN,
    UNKNOWN_GEAR,
    receive,
)
from actwin.cockpit.actuators.opening import open_unguarded
from actwin.cockpit.actuators.protocol import NEUTRAL_BRAKE, SILENCE, Actuator, Pose, neutral
from actwin.errors import ActwinError, ControlError, MissingExtraError, SourceError

HALT: Final = 5.0
"""[s] For which the car of a dead driver is braked before it is let go."""


def hold(
    actuator: Actuator, connection: socket.socket, silence: float, brake: float, halt: float, sleep: Any = time.sleep
) -> None:
    """Does what the driver asks, until it closes or dies; the car of a dead one is braked for a while first.

    Args:
        actuator: To hold.
        connection: To the driver.
        silence: [s] Without a request after which the car is left neutral.
        brake: [-] Pedal of the neutral car.
        halt: [s] For which the car of a dead driver is held neutral.
        sleep: To use instead of `time.sleep`.
    """
    connection.settimeout(silence)
    try:
        while not serve_once(actuator, connection, brake):
            pass
    except (OSError, SourceError):
        with contextlib.suppress(OSError, SourceError):
            actuator.send(neutral(brake))
            sleep(halt)
    finally:
        actuator.close()


def serve_once(actuator: Actuator, connection: socket.socket, brake: float) -> bool:
    """Does one request, or what has to be done when none comes.

    Returns:
        Whether the driver has closed.

    Raises:
        ConnectionError: The driver is gone.
        SourceError: The game is gone.
    """
    try:
        request = receive(connection, REQUEST)
    except TimeoutError:
        actuator.send(neutral(brake))
        return False
    if request is None:
        raise ConnectionError("the driver is gone")
    kind = request["kind"][0]
    if kind not in (BEAT, CLOSE):
        connection.sendall(answer(actuator, request).tobytes())
    return bool(kind == CLOSE)


def answer(actuator: Actuator, request: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Does one request, REQUEST[1].

    Returns:
        REPLY[1]; `done` is 0 for controls that were refused and for a car that was not moved.
    """
    reply = np.zeros(1, REPLY)
    if request["kind"][0] == RESET:
        pose = request["pose"][0]
        place = None if np.isnan(pose).any() else Pose(*(float(value) for value in pose))
        reply["done"] = actuator.reset(place)
    elif request["kind"][0] == SEND:
        gear = int(request["gear"][0])
        with contextlib.suppress(ControlError):
            reply["controls"] = actuator.send(request["controls"].copy(), None if gear == UNKNOWN_GEAR else gear)
            reply["done"] = 1
    return reply


def greet(connection: socket.socket, token: bytes, kind: int, text: str) -> None:
    """Tells the driver who answers, and how it went."""
    words = text.encode()[:LONGEST]
    hello = np.zeros(1, HELLO)
    hello["token"], hello["kind"], hello["length"] = np.frombuffer(token, np.uint8), kind, len(words)
    connection.sendall(hello.tobytes() + words)


def main(arguments: list[str] | None = None) -> None:
    """Opens an actuator for the driver that listens at a local port.

    Args:
        arguments: Words of the command line; the token comes first on stdin, in hexadecimal digits.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("actuator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--silence", type=float, default=SILENCE)
    parser.add_argument("--brake", type=float, default=NEUTRAL_BRAKE)
    parser.add_argument("--halt", type=float, default=HALT)
    given = parser.parse_args(arguments)
    token = bytes.fromhex(sys.stdin.readline().strip())
    if len(token) != TOKEN:
        parser.error("no token on stdin; drivers start this process themselves")
    with socket.create_connection(("127.0.0.1", given.port), timeout=5.0) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            actuator = open_unguarded(given.actuator)
        except MissingExtraError as error:
            greet(connection, token, MISSING, str(error))
        except ActwinError as error:
            greet(connection, token, REFUSED, str(error))
        else:
            greet(connection, token, READY, actuator.name)
            hold(actuator, connection, given.silence, given.brake, given.halt)


if __name__ == "__main__":
    main()
