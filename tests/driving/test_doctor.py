from __future__ import annotations

import numpy as np
import pytest

import actwin.driving.doctor as doctor
from actwin.content.app_install import install
from actwin.content.game import Game
from actwin.driving.health_check import Check, answered
from actwin.driving.installation_checks import (
    check_actwin,
    check_app,
    check_app_sockets,
    check_game,
    check_shaders_patch,
    check_torch,
)
from actwin.driving.live_checks import check_actuators, check_custom_ai, check_round_trip, check_source
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.custom_ai import CAR_PUBLIC, public_name
from actwin.telemetry.ac.mapping import Mapping
from fake_source import FakeSource
from game_tree import make_game, write


def test_an_error_is_a_no_with_its_cure() -> None:
    def fails() -> Check:
        raise SourceError("Nobody is there. Start the game. Or serve.")

    assert answered("x", fails) == Check("x", False, "Nobody is there.", "Start the game. Or serve.")


def test_the_game_must_have_been_started(tmp_path) -> None:
    game = make_game(tmp_path)
    assert check_game(game).ok is True
    assert check_game(Game(game.root, tmp_path / "empty")).ok is False


def test_the_app_is_missing_old_off_or_ready(tmp_path) -> None:
    game = make_game(tmp_path)
    assert check_app(game)[1:] == (False, "It is not installed.", "Run: actwin install-app")
    install(game)
    assert check_app(game).ok is True
    write(game.settings / "Python.ini", b"[ACTWIN]\nACTIVE=0\n")
    assert "switched off" in check_app(game).words
    write(game.settings / "gameplay.ini", b"[PYTHON]\nENABLE_PYTHON=0\n")
    assert "Python apps are off" in check_app(game).words
    write(game.app_folder / "actwin_app" / "__init__.py", b'VERSION = "0.0.1"\n')
    assert "0.0.1" in check_app(game).words


def test_the_apps_sockets(tmp_path) -> None:
    game = make_game(tmp_path)
    assert check_app_sockets(game).ok is None
    write(game.app_folder / "stdlib64" / "_socket.pyd")
    assert check_app_sockets(game).ok is True


def test_the_shaders_patch_is_missing_old_off_or_ready(tmp_path) -> None:
    game = make_game(tmp_path)
    assert "Custom AI is switched off" in check_shaders_patch(game).words
    install(game)
    assert check_shaders_patch(game).ok is True
    manifest = game.root / "extension" / "config" / "data_manifest.ini"
    write(manifest, b"[VERSION]\nSHADERS_PATCH=0.1.77\n")
    assert check_shaders_patch(game).words == "0.1.77 has no Custom AI."
    (game.root / "dwrite.dll").unlink()
    assert "switched off" in check_shaders_patch(game).words
    assert check_shaders_patch(make_game(tmp_path / "plain", patch=False)).ok is False


def test_this_package_and_torch_are_told() -> None:
    assert "actwin" in check_actwin().words
    assert check_torch().ok is not False


class Clocked(FakeSource):
    """Samples that say to have come at a steady rate."""

    def __init__(self, rate: float, **more) -> None:
        super().__init__(**more)
        self.step = 1.0 / rate

    def read(self, timeout=0.1):
        sample = super().read(timeout)
        return sample and sample._replace(time=self.given * self.step)


@pytest.mark.parametrize(("rate", "ok"), [(333.0, True), (25.0, True), (10.0, False)])
def test_a_source_is_judged_by_its_rate(rate, ok) -> None:
    source = Clocked(rate)
    check = check_source("memory", source, seconds=0.02)
    assert check.ok is ok
    assert f"{rate:.0f} samples a second" in check.words
    assert source.closed


def test_a_source_that_is_silent_or_stands_still() -> None:
    source = FakeSource(answers=False)
    assert check_source("memory", source, 0.01) == Check("memory", False, "Nobody is there.", "Start the game.")
    assert source.closed
    assert "nothing moves" in check_source("memory", FakeSource(samples=1), 0.01).words


def test_the_round_trip_is_asked_often() -> None:
    asked = []
    assert check_round_trip(lambda: asked.append(1), times=7).ok is True
    assert len(asked) == 7


def test_custom_ai_is_seen_without_taking_a_car(tmp_path) -> None:
    assert "not there" in check_custom_ai(str(tmp_path), 0.01).words
    with Mapping.create(public_name(0), CAR_PUBLIC.itemsize, tmp_path) as public:
        assert "stands still" in check_custom_ai(str(tmp_path), 0.01).words

        class Moving:
            def __init__(self) -> None:
                self.count = 0

            def __call__(self, mapping) -> bytes:
                self.count += 1
                record = np.zeros(1, CAR_PUBLIC)
                record["packet_id"] = self.count
                return record.tobytes()

        with pytest.MonkeyPatch.context() as patched:
            moving = Moving()
            patched.setattr(Mapping, "read", lambda mapping: moving(mapping))
            assert check_custom_ai(str(tmp_path), 1.0).ok is True
        assert public.read() == bytes(CAR_PUBLIC.itemsize)
    assert [path.name for path in tmp_path.iterdir() if "CarControls" in path.name] == []


def test_virtual_controllers_are_tried_and_let_go() -> None:
    closed = []

    class Pad:
        def close(self) -> None:
            closed.append(1)

    def absent():
        raise SourceError("No driver. Install it.")

    assert check_actuators([("vjoy", absent), ("vigem", Pad)]) == Check("virtual controller", True, "vigem")
    assert closed == [1]
    check = check_actuators([("vjoy", absent)])
    assert (check.ok, check.cure) == (None, "vjoy: No driver. Install it.")
    assert check_actuators([]).words == "None on this system."


def test_everything_is_asked_even_where_nothing_is(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(doctor, "find_game", lambda folder, documents=None: make_game(tmp_path))
    monkeypatch.setattr(doctor, "open_source", lambda text: FakeSource(answers=False))
    checks = list(doctor.examine(memory=f"memory:{tmp_path}", app="app:127.0.0.1:9", seconds=0.01))
    names = [check.name for check in checks]
    assert names == list(dict.fromkeys(names))
    assert {"game", "in-game app", "Custom Shaders Patch", "shared memory", "UDP telemetry", "round trip"} <= set(names)
    assert all(check.cure for check in checks if check.ok is False)


def test_a_wrong_place_is_refused() -> None:
    with pytest.raises(ConfigError, match="memory:PLACE"):
        next(doctor.examine(memory="udp:1.2.3.4"))
