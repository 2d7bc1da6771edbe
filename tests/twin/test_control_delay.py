"""Controls that reach the car late."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.errors import ConfigError
from actwin.telemetry.channels import neutral_controls
from actwin.twin.simulator import Simulator


def wild_controls(turn: int, n: int = 3):
    controls = neutral_controls(n)
    controls["steer"] = 0.1 * np.sin(0.7 * turn + np.arange(n))
    controls["throttle"] = 0.5 + 0.5 * np.cos(0.3 * turn)
    controls["brake"] = turn % 11 == 0
    controls["gear"] = 4
    return controls


def test_whole_periods_of_delay_are_earlier_controls(plain_track, f1):
    late, prompt = Simulator(plain_track(), f1, 3, control_delay=0.078), Simulator(plain_track(), f1, 3)
    start = neutral_controls(3)
    start["gear"] = 4
    for sim in (late, prompt):
        sim.reset(distance=100.0, speed=40.0, gear=4)
    for turn in range(40):
        late.step(wild_controls(turn))
        prompt.step(start if turn < 2 else wild_controls(turn - 2))
    np.testing.assert_array_equal(late.frames, prompt.frames)


@pytest.mark.parametrize("steps", [1, 5, 13, 17])
def test_any_number_of_physics_steps(plain_track, f1, steps):
    """Period by period with a delay equals physics step by physics step with earlier controls; the gear is held, since
    shifts are decided once a period."""
    late = Simulator(plain_track(), f1, 3, control_delay=0.003 * steps)
    fine = Simulator(plain_track(), f1, 3, substeps=1)
    for sim in (late, fine):
        sim.reset(distance=100.0, speed=40.0, gear=4)
    start = neutral_controls(3)
    start["gear"] = 4
    for turn in range(10):
        late.step(wild_controls(turn))
        for step in range(13):
            decided = (13 * turn + step - steps) // 13
            fine.step(start if decided < 0 else wild_controls(decided))
    for name in ("vx", "vy", "yaw_rate", "steer", "brake", "wheel_speed"):
        np.testing.assert_allclose(late.frames[name], fine.frames[name], rtol=2e-4, atol=2e-4, err_msg=name)


def test_a_moved_car_forgets_what_was_asked_before(plain_track, f1):
    sim = Simulator(plain_track(), f1, 2, control_delay=0.039)
    sim.reset(distance=100.0)
    full = neutral_controls(2)
    full["throttle"] = 1.0
    sim.step(full)
    sim.reset(index=[1], distance=100.0)
    sim.step(neutral_controls(2))
    assert sim.frames["throttle"][0] > 0.9
    assert sim.frames["throttle"][1] == 0.0


@pytest.mark.parametrize("delay", [0.004, -0.003, 2.0, float("nan")])
def test_a_delay_that_is_no_whole_number_of_steps_is_refused(plain_track, f1, delay):
    with pytest.raises(ConfigError, match="multiple of the physics step"):
        Simulator(plain_track(), f1, 1, control_delay=delay)
