from __future__ import annotations

import numpy as np
import pytest

from actwin.errors import ConfigError, ControlError, UnknownNameError
from actwin.telemetry.channels import CONTROLS, as_integers, neutral_controls
from actwin.twin.simulator import Simulator
from actwin.twin.world import Conditions


def wild_controls(n, step, seed=7):
    controls = neutral_controls(n)
    for i in range(n):
        rng = np.random.default_rng((seed, i, step // 10))
        controls["steer"][i] = rng.uniform(-0.3, 0.3)
        controls["throttle"][i] = rng.uniform(0.0, 1.0)
        controls["brake"][i] = rng.uniform(-0.5, 0.5)
    return controls


def drive(sim, steps=120):
    for step in range(steps):
        sim.step(wild_controls(sim.n, step))
    return as_integers(sim.frames).copy()


def starts(n):
    return {"distance": 100.0 + 37.0 * np.arange(n), "speed": 20.0 + 0.5 * np.arange(n)}


def test_same_bits_whatever_the_batch(plain_track, f1):
    track = plain_track(length=3000.0, half_width=6.0, wall=12.0)
    wide = Simulator(track, f1, 37)
    wide.reset(**starts(37))
    whole = drive(wide)
    narrow = Simulator(track, f1, 5)
    narrow.reset(**starts(5))
    assert (drive(narrow) == whole[:5]).all()
    single = Simulator(track, f1, 1)
    single.reset(**starts(1))
    assert (drive(single) == whole[:1]).all()


def test_same_bits_with_threads(plain_track, f1):
    results = []
    for threads in (1, 2, 3):
        sim = Simulator(plain_track(length=3000.0), f1, 100, threads=threads)
        sim.reset(**starts(100))
        results.append(drive(sim, 30))
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


def test_snapshot_restore_continues_exactly(plain_track, f1):
    sim = Simulator(plain_track(length=3000.0), f1, 20)
    sim.reset(**starts(20))
    drive(sim, 30)
    saved = sim.snapshot()
    before = as_integers(sim.frames).copy()
    after = drive(sim, 30)
    frames = sim.restore(saved)
    assert (as_integers(frames) == before).all()
    assert (drive(sim, 30) == after).all()


def test_snapshots_move_between_places_in_the_batch(plain_track, f1):
    sim = Simulator(plain_track(length=3000.0), f1, 20)
    sim.reset(**starts(20))
    drive(sim, 20)
    sim.restore(sim.snapshot([3]), [18])
    assert (as_integers(sim.frames)[18] == as_integers(sim.frames)[3]).all()


def test_reset_touches_only_the_cars_it_names(plain_track, f1):
    sim = Simulator(plain_track(length=3000.0), f1, 20)
    sim.reset(**starts(20))
    drive(sim, 20)
    before = as_integers(sim.frames).copy()
    sim.reset([4, 17], distance=[50.0, 60.0], speed=10.0, lateral=[1.0, -1.0])
    rest = np.setdiff1d(np.arange(20), [4, 17])
    assert (as_integers(sim.frames)[rest] == before[rest]).all()
    assert sim.frames["lap_distance"][[4, 17]] == pytest.approx([50.0, 60.0], abs=1e-3)
    assert sim.frames["lateral_offset"][[4, 17]] == pytest.approx([1.0, -1.0])


def test_single_precision_stays_close_to_double(plain_track, f1):
    ends = []
    for precision in ("single", "double"):
        sim = Simulator(plain_track(length=3000.0), f1, 1, precision=precision)
        sim.reset(distance=10.0, speed=40.0)
        controls = neutral_controls(1)
        controls["throttle"], controls["steer"] = 0.3, 0.01
        for _ in range(128):
            sim.step(controls)
        ends.append((float(sim.frames["lap_distance"][0]), float(sim.frames["speed"][0])))
    assert ends[0][0] == pytest.approx(ends[1][0], abs=0.2)
    assert ends[0][1] == pytest.approx(ends[1][1], abs=0.02)


def test_randomised_parameters_act_on_their_car_alone(plain_track, f1):
    sim = Simulator(plain_track(), f1, 18)
    sim.scale([17], chassis__mass=1.5)
    sim.reset(distance=100.0, speed=30.0)
    controls = neutral_controls(18)
    controls["throttle"] = 0.3
    for _ in range(20):
        sim.step(controls)
    speeds = sim.frames["speed"]
    assert np.ptp(speeds[:17]) == 0.0
    assert speeds[17] < speeds[0] - 0.1
    sim.reset_params()
    sim.reset(distance=100.0, speed=30.0)
    for _ in range(20):
        sim.step(controls)
    assert np.ptp(sim.frames["speed"]) == 0.0


def test_unknown_parameter_is_named(plain_track, f1):
    with pytest.raises(UnknownNameError, match=r"chassis\.mas"):
        Simulator(plain_track(), f1, 1).scale(chassis__mas=1.0)


def test_laps_are_timed_to_the_millisecond(plain_track, f1):
    """A car held at constant speed laps in length over speed."""
    length = 1000.0
    sim = Simulator(plain_track(length=length), f1, 1, precision="double")
    sim.reset(distance=900.0, speed=50.0)
    crossings = []
    controls = neutral_controls(1)
    position, total = [], []
    for step in range(2200):
        controls["throttle"] = np.clip(0.25 + 0.5 * (50.0 - sim.frames["speed"]), 0.0, 1.0)
        frames = sim.step(controls)
        position.append(float(frames["lap_distance"][0]))
        total.append((step + 1) * sim.control_period)
        if len(crossings) < frames["lap_count"][0]:
            crossings.append(float(frames["last_lap_time"][0]))
    unwrapped = np.unwrap(position, period=length)
    times = np.interp(np.arange(1, 4) * length, unwrapped, total)
    assert len(crossings) >= 2
    # Speed varies by millimetres a second here, so straight interpolation of the recorded positions is the reference.
    assert crossings[:2] == pytest.approx(np.diff(times)[:2], abs=1e-3)


def test_sector_times_add_up_to_the_lap(plain_track, f1):
    sim = Simulator(plain_track(length=1000.0), f1, 1)
    sim.reset(distance=900.0, speed=40.0)
    controls = neutral_controls(1)
    sectors, last, seen = [], 0, 0
    for _ in range(1500):
        controls["throttle"] = np.clip(0.25 + 0.5 * (40.0 - sim.frames["speed"]), 0.0, 1.0)
        frames = sim.step(controls)
        if frames["sector"][0] != last:
            sectors.append(float(frames["last_sector_time"][0]))
            last = int(frames["sector"][0])
        if frames["lap_count"][0] > seen:
            seen = int(frames["lap_count"][0])
            assert sum(sectors[-3:]) == pytest.approx(float(frames["last_lap_time"][0]), abs=2e-4)
    assert seen >= 1


def test_leaving_the_road_invalidates_the_lap(plain_track, f1):
    sim = Simulator(plain_track(length=1000.0, half_width=5.0, wall=30.0), f1, 1)
    sim.reset(distance=10.0, speed=30.0, lateral=9.0)
    frames = sim.step(neutral_controls(1))
    assert frames["tyres_out"][0] == 4
    assert frames["lap_valid"][0] == 0
    assert (frames["surface"][0] == 2).all()


def test_a_wall_costs_speed_and_is_not_passed(plain_track, f1):
    sim = Simulator(plain_track(half_width=6.0, wall=9.0), f1, 1)
    sim.reset(distance=100.0, speed=50.0, heading=0.3)
    controls = neutral_controls(1)
    lost = 0.0
    for _ in range(100):
        frames = sim.step(controls)
        lost += float(frames["collision"][0])
        assert abs(frames["lateral_offset"][0]) < 9.5
    assert lost > 1e4
    assert frames["speed"][0] < 48.0


def test_gears_go_up_and_down_by_themselves(plain_track, any_car):
    sim = Simulator(plain_track(), any_car, 1)
    sim.reset(distance=100.0)
    controls = neutral_controls(1)
    controls["throttle"] = 0.6
    gears = [int(sim.step(controls)["gear"][0]) for _ in range(700)]
    assert max(gears) >= 3
    assert (np.diff(gears) >= 0).all()
    controls["throttle"], controls["brake"] = 0.0, 0.4
    down = [int(sim.step(controls)["gear"][0]) for _ in range(600)]
    assert min(down) <= 2
    assert sim.frames["rpm"].max() <= any_car.engine.limiter_rpm * 1.05


def test_drs_cuts_drag(plain_track, f1):
    sim = Simulator(plain_track(), f1, 2)
    sim.reset(distance=100.0, speed=80.0)
    controls = neutral_controls(2)
    controls["drs"] = [0.0, 1.0]
    for _ in range(40):
        frames = sim.step(controls)
    assert frames["speed"][1] > frames["speed"][0] + 0.3


def test_wet_road_and_wind_act(plain_track, f1):
    brake = neutral_controls(1)
    brake["brake"] = 0.5
    stops = []
    for grip in (1.0, 0.6):
        sim = Simulator(plain_track(), f1, 1, conditions=Conditions(grip=grip))
        sim.reset(distance=100.0, speed=40.0)
        for _ in range(30):
            sim.step(brake)
        stops.append(float(sim.frames["speed"][0]))
    assert stops[1] > stops[0] + 1.0


def test_tyres_warm_and_wear(plain_track, f1):
    sim = Simulator(plain_track(), f1, 1, conditions=Conditions(tyre_thermal=True))
    sim.reset(distance=100.0, speed=50.0, tyre_temperature=60.0)
    for step in range(300):
        sim.step(wild_controls(1, step))
    assert (sim.frames["tyre_wear"] > 0.0).all()
    assert sim.frames["tyre_surface_temperature"].max() > 60.0


def test_fuel_burns(plain_track, f1):
    sim = Simulator(plain_track(), f1, 1)
    sim.reset(distance=100.0, speed=50.0, fuel=50.0)
    controls = neutral_controls(1)
    controls["throttle"] = 1.0
    for _ in range(200):
        sim.step(controls)
    burnt = 50.0 - float(sim.frames["fuel"][0])
    assert 0.1 < burnt < 1.0


@pytest.mark.parametrize("channel", ["steer", "throttle", "brake", "drs"])
def test_controls_that_are_not_finite_are_refused(plain_track, f1, channel):
    sim = Simulator(plain_track(), f1, 3)
    before = as_integers(sim.frames).copy()
    controls = neutral_controls(3)
    controls[channel][1] = np.nan
    with pytest.raises(ControlError, match=f"'{channel}' of car 1"):
        sim.step(controls)
    assert (as_integers(sim.frames) == before).all()


def test_controls_of_the_wrong_shape_are_refused(plain_track, f1):
    sim = Simulator(plain_track(), f1, 3)
    with pytest.raises(ControlError, match=r"CONTROLS\[3\]"):
        sim.step(np.zeros(2, CONTROLS))
    with pytest.raises(ControlError, match="record array"):
        sim.step(np.zeros((3, 6)))


def test_senseless_simulators_are_refused(plain_track, f1):
    with pytest.raises(ConfigError, match="at least one car"):
        Simulator(plain_track(), f1, 0)
    with pytest.raises(ConfigError, match="physics steps"):
        Simulator(plain_track(), f1, 1, physics_step=0.1)
    with pytest.raises(ConfigError, match="does not exist"):
        Simulator(plain_track(), f1, 2).reset([5], distance=0.0)
    with pytest.raises(ConfigError, match="not finite"):
        Simulator(plain_track(), f1, 2).reset(distance=np.nan)
