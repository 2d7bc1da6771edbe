"""A bare stand-in for the game that any Python from 3.3 on can run: `python bare_game.py APP_FOLDER`.

On Windows, or in Wine, it makes the game's named mappings, and the app reads and writes them as it does in the game;
elsewhere the app gets pages from here. It prints "ok" when telemetry, controls, silence, questions and opponents work.
"""

import json
import mmap
import os
import socket
import struct
import sys
import time
import types

VECTORS = ("WorldPosition", "LocalVelocity", "Velocity", "LocalAngularVelocity", "AccG", "TyreHeadingVector")
SCALARS = ("SpeedMS", "SpeedKMH", "Gas", "Brake", "Gear", "RPM", "Steer", "LastFF", "LapInvalidated", "LapCount")
PAGES = {"acpmf_physics": 580, "acpmf_graphics": 296, "acpmf_static": 684}
CONTROLS = "AcTools.CSP.NewBehaviour.CustomAI.CarControls0.v0"
WINDOWS = os.name == "nt"


class Names:
    """Every name is its own value."""

    def __getattr__(self, name):
        return name


def car_state(car, state, wheel=0):
    if state in SCALARS:
        return 0.25
    return (0.5,) * (3 if state in VECTORS or state.startswith("TyreContact") else 4)


def game_modules(resets):
    ac, acsys = types.ModuleType("ac"), types.ModuleType("acsys")
    acsys.CS = acsys.WHEELS = Names()
    answers = {"CarName": "car", "TrackName": "track", "TrackConfiguration": -1, "CarsCount": 2, "DriverName": "Ada"}
    answers.update({"TrackLength": 5000.0, "WindSpeed": 0.0, "WindDirection": 0.0, "LastSplits": []})
    for name, value in answers.items():
        setattr(ac, "get" + name, lambda *args, value=value: value)
    for name in ("newApp", "setSize", "addLabel", "setPosition", "setText", "isCarInPit", "isCarInPitlane"):
        setattr(ac, name, lambda *args: 0)
    ac.getCarState = car_state
    ac.ext_patchVersion = lambda: "0.2.8"
    ac.ext_resetCar = lambda: resets.append(1)
    return ac, acsys


class Game:
    """The app, its pages and its controls."""

    def __init__(self, folder):
        self.resets, self.lines, self.step, self.now = [], [], 0, 50.0
        ac, acsys = game_modules(self.resets)
        ac.log = self.lines.append
        sys.modules["ac"], sys.modules["acsys"] = ac, acsys
        sys.path.insert(0, folder)
        from actwin_app import settings

        import actwin

        self.app = actwin
        config = settings.defaults()
        for name in ("ego", "opponents", "simulation_management"):
            config[name + "_server_port"] = 0
        parts = {"config": config, "clock": lambda: self.now, "root": folder}
        if WINDOWS:
            self.pages = {name: mmap.mmap(-1, size, tagname="Local\\" + name) for name, size in PAGES.items()}
            self.controls = mmap.mmap(-1, 72, tagname=CONTROLS)
        else:
            self.pages = {name: bytearray(size) for name, size in PAGES.items()}
            self.controls = bytearray(72)
            parts["read_page"] = lambda name, size: bytes(self.pages[name])
            parts["open_mapping"] = lambda name, size: self.controls if name == CONTROLS else None
        actwin.PARTS.update(parts)
        assert actwin.acMain("1.16") == "actwin"
        self.servers = actwin.running.servers

    def frames(self, count):
        for _ in range(count):
            self.step += 7
            self.now += 0.02
            struct.pack_into("<i", self.pages["acpmf_physics"], 0, self.step)
            struct.pack_into("<2f", self.pages["acpmf_physics"], 208, 0.25, 0.5)
            struct.pack_into("<ii", self.pages["acpmf_graphics"], 0, 2 * self.step, 2)
            self.app.acUpdate(0.02)
            time.sleep(0.002)

    def pedals(self):
        return struct.unpack_from("<5f", self.controls, 0)


def newest(client):
    data = client.recv(65536)
    client.setblocking(False)
    try:
        while True:
            data = client.recv(65536)
    except OSError:
        client.settimeout(5)
        return json.loads(data.decode())


def check(game):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(5)
    address = game.servers["ego"].address
    client.sendto(b"connect", address)
    game.frames(2)
    assert client.recv(65536) == b"identified"
    game.frames(60)
    message = newest(client)
    assert (message["speed"], message["yaw"], message["pitch"]) == (0.25, -0.25, 0.5), message
    assert message["graphics.status"] == 2
    assert 0 < message["physics.packetId"] <= game.step
    client.sendto(b'{"steer": 0.5, "acc": 1, "brake": -1}', address)
    game.frames(2)
    assert game.pedals() == (1.0, 0.0, 0.0, 0.5, 0.0), game.pedals()
    game.frames(23)
    assert game.pedals() == (0.0, 0.0, 0.0, 0.0, 0.0), game.pedals()
    gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    gone.sendto(b"connect", address)
    gone.close()
    client.sendto(b"x" * 5000, address)
    game.frames(6)
    management = socket.create_connection(game.servers["management"].address, 5)
    management.sendall(b"resetget_config")
    game.frames(5)
    assert json.loads(management.recv(65536).decode())["controls_reach_car"] == 1
    assert game.resets == [1]
    opponents = socket.create_connection(game.servers["opponents"].address, 5)
    game.frames(1)
    assert opponents.recv(100) == b"1"
    game.frames(9)
    assert b'HEADER-END[{"id": 1' in opponents.recv(65536)
    game.app.acShutdown()
    for opened in (client, management, opponents):
        opened.close()
    assert not [line for line in game.lines if "failed" in line], game.lines
    print("ok")


if __name__ == "__main__":
    check(Game(sys.argv[1]))
