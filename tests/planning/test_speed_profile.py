"""The speed profile against closed forms and its own limits."""

from dataclasses import replace

import numpy as np
import pytest

from actwin.content.library import load_car, load_track
from actwin.planning.drs_zones import LONG_ENOUGH, OPENS_AFTER, drs_zones
from actwin.planning.envelope import performance_envelope
from actwin.planning.racing_line import centre_line, minimum_curvature
from actwin.planning.speed_profile import speed_profile
from actwin.units import air_density

POLES = {"monza": 80.161, "spa": 103.665, "barcelona": 78.750, "red_bull_ring": 64.984, "budapest": 77.377}
"""[s] Fastest qualifying laps of 2022."""


def test_circle_is_driven_at_the_speed_of_its_lateral_limit() -> None:
    track, envelope = load_track("skid_pad"), performance_envelope(load_car("formula_alpha_2022"))
    line = centre_line(track)
    profile = speed_profile(line, envelope, track)
    speed = float(profile.speed.mean())
    limit = float(np.interp(speed, envelope.speeds, envelope.lateral[:, 2]))
    assert np.ptp(profile.speed) < 0.2
    # Holding the speed takes drive, which costs some of the lateral limit.
    assert 0.92 * limit < speed**2 * abs(float(line.curvature.mean())) < limit
    assert profile.lap_time == pytest.approx(line.length / speed, rel=1e-3)


def test_profile_is_periodic_and_keeps_every_limit() -> None:
    track, envelope = load_track("barcelona"), performance_envelope(load_car("dallara_f317"))
    profile = speed_profile(minimum_curvature(track, 1.2), envelope, track)
    assert np.all(profile.speed <= profile.limit + 1e-9)
    assert profile.ax.max() < envelope.forward.max()
    assert profile.ax.min() > 1.1 * envelope.backward.min()
    steps = np.diff(np.append(profile.speed, profile.speed[0]))
    assert np.abs(steps).max() < 2.5


def test_time_is_the_integral_of_slowness() -> None:
    track, envelope = load_track("monza"), performance_envelope(load_car("dallara_f317"))
    profile = speed_profile(minimum_curvature(track, 1.2), envelope, track)
    assert profile.lap_time == pytest.approx(float(np.sum(profile.line.spacing / profile.speed)), rel=2e-3)
    assert np.all(np.diff(profile.time) > 0.0)


def test_finer_nodes_change_little() -> None:
    track, envelope = load_track("budapest"), performance_envelope(load_car("formula_alpha_2022"))
    laps = [speed_profile(minimum_curvature(track, 1.2, step), envelope, track).lap_time for step in (3.0, 1.5)]
    assert laps[1] == pytest.approx(laps[0], rel=3e-3)


def test_pace_scales_time() -> None:
    track, envelope = load_track("oval"), performance_envelope(load_car("bmw_z4_gt3"))
    line = minimum_curvature(track, 1.2)
    assert speed_profile(line, envelope, track, pace=0.9).lap_time == pytest.approx(
        speed_profile(line, envelope, track).lap_time / 0.9
    )


def test_shifts_cost_time() -> None:
    track, envelope = load_track("monza"), performance_envelope(load_car("ks_mazda_miata"))
    line = minimum_curvature(track, 1.2)
    slow, none = speed_profile(line, envelope, track), speed_profile(line, replace(envelope, shift_time=0.0), track)
    assert 0.2 < slow.lap_time - none.lap_time < 8.0


def test_drag_reduction_zones_lie_on_long_straights_and_save_time() -> None:
    track, car = load_track("monza"), load_car("formula_alpha_2022")
    line = minimum_curvature(track, 1.0)
    zones = drs_zones(line)
    starts = np.flatnonzero(zones & ~np.roll(zones, 1))
    assert 2 <= len(starts) <= 4
    assert OPENS_AFTER < LONG_ENOUGH
    shut, flap = performance_envelope(car), performance_envelope(car, drs=1.0)
    assert 0.2 < speed_profile(line, shut, track).lap_time - speed_profile(line, shut, track, flap=flap).lap_time < 1.5


@pytest.mark.parametrize("name", POLES)
def test_formula_laps_lie_within_three_per_cent_of_the_poles(name: str) -> None:
    wing = {"monza": 0.0, "spa": 0.5, "barcelona": 0.5, "red_bull_ring": 1.0, "budapest": 1.0}[name]
    track, car = load_track(name), load_car("formula_alpha_2022").with_wing(wing)
    density = air_density(20.0, track.altitude)
    line = minimum_curvature(track, 0.5 * car.chassis.width)
    flap = performance_envelope(car, density, drs=1.0)
    lap = speed_profile(line, performance_envelope(car, density), track, flap=flap).lap_time
    assert lap == pytest.approx(POLES[name], rel=0.03)
