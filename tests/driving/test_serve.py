"""The emulator on the clock of the wall, and in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from actwin.cockpit.actuators.custom_ai import CustomAI
from actwin.content.library import load_car
from actwin.driving.interruption import Interruption
from actwin.driving.serve import CATCH_UP, Service, open_service, serve
from actwin.errors import CheckpointError, ConfigError
from actwin.telemetry.ac.app_client import AppClient
from actwin.telemetry.ac.app_source import AppSource
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.ac.remote import RemoteSource
from actwin.telemetry.channels import neutral_controls
from actwin.twin.emulator.emulator import Outlets

NOTHING = Outlets(memory=False, custom_ai=False, remote_port=None, app_ports=None)


class Slow:
    """Stands for an emulator; one of its steps takes long."""

    def __init__(self, slow_step: int = -1, lasts: float = 0.0) -> None:
        self.game = SimpleNamespace(simulator=SimpleNamespace(physics_step=0.003), time_scale=1.0)
        self.timing = SimpleNamespace(spreads=dict)
        self.slow_step, self.lasts, self.steps = slow_step, lasts, 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.slow_step:
            time.sleep(self.lasts)


def test_fast_is_as_fast_as_it_gets():
    with open_service(Service("oval", driver="none", outlets=NOTHING)) as emulator:
        done = serve(emulator, fast=True, seconds=0.3)
    assert done.steps == emulator.game.ticks
    assert done.game_time == pytest.approx(done.steps * 0.003)
    assert done.sections["step"].n == done.steps
    assert {"decide", "physics"} <= set(done.sections)
    assert (done.late, done.lost) == (0, 0)


def test_a_short_stall_is_made_up_for():
    slow = Slow(20, 5.5 * 0.003)
    done = serve(slow, seconds=0.4)
    assert done.steps == slow.steps
    assert done.late >= 4
    # However late this machine was besides: what is neither done nor lost does not exist.
    assert done.steps + done.lost == pytest.approx(done.wall_time / 0.003, abs=CATCH_UP + 2)


def test_a_long_stall_is_not():
    done = serve(Slow(20, 0.15), seconds=0.4)
    assert done.lost >= 0.15 / 0.003 - CATCH_UP - 2
    assert done.real_time_factor < 0.9


def test_time_may_run_faster():
    slow = Slow()
    slow.game.time_scale = 2.0
    done = serve(slow, speed=2.0, seconds=0.3)
    assert done.steps + done.lost == pytest.approx(4.0 * done.wall_time / 0.003, abs=4 * CATCH_UP)
    with pytest.raises(ConfigError, match="as fast"):
        serve(slow, speed=0.0)


def test_asked_to_end_from_elsewhere():
    stop, seconds = Interruption(), []
    threading.Timer(1.3, stop.ask).start()
    done = serve(Slow(), stop=stop, on_second=seconds.append)
    assert 0.0 < done.wall_time < 30.0
    assert len(seconds) == int(done.wall_time)


def test_the_expert_drives_what_it_serves():
    with open_service(Service("oval", cars=2, outlets=NOTHING)) as emulator:
        for _ in range(1500):
            emulator.step()
        frames = emulator.game.frames
        assert (frames["speed"] > 20.0).all()
        assert (emulator.game.rows["ai_controlled"] == 1).all()
        assert (np.abs(frames["lateral_offset"]) < 6.0).all()


def test_a_checkpoint_drives_with_its_own_physics_and_period(tmp_path):
    from actwin.agents.checkpoints import FORMAT, save_checkpoint
    from actwin.agents.networks import ActionSpec, Policy
    from actwin.env.task import Task, TaskConfig

    physics = {"substeps": 10, "grip": 0.8, "abs": False}
    task = Task(TaskConfig(track="oval", car="bmw_z4_gt3", physics=physics), 1)
    policy = Policy(task.observation_size, ActionSpec(*task.action_space), (8,))
    made = {"format": FORMAT, "kind": "ppo", "config": {}, "task": task.identity(), "spec": policy.spec}
    made |= {"agent": {"policy": policy.state_dict()}, "counters": {}, "versions": {}, "numerics": {}}
    save_checkpoint(tmp_path / "policy.pt", made)
    with open_service(Service(driver=str(tmp_path / "policy.pt"), outlets=NOTHING)) as emulator:
        simulator = emulator.game.simulator
        assert (simulator.track.name, simulator.cars[0].name) == ("oval", "bmw_z4_gt3")
        assert (simulator.conditions.grip, simulator.assists.abs) == (0.8, False)
        sent = []
        for _ in range(40):
            emulator.step()
            sent.append(emulator.controls.tobytes())
        changes = [i for i in range(1, 40) if sent[i] != sent[i - 1]]
        assert changes == [10, 20, 30]


def test_a_checkpoint_that_is_none_is_told(tmp_path):
    with pytest.raises(CheckpointError):
        open_service(Service(driver=str(tmp_path / "absent.pt"), outlets=NOTHING))


class Server:
    """`actwin serve` in a process of its own."""

    def __init__(self, folder, *words: str) -> None:
        program = "import sys; from actwin.cli import main; main(sys.argv[1:])"
        options = (
            "serve",
            "--track",
            "oval",
            "--folder",
            str(folder),
            "--remote-port",
            "0",
            "--app-port",
            "0",
            "--json",
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *options, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.told = json.loads(line)

    def port(self, interface: str, name: str) -> int:
        return int(self.told["serving"][interface][name].rsplit(":", 1)[1])

    def end(self) -> dict:
        out, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err
        return json.loads(out)


def test_a_game_in_another_process_is_read_and_driven(tmp_path):
    server = Server(tmp_path, "--driver", "none", "--seconds", "3", "--app-rate", "50")
    try:
        lock = load_car("dallara_f317").steering.wheel_lock
        app = AppClient("127.0.0.1", *(server.port("in-game app", name) for name in ("ego", "opponents", "management")))
        sources = [
            SharedMemorySource(tmp_path, steer_lock=lock),
            RemoteSource("127.0.0.1", server.port("UDP telemetry", "telemetry"), steer_lock=lock),
            AppSource(client=app, steer_lock=lock),
        ]
        infos = [source.connect(timeout=3.0) for source in sources]
        assert {(info.car, info.track) for info in infos} == {("dallara_f317", "oval")}
        hands = CustomAI(str(tmp_path))
        controls = neutral_controls(1)
        controls["throttle"] = 0.8
        seen: list[set[int]] = [set() for _ in sources]
        begin = time.perf_counter()
        while time.perf_counter() - begin < 1.0:
            hands.send(controls)
            for packets, source in zip(seen, sources, strict=True):
                sample = source.read(timeout=0.005)
                if sample is not None:
                    packets.add(round(1000.0 * float(sample.frame["lap_time"][0])))
                    speed = float(sample.frame["speed"][0])
        hands.close()
        for source in sources:
            source.close()
        assert speed > 2.0
        assert min(len(packets) for packets in seen) > 10
    finally:
        facts = server.end()
    assert facts["steps"] + facts["lost"] == pytest.approx(facts["wall_time"] / 0.003, abs=2 * CATCH_UP)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without asking them")
def test_asked_to_end_it_takes_its_memory_away(tmp_path):
    server = Server(tmp_path, "--driver", "none", "--cars", "2")
    assert server.told["cars"] == 2
    SharedMemorySource(tmp_path).connect(timeout=3.0)
    server.process.send_signal(signal.SIGTERM)
    assert server.end()["steps"] > 0
    assert list(tmp_path.iterdir()) == []
