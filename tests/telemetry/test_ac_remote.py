"""The UDP remote telemetry: our client, our server, and strangers on both ends."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac import opening as source_module
from actwin.telemetry.ac.frames import BLANK_FRAME, BLANK_GAME, remote_from_frames
from actwin.telemetry.ac.opening import address, open_source
from actwin.telemetry.ac.pages import text, write_text
from actwin.telemetry.ac.remote import RemoteSource, sensible
from actwin.telemetry.ac.remote_packets import (
    ACCEPTED,
    RT_CAR_INFO,
    RT_HANDSHAKER,
    RT_LAP,
    RT_RESPONSE,
    Operation,
)
from actwin.telemetry.ac.remote_server import MOST_CLIENTS, RemoteServer
from actwin.telemetry.ac.source import GameInfo

INFO = GameInfo(car="bmw_m3_e30_gra", track="ks_monza66", driver="Ayrton Ü")


def request(operation: int, identifier: int = 1) -> bytes:
    packet = np.zeros(1, RT_HANDSHAKER)
    packet["identifier"], packet["version"], packet["operationId"] = identifier, 1, operation
    return packet.tobytes()


def car_packet(speed: float = 10.0) -> npt.NDArray[Any]:
    frame = BLANK_FRAME.copy()
    frame["speed"] = speed
    return remote_from_frames(frame, BLANK_GAME)


@pytest.fixture
def server() -> Iterator[RemoteServer]:
    with RemoteServer(0, info=INFO) as made:
        yield made


class Stranger:
    """A client of somebody else: a socket that sends requests and takes what comes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(1.0)
        self.socket.connect(("127.0.0.1", port))

    def ask(self, server: RemoteServer, operation: int) -> None:
        self.socket.send(request(operation))
        settle(server.poll)

    def take(self) -> bytes:
        return self.socket.recv(2048)

    def silent(self) -> bool:
        self.socket.settimeout(0.02)
        try:
            self.socket.recv(2048)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(1.0)
        return False


@pytest.fixture
def strangers(server: RemoteServer) -> Iterator[Callable[[], Stranger]]:
    made: list[Stranger] = []

    def make() -> Stranger:
        made.append(Stranger(server.port))
        return made[-1]

    yield make
    for stranger in made:
        stranger.socket.close()


def settle(poll: Callable[[], None]) -> None:
    """Datagrams on the loopback are there at once, nearly."""
    for _ in range(3):
        poll()
        time.sleep(0.001)
    poll()


class Serving:
    """A server that runs in a thread, publishing every 2 ms; speeds count up."""

    def __init__(self, server: RemoteServer) -> None:
        self.server, self.speed = server, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.002):
            self.server.poll()
            self.speed += 1
            self.server.publish(car_packet(self.speed))

    def __enter__(self) -> Serving:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_the_handshake_is_the_games(server: RemoteServer, strangers: Callable[[], Stranger]) -> None:
    client = strangers()
    client.ask(server, Operation.HANDSHAKE)
    answer = np.frombuffer(client.take(), RT_RESPONSE)[0]
    assert (answer["identifier"], answer["version"]) == (ACCEPTED, 1)
    assert bytes(answer["carName"])[: 2 * 15] == "bmw_m3_e30_gra%".encode("utf-16-le")
    assert text(answer["driverName"]) == INFO.driver
    assert text(answer["trackName"]) == text(answer["trackConfig"]) == "ks_monza66"
    assert client.silent()


def test_subscriptions_are_apart_and_dismissed(server: RemoteServer, strangers: Callable[[], Stranger]) -> None:
    car, laps, both = strangers(), strangers(), strangers()
    for client, operations in ((car, (1,)), (laps, (2,)), (both, (1, 2))):
        for operation in operations:
            client.ask(server, operation)
    assert server.subscribers == 2
    server.publish(car_packet(50.0))
    assert np.frombuffer(car.take(), RT_CAR_INFO)["speed_Ms"][0] == 50.0
    assert len(both.take()) == RT_CAR_INFO.itemsize
    assert laps.silent()
    server.publish_lap(3, 83.456, car=2, driver="B", car_name="ks_x")
    lap = np.frombuffer(laps.take(), RT_LAP)[0]
    assert (lap["carIdentifierNumber"], lap["lap"], lap["time"]) == (2, 3, 83456)
    assert (text(lap["driverName"]), text(lap["carName"])) == ("B", "ks_x")
    assert len(both.take()) == RT_LAP.itemsize
    assert car.silent()
    both.ask(server, Operation.DISMISS)
    server.publish(car_packet())
    assert both.silent()
    assert len(car.take()) == RT_CAR_INFO.itemsize


def test_vanished_clients_do_not_stop_the_stream(server: RemoteServer, strangers: Callable[[], Stranger]) -> None:
    gone, there = strangers(), strangers()
    gone.ask(server, 1)
    there.ask(server, 1)
    gone.socket.close()
    for _ in range(5):
        server.publish(car_packet())
        server.poll()
        assert len(there.take()) == RT_CAR_INFO.itemsize


def test_clients_are_bounded(server: RemoteServer, strangers: Callable[[], Stranger]) -> None:
    for _ in range(MOST_CLIENTS + 5):
        strangers().ask(server, 1)
    assert server.subscribers == MOST_CLIENTS


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_the_server_answers_after_any_garbage(server: RemoteServer, messages: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(1.0)
        for message in messages:
            client.send(message)
        client.send(request(Operation.HANDSHAKE))
        settle(server.poll)
        assert len(client.recv(2048)) == RT_RESPONSE.itemsize


def test_a_port_in_use_is_said(server: RemoteServer) -> None:
    with pytest.raises(SourceError, match="not free"):
        RemoteServer(server.port)


def test_client_and_server(server: RemoteServer) -> None:
    source = RemoteSource(port=server.port, steer_lock=5.0)
    with Serving(server) as game, source:
        info = source.connect()
        assert (info.car, info.track, info.layout, info.driver) == (INFO.car, INFO.track, "", INFO.driver)
        speeds = []
        for _ in range(20):
            sample = source.read(1.0)
            assert sample is not None
            speeds.append(float(sample.frame["speed"][0]))
        assert speeds == sorted(set(speeds))
        assert source.health().status == "live"
        game.server.publish_lap(1, 77.288)
        deadline = time.perf_counter() + 2.0
        laps = source.laps()
        while not laps and time.perf_counter() < deadline:
            source.read(0.1)
            laps = source.laps()
        assert (laps[0].lap, laps[0].time, laps[0].car_name) == (1, pytest.approx(77.288), INFO.car)
        source.close()
        time.sleep(0.05)
        assert server.subscribers == 0
        assert source.connect().car == INFO.car


def test_the_newest_of_a_queue_is_taken(server: RemoteServer) -> None:
    with RemoteSource(port=server.port) as source:
        thread = threading.Thread(target=source.connect)
        thread.start()
        while thread.is_alive():
            server.poll()
            time.sleep(0.001)
        settle(server.poll)
        for speed in (1.0, 2.0, 3.0):
            server.publish(car_packet(speed))
        time.sleep(0.01)
        sample = source.read(1.0)
        assert sample is not None
        assert sample.frame["speed"][0] == 3.0
        assert source.health().dropped == 2
        assert source.read(0.0) is None


def test_the_client_asks_again_after_silence() -> None:
    """The game was restarted: it knows nobody, until the silence makes the client shake hands again."""
    first = RemoteServer(0, info=INFO)
    port = first.port
    source = RemoteSource(port=port)
    with Serving(first):
        source.connect()
        assert source.read(1.0) is not None
    first.close()
    deadline = time.perf_counter() + 10.0
    with RemoteServer(port, info=INFO._replace(car="abarth500")) as second, Serving(second):
        while source.info.car != "abarth500" and time.perf_counter() < deadline:
            source.read(0.05)
        assert source.read(2.0) is not None
    source.close()


def test_nobody_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        source = RemoteSource(port=silent.getsockname()[1])
        begin = time.perf_counter()
        with pytest.raises(SourceError, match=r"No answer .*actwin serve"):
            source.connect(timeout=0.2)
        assert time.perf_counter() - begin < 5.0
    with pytest.raises(SourceError, match="connect"):
        source.read()
    source.close()
    assert source.health().status == "dead"


def test_a_refusal_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as game:
        game.bind(("127.0.0.1", 0))
        game.settimeout(2.0)
        source = RemoteSource(port=game.getsockname()[1])

        def refuse() -> None:
            _, client = game.recvfrom(100)
            game.sendto(np.zeros(1, RT_RESPONSE).tobytes(), client)
            answer = np.zeros(1, RT_RESPONSE)
            answer["identifier"] = 7
            game.sendto(answer.tobytes(), client)

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(SourceError, match="refused with code 7"):
            source.connect(timeout=0.5)
        thread.join()


def test_a_hostile_game_does_not_break_the_client() -> None:
    random = np.random.default_rng(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as game:
        game.bind(("127.0.0.1", 0))
        game.settimeout(2.0)
        source = RemoteSource(port=game.getsockname()[1])
        good = np.zeros(1, RT_RESPONSE)
        good["identifier"] = ACCEPTED
        write_text(good["carName"][0], "../../../etc", "%")
        thread = threading.Thread(target=lambda: game.sendto(good.tobytes(), game.recvfrom(100)[1]))
        thread.start()
        info = source.connect()
        thread.join()
        assert "/" not in info.car
        assert source._socket is not None
        client = source._socket.getsockname()
        for size in (0, 1, 12, 212, 328, 408, 1500, 9000):
            for _ in range(50):
                game.sendto(random.bytes(size), client)
            source.read(0.01)
        assert source.rejected > 100
        game.sendto(car_packet(44.0).tobytes(), client)
        sample = source.read(1.0)
        assert sample is not None
        assert sample.frame["speed"][0] == 44.0
        assert len(source.laps()) <= 256
        source.close()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 327),
        ("identifier", 0),
        ("speed_Ms", math.nan),
        ("load", math.inf),
        ("carCoordinates", 1e30),
        ("gear", -1),
    ],
)
def test_impossible_packets_are_rejected(field: str, value: float) -> None:
    packet = car_packet()
    assert sensible(packet)
    packet[field] = value
    assert not sensible(packet)


# How the user names a source


@pytest.mark.parametrize(
    ("words", "name"), [("memory", "memory"), ("memory:/tmp/x", "memory"), ("udp", "udp"), ("app", "app")]
)
def test_sources_by_name(words: str, name: str) -> None:
    source = open_source(words)
    assert source.name == name
    source.close()


def test_a_source_with_its_address() -> None:
    source = open_source("udp:192.168.1.7:1234")
    assert isinstance(source, RemoteSource)
    assert (source.host, source.port) == ("192.168.1.7", 1234)
    assert address("", "h", 1) == ("h", 1)
    assert address("pc", "h", 1) == ("pc", 1)
    assert address(":22", "h", 1) == ("h", 22)


@pytest.mark.parametrize("words", ["", "memorry", "udp:h:0", "udp:h:99999", "udp:h:-1", "udp:h:²", "auto:x"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(ConfigError, match="Give"):
        open_source(words)


def test_auto_takes_the_first_that_answers(server: RemoteServer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody:
        closed = 0

        def connect(self, timeout: float) -> None:
            raise SourceError("nobody")

        def close(self) -> None:
            Nobody.closed += 1

    openers = {"memory": lambda _: Nobody(), "udp": lambda _: RemoteSource(port=server.port)}
    monkeypatch.setattr(source_module, "_OPENERS", openers)
    with Serving(server):
        source = open_source("auto")
        assert source.name == "udp"
        assert source.read(1.0) is not None
        source.close()
    assert Nobody.closed == 1
    monkeypatch.setattr(source_module, "_OPENERS", {"memory": lambda _: Nobody()})
    with pytest.raises(SourceError, match=r"No Assetto Corsa found.*actwin serve"):
        open_source("auto")
