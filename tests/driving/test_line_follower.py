"""The scripted expert on every bundled track in every bundled car."""

import numpy as np
import pytest

from actwin.content.library import car_names, load_car, load_track, track_names
from actwin.driving.line_follower import LineFollower
from actwin.planning.envelope import performance_envelope
from actwin.planning.speed_profile import speed_profile
from actwin.twin.simulator import Simulator
from actwin.units import air_density

TRACKS = [name for name in track_names() if name != "skid_pad"]


def flying_start(simulator: Simulator, driver: LineFollower) -> None:
    s = simulator.track.length - 60.0
    simulator.reset(
        distance=s,
        lateral=float(driver.line.offset(s)),
        heading=float(driver.line.angle_at(s)),
        speed=0.97 * float(driver.profile.speed_at(s)),
    )
    driver.reset()


def relay(simulator: Simulator, driver: LineFollower) -> tuple[np.ndarray, int]:
    """Drives a lap as N legs at once, each 60 m longer than its share; times [s] of the shares, wheels out."""
    n, track, period = simulator.n, simulator.track, simulator.control_period
    leg = track.length / n
    start = np.arange(n) * leg
    speed = 0.98 * driver.profile.speed_at(start)
    frames = simulator.reset(
        distance=start, lateral=driver.line.offset(start), heading=driver.line.angle_at(start), speed=speed
    )
    times, way, wheels_out = np.zeros(n), np.zeros(n), 0
    for step in range(int(60.0 / period)):
        before = frames["lap_distance"].copy()
        frames = simulator.step(driver.act(frames))
        gone = track.difference(frames["lap_distance"], before)
        crossing = (way < leg) & (way + gone >= leg)
        times = np.where(crossing, (step + (leg - way) / np.maximum(gone, 1e-6)) * period, times)
        way += gone
        wheels_out += int(frames["tyres_out"][way < leg + 60.0].sum())
        if np.all(way > leg + 60.0):
            break
    return times, wheels_out


@pytest.mark.parametrize("car_name", car_names())
@pytest.mark.parametrize("track_name", TRACKS)
def test_every_car_laps_every_track_cleanly_near_the_speed_profile(track_name: str, car_name: str) -> None:
    track, car = load_track(track_name), load_car(car_name)
    driver, simulator = LineFollower(track, car, 12), Simulator(track, car, 12)
    times, wheels_out = relay(simulator, driver)
    best = speed_profile(driver.line, driver.inverse.envelope, track).lap_time
    assert wheels_out == 0
    assert np.all(times > 0.0)
    assert 0.98 * best < times.sum() < 1.06 * best


@pytest.mark.parametrize(
    ("track_name", "car_name"),
    [
        ("monza", "formula_alpha_2022"),
        ("spa", "dallara_f317"),
        ("red_bull_ring", "bmw_z4_gt3"),
        ("oval", "ks_mazda_miata"),
    ],
)
def test_full_lap_counts_and_is_near_the_speed_profile(track_name: str, car_name: str) -> None:
    track, car = load_track(track_name), load_car(car_name)
    driver, simulator = LineFollower(track, car), Simulator(track, car)
    best = speed_profile(driver.line, performance_envelope(car, air_density(20.0, track.altitude)), track).lap_time
    flying_start(simulator, driver)
    frames, wheels_out = simulator.frames, 0
    for _ in range(int((1.1 * best + 10.0) / simulator.control_period)):
        frames = simulator.step(driver.act(frames))
        wheels_out += int(frames["tyres_out"][0])
        if frames["last_lap_time"][0] > 0.0:
            break
    lap = float(frames["last_lap_time"][0])
    assert wheels_out == 0
    assert frames["last_lap_valid"][0] == 1
    assert 0.98 * best < lap < 1.06 * best


def test_noisy_drivers_differ_and_stay_on_the_road() -> None:
    track, car = load_track("monza"), load_car("formula_alpha_2022")
    driver, simulator = (
        LineFollower(track, car, 16, pace=np.linspace(0.93, 0.98, 16), noise=0.5, seed=3),
        Simulator(track, car, 16),
    )
    flying_start(simulator, driver)
    frames, wheels_out = simulator.frames, np.zeros(16)
    for _ in range(int(100.0 / simulator.control_period)):
        frames = simulator.step(driver.act(frames))
        wheels_out += frames["tyres_out"]
    assert np.all(frames["last_lap_time"] > 0.0)
    assert np.ptp(frames["last_lap_time"]) > 1.0
    assert np.mean(wheels_out == 0) > 0.7


def test_same_seed_same_laps_whatever_the_batch() -> None:
    track, car = load_track("oval"), load_car("dallara_f317")
    ends = []
    for n in (1, 5):
        driver, simulator = LineFollower(track, car, n), Simulator(track, car, n)
        flying_start(simulator, driver)
        frames = simulator.frames
        for _ in range(200):
            frames = simulator.step(driver.act(frames))
        ends.append(frames[0].copy())
    assert ends[0] == ends[1]


@pytest.mark.parametrize("car_name", car_names())
def test_comes_back_after_a_spin_on_the_grass(car_name: str) -> None:
    track, car = load_track("barcelona"), load_car(car_name)
    driver, simulator = LineFollower(track, car), Simulator(track, car)
    simulator.reset(distance=300.0, lateral=float(track.width_left(300.0)) + 2.0, heading=2.6, speed=3.0)
    frames = simulator.frames
    for _ in range(int(60.0 / simulator.control_period)):
        frames = simulator.step(driver.act(frames))
    offset = float(frames["lateral_offset"][0] - driver.line.offset(frames["lap_distance"])[0])
    assert abs(offset) < 3.0
    assert frames["speed"][0] > 10.0


def test_standing_start_gets_away() -> None:
    track, car = load_track("monza"), load_car("formula_alpha_2022")
    driver, simulator = LineFollower(track, car), Simulator(track, car)
    frames = simulator.reset(distance=track.grid)
    for _ in range(100):
        frames = simulator.step(driver.act(frames))
    assert frames["speed"][0] > 30.0
