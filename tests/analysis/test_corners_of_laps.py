"""Corners of laps that are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from known_corners import LENGTH, RAMP, SPANS, TOP, Corner, KnownLap

from actwin.analysis.compare import Trace, _resample
from actwin.analysis.corners import (
    CornerSpan,
    corner_consistency,
    corner_points,
    corner_table,
    find_corners,
    path_curvature,
    where_time_is_lost,
)
from actwin.content.library import load_track
from actwin.errors import SessionError


def exact(lap: KnownLap, corner: Corner) -> dict[str, float]:
    """Everything that `corner_points` should find."""
    span = corner.span
    turn_in = span.entry + (span.exit - span.entry) / 6.0  # sin² is a quarter of its peak at a sixth of the way
    times = lap.time(np.array([span.entry, span.exit]))
    on, off = RAMP * 0.05 / 0.8, RAMP * 0.05 / 0.8
    return {
        "brake_point": corner.brake + on,
        "brake_before_apex": span.apex - corner.brake - on,
        "approach_speed": TOP,
        "peak_brake": 0.8,
        "peak_brake_at": corner.brake + RAMP,
        "brake_release": corner.release - off,
        "lift": corner.brake - 0.95 * RAMP,
        "turn_in": turn_in,
        "apex": span.apex,
        "apex_gap": 6.0 - 3.0,
        "minimum_speed": corner.slow,
        "gear": round(corner.slow / 10.0),
        "throttle_on": corner.throttle + 0.1 * RAMP,
        "full_throttle": corner.throttle + 0.95 * RAMP,
        "exit_speed": float(lap.speed(np.array([span.exit]))[0]),
        "trail_distance": max(corner.release - off - turn_in, 0.0),
        "time": float(times[1] - times[0]),
    }


def test_every_point_of_a_known_lap_is_found() -> None:
    lap = KnownLap()
    for found, corner in zip(corner_points(lap.trace(), SPANS), lap.corners, strict=True):
        for name, value in exact(lap, corner).items():
            # Turn-in and the ramps' ends lie between samples that a curve joins.
            assert getattr(found, name) == pytest.approx(value, abs=1e-3 if name == "time" else 0.25), name
        assert corner.release <= found.minimum_speed_at <= corner.throttle


@pytest.mark.parametrize("rate", [333.0, 100.0, 25.0, 5.0])
def test_points_are_found_at_every_rate_within_a_sample(rate: float) -> None:
    lap = KnownLap()
    step = TOP / rate
    for found, corner in zip(corner_points(lap.sampled(rate), SPANS), lap.corners, strict=True):
        for name, value in exact(lap, corner).items():
            if name == "time":
                tolerance = 1e-3 if rate >= 25.0 else 0.03
            else:
                tolerance = {"peak_brake": 0.1, "gear": 0.5}.get(name, 0.25 + step)
            if math.isfinite(getattr(found, name)) or rate >= 25.0:
                assert getattr(found, name) == pytest.approx(value, abs=tolerance), (name, corner.span.label)


def test_corners_are_found_in_the_driven_path() -> None:
    lap = KnownLap().trace()
    for channels in (("speed", "yaw_rate"), ("speed", "ay")):
        part = Trace("", lap.distance, lap.time, {name: lap[name] for name in channels})
        found = find_corners(part)
        assert [span.direction for span in found] == [1, -1]
        for span, known in zip(found, SPANS, strict=True):
            assert span.apex == pytest.approx(known.apex, abs=2.0)
            assert known.entry - 15.0 < span.entry < known.apex < span.exit < known.exit + 15.0
    assert [span.label for span in find_corners([lap, lap])] == ["T1", "T2"]


def test_corners_are_found_in_positions_alone() -> None:
    s = np.arange(0.0, 1000.1, 2.0)
    heading = np.interp(s, [0, 300, 400, 1000], [0, 0, np.pi / 2, np.pi / 2])
    x, y = (np.concatenate(([0.0], np.cumsum(2.0 * f(heading[:-1])))) for f in (np.cos, np.sin))
    (corner,) = find_corners(Trace("", s, s / 30.0, {"x": x, "y": y}))
    assert corner.direction == 1
    assert corner.entry == pytest.approx(300.0, abs=25.0)
    assert corner.exit == pytest.approx(400.0, abs=25.0)


def test_a_corner_over_the_line_is_one() -> None:
    s = np.arange(0.0, 2001.0, 2.0)
    bend = np.where((s < 60.0) | (s > 1940.0), 0.02, 0.0)
    (corner,) = find_corners(Trace("", s, s / 30.0, {"speed": np.full(len(s), 30.0), "yaw_rate": 30.0 * bend}))
    assert corner.entry > 1900.0
    assert corner.exit < 100.0
    points = corner_points(Trace("", s, s / 30.0, {"speed": np.full(len(s), 30.0)}), [corner])[0]
    assert points.time == pytest.approx((2000.0 - corner.entry + corner.exit) / 30.0, abs=1e-6)


def test_neighbours_to_one_side_are_joined_and_gentle_bends_left_out() -> None:
    s = np.arange(0.0, 2001.0, 1.0)
    bend = np.select(
        [(s > 300) & (s < 350), (s > 365) & (s < 400), (s > 800) & (s < 900), (s > 1500) & (s < 1600)],
        [0.02, 0.02, -0.0008, -0.02],
        0.0,
    )
    found = find_corners(Trace("", s, s / 30.0, {"speed": np.full(len(s), 30.0), "yaw_rate": 30.0 * bend}))
    assert [span.direction for span in found] == [1, -1]
    assert found[0].entry < 310.0
    assert found[0].exit > 390.0


def test_the_tracks_own_corners_have_its_names() -> None:
    monza = find_corners(load_track("monza"))
    assert [span.number for span in monza] == list(range(1, 12))
    labels = [span.label for span in monza]
    assert labels[2] == "Curva Grande"
    assert labels[7] == "Variante Ascari (T8)", "several share the name"
    assert [span.direction for span in monza[:2]] == [-1, 1]
    assert find_corners(load_track("skid_pad")) == []
    assert find_corners([]) == []


def test_a_lap_that_tells_no_path_has_no_corners_and_says_why() -> None:
    lap = KnownLap().trace()
    with pytest.raises(SessionError, match="no yaw_rate or ay with speed nor x and y"):
        find_corners(Trace("", lap.distance, lap.time, {"speed": lap["speed"]}))


@pytest.mark.parametrize(
    ("missing", "columns"),
    [
        (
            "brake",
            {"brake_point", "brake_before_apex", "peak_brake", "peak_brake_at", "brake_release", "trail_distance"},
        ),
        ("throttle", {"lift", "throttle_on", "full_throttle"}),
        ("steer", {"turn_in", "trail_distance"}),
        ("gear", {"gear"}),
        ("border_left", {"apex_gap"}),
    ],
)
def test_numbers_without_their_channel_are_absent_with_the_reason(missing: str, columns: set[str]) -> None:
    table = corner_table([KnownLap().without(missing)], SPANS)
    assert set(table.attrs["absent"]) == columns
    assert all(missing in reason for reason in table.attrs["absent"].values())
    assert table[sorted(columns)].isna().all(axis=None)
    there = [name for name in exact(KnownLap(), KnownLap().corners[0]) if name not in columns]
    assert table[there].notna().all(axis=None)


def test_a_channel_with_holes_is_bridged_and_one_of_holes_is_absent() -> None:
    lap = KnownLap().trace()
    holes = lap["brake"].copy()
    holes[::7] = np.nan
    bridged = Trace("", lap.distance, lap.time, lap.channels | {"brake": holes})
    assert corner_points(bridged, SPANS)[0].brake_point == pytest.approx(
        corner_points(lap, SPANS)[0].brake_point, abs=1.0
    )
    holes[lap.distance > 100.0] = np.nan
    assert math.isnan(corner_points(bridged, SPANS)[0].brake_point)


def test_corners_that_were_not_driven_are_not_told() -> None:
    lap = KnownLap().trace()
    part = lap.distance < 1000.0
    half = Trace("", lap.distance[part], lap.time[part], {name: values[part] for name, values in lap.channels.items()})
    first, second = corner_points(half, SPANS)
    assert math.isfinite(first.time)
    assert all(math.isnan(value) for value in second)
    assert all(math.isnan(value) for value in corner_points(Trace("", half.distance[:3], half.time[:3], {}), SPANS)[0])


def test_a_blip_of_the_throttle_and_a_touch_of_the_brake_do_not_count() -> None:
    lap = KnownLap()
    trace = lap.trace()
    corner = lap.corners[0]
    throttle, brake = trace["throttle"].copy(), trace["brake"].copy()
    throttle[(trace.distance > corner.release - 30.0) & (trace.distance < corner.release - 28.0)] = 0.6
    brake[(trace.distance > 200.0) & (trace.distance < 230.0)] = 0.08
    found = corner_points(
        Trace("", trace.distance, trace.time, trace.channels | {"throttle": throttle, "brake": brake}), SPANS
    )
    assert found[0].throttle_on == pytest.approx(corner.throttle + 0.1 * RAMP, abs=0.25)
    assert found[0].brake_point == pytest.approx(corner.brake, abs=1.0)


def lap_of(early: float = 0.0, slow: float = 20.0, throttle: float = 570.0) -> KnownLap:
    return KnownLap((Corner(SPANS[0], slow, throttle, early), Corner(SPANS[1], 30.0, 1550.0)))


@pytest.mark.parametrize(
    ("lap", "cause", "sign"),
    [
        (lap_of(early=11.0), "brakes 11 m early into Left", 1),
        (lap_of(slow=18.0), "carries 7 km/h less through Left", 1),
        (lap_of(throttle=582.0), "on the throttle 12 m later out of Left", 1),
    ],
)
def test_the_sentence_names_what_was_changed(lap: KnownLap, cause: str, sign: int) -> None:
    reference = lap_of()
    losses = where_time_is_lost(lap.trace(), reference.trace(), SPANS)
    assert losses[0].sentence.startswith(cause), losses[0].sentence
    assert losses[0].sentence.endswith(f"loses {losses[0].seconds:.2f} s")
    assert losses[0].corner == "Left"
    total = lap.lap_time - reference.lap_time
    assert total > 0.0
    assert sum(loss.seconds for loss in losses) == pytest.approx(total, abs=1e-12)
    turned = where_time_is_lost(reference.trace(), lap.trace(), SPANS)
    assert turned[-1].corner == "Left"
    assert turned[-1].seconds == pytest.approx(-losses[0].seconds, abs=1e-12)
    assert "gains" in turned[-1].sentence
    assert all(loss.sentence.startswith("level") for loss in losses if loss.corner == "Right")


def test_a_slower_exit_is_lost_on_the_straight_after_it() -> None:
    fast, slow = lap_of(), lap_of(throttle=590.0)
    losses = {loss.corner: loss for loss in where_time_is_lost(slow.trace(), fast.trace(), SPANS)}
    straight = losses["straight to Right"]
    assert straight.number == 0
    assert straight.seconds > 0.05
    assert "carries" in straight.sentence
    assert "less onto the straight to Right" in straight.sentence


def test_stretches_cover_the_lap_without_gaps() -> None:
    losses = where_time_is_lost(lap_of(early=30.0).trace(), lap_of().trace(), SPANS)
    ends = sorted((loss.begin, loss.end) for loss in losses if loss.begin <= loss.end)
    (wrapped,) = [loss for loss in losses if loss.begin > loss.end]
    marks = [0.0, wrapped.end, *[end for _, end in ends]]
    assert marks == [0.0, *[begin for begin, _ in ends], wrapped.begin]
    assert wrapped.corner == "straight to Left"


def test_losses_sum_to_the_delta_whatever_the_corners() -> None:
    random = np.random.default_rng(0)
    lap, reference = lap_of(early=7.0, slow=22.0).trace(), lap_of().trace()
    for _ in range(60):
        marks = np.sort(random.uniform(0.0, LENGTH, 3 * random.integers(1, 6)))
        marks = np.roll(marks, random.integers(0, 2))
        spans = [
            CornerSpan(i, "", f"T{i}", *map(float, marks[3 * i : 3 * i + 3]), 1 if random.random() < 0.5 else -1)
            for i in range(len(marks) // 3)
        ]
        spans.sort(key=lambda span: span.apex)
        losses = where_time_is_lost(lap, reference, spans)
        assert sum(loss.seconds for loss in losses) == pytest.approx(lap.time[-1] - reference.time[-1], abs=1e-9)
    (only,) = where_time_is_lost(lap, reference, [])
    assert only.corner == "whole lap"


def test_losses_need_one_axis() -> None:
    with pytest.raises(ValueError, match="one distance axis"):
        where_time_is_lost(lap_of().trace(step=1.0), lap_of().trace(step=2.0), SPANS)


def test_consistency_is_the_spread_over_laps() -> None:
    laps = [lap_of(early=early).trace() for early in (0.0, 4.0, 8.0)]
    table = corner_consistency(corner_table(laps, SPANS, [5, 6, 7]))
    left = table[table["label"] == "Left"].iloc[0]
    assert table["label"].tolist() == ["Left", "Right"], "the least steady first"
    assert left["laps"] == 3
    assert left["brake_point_std"] == pytest.approx(4.0, abs=0.01)
    assert left["lost"] > 0.0
    assert table[table["label"] == "Right"].iloc[0]["time_std"] == pytest.approx(0.0, abs=1e-9)


def test_curvature_of_a_standing_car_is_none() -> None:
    s = np.linspace(0.0, 100.0, 51)
    lap = Trace("", s, s, {"speed": np.full(51, 0.1), "yaw_rate": np.full(51, 1.0)})
    assert not path_curvature(lap).any()


def test_a_recording_with_holes_keeps_its_corner_points() -> None:
    lap = KnownLap().sampled(25.0)
    brake = lap["brake"].copy()
    brake[np.random.default_rng(0).random(len(brake)) < 0.1] = np.nan
    axis = np.arange(0.0, LENGTH + 1.0, 2.0)
    for told, tolerance in ((lap["brake"], 0.5 * TOP / 25.0), (brake, 1.5 * TOP / 25.0)):
        on_axis = _resample(told, "brake", lap.distance, axis)
        assert np.isnan(on_axis).mean() < 0.13, "no more is unknown than was not recorded"
        trace = Trace("", axis, np.interp(axis, lap.distance, lap.time), {"brake": on_axis})
        assert corner_points(trace, SPANS)[1].brake_point == pytest.approx(
            exact(KnownLap(), KnownLap().corners[1])["brake_point"], abs=tolerance
        )
