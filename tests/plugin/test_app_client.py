"""Our client against our app, and against a server that answers as assetto_corsa_gym's plugin does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from app_session import FPS, Session

from actwin.errors import ConfigError, ControlError, SourceError
from actwin.telemetry.ac.app_client import AppClient
from actwin.telemetry.ac.app_controls import ControlWriter
from actwin.telemetry.ac.app_source import AppSource
from actwin.telemetry.ac.opening import open_source
from actwin.telemetry.channels import AUTO_GEAR, CONTROLS, neutral_controls
from actwin.twin.emulator.app_host import AppHost

PATIENCE = 5.0


class Running:
    """A session that goes on by itself."""

    def __init__(self, session: Session) -> None:
        self.session, self.lock = session, threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.002):
            with self.lock:
                self.session.step(1)

    def end(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE)


@pytest.fixture
def running(session: Session) -> Iterator[Running]:
    game = Running(session)
    yield game
    game.end()


@pytest.fixture
def client(running: Running) -> Iterator[AppClient]:
    made = AppClient("127.0.0.1", *running.session.host.ports)
    yield made
    made.close()


def eventually(what: Callable[[], Any]) -> Any:
    """The first true answer."""
    end = time.perf_counter() + PATIENCE
    while not (answer := what()) and time.perf_counter() < end:
        time.sleep(0.002)
    return answer


def comes_to(source: AppSource, status: str) -> bool:
    """Whether a source that is read reaches a status."""

    def reached() -> bool:
        source.read(0.02)
        return source.health().status == status

    return bool(eventually(reached))


def some_controls(**values: float) -> np.ndarray:
    controls = neutral_controls(1)
    for name, value in values.items():
        controls[name] = value
    return controls


def test_client_and_app_understand_each_other(client: AppClient, running: Running) -> None:
    client.connect(PATIENCE)
    message = client.receive(PATIENCE)
    assert message is not None
    assert message["world_position_x"] == pytest.approx(float(running.session.frames["x"][0]), rel=1e-6)
    assert client.config()["ego_sampling_freq"] == 25
    assert client.static_info()["CarName"] == running.session.info.car
    assert client.track_info() == {}
    assert [car["id"] for car in client.opponents(PATIENCE)] == [1]
    client.close()
    assert eventually(lambda: running.session.host.clients == 0)


def test_controls_arrive_as_they_were_said_to_be_sent(client: AppClient, running: Running) -> None:
    client.connect(PATIENCE)
    asked = some_controls(steer=-1.7, throttle=0.123456789, brake=0.25, clutch=0.5, drs=1.0, gear=AUTO_GEAR)
    sent = client.send(asked)
    assert sent.dtype == CONTROLS
    assert sent["steer"][0] == -1.0

    def obeyed() -> bool:
        client.send(asked)
        controls = running.session.host.controls
        return controls is not None and controls["gas"][0] > 0.0

    assert eventually(obeyed)
    with running.lock:
        row = running.session.host.controls[0].copy()
    assert row["steer"] == 1.0  # right is positive there
    assert row["gas"] == pytest.approx(float(sent["throttle"][0]), abs=1e-6)
    assert row["brake"] == pytest.approx(0.25)
    assert row["clutch"] == pytest.approx(0.5)
    assert (row["drs"], row["autoshift_active"], row["autoclutch_on_change"]) == (1, 1, 0)


def test_reset_waits_until_it_is_done(client: AppClient, running: Running) -> None:
    resets: list[int] = []
    running.session.fake.on_reset = lambda: resets.append(1)
    client.reset(PATIENCE)
    assert resets == [1]


def test_source_gives_frames(client: AppClient, running: Running) -> None:
    source = AppSource(client=client)
    info = source.connect(PATIENCE)
    assert (info.car, info.track, info.layout, info.csp_version) == ("bmw_z4_gt3", "monza", "", "0.2.8")
    assert info.track_length == pytest.approx(5790.5)
    assert info.max_fuel == pytest.approx(running.session.info.max_fuel)
    steps = []
    for _ in range(20):
        sample = source.read(PATIENCE)
        assert sample is not None
        steps.append(int(sample.frame["packet_id"][0]))
        assert sample.frame["yaw"][0] == pytest.approx(float(running.session.frames["yaw"][0]), rel=1e-6)
        assert np.isnan(sample.frame["lateral_offset"][0])
    assert np.all(np.diff(steps) > 0)
    assert comes_to(source, "live")
    assert source.health().rate > 0.0
    source.close()


def test_a_paused_game_has_nothing_new(client: AppClient, running: Running) -> None:
    source = AppSource(client=client)
    source.connect(PATIENCE)
    assert source.read(PATIENCE) is not None
    with running.lock:
        running.session.games["status"] = 3
        running.session.step = lambda frames=1: Session.step(running.session, frames, physics=False)  # type: ignore[method-assign]
    assert eventually(lambda: source.read(0.05) is None)
    assert comes_to(source, "paused")
    assert source.read(0.05) is None


def test_another_car_asks_for_a_new_connection(client: AppClient, running: Running) -> None:
    source = AppSource(client=client)
    source.connect(PATIENCE)
    with running.lock:
        session = running.session
        session.fake.begin(session.info._replace(car="ks_mazda_miata"), session.car)
        session.step(round(1.2 * FPS))

    def told() -> bool:
        try:
            source.read(0.05)
        except SourceError as error:
            return "Connect again" in str(error)
        return False

    assert eventually(told)
    assert source.connect(PATIENCE).car == "ks_mazda_miata"
    assert source.read(PATIENCE) is not None


def test_a_game_that_ends_and_comes_back(client: AppClient, running: Running, gt3: Any) -> None:
    """The new session knows no clients; the source asks it again."""
    source = AppSource(client=client)
    source.connect(PATIENCE)
    assert source.read(PATIENCE) is not None
    ports = running.session.host.ports
    with running.lock:
        running.session.host.close()
    assert eventually(lambda: source.read(0.01) is None and source.health().status == "dead")
    with running.lock:
        session = running.session
        session.host = AppHost(session.fake, ports, clock=lambda: session.now)
    assert eventually(lambda: source.read(0.05))


def test_nobody_there_is_said_quickly() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        begin = time.perf_counter()
        with pytest.raises(SourceError, match="actwin serve"):
            AppSource("127.0.0.1", port).connect(0.2)
        assert time.perf_counter() - begin < PATIENCE
    with pytest.raises(SourceError, match="actwin serve"):
        AppClient("127.0.0.1", port).config(0.2)
    with pytest.raises(SourceError, match="connect"):
        AppClient().receive(0.0)
    with pytest.raises(SourceError, match="connect"):
        AppClient().send(neutral_controls(1))


def test_source_by_name() -> None:
    source = open_source("app:127.0.0.1:3456")
    assert isinstance(source, AppSource)
    assert (source.client.port, source.client.opponents_port, source.client.management_port) == (3456, 3457, 3458)
    with pytest.raises(ConfigError):
        open_source("app:127.0.0.1:port")


@pytest.mark.parametrize("name", ["steer", "throttle", "brake", "clutch", "drs"])
def test_controls_that_are_no_numbers_are_refused(name: str) -> None:
    with pytest.raises(ControlError, match=name):
        ControlWriter().write(some_controls(**{name: np.nan}), 0, None)


def test_two_cars_are_refused() -> None:
    with pytest.raises(ControlError):
        ControlWriter().write(neutral_controls(2), 0, None)


def test_shift_buttons_are_pulsed_until_the_gear_is_in() -> None:
    """The plugin presses the button as long as it is asked for, and a gearbox shifts once a press."""
    writer, presses = ControlWriter(), []
    for number in range(24):
        text, _ = writer.write(some_controls(gear=3), number, 1 if number < 16 else 3)
        message = json.loads(text)
        assert message["shift_down"] == 0
        assert message["gear"] == 3
        presses.append(message["shift_up"])
    assert presses[:10] == [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]
    assert not any(presses[18:])


class Plugin:
    """Answers as the plugin does: one management connection at a time, a Python literal for get_config."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.controls: list[Any] = []
        self.commands: list[str] = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.udp.bind(("127.0.0.1", 0))
        for opened in (self.udp, *self.tcp):
            opened.settimeout(0.02)
        self.ports = (self.udp.getsockname()[1], *(server.getsockname()[1] for server in self.tcp))
        tasks = (self.ego, self.opponents, self.management)
        self.threads = [threading.Thread(target=task, daemon=True) for task in tasks]
        for thread in self.threads:
            thread.start()

    def ego(self) -> None:
        address, steps = None, 0
        while not self.over.is_set():
            try:
                data, sender = self.udp.recvfrom(1024)
                if data == b"connect":
                    address, steps = sender, 0
                    self.udp.sendto(b"identified", address)
                elif data == b"disconnect":
                    address = None
                else:
                    self.controls.append(json.loads(data))
            except TimeoutError:
                pass
            if address is not None:
                steps += 1
                message = {
                    "steps": steps, "timestamp_ac": 0.04 * steps, "packetId": 4 * steps, "currentTime": 39 * steps,
                    "world_position_x": 1.0, "world_position_y": 2.0, "world_position_z": 3.0, "speed": 10.0,
                    "local_velocity_x": 10.0, "yaw": 0.5, "steerAngle": -90.0, "accStatus": 0.5, "actualGear": 3,
                    "RPM": 4000.5, "LapCount": 0, "LapInvalidated": 0, "NormalizedSplinePosition": 0.25, "BestLap": 0,
                    "tyres_load": [1.0, 2.0, 3.0, 4.0], "accelX": float("nan"), "done": False,
                }  # fmt: skip
                self.udp.sendto(json.dumps(message).encode(), address)

    def opponents(self) -> None:
        self.serve(self.tcp[0], lambda connection: connection.sendall(b"1" + 3 * b"21HEADER-END[{'id': 1, 'yaw': 0}]"))

    def management(self) -> None:
        config = {"version": "0.0.1", "ego_sampling_freq": 25, "config_python_executable": None, "relocate": True}
        static = {"CarName": "ks_mazda_miata", "TrackName": "ks_barcelona", "TrackConfiguration": "layout_gp"}

        def answer(connection: socket.socket) -> None:
            while command := connection.recv(1024).decode():
                self.commands.append(command)
                if command == "get_config":
                    connection.sendall(str(config).encode())
                elif command == "get_static_info":
                    connection.sendall(json.dumps({**static, "TrackLength": 4655.0, "isCarInPit": True}).encode())
                elif command != "reset":
                    return

        self.serve(self.tcp[1], answer)

    def serve(self, server: socket.socket, answer: Callable[[socket.socket], None]) -> None:
        while not self.over.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(1.0)
                try:
                    answer(connection)
                except OSError:
                    continue

    def close(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE)
        for opened in (self.udp, *self.tcp):
            opened.close()


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    made = Plugin()
    yield made
    made.close()


def test_our_client_against_the_plugin(plugin: Plugin) -> None:
    client = AppClient("127.0.0.1", *plugin.ports)
    assert client.config(PATIENCE) == {"version": "0.0.1", "ego_sampling_freq": 25, "relocate": 1}
    source = AppSource(client=client, steer_lock=np.pi)
    info = source.connect(PATIENCE)
    assert (info.car, info.track, info.layout) == ("ks_mazda_miata", "ks_barcelona", "layout_gp")
    assert info.track_length == 4655.0
    samples = [source.read(PATIENCE) for _ in range(5)]
    frame = samples[-1].frame
    assert [float(frame[axis][0]) for axis in "xyz"] == [1.0, 2.0, 3.0]
    assert frame["gear"][0] == 2
    assert frame["rpm"][0] == pytest.approx(4000.5)
    assert frame["steer"][0] == pytest.approx(0.5)
    assert frame["load"][0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.isnan(frame["ay"][0])
    assert np.isnan(frame["fuel"][0])
    steps = [int(sample.frame["packet_id"][0]) for sample in samples]
    assert all(step % 13 == 0 for step in steps)
    assert np.all(np.diff(steps) > 0)
    assert comes_to(source, "live")
    client.send(some_controls(steer=0.5, throttle=1.0, gear=3))
    assert eventually(lambda: plugin.controls)
    message = plugin.controls[0]
    assert (message["steer"], message["acc"], message["brake"], message["shift_up"]) == (-0.5, 1.0, -1.0, 1)
    assert message["server_steps"] > 0
    assert all(isinstance(value, int | float) and not isinstance(value, bool) for value in message.values())
    client.reset(PATIENCE)
    assert plugin.commands[-2:] == ["reset", "get_config"]
    assert client.opponents(PATIENCE) == [{"id": 1, "yaw": 0}]
    source.close()
