"""Understeer and oversteer from steering and yaw rate, judged by the slip angles that the twin knows."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.analysis.compare import Trace
from actwin.analysis.pattern_balance import Slide, slide_share, slides, slip_difference, understeer_angle
from actwin.analysis.pattern_channels import AbsentError
from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.telemetry.channels import FRAME_CHANNEL
from actwin.twin.simulator import Simulator

CAR = "formula_alpha_2022"
PERIOD = 0.039


@pytest.fixture(scope="module")
def drives() -> tuple[Trace, Trace]:
    """The expert on the Red Bull Ring: with hands and feet disturbed until the car slides, and left alone."""
    track, car = load_track("red_bull_ring"), load_car(CAR)
    simulator, expert = Simulator(track, car, 2), LineFollower(track, car, 2, noise=1.0, seed=1)
    simulator.reset(distance=0.0, speed=60.0)
    random = np.random.default_rng(5)
    frames, push = [], np.zeros(2)
    for step in range(1800):
        controls = expert.act(simulator.frames).copy()
        push = 0.9 * push + random.normal(0.0, (0.025, 0.15))
        controls["steer"][0] = np.clip(controls["steer"][0] + push[0], -1.0, 1.0)
        controls["throttle"][0] = np.clip(controls["throttle"][0] + max(push[1], 0.0) * (step % 200 > 100), 0.0, 1.0)
        frames.append(simulator.step(controls).copy())
    made = []
    for run in np.array(frames).T:
        channels = {name: run[name].astype(np.float64) for name in FRAME_CHANNEL}
        distance = np.unwrap(channels["lap_distance"], period=track.length)
        made.append(Trace("", distance, PERIOD * np.arange(len(run)), channels))
    return made[0], made[1]


@pytest.fixture(scope="module")
def wild(drives: tuple[Trace, Trace]) -> Trace:
    return drives[0]


@pytest.fixture(scope="module")
def calm(drives: tuple[Trace, Trace]) -> Trace:
    return drives[1]


def agreement(truth: np.ndarray, told: np.ndarray) -> float:
    """Cohen's kappa of two judgements."""
    same = float((truth == told).mean())
    chance = sum(float((truth == k).mean() * (told == k).mean()) for k in np.unique(truth))
    return (same - chance) / (1.0 - chance)


def judged(angle: np.ndarray) -> np.ndarray:
    return np.sign(angle) * (np.abs(angle) > np.deg2rad(2.0))


def test_the_drive_slides_at_both_ends(wild: Trace) -> None:
    truth = slip_difference(wild)
    moments = slides(wild.time, wild.distance, truth)
    assert {slide.kind for slide in moments} == {"understeer", "oversteer"}, "else nothing is tested"


def test_with_the_car_it_is_the_slip_angles(wild: Trace) -> None:
    truth, told = slip_difference(wild), understeer_angle(wild, load_car(CAR))
    both = np.isfinite(truth)
    assert np.array_equal(both, np.isfinite(told))
    assert both.sum() > 800
    assert np.sqrt(np.mean((told - truth)[both] ** 2)) < np.deg2rad(0.15)
    assert np.corrcoef(truth[both], told[both])[0, 1] > 0.998
    assert agreement(judged(truth[both]), judged(told[both])) > 0.95


def test_without_the_car_it_goes_with_them(calm: Trace) -> None:
    truth, told = slip_difference(calm), understeer_angle(calm)
    both = np.isfinite(truth)
    assert np.corrcoef(truth[both], told[both])[0, 1] > 0.98
    gain = float(np.polyfit(truth[both], told[both], 1)[0])
    # The wheelbase is taken to be 2.7 m and is 3.6 m.
    assert gain == pytest.approx(2.7 / load_car(CAR).chassis.wheelbase, rel=0.25)


def test_steering_that_tells_no_car_is_refused(wild: Trace) -> None:
    with pytest.raises(AbsentError, match="calmer steering"):
        understeer_angle(wild)


def test_moments_are_found_at_the_same_times(wild: Trace) -> None:
    truth = slides(wild.time, wild.distance, slip_difference(wild))
    told = slides(wild.time, wild.distance, understeer_angle(wild, load_car(CAR)))
    for one, others in ((truth, told), (told, truth)):
        long = [slide for slide in one if slide.end - slide.begin > 0.25]
        assert long
        for slide in long:
            same = [other for other in others if other.kind == slide.kind]
            assert any(other.begin < slide.end and other.end > slide.begin for other in same), slide


def test_a_steady_turn_without_slip_is_neutral() -> None:
    car = load_car(CAR)
    t = np.arange(0.0, 10.0, 0.04)
    speed, rate = np.full(len(t), 20.0), np.where(t < 5.0, 0.4, -0.4)
    steer = car.chassis.wheelbase * rate / speed / car.steering.lock
    lap = Trace("", 20.0 * t, t, {"speed": speed, "yaw_rate": rate, "steer": steer})
    assert np.abs(understeer_angle(lap, car)).max() < 1e-12
    more = Trace("", 20.0 * t, t, lap.channels | {"steer": steer + np.sign(rate) * 0.1 / car.steering.lock})
    assert understeer_angle(more, car) == pytest.approx(0.1), "more lock than the turn needs is understeer, either way"
    wheel = Trace("", 20.0 * t, t, {"speed": speed, "yaw_rate": rate, "steer_angle": steer * car.steering.wheel_lock})
    assert np.abs(understeer_angle(wheel, car)).max() < 1e-12
    assert slide_share(t, understeer_angle(more, car), "understeer") == pytest.approx(1.0)
    assert slide_share(t, understeer_angle(more, car), "oversteer") == 0.0


def test_moments_have_exact_edges() -> None:
    t = np.arange(0.0, 4.001, 0.1)
    angle = np.deg2rad(np.interp(t, [0, 1, 2, 3, 4], [0, 4, 0, -3, -3]))
    first, second = slides(t, 10.0 * t, angle)
    assert first == Slide("understeer", pytest.approx(0.5), pytest.approx(1.5), 10.0, pytest.approx(np.deg2rad(4.0)))
    assert (second.kind, second.begin) == ("oversteer", pytest.approx(2.0 + 2.0 / 3.0))


def test_a_car_that_is_parked_or_goes_straight_has_no_balance() -> None:
    t = np.arange(0.0, 10.0, 0.1)
    still = {"speed": np.full(100, 2.0), "yaw_rate": np.full(100, 2.0), "steer": np.full(100, 0.5)}
    assert np.isnan(understeer_angle(Trace("", t, t, still), load_car(CAR))).all()
    with pytest.raises(AbsentError, match="lacks a car model"):
        understeer_angle(Trace("", t, t, still))
    with pytest.raises(AbsentError, match="no yaw_rate"):
        understeer_angle(Trace("", t, t, {"speed": still["speed"]}))
