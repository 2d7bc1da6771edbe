"""The physics step is short enough: halving it hardly changes a lap."""

from __future__ import annotations

import pytest

from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.twin.simulator import Simulator


def flying_lap(track, car, substeps, physics_step):
    """[s] Lap time of the line follower from a rolling start before the line."""
    sim = Simulator(track, car, 1, substeps=substeps, physics_step=physics_step)
    driver = LineFollower(track, car)
    start = track.length - 150.0
    sim.reset(
        distance=start, speed=0.8 * float(driver.profile.speed_at(start)), lateral=float(driver.line.offset(start))
    )
    for _ in range(round(150.0 / sim.control_period)):
        frames = sim.step(driver.act(sim.frames))
        if frames["lap_count"][0] == 1:
            assert frames["last_lap_valid"][0] == 1
            return float(frames["last_lap_time"][0])
    raise AssertionError("no lap was completed")


@pytest.mark.parametrize("name", ["formula_alpha_2022", "dallara_f317", "bmw_z4_gt3"])
def test_halving_the_step_changes_a_lap_by_less_than_a_thousandth(name):
    track, car = load_track("red_bull_ring"), load_car(name)
    full, half = flying_lap(track, car, 13, 0.003), flying_lap(track, car, 26, 0.0015)
    assert half == pytest.approx(full, rel=1e-3)
