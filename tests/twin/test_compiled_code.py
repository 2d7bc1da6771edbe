"""Guards the twin's speed by what the compiler made of it, not by a clock."""

from __future__ import annotations

import re

import pytest

from actwin.telemetry.channels import neutral_controls
from actwin.twin import kernels
from actwin.twin.simulator import Simulator


@pytest.fixture(scope="module")
def single_build(plain_track, f1):
    """Physics kernel and single-precision signature, compiled in this process: code from the cache has no listing."""
    sim = Simulator(plain_track(), f1, 1)
    sim.step(neutral_controls(1))
    kernel = kernels.advance
    if kernel.stats.cache_hits:
        kernel.recompile()
    return kernel, next(s for s in kernel.signatures if "float32" in str(s[0]))


def test_physics_runs_in_vector_lanes(single_build):
    kernel, signature = single_build
    code = kernel.inspect_asm(signature)
    packed = len(re.findall(r"\b(?:v?mulps|v?addps|v?subps|v?fn?m(?:add|sub)\d+ps|fmul\s+v|fmla\s+v)", code))
    single = len(re.findall(r"\b(?:v?mulss|v?addss|v?subss|v?fn?m(?:add|sub)\d+ss)", code))
    assert packed > 300
    assert single < 0.2 * packed


def test_no_double_precision_creeps_into_the_single_build(single_build):
    kernel, signature = single_build
    assert not re.findall(r"= f(?:mul|add|sub|div)[a-z ]* double", kernel.inspect_llvm(signature))
