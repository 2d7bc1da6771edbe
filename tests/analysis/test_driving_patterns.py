"""Habits of laps that are known in closed form."""

from __future__ import annotations

import math
import time as clock

import numpy as np
import pytest
from known_corners import SPANS, KnownLap

from actwin.analysis.compare import Trace
from actwin.analysis.corners import corner_table, where_time_is_lost
from actwin.analysis.pattern_channels import AbsentError, clean, lap_of, time_above, weights, wheels
from actwin.analysis.pattern_grip import ANGLES, grip_use, limit_of_car, limit_of_data
from actwin.analysis.pattern_pedals import (
    activity,
    coasting_share,
    full_throttle_share,
    overlap_share,
    trail_share,
    usual_peak,
)
from actwin.analysis.pattern_shifts import Shift, best_upshifts, upshift_miss, upshift_rpm, upshifts
from actwin.analysis.pattern_steering import reversal_rate, reversals
from actwin.analysis.patterns import PATTERNS, pattern_table
from actwin.content.library import load_car
from actwin.planning.envelope import performance_envelope
from actwin.units import GRAVITY

RATES = [333.0, 25.0, 5.0]


def seconds(rate: float, length: float = 100.0) -> np.ndarray:
    return np.arange(0.0, length + 0.5 / rate, 1.0 / rate)


@pytest.mark.parametrize("rate", RATES)
def test_shares_of_time_do_not_depend_on_the_rate(rate: float) -> None:
    t = seconds(rate)
    throttle = np.interp(t, [0, 30, 31, 49, 50, 100], [1, 1, 0, 0, 1, 1])
    brake = np.interp(t, [0, 29, 30, 40, 41, 100], [0, 0, 1, 1, 0, 0])
    speed = np.full(len(t), 40.0)
    tolerance = 1e-6 if rate > 5.0 else 1e-3
    assert full_throttle_share(t, throttle) == pytest.approx((30.05 + 50.05) / 100.0, abs=tolerance)
    # Both pedals above 5 %: from 29.05 s to 30.95 s.
    assert overlap_share(t, throttle, brake) == pytest.approx(0.0190, abs=2e-3)
    # Both below: from 40.95 s to 49.05 s.
    assert coasting_share(t, throttle, brake, speed) == pytest.approx(0.081, abs=tolerance)
    assert coasting_share(t, throttle, brake, np.zeros(len(t))) == 0.0, "a parked car does not coast"


@pytest.mark.parametrize("rate", RATES)
def test_trail_braking_is_braking_in_the_turn(rate: float) -> None:
    t = seconds(rate, 20.0)
    brake = np.where((t >= 4.0) & (t <= 8.0), 0.7, 0.0)
    ay = np.where(t >= 7.0, 20.0, 0.0)
    assert trail_share(t, brake, ay) == pytest.approx(0.25, abs=0.06 if rate == 5.0 else 0.02)
    assert math.isnan(trail_share(t, np.zeros(len(t)), ay))
    assert usual_peak(t, brake) == pytest.approx(0.7)


def test_a_pause_counts_for_nothing() -> None:
    t = np.concatenate((np.arange(0.0, 10.0, 0.04), np.arange(310.0, 320.0, 0.04)))
    assert weights(t).sum() == pytest.approx(2 * 9.96)
    assert time_above(t, np.ones(len(t))) == pytest.approx(2 * 9.96)
    assert full_throttle_share(t, np.where(t < 100.0, 1.0, 0.0)) == pytest.approx(0.5)


def test_reversals_are_turns_back_by_the_gap() -> None:
    steer = np.interp(np.arange(0.0, 10.01, 0.01), [0, 2, 3, 4, 5, 6, 7, 8, 10], [0, 1, 0.97, 1, 0.5, 0.9, 0.9, 0, 0])
    assert reversals(steer, 0.1).tolist() == [400, 500, 700], "the dip of 0.03 is none, the plateau counts at its end"
    assert reversals(steer, 0.02).tolist() == [200, 300, 400, 500, 700]
    assert reversals(np.zeros(10), 0.1).tolist() == []


@pytest.mark.parametrize("rate", [333.0, 50.0, 25.0])
def test_the_reversal_rate_is_that_of_the_wheel(rate: float) -> None:
    t = seconds(rate, 60.0)
    assert reversal_rate(t, np.sin(2.0 * np.pi * 0.5 * t)) == pytest.approx(60.0, abs=2.0)
    noise = 0.005 * np.random.default_rng(1).standard_normal(len(t))
    assert reversal_rate(t, np.sin(2.0 * np.pi * 0.5 * t) + noise) == pytest.approx(60.0, abs=2.0)


def test_activity_is_the_way_of_the_pedal() -> None:
    t = seconds(100.0, 60.0)
    assert activity(t, 0.5 + 0.5 * np.sin(2.0 * np.pi * 0.25 * t)) == pytest.approx(0.5, rel=0.01)


def test_upshifts_are_read_through_neutral_and_only_at_full_throttle() -> None:
    t = np.arange(0.0, 6.0, 0.04)
    gear = np.select([t < 2.0, t < 2.08, t < 4.0, t < 5.0], [1, 0, 2, 3], 2)
    rpm, throttle = 6000.0 + 500.0 * t, np.where(t > 3.5, 0.3, 1.0)
    found = upshifts(t, gear, rpm, throttle)
    assert [(shift.gear, shift.rpm) for shift in found] == [(1, pytest.approx(6980.0))]
    assert upshift_rpm(found) == pytest.approx(6980.0)
    assert upshift_miss(found, {1: 7200.0}) == pytest.approx(-220.0)
    assert math.isnan(upshift_rpm([]))
    assert math.isnan(upshift_miss([Shift(0.0, 7, 9000.0)], {1: 7200.0}))


def test_the_best_upshift_is_where_the_next_gear_pulls_as_hard() -> None:
    car = load_car("bmw_z4_gt3")
    best = best_upshifts(car)
    assert sorted(best) == list(range(1, len(car.transmission.gears)))
    for gear, rpm in best.items():
        ratio, following = car.transmission.gears[gear - 1 : gear + 1]
        here, there = (
            np.interp(n, car.engine.rpm, car.engine.torque) * r
            for n, r in ((rpm, ratio), (rpm * following / ratio, following))
        )
        assert here >= there
        assert rpm == pytest.approx(car.engine.limiter_rpm, abs=5.0) or here == pytest.approx(there, rel=0.01)


def test_the_cars_own_limit_is_its_envelope() -> None:
    envelope = performance_envelope(load_car("bmw_z4_gt3"))
    limit = limit_of_car(envelope)
    level = int(np.argmin(np.abs(envelope.pushes)))
    speed = float(envelope.speeds[8])
    braking, cornering = envelope.backward[8, level, 0], envelope.lateral[8, level]
    assert limit.use(np.array([speed]), np.array([0.5 * braking]), np.array([0.0]))[0] == pytest.approx(0.5, abs=1e-3)
    assert limit.use(np.array([speed] * 2), np.zeros(2), np.array([-cornering, cornering])) == pytest.approx(
        1.0, abs=0.02
    )
    assert (limit.radius > 0.0).all()


def test_the_limit_of_data_is_their_hull() -> None:
    random = np.random.default_rng(2)
    angle, size = random.uniform(0.0, 2.0 * np.pi, 8000), 20.0 * np.sqrt(random.uniform(0.0, 1.0, 8000))
    speed = random.uniform(20.0, 60.0, 8000)
    channels = {"speed": speed, "ax": size * np.cos(angle), "ay": size * np.sin(angle)}
    lap = Trace("", np.arange(8000.0), np.arange(8000.0) * 0.01, channels)
    limit = limit_of_data([lap])
    assert limit.source == "data"
    assert limit.radius == pytest.approx(20.0, rel=0.05)
    assert limit.radius.shape == (4, len(ANGLES))
    use = grip_use(lap, limit)
    gentle = (np.abs(channels["ay"]) < 3.0) & (channels["ax"] > -3.0)
    assert np.isnan(use[gentle]).all()
    assert np.nanquantile(use, 0.9) == pytest.approx(0.95, abs=0.03)
    with pytest.raises(AbsentError, match="no speed and accelerations"):
        limit_of_data([Trace("", lap.distance, lap.time, {"speed": speed})])


def test_every_pattern_of_a_full_lap_is_a_number_and_every_missing_one_says_why() -> None:
    lap = KnownLap().trace()
    full = lap.channels | {"ax": np.gradient(lap["speed"], lap.time), "rpm": 8000.0 * lap["speed"] / 60.0}
    laps = [Trace("A", lap.distance, lap.time, full), Trace("B", lap.distance, lap.time, {})]
    table = pattern_table(laps)
    known = [p.name for p in PATTERNS if p.name not in ("upshift_rpm", "upshift_miss", "overlap")]
    assert table.loc[0, known].notna().all()
    assert table.loc[1, known].isna().all(), "a lap of nothing has no habits"
    assert table.loc[0, "lateral_g"] == pytest.approx(np.quantile(np.abs(lap["ay"]), 0.99) / GRAVITY)
    assert pattern_table(laps[:1]).attrs["absent"] == {"upshift_miss": "needs a car model"}
    nothing = pattern_table(laps[1:])
    assert set(nothing.attrs["absent"]) == {pattern.name for pattern in PATTERNS}
    assert nothing.attrs["absent"]["full_throttle"] == "needs throttle, which was not recorded"
    assert nothing.attrs["limit"] == ""


def test_patterns_agree_from_5_to_333_hz() -> None:
    tables = [pattern_table([KnownLap().sampled(rate)]) for rate in (333.0, 25.0, 5.0)]
    for name in ("full_throttle", "braking", "coasting", "trail_braking"):
        values = [float(table.loc[0, name]) for table in tables]
        assert values[1] == pytest.approx(values[0], abs=0.005), name
        assert values[2] == pytest.approx(values[0], abs=0.03), name


def test_a_table_and_arrays_make_the_same_lap() -> None:
    pandas = pytest.importorskip("pandas")
    load = np.arange(8.0).reshape(2, 4)
    arrays = {
        "time": np.array([0.0, 1.0]),
        "distance": np.array([0.0, 30.0]),
        "speed": np.array([30, 30]),
        "load": load,
    }
    flat = {name: values for name, values in arrays.items() if name != "load"} | {"driver": ["A", "A"]}
    flat |= {f"load_{wheel}": load[:, i] for i, wheel in enumerate(("fl", "fr", "rl", "rr"))}
    one, other = lap_of(arrays, "A"), lap_of(pandas.DataFrame(flat), "A")
    assert np.array_equal(wheels(one, "load"), wheels(other, "load"))
    assert np.array_equal(clean(one, "speed"), clean(other, "speed"))
    assert "driver" not in other.channels
    with pytest.raises(AbsentError, match="no slip_ratio"):
        wheels(one, "slip_ratio")


def test_ten_laps_are_analysed_in_a_second() -> None:
    laps = [KnownLap().sampled(100.0, driver) for driver in "ABCDEFGHIJ"]
    traces = [KnownLap().trace(driver) for driver in "ABCDEFGHIJ"]
    begun = clock.process_time()
    pattern_table(laps)
    corner_table(traces, SPANS)
    for lap in traces[1:]:
        where_time_is_lost(lap, traces[0], SPANS)
    assert clock.process_time() - begun < 1.0
