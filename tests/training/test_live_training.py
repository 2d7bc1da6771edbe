"""A learner and its drivers together, in games that are stepped by whoever looks at them."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from live_seat import TRACK, Game, config, seat

from actwin.agents.checkpoints import load_checkpoint
from actwin.agents.intake import Chunk
from actwin.errors import ActwinError, CheckpointError, ExperienceError, SourceError
from actwin.training.board import read_metrics
from actwin.training.live import outcome
from actwin.training.live_collector import Collector, Post
from actwin.training.live_games import Games
from actwin.training.live_trainer import LiveTrainer
from actwin.training.live_world import GameWorld
from actwin.training.protocols import Score
from actwin.training.world import TwinWorld


class InThread:
    """A driver in a thread of this process, with a game of its own."""

    def __init__(self, games: list[Game]) -> None:
        self.games = games

    def __call__(self, post: Post, reader: Connection, writer: Connection) -> Any:
        driver = Collector(post, reader, writer, seat(self.games[post.car]))
        thread = threading.Thread(target=driver.run, daemon=True)
        thread.exitcode = 1  # type: ignore[attr-defined]
        thread.terminate = driver.link.close  # type: ignore[attr-defined]
        thread.start()
        return thread


@pytest.fixture(scope="module")
def world() -> TwinWorld:
    return TwinWorld(config().env)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("ACTWIN_CONFIG_DIR", str(tmp_path / "settings"))
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)


QUICK = ["live.renew_every=0.05", "train.steps=600", "train.evaluate_every=300", "train.save_every=300"]


def trainer_of(world: TwinWorld, out: Path, games: list[Game], *overrides: str) -> tuple[LiveTrainer, Games]:
    run = config(*QUICK, *overrides, games=len(games))
    driven = Games([Post(run, car, False) for car in range(len(games))], InThread(games))
    return LiveTrainer(run, GameWorld(world), world.task_for(1), driven, out), driven


def test_two_games_teach_one_agent_which_goes_on_after_a_stop(world: TwinWorld, tmp_path: Path) -> None:
    cars = [Game(), Game()]
    trainer, games = trainer_of(world, tmp_path, cars)
    try:
        games.await_ready(world.task_for(1), 60.0)
        result = trainer.run()
    finally:
        games.close()
    assert result.finished
    assert result.steps == trainer.steps >= 600
    assert trainer.agent.updates >= 20
    assert {"last.pt", "best.pt", "replay.pt", "config.yaml"} <= {path.name for path in tmp_path.iterdir()}
    assert list(tmp_path.glob("step_*.pt"))
    assert not (tmp_path / "candidate.pt").exists()
    assert trainer.first is not None
    assert trainer.newest is not None
    assert load_checkpoint(tmp_path / "step_0.pt")["counters"]["env_steps"] == 0
    best = load_checkpoint(tmp_path / "best.pt")
    assert best["best"]["value"] == trainer.best.value >= trainer.first.value  # type: ignore[union-attr]
    assert f"(score {trainer.first.value:.2f}) →" in outcome(trainer)
    rows = read_metrics(tmp_path)
    assert {round(row["evaluation/value"], 6) for row in rows if "evaluation/value" in row} >= {
        round(trainer.first.value, 6), round(trainer.newest.value, 6)
    }  # fmt: skip
    assert [float(car.controls["throttle"][0]) for car in cars] == [0.0, 0.0]
    assert {int(car) for car in np.flatnonzero(trainer.agent.memory.filled)} == {0, 1}

    again, games = trainer_of(world, tmp_path, cars, "train.steps=3000")
    try:
        again.resume(tmp_path / "last.pt")
        assert (again.steps, again.agent.updates) == (trainer.steps, trainer.agent.updates)
        games.await_ready(world.task_for(1), 60.0)
        assert again.run().steps >= 3000
    finally:
        games.close()
    assert again.agent.updates > trainer.agent.updates


def test_games_that_do_not_answer_are_named_with_what_would_start_them(world: TwinWorld) -> None:
    dead, wrong = Game(), Game(car="bmw_z4_gt3")
    dead.alive = False
    run = config(games=3)
    games = Games([Post(run, car, False) for car in range(3)], InThread([Game(), dead, wrong]))
    try:
        with pytest.raises(SourceError) as error:
            games.await_ready(world.task_for(1), 60.0)
    finally:
        games.close()
    first, second = str(error.value).splitlines()
    assert first.startswith("Game 2 (memory:nowhere/1 driven by custom_ai): No game.")
    assert f"actwin serve --driver none --track {TRACK} --car formula_alpha_2022 --folder nowhere/1" in first
    assert "drives the car 'bmw_z4_gt3', not 'formula_alpha_2022'" in second


def test_a_game_that_vanishes_for_good_ends_the_run_with_a_checkpoint_left(world: TwinWorld, tmp_path: Path) -> None:
    game = Game()
    trainer, games = trainer_of(world, tmp_path, [game], "train.steps=100_000", "live.patience=1.5")
    game.on_read = lambda game: setattr(game, "alive", game.reads < 900)
    try:
        games.await_ready(world.task_for(1), 60.0)
        with pytest.raises(SourceError, match=r"No car has driven for 2 s \(game 1: looking"):
            trainer.run()
    finally:
        games.close()
    assert (tmp_path / "last.pt").is_file()


def test_a_disk_that_is_full_for_a_while_does_not_end_the_run(
    world: TwinWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, games = trainer_of(world, tmp_path, [Game()])
    games.close()

    def full(*words: object) -> None:
        raise CheckpointError("The disk is full.")

    with monkeypatch.context() as disk:
        disk.setattr(trainer._saver, "save", full)
        assert trainer._ask() is None
    assert trainer.progress().trouble == "The disk is full."
    candidate = tmp_path / "candidate.pt"
    assert trainer._write(candidate.name)
    with monkeypatch.context() as disk:
        disk.setattr("actwin.training.live_trainer.save_checkpoint", full)
        trainer._promote(candidate, Score(-70.0, 70.0, {}))
    assert trainer.best is None
    trainer._promote(candidate, Score(-70.0, 70.0, {}))
    assert trainer.best is not None
    assert (tmp_path / "best.pt").is_file()


def test_a_driver_that_dies_is_started_again_but_not_for_ever(world: TwinWorld, tmp_path: Path) -> None:
    class Dying(InThread):
        lives = 0

        def __call__(self, post: Post, reader: Connection, writer: Connection) -> Any:
            Dying.lives += 1
            thread = super().__call__(post, reader, writer)
            if Dying.lives > 1:
                thread.is_alive = lambda: False
            return thread

    run = config()
    games = Games([Post(run, 0, False)], Dying([Game()]))
    trainer = LiveTrainer(run, GameWorld(world), world.task_for(1), games, tmp_path)
    try:
        games.await_ready(world.task_for(1), 60.0)
        games._drivers[0].worker.is_alive = lambda: False  # type: ignore[method-assign]
        for _ in range(3):
            games.watch(1000.0)
        with pytest.raises(ActwinError, match="its driver's process dies again and again"):
            games.watch(1000.0)
    finally:
        games.close()
    assert Dying.lives == 4
    assert trainer.steps == 0


def test_chunks_that_make_no_sense_are_left_out_and_end_the_run_when_nothing_else_comes(
    world: TwinWorld, tmp_path: Path
) -> None:
    trainer, games = trainer_of(world, tmp_path, [Game()])
    games.close()
    width, size = world.action.width, world.observations
    good = Chunk(0, 1, 0, 0, *(np.zeros(shape, np.float32) for shape in ((3, size), (2, width), 2)))
    trainer.take(good._replace(rewards=np.array([np.nan, 0.0], np.float32)))
    assert trainer.steps == 0
    trainer.take(good)
    assert trainer.steps == 2
    for _ in range(9):
        trainer.take(good._replace(rewards=np.array([np.nan, 0.0], np.float32)))
    with pytest.raises(ExperienceError, match="not finite"):
        trainer.take(good._replace(rewards=np.array([np.nan, 0.0], np.float32)))


def test_too_much_experience_for_the_learner_waits_with_the_drivers(world: TwinWorld, tmp_path: Path) -> None:
    trainer, games = trainer_of(world, tmp_path, [Game()], "live.least_ratio=0.5", "agent.batch=1")
    games.close()
    width, size = world.action.width, world.observations
    for number in range(8):
        arrays = (np.zeros(shape, np.float32) for shape in ((51, size), (50, width), 50))
        trainer.take(Chunk(0, 1, 50 * number, 0, *arrays))
        if number == 0:
            trainer._learn()
    assert trainer._overrun()
    while trainer._overrun():
        assert trainer._learn()
    assert trainer._ratio() >= 0.5
