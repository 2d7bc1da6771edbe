from __future__ import annotations

import struct

import pytest

from actwin.content.app_install import (
    CONFIG,
    SOURCE,
    app_address,
    check_settings,
    find_socket_module,
    install,
    installed_version,
    listening,
    uninstall,
)
from actwin.content.controls_preset import controls_presets
from actwin.content.game import app_on, python_apps_on, shaders_patch
from actwin.content.ini_edit import read_value
from actwin.errors import ConfigError, ContentError
from game_tree import PYTHON, contents, make_game, write


def program(machine: int = 0x8664, links: bytes = b"python33.dll") -> bytes:
    """As much of a Windows program as is looked at."""
    return b"MZ".ljust(0x3C, b"\0") + struct.pack("<I4sH", 64, b"PE\0\0", machine) + links


@pytest.mark.parametrize("patch", [True, False])
def test_everything_is_taken_back_to_the_byte(tmp_path, patch) -> None:
    game = make_game(tmp_path, patch)
    before = contents(tmp_path)
    done = install(game)
    assert installed_version(game.app_folder) == installed_version() is not None
    assert all(path.is_file() for path in done.files)
    assert app_on(game)
    assert (game.settings / "Python.ini").read_bytes().startswith(PYTHON)
    assert patch is (shaders_patch(game) is not None and shaders_patch(game).custom_ai is True)
    assert uninstall(game).notes == ()
    assert contents(tmp_path) == before
    assert not game.app_folder.exists()
    with pytest.raises(ContentError, match="no app installed"):
        uninstall(game)


def test_the_apps_files_arrive_as_they_are(tmp_path) -> None:
    game = make_game(tmp_path)
    install(game)
    for path in SOURCE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert (game.app_folder / path.relative_to(SOURCE)).read_bytes() == path.read_bytes()


def test_each_instance_has_its_own_ports_and_keeps_them(tmp_path) -> None:
    game = make_game(tmp_path)
    install(game, listening("0.0.0.0", {"telemetry": 3345}))
    assert app_address(game) == ("0.0.0.0", {"telemetry": 3345, "opponents": 2346, "management": 2347})
    config = game.app_folder / CONFIG
    write(config, config.read_bytes().replace(b"ego_sampling_freq = 25", b"ego_sampling_freq = 50"))
    done = install(game, listening(ports={"opponents": 3346}))
    assert app_address(game) == ("0.0.0.0", {"telemetry": 3345, "opponents": 3346, "management": 2347})
    assert b"ego_sampling_freq = 50" in config.read_bytes()
    assert any("config.ini had been changed" in note for note in done.notes)


def test_settings_that_do_not_exist_change_nothing(tmp_path) -> None:
    game = make_game(tmp_path)
    before = contents(tmp_path)
    for settings in ({"ego_port": 1}, {"ego_server_port": "1\n[x]"}):
        with pytest.raises(ConfigError):
            install(game, settings)
    assert contents(tmp_path) == before
    check_settings({"ego_server_host_name": "0.0.0.0"})


def test_python_apps_are_switched_on(tmp_path) -> None:
    game = make_game(tmp_path)
    off = b"[PYTHON]\r\nENABLE_PYTHON=0\r\n"
    write(game.settings / "gameplay.ini", off)
    install(game)
    assert python_apps_on(game) is True
    uninstall(game)
    assert (game.settings / "gameplay.ini").read_bytes() == off


@pytest.mark.parametrize(
    "content", [b"", b"MZ", program(machine=0x14C), program(links=b"python311.dll"), b"MZ" + b"\xff" * 100]
)
def test_other_socket_modules_are_left_alone(tmp_path, content) -> None:
    write(tmp_path / "_socket.pyd", content)
    assert find_socket_module([tmp_path, tmp_path / "nowhere"]) is None
    with pytest.raises(ContentError, match=r"3\.3"):
        install(make_game(tmp_path / "game"), modules=tmp_path)


def test_a_socket_module_in_the_game_is_used(tmp_path) -> None:
    game = make_game(tmp_path)
    assert any("_socket.pyd" in note for note in install(game).notes)
    uninstall(game)
    write(game.root / "apps" / "Python" / "gears" / "stdlib64" / "_socket.pyd", program())
    assert not any("_socket.pyd" in note for note in install(game).notes)
    assert (game.app_folder / "stdlib64" / "_socket.pyd").read_bytes() == program()
    write(tmp_path / "modules" / "DLLs" / "_socket.pyd", program() + b"mine")
    install(game, modules=tmp_path / "modules")
    install(game)
    assert (game.app_folder / "stdlib64" / "_socket.pyd").read_bytes() == program() + b"mine"


def test_an_app_that_was_there_before_is_put_back(tmp_path) -> None:
    game = make_game(tmp_path)
    write(game.app_folder / "actwin.py", b"somebody else's")
    before = contents(tmp_path)
    install(game)
    assert installed_version(game.app_folder) == installed_version()
    uninstall(game)
    assert contents(tmp_path) == before


def test_the_controls_pass_on_what_is_sent() -> None:
    joystick, pad = controls_presets().values()
    for preset, section in ((joystick, "STEER"), (pad, "X360")):
        assert read_value(preset, section, "STEER_FILTER") == "0"
        assert read_value(preset, section, "SPEED_SENSITIVITY") == "0"
        assert read_value(preset, section, "STEER_GAMMA") == "1"
    assert {read_value(joystick, name, "AXLE") for name in ("STEER", "THROTTLE", "BRAKES")} == {"0", "1", "2"}
