"""Recorded drives as demonstrations, compared with what was really seen, done and paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from actwin.driving.line_follower import LineFollower
from actwin.env.race import Race
from actwin.env.task import Task, TaskConfig
from actwin.errors import ConfigError, UnknownNameError
from actwin.telemetry.channels import CONTROLS, FRAME
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.schema import absent
from actwin.telemetry.store.session import write_session
from actwin.training.imitation import demonstrate, join_demonstrations, join_experience
from actwin.training.imitation_config import ImitationConfig
from actwin.training.recorded_demos import _wanted_gear, recorded_demonstrations

STEPS = 1600
PERIOD = 0.039


class Driven(NamedTuple):
    """One car's drive with all that is known about it."""

    task: Task
    frames: Any
    sent: Any
    observations: Any
    actions: Any
    rewards: Any


def drive(settings: dict[str, Any], steps: int = STEPS) -> Driven:
    """The expert drives in the task's own environment."""
    task = Task(TaskConfig.of(settings, track="oval"))
    race, expert = Race(task), LineFollower(task.track, task.car, 1)
    race.reset(seed=0, place={"distance": 30.0, "lateral": 0.0, "heading": 0.0, "speed": 30.0})
    frames, sent = np.zeros(steps + 1, FRAME), absent("sent", steps + 1)
    observations, actions, rewards = [], [], []
    for step in range(steps):
        frames[step] = race.frames[0]
        observations.append(race.observation[0].copy())
        action = task.encode(expert.act(race.frames), race.frames)
        actions.append(action[0])
        race.step(action)
        sent[step] = task.actions.controls[0]
        rewards.append(task.judged.reward[0])
    frames[steps] = race.frames[0]
    return Driven(task, frames, sent, np.array(observations), np.array(actions), np.array(rewards))


def save(folder: Path, driven: Driven, frames: Any = None, sent: bool = True, **meta: Any) -> Path:
    """Writes a drive as a session."""
    about = {"source": "twin", "track": "oval", "car": "formula_alpha_2022", "period": PERIOD} | meta
    frames = driven.frames if frames is None else frames
    time = np.arange(len(frames)) * PERIOD
    written = driven.sent[: len(frames)] if sent else None
    return write_session(folder, SessionMeta(**about), time, frames, sent=written).folder


def demonstrated(folder: Path, task: Task, rewards: bool = False, **settings: Any) -> Any:
    config = ImitationConfig(**({"sessions": ("*",), "folder": str(folder)} | settings))
    return recorded_demonstrations(config, task, rewards)


@pytest.fixture(scope="module")
def driven() -> Driven:
    return drive({"observation": {"frames": 3}, "end": {"time_limit": 300.0}})


@pytest.fixture
def folder(tmp_path: Path, driven: Driven) -> Path:
    save(tmp_path, driven)
    return tmp_path


def test_what_is_demonstrated_is_what_was_seen_done_and_paid(folder: Path, driven: Driven) -> None:
    """A recording at the control period gives back the drive itself: observations with their past, actions, rewards."""
    shown, experience, account = demonstrated(folder, driven.task, rewards=True)
    first = 2
    assert len(shown.laps) == STEPS - first
    np.testing.assert_allclose(shown.actions, driven.actions[first:], atol=1e-5)
    # The place on the road is worked out anew from the position, which is stored in single precision.
    np.testing.assert_allclose(shown.observations[3:], driven.observations[first + 3 :], atol=2e-3)
    rewards = experience.rewards[5:STEPS, 0]
    np.testing.assert_allclose(rewards, driven.rewards[5:], atol=2e-3)
    assert rewards.sum() == pytest.approx(driven.rewards[5:].sum(), rel=2e-4)
    assert not experience.terminated.any()
    assert np.flatnonzero(experience.truncated).tolist() == [STEPS - 1]
    assert experience.usable[:, 0].nonzero()[0].tolist() == list(range(first, STEPS))
    assert account.laps == 3
    assert len(np.unique(shown.laps)) == 4
    assert account.stints
    assert "0.02 h and 3 laps of 1 drive" in account.words()
    assert "too few laps" in account.words()


def test_the_time_limit_of_the_task_cuts_what_goes_on(folder: Path, driven: Driven) -> None:
    task = Task(TaskConfig.of({"end": {"time_limit": 20.0}}, track="oval"))
    experience = demonstrated(folder, task, rewards=True)[1]
    assert experience.truncated.nonzero()[0].tolist() == [512, 1025, 1538, STEPS - 1]
    assert experience.usable[2:STEPS].all()


@pytest.mark.parametrize(
    "action", [{"kind": "rate"}, {"kind": "discrete"}, {"kind": "discrete", "discrete_set": "keyboard12"}]
)
def test_actions_of_any_kind_follow_the_driver(folder: Path, driven: Driven, action: dict[str, Any]) -> None:
    """Actions of a set make up for what those before could not do: what they add up to stays near the driver."""
    task = Task(TaskConfig.of({"action": action}, track="oval"))
    experience = demonstrated(folder, task, rewards=True)[1]
    chosen, made = Task(task.config), []
    at_first = driven.frames[:1]
    held = np.zeros(1, CONTROLS)
    held["steer"] = at_first["steer"]
    chosen.remember(held, at_first)
    for row in range(STEPS):
        made.append(chosen.decode(experience.actions[row], driven.frames[row : row + 1])["steer"][0])
    error = np.array(made)[50:] - driven.sent["steer"][50:STEPS]
    relative = action["kind"] == "rate" or "discrete_set" not in action
    assert np.abs(error).max() < (0.05 if relative else 1.0)
    assert abs(error.mean()) < 0.02


def test_drivers_of_a_game_are_known_by_the_next_row(tmp_path: Path, driven: Driven) -> None:
    save(tmp_path, driven, sent=False)
    shown, _, _ = demonstrated(tmp_path, driven.task)
    throttle, brake = (driven.frames[name][3:] for name in ("throttle", "brake"))
    pedal = np.clip(shown.actions[:, 1], -1.0, 1.0)
    np.testing.assert_allclose(pedal, (throttle - brake), atol=1e-5)


def test_what_other_programs_sent_is_not_believed(tmp_path: Path, driven: Driven) -> None:
    save(tmp_path, driven, source="import")
    shown, _, _ = demonstrated(tmp_path, driven.task)
    np.testing.assert_allclose(shown.actions[:, 1], (driven.frames["throttle"] - driven.frames["brake"])[3:], atol=1e-5)


def test_a_learned_gear_is_the_one_that_is_engaged_next(folder: Path, driven: Driven) -> None:
    task = Task(TaskConfig.of({"action": {"gear": "learned"}}, track="oval"))
    shown, _, _ = demonstrated(folder, task)
    assert np.array_equal(shown.actions[:, 2] + 1, driven.frames["gear"][3:])
    assert len(np.unique(shown.actions[:, 2])) > 1


def test_neutral_stands_for_the_gear_that_follows() -> None:
    assert _wanted_gear(np.array([3, 0, 0, 4, 0, 2, 0], np.int32)).tolist() == [3, 4, 4, 4, 2, 2, 1]


def test_what_a_game_does_not_tell_is_derived(tmp_path: Path, driven: Driven) -> None:
    missing = (
        "lap_distance", "lateral_offset", "heading_error", "border_left", "border_right", "slip_ratio", "slip_angle",
        "grip_use", "steer", "tyres_out", "surface", "lap_valid", "collision", "sector",
    )  # fmt: skip
    frames = driven.frames.copy()
    for name in missing:
        frames[name] = 0
    save(tmp_path, driven, frames, missing=missing)
    shown, experience, _ = demonstrated(tmp_path, driven.task, rewards=True)
    for name, tolerance in (("border_left", 1e-3), ("steer", 1e-3), ("tyres_out", 0.0), ("slip_angle", 0.2)):
        columns = driven.task.layout.where(name)
        np.testing.assert_allclose(shown.observations[:, columns], driven.observations[2:, columns], atol=tolerance)
    np.testing.assert_allclose(experience.rewards[5:STEPS, 0].sum(), driven.rewards[5:].sum(), rtol=2e-2)


def test_a_drive_without_a_position_teaches_what_it_shows(tmp_path: Path, driven: Driven) -> None:
    """The seven variables of a driver's data set need no track."""
    frames = driven.frames.copy()
    for name in ("x", "y", "yaw", "steer"):
        frames[name] = np.nan
    save(tmp_path, driven, frames, missing=("x", "y", "yaw", "steer"))
    with pytest.raises(ConfigError, match=r"does not tell x, y, yaw, which the task shows. Show what it tells with "):
        demonstrated(tmp_path, driven.task)
    task = Task(TaskConfig.of({"observation": {"features": ["roadmap"]}}, track="oval"))
    shown, _, account = demonstrated(tmp_path, task)
    assert len(shown.laps) == STEPS - 2
    assert account.laps == 3
    with pytest.raises(ConfigError, match="nobody can say what the drive was worth"):
        demonstrated(tmp_path, task, rewards=True)


def test_failures_end_episodes_and_the_way_back_is_no_experience(tmp_path: Path, driven: Driven) -> None:
    frames = driven.frames.copy()
    frames["tyres_out"][600:700] = 4
    save(tmp_path, driven, frames)
    end = {"time_limit": 300.0, "off_track_wheels": 4, "off_track_time": 0.5}
    task = Task(TaskConfig.of({"end": end}, track="oval"))
    shown, experience, account = demonstrated(tmp_path, task, rewards=True)
    ended = np.flatnonzero(experience.terminated)
    assert len(ended) == 1
    assert 600 + 0.5 / PERIOD - 1 <= ended[0] <= 600 + 0.5 / PERIOD + 1
    assert np.flatnonzero(~experience.usable[2:STEPS, 0]).tolist() == list(range(ended[0] + 1 - 2, 700 - 2))
    assert len(shown.laps) == STEPS - 2 - 100
    assert account.left_out["off the road"] == pytest.approx(100 / (STEPS + 1))


def test_a_gap_forgets_what_was_before(tmp_path: Path, driven: Driven) -> None:
    frames = driven.frames.copy()
    frames["steer"][600:700] = np.nan
    save(tmp_path, driven, frames)
    shown, experience, account = demonstrated(tmp_path, driven.task, rewards=True)
    assert len(shown.laps) == 600 - 1 - 2 + STEPS + 1 - 700 - 1 - 2
    assert np.flatnonzero(experience.truncated)[0] == 598
    assert not experience.usable[599:602].any()
    assert account.left_out["no number"] == pytest.approx(100 / (STEPS + 1), rel=0.02)


def test_laps_may_be_chosen(folder: Path, driven: Driven) -> None:
    every, _, _ = demonstrated(folder, driven.task)
    frames = driven.frames.copy()
    lap = frames["lap_count"] == frames["lap_count"][800]
    frames["lap_valid"][lap] = 0
    save(folder, driven, frames)
    valid, _, account = demonstrated(folder, driven.task, only_valid=True)
    assert len(valid.laps) == pytest.approx(2 * len(every.laps) - lap.sum(), abs=2)
    assert "laps that do not count" in account.left_out
    quick, _, account = demonstrated(folder, driven.task, slowest=1.001, sessions=("last",))
    assert 0.3 < len(quick.laps) / len(every.laps) < 0.7
    assert account.left_out["slow laps and parts of laps"] > 0.3


def test_drives_are_found_by_name_pattern_and_path(folder: Path, driven: Driven) -> None:
    second = save(folder, driven, driver="Ada")
    for names in ((second.name,), (str(second),), ("last", second.name), (f"{folder}/*_2",)):
        _, _, account = demonstrated(folder, driven.task, sessions=names)
        assert account.drives == (second.name,)
    assert len(demonstrated(folder, driven.task)[2].drives) == 2
    assert demonstrated(folder, driven.task, drivers="Ada")[2].drives == (second.name,)


@pytest.mark.parametrize(
    ("meta", "settings", "error", "says"),
    [
        ({"track": "spa"}, {}, ConfigError, r"the track 'spa', but env\.track is 'oval'.*imitation\.any_track=true"),
        ({"car": "bmw_z4_gt3"}, {}, ConfigError, r"the car 'bmw_z4_gt3', but env\.car is .*imitation\.any_car=true"),
        ({"driver": "Ada"}, {"drivers": ("Bob",)}, ConfigError, "no drive is by Bob; there are drives by Ada"),
        ({"missing": ("throttle", "brake")}, {}, ConfigError, "does not tell brake, throttle, so what the driver did"),
        ({"missing": ("steer", "steer_angle")}, {}, ConfigError, "does not tell steer, so what the driver did"),
        ({"missing": ("load",)}, {}, ConfigError, r"load, which the task shows.*features=\[vx,.*slip_angle,rpm"),
        ({}, {"sessions": ("*spa*",)}, ConfigError, "no recorded drive fits .*: there are "),
        ({}, {"sessions": ("nowhere",)}, UnknownNameError, "Unknown session 'nowhere'"),
    ],
)
def test_drives_that_do_not_fit(
    tmp_path: Path, driven: Driven, meta: dict[str, Any], settings: dict[str, Any], error: type[Exception], says: str
) -> None:
    save(tmp_path, driven, **meta)
    with pytest.raises(error, match=says):
        demonstrated(tmp_path, driven.task, **settings)


def test_other_cars_and_tracks_are_used_when_told(tmp_path: Path, driven: Driven) -> None:
    save(tmp_path, driven, track="my_oval", car="bmw_z4_gt3")
    assert demonstrated(tmp_path, driven.task, any_car=True, any_track=True)[2].hours > 0.0
    save(tmp_path, driven, track="My Oval", car="FormulaAlpha2022")
    with pytest.raises(ConfigError, match="My Oval"):
        demonstrated(tmp_path, driven.task, sessions=("last",))


def test_a_drive_on_another_road_is_told_by_where_it_was(tmp_path: Path, driven: Driven) -> None:
    frames = driven.frames.copy()
    frames["x"] += 1000.0
    save(tmp_path, driven, frames, track="")
    with pytest.raises(ConfigError, match=r"was not driven on 'oval': the car is \d+ m from the road"):
        demonstrated(tmp_path, driven.task)


def test_nothing_left(tmp_path: Path, driven: Driven) -> None:
    frames = driven.frames.copy()
    frames["speed"], frames["throttle"] = 0.0, 0.0
    save(tmp_path, driven, frames)
    with pytest.raises(ConfigError, match=r"nothing is left to imitate of .*; left out: waiting 100%"):
        demonstrated(tmp_path, driven.task)


def test_too_little(tmp_path: Path, driven: Driven) -> None:
    save(tmp_path, driven, driven.frames[:400])
    with pytest.raises(ConfigError, match="15 s of driving are too little to imitate, at least 40 s are needed"):
        demonstrated(tmp_path, driven.task)


def test_unknown_findings_are_told() -> None:
    with pytest.raises(ValueError, match="Did you mean range"):
        ImitationConfig(accept="rang")


def test_experts_and_recorded_drives_go_together(folder: Path, driven: Driven) -> None:
    shown, experience, _ = demonstrated(folder, driven.task, rewards=True)
    config = ImitationConfig(cars=2, seconds=25.0)
    more, lived = demonstrate(driven.task.config, config, 0)
    both = join_demonstrations([shown, more])
    assert len(both.laps) == len(shown.laps) + len(more.laps)
    assert len(np.unique(both.laps)) == len(np.unique(shown.laps)) + len(np.unique(more.laps))
    one = join_experience([experience, lived])
    assert one.rewards.shape == (experience.rewards.size + lived.rewards.size, 1)
    stint, rest = round(20.0 / PERIOD), round(25.0 / PERIOD) - round(20.0 / PERIOD)
    assert lived.rewards.shape == (stint + rest + 2, 2)
    assert not lived.usable[[stint, -1]].any()
    assert (lived.truncated | lived.terminated)[[stint - 1, -2]].any()
    np.testing.assert_array_equal(one.observations[-lived.rewards.shape[0] :, 0], lived.observations[:, 1])
