"""Anomalies put into a lap are found, with their times and places; nothing is found in a lap without."""

from __future__ import annotations

import numpy as np
import pytest
from known_corners import SPANS, KnownLap

from actwin.analysis.anomalies import LOOKS, find, place_name, slip_ratios, unseen
from actwin.analysis.compare import Trace
from actwin.analysis.pattern_channels import AbsentError

RADIUS = 0.33


def full(rate: float = 100.0, driver: str = "A") -> Trace:
    """A lap with every channel that anomalies are looked for in, and nothing wrong."""
    lap = KnownLap().sampled(rate, driver)
    none = np.zeros(len(lap.time))
    more = {
        "vy": none, "tyres_out": none, "collision": none, "slip_ratio": np.zeros((len(none), 4)),
        "wheel_speed": np.repeat(lap["speed"][:, None] / RADIUS, 4, axis=1),
    }  # fmt: skip
    return Trace(driver, lap.distance, lap.time, lap.channels | {name: values.copy() for name, values in more.items()})


def around(lap: Trace, place: float, seconds: float) -> np.ndarray:
    """Samples of some seconds from a place on."""
    begin = float(np.interp(place, lap.distance, lap.time))
    return (lap.time >= begin) & (lap.time < begin + seconds)


OTHERS = [full(driver=name) for name in "BCDE"]


def test_a_good_lap_has_none() -> None:
    assert find(full(), SPANS, OTHERS) == []
    assert unseen(full(), SPANS, OTHERS) == {}


@pytest.mark.parametrize("rate", [333.0, 100.0, 25.0])
def test_lock_ups_and_wheel_spin_are_found_with_time_place_and_wheel(rate: float) -> None:
    lap = full(rate)
    locked, spun = around(lap, 490.0, 0.4), around(lap, 700.0, 0.5)
    lap["slip_ratio"][locked, 0] = -0.9
    lap["slip_ratio"][spun, 2:] = 0.6
    lock, spin = find(lap, SPANS, OTHERS)
    assert (lock.kind, spin.kind) == ("lock-up", "wheel spin")
    assert lock.time == pytest.approx(float(np.interp(490.0, lap.distance, lap.time)), abs=1.0 / rate)
    assert lock.distance == pytest.approx(490.0, abs=60.0 / rate)
    assert lock.duration == pytest.approx(0.4, abs=1.5 / rate)
    assert lock.size == pytest.approx(-0.9)
    assert lock.words == f"FL locked for {lock.duration:.2f} s before Left, 90 % slip"
    assert spin.words.startswith("RL and RR spinning for")


def test_short_slip_and_slip_without_pedals_are_none() -> None:
    lap = full()
    lap["slip_ratio"][around(lap, 490.0, 0.05), 0] = -0.9
    lap["slip_ratio"][around(lap, 1000.0, 0.5), 0] = -0.9  # nobody brakes there
    assert find(lap, SPANS, OTHERS) == []


def test_slip_is_made_of_wheel_speeds_where_it_was_not_recorded() -> None:
    lap = full()
    del lap.channels["slip_ratio"]
    assert np.abs(slip_ratios(lap)).max() < 1e-6
    lap["wheel_speed"][around(lap, 490.0, 0.4), 1] *= 0.2
    (found,) = find(lap, SPANS)
    assert found.kind == "lock-up"
    assert found.size == pytest.approx(-0.8, abs=1e-6)
    del lap.channels["wheel_speed"]
    with pytest.raises(AbsentError, match="no slip_ratio nor wheel_speed"):
        slip_ratios(lap)


def test_a_spin_an_off_and_a_hit_are_found() -> None:
    lap = full()
    spun, out = around(lap, 560.0, 1.0), around(lap, 590.0, 0.8)
    lap["vy"][spun] = 3.0 * lap["vx"][spun]
    lap["tyres_out"][out] = 4.0
    lap["collision"][around(lap, 600.0, 0.03)] = 5000.0
    kinds = {anomaly.kind: anomaly for anomaly in find(lap, SPANS, OTHERS)}
    assert set(kinds) == {"spin", "off track", "hit"}
    assert kinds["spin"].words == "spins in Left, 72 degrees across"
    assert kinds["off track"].words.startswith("4 wheels off for 0.8")
    assert kinds["hit"].size == pytest.approx(15000.0)


def test_an_off_is_seen_by_the_borders_without_wheels() -> None:
    lap = full()
    del lap.channels["tyres_out"]
    lap["border_right"][around(lap, 590.0, 0.8)] = -1.5
    (found,) = find(lap, SPANS, OTHERS)
    assert found.words.startswith("1.5 m off for 0.8")


def test_a_missed_apex_is_further_from_the_inside_than_usual() -> None:
    lap = full()
    inside = (lap.distance > 500.0) & (lap.distance < 620.0)
    lap["lateral_offset"][inside] -= 1.8
    (found,) = find(lap, SPANS, OTHERS)
    assert found.kind == "missed apex"
    assert found.size == pytest.approx(1.8, abs=0.01)
    assert found.words == "misses the apex of Left by 1.8 m"
    other = full()
    other["lateral_offset"][inside] += 1.8
    assert find(other, SPANS, OTHERS) == [], "nearer than usual is no miss"


def test_a_slow_section_is_told_with_its_seconds() -> None:
    lap = full()
    slow = Trace("A", lap.distance, lap.time + np.interp(lap.distance, [800.0, 1000.0], [0.0, 1.5]), lap.channels)
    (found,) = find(slow, SPANS, OTHERS)
    assert found.kind == "slow section"
    assert found.size == pytest.approx(1.5, abs=0.01)
    assert found.words.startswith("1.50 s slower than usual from 800 to 1,000 m before Right")


def test_what_cannot_be_looked_for_is_said() -> None:
    lap = KnownLap().without("lateral_offset", "border_left")
    told = unseen(lap)
    assert set(told) == set(LOOKS) - {"missed apex"} | {"missed apex"}
    assert told["lock-up"] == "needs slip_ratio or wheel_speed, which was not recorded"
    assert told["slow section"] == "needs 3 other laps"
    assert find(lap) == []


def test_places_have_the_corners_names() -> None:
    assert place_name(SPANS, 560.0) == "in Left"
    assert place_name(SPANS, 700.0) == "before Right"
    assert place_name(SPANS, 2000.0) == "before Left", "over the line"
    assert place_name((), 1234.0) == "at 1,234 m"
    over = SPANS[0]._replace(entry=2300.0, apex=10.0, exit=50.0)
    assert place_name([over], 20.0) == place_name([over], 2390.0) == "in Left"
