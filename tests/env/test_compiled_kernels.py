"""Guards the environments' speed by what the compiler made of them, not by a clock."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from actwin.env.actions import decode_cars
from actwin.env.config import TaskConfig
from actwin.env.judge import judge_cars
from actwin.env.observation import observe_cars
from actwin.env.task import Task
from actwin.telemetry.channels import FRAME


@pytest.fixture(scope="module")
def built(track: Any, car: Any, reference: Any) -> dict[str, Any]:
    """The kernels, compiled in this process: code from the cache has no listing."""
    task = Task(TaskConfig.of(track="oval"), 1, track=track, car=car, reference=reference)
    frames = np.zeros(1, FRAME)
    task.begin(frames)
    task.observe(frames)
    task.decode(np.zeros((1, 2), np.float32), frames)
    task.judge(frames)
    kernels: dict[str, Any] = {"observe": observe_cars, "decode": decode_cars, "judge": judge_cars}
    for kernel in kernels.values():
        if kernel.stats.cache_hits:
            kernel.recompile()
    return kernels


@pytest.mark.parametrize("name", ["observe", "decode", "judge"])
def test_no_double_precision_creeps_in(name: str, built: dict[str, Any]) -> None:
    kernel = built[name]
    code = kernel.inspect_llvm(kernel.signatures[0])
    assert not re.findall(r"= f(?:mul|add|sub|div)[a-z ]* double", code)


def test_look_ahead_points_run_in_vector_lanes(built: dict[str, Any]) -> None:
    kernel = built["observe"]
    code = kernel.inspect_asm(kernel.signatures[0])
    packed = re.findall(r"\b(?:v?mulps|v?addps|v?subps|v?fn?m(?:add|sub)\d+ps|fmul\s+v|fmla\s+v)", code)
    assert len(packed) > 30
