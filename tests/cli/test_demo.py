"""The demo from end to end, on a budget of seconds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from actwin.agents.bc import BCConfig
from actwin.agents.ppo import PPOConfig
from actwin.analysis.rollout import Rollout
from actwin.cli import main
from actwin.env.task import TaskConfig
from actwin.errors import UnknownNameError
from actwin.training import demo as demo_module
from actwin.training.config import ImitationConfig, RunConfig, TrainConfig
from actwin.training.demo import CLONE, EXPERT, LEARNER, DemoConfig, demo_run, learning_curve, run_demo
from actwin.training.pipeline import LEAST_MINUTES, _shortened


class Notes:
    """Keeps what the stages said."""

    def __init__(self) -> None:
        self.shares: dict[str, list[float]] = {}

    def update(self, stage: str, share: float, note: str = "", left: float | None = None) -> None:
        self.shares.setdefault(stage, []).append(share)


def small_run(config: DemoConfig) -> RunConfig:
    """The demo's run with next to no driving."""
    return RunConfig(
        seed=config.seed,
        env=TaskConfig.of(track=config.track, car=config.car),
        imitation=ImitationConfig(cars=8, seconds=12.0, bc=BCConfig(epochs=2)),
        agent=PPOConfig(hidden=(16,), minibatch=256, critic_warmup=0),
        train=TrainConfig(cars=32, steps=2048, evaluate_every=10_000, threads=1),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_module, "demo_run", small_run)
        notes = Notes()
        config = DemoConfig(track="oval", car="dallara_f317", seed=1, out=tmp_path_factory.mktemp("demo"))
        return config, run_demo(config, notes), notes


def test_every_stage_begins_goes_on_and_ends(finished) -> None:
    _, _, notes = finished
    assert list(notes.shares) == [
        "Preparation", "Demonstrations", "Imitation", "Reinforcement learning", "Race", "Report",
    ]  # fmt: skip
    for shares in notes.shares.values():
        assert shares[0] < 1.0
        assert shares[-1] == 1.0
        assert shares == sorted(shares)


def test_three_drivers_race_and_the_expert_laps_cleanly(finished) -> None:
    _, result, _ = finished
    assert list(result.laps) == [LEARNER, EXPERT, CLONE]
    assert all(lap.valid for lap in result.laps[EXPERT])
    assert math.isfinite(result.best[EXPERT])
    assert result.summary.count("\n") == 2


def test_the_folder_holds_report_laps_and_checkpoint(finished) -> None:
    config, result, _ = finished
    assert result.report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Rollout.load(config.out / "laps" / "expert.npz").driver == EXPERT
    assert (config.out / "best.pt").is_file()


def test_the_report_says_how_to_make_it_again(finished) -> None:
    config, result, _ = finished
    assert config.command == (f"actwin demo --track oval --car dallara_f317 --seed 1 --out {config.out.as_posix()}")
    assert "--track oval --car dallara_f317" in result.report.read_text(encoding="utf-8")


def test_the_learning_curve_begins_with_the_clone(finished) -> None:
    config, _, _ = finished
    curve = learning_curve(config.out)
    assert curve.steps[0] == 0.0
    assert np.all(np.diff(curve.steps) >= 0.0)
    assert curve.steps.shape == curve.lap_times.shape == curve.clean.shape


def test_a_checkpoint_is_evaluated_on_the_command_line(finished, capsys) -> None:
    config, _, _ = finished
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(config.out), "--episodes", "3", "--json"])
    out = capsys.readouterr().out
    assert not ended.value.code
    [race] = json.loads(out)["races"]
    mine = [drive for drive in race["episodes"] if drive["driver"] == config.out.name]
    assert [drive["start"] for drive in mine] == ["grid", "flying", "random"]
    assert all(drive["average_speed"] > 0.0 for drive in mine)


def test_minutes_and_seed_reach_the_run() -> None:
    run = demo_run(DemoConfig(minutes=7.5, seed=3))
    assert (run.train.minutes, run.seed) == (7.5, 3)
    assert run.env.track == "monza"
    assert DemoConfig(minutes=7.5).command.endswith("--minutes 7.5 --seed 0 --out runs/demo")


def test_reinforcement_learning_gets_what_is_left() -> None:
    run = demo_run(DemoConfig())
    assert _shortened(run, 3.14159).train.minutes == 3.14
    assert _shortened(run, 99.0).train.minutes == run.train.minutes
    assert _shortened(run, -1.0).train.minutes == LEAST_MINUTES


def test_an_unknown_track_ends_the_demo_at_once() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean monza"):
        run_demo(DemoConfig(track="mona", out=Path("never")), Notes())


def test_train_runs_what_the_file_and_the_words_say_and_goes_on(tmp_path, capsys) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(
        "env: {track: oval, car: dallara_f317}\nimitation: null\nagent: {hidden: [16], minibatch: 256}\n"
        "train: {cars: 32, steps: 1_000_000, threads: 1}\n",
        encoding="utf-8",
    )
    words = ["train", str(file), "train.steps=1024", "--out", str(tmp_path / "run")]
    for more in ([], ["train.steps=2048", "--resume"]):
        with pytest.raises(SystemExit) as ended:
            main(words + more)
        assert not ended.value.code
    assert capsys.readouterr().out.count("Laps: actwin evaluate") == 2
    assert "steps: 2048" in (tmp_path / "run" / "config.yaml").read_text(encoding="utf-8")
