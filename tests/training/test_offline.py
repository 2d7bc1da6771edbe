"""Learning from recorded drives alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from actwin.agents.checkpoints import load_checkpoint
from actwin.driving.policy import PolicyDriver
from actwin.driving.recording import run
from actwin.errors import ConfigError
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import write_session
from actwin.training.board import read_metrics
from actwin.training.config import load_config
from actwin.training.pipeline import train
from actwin.training.preparation import Trained

COMMON = (
    "env.track=oval", "imitation.bc.epochs=2", "agent.hidden=[32, 32]", "agent.batch=64", "agent.replay=5000",
    "train.threads=1", "train.steps=200", "train.offline=true", "train.evaluate=false", "train.save_every=100",
)  # fmt: skip


class Notes:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        """The last words of each stage."""
        self.said[stage] = note


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of the expert on the oval."""
    folder = tmp_path_factory.mktemp("sessions")
    driven = run("oval", "formula_alpha_2022", None, 1500)
    meta = SessionMeta(source="twin", car=driven.car, track=driven.track, period=driven.period)
    write_session(folder, meta, driven.time, driven.frames)
    return folder


def learn(sessions: Path, out: Path, *settings: str, resume: bool = False) -> tuple[Trained, Notes]:
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    notes = Notes()
    config = load_config(
        None, [*COMMON, f"imitation.folder={sessions.as_posix()}", "imitation.sessions=last", *settings]
    )
    trained = train(config, out, notes, resume)
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    return trained, notes


@pytest.mark.parametrize("kind", ["sac", "td3", "iqn"])
def test_agents_learn_without_driving(kind: str, sessions: Path, tmp_path: Path) -> None:
    settings = ["env.action.kind=discrete"] if kind == "iqn" else ["agent.critic_warmup=20"]
    trained, notes = learn(sessions, tmp_path, f"agent.type={kind}", "env.observation.frames=3", *settings)
    assert trained.result.steps == 200
    assert np.isnan(trained.result.best_lap)
    assert "200 updates" in notes.said["Offline learning"]
    assert "1 drive" in notes.said["Recorded drives"]
    rows = read_metrics(tmp_path)
    losses = [row["agent/loss" if kind == "iqn" else "agent/critic_loss"] for row in rows if "agent/updates" in row]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    assert not any(name.startswith(("episode/", "evaluation/")) for row in rows for name in row)
    assert {path.name for path in tmp_path.glob("*.pt")} >= {"last.pt", "step_100.pt", "step_200.pt"}
    assert not (tmp_path / "best.pt").exists()
    driver = PolicyDriver.from_checkpoint(tmp_path / "last.pt", n=2)
    assert driver.task.config.observation.frames == 3
    simulator = driver.task.simulator()
    driver.reset()
    for _ in range(10):
        simulator.step(driver.act(simulator.frames))
    assert np.isfinite(simulator.frames["speed"]).all()


def test_it_goes_on_exactly(sessions: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    learn(sessions, whole, "agent.type=sac", "agent.critic_warmup=20")
    learn(sessions, part, "agent.type=sac", "agent.critic_warmup=20", "train.steps=100")
    learn(sessions, part, "agent.type=sac", "agent.critic_warmup=20", resume=True)
    one, other = (load_checkpoint(folder / "last.pt")["agent"]["policy"] for folder in (whole, part))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_clone_alone(sessions: Path, tmp_path: Path) -> None:
    trained, _ = learn(sessions, tmp_path, "agent.type=sac", "train.steps=0")
    kept = load_checkpoint(tmp_path / "last.pt")["agent"]["policy"]
    assert trained.clone is not None
    assert all(torch.equal(kept[name], value) for name, value in trained.clone.state_dict().items())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["agent.type=ppo"], "PPO learns only from what it does itself"),
        (["imitation=null"], "demonstrations are all there is to learn from"),
        (["agent.type=iqn", "agent.demo_share=0"], r"agent\.demo_share above 0"),
    ],
)
def test_impossible_combinations(settings: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(None, ["agent.type=sac", "train.offline=true", *settings])


def test_nobody_demonstrates(tmp_path: Path) -> None:
    config = load_config(None, ["env.track=oval", "imitation.expert=false"])
    with pytest.raises(
        ConfigError, match=r"nothing to imitate: imitation\.expert is false and imitation\.sessions names"
    ):
        train(config, tmp_path, Notes())


def test_the_preset_is_offline(repository: Path) -> None:
    config = load_config(repository / "configs" / "offline_sac.yaml")
    assert config.train.offline
    assert config.imitation is not None
    assert not config.imitation.with_expert
    assert json.loads(config.model_dump_json())["imitation"]["sessions"]
