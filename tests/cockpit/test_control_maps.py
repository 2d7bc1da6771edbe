"""Curves of the controls: their arithmetic, their file, their measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actwin.cockpit.calibration import Step, curve, measure_controls
from actwin.cockpit.control_maps import ControlMaps, Curve, load_maps, maps_path, read_maps
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.channels import neutral_controls


def test_what_is_inverted_is_reached() -> None:
    maps = ControlMaps(steer=Curve(command=(-0.7, 0.1, 0.7), reached=(-1.0, 0.0, 0.9)))
    wanted = neutral_controls(5)
    wanted["steer"], wanted["brake"] = [-1.0, -0.5, 0.0, 0.5, 0.9], [0.0, 0.25, 0.5, 0.75, 1.0]
    reached = maps.reach(maps.invert(wanted))
    for name in ("steer", "brake", "throttle", "clutch", "gear"):
        np.testing.assert_allclose(reached[name], wanted[name], atol=1e-6)
    # Beyond the end of a curve the end is the best that can be done.
    wanted["steer"] = 1.0
    np.testing.assert_allclose(maps.reach(maps.invert(wanted))["steer"], 0.9, atol=1e-6)


def test_curves_that_do_not_rise_are_refused() -> None:
    for command, reached in (((0.0, 1.0), (1.0, 0.0)), ((1.0, 0.0), (0.0, 1.0)), ((0.0, 0.5, 1.0), (0.0, 1.0))):
        with pytest.raises(ValueError, match="curve"):
            Curve(command=command, reached=reached)


def test_a_file_comes_back_and_a_damaged_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTWIN_CONFIG_DIR", str(tmp_path))
    maps = ControlMaps(car="BMW Z4 GT3", actuator="vigem", delay=0.03, brake=Curve(command=(0, 1), reached=(0, 0.8)))
    path = maps.save(maps_path(maps.car, "vigem"))
    assert path.is_relative_to(tmp_path)
    assert load_maps("BMW Z4 GT3", "vigem") == maps
    assert load_maps("another", "custom_ai:somewhere") == ControlMaps(car="another", actuator="custom_ai:somewhere")
    assert maps_path("a", "custom_ai:/x/y") == maps_path("a", "custom_ai")
    assert maps_path("../../etc", "vigem").is_relative_to(tmp_path)
    for text in ("{", '{"steer": 3}', '{"unknown": 1}', " " * 200_000, '{"delay": NaN}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="calibrate-controls"):
            read_maps(path)
    with pytest.raises(ConfigError, match="no control map"):
        read_maps(tmp_path / "absent.json")


def steps_of(function: object, commands: np.ndarray) -> list[Step]:
    return [Step(float(c), float(function(c)), float("nan")) for c in commands]  # type: ignore[operator]


def test_stops_and_dead_zones_keep_their_corners() -> None:
    commands = np.linspace(-1.0, 1.0, 21)

    def game(command: float) -> float:
        size = max(abs(command) - 0.1, 0.0) / 0.6
        return float(np.sign(command) * min(size, 1.0))

    measured = curve("steer", steps_of(game, commands))
    assert measured.command[0] == pytest.approx(-0.7)
    assert measured.command[-1] == pytest.approx(0.7)
    assert measured.invert(0.0) == pytest.approx(0.0, abs=0.01)
    for wanted in np.linspace(-1.0, 1.0, 41):
        assert game(float(measured.invert(wanted))) == pytest.approx(wanted, abs=0.01)


def test_a_control_that_does_not_follow_is_named() -> None:
    for function in (lambda c: 0.05, lambda c: -c):
        with pytest.raises(SourceError, match="brake does not follow"):
            curve("brake", steps_of(function, np.linspace(0.0, 1.0, 11)))


def test_the_procedure_finds_what_stands_between_command_and_car(make_game) -> None:
    game = make_game(spacing=4)
    game.simulator.reset(distance=50.0)
    plain = game.send

    def bent(controls, gear=None):
        device = controls.copy()
        device["steer"] = np.clip(controls["steer"] / 0.7, -1.0, 1.0)
        device["brake"] = controls["brake"] ** 2
        plain(device)
        return controls.copy()

    game.send = bent
    seen = []
    maps = measure_controls(game, game, car="x", hold=0.07, on_step=lambda name, step: seen.append(name))
    assert len(seen) == 17 + 11 + 11
    assert (maps.car, maps.actuator) == ("x", "memory")
    assert maps.steer.invert(1.0) == pytest.approx(0.7, abs=0.13)
    assert maps.steer.invert(0.5) == pytest.approx(0.35, abs=0.01)
    assert maps.brake.invert(0.25) == pytest.approx(0.5, abs=0.02)
    assert maps.throttle.invert(0.5) == pytest.approx(0.5, abs=0.02)
    assert 0.0 <= maps.delay < 0.1


def test_a_car_that_does_not_stop_is_not_measured(make_game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actwin.cockpit.calibration.HALT", 0.1)
    game = make_game()
    game.alive = False
    with pytest.raises(SourceError, match="come to a halt"):
        measure_controls(game, game)
