"""The process that holds an actuator: neutral when the driver dies, hangs or falls silent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from actwin.cockpit.actuators import guarded
from actwin.cockpit.actuators.guard_wire import CLOSE, REPLY, REQUEST, RESET, SEND, TOKEN, UNKNOWN_GEAR, receive
from actwin.cockpit.actuators.guarded import GuardedActuator
from actwin.cockpit.actuators.opening import open_actuator
from actwin.cockpit.actuators.protocol import NEUTRAL_BRAKE, Pose
from actwin.cockpit.guard import hold
from actwin.errors import ControlError, MissingExtraError, SourceError
from actwin.telemetry.ac.custom_ai import CAR, CAR_CONTROLS, car_name, controls_name
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.channels import Controls, neutral_controls

SECOND = 20.0
"""[s] Longest wait for anything in these tests, on a busy machine."""


def flat_out() -> Controls:
    controls = neutral_controls(1)
    controls["throttle"], controls["steer"] = 1.0, 0.25
    return controls


def request(kind: int, pose: Pose | None = None, **values: Any) -> bytes:
    record = np.zeros(1, REQUEST)
    record["kind"], record["gear"], record["pose"] = kind, UNKNOWN_GEAR, np.nan if pose is None else [tuple(pose)]
    record["controls"] = flat_out()
    for name, value in values.items():
        record["controls"][name] = value
    return record.tobytes()


@pytest.fixture
def held(make_game) -> Iterator[tuple[Any, socket.socket, threading.Thread, list[float]]]:
    """A game held by the guard's loop: the game, the driver's end, the loop's thread, what it slept."""
    game, slept = make_game(), []
    ours, theirs = socket.socketpair()
    ours.settimeout(SECOND)
    thread = threading.Thread(target=hold, args=(game, theirs, 0.1, 0.6, 3.0, slept.append))
    thread.start()
    yield game, ours, thread, slept
    ours.close()
    thread.join(SECOND)
    theirs.close()


def ask(driver: socket.socket, message: bytes) -> Any:
    driver.sendall(message)
    reply = receive(driver, REPLY)
    assert reply is not None
    return reply[0]


def wait_for(condition: Any) -> None:
    end = time.perf_counter() + SECOND
    while not condition():
        assert time.perf_counter() < end, "it never happened"
        time.sleep(0.005)


def test_it_does_what_the_driver_asks(held) -> None:
    game, driver, _, _ = held
    reply = ask(driver, request(SEND, throttle=0.75))
    assert (reply["done"], reply["controls"]["throttle"]) == (1, 0.75)
    assert ask(driver, request(RESET))["done"] == 1
    track = game.simulator.track
    x, y, z = (float(v) for v in track.to_world(300.0, 0.0))
    assert ask(driver, request(RESET, Pose(x, y, z, float(track.heading(300.0)))))["done"] == 1
    assert game.simulator.frames["lap_distance"][0] == pytest.approx(300.0, abs=0.1)
    game.places = False
    assert ask(driver, request(RESET))["done"] == 0


def test_silence_leaves_the_car_neutral_until_the_driver_is_back(held) -> None:
    game, driver, _, slept = held
    ask(driver, request(SEND))
    assert game.controls["throttle"][0] == 1.0
    wait_for(lambda: game.controls["throttle"][0] == 0.0)
    assert game.controls["brake"][0] == pytest.approx(0.6)
    assert game.controls["steer"][0] == 0.0
    ask(driver, request(SEND))
    assert game.controls["throttle"][0] == 1.0
    assert slept == []


def test_a_closing_driver_lets_the_car_go_and_a_dead_one_has_it_braked(held) -> None:
    game, driver, thread, slept = held
    ask(driver, request(SEND))
    driver.sendall(request(CLOSE))
    thread.join(SECOND)
    assert game.closed
    assert slept == []


def test_a_dead_drivers_car_is_braked_for_a_while(held) -> None:
    game, driver, thread, slept = held
    ask(driver, request(SEND))
    driver.close()
    thread.join(SECOND)
    assert slept == [3.0]
    assert game.controls["throttle"][0] == 0.0
    assert game.controls["brake"][0] == pytest.approx(0.6)
    assert game.closed


def test_half_a_request_is_no_request(held) -> None:
    game, driver, thread, _ = held
    driver.sendall(request(SEND)[:10])
    wait_for(lambda: len(game.log) > 0)
    driver.close()
    thread.join(SECOND)
    assert all(controls["throttle"][0] == 0.0 for controls in game.log)


class Csp:
    """A game that takes every car it is offered and counts on, in a thread."""

    def __init__(self, folder: str) -> None:
        self.folder, self.going = folder, True
        self.car = np.zeros(1, CAR)
        self.shown = Mapping.create(car_name(0), CAR.itemsize, folder)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while self.going:
            self.car["packet_id"] += 1
            self.shown.write(self.car.tobytes())
            time.sleep(0.003)

    def controls(self) -> Any:
        """What the game sees; None when no driver is there."""
        try:
            with Mapping.open(controls_name(0), CAR_CONTROLS.itemsize, self.folder) as mapping:
                return np.frombuffer(mapping.read(), CAR_CONTROLS)[0]
        except SourceError:
            return None

    def close(self) -> None:
        self.going = False
        self.thread.join(SECOND)
        self.shown.close()


@pytest.fixture
def csp(tmp_path: Any) -> Iterator[Csp]:
    game = Csp(str(tmp_path))
    yield game
    game.close()


def test_a_process_of_its_own_holds_the_controls(csp: Csp) -> None:
    actuator = open_actuator("custom_ai", SharedMemorySource(csp.folder), brake=0.5)
    assert isinstance(actuator, GuardedActuator)
    assert actuator.name == f"custom_ai:{csp.folder}"
    sent = actuator.send(flat_out())
    assert (sent["throttle"][0], csp.controls()["gas"], csp.controls()["steer"]) == (1.0, 1.0, -0.25)
    with pytest.raises(ControlError, match="steer"):
        actuator.send(_with(flat_out(), "steer", np.nan))
    wait_for(lambda: csp.controls()["gas"] == 0.0)
    assert csp.controls()["brake"] == pytest.approx(0.5)
    assert actuator.reset()
    # A process that is lost is told, not waited for.
    actuator.process.kill()
    actuator.process.wait(SECOND)
    with pytest.raises(SourceError, match="does not answer"):
        _keep_sending(actuator)
    actuator.close()


def _keep_sending(actuator: GuardedActuator) -> None:
    for _ in range(1000):
        actuator.send(flat_out())


def _with(controls: Controls, name: str, value: float) -> Controls:
    controls[name] = value
    return controls


class Running:
    """A process that goes on."""

    def poll(self) -> None:
        return None


def test_strangers_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actwin.cockpit.actuators.guarded.TURN_AWAY", 0.05)
    token = bytes(range(TOKEN))
    with socket.create_server(("127.0.0.1", 0)) as server:
        callers = [socket.create_connection(server.getsockname()) for _ in range(4)]
        callers[0].sendall(b"x" * TOKEN)
        callers[1].close()
        callers[3].sendall(token + b"more")
        connection = guarded._accept(server, Running(), token)  # type: ignore[arg-type]
        assert connection.recv(4) == b"more"
        for caller in (connection, *callers):
            caller.close()


DRIVER = """
    import sys, time
    import numpy as np
    from actwin.cockpit.actuators.opening import open_actuator
    from actwin.telemetry.channels import neutral_controls
    actuator = open_actuator("custom_ai:" + sys.argv[1])
    controls = neutral_controls(1)
    controls["throttle"] = 1.0
    while True:
        actuator.send(controls)
        time.sleep(0.02)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by signals that Windows does not have")
@pytest.mark.parametrize("end", ["SIGSTOP", "SIGKILL"])
def test_a_driver_that_hangs_or_dies_leaves_the_car_neutral(csp: Csp, end: str) -> None:
    driver = subprocess.Popen([sys.executable, "-c", textwrap.dedent(DRIVER), csp.folder])
    try:
        wait_for(lambda: (seen := csp.controls()) is not None and seen["gas"] == 1.0)
        os.kill(driver.pid, getattr(signal, end))
        wait_for(lambda: csp.controls()["gas"] == 0.0)
        assert csp.controls()["brake"] == pytest.approx(NEUTRAL_BRAKE)
    finally:
        driver.kill()
        driver.wait(SECOND)


def test_what_cannot_be_opened_is_told_by_the_process(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="vJoy is a driver of Windows" if sys.platform != "win32" else "vJoy"):
        open_actuator("vjoy")
    blocked = tmp_path / "evdev.py"
    blocked.write_text("raise ImportError('absent')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="evdev"):
        open_actuator("uinput")
