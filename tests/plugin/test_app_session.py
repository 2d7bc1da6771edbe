"""The real app on a fake game, seen over its sockets."""

from __future__ import annotations

import ast
import importlib
import json
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_session import FPS, Session, waiting

from actwin.content.library import load_track
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac import app_frames
from actwin.telemetry.ac.app_messages import telemetry
from actwin.telemetry.ac.pages import GRAPHICS, PHYSICS, STATIC
from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS
from actwin.twin.emulator import app_host
from actwin.twin.emulator.app_host import AppHost
from actwin.twin.emulator.fake_ac import FakeAc
from actwin.twin.emulator.game_files import write_game_files

Make = Callable[..., Session]

FULL_THROTTLE = b'{"steer": 0.5, "acc": 1, "brake": -1, "enable_gear_shift": 0, "shift_up": 0, "shift_down": 0}'


def messages(client: socket.socket) -> list[dict[str, Any]]:
    """Telemetry that has arrived; every message is JSON and a Python literal at once."""
    arrived = waiting(client)
    for data in arrived:
        if data.startswith(b"{"):
            assert json.loads(data) == ast.literal_eval(data.decode())
    found = [telemetry(data) for data in arrived]
    return [message for message in found if message is not None]


def ask(session: Session, command: bytes) -> dict[str, Any]:
    """One command, as the plugin's client asks it: one connection, one receive."""
    with session.stream("management") as client:
        client.sendall(command)
        session.step(3)
        text = client.recv(1 << 20).decode()
        answer: dict[str, Any] = json.loads(text)
        assert answer == ast.literal_eval(text)
        return answer


def ended(client: socket.socket) -> bool:
    """Whether the app closed a connection, or reset it because something was left unread."""
    try:
        return client.recv(10) == b""
    except ConnectionError:
        return True


def test_handshake_then_telemetry(session: Session) -> None:
    client = session.client()
    session.step(2)
    assert client.recv(100) == b"identified"
    session.step(9)
    assert [message["steps"] for message in messages(client)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("rate", "fps"), [(25, 50), (50, 50), (50, 100), (100, 100), (25, 60), (100, 60)])
def test_rate(make_session: Make, rate: int, fps: int) -> None:
    session = make_session(ego_sampling_freq=rate)
    client = session.client()
    count = 0
    for _ in range(fps):
        session.step(1, fps)
        count += len(messages(client))
    assert count == pytest.approx(min(rate, fps), abs=1)


def test_every_channel_arrives(session: Session) -> None:
    client = session.client()
    session.frames["rpm"] = 5432.0
    session.step(4)
    frames, games = app_frames.frames_from_app(messages(client)[-1:])
    for channels, sent, got in ((FRAME_CHANNELS, session.frames, frames), (GAME_CHANNELS, session.games, games)):
        for channel in channels:
            value, wanted = got[channel.name][0], sent[channel.name][0]
            if channel.name in app_frames.MISSING:
                assert np.all(np.isnan(value) if not channel.integer else value == 0), channel.name
            elif channel.name in ("spline_position", "tyre_temperature_middle"):
                continue  # told once for both records
            else:
                tolerance = 5e-4 if channel.unit == "s" else 1e-5 * max(1.0, abs(channel.high))
                np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=min(tolerance, 1e-2), err_msg=channel.name)


def test_world_axes_are_the_plugins(session: Session) -> None:
    """Its x is the game's z, which is our x; its yaw is ours."""
    client = session.client()
    session.step(4)
    message = messages(client)[-1]
    for axis in "xyz":
        assert message[f"world_position_{axis}"] == pytest.approx(float(session.frames[axis][0]), rel=1e-6)
    assert message["yaw"] == pytest.approx(float(session.frames["yaw"][0]), rel=1e-6)
    assert message["steerAngle"] == pytest.approx(-np.degrees(float(session.frames["steer_angle"][0])), rel=1e-5)
    assert message["actualGear"] == session.frames["gear"][0] + 1


def test_messages_without_extras_have_the_plugins_base(make_session: Make) -> None:
    session = make_session(extra_channels=0)
    client = session.client()
    session.step(4)
    message = messages(client)[-1]
    assert not [name for name in message if "." in name or name.startswith("Dy")]
    assert {"LapInvalidated", "SlipAngle_rr", "local_velocity_x", "accelX", "numberOfTyresOut"} <= message.keys()


def test_app_and_reader_agree_on_the_pages(session: Session) -> None:
    """Offsets and names in the app's own tables are those of the record types, and every field sent is read."""
    memory, said = session.host.modules["memory"], session.host.modules["telemetry"].ALREADY_SAID
    for page, record, extras in (
        ("PHYSICS", PHYSICS, app_frames.PHYSICS_EXTRAS),
        ("GRAPHICS", GRAPHICS, app_frames.GRAPHICS_EXTRAS),
        ("STATIC", STATIC, ()),
    ):
        for name, form, offset in getattr(memory, page):
            kind, at = record.fields[name][:2]
            assert at == offset, name
            assert struct.calcsize(f"<{form}") == kind.itemsize, name
        names = {name for name, _, _ in getattr(memory, page)}
        assert set(extras) <= names
    for page in ("physics", "graphics"):
        sent = {name for name, _, _ in getattr(memory, page.upper())} - set(said[page])
        assert sent == set(getattr(app_frames, f"{page.upper()}_EXTRAS"))


def test_controls_reach_the_car_once_the_session_is_settled(session: Session) -> None:
    client = session.client()
    session.step(2)
    client.send(FULL_THROTTLE)
    session.step(2)
    assert session.host.controls is None
    session.settle()
    client.send(FULL_THROTTLE)
    session.step(2)
    controls = session.host.controls
    assert controls is not None
    row = controls[0]
    assert (row["gas"], row["brake"], row["steer"], row["clutch"]) == (1.0, 0.0, 0.5, 0.0)
    assert row["autoclutch_on_start"] == row["autoclutch_on_change"] == row["autoshift_active"] == 1
    assert session.host.driven


def test_values_beyond_the_stops_are_limited(session: Session) -> None:
    client = session.client()
    session.settle()
    client.send(b'{"steer": -7, "acc": 99, "brake": -99}')
    session.step(2)
    assert session.host.controls is not None
    row = session.host.controls[0]
    assert (row["steer"], row["gas"], row["brake"]) == (-1.0, 1.0, 0.0)


def test_a_car_that_does_not_follow_is_told(session: Session) -> None:
    client = session.client()
    session.frames["throttle"] = 0.0
    session.settle()
    for _ in range(80):
        client.send(FULL_THROTTLE)
        session.step(1)
    assert ask(session, b"get_config")["controls_obeyed"] == 0
    assert any("does not follow" in line for line in session.fake.journal)
    session.frames["throttle"] = 0.9
    client.send(FULL_THROTTLE)
    session.step(2)
    assert ask(session, b"get_config")["controls_obeyed"] == 1


@pytest.mark.parametrize("brake", [0.0, 0.3])
def test_silence_makes_the_car_neutral(make_session: Make, brake: float) -> None:
    session = make_session(neutral_brake=brake)
    client = session.client()
    session.settle()
    client.send(FULL_THROTTLE)
    session.step(15)
    assert session.host.controls is not None
    assert session.host.controls["gas"][0] == 1.0
    session.step(round(0.2 * FPS))
    row = session.host.controls[0]
    assert (row["gas"], row["steer"]) == (0.0, 0.0)
    assert row["brake"] == pytest.approx(brake)
    assert not session.host.driven


def test_goodbye_makes_the_car_neutral_at_once(session: Session) -> None:
    client = session.client()
    session.settle()
    client.send(FULL_THROTTLE)
    session.step(1)
    client.send(b"disconnect")
    session.step(1)
    assert session.host.controls is not None
    assert session.host.controls["gas"][0] == 0.0
    assert session.host.clients == 0


def test_shift_buttons_and_wanted_gears(session: Session) -> None:
    client = session.client()
    session.frames["gear"] = 2
    session.settle()

    def pressed(message: bytes, frames: int) -> list[tuple[int, int]]:
        found = []
        for _ in range(frames):
            client.send(message)
            session.step(1)
            assert session.host.controls is not None
            row = session.host.controls[0]
            found.append((int(row["gear_up"]), int(row["gear_dn"])))
        return found

    up = pressed(b'{"enable_gear_shift": 1, "shift_up": 1}', 5)
    assert up[0] == (1, 0)
    session.step(30)
    down = pressed(b'{"enable_gear_shift": 1, "gear": 1}', 12)
    assert down[0] == (0, 1)
    assert down[-1] == (0, 0)
    session.frames["gear"] = 1
    session.step(30)
    assert set(pressed(b'{"enable_gear_shift": 1, "gear": 1}', 5)) == {(0, 0)}
    assert session.host.controls is not None
    assert session.host.controls["autoshift_active"][0] == 0


def test_two_clients_hear_and_the_newer_driver_drives(session: Session) -> None:
    first, second = session.client(), session.client()
    session.settle()
    first.send(b'{"steer": 0.1, "acc": 0, "brake": -1}')
    session.step(2)
    assert session.host.controls is not None
    assert session.host.controls["steer"][0] == pytest.approx(0.1)
    second.send(b'{"steer": 0.2, "acc": 0, "brake": -1}')
    session.step(2)
    first.send(b'{"steer": 0.1, "acc": 0, "brake": -1}')
    session.step(2)
    assert session.host.controls["steer"][0] == pytest.approx(0.2)
    first.send(b"connect")
    first.send(b'{"steer": 0.3, "acc": 0, "brake": -1}')
    session.step(2)
    assert session.host.controls["steer"][0] == pytest.approx(0.3)
    assert messages(first)
    assert messages(second)


def test_who_only_listens_takes_nothing_over(session: Session) -> None:
    driver = session.client()
    session.settle()
    driver.send(FULL_THROTTLE)
    session.step(2)
    session.client()
    session.step(2)
    assert session.host.driven
    assert session.host.controls is not None
    assert session.host.controls["gas"][0] == 1.0


def test_a_client_that_vanishes_and_many_that_come(session: Session) -> None:
    for _ in range(10):
        session.client().close()
        session.step(3)
    alive = session.client()
    session.step(4)
    assert messages(alive)
    assert session.host.clients <= 4


def test_garbage_changes_nothing(session: Session) -> None:
    client, stranger = session.client(), session.client(say=b"")
    session.settle()
    client.send(FULL_THROTTLE)
    for data in (b"", b"\0" * 100, b"x" * 60_000, b"{" * 1000, b'{"steer": NaN}', "ü".encode(), b"connect now"):
        client.send(data)
        stranger.send(data)
    stranger.send(b'{"steer": -1, "acc": -1, "brake": 1}')
    session.step(3)
    assert session.host.controls is not None
    assert session.host.controls["gas"][0] == 1.0
    assert messages(client)
    assert not waiting(stranger)


@pytest.mark.parametrize(
    "pieces", [[b"get_", b"config"], [b"get_config\n"], [b"  get_config"], [b"g", b"et_confi", b"g"]]
)
def test_commands_may_come_in_pieces(session: Session, pieces: list[bytes]) -> None:
    client = session.stream("management")
    for piece in pieces:
        client.sendall(piece)
        session.step(2)
    assert json.loads(client.recv(1 << 16))["app"] == "actwin"


def test_commands_may_come_joined(session: Session) -> None:
    resets: list[int] = []
    session.fake.on_reset = lambda: resets.append(1)
    client = session.stream("management")
    client.sendall(b"resetget_configreset\nget_static_info")
    session.step(4)
    decoder = json.JSONDecoder()
    text = client.recv(1 << 16).decode()
    first, end = decoder.raw_decode(text)
    second, _ = decoder.raw_decode(text[end:])
    assert (first["app"], second["CarName"], len(resets)) == ("actwin", session.info.car, 2)


@pytest.mark.parametrize("data", [b"get_everything", b"\xff\xfe\xfd", b"GET / HTTP/1.1\r\n\r\n", b"x" * 5000])
def test_other_requests_end_the_connection(session: Session, data: bytes) -> None:
    client = session.stream("management")
    client.sendall(data)
    session.step(5)
    assert ended(client)
    assert ask(session, b"get_config")["app"] == "actwin"


def test_many_connections_and_half_open_ones(session: Session) -> None:
    for number in range(20):
        client = session.stream("management")
        session.step(1)
        if number % 3 == 0:
            client.close()
    session.step(3)
    assert ask(session, b"get_config")["version"]


def test_config_says_what_clients_check(session: Session) -> None:
    config = ask(session, b"get_config")
    assert config["ego_sampling_freq"] == 25
    assert type(config["ego_sampling_freq"]) is int
    assert config["ego_server_port"] == session.host.ports[0]
    assert (config["actuator"], config["vjoy_executed_by_server"]) == ("custom_ai", 1)


def test_static_info_names_folders_and_spline(session: Session) -> None:
    facts = ask(session, b"get_static_info")
    assert (facts["CarName"], facts["TrackName"], facts["TrackConfiguration"]) == (session.info.car, "monza", "")
    assert facts["TrackLength"] == pytest.approx(session.info.track_length)
    assert facts["CAR_WHEELBASE"] == pytest.approx(session.car.chassis.wheelbase, rel=1e-3)
    assert facts["CAR_TRACK"] == pytest.approx(session.car.chassis.track_rear, rel=1e-3)


def test_track_info_is_the_road(make_session: Make, tmp_path: Path) -> None:
    track = load_track("monza")
    session = make_session(root=tmp_path)
    assert ask(session, b"get_track_info") == {}
    write_game_files(tmp_path, session.info, track, session.car)
    again = make_session(root=tmp_path)
    with again.stream("management") as client:
        client.sendall(b"get_track_info")
        text = b""
        while not text.endswith(b"}"):
            again.step(1)
            text += b"".join(waiting(client))
    road = json.loads(text)
    left, right = np.array(road["left_lane"]), np.array(road["right_lane"])
    s, n = track.to_road(*np.array(road["fast_lane"]).T)
    np.testing.assert_allclose(n, 0.0, atol=0.02)
    width = np.hypot(*(left - right).T)
    np.testing.assert_allclose(width, track.width_left(s) + track.width_right(s), atol=0.05)
    assert np.all(track.to_road(*left[::50].T)[1] > 0.0)
    thin = make_session(root=tmp_path, track_info_bytes=60_000)
    some = ask(thin, b"get_track_info")
    assert len(json.dumps(some)) <= 60_000
    assert some["left_lane"][1] in road["left_lane"]
    facts = ask(again, b"get_static_info")
    assert facts["CAR_MASS"] == pytest.approx(session.car.chassis.mass, abs=0.5)


def test_opponents_after_their_number(make_session: Make) -> None:
    session = make_session(cars=4)
    client = session.stream("opponents")
    session.step(1)
    assert client.recv(1024) == b"3"
    session.step(8)
    head, _, body = client.recv(1 << 16).partition(b"HEADER-END")
    cars = json.loads(body[: int(head)])
    assert [car["id"] for car in cars] == [1, 2, 3]
    assert cars[1]["world_position"] == pytest.approx([float(session.frames[axis][2]) for axis in "xyz"], rel=1e-5)


def test_a_reader_of_opponents_that_sleeps_is_not_waited_for(session: Session) -> None:
    client = session.stream("opponents")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    session.step(1000)
    server = session.host._entry.running.servers["opponents"]
    assert sum(len(peer.waiting) for peer in server.peers) < 1000
    client.close()


def test_reset_goes_through_the_patch(session: Session) -> None:
    """As the plugin's client does it: send and close."""
    resets: list[int] = []
    session.fake.on_reset = lambda: resets.append(1)
    with session.stream("management") as client:
        client.sendall(b"reset")
    session.step(2)
    assert resets == [1]


@pytest.mark.parametrize("driven", [True, False])
def test_reset_to_the_pits(make_session: Make, driven: bool) -> None:
    session = make_session(reset="pits")
    if driven:
        client = session.client()
        session.settle()
        client.send(FULL_THROTTLE)
        session.step(1)
    with session.stream("management") as client:
        client.sendall(b"reset")
    session.step(1)
    if not driven:
        assert session.host.controls is None
        assert any("no reset" in line for line in session.fake.journal)
        return
    assert session.host.controls is not None
    assert session.host.controls["teleport_to"][0] == 1
    assert session.host.controls["gas"][0] == 0.0
    session.step(10)
    assert session.host.controls["teleport_to"][0] == 0


def test_without_the_patch_controls_come_from_outside(make_session: Make) -> None:
    session = make_session(csp=False)
    client = session.client()
    session.settle()
    client.send(FULL_THROTTLE)
    session.step(2)
    assert session.host.controls is None
    config = ask(session, b"get_config")
    assert (config["actuator"], config["vjoy_executed_by_server"]) == ("none", 0)
    assert any("virtual controller" in line for line in session.fake.journal)


def test_pause_keeps_the_clients(session: Session) -> None:
    client = session.client()
    session.step(4)
    session.games["status"] = 3
    session.step(50, physics=False)
    before = messages(client)
    assert {message["graphics.status"] for message in before[-5:]} == {3}
    assert len({message["physics.packetId"] for message in before[-5:]}) == 1
    session.games["status"] = 2
    session.step(4)
    assert messages(client)[-1]["graphics.status"] == 2


def test_a_restarted_session_goes_on(session: Session, gt3: Any) -> None:
    """Physics may count from 0 again; clients, driver and serial stay."""
    client = session.client()
    session.settle()
    client.send(FULL_THROTTLE)
    session.step(2)
    before = messages(client)[-1]
    session.frames["packet_id"] = 0
    session.fake.begin(session.info, gt3)
    session.step(4)
    after = messages(client)[-1]
    assert after["steps"] > before["steps"]
    assert after["static_serial"] == before["static_serial"]
    assert after["physics.packetId"] < before["physics.packetId"]
    client.send(b'{"steer": -0.25, "acc": 0, "brake": -1}')
    session.step(2)
    assert session.host.controls is not None
    assert session.host.controls["steer"][0] == pytest.approx(-0.25)


def test_another_car_is_told(session: Session, gt3: Any) -> None:
    client = session.client()
    session.step(4)
    before = messages(client)[-1]["static_serial"]
    session.fake.begin(session.info._replace(car="ks_mazda_miata", layout="junior"), gt3)
    session.step(round(1.2 * FPS))
    assert messages(client)[-1]["static_serial"] == before + 1
    facts = ask(session, b"get_static_info")
    assert (facts["CarName"], facts["TrackConfiguration"]) == ("ks_mazda_miata", "junior")


def test_the_end_of_the_session_is_told(session: Session) -> None:
    client = session.client()
    session.step(2)
    session.host.close()
    session.host.close()
    assert waiting(client)[-1] == b"disconnect"


def test_instances_side_by_side(make_session: Make) -> None:
    one, two = make_session(), make_session()
    assert not set(one.host.ports) & set(two.host.ports)
    resets: list[str] = []
    one.fake.on_reset = lambda: resets.append("one")
    two.fake.on_reset = lambda: resets.append("two")
    with two.stream("management") as client:
        client.sendall(b"reset")
    one.step(2)
    two.step(2)
    assert resets == ["two"]


def test_a_taken_port_is_said(session: Session, gt3: Any) -> None:
    fake = FakeAc(session.info, gt3)
    with pytest.raises(SourceError, match="cannot be opened"):
        AppHost(fake, session.host.ports)


@pytest.mark.parametrize(
    "settings", [{"ego_port": 1}, {"ego_server_port": 70_000}, {"reset": "fast"}, {"neutral_after": 2}]
)
def test_settings_that_do_not_fit_are_refused(session: Session, gt3: Any, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        AppHost(FakeAc(session.info, gt3), (0, 0, 0), settings=settings)


def test_config_file(session: Session, tmp_path: Path) -> None:
    """Its defaults are the code's; what is wrong in it is told and replaced."""
    settings = session.host.modules["settings"]
    lines: list[str] = []

    class Log:
        say = staticmethod(lines.append)

    assert settings.read(str(app_host.APP_FOLDER / "config.ini"), Log) == settings.defaults()
    assert not lines
    path = tmp_path / "config.ini"
    path.write_text("[actwin]\nego_server_port = 99999\nego_sampling_freq = 100\ncolour = red\n", encoding="utf-8")
    assert settings.read(str(path), Log)["ego_sampling_freq"] == 100
    assert len(lines) == 2
    path.write_bytes(b"\xff\xfe nonsense")
    assert settings.read(str(path), Log) == settings.defaults()


def test_each_instance_has_its_own_file(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two games with one installation tell their apps apart by an environment variable."""
    path = tmp_path / "second.ini"
    names = ("ego", "opponents", "simulation_management")
    ports = "\n".join(f"{name}_server_port = 0" for name in names)
    path.write_text(f"[actwin]\n{ports}\nego_sampling_freq = 50\n", encoding="utf-8")
    monkeypatch.setenv("ACTWIN_APP_CONFIG", str(path))
    entry = session.host._entry
    entry.acShutdown()
    del entry.PARTS["config"]
    entry.acMain("1.16")
    assert entry.running.config()["ego_sampling_freq"] == 50
    assert entry.running.config()["ego_server_port"] not in (0, 2345)


def test_a_missing_socket_module_is_said(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AC's own Python has no _socket; the app looks for it in its folder and in the game's, then says what to do."""
    modules = session.host.modules
    (tmp_path / "stdlib64").mkdir()
    (tmp_path / "system" / "x64" / "DLLs").mkdir(parents=True)
    tried = []
    path = list(sys.path)

    def refuse(name: str) -> None:
        tried.append(sys.path[0])
        raise ImportError("No module named _socket")

    monkeypatch.setattr(importlib, "import_module", refuse)
    try:
        module, problem = modules["sockets"].find(str(tmp_path), str(tmp_path))
    finally:
        sys.path[:] = path
    assert module is None
    assert len(tried) == 3
    assert "_socket.pyd" in problem
    settings = modules["settings"].defaults()
    silent = modules["app"].App(session.fake.ac, session.fake.acsys, None, settings, _Quiet())
    silent.update(0.02)
    assert "no socket module" in str(session.fake.texts)
    silent.close()


class _Quiet:
    def say(self, text: str) -> None: ...
    def failure(self, where: str) -> None: ...
    def now_and_then(self, kind: str, text: str) -> None: ...


def test_frames_cost_little_without_clients(session: Session) -> None:
    """Nothing is asked of the game that nobody wants to know."""
    asked: list[int] = []
    state = session.fake.ac.getCarState

    def counted(*arguments: int) -> Any:
        asked.append(1)
        return state(*arguments)

    session.fake.ac.getCarState = counted
    session.step(20)
    assert len(asked) <= 2 * 20


def test_wrong_answers_of_the_game_are_left_out(session: Session) -> None:
    """getCarState says -1 instead of a vector while a session loads."""
    session.fake.ac.getCarState = lambda *arguments: -1
    client = session.client()
    session.step(4)
    data = waiting(client)[-1]
    assert "world_position_x" not in json.loads(data)
    assert telemetry(data) is None


def test_a_bug_in_the_game_ends_neither_the_app_nor_its_safety(session: Session) -> None:
    client = session.client()
    session.settle()
    client.send(FULL_THROTTLE)
    session.step(2)
    state = session.fake.ac.getCarState
    session.fake.ac.getCarState = lambda *arguments: 1 // 0
    session.step(20)
    assert session.host.controls is not None
    assert session.host.controls["gas"][0] == 0.0
    assert sum("ZeroDivisionError" in line for line in session.fake.journal) in (1, 2)  # log and console
    session.fake.ac.getCarState = state
    session.step(4)
    assert messages(client)
