from __future__ import annotations

import numpy as np
import pytest

from actwin.twin.drivetrain import Shafts, drive_shafts, friction_impulse, gear_ratio
from actwin.twin.engine import engine_torque, full_torque
from actwin.twin.params import car_params


@pytest.fixture
def params(any_car):
    return car_params(any_car)


def test_gear_ratios_come_from_the_file(any_car, params):
    final = any_car.transmission.final_drive
    for number, gear in enumerate(any_car.transmission.gears, start=1):
        assert gear_ratio(float(number), params.drive) == pytest.approx(gear * final)
    assert gear_ratio(0.0, params.drive) == 0.0
    assert gear_ratio(-1.0, params.drive) == pytest.approx(-any_car.transmission.reverse * final)


def test_torque_map_is_the_files_within_two_per_cent(any_car, params):
    engine = any_car.engine
    speeds = np.linspace(max(engine.idle_rpm, engine.rpm[0]), engine.limiter_rpm, 200)
    ours = np.array([full_torque(float(rpm), params.engine) for rpm in speeds])
    theirs = np.interp(speeds, engine.rpm, engine.torque)
    assert np.abs(ours - theirs).max() < 0.03 * max(engine.torque)


def test_limiter_and_closed_throttle_brake_the_engine(params):
    engine = params.engine
    assert engine_torque(engine.limiter, 1.0, 1.0, engine) < 0.0
    assert engine_torque(0.8 * engine.limiter, 0.0, 1.0, engine) < 0.0
    assert engine_torque(0.5 * engine.idle, 0.0, 1.0, engine) > 0.0


def test_friction_holds_or_slips():
    assert friction_impulse(1.0, 2.0, 10.0) == 0.5
    assert friction_impulse(-100.0, 2.0, 10.0) == -10.0


def test_locked_clutch_keeps_momentum_and_ends_slip(params):
    before = Shafts(1000.0, 40.0, 44.0)
    ratio, engine_inertia, wheel_inertia = 5.0, 0.05, 1.2
    drive = params.drive._replace(clutch_torque=1e9, preload=0.0, power=0.0, coast=0.0, efficiency=1.0)
    after = drive_shafts(
        before, ratio, 1.0, 1.0 / engine_inertia, 1.0 / wheel_inertia, 1.0 / wheel_inertia, 0.003, drive
    )
    assert after.engine == pytest.approx(ratio * 0.5 * (after.left + after.right), rel=1e-6)
    # Torque through the gear is multiplied by the ratio, so this sum is what the coupling leaves unchanged.
    kept = [s.engine * engine_inertia * ratio + (s.left + s.right) * wheel_inertia for s in (before, after)]
    assert kept[0] == pytest.approx(kept[1], rel=1e-6)
    assert after.right - after.left == pytest.approx(4.0, rel=1e-5)


def test_spool_turns_both_wheels_alike(params):
    drive = params.drive._replace(preload=1e9)
    after = drive_shafts(Shafts(100.0, 10.0, 30.0), 0.0, 1.0, 20.0, 0.8, 0.8, 0.003, drive)
    assert after.left == pytest.approx(20.0, rel=1e-5)
    assert after.right == pytest.approx(20.0, rel=1e-5)


def test_neutral_leaves_the_wheels_alone(params):
    drive = params.drive._replace(preload=0.0)
    after = drive_shafts(Shafts(500.0, 10.0, 30.0), 0.0, 1.0, 20.0, 0.8, 0.8, 0.003, drive)
    assert (after.engine, after.left, after.right) == pytest.approx((500.0, 10.0, 30.0))
