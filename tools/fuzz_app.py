"""Sends hostile messages to the in-game app and to its client: `python tools/fuzz_app.py --messages 1000000`.

Random, truncated, oversized, mutated, nested and joined messages go to the app's three ports, to the parsers on both
sides, and from a hostile server to the client. It ends with an error when something raises what it should not, when a
server does not answer afterwards, or when memory grows.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from actwin.content.library import load_car
from actwin.errors import SourceError
from actwin.telemetry.ac import app_messages
from actwin.telemetry.ac.app_client import AppClient
from actwin.telemetry.ac.app_frames import REQUIRED, frames_from_app
from actwin.telemetry.ac.app_source import info_from_app
from actwin.telemetry.ac.literal import parse
from actwin.telemetry.ac.pages import Status
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import FRAME, GAME
from actwin.twin.emulator.app_host import AppHost
from actwin.twin.emulator.fake_ac import FakeAc

WORDS = (
    "connect",
    "disconnect",
    "identified",
    "reset",
    "get_config",
    "get_static_info",
    "get_track_info",
    "HEADER-END",
)
CONTROLS = {"steer": 0.1, "acc": -1, "brake": 1.0, "enable_gear_shift": 0, "shift_up": 1, "server_steps": 12, "gear": 3}
TELEMETRY = {
    **dict.fromkeys(sorted(REQUIRED), 1.5), "steps": 7, "actualGear": 3, "tyres_load": [1.0, 2.0, 3.0, 4.0],
    "physics.packetId": 1200, "LapInvalidated": 0, "static_serial": 1, "packetId": 4,
}  # fmt: skip
OPPONENTS = "1" + 2 * '53HEADER-END[{"id": 1, "world_position": [1, 2, 3], "yaw": 0.5}]'
ODD = (
    "NaN",
    "Infinity",
    "-1e999",
    "1e400",
    "null",
    "None",
    "True",
    "{}",
    "[]",
    '""',
    "9" * 300,
    "0x10",
    "__import__('os')",
)
GROWTH = 24 * 2**20
"""[byte] That the process may grow by after its first tenth."""


def hostile(draw: random.Random, bases: tuple[str, ...]) -> bytes:
    """One hostile message, made from one of the good ones or from nothing."""
    kind = draw.randrange(9)
    if kind == 0:
        return draw.randbytes(draw.randrange(1, 200))
    text = draw.choice(bases)
    if kind == 1:
        return text[: draw.randrange(len(text) + 1)].encode()
    if kind == 2:
        return (text * draw.randrange(2, 40)).encode()
    if kind == 3:
        return (draw.choice("[{('\"\\") * draw.randrange(1, 3000)).encode()
    if kind == 4:
        data = bytearray(text.encode())
        for _ in range(draw.randrange(1, 6)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        return bytes(data)
    if kind == 5:
        at = draw.randrange(len(text))
        return (text[:at] + draw.choice(ODD) + text[at:]).encode()
    if kind == 6:
        return draw.choice(WORDS).encode() + draw.choice((b"", b"\n", b"\0", b" now", b"get_config"))
    if kind == 7:
        return text.replace(draw.choice("0123456789"), draw.choice(ODD)).encode()
    return text.encode()


def resident() -> int:
    """[byte] Memory in use; 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text(encoding="ascii").split()[1]) * 4096 if path.exists() else 0


class Game:
    """The app with one healthy client, stepped by hand."""

    def __init__(self) -> None:
        car = load_car("bmw_z4_gt3")
        info = GameInfo("emulator", car.name, "monza", track_length=5793.0, max_rpm=9000.0, max_fuel=75.0)
        self.fake = FakeAc(info, car, cars=3)
        self.frames, self.games = np.zeros(3, FRAME), np.zeros(3, GAME)
        self.games["status"] = Status.LIVE
        self.host = AppHost(self.fake, (0, 0, 0))

    def step(self) -> None:
        """One rendered frame."""
        self.frames["packet_id"] += 7
        self.fake.update(self.frames, self.games)
        self.host.update(0.02)

    def check(self) -> None:
        """Raises unless all three servers answer."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(0.002):
                self.step()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            client = AppClient("127.0.0.1", *self.host.ports)
            client.connect(10.0)
            assert client.receive(10.0) is not None
            assert client.config(10.0)["app"] == "actwin"
            assert len(client.opponents(10.0)) == 2
            client.close()
        finally:
            over.set()
            thread.join()
        assert not any("failed" in line for line in self.fake.journal), list(self.fake.journal)


def udp_to_app(game: Game, draw: random.Random) -> Iterator[None]:
    """Datagrams from strangers and from clients."""
    bases = (json.dumps(CONTROLS), str(CONTROLS), *WORDS)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(6)]
        for sender in sockets:
            sender.setblocking(False)
            sender.connect(game.host.addresses["ego"])
        for number in range(sys.maxsize):
            with contextlib.suppress(OSError):
                draw.choice(sockets).send(hostile(draw, bases))
            if number % 48 == 0:
                game.step()
            if number % 4096 == 0:
                for sender in sockets:
                    with contextlib.suppress(OSError):
                        while sender.recv(1 << 16):
                            pass
            yield


def tcp_to_app(game: Game, draw: random.Random) -> Iterator[None]:
    """Streams to management and opponents, cut, joined, abandoned."""
    bases = (*WORDS[3:7], "get_configget_static_info", "GET / HTTP/1.1\r\n\r\n")
    peers: list[socket.socket] = []
    try:
        while True:
            if len(peers) < 6 or draw.random() < 0.05:
                address = game.host.addresses[draw.choice(("management", "opponents"))]
                peers.append(socket.create_connection(address, 5.0))
                peers[-1].setblocking(False)
            peer = draw.choice(peers)
            try:
                peer.send(hostile(draw, bases))
                if draw.random() < 0.5:
                    peer.recv(1 << 16)
            except BlockingIOError:
                pass
            except OSError:
                peer.close()
                peers.remove(peer)
            if len(peers) > 12:
                peers.pop(0).close()
            game.step()
            yield
    finally:
        for peer in peers:
            peer.close()


def parsers(game: Game, draw: random.Random) -> Iterator[None]:
    """Every parser, in this process."""
    bases = (json.dumps(TELEMETRY), str(TELEMETRY), json.dumps(CONTROLS), OPPONENTS)
    controls = game.host.modules["wire"].parse_controls
    streams = app_messages.OpponentStream()
    while True:
        data = hostile(draw, bases)
        controls(data)
        message = app_messages.telemetry(data)
        if message is not None:
            frames_from_app([message])
        try:
            streams.feed(data)
        except SourceError:
            streams = app_messages.OpponentStream()
        with contextlib.suppress(SourceError):
            info_from_app(app_messages.mapping(parse(data.decode("utf-8", "replace"))))
        yield


def udp_to_client(game: Game, draw: random.Random) -> Iterator[None]:
    """Datagrams of a hostile server."""
    bases = (json.dumps(TELEMETRY), str(TELEMETRY), *WORDS[:3])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        client = AppClient("127.0.0.1", server.getsockname()[1])
        thread = threading.Thread(target=client.connect, args=(10.0,))
        thread.start()
        _, address = server.recvfrom(100)
        server.sendto(b"identified", address)
        thread.join()
        try:
            for number in range(sys.maxsize):
                server.sendto(hostile(draw, bases), address)
                if number % 16 == 0:
                    client.receive(0.0)
                yield
        finally:
            client.close()


def tcp_to_client(game: Game, draw: random.Random) -> Iterator[None]:
    """Answers of a hostile server."""
    bases = (json.dumps(TELEMETRY), str(TELEMETRY), OPPONENTS)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    port = server.getsockname()[1]
    client = AppClient("127.0.0.1", port, port, port)
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(hostile(draw, bases))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        while True:
            for ask in (client.config, client.static_info, client.track_info, client.opponents):
                with contextlib.suppress(SourceError):
                    ask(0.2)
                yield
    finally:
        over.set()
        thread.join()
        server.close()


TARGETS: tuple[tuple[str, Callable[[Game, random.Random], Iterator[None]], float], ...] = (
    ("UDP to the app", udp_to_app, 0.55),
    ("TCP to the app", tcp_to_app, 0.03),
    ("parsers", parsers, 0.3),
    ("UDP to the client", udp_to_client, 0.115),
    ("TCP to the client", tcp_to_client, 0.005),
)


def main() -> None:
    """Runs every target with its share of the messages."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    game = Game()
    for name, target, share in TARGETS:
        count, begin, grown = max(int(share * chosen.messages), 10), time.perf_counter(), 0
        steps = target(game, random.Random(f"{chosen.seed} {name}"))
        for number in range(count):
            next(steps)
            if number == count // 10:
                grown = resident()
        growth = resident() - grown
        steps.close()
        game.check()
        if growth > GROWTH:
            raise SystemExit(f"{name}: memory grew by {growth / 2**20:.0f} MiB.")
        took = time.perf_counter() - begin
        print(
            f"{name}: {count} messages in {took:.0f} s, all servers answer, memory {growth / 2**20:+.1f} MiB",
            flush=True,
        )
    game.host.close()


if __name__ == "__main__":
    main()
