"""Reward terms and ends by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from actwin.env.config import TaskConfig
from actwin.env.ends import REASON_NAMES, REASONS
from actwin.env.rewards import TERMS
from actwin.errors import UnknownNameError
from actwin.units import GRAVITY

PERIOD = 0.039
ALL = dict.fromkeys(TERMS, 1.0)


def judge(task: Any, *moments: Any, sent: Any = None) -> Any:
    """Judges frames one after the other, beginning an episode at the first."""
    task.begin(moments[0])
    for frames in moments[1:]:
        if sent is not None:
            task.actions.history[:] = sent
        task.judge(frames)
    return task.judged


def test_terms_sum_to_the_reward(make_task: Any, make_frames: Any) -> None:
    task = make_task(3, reward=ALL)
    judged = judge(
        task,
        make_frames([100.0, 1547.0, 300.0]),
        make_frames(
            [102.0, 1.5, 297.0], speed=50.0, tyres_out=[0, 1, 4], ax=-20.0, grip_use=1.4, collision=[0, 5e4, 0]
        ),
    )
    assert set(judged.terms) == set(TERMS)
    np.testing.assert_allclose(sum(judged.terms.values()), judged.reward, rtol=1e-5, atol=1e-6)
    assert np.isfinite(judged.reward).all()


def test_terms_without_a_weight_are_left_out(make_task: Any, make_frames: Any) -> None:
    judged = judge(make_task(1, reward={"progress": 2.0}), make_frames([10.0]), make_frames([13.0]))
    assert list(judged.terms) == ["progress"]


def test_progress_is_signed_metres_and_crosses_the_line(make_task: Any, make_frames: Any, reference: Any) -> None:
    length = reference.track.length
    s = np.array([100.0, 100.0, length - 1.0, 1.0])
    moved = np.array([3.0, -3.0, 2.0, -2.0])
    judged = judge(make_task(4, reward={"progress": 0.5}), make_frames(s), make_frames(np.mod(s + moved, length)))
    along = reference.line_length / length
    np.testing.assert_allclose(judged.terms["progress"], 0.5 * moved, rtol=0.1)
    total = judge(make_task(1, reward={"progress": 1.0}), *(make_frames([k * length / 50 % length]) for k in range(51)))
    assert total.sums[0].sum() == pytest.approx(reference.line_length, rel=1e-4)
    assert 0.9 < along <= 1.01


def test_gains_off_the_track_are_not_paid_but_losses_are(make_task: Any, make_frames: Any) -> None:
    judged = judge(
        make_task(4, reward={"progress": 1.0}),
        make_frames([100.0] * 4),
        make_frames([103.0, 103.0, 103.0, 97.0], tyres_out=[2, 3, 4, 4]),
    )
    gained = judged.terms["progress"]
    assert gained[0] > 2.5
    assert gained[1] == gained[2] == 0.0
    assert gained[3] < -2.5


def test_terms_by_hand(make_task: Any, make_frames: Any, reference: Any) -> None:
    s, line = np.array([200.0]), float(reference.at("line_offset", 200.0))
    width = 0.5 * float(reference.at("width_left", 200.0) + reference.at("width_right", 200.0))
    angle = float(reference.at("line_angle", 200.0)) + 0.4
    frames = make_frames(
        s,
        lateral=line + 2.0,
        heading=angle,
        speed=25.0,
        tyres_out=2,
        ax=-3.0 * GRAVITY,
        grip_use=[[0.5, 1.5, 2.0, 9.0]],
        collision=3e4,
    )
    sent = np.array([[0.3, 0.6, 0.0, 0.1, 0.0, 0.2]], np.float32)
    judged = judge(make_task(1, reward=ALL), make_frames(s), frames, sent=sent)
    expected = {
        "time": -PERIOD,
        "track_limits": -2.0 * 0.25 * PERIOD,
        "lane_position": -((2.0 / width) ** 2) * PERIOD,
        "heading": -(1.0 - np.cos(0.4)) * PERIOD,
        "smoothness": -(0.2**2 + 0.6**2 + 0.2**2),
        "hard_braking": -4.0 * PERIOD,
        "slip": -(0.0 + 0.5 + 1.0 + 2.0) * PERIOD,
        "collision": -0.3,
        "stall": 0.0,
        "failure": -1.0,
    }
    assert REASON_NAMES[judged.reasons[0]] == "wall"
    for name, value in expected.items():
        assert float(judged.terms[name][0]) == pytest.approx(value, rel=2e-3, abs=1e-6), name


def test_pace_is_the_time_gained_on_the_reference(make_task: Any, make_frames: Any) -> None:
    """The reference drives 40 m/s on its line; who does the same gains nothing."""
    judged = judge(
        make_task(2, reward={"pace": 1.0}),
        make_frames([100.0, 100.0]),
        make_frames([100.0 + 40.0 * PERIOD, 100.0 + 80.0 * PERIOD]),
    )
    assert judged.terms["pace"][0] == pytest.approx(0.0, abs=0.1 * PERIOD)
    assert judged.terms["pace"][1] == pytest.approx(PERIOD, rel=0.1)


def test_only_whole_valid_laps_earn_the_bonus(make_task: Any, make_frames: Any) -> None:
    before = make_frames([1547.0] * 4, lap_count=[0, 1, 1, 1])
    after = make_frames(
        [1.0] * 4, lap_count=[1, 2, 2, 1], last_lap_time=[0.0, 40.0, 40.0, 40.0], last_lap_valid=[0, 1, 0, 1]
    )
    judged = judge(make_task(4, reward={"lap_bonus": 2.0}), before, after)
    np.testing.assert_array_equal(judged.terms["lap_bonus"], [0.0, 2.0, 0.0, 0.0])


def end_cases() -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Settings and the channels of the frames that end with each reason."""
    fine = {"speed": 50.0}
    return {
        "driving": ({}, [fine]),
        "off_track": ({"off_track_time": 2 * PERIOD}, [fine | {"tyres_out": 4}] * 3),
        "spin": ({}, [fine | {"heading": 2.5}]),
        "backwards": ({}, [fine | {"s": 80.0}]),
        "stall": ({"stall_time": 2 * PERIOD}, [{"speed": 0.5}] * 3),
        "wall": ({}, [fine | {"collision": 1e6}]),
        "broken": ({}, [fine | {"yaw_rate": np.nan}]),
        "time_limit": ({"time_limit": 3 * PERIOD}, [fine] * 3),
        "lap_limit": ({"lap_limit": 1}, [fine | {"lap_count": 1, "last_lap_time": 30.0}]),
    }


def test_there_is_a_case_for_every_reason() -> None:
    assert set(end_cases()) == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_ends_as_it_says(reason: str, make_task: Any, make_frames: Any) -> None:
    settings, moments = end_cases()[reason]
    task = make_task(1, end=settings, reward=ALL)
    frames = [
        make_frames([channels.get("s", 100.0)], **{k: v for k, v in channels.items() if k != "s"})
        for channels in moments
    ]
    judged = judge(task, make_frames([100.0], speed=50.0), *frames[:-1]) if len(frames) > 1 else None
    if judged is None:
        task.begin(make_frames([100.0], speed=50.0))
    else:
        assert judged.reasons[0] == 0, "ended too early"
    task.judge(frames[-1])
    assert REASON_NAMES[task.judged.reasons[0]] == reason
    assert bool(task.judged.terminated[0]) == REASONS[reason].startswith("terminated")
    assert bool(task.judged.truncated[0]) == REASONS[reason].startswith("truncated")
    assert np.isfinite(task.judged.reward).all()


def test_being_back_on_the_track_forgives(make_task: Any, make_frames: Any) -> None:
    task = make_task(1, end={"off_track_time": 2 * PERIOD})
    off, on = make_frames([100.0], speed=50.0, tyres_out=4), make_frames([100.0], speed=50.0)
    judged = judge(task, on, off, off, on, off, off)
    assert judged.reasons[0] == 0


def test_unknown_terms_and_negative_weights_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean progress"):
        TaskConfig(reward={"progres": 1.0})
    with pytest.raises(ValidationError, match="must not be negative"):
        TaskConfig(reward={"time": -1.0})
