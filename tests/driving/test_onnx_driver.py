"""A trained driver in an ONNX file drives as its checkpoint does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from actwin.agents.checkpoints import save_checkpoint
from actwin.agents.networks import ActionSpec, Policy
from actwin.cli import main
from actwin.driving.policy import PolicyDriver
from actwin.env.task import Task, TaskConfig
from actwin.errors import CheckpointError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A driver that steers by what it sees, though not well."""
    task = Task(TaskConfig.of({"track": "oval", "action": {"kind": "rate"}}))
    torch.manual_seed(0)
    policy = Policy(task.observation_size, ActionSpec(*task.action_space), (32, 32), squash="tanh")
    torch.nn.init.normal_(policy.body[-1].weight, std=0.2)
    path = tmp_path_factory.mktemp("run") / "best.pt"
    save_checkpoint(
        path,
        {
            "format": 1, "kind": "ppo", "config": {}, "task": task.identity(), "spec": policy.spec,
            "agent": {"policy": policy.state_dict()}, "counters": {}, "versions": {"actwin": "0"}, "numerics": {},
        },
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def exported(checkpoint: Path) -> Path:
    """The same as a graph, by the command."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f'needs {package}: pip install "actwin[onnx]"')
    with pytest.raises(SystemExit) as ended:
        main(["export-policy", str(checkpoint)])
    assert not ended.value.code
    return checkpoint.with_suffix(".onnx")


def test_both_drive_the_same_way(checkpoint: Path, exported: Path) -> None:
    """On the same frames: a drive of their own would let the last bits of their arithmetic grow."""
    first, second = (PolicyDriver.from_checkpoint(path, n=3) for path in (checkpoint, exported))
    simulator = first.task.simulator()
    simulator.reset(distance=[0.0, 100.0, 200.0], speed=30.0)
    first.reset()
    second.reset()
    steering = []
    for _ in range(40):
        controls, others = first.act(simulator.frames), second.act(simulator.frames)
        for name in ("steer", "throttle", "brake"):
            np.testing.assert_allclose(controls[name], others[name], atol=1e-3)
        steering.append(controls["steer"].copy())
        simulator.step(controls)
    assert np.ptp(steering) > 0.01


def test_the_file_names_its_columns(exported: Path) -> None:
    from actwin.agents.onnx_policy import OnnxPolicy

    about = OnnxPolicy(exported).about
    task = Task(TaskConfig.of(about["task"]["config"]))
    assert [column[0] for column in about["columns"]] == [column.label for column in task.layout.columns]
    assert about["task"] == task.identity()
    assert (about["kind"], about["versions"]) == ("ppo", {"actwin": "0"})


def test_another_task_is_refused_as_of_a_checkpoint(exported: Path, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(exported)
    entry = next(entry for entry in model.metadata_props if entry.key == "actwin_task")
    task = json.loads(entry.value)
    entry.value = json.dumps(task | {"fingerprint": "0" * 16})
    onnx.save(model, tmp_path / "old.onnx")
    with pytest.raises(CheckpointError, match=r"old\.onnx: was trained for another task"):
        PolicyDriver.from_checkpoint(tmp_path / "old.onnx")
    task["config"]["observation"]["points"] = 3
    entry.value = json.dumps(task)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(CheckpointError, match="numbers and decides"):
        PolicyDriver.from_checkpoint(tmp_path / "other.onnx", track="skid_pad")
    assert PolicyDriver.from_checkpoint(exported, track="skid_pad").task.track.name == "skid_pad"


def test_it_drives_without_torch(exported: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from actwin.driving.policy import real_time_driver\n"
        f"driver = real_time_driver(Path({str(exported)!r}))\n"
        "driver.act(driver.task.simulator().frames)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_evaluation_takes_it(exported: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(exported), "--starts", "grid,flying", "--no-expert", "--json"])
    assert not ended.value.code
    [race] = json.loads(capsys.readouterr().out)["races"]
    assert [drive["start"] for drive in race["episodes"]] == ["grid", "flying"]


def test_the_ending_tells_what_a_file_is(checkpoint: Path, capsys, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export-policy", str(checkpoint), "--to", str(tmp_path / "policy.bin")])
    assert ended.value.code == 1
    assert "ends in .onnx" in capsys.readouterr().err
