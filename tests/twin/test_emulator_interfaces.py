"""The emulator read by every reader of ours, channel by channel."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.app_client import AppClient
from actwin.telemetry.ac.app_frames import MISSING as APP_MISSING
from actwin.telemetry.ac.app_source import AppSource
from actwin.telemetry.ac.custom_ai import CAR, car_name, controls_name, neutral_car_controls
from actwin.telemetry.ac.frames import MISSING, frames_from_custom_ai
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.ac.pages import GRAPHICS_NAME, PHYSICS_NAME, STATIC, STATIC_NAME, static_page, text
from actwin.telemetry.ac.remote import RemoteSource
from actwin.telemetry.channels import FRAME_CHANNELS, GAME_CHANNELS, neutral_controls
from actwin.twin.emulator.emulator import Emulator, Outlets
from actwin.twin.simulator import PHYSICS_STEP, Simulator

EACH_STEP = 1.0 / PHYSICS_STEP
QUANTUM = {"rpm": 0.51}
"""What the game's units cost beside single precision: whole revolutions in the pages, and times in milliseconds."""
TIMES = {"lap_time", "last_lap_time", "best_lap_time", "last_sector_time"}


class Weaver:
    """Drives round the oval by looking at the road, from side to side, on and off the pedals."""

    def __init__(self) -> None:
        self.calls = 0

    def reset(self, index=None) -> None:
        pass

    def act(self, frames):
        self.calls += 1
        controls = neutral_controls(len(frames))
        wave = np.sin(0.3 * self.calls)
        offset = frames["lateral_offset"] - 1.5 * wave
        controls["steer"] = np.clip(
            4.0 * frames["road_curvature"] - 0.05 * offset - 0.6 * frames["heading_error"], -1, 1
        )
        slow = frames["speed"] < 30.0 + 8.0 * wave
        controls["throttle"], controls["brake"] = 0.8 * slow, 0.3 * ~slow
        return controls


@contextmanager
def running(emulator: Emulator):
    """The emulator runs in a thread, for what waits on it."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            emulator.step()
            time.sleep(0.0002)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10.0)


def served(folder, fps: float = EACH_STEP, cars: int = 1, car: str = "dallara_f317", **outlets) -> Emulator:
    simulator = Simulator(load_track("oval"), load_car(car), n=cars, substeps=1)
    where = Outlets(folder=folder, remote_port=0, app_ports=(0, 0, 0), fps=fps, **outlets)
    return with_its_own_clock(simulator, Weaver(), where)


def with_its_own_clock(simulator: Simulator, driver: Weaver | None, outlets: Outlets) -> Emulator:
    """An emulator for which no time passes between its steps."""
    made: list[Emulator] = []
    made.append(Emulator(simulator, driver, outlets, clock=lambda: made[0].steps * PHYSICS_STEP if made else 0.0))
    return made[0]


class Past:
    """What the game showed, by packet."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.moments = emulator, {}

    def step(self) -> None:
        frames = self.emulator.step()
        self.moments[int(frames["packet_id"][0])] = frames[0].copy(), self.emulator.game.rows[0].copy()


class Comparison:
    """Every channel of some samples with what the game showed; those the source lacks must say so."""

    def __init__(self, past: Past, missing: frozenset[str]) -> None:
        self._past, self._missing = past, missing
        self._pairs: list[tuple] = []

    def add(self, frame, game, packet: int | None = None) -> None:
        packet = int(frame["packet_id"][0]) if packet is None else packet
        self._pairs.append((frame[0], game[0], *self._past.moments[packet]))

    def check(self) -> None:
        frames, games, true_frames, true_games = (np.array(column) for column in zip(*self._pairs, strict=True))
        for channels, got, want in ((FRAME_CHANNELS, frames, true_frames), (GAME_CHANNELS, games, true_games)):
            for channel in channels:
                name = channel.name
                if name in self._missing:
                    assert (got[name] == 0).all() if channel.integer else np.isnan(got[name]).all(), name
                    continue
                off = 0.00051 if name in TIMES else QUANTUM.get(name, 2e-5)
                np.testing.assert_allclose(got[name], want[name], rtol=2e-5, atol=off, err_msg=name)


def app_client(emulator: Emulator) -> AppClient:
    addresses = next(one for one in emulator.interfaces if one.name == "in-game app").app.addresses
    return AppClient("127.0.0.1", *(addresses[name][1] for name in ("ego", "opponents", "management")))


def read_on(source: AppSource) -> None:
    """Reads for a while."""
    for _ in range(200):
        source.read(timeout=0.2)


def remote_port(emulator: Emulator) -> int:
    return next(one for one in emulator.interfaces if one.name == "UDP telemetry").server.port


def test_shared_memory_at_every_step(tmp_path):
    with served(tmp_path) as emulator:
        source = SharedMemorySource(
            tmp_path, steer_lock=emulator.game.info.steer_lock, align=False, sleep=lambda _: emulator.step()
        )
        info = source.connect()
        assert (info.car, info.track, info.track_length) == (
            "dallara_f317", "oval", pytest.approx(load_track("oval").length),
        )  # fmt: skip
        past = Past(emulator)
        comparison = Comparison(past, MISSING["memory"])
        for _ in range(600):
            past.step()
            sample = source.read(timeout=0.0)
            assert sample is not None
            assert sample.frame["packet_id"][0] == emulator.game.ticks
            comparison.add(sample.frame, sample.game)
        comparison.check()
        assert emulator.game.frames["speed"][0] > 10.0
        assert source.health().dropped == 0


def test_pictures_come_less_often_than_steps_and_are_carried_on(tmp_path):
    with served(tmp_path, fps=60.0) as emulator:
        source = SharedMemorySource(tmp_path, sleep=lambda _: emulator.step())
        source.connect()
        late, pictures = [], set()
        for _ in range(600):
            emulator.step()
            sample = source.read(timeout=0.0)
            assert sample is not None
            with Mapping.open(GRAPHICS_NAME, 296, tmp_path) as page:
                pictures.add(page.read()[:4])
            frame = emulator.game.frames[0]
            late.append(np.hypot(sample.frame["x"][0] - frame["x"], sample.frame["y"][0] - frame["y"]))
        assert len(pictures) == pytest.approx(108, abs=2)
        # Not seen to the step when a picture came: the way of one step remains.
        assert np.max(late[50:]) < 1.2 * PHYSICS_STEP * frame["speed"] + 0.01


def test_static_page(tmp_path):
    with served(tmp_path, page_size="2048", car="formula_alpha_2022", cars=2) as emulator:
        assert (tmp_path / PHYSICS_NAME).stat().st_size == 2048
        with Mapping.open(STATIC_NAME, STATIC.itemsize, tmp_path) as mapping:
            static = static_page(mapping.read())[0]
        car = load_car("formula_alpha_2022")
        assert text(static["carModel"]) == "formula_alpha_2022"
        assert text(static["acVersion"]) == emulator.game.info.ac_version
        assert static["numCars"] == 2
        assert static["hasDRS"] == car.aero.has_drs
        np.testing.assert_allclose(static["tyreRadius"][[0, 3]], (car.tyres.front.radius, car.tyres.rear.radius))
        emulator.game.change_car(load_car("bmw_z4_gt3"))
        emulator.step()
        with Mapping.open(STATIC_NAME, STATIC.itemsize, tmp_path) as mapping:
            assert text(static_page(mapping.read())[0]["carModel"]) == "bmw_z4_gt3"
    assert list(tmp_path.iterdir()) == [], "the end of the game takes its memory away"


def test_remote_telemetry_at_every_step(tmp_path):
    with served(tmp_path, fps=100.0) as emulator:
        source = RemoteSource("127.0.0.1", remote_port(emulator), steer_lock=emulator.game.info.steer_lock)
        with running(emulator):
            info = source.connect(timeout=5.0)
        assert (info.car, info.track, info.driver) == ("dallara_f317", "oval", emulator.game.info.driver)
        emulator.step()
        source.read(timeout=0.0)
        past = Past(emulator)
        comparison = Comparison(past, MISSING["udp"])
        for _ in range(600):
            past.step()
            sample = source.read(timeout=1.0)
            assert sample is not None
            comparison.add(sample.frame, sample.game, emulator.game.ticks)
        comparison.check()
        assert source.rejected == 0
        source.close()
        emulator.step()
        assert next(one for one in emulator.interfaces if one.name == "UDP telemetry").server.subscribers == 0


def test_laps_of_all_cars_are_events(tmp_path):
    track, car = load_track("skid_pad"), load_car("dallara_f317")
    outlets = Outlets(memory=False, custom_ai=False, remote_port=0, app_ports=None)
    driver = LineFollower(track, car, 2, pace=np.array([0.9, 0.8]))
    with Emulator(Simulator(track, car, n=2, substeps=1), driver, outlets) as emulator:
        source = RemoteSource("127.0.0.1", remote_port(emulator))
        with running(emulator):
            source.connect(timeout=5.0)
        for _ in range(500):
            for _ in range(20):
                emulator.step()
            source.read(timeout=0.0)
            if emulator.game.frames["lap_count"].min() > 0:
                break
        frames, laps = emulator.game.frames, source.laps()
        source.close()
    assert len(laps) == frames["lap_count"].sum()
    assert {lap.car for lap in laps} == {0, 1}
    last = {lap.car: lap for lap in laps}
    for car_index, lap in last.items():
        assert lap.time == pytest.approx(frames["last_lap_time"][car_index], abs=0.00051)
        assert lap.lap == frames["lap_count"][car_index]


@pytest.mark.parametrize(("rate", "fps"), [(25, 50.0), (50, 50.0), (100, 100.0)])
def test_the_app_at_its_rates(tmp_path, rate, fps):
    with served(tmp_path, fps=fps, app_rate=rate) as emulator:
        client = app_client(emulator)
        source = AppSource(client=client, steer_lock=emulator.game.info.steer_lock)
        with running(emulator):
            info = source.connect(timeout=5.0)
            assert (info.car, info.track) == ("dallara_f317", "oval")
            assert client.config()["ego_sampling_freq"] == rate
        past = Past(emulator)
        past.step()
        source.read(timeout=0.0)
        comparison, packets = Comparison(past, APP_MISSING), []
        for _ in range(600):
            past.step()
            sample = source.read(timeout=0.0)
            if sample is not None:
                packets.append(int(sample.frame["packet_id"][0]))
                comparison.add(sample.frame, sample.game)
        comparison.check()
        assert len(packets) == pytest.approx(rate * 600 * PHYSICS_STEP, abs=2)
        assert np.diff(packets).max() <= np.ceil(1.0 / (rate * PHYSICS_STEP)) + 4
        assert client.rejected == client.dropped == 0
        source.close()


def test_custom_ai_shows_the_same(tmp_path):
    with served(tmp_path, fps=100.0) as emulator:
        controls = neutral_car_controls()
        controls["gas"] = 0.7
        hands = Mapping.create(controls_name(0), controls.itemsize, tmp_path)
        hands.write(controls.tobytes())
        past = Past(emulator)
        for _ in range(120):
            past.step()
        comparison = Comparison(past, MISSING["custom_ai"])
        for _ in range(500):
            past.step()
            with Mapping.open(car_name(0), CAR.itemsize, tmp_path) as mapping:
                car = np.frombuffer(mapping.read(), CAR)
            comparison.add(*frames_from_custom_ai(car, emulator.game.info.steer_lock))
        comparison.check()
        hands.close()


def test_all_readers_agree_with_each_other(tmp_path):
    with served(tmp_path) as emulator:
        lock = emulator.game.info.steer_lock
        client = app_client(emulator)
        sources = [
            SharedMemorySource(tmp_path, steer_lock=lock, align=False),
            RemoteSource("127.0.0.1", remote_port(emulator), steer_lock=lock),
            AppSource(client=client, steer_lock=lock),
        ]
        with running(emulator):
            infos = [source.connect(timeout=5.0) for source in sources]
        assert len({(info.car, info.track) for info in infos}) == 1
        for _ in range(20):
            emulator.step()
        shared = set.intersection(
            *({channel.name for channel in FRAME_CHANNELS if channel.name not in missing} for missing in (
                MISSING["memory"], MISSING["udp"], APP_MISSING,
            ))
        )  # fmt: skip
        assert len(shared) > 20
        seen = [source.read(timeout=1.0) for source in sources[:2]]
        for name in shared:
            np.testing.assert_allclose(
                seen[0].frame[name], seen[1].frame[name], rtol=2e-5, atol=QUANTUM.get(name, 2e-3), err_msg=name
            )
        for source in sources:
            source.close()


def test_a_pause_is_seen_and_ends(tmp_path):
    now = [0.0]

    def step(seconds: float) -> None:
        emulator.step()
        now[0] += PHYSICS_STEP

    with served(tmp_path, fps=100.0) as emulator:
        source = SharedMemorySource(tmp_path, clock=lambda: now[0], sleep=step)
        source.connect()
        for _ in range(30):
            step(0.0)
            source.read(timeout=0.0)
        assert source.health().status == "live"
        emulator.game.pause()
        for _ in range(30):
            step(0.0)
            source.read(timeout=0.0)
        assert source.health().status == "paused"
        emulator.game.pause(False)
        for _ in range(30):
            step(0.0)
            source.read(timeout=0.0)
        assert source.health().status == "live"


def test_the_app_tells_a_new_car(tmp_path):
    with served(tmp_path, fps=50.0) as emulator:
        source = AppSource(client=app_client(emulator))
        with running(emulator):
            source.connect(timeout=5.0)
            assert source.read(timeout=2.0) is not None
            facts = source.client.static_info()
            assert facts["CarName"] == "dallara_f317"
        emulator.game.change_car(load_car("bmw_z4_gt3"))
        with running(emulator), pytest.raises(SourceError, match="changed car"):
            read_on(source)
        with running(emulator):
            assert source.connect(timeout=5.0).car == "bmw_z4_gt3"
        source.close()


def test_driving_through_the_app(tmp_path):
    simulator = Simulator(load_track("oval"), load_car("dallara_f317"), substeps=1)
    outlets = Outlets(folder=tmp_path, remote_port=None, app_ports=(0, 0, 0), fps=100.0)
    with with_its_own_clock(simulator, None, outlets) as emulator:
        client = app_client(emulator)
        with running(emulator):
            client.connect(timeout=5.0)
        controls = neutral_controls(1)
        controls["throttle"], controls["steer"] = 0.75, 0.1
        for _ in range(700):
            client.send(controls)
            emulator.step()
        assert emulator.controls["throttle"][0] == pytest.approx(0.75, abs=0.01)
        assert emulator.controls["steer"][0] == pytest.approx(0.1, abs=0.01)
        assert emulator.game.frames["speed"][0] > 3.0
        for _ in range(round(0.5 / PHYSICS_STEP)):
            emulator.step()
        assert emulator.controls["throttle"][0] == 0.0, "silent for half a second"
        client.close()


def test_custom_ai_goes_before_the_app_and_the_app_before_the_driver_inside(tmp_path):
    with served(tmp_path, fps=100.0) as emulator:
        client = app_client(emulator)
        with running(emulator):
            client.connect(timeout=5.0)
        controls = neutral_controls(1)
        controls["throttle"] = 0.25

        def drive(steps: int) -> float:
            for _ in range(steps):
                client.send(controls)
                emulator.step()
            return float(emulator.controls["throttle"][0])

        assert emulator.game.rows["ai_controlled"][0] == 1
        assert drive(600) == pytest.approx(0.25, abs=0.01)
        assert emulator.game.rows["ai_controlled"][0] == 0
        asked = neutral_car_controls()
        asked["gas"] = 0.5
        with Mapping.create(controls_name(0), asked.itemsize, tmp_path) as hands:
            hands.write(asked.tobytes())
            assert drive(150) == 0.5
            hands.unlink()
        assert drive(150) == pytest.approx(0.25, abs=0.01)
        client.close()


def test_the_app_puts_the_car_back(tmp_path):
    with served(tmp_path, fps=100.0) as emulator, running(emulator):
        client = app_client(emulator)
        client.connect(timeout=5.0)
        end = time.perf_counter() + 20.0
        while emulator.game.frames["speed"][0] < 10.0 and time.perf_counter() < end:
            time.sleep(0.005)
        client.reset()
        assert emulator.game.frames["lap_valid"][0] == 0
        assert emulator.game.frames["speed"][0] < 10.0
        road = client.track_info()
        assert len(road["left_lane"]) == len(road["right_lane"]) > 500
        client.close()


def test_opponents_are_told(tmp_path):
    with served(tmp_path, cars=3, fps=100.0) as emulator:
        client = app_client(emulator)
        with running(emulator):
            client.connect(timeout=5.0)
            others = client.opponents(timeout=5.0)
        assert [other["id"] for other in others] == [1, 2]
        client.close()


def test_a_taken_port_leaves_nothing_behind(tmp_path):
    with served(tmp_path / "a" if (tmp_path / "a").mkdir() is None else tmp_path) as emulator:
        other = tmp_path / "b"
        other.mkdir()
        simulator = Simulator(load_track("oval"), load_car("dallara_f317"), substeps=1)
        ports = app_client(emulator)
        for outlets in (
            Outlets(folder=other, remote_port=remote_port(emulator), app_ports=(0, 0, 0)),
            Outlets(folder=other, remote_port=0, app_ports=(ports.port, 0, 0)),
        ):
            with pytest.raises(SourceError):
                Emulator(simulator, outlets=outlets)
        assert list(other.iterdir()) == []


def test_more_messages_than_pictures_are_refused():
    with pytest.raises(ConfigError, match="pictures"):
        Outlets(fps=50.0, app_rate=100)
    with pytest.raises(ConfigError, match="pictures"):
        Outlets(fps=1000.0)
