"""Messages that no program should send, made out of those that Assetto Corsa and its clients send."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from actwin.telemetry.ac.frames import BLANK_FRAME, BLANK_GAME, pages_from_frames, remote_from_frames
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, STATIC
from actwin.telemetry.ac.remote_packets import ACCEPTED, RT_HANDSHAKER, RT_LAP, RT_RESPONSE, Operation
from actwin.telemetry.ac.source import GameInfo

OVERSIZED = 60_000
"""[B] Of the largest datagrams."""

APP_TELEMETRY = [
    b'{"steps": 1, "packetId": 4, "speed": 3.5, "world_position_x": 1.0, "SlipAngle_fl": 0.1}',
    b"{'ego_sampling_freq': 25, 'a': [1, 2.5, {'b': (1, 'x')}]}",
    b"[[[[1]]]]",
    b'{"yaw": 1e308, "name": "\\u0041\\x41"}',
]
APP_REQUESTS = [
    b"connect",
    b"disconnect",
    json.dumps(
        {
            "steer": 0.1,
            "acc": 1.0,
            "brake": -1.0,
            "enable_gear_shift": 0,
            "shift_up": 0,
            "shift_down": 0,
            "server_steps": 1,
        }
    ).encode(),
]
MANAGEMENT_REQUESTS = [b"get_config", b"get_static_info", b"get_track_info", b"reset"]
OPPONENT_LISTS = [b"2HEADER-END[]", b'13HEADER-END[{"x": 1.0}] ', b"999999999HEADER-END"]


def pages() -> list[bytes]:
    """One of each shared-memory page, as a game would write them."""
    made = np.zeros(1, PHYSICS), np.zeros(1, GRAPHICS), np.zeros(1, STATIC)
    pages_from_frames(BLANK_FRAME, BLANK_GAME, GameInfo(car="car", track="track"), *made)
    return [page.tobytes() for page in made]


def remote_requests() -> list[bytes]:
    """What clients of the remote telemetry ask."""
    packet = np.zeros(1, RT_HANDSHAKER)
    requests = []
    for operation in Operation:
        packet["operationId"] = operation
        requests.append(packet.tobytes())
    return requests


def remote_packets() -> list[bytes]:
    """What the game sends to them: the answer to a handshake first, then a car, then a lap."""
    welcome = np.zeros(1, RT_RESPONSE)
    welcome["identifier"] = ACCEPTED
    return [welcome.tobytes(), remote_from_frames(BLANK_FRAME, BLANK_GAME).tobytes(), bytes(RT_LAP.itemsize)]


class Noise:
    """Makes hostile messages out of valid ones.

    Args:
        seed: Of the generator.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def message(self, seeds: Sequence[bytes], longest: int = OVERSIZED) -> bytes:
        """One message of any of the kinds."""
        seed = seeds[int(self.random.integers(len(seeds)))]
        kinds = (self._noise, self._turned, self._cut, self._joined, self._grown, self._special, lambda data: data)
        return kinds[int(self.random.integers(len(kinds)))](seed)[:longest]

    def _noise(self, seed: bytes) -> bytes:
        return self.random.bytes(int(self.random.choice((0, 1, 7, len(seed), 2 * len(seed)))))

    def _turned(self, seed: bytes) -> bytes:
        data = bytearray(seed)
        for _ in range(int(self.random.integers(1, 9))):
            if data:
                data[int(self.random.integers(len(data)))] ^= 1 << int(self.random.integers(8))
        return bytes(data)

    def _cut(self, seed: bytes) -> bytes:
        begin, end = sorted(self.random.integers(0, len(seed) + 1, 2).tolist())
        return seed[begin:end]

    def _joined(self, seed: bytes) -> bytes:
        at = int(self.random.integers(0, len(seed) + 1))
        return seed + self._noise(seed) + seed[:at]

    def _grown(self, seed: bytes) -> bytes:
        return (seed or b"[") * int(self.random.choice((2, 20, 400)))

    def _special(self, seed: bytes) -> bytes:
        """Numbers that break careless code: not finite, huge, negative."""
        specials = (
            b"\xff\xff\x7f\x7f",
            b"\0\0\x80\x7f",
            b"\0\0\xc0\x7f",
            b"\xff\xff\xff\xff",
            b"\0\0\0\x80",
            b"NaN,",
            b"1e999",
        )
        data, special = bytearray(seed), specials[int(self.random.integers(len(specials)))]
        at = 4 * int(self.random.integers(0, len(data) // 4 + 1))
        data[at : at + len(special)] = special
        return bytes(data)
