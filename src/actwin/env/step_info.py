"""What the single-car environments return beside the observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actwin.env.task import Floats, Task
from actwin.telemetry.channels import Frames

SHOWN: Final = ("lap_count", "lap_distance", "lap_time", "last_lap_time", "last_lap_valid", "speed", "tyres_out")
"""Channels that `info` repeats, for people who look at it."""

Step = tuple[Floats, float, bool, bool, dict[str, Any]]
"""Observation, reward, terminated, truncated, info."""


def frame_info(frames: Frames, reason: str) -> dict[str, Any]:
    """What `info` says after a reset.

    Args:
        frames: FRAME[1].
        reason: Why the episode ended, or that it goes on.
    """
    return {name: frames[name][0].item() for name in SHOWN} | {"reason": reason}


def judged_step(task: Task, frames: Frames, observation: Floats, reason: str) -> Step:
    """What a step returns after the task has judged it.

    Args:
        task: Of one car.
        frames: FRAME[1] after the step.
        observation: float32[1, O].
        reason: Why the episode ended, or that it goes on.
    """
    judged = task.judged
    terms = {name: float(values[0]) for name, values in judged.terms.items()}
    info = frame_info(frames, reason) | {"reward_terms": terms}
    return (
        observation[0].copy(),
        float(judged.reward[0]),
        bool(judged.terminated[0]),
        bool(judged.truncated[0]),
        info,
    )


def split_options(options: Mapping[str, Any] | None) -> tuple[str | None, dict[str, Any]]:
    """Kind of start and fixed places from the options of a reset."""
    place = dict(options or {})
    return place.pop("start", None), place
