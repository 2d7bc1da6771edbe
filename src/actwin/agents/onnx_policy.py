"""A policy in an ONNX file: one graph from raw observation to action, run without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from actwin.agents.arrays import Floats
from actwin.errors import CheckpointError, MissingExtraError

FORMAT: Final = 1
INPUT: Final = "observation"
OUTPUT: Final = "action"
REQUIRED: Final = {"format": int, "kind": str, "task": dict, "spec": dict, "columns": list, "versions": dict}
"""What the metadata tells, and as what, beside the graph:

- `kind`: algorithm that trained it.
- `task`: `{"fingerprint", "config"}` of the task, as in a checkpoint.
- `spec`: the network, as in a checkpoint.
- `columns`: `[label, unit, scale]` of every number of the observation, in order.
- `versions`: what the checkpoint was made with.
"""
PREFIX: Final = "actwin_"
"""Before each name in the file's metadata, whose values are JSON."""
LARGEST_FILE: Final = 256 * 2**20
"""[B] A policy of this package has a few megabytes at most."""
LARGEST_TEXT: Final = 2**20
"""[B] Of all metadata."""


class OnnxPolicy:
    """What an exported policy decides, by onnxruntime in one thread.

    Args:
        path: File that `actwin export-policy` wrote.

    Attributes:
        about: The metadata; see `REQUIRED`.
        observations: Length of an observation.
        width: Columns of an action.

    Raises:
        CheckpointError: There is no such file, it is damaged, or not of actwin.
        MissingExtraError: onnxruntime is not installed.
    """

    def __init__(self, path: Path) -> None:
        self._session = _session(path, _content(path))
        self.about = _about(path, self._session.get_modelmeta().custom_metadata_map)
        self.observations, self.width = _sizes(path, self._session)

    def decide(self, observations: Floats) -> Floats:
        """float32[B, width]: the most likely actions for raw observations float32[B, observations]."""
        decided: Floats = self._session.run([OUTPUT], {INPUT: observations})[0]
        return decided


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such policy. Write one with `actwin export-policy CHECKPOINT`.")
    if path.stat().st_size > LARGEST_FILE:
        raise CheckpointError(
            f"{path}: has {path.stat().st_size} bytes, a policy at most {LARGEST_FILE}. "
            "Give a file that `actwin export-policy` wrote."
        )
    return path.read_bytes()


def _session(path: Path, content: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    # A second thread only makes a small network wait, and one that spins takes the core of the control loop.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has an exception for every cause, without a common base
        raise CheckpointError(
            f"{path}: is damaged or no ONNX model ({str(error).splitlines()[0][:200]}). "
            "Write it again with `actwin export-policy CHECKPOINT`."
        ) from error


def _about(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    missing = [name for name in REQUIRED if PREFIX + name not in texts]
    if missing:
        raise CheckpointError(
            f"{path}: is an ONNX model but not a policy of actwin (without {', '.join(missing)}). "
            "Give a file that `actwin export-policy` wrote."
        )
    try:
        if sum(map(len, texts.values())) > LARGEST_TEXT:
            raise ValueError(f"it has more than {LARGEST_TEXT} characters")
        about = {name: json.loads(texts[PREFIX + name], parse_constant=_refuse) for name in REQUIRED}
        _check(about)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: its metadata cannot be used ({error}). Write it again with `actwin export-policy CHECKPOINT`."
        ) from error
    if about["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: has format {about['format']}, this version {FORMAT}. Use the actwin that wrote it."
        )
    return about


def _check(about: Mapping[str, Any]) -> None:
    for name, kind in REQUIRED.items():
        if type(about[name]) is not kind:
            raise ValueError(f"{name} is no {kind.__name__}")
    task = about["task"]
    if not isinstance(task.get("fingerprint"), str) or not isinstance(task.get("config"), dict):
        raise ValueError("task has no fingerprint or no config")


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _sizes(path: Path, session: Any) -> tuple[int, int]:
    """Columns of observation and action."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    ends = [*inputs, *outputs]
    fits = (
        [end.name for end in inputs] == [INPUT]
        and [end.name for end in outputs] == [OUTPUT]
        and all(end.type == "tensor(float)" and len(end.shape) == 2 and isinstance(end.shape[1], int) for end in ends)
    )
    if not fits:
        raise CheckpointError(
            f"{path}: its graph is not one from {INPUT} to {OUTPUT}. Give a file that `actwin export-policy` wrote."
        )
    return inputs[0].shape[1], outputs[0].shape[1]


def largest_difference(first: Floats, second: Floats) -> float:
    """Between two arrays of actions; infinite where one is not finite or they differ in shape."""
    if first.shape != second.shape or not (np.isfinite(first).all() and np.isfinite(second).all()):
        return math.inf
    return float(np.abs(first - second).max(initial=0.0))
