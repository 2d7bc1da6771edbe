"""The performance envelope against the equations it is made of, and against the stepped car."""

import numpy as np
import pytest

from actwin.content.library import car_names, load_car, load_track
from actwin.planning.envelope import Envelope, performance_envelope
from actwin.telemetry.channels import neutral_controls
from actwin.twin.params import car_params
from actwin.twin.simulator import Simulator
from actwin.twin.steady import trim
from actwin.twin.steady_ride import Place
from actwin.units import GRAVITY, air_density, from_kmh

LEVEL = 2


def at(envelope: Envelope, table: np.ndarray, kmh: float) -> float:
    """A column of the table on a level road, in g, at a speed."""
    return float(np.interp(from_kmh(kmh), envelope.speeds, table)) / GRAVITY


@pytest.mark.parametrize("name", car_names())
def test_envelope_is_a_closed_curve_that_shrinks_towards_the_limit(name: str) -> None:
    envelope = performance_envelope(load_car(name))
    assert envelope.pushes[LEVEL] == 0.0
    fast = envelope.speeds < envelope.top_speed
    assert np.all(envelope.forward[fast] >= envelope.backward[fast])
    assert np.all(envelope.backward[:, LEVEL, 0] < 0.0)
    assert np.all(np.diff(envelope.forward[:, LEVEL], axis=1) < 0.05)
    # Below 20 m/s the steering lock is the limit.
    fast &= envelope.speeds > 20.0
    assert np.all(np.diff(envelope.lateral[fast], axis=1) > -0.3), "a dip presses the car down, a crest lifts it"


@pytest.mark.parametrize("name", car_names())
def test_more_grip_widens_the_envelope(name: str) -> None:
    full, less = performance_envelope(load_car(name)), performance_envelope(load_car(name), grip=0.9)
    fast = full.speeds < full.top_speed
    ratio = less.lateral[fast, LEVEL] / full.lateral[fast, LEVEL]
    assert np.all(ratio[2:] < 1.0)
    # Tyre forces go with grip; less of them shifts less load to the outer wheels, which gives a little back.
    assert 0.9 < np.median(ratio) < 0.94


def test_drag_reduction_raises_the_top_speed() -> None:
    car = load_car("formula_alpha_2022")
    assert performance_envelope(car, drs=1.0).top_speed > performance_envelope(car).top_speed + 3.0


@pytest.mark.parametrize("name", car_names())
def test_trim_of_a_straight_needs_no_steering(name: str) -> None:
    car = load_car(name)
    place = Place(1.2, 1.0, 0.0, car.chassis.mass + car.chassis.fuel)
    state = trim(30.0, 0.0, 0.0, 0.0, place, car_params(car))
    assert state.held == 1.0
    assert abs(state.steer) < 2e-3
    assert abs(state.sideslip) < 2e-3


@pytest.mark.parametrize("name", car_names())
def test_steady_turn_is_what_the_stepped_car_settles_to(name: str) -> None:
    car, track = load_car(name), load_track("skid_pad")
    density = air_density(20.0, track.altitude)
    envelope = performance_envelope(car, density)
    radius = 1.0 / float(track.curvature(0.0))
    speed = float(np.interp(0.6, envelope.speeds**2 / radius / envelope.lateral[:, LEVEL], envelope.speeds))
    ay = speed**2 / radius
    place = Place(density, 1.0, 0.0, car.chassis.mass + car.chassis.fuel)
    wanted = trim(speed, 0.0, ay, 0.0, place, car_params(car))
    simulator = Simulator(track, car)
    frames = simulator.reset(distance=0.0, speed=speed, heading=-wanted.sideslip)
    controls = neutral_controls(1)
    controls["steer"] = wanted.steer
    history = []
    for _ in range(60):
        controls["throttle"] = np.clip(0.15 + 0.3 * (speed - frames["speed"]), 0.0, 1.0)
        frames = simulator.step(controls)
        history.append(float(frames["speed"][0] * frames["yaw_rate"][0]))
    assert np.mean(history[-20:]) == pytest.approx(ay, rel=0.06)


def test_formula_performance_lies_in_the_published_ranges() -> None:
    envelope = performance_envelope(load_car("formula_alpha_2022"))
    assert 330.0 < envelope.top_speed * 3.6 < 370.0
    braking = [-at(envelope, envelope.backward[:, LEVEL, 0], kmh) for kmh in (100, 200, 250, 300)]
    assert braking == pytest.approx([2.4, 3.8, 4.8, 5.4], rel=0.2)
    forward = np.interp(np.linspace(4.0, from_kmh(300.0), 400), envelope.speeds, envelope.forward[:, LEVEL, 0])
    times = np.cumsum(np.diff(np.linspace(4.0, from_kmh(300.0), 400), prepend=0.0) / forward)
    speeds = np.linspace(4.0, from_kmh(300.0), 400)
    for kmh, seconds in ((100.0, 2.0), (200.0, 3.9), (300.0, 7.8)):
        assert float(np.interp(from_kmh(kmh), speeds, times)) == pytest.approx(seconds, rel=0.2)
