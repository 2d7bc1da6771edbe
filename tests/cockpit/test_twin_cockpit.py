"""The seat over the twin, and the limits of the controls."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.cockpit.limits import ControlLimits, refuse_broken
from actwin.cockpit.protocol import Cockpit
from actwin.cockpit.twin import TwinCockpit
from actwin.content.library import load_car, load_track
from actwin.errors import ConfigError, ControlError
from actwin.telemetry.channels import Controls, neutral_controls
from actwin.twin.simulator import Simulator


def drive(cockpit: TwinCockpit, controls: Controls) -> None:
    cockpit.send(controls)
    cockpit.read()


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(load_track("oval"), load_car("formula_alpha_2022"), 3)


def test_sending_and_reading_is_stepping(simulator: Simulator) -> None:
    cockpit: Cockpit = TwinCockpit(simulator)
    other = Simulator(simulator.track, simulator.cars[0], 3)
    slots, offsets = other.track.grid_positions(1)
    other.reset(distance=slots[0], lateral=offsets[0])
    np.testing.assert_array_equal(cockpit.reset(), other.frames)
    controls = neutral_controls(3)
    controls["throttle"] = [0.2, 0.5, 1.0]
    for _ in range(20):
        assert cockpit.send(controls) is controls
        np.testing.assert_array_equal(cockpit.read(), other.step(controls))
    assert (cockpit.n, cockpit.period) == (3, pytest.approx(0.039))


def test_rates_are_limited_and_what_was_sent_is_returned(simulator: Simulator) -> None:
    cockpit = TwinCockpit(simulator, ControlLimits(steer_rate=2.0, pedal_rate=4.0, max_throttle=0.3))
    cockpit.reset()
    controls = neutral_controls(3)
    controls["steer"], controls["throttle"] = 1.0, 1.0
    for step in range(1, 4):
        sent = cockpit.send(controls)
        np.testing.assert_allclose(sent["steer"], step * 2.0 * cockpit.period, rtol=1e-5)
        np.testing.assert_allclose(sent["throttle"], min(step * 4.0 * cockpit.period, 0.3), rtol=1e-5)
        cockpit.read()
    cockpit.reset(np.array([1]))
    assert cockpit.send(controls)["steer"].argmin() == 1


def test_ranges_are_cut() -> None:
    controls = neutral_controls(2)
    controls["steer"], controls["throttle"], controls["brake"], controls["gear"] = [-3.0, 3.0], 2.0, -1.0, 99
    sent = ControlLimits().apply(controls, neutral_controls(2), 0.04)
    assert sent["steer"].tolist() == [-1.0, 1.0]
    assert sent["throttle"].tolist() == [1.0, 1.0]
    assert sent["brake"].tolist() == [0.0, 0.0]
    assert sent["gear"].tolist() == [10, 10]


@pytest.mark.parametrize("limits", [None, ControlLimits()])
@pytest.mark.parametrize("name", ["steer", "throttle", "brake", "clutch", "drs"])
def test_broken_controls_move_nothing(simulator: Simulator, limits: ControlLimits | None, name: str) -> None:
    cockpit = TwinCockpit(simulator, limits)
    before = cockpit.reset().copy()
    controls = neutral_controls(3)
    controls[name][1] = np.nan
    with pytest.raises(ControlError, match=name):
        drive(cockpit, controls)
    np.testing.assert_array_equal(cockpit.frames, before)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ControlError, match="CONTROLS"):
        refuse_broken(np.zeros(3))
    with pytest.raises(ControlError, match="2 cars"):
        refuse_broken(neutral_controls(2), 3)


def test_nonsense_limits_are_refused() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        ControlLimits(steer_rate=0.0)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        ControlLimits(max_brake=1.5)


def test_restoring_puts_cars_back(simulator: Simulator) -> None:
    cockpit = TwinCockpit(simulator)
    cockpit.reset(distance=100.0, speed=40.0)
    kept = simulator.snapshot()
    before = cockpit.frames.copy()
    cockpit.send(neutral_controls(3))
    cockpit.read()
    np.testing.assert_array_equal(cockpit.restore(kept), before)
