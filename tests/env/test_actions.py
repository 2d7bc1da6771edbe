"""Actions become controls and controls become the same actions again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwin.env.action_sets import DISCRETE_SETS
from actwin.env.actions import ActionMap
from actwin.env.config import ActionConfig
from actwin.errors import ControlError, UnknownNameError
from actwin.telemetry.channels import AUTO_GEAR, FRAME, neutral_controls

PERIOD = 0.039
N = 64
KINDS = [
    {"kind": kind, "pedals": pedals, "gear": gear, "steer_speed": steer_speed}
    for kind in ("absolute", "rate")
    for pedals in ("one_axis", "separate")
    for gear in ("automatic", "learned")
    for steer_speed in (0.0, 25.0)
]


def frames(speed: Any = 60.0, gear: int = 3) -> Any:
    made = np.zeros(N, FRAME)
    made["speed"], made["gear"] = speed, gear
    return made


def make(**settings: Any) -> ActionMap:
    return ActionMap(ActionConfig(**settings), PERIOD, N, 8, 2)


@pytest.mark.parametrize("settings", KINDS, ids=lambda s: "-".join(str(value) for value in s.values()))
def test_encode_is_the_inverse_of_decode(settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    there, back = make(**settings), make(**settings)
    seen = frames(rng.uniform(0.0, 90.0, N))
    for _ in range(4):
        actions = rng.uniform(-0.3, 0.3, (N, there.space.width)).astype(np.float32)
        if there.space.choices:
            actions[:, -1] = rng.integers(0, 8, N)
        controls = there.decode(there.check(actions), seen)
        found = back.encode(controls, seen)
        back.remember(controls)
        # At an end stop of pedal or steering several actions give the same controls; they must then give them again.
        np.testing.assert_allclose(back.history, there.history, atol=1e-6)
        free = (np.abs(controls["steer"]) < 0.19) & (controls["throttle"] > 0.0) & (controls["throttle"] < 1.0)
        free &= (controls["brake"] > 0.0) & (controls["brake"] < 1.0) if settings["pedals"] == "separate" else free
        np.testing.assert_allclose(found[free], actions[free], atol=2e-5)
        assert controls["gear"].min() >= (1 if there.gears else AUTO_GEAR)


@pytest.mark.parametrize("name", DISCRETE_SETS)
def test_every_entry_of_a_set_is_found_again(name: str) -> None:
    chosen = DISCRETE_SETS[name]
    size = len(chosen.choices)
    actions = ActionMap(ActionConfig(kind="discrete", discrete_set=name), PERIOD, size, 8, 2)
    seen = np.zeros(size, FRAME)
    seen["speed"] = 50.0
    index = np.arange(size, dtype=np.float32)[:, None]
    before = actions.encode(neutral_controls(size), seen)
    assert before.shape == (size, 1)
    history = actions.history.copy()
    controls = actions.decode(index, seen).copy()
    actions.history[:] = history
    np.testing.assert_array_equal(actions.encode(controls, seen), index)


def test_the_iqn_set_has_35_entries() -> None:
    assert make(kind="discrete").space == (0, 35)


def test_one_axis_never_presses_both_pedals() -> None:
    actions = make()
    pedal = np.linspace(-1.0, 1.0, N, dtype=np.float32)
    controls = actions.decode(np.stack([np.zeros(N, np.float32), pedal], axis=1), frames())
    np.testing.assert_allclose(controls["throttle"] - controls["brake"], pedal, atol=1e-6)
    assert (np.minimum(controls["throttle"], controls["brake"]) == 0.0).all()


def test_rates_add_up() -> None:
    actions = make(kind="rate", steer_rate=2.0, pedal_rate=5.0, steer_speed=0.0)
    ask = np.tile(np.array([[0.5, 0.25]], np.float32), (N, 1))
    for step in range(1, 4):
        controls = actions.decode(ask, frames())
        np.testing.assert_allclose(controls["steer"], step * 0.5 * 2.0 * PERIOD, rtol=1e-5)
        np.testing.assert_allclose(controls["throttle"], step * 0.25 * 5.0 * PERIOD, rtol=1e-5)


@pytest.mark.parametrize("kind", ["rate", "discrete"])
def test_steering_rates_shrink_with_the_range(kind: str) -> None:
    actions = make(kind=kind, steer_rate=2.0, steer_speed=20.0, least_steer=0.2)
    right = next(i for i, choice in enumerate(DISCRETE_SETS["iqn35"].choices) if choice.steer == -1.0)
    ask = np.full((N, 1), right, np.float32) if kind == "discrete" else np.tile(np.float32([[-1.0, 0.0]]), (N, 1))
    at_40 = 0.2 + 0.8 * (20.0 / 40.0) ** 2
    steer = actions.decode(ask, frames(np.full(N, 40.0)))["steer"]
    np.testing.assert_allclose(steer, -2.0 * PERIOD * at_40, rtol=1e-5)


def test_steering_range_shrinks_with_speed() -> None:
    actions = make(steer_speed=20.0, least_steer=0.2)
    full = np.ones((N, 2), np.float32)
    speed = np.linspace(0.0, 100.0, N)
    steer = actions.decode(full, frames(speed))["steer"]
    np.testing.assert_allclose(steer, 0.2 + 0.8 * np.minimum((20.0 / np.maximum(speed, 20.0)) ** 2, 1.0), rtol=1e-5)


def test_history_holds_what_was_sent_newest_first() -> None:
    actions = make(steer_speed=0.0)
    for value in (0.1, 0.2):
        actions.decode(np.full((N, 2), value, np.float32), frames())
    np.testing.assert_allclose(actions.history[0], [0.2, 0.2, 0.0, 0.1, 0.1, 0.0], rtol=1e-5)
    actions.begin(np.array([0]))
    assert not actions.history[0].any()
    assert actions.history[1].any()


def test_learned_gears_reach_the_controls() -> None:
    actions = make(gear="learned")
    ask = np.zeros((N, 3), np.float32)
    ask[:, 2] = np.arange(N) % 8
    np.testing.assert_array_equal(actions.decode(ask, frames())["gear"], 1 + np.arange(N) % 8)


def test_a_demonstration_with_automatic_gears_teaches_the_engaged_one() -> None:
    actions = make(gear="learned")
    assert (actions.encode(neutral_controls(N), frames(gear=5))[:, 2] == 4).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_broken_actions_are_refused(value: float) -> None:
    actions = make()
    ask = np.zeros((N, 2), np.float32)
    ask[7, 1] = value
    with pytest.raises(ControlError, match="car 7"):
        actions.check(ask)


def test_actions_of_another_shape_are_refused() -> None:
    with pytest.raises(ControlError, match="shape"):
        make().check(np.zeros((N, 3)))


def test_unknown_set_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="iqn35"):
        make(kind="discrete", discrete_set="iqn")


def test_table_names_every_column() -> None:
    actions = make(pedals="separate", gear="learned")
    assert [name for name in ("steer", "throttle", "brake", "gear") if f"| {name} |" in actions.table()] == [
        "steer",
        "throttle",
        "brake",
        "gear",
    ]
