"""An actuator in a process of its own, which leaves the car neutral when this one dies or hangs."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import sys
import time
from typing import Any, Final

import numpy as np

from actwin.cockpit.actuators.custom_ai import CustomAI
from actwin.cockpit.actuators.guard_wire import (
    BEAT,
    CLOSE,
    HELLO,
    LONGEST,
    MISSING,
    READY,
    REPLY,
    REQUEST,
    RESET,
    SEND,
    TOKEN,
    UNKNOWN_GEAR,
    lost,
    receive,
    receive_bytes,
)
from actwin.cockpit.actuators.protocol import NEUTRAL_BRAKE, SILENCE, Pose
from actwin.cockpit.limits import refuse_broken
from actwin.errors import ControlError, MissingExtraError, SourceError
from actwin.telemetry.channels import CONTROLS, Controls

START: Final = 20.0
"""[s] For the process to start, on a busy machine, and for the game to take the car."""
TURN_AWAY: Final = 1.0
"""[s] For a caller to say the token."""
ANSWER: Final = 0.5
"""[s] For one request."""
PLACED: Final = 4.0
"""[s] For putting the car somewhere."""


class GuardedActuator:
    """Holds an actuator through `actwin.cockpit.guard`.

    A virtual controller is moved by that process alone. Shared memory is written from here, without a detour, and the
    process writes it only when nothing is heard from here.

    Args:
        text: The actuator, as for `open_actuator`.
        brake: [-] Pedal of the car while nobody drives.
        silence: [s] Without controls after which the car is left neutral.

    Attributes:
        name: Of the actuator.
        process: That holds it.

    Raises:
        SourceError: The actuator does not answer, or the process does not start.
        MissingExtraError: The actuator needs a package that is not installed.
    """

    def __init__(self, text: str, brake: float = NEUTRAL_BRAKE, silence: float = SILENCE) -> None:
        self.name = text
        token = secrets.token_bytes(TOKEN)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.process = _start(text, server.getsockname()[1], brake, silence, token)
            try:
                self._connection = _accept(server, self.process, token)
                self.name = self._greeted()
                self._direct = _direct(self.name)
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise

    def _greeted(self) -> str:
        """The actuator's name, once it is open."""
        self._connection.settimeout(START)
        try:
            rest = receive_bytes(self._connection, HELLO.itemsize - TOKEN)
            hello = np.frombuffer(rest or b"", "<i4")
            text = receive_bytes(self._connection, min(max(int(hello[1]), 0), LONGEST)) if len(hello) == 2 else None
        except TimeoutError as error:
            raise lost(self.name) from error
        if text is None:
            raise lost(self.name)
        if hello[0] == READY:
            return text.decode(errors="replace")
        self._connection.close()
        if hello[0] == MISSING:
            package = {"uinput": "evdev", "vigem": "vgamepad"}.get(self.name, self.name)
            raise MissingExtraError(package, "control")
        raise SourceError(text.decode(errors="replace"))

    def _ask(self, kind: int, wait: float, **fields: Any) -> Any:
        """One request and its REPLY."""
        request = np.zeros(1, REQUEST)
        request["kind"], request["gear"], request["pose"] = kind, UNKNOWN_GEAR, np.nan
        for name, value in fields.items():
            request[name] = value
        self._connection.settimeout(wait)
        try:
            self._connection.sendall(request.tobytes())
            reply = receive(self._connection, REPLY)
        except OSError as error:  # a timeout is one, too; a late answer would be taken for the next one's
            self._connection.close()
            raise lost(self.name) from error
        if reply is None:
            raise lost(self.name)
        return reply

    def _beat(self) -> None:
        """Tells the process that the driver is alive, without waiting for it."""
        beat = np.zeros(1, REQUEST)
        beat["kind"] = BEAT
        self._connection.setblocking(False)
        try:
            whole = self._connection.send(beat.tobytes()) == REQUEST.itemsize
        except OSError:
            whole = False
        if not whole:  # it is gone, or has not read for a long time
            self._connection.close()
            raise lost(self.name)

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """Moves the controls; see `Actuator.send`."""
        refuse_broken(controls, 1)
        if self._direct is not None:
            sent = self._direct.send(controls, gear)
            self._beat()
            return sent
        reply = self._ask(SEND, ANSWER, controls=controls, gear=UNKNOWN_GEAR if gear is None else gear)
        if not reply["done"][0]:
            raise ControlError("The actuator refused the controls. Send finite numbers within their range.")
        sent = np.zeros(1, CONTROLS)
        sent[0] = reply["controls"][0]
        return sent

    def reset(self, pose: Pose | None = None) -> bool:
        """Puts the car somewhere; see `Actuator.reset`."""
        place = (np.nan,) * 4 if pose is None else pose
        return bool(self._ask(RESET, PLACED, pose=np.array([place]))["done"][0])

    def close(self) -> None:
        """Leaves the car neutral and ends the process."""
        if self._direct is not None:
            self._direct.let_go()
        request = np.zeros(1, REQUEST)
        request["kind"] = CLOSE
        with contextlib.suppress(OSError):
            self._connection.sendall(request.tobytes())
        self._connection.close()
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _direct(name: str) -> CustomAI | None:
    """The same shared memory, written from here; None for what only one process can hold."""
    kind, _, folder = name.partition(":")
    return CustomAI(folder or None, wait=0.0) if kind == "custom_ai" else None


def _start(text: str, port: int, brake: float, silence: float, token: bytes) -> subprocess.Popen[bytes]:
    """Starts the process outside the terminal's group, so that Ctrl-C reaches the driver alone."""
    words = [sys.executable, "-m", "actwin.cockpit.guard", text, "--port", str(port)]
    words += ["--silence", str(silence), "--brake", str(brake)]
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    process = subprocess.Popen(words, stdin=subprocess.PIPE, **apart)
    assert process.stdin is not None
    with contextlib.suppress(OSError), process.stdin as words_in:
        words_in.write(token.hex().encode() + b"\n")
    return process


def _accept(server: socket.socket, process: subprocess.Popen[bytes], token: bytes) -> socket.socket:
    """The connection of our own process; whoever else calls is turned away."""
    end = time.perf_counter() + START
    server.settimeout(0.2)
    while time.perf_counter() < end and process.poll() is None:
        try:
            connection, _ = server.accept()
        except TimeoutError:
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(TURN_AWAY)
        try:
            if secrets.compare_digest(receive_bytes(connection, TOKEN) or b"", token):
                return connection
        except TimeoutError:
            pass
        connection.close()
    raise SourceError("The process that holds the controls does not start. Try again when the machine is less busy.")
