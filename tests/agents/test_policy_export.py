"""Exported policies decide as the network does, without torch."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from actwin.agents.iqn import IQNConfig
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.ppo import PPOConfig
from actwin.agents.qr_sac import QRSACConfig
from actwin.agents.registry import ALGORITHMS, new_network
from actwin.agents.sac import SACConfig
from actwin.agents.td3 import TD3Config
from actwin.errors import CheckpointError, MissingExtraError

OBSERVATIONS = 11
POLICIES = {
    "ppo": (PPOConfig(hidden=(32, 32)), ActionSpec(2)),
    "ppo with a gear": (
        PPOConfig(hidden=(32,), activation="elu", squash="tanh", state_dependent_std=True), ActionSpec(2, 4)
    ),
    "sac": (SACConfig(hidden=(32, 32), activation="silu"), ActionSpec(2)),
    "qr_sac": (QRSACConfig(hidden=(32, 32, 16)), ActionSpec(3)),
    "td3": (TD3Config(hidden=(32, 32), activation="tanh"), ActionSpec(1)),
    "iqn": (IQNConfig(hidden=(32, 32)), ActionSpec(0, 35)),
    "iqn without a worth": (IQNConfig(hidden=(32, 16, 16), dueling=False, acting_quantiles=8), ActionSpec(0, 5)),
}  # fmt: skip
ABOUT = {
    "format": 1, "kind": "ppo", "task": {"fingerprint": "a", "config": {"track": "oval"}}, "spec": {"hidden": [32]},
    "columns": [["speed", "m/s", 0.01]], "versions": {"torch": "2"},
}  # fmt: skip


def policy_of(name: str):
    """An untrained policy whose decisions depend on the observation, as a trained one's do."""
    config, action = POLICIES[name]
    torch.manual_seed(3)
    policy = new_network(config, OBSERVATIONS, action)
    policy.normaliser.observe(torch.randn(500, OBSERVATIONS) * torch.logspace(-2, 2, OBSERVATIONS) + 5.0)
    head = policy.body[-1] if isinstance(policy, Policy) else policy.advantage[-1]
    torch.nn.init.normal_(head.weight, std=0.3)
    return policy


def observations(policy, rows: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(rows, OBSERVATIONS, generator=generator)
    return (policy.normaliser.mean + 2.0 * policy.normaliser.std * noise).float().numpy()


@pytest.fixture(scope="module")
def export():
    """`export_onnx`, where its packages are installed."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f'needs {package}: pip install "actwin[onnx]"')
    from actwin.agents.export import export_onnx

    return export_onnx


@pytest.fixture(scope="module")
def original(export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "policy.onnx"
    export(policy_of("ppo"), path, ABOUT)
    assert [each.name for each in path.parent.iterdir()] == ["policy.onnx"]
    return path


@pytest.fixture
def written(original: Path, tmp_path: Path) -> Path:
    """An exported policy that a test may damage."""
    return Path(shutil.copy(original, tmp_path))


def test_every_algorithm_is_here() -> None:
    assert {config.type for config, _ in POLICIES.values()} == set(ALGORITHMS)


@pytest.mark.parametrize("name", POLICIES)
def test_the_file_decides_as_the_network(name: str, export, tmp_path: Path) -> None:
    from actwin.agents.onnx_policy import OnnxPolicy

    policy = policy_of(name)
    assert export(policy, tmp_path / "policy.onnx", ABOUT) <= 1e-5
    exported = OnnxPolicy(tmp_path / "policy.onnx")
    assert (exported.observations, exported.width) == (OBSERVATIONS, policy.width)
    for rows in (1, 2, 700):
        seen = observations(policy, rows)
        wanted, decided = policy.decide(seen), exported.decide(seen)
        count = policy.action.continuous
        assert decided.dtype == np.float32
        np.testing.assert_allclose(decided[:, :count], wanted[:, :count], rtol=0.0, atol=1e-5)
        assert np.array_equal(decided[:, count:], wanted[:, count:])
    assert len(np.unique(wanted[:, -1])) > 1


def test_the_file_tells_all_that_it_was_given(written: Path) -> None:
    from actwin.agents.onnx_policy import OnnxPolicy

    assert OnnxPolicy(written).about == ABOUT


def test_exporting_leaves_the_policy_as_it_was(export, tmp_path: Path) -> None:
    policy = policy_of("iqn")
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    export(policy, tmp_path / "policy.onnx", ABOUT)
    assert all(torch.equal(before[name], value) for name, value in policy.state_dict().items())
    assert policy.training


def test_a_file_that_decides_otherwise_is_not_kept(export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actwin.agents.export._difference", lambda policy, exported: float("nan"))
    with pytest.raises(CheckpointError, match="differs from its network"):
        export(policy_of("ppo"), tmp_path / "policy.onnx", ABOUT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.4, 0.99])
def test_a_truncated_file(written: Path, share: float) -> None:
    from actwin.agents.onnx_policy import OnnxPolicy

    content = written.read_bytes()
    written.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"policy\.onnx"):
        OnnxPolicy(written)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("kind", None, "without kind"),
        ("format", "2", "has format 2"),
        ("format", "true", "format is no int"),
        ("task", "{", "metadata cannot be used"),
        ("task", "[" * 100_000, "metadata cannot be used"),
        ("task", '{"fingerprint": 3, "config": {}}', "no fingerprint"),
        ("task", '{"fingerprint": "a", "config": {"gain": NaN}}', "NaN is no number"),
        ("versions", '"' + "x" * 2**20 + '"', "characters"),
    ],
    ids=range(8),
)
def test_metadata_is_read_strictly(written: Path, name: str, text: str | None, complaint: str) -> None:
    import onnx

    from actwin.agents.onnx_policy import OnnxPolicy

    model = onnx.load(written)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != f"actwin_{name}"}
    if text is not None:
        kept[f"actwin_{name}"] = text
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, written)
    with pytest.raises(CheckpointError, match=complaint):
        OnnxPolicy(written)


def test_another_graph_is_refused(written: Path) -> None:
    import onnx

    from actwin.agents.onnx_policy import OnnxPolicy

    model = onnx.load(written)
    model.graph.input[0].name = "picture"
    for node in model.graph.node:
        node.input[:] = ["picture" if name == "observation" else name for name in node.input]
    onnx.save(model, written)
    with pytest.raises(CheckpointError, match="from observation to action"):
        OnnxPolicy(written)


def test_a_missing_or_huge_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from actwin.agents import onnx_policy

    with pytest.raises(CheckpointError, match="no such policy"):
        onnx_policy.OnnxPolicy(tmp_path / "none.onnx")
    monkeypatch.setattr(onnx_policy, "LARGEST_FILE", 10)
    (tmp_path / "huge.onnx").write_bytes(bytes(11))
    with pytest.raises(CheckpointError, match="has 11 bytes"):
        onnx_policy.OnnxPolicy(tmp_path / "huge.onnx")


def test_without_the_runtime_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from actwin.agents.export import export_onnx
    from actwin.agents.onnx_policy import OnnxPolicy

    (tmp_path / "policy.onnx").write_bytes(b"any")
    for package in ("onnx", "onnxscript", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"onnxruntime.*actwin\[onnx\]"):
        OnnxPolicy(tmp_path / "policy.onnx")
    with pytest.raises(MissingExtraError, match=r"actwin\[onnx\]"):
        export_onnx(policy_of("ppo"), tmp_path / "other.onnx", ABOUT)
