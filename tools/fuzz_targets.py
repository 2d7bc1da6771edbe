"""What `fuzz_interfaces.py` feeds: parsers, the servers of an emulator, clients that a hostile game answers."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import hostile_messages
import numpy as np
from hostile_messages import APP_REQUESTS, APP_TELEMETRY, MANAGEMENT_REQUESTS, OPPONENT_LISTS, Noise

from actwin.content.library import load_car, load_track
from actwin.errors import ActwinError, SourceError
from actwin.telemetry.ac import app_messages
from actwin.telemetry.ac.app_client import AppClient
from actwin.telemetry.ac.custom_ai import CAR_CONTROLS, SIM_STATE, SIM_STATE_NAME, controls_name
from actwin.telemetry.ac.frames import frames_from_pages, frames_from_remote
from actwin.telemetry.ac.literal import parse
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, page, static_page
from actwin.telemetry.ac.remote import RemoteSource
from actwin.telemetry.ac.remote_packets import RT_CAR_INFO
from actwin.twin.emulator.app import App
from actwin.twin.emulator.emulator import Emulator, Outlets
from actwin.twin.emulator.remote import Remote
from actwin.twin.simulator import Simulator


class Target(NamedTuple):
    """Something that is fed.

    Attributes:
        name: For the report.
        feed: Takes one message.
        share: Of all messages.
    """

    name: str
    feed: Callable[[], object]
    share: float


def parsers(noise: Noise) -> list[Target]:
    """What reads bytes without waiting for them."""
    pages, car = hostile_messages.pages(), hostile_messages.remote_packets()[1]

    def shared_memory() -> None:
        physics, graphics, static = (noise.message([data]) for data in pages)
        with contextlib.suppress(SourceError):
            frames_from_pages(page(physics, PHYSICS), page(graphics, GRAPHICS), static_page(static))

    def packets() -> None:
        size = RT_CAR_INFO.itemsize
        frames_from_remote(np.frombuffer(noise.message([car])[:size].ljust(size, b"\0"), RT_CAR_INFO))

    def telemetry() -> None:
        app_messages.telemetry(noise.message(APP_TELEMETRY))

    def literal() -> None:
        with contextlib.suppress(SourceError):
            parse(noise.message(APP_TELEMETRY).decode("utf-8", "replace"))

    def opponents() -> None:
        stream = app_messages.OpponentStream()
        with contextlib.suppress(SourceError):
            for _ in range(3):
                stream.feed(noise.message(OPPONENT_LISTS))

    return [
        Target("shared-memory pages", shared_memory, 0.1),
        Target("remote telemetry packets", packets, 0.05),
        Target("app telemetry", telemetry, 0.1),
        Target("app literals", literal, 0.05),
        Target("app opponents", opponents, 0.05),
    ]


class Servers:
    """An emulator with all its servers, on ports of its own.

    Args:
        folder: Of its shared memory.
        noise: Makes the messages.
    """

    def __init__(self, folder: Path, noise: Noise) -> None:
        simulator = Simulator(load_track("oval"), load_car("dallara_f317"), n=2, substeps=1)
        self.folder, self.noise = folder, noise
        outlets = Outlets(folder=folder, remote_port=0, app_ports=(0, 0, 0), fps=333.0, app_rate=25)
        self.emulator = Emulator(simulator, outlets=outlets)
        self.remote_port = next(one.server.port for one in self.emulator.interfaces if isinstance(one, Remote))
        self.app_ports = next(one.app.ports for one in self.emulator.interfaces if isinstance(one, App))
        self._udp = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
        self._tcp: list[socket.socket] = []
        self._fed = 0

    def targets(self) -> list[Target]:
        """The servers and the shared memory that the emulator reads."""
        ego, opponents, management = self.app_ports
        requests = hostile_messages.remote_requests()
        return [
            Target("UDP remote telemetry server", lambda: self._datagram(self.remote_port, requests), 0.15),
            Target("UDP app server", lambda: self._datagram(ego, APP_REQUESTS), 0.15),
            Target("TCP opponents server", lambda: self._stream(opponents, [b"", b"x"]), 0.02),
            Target("TCP management server", lambda: self._stream(management, MANAGEMENT_REQUESTS), 0.08),
            Target("Custom AI controls", lambda: self._memory(controls_name(0), CAR_CONTROLS), 0.1),
            Target("Custom AI simulation", lambda: self._memory(SIM_STATE_NAME, SIM_STATE), 0.02),
        ]

    def _datagram(self, port: int, seeds: Sequence[bytes]) -> None:
        client = self._udp[int(self.noise.random.integers(len(self._udp)))]
        client.sendto(self.noise.message(seeds), ("127.0.0.1", port))
        self._turn()

    def _stream(self, port: int, seeds: Sequence[bytes]) -> None:
        """A client that connects, or one that is still there, says something; now and then one leaves."""
        if len(self._tcp) < 4:
            client = socket.create_connection(("127.0.0.1", port), timeout=5.0)
            client.setblocking(False)
            self._tcp.append(client)
        client = self._tcp[int(self.noise.random.integers(len(self._tcp)))]
        with contextlib.suppress(OSError):
            client.send(self.noise.message(seeds, longest=4096))
        if self.noise.random.random() < 0.2:
            self._tcp.remove(client)
            client.close()
        self._turn()

    def _memory(self, name: str, layout: np.dtype[Any]) -> None:
        with Mapping.create(name, layout.itemsize, self.folder) as mapping:
            mapping.write(self.noise.message([bytes(layout.itemsize)])[: layout.itemsize])
        self._turn()

    def _turn(self) -> None:
        """The game goes on: a step for every few messages."""
        self._fed += 1
        if self._fed % 10 == 0:
            frames = self.emulator.step()
            if not np.isfinite(frames["x"]).all():
                raise AssertionError("The car left the world of finite numbers.")

    def still_answer(self) -> list[str]:
        """Asks every server what it is for; the problems, none when all is well."""
        for client in (*self._udp, *self._tcp):
            client.close()
        for name in (controls_name(0), SIM_STATE_NAME):
            with contextlib.suppress(OSError):
                (self.folder / name).unlink()
        self.emulator.game.paused = False
        problems = []
        with Stepping(self.emulator):
            app = AppClient("127.0.0.1", *self.app_ports)
            checks: dict[str, Callable[[], object]] = {
                "remote telemetry": lambda: read_one(RemoteSource(port=self.remote_port)),
                "shared memory": lambda: read_one(SharedMemorySource(self.folder)),
                "app": lambda: app.connect(5.0),
                "app telemetry": lambda: expect(app.receive(5.0)),
                "app configuration": lambda: app.config(10.0),
                "app opponents": lambda: app.opponents(10.0),
            }
            for name, check in checks.items():
                try:
                    check()
                except ActwinError as error:
                    problems.append(f"{name}: {error}")
            app.close()
        return problems


class Stepping:
    """Steps an emulator in a thread."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator, self._stop = emulator, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.002):
            self._emulator.step()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def expect(answer: object) -> None:
    """Says when there is none."""
    if answer is None:
        raise SourceError("it sends nothing")


def read_one(source: RemoteSource | SharedMemorySource) -> None:
    """Connects and reads one sample."""
    source.connect(5.0)
    try:
        expect(source.read(5.0))
    finally:
        source.close()


class HostileGame:
    """A game that answers our UDP clients with anything."""

    def __init__(self, noise: Noise) -> None:
        self.noise = noise
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        port = self.socket.getsockname()[1]
        self.remote, self.app = RemoteSource(port=port), AppClient("127.0.0.1", port)
        self._clients: dict[str, tuple[str, int]] = {}
        self._packets = hostile_messages.remote_packets()
        self._meet("remote", self._packets[0], self.remote.connect)
        self._meet("app", b"identified", self.app.connect)

    def _meet(self, name: str, answer: bytes, connect: Callable[[float], object]) -> None:
        thread = threading.Thread(target=connect, args=(10.0,))
        thread.start()
        while thread.is_alive():
            with contextlib.suppress(BlockingIOError):
                _, self._clients[name] = self.socket.recvfrom(4096)
                self.socket.sendto(answer, self._clients[name])
            time.sleep(0.001)

    def targets(self) -> list[Target]:
        """The clients."""
        return [Target("UDP remote client", self._to_remote, 0.07), Target("UDP app client", self._to_app, 0.06)]

    def _to_remote(self) -> None:
        self.socket.sendto(self.noise.message(self._packets), self._clients["remote"])
        self.remote.read(0.0)
        if self.noise.random.random() < 0.01:
            self.remote.laps()
        self._drain()

    def _to_app(self) -> None:
        self.socket.sendto(self.noise.message(APP_TELEMETRY), self._clients["app"])
        self.app.receive(0.0)
        self._drain()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.recvfrom(4096)

    def close(self) -> None:
        """Ends the clients."""
        self.remote.close()
        self.app.close()
        self.socket.close()
