"""A session of the game with the app in it, stepped by hand."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType

import numpy as np

from actwin.content.car import Car
from actwin.telemetry.ac.pages import Status
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import FRAME, FRAME_CHANNELS, GAME, GAME_CHANNELS, WHEELS
from actwin.twin.emulator.app_host import AppHost
from actwin.twin.emulator.fake_ac import FakeAc

FPS = 50.0


def some_frames(cars: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """FRAME[N] and GAME[N] with every channel somewhere in its range."""
    draw = np.random.default_rng(seed)
    records = []
    for dtype, channels in ((FRAME, FRAME_CHANNELS), (GAME, GAME_CHANNELS)):
        record = np.zeros(cars, dtype)
        for channel in channels:
            shape = (cars, len(WHEELS)) if channel.wheels else cars
            low, high = max(channel.low, -1000.0), min(channel.high, 1000.0)
            values = draw.uniform(low, high, shape)
            record[channel.name] = np.floor(values) if channel.integer else values
        records.append(record)
    frames, games = records
    frames["packet_id"], games["status"] = 1000, Status.LIVE
    return frames, games


class Session:
    """The app on a fake game; its clock and frames move when the test says so."""

    def __init__(self, car: Car, cars: int = 2, csp: bool = True, root: Path | None = None, **settings: object) -> None:
        self.now = 100.0
        self.info = GameInfo(
            "emulator", car.name, "monza", "", "Ada", "1.16.4", "1.7", 5790.5, 9000.0, 75.0, 500.0, 4e5, 3
        )
        self.car = car
        self.fake = FakeAc(self.info, car, cars, csp)
        self.frames, self.games = some_frames(cars)
        self.fake.update(self.frames, self.games)
        self.host = AppHost(self.fake, (0, 0, 0), settings=settings, root=root, clock=lambda: self.now)
        self.udp: list[socket.socket] = []

    def step(self, frames: int = 1, fps: float = FPS, physics: bool = True) -> None:
        """So many rendered frames."""
        for _ in range(frames):
            self.now += 1.0 / fps
            self.frames["packet_id"] += round(1.0 / fps / 0.003) if physics else 0
            self.fake.update(self.frames, self.games)
            self.host.update(1.0 / fps)

    def settle(self) -> None:
        """As long as the app waits before it takes the car."""
        self.step(round(1.2 * FPS))

    def client(self, say: bytes = b"connect") -> socket.socket:
        """A UDP client that has said something."""
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.append(client)
        client.settimeout(2.0)
        client.connect(self.host.addresses["ego"])
        if say:
            client.send(say)
        return client

    def stream(self, server: str) -> socket.socket:
        """A TCP connection to one of the app's servers."""
        client = socket.create_connection(self.host.addresses[server], 2.0)
        self.udp.append(client)
        return client

    def close(self) -> None:
        self.host.close()
        for client in self.udp:
            client.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def waiting(client: socket.socket) -> list[bytes]:
    """Everything that has arrived at a socket."""
    found = []
    client.setblocking(False)
    while True:
        try:
            data = client.recv(1 << 18)
        except OSError:
            client.settimeout(2.0)
            return found
        if not data:
            return found
        found.append(data)
