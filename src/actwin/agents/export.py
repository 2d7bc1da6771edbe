"""Policies as ONNX files, checked against the network they come from."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from actwin.agents.onnx_policy import INPUT, OUTPUT, PREFIX, REQUIRED, OnnxPolicy, largest_difference
from actwin.agents.registry import DrivingPolicy
from actwin.errors import CheckpointError, MissingExtraError

LARGEST_DIFFERENCE: Final = 1e-5
"""Between an action of the file and of the network; sums are added in another order."""
PROBES: Final = 64
OPSET: Final = 18


class _Graph(nn.Module):
    """Statistics, network and squashing as one function."""

    def __init__(self, policy: DrivingPolicy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, observation: Tensor) -> Tensor:
        return self.policy.best(observation)


def export_onnx(policy: DrivingPolicy, path: Path, about: Mapping[str, Any]) -> float:
    """Writes a policy as one graph from raw observations to actions, then reads it back and compares.

    Args:
        policy: What drives.
        path: File to write; whole or not at all.
        about: The metadata; keys are those of `REQUIRED`, values plain.

    Returns:
        Largest difference between actions of both, at random observations.

    Raises:
        MissingExtraError: The packages for ONNX are not installed.
        CheckpointError: It cannot be written, or does not decide as the network does.
    """
    assert set(about) == set(REQUIRED), set(about) ^ set(REQUIRED)
    _require_packages()
    model = _model(policy)
    for name, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = PREFIX + name, json.dumps(value, allow_nan=False)
    model.producer_name = "actwin"
    beside = path.with_name(f"{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(model.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        difference = _difference(policy, OnnxPolicy(beside))
        if not difference <= LARGEST_DIFFERENCE:
            raise CheckpointError(
                f"{path}: the exported policy differs from its network by {difference:.2g}. "
                "Nothing was written; please report this with the versions of torch and onnxruntime."
            )
        beside.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error}). Give another place with --to.") from error
    finally:
        beside.unlink(missing_ok=True)
    return difference


def _require_packages() -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package, "onnx") from error


def _model(policy: DrivingPolicy) -> Any:
    """The policy as an ONNX model."""
    cars = torch.export.Dim("cars", min=1, max=2**20)
    # Two rows, because the exporter takes a one for a constant.
    example = torch.zeros(2, policy.observations)
    with _quiet():
        program = torch.onnx.export(
            _Graph(policy), (example,), dynamo=True, opset_version=OPSET, verbose=False,
            input_names=[INPUT], output_names=[OUTPUT], dynamic_shapes=({0: cars},),
        )  # fmt: skip
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says about packages that it has no need of here."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _difference(policy: DrivingPolicy, exported: OnnxPolicy) -> float:
    """Largest difference between the actions of both, at observations like those of the training and far out."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(PROBES, policy.observations, generator=generator)
    spread = torch.logspace(-1, 1, PROBES).unsqueeze(-1)
    probes = policy.normaliser.mean.float() + policy.normaliser.std.float() * spread * noise
    return largest_difference(policy.decide(probes.numpy()), exported.decide(probes.numpy()))
