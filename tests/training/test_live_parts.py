"""What live training is made of: chunks, messages, links, settings, exploration, one car in a stepped game."""

from __future__ import annotations

import multiprocessing
import threading
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from live_seat import CAR, TRACK, Game, config, policy_of, seat

from actwin.agents.exploration import explorer
from actwin.agents.intake import Chunk
from actwin.agents.networks import ActionSpec
from actwin.cockpit.actuators.protocol import Pose
from actwin.env.assetto_corsa import AssettoCorsaEnv
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.source import GameInfo
from actwin.training.config import load_config
from actwin.training.live_board import live_scalars
from actwin.training.live_car import LiveCar, Renewal
from actwin.training.live_chunks import LONGEST, Cutter, chunk_of, pack_chunk
from actwin.training.live_config import GameConfig
from actwin.training.live_evaluation import INTERRUPTED, drive_to_be_judged, judge, pack_seen, seen_of
from actwin.training.live_link import Link
from actwin.training.live_match import how_to_start, require_the_same_game
from actwin.training.live_wire import Message, pack, unpack

# Chunks


def cut_steps(count: int, emit: list[Chunk], **end: bool) -> Cutter:
    """A cutter that was given steps 0, 1, ... whose observation is their number."""
    cutter = Cutter(3, 1, 1, emit.append)
    cutter.begin()
    for step in range(count):
        last = step == count - 1
        here, there = np.full(1, step, np.float32), np.full(1, step + 1, np.float32)
        cutter.add(here, -here, float(step), there, 7, **(end if last else {}))
    return cutter


def test_chunks_hold_consecutive_steps_and_the_newest_one_waits_for_what_follows() -> None:
    sent: list[Chunk] = []
    cutter = cut_steps(2 * LONGEST + 1, sent)
    assert [(each.sequence, len(each.rewards)) for each in sent] == [(0, LONGEST), (LONGEST, LONGEST)]
    for each in sent:
        steps = np.arange(each.sequence, each.sequence + LONGEST)
        np.testing.assert_array_equal(each.observations[:, 0], [*steps, steps[-1] + 1])
        np.testing.assert_array_equal(each.rewards, steps)
        np.testing.assert_array_equal(each.actions[:, 0], -steps)
        assert (each.stream, each.policy_version, each.terminated, each.truncated) == (3, 7, False, False)
    assert sent[0].episode == sent[1].episode > 1_000_000_000_000 // 1000
    cutter.cut()
    last = sent[-1]
    assert (last.sequence, len(last.rewards), last.truncated, last.terminated) == (2 * LONGEST, 1, True, False)
    cutter.begin()
    assert len(sent) == 3


@pytest.mark.parametrize("end", ["terminated", "truncated"])
def test_an_episode_that_ends_takes_all_its_steps_along(end: str) -> None:
    sent: list[Chunk] = []
    cutter = cut_steps(LONGEST + 1, sent, **{end: True})
    [chunk] = [each for each in sent if getattr(each, end)]
    assert sum(len(each.rewards) for each in sent) == LONGEST + 1
    assert chunk.observations[-1, 0] == LONGEST + 1
    episode = sent[-1].episode
    cutter.begin()
    cutter.add(*[np.zeros(1, np.float32)] * 2, 0.0, np.zeros(1, np.float32), 8)
    cutter.cut()
    assert (sent[-1].episode > episode, sent[-1].sequence, sent[-1].policy_version) == (True, 0, 8)


def test_a_chunk_survives_the_way() -> None:
    sent: list[Chunk] = []
    cut_steps(3, sent, terminated=True)
    back = chunk_of(unpack(pack_chunk(sent[0])))
    for name, value in sent[0]._asdict().items():
        np.testing.assert_array_equal(getattr(back, name), value)
    with pytest.raises(SourceError, match="without 'stream'"):
        chunk_of(Message("chunk", {}, {}))


# Messages


def test_messages_hold_numbers_words_and_arrays() -> None:
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "none": np.zeros((0, 4), np.int64),
        "one": np.array(2.5),
    }
    message = unpack(pack("weights", {"version": 3, "words": "é"}, arrays))
    assert (message.kind, message.facts) == ("weights", {"version": 3, "words": "é"})
    for name, array in arrays.items():
        np.testing.assert_array_equal(message.arrays[name], array)
        assert message.arrays[name].dtype == array.dtype
    message.arrays["a"][0, 0] = 9.0
    with pytest.raises(SourceError, match="<U3"):
        pack("x", {}, {"text": np.array(["abc"])})


@pytest.mark.parametrize("data", [
    b"", b"\x00", b"\xff\xff\xff\xff{}", pack("x")[:-1], pack("x") + b"!", pack("x", {}, {"a": np.zeros(3)})[:-1],
    b"\x02\x00\x00\x00{}", b"\x04\x00\x00\x00[[]]",
    pack("x", {}, {"a": np.zeros(1)}).replace(b'"<f8"', b'"|O8"'),
    pack("x", {}, {"a": np.zeros(1)}).replace(b"[1]", b"[-1]"), pack("x").replace(b'"facts": {}', b'"facts": []'),
])  # fmt: skip
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match="makes no sense"):
        unpack(data)


# Links


class Pair:
    """Two linked ends; the second one hears nothing until it is told to."""

    def __init__(self, room: int = 4) -> None:
        (self.reader, writer), (reader, self.writer) = multiprocessing.Pipe(False), multiprocessing.Pipe(False)
        self.heard: list[Message] = []
        self.link = Link(reader, writer, self.heard.append, room)

    def listen(self) -> Message:
        assert self.reader.poll(5.0)
        return unpack(self.reader.recv_bytes())


def wait_for(condition: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_a_full_queue_drops_the_oldest_and_counts_them() -> None:
    pair, stuck = Pair(room=3), threading.Event()

    def first() -> bytes:
        stuck.wait(5.0)
        return pack("first")

    pair.link.post(first)
    wait_for(lambda: pair.link.waiting == 0)  # the sending thread has it and cannot go on
    for number in range(8):
        pair.link.post(lambda number=number: pack(str(number)))
    assert (pair.link.dropped, pair.link.waiting) == (5, 3)
    for number in range(3):
        pair.link.post_latest(lambda number=number: pack(f"weights {number}"))
    pair.link.insist(lambda: pack("order"))
    stuck.set()
    assert [pair.listen().kind for _ in range(6)] == ["first", "weights 2", "order", "5", "6", "7"]
    pair.link.close()


def test_an_end_that_is_gone_is_noticed_and_what_makes_no_sense_too() -> None:
    gone, strange = Pair(), Pair()
    gone.writer.send_bytes(pack("hello"))
    wait_for(lambda: gone.heard)
    assert not gone.link.lost
    gone.writer.close()
    strange.writer.send_bytes(b"nonsense")
    wait_for(lambda: gone.link.lost and strange.link.lost)
    for pair in (gone, strange):
        pair.link.close(flush=0.1)


# Settings


def test_games_that_cannot_be_told_apart_are_refused() -> None:
    cases = {
        "[{source: app}, {source: 'app:localhost:2345'}]": "games 1 and 2 are the same one",
        "[{source: 'app:10.0.0.1'}, {source: memory}, {source: 'app:10.0.0.1:2347'}]": "games 1 and 3: .* overlap",
        "[{source: 'memory:a'}, {source: 'memory:a/'}]": "games 1 and 2 are the same one",
        "[{source: auto}, {source: memory}]": "each needs its source",
        "[{source: 'app:host:0'}, {source: memory}]": "not a port",
        "[]": "live.games",
        "[{sauce: app}]": "live.games.0.sauce",
    }
    for games, problem in cases.items():
        with pytest.raises(ConfigError, match=problem):
            load_config(None, ["agent.type=sac", f"live.games={games}"])
    fine = "[{source: 'app:10.0.0.1'}, {source: 'app:10.0.0.2'}, {source: 'app:10.0.0.1:2348'}, {source: 'memory:a'}]"
    assert len(load_config(None, ["agent.type=sac", f"live.games={fine}"]).live.games) == 4  # type: ignore[union-attr]


def test_ppo_does_not_learn_live() -> None:
    with pytest.raises(ConfigError, match=r"PPO learns in step with all its cars.*Set agent.type to sac"):
        load_config(None, ["agent.type=ppo", "live.games=[{source: app}]"])


def test_another_track_or_car_is_refused_by_name() -> None:
    task = AssettoCorsaEnv(track=TRACK, car=CAR).task
    game = GameConfig(source="memory:x")
    for info in (GameInfo("memory", CAR, TRACK), GameInfo("memory", "", ""), GameInfo("memory", CAR, "some_mod_track")):
        require_the_same_game(task, info, game)
    with pytest.raises(ConfigError, match=r"drives on 'monza', env.track is 'oval'"):
        require_the_same_game(task, GameInfo("memory", CAR, "monza"), game)
    with pytest.raises(ConfigError, match="drives the car 'bmw_z4_gt3', not 'formula_alpha_2022'"):
        require_the_same_game(task, GameInfo("memory", "bmw_z4_gt3", TRACK), game)
    with pytest.raises(ConfigError, match=r"does not know the game's car 'rss_formula'.*car: 'rss_formula'"):
        require_the_same_game(task, GameInfo("memory", "rss_formula", TRACK), game)
    named = GameConfig(source="memory:x", car="rss_formula")
    require_the_same_game(task, GameInfo("memory", "rss_formula", TRACK), named)
    with pytest.raises(ConfigError, match="drives the car 'formula_alpha_2022', not 'rss_formula'"):
        require_the_same_game(task, GameInfo("memory", CAR, TRACK), named)


def test_the_command_that_starts_a_game_fits_its_source() -> None:
    task = AssettoCorsaEnv(track=TRACK, car=CAR).task
    assert "--app-port 3345 " in how_to_start(task, GameConfig(source="app:127.0.0.1:3345"))
    assert how_to_start(task, GameConfig(source="memory:a/b")).startswith(
        f"actwin serve --driver none --track {TRACK} --car {CAR} --folder a/b"
    )


# Exploration


@pytest.mark.parametrize("agent", ["sac", "qr_sac", "td3", "iqn"])
def test_every_algorithm_explores_around_its_policy(agent: str) -> None:
    run = config(agent=agent, games=2)
    action = ActionSpec(0, 5) if agent == "iqn" else ActionSpec(2)
    policy = policy_of(run, 4, action)
    observation = np.random.default_rng(0).standard_normal((1, 4)).astype(np.float32)
    best = policy.decide(observation)
    drivers = [explorer(run.agent, policy, car, 2, False, seed=1) for car in range(2)]
    done = np.array([[driver.act(observation)[0] for _ in range(400)] for driver in drivers])
    assert done.shape == (2, 400, action.width)
    off = (done != best[0]).any(-1).mean(-1)
    assert (off > 0.02).all()
    assert not np.array_equal(done[0], done[1])
    if agent == "iqn":
        assert (off < 0.9).all()
        assert set(np.unique(done)) <= set(range(5))
    else:
        assert (np.abs(done) <= 1.0).all()
        np.testing.assert_allclose(done.mean(1), np.repeat(best, 2, 0), atol=0.2)
    again = explorer(run.agent, policy, 0, 2, False, seed=1)
    np.testing.assert_array_equal(done[0], [again.act(observation)[0] for _ in range(400)])


# One car


def live_car(game: Game, agent: str = "sac", **task: Any) -> tuple[LiveCar, list[Chunk], Any]:
    run = config(agent=agent)
    kind = {"action": {"kind": "discrete"}} if agent == "iqn" else {}
    env = AssettoCorsaEnv(track=TRACK, car=CAR, task=kind | task, cockpit=seat(game))
    policy = policy_of(run, env.task.observation_size, ActionSpec(*env.task.action_space))
    sent: list[Chunk] = []
    cutter = Cutter(0, env.task.observation_size, env.task.action_space.width, sent.append)
    return LiveCar(env, explorer(run.agent, policy, 0, 1, False, 0), cutter, seed=5), sent, policy


def steps_of(sent: list[Chunk]) -> int:
    return sum(len(each.rewards) for each in sent)


@pytest.mark.parametrize("agent", ["sac", "iqn"])
def test_a_car_lives_through_an_episode(agent: str) -> None:
    # A driver that knows nothing may leave the road; nothing but the time is to end this episode.
    lenient = {"off_track_time": 10.0, "wall_energy": 1e9, "spin_angle": 3.14, "backward_distance": 1e4}
    car, sent, _ = live_car(Game(), agent, end={"time_limit": 5.0, **lenient})
    car.drive(lambda: False)
    assert steps_of(sent) == car.steps == car.drove.periods == 129
    assert [each.truncated for each in sent] == [False, False, True]
    assert car.drove.missed == 0
    for one, following in pairwise(sent):
        np.testing.assert_array_equal(one.observations[-1], following.observations[0])
        assert one.sequence + len(one.rewards) == following.sequence
    report = car.report()
    [book] = report["episodes"]
    assert book["duration"] == pytest.approx(129 * 0.039)
    assert book["return"] == pytest.approx(sum(each.rewards.sum() for each in sent), rel=1e-4)
    assert car.report()["episodes"] == []
    shown = live_scalars([report | {"doing": "driving"}, {}, report], [book], {"ratio": 2.0})
    assert (shown["live/games"], shown["live/driving"], shown["live/idle"]) == (3.0, 1.0, 2.0)
    shown = live_scalars([report], [book], {"ratio": 2.0})
    assert shown["live/ratio"] == 2.0
    assert shown["live/periods"] == 129.0
    assert shown["episode/end_time_limit"] == 1.0
    assert shown["reward/total"] == pytest.approx(book["return"] / 129, rel=1e-3)


def test_a_step_that_lasted_too_long_is_left_out_and_the_car_drives_on() -> None:
    game = Game()

    def stumble(game: Game) -> None:
        game.steps = 26 if game.reads == 60 else 13

    game.on_read = stumble
    car, sent, _ = live_car(game, end={"time_limit": 5.0})
    car.drive(lambda: False)
    assert car.drove.missed == 1
    cut, *_, last = (each for each in sent if each.truncated)
    assert cut.episode < last.episode
    assert last.sequence + len(last.rewards) < 129
    assert game.connections == 1
    assert steps_of(sent) == 128


@pytest.mark.parametrize(("what", "reason"), [("status", "game_paused"), ("alive", "game_lost")])
def test_a_game_that_stops_cuts_the_episode_off_and_is_looked_for(what: str, reason: str) -> None:
    game = Game()
    usual = getattr(game, what)
    car, sent, _ = live_car(game)

    def stop(game: Game) -> None:
        if game.reads == 70:
            setattr(game, what, 0)
        if game.reads == 400:
            setattr(game, what, usual)

    game.on_read = stop
    car.drive(lambda: False)
    assert car.breaks[reason] == 1
    assert sent[-1].truncated
    assert not sent[-1].terminated
    before = steps_of(sent)
    game.on_read = lambda game: None
    setattr(game, what, usual)
    car.drive(lambda: car.steps > before + 60)
    assert game.connections == 2
    assert sent[-1].episode > sent[0].episode


def test_a_car_that_was_moved_begins_anew() -> None:
    game = Game()
    car, sent, _ = live_car(game)
    game.on_read = lambda game: game.reset(Pose(0.0, 0.0, 0.0, 0.0)) if game.reads == 80 else None
    car.drive(lambda: False)
    assert car.breaks["car_moved"] == 1
    assert sent[-1].truncated


def test_new_weights_drive_from_the_next_step() -> None:
    car, sent, policy = live_car(Game(), end={"time_limit": 8.0})
    other = policy_of(config(), policy.observations, policy.action)
    with torch.no_grad():
        other.body[-1].bias[:2] = torch.tensor([0.0, 5.0])
    car.drive(lambda: bool(car.steps == 40 and car.renew(Renewal(41, other))))
    assert {each.policy_version for each in sent} == {0, 41}
    renewed = np.concatenate([each.actions for each in sent if each.policy_version == 41])
    assert (renewed[:, 1] > 0.95).all()


# Evaluation


def test_a_policy_is_judged_by_a_drive_without_exploration() -> None:
    game = Game()
    car, _, policy = live_car(game)
    with torch.no_grad():
        policy.body[-1].bias[:2] = torch.tensor([0.0, 0.2])
    task = car.env.task
    seen = seen_of(unpack(pack_seen(drive_to_be_judged(car.env.cockpit, task, policy, 9, 1, lambda: False))))
    assert (seen.version, seen.start, seen.missed) == (9, "grid", 0)
    assert seen.ended in ("finished", "stopped", "out of time")
    assert seen.frames["speed"][0] == pytest.approx(0.0, abs=0.2)
    score = judge(seen, task, 1)
    assert score.value <= -0.5 * task.reference.lap_time
    assert {"clean_share", "reward", "best_lap", "opening_lap", "missed"} <= set(score.scalars)
    last = game.reads + 100
    game.on_read = lambda game: setattr(game, "alive", game.reads < last)
    assert drive_to_be_judged(car.env.cockpit, task, policy, 9, 1, lambda: False).ended == INTERRUPTED
    with pytest.raises(SourceError, match="none"):
        seen_of(Message("evaluation", {}, {}))
