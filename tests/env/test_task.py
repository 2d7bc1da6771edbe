"""The task as a contract: settings, fingerprint, refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from actwin.agents.task_identity import differences
from actwin.env.config import TaskConfig
from actwin.errors import ConfigError, UnknownNameError


def test_fingerprint_is_the_same_for_the_same_task(make_task: Any) -> None:
    assert make_task().fingerprint() == make_task(5).fingerprint()


@pytest.mark.parametrize(
    "settings",
    [
        {"observation": {"points": 12}},
        {"action": {"kind": "rate"}},
        {"reward": {"progress": 1.0}},
        {"end": {"time_limit": 10.0}},
        {"physics": {"substeps": 12}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_fingerprint_tells_tasks_apart(settings: dict[str, Any], make_task: Any) -> None:
    ours, theirs = make_task().identity(), make_task(**settings).identity()
    assert ours["fingerprint"] != theirs["fingerprint"]
    lines = differences(ours["config"], theirs["config"])
    assert lines
    assert all(line.startswith(next(iter(settings))) for line in lines)


def test_a_task_is_rebuilt_from_what_a_checkpoint_keeps(make_task: Any) -> None:
    identity = make_task(action={"pedals": "separate", "gear": "learned"}).identity()
    kept = json.loads(json.dumps(identity))
    settings = {name: value for name, value in kept["config"].items() if name != "track"}
    assert make_task(**settings).identity() == kept


def test_settings_do_not_change() -> None:
    config = TaskConfig()
    with pytest.raises(ValidationError, match="frozen"):
        config.track = "spa"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trak": "spa"}, "Did you mean track"),
        ({"action": {"pedal": "separate"}}, "task.action.pedal does not exist. Did you mean pedals"),
        ({"action": {"kind": "relative"}}, "task.action.kind"),
        ({"start": {"slowest": 0.9, "fastest": 0.5}}, "slowest"),
        ({"end": {"time_limit": float("nan")}}, "time_limit"),
    ],
)
def test_wrong_settings_are_explained(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TaskConfig.of(settings)


def test_unknown_names_are_refused(make_task: Any) -> None:
    with pytest.raises(UnknownNameError, match="feature"):
        make_task(observation={"features": ["speeed"]})
    with pytest.raises(ConfigError, match="at least one car"):
        make_task(0)


def test_sizes(make_task: Any) -> None:
    task = make_task(3, action={"pedals": "separate", "gear": "learned"})
    assert task.observation.shape == (3, task.observation_size)
    assert task.action_space == (3, 8)
    assert task.action_space.width == 4
