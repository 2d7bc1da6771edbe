"""Cars that keep their own time: hand-worked windows, chunks that come twice, late or not at all."""

import copy

import numpy as np
import pytest
import torch
from toy import PointMass

from actwin.agents.intake import Chunk
from actwin.agents.networks import ActionSpec
from actwin.agents.replay import Replay
from actwin.agents.sac import SAC, SACConfig
from actwin.errors import ExperienceError

GAMMA = 0.9


def memory_of(cars: int = 2, room: int = 20, n_step: int = 3) -> Replay:
    return Replay(room, cars, 1, 1, n_step, GAMMA)


def extend(memory: Replay, stream: int, first: int, count: int, end: str = "") -> None:
    """Steps whose observation is 1000 car + t, reward t, and what follows a last one 100 more than its observation."""
    t = np.arange(first, first + count, dtype=np.float32)
    terminated, truncated = np.zeros((2, count), np.bool_)
    if end:
        (terminated if end == "terminated" else truncated)[-1] = True
    seen = (1000.0 * stream + t)[:, None]
    final = seen[-1:] + 100.0 if end else seen[:0]
    memory.extend(stream, seen, -t[:, None], t, terminated, truncated, final)


def window(memory: Replay, row: int, stream: int):
    batch = memory.windows(torch.tensor([row % memory.steps]), torch.tensor([stream]))
    return tuple(float(part.flatten()[0]) for part in batch)


def drawn(memory: Replay, count: int = 3000) -> set[float]:
    return set(memory.sample(count, torch.Generator().manual_seed(0)).observations.flatten().tolist())


def test_cars_may_fall_behind_each_other():
    memory = memory_of()
    extend(memory, 0, 0, 10)
    extend(memory, 1, 0, 2)
    assert len(memory) == 7
    assert drawn(memory) == set(range(7))  # the newest three go on, and so does all of the other car
    extend(memory, 1, 2, 4)
    assert drawn(memory) == {*range(7), 1000.0, 1001.0, 1002.0}
    assert window(memory, 1, 1) == pytest.approx((1001, -1, 1 + 0.9 * 2 + 0.81 * 3, 1004, 0.729))


def test_windows_of_chunks_that_join_and_of_ones_that_end():
    memory = memory_of()
    extend(memory, 0, 0, 2)
    extend(memory, 0, 2, 2, "truncated")
    extend(memory, 0, 50, 1, "terminated")
    extend(memory, 0, 60, 2)
    assert window(memory, 0, 0) == pytest.approx((0, 0, 0 + 0.9 * 1 + 0.81 * 2, 3, 0.729))
    assert window(memory, 1, 0) == pytest.approx((1, -1, 1 + 0.9 * 2 + 0.81 * 3, 103, 0.729))
    assert window(memory, 3, 0) == pytest.approx((3, -3, 3, 103, 0.9))
    assert window(memory, 4, 0) == pytest.approx((50, -50, 50, 60, 0))
    assert drawn(memory) == {0, 1, 2, 3, 50}  # ends make windows complete, however short


def test_a_gap_ends_the_window_with_the_value_of_the_last_known_state():
    memory = memory_of()
    extend(memory, 0, 0, 4)
    assert memory.cut(0)
    assert not memory.cut(0)
    extend(memory, 0, 9, 5)
    # Of step 3 nothing is known but what was seen before it, which is where step 2 led to.
    assert window(memory, 1, 0) == pytest.approx((1, -1, 1 + 0.9 * 2, 3, 0.81))
    assert window(memory, 2, 0) == pytest.approx((2, -2, 2, 3, 0.9))
    assert window(memory, 3, 0) == pytest.approx((9, -9, 9 + 0.9 * 10 + 0.81 * 11, 12, 0.729))
    assert drawn(memory) == {0, 1, 2, 9, 10}


def test_a_gap_after_a_single_step_forgets_it():
    memory = memory_of()
    extend(memory, 0, 0, 2, "terminated")
    extend(memory, 0, 5, 1)
    memory.cut(0)
    extend(memory, 0, 8, 1, "truncated")
    assert drawn(memory) == {0, 1, 8}
    assert window(memory, 1, 0) == pytest.approx((1, -1, 1, 8, 0))


def test_a_gap_in_a_full_ring():
    memory = memory_of(cars=1, room=6)
    extend(memory, 0, 0, 6)
    extend(memory, 0, 6, 2)  # over steps 0 and 1
    memory.cut(0)
    assert drawn(memory) == {2, 3, 4, 5, 6}
    assert window(memory, 5, 0) == pytest.approx((5, -5, 5 + 0.9 * 6, 7, 0.81))
    assert memory.mean_reward() == pytest.approx((2 + 3 + 4 + 5 + 6) / 5)


def test_every_window_is_drawn_as_often_as_any_other():
    memory = memory_of(cars=3)
    extend(memory, 0, 0, 12)
    extend(memory, 0, 12, 18, "terminated")
    extend(memory, 2, 0, 2, "terminated")
    found = memory.sample(22_000, torch.Generator().manual_seed(0)).observations.flatten()
    _, counts = found.unique(return_counts=True)
    assert len(counts) == 22
    assert (counts - 1000).abs().max() < 150  # with a spread of 31


def test_last_observations_give_their_room_back():
    memory = memory_of(cars=1, room=10)
    for t in range(500):
        extend(memory, 0, t, 1, "truncated")
    assert len(memory._cut) == 64
    batch = memory.sample(100, torch.Generator().manual_seed(0))
    assert torch.equal(batch.following, batch.observations + 100.0)


def test_steps_together_after_steps_apart():
    memory = memory_of()
    extend(memory, 0, 0, 7)
    for t in range(7, 12):
        value = torch.tensor([[float(t)], [1000.0 + t]])
        nothing = torch.zeros(2, dtype=torch.bool)
        memory.add(value, -value, value.squeeze(-1), nothing, nothing, value)
    assert window(memory, 6, 0) == pytest.approx((6, -6, 6 + 0.9 * 7 + 0.81 * 8, 9, 0.729))
    assert drawn(memory) == {*range(9), 1007.0, 1008.0}


def test_state_and_back_with_cars_apart():
    memory, other = memory_of(room=12), memory_of(room=12)
    extend(memory, 0, 0, 9, "truncated")
    extend(memory, 1, 0, 10)
    extend(memory, 1, 10, 10)
    other.load_state(memory.state())
    for each in (memory, other):
        each.cut(1)
        extend(each, 0, 40, 6)
    pairs = zip(*(m.sample(64, torch.Generator().manual_seed(1)) for m in (memory, other)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_more_steps_at_once_than_there_is_room_for():
    with pytest.raises(ExperienceError, match="shorter chunks"):
        extend(memory_of(), 0, 0, 21)


# --- the agent ---

CONFIG = SACConfig(
    horizon=2.0, hidden=(16, 16), batch=32, replay=400, learning_starts=60, updates_per_step=2.0, n_step=3,
    round_steps=2, normaliser_steps=200,
)  # fmt: skip


def agent_of(cars: int = 2, seed: int = 0) -> SAC:
    return SAC(3, ActionSpec(1), cars, 0.1, CONFIG, seed)


def chunk(stream: int, episode: int, sequence: int, count: int = 10, **more) -> Chunk:
    random = np.random.default_rng([stream, episode])
    seen, done = random.normal(size=(200, 3)).astype(np.float32), random.uniform(-1, 1, (200, 1)).astype(np.float32)
    steps = slice(sequence, sequence + count)
    rewards = np.arange(200, dtype=np.float32)[steps]
    return Chunk(stream, episode, sequence, 0, seen[sequence : sequence + count + 1], done[steps], rewards, **more)


def test_a_chunk_counts_once_however_often_it_comes():
    agent = agent_of()
    assert [agent.absorb(chunk(0, 0, 0)) for _ in range(3)] == [10, 0, 0]
    assert agent.absorb(chunk(0, 0, 5)) == 5  # half of it is new
    assert agent.absorb(chunk(0, 0, 15, truncated=True)) == 10
    assert agent.absorb(chunk(0, 0, 15, truncated=True)) == 0
    assert agent.absorb(chunk(0, 0, 3, 4)) == 0
    assert (agent.steps, agent.intake.dropped, agent.intake.gaps) == (25, 39, 0)
    assert agent.memory.rewards[:25, 0].tolist() == list(range(25))
    assert len(agent.memory) == 25


def test_missing_steps_are_a_cut_and_an_episode_that_ended_is_none():
    agent = agent_of()
    agent.absorb(chunk(0, 7, 0))
    agent.absorb(chunk(0, 7, 20))  # steps 10 to 19 are lost
    assert agent.intake.gaps == 1
    agent.absorb(chunk(0, 9, 0, terminated=True))  # so is the rest of episode 7
    agent.absorb(chunk(0, 12, 0))
    assert agent.intake.gaps == 2
    assert agent.absorb(chunk(0, 7, 10)) == 0  # late
    assert agent.memory.ends[:30, 0].nonzero().flatten().tolist() == [9, 19, 29]


def test_updates_fall_due_by_the_steps_of_all_cars_together():
    agent = agent_of(cars=4)
    for car, count in ((0, 40), (2, 19)):
        agent.absorb(chunk(car, 0, 0, count))
    assert not agent.ready
    agent.absorb(chunk(2, 0, 19, 8))
    assert agent.ready
    agent.update()
    assert agent.updates == 4  # two for each step of four cars
    assert agent.weights()[0] == 4


def test_learns_from_cars_that_keep_their_own_time():
    """The point mass, collected one car after the other with weights that are fetched now and then."""
    config = CONFIG.model_copy(
        update={"batch": 128, "replay": 20_000, "learning_starts": 500, "actor_lr": 1e-3, "critic_lr": 1e-3,
                "polyak": 0.02, "hidden": (32, 32), "normaliser_steps": 2000, "updates_per_step": 1.5}
    )  # fmt: skip
    agent = SAC(3, ActionSpec(1), 8, 0.1, config, 0)
    cars, test = [PointMass(1, seed) for seed in range(8)], PointMass(64, seed=1)
    before, starts = test.mean_distance(agent.policy), [(0, 0)] * 8
    for turn in range(240):
        stream = turn * 5 % 8 if turn % 3 else 0  # one car sends more than others
        env, (episode, step) = cars[stream], starts[stream]
        seen, actions, rewards, end = [env.observation.copy()], [], [], (False, False)
        while len(rewards) < 20 and not any(end):
            with torch.no_grad():
                actions.append(agent.explore(torch.from_numpy(seen[-1])).numpy())
            _, reward, terminated, truncated = env.step_arrays(actions[-1])
            rewards.append(reward)
            end = bool(terminated[0]), bool(truncated[0])
            seen.append((env.final_observation if any(end) else env.observation).copy())
        starts[stream] = (episode + 1, 0) if any(end) else (episode, step + len(rewards))
        if turn % 11:  # some never arrive
            parts = (np.concatenate(each) for each in (seen, actions, rewards))
            agent.absorb(Chunk(stream, episode, step, agent.updates, *parts, *end))
        if agent.ready:
            agent.update()
    assert agent.intake.gaps > 5
    assert test.mean_distance(agent.policy) < 0.12 < before


def test_resumed_equals_uninterrupted_with_cars_apart():
    agent = agent_of()

    def go_on(agent: SAC, episode: int) -> list[dict[str, float]]:
        shown = []
        for turn in range(6):
            agent.absorb(chunk(turn % 3 % 2, episode, 10 * turn))
            if agent.ready:
                shown.append(agent.update())
        return shown

    go_on(agent, 0)
    state, memory = copy.deepcopy(agent.state()), agent.memory.state()
    resumed = agent_of(seed=9)
    resumed.load_state(state)
    resumed.memory.load_state(memory)
    assert go_on(agent, 0) == go_on(resumed, 0) == []  # all known already
    assert go_on(agent, 1) == go_on(resumed, 1) != []
    assert all(torch.equal(a, b) for a, b in zip(agent.critics.parameters(), resumed.critics.parameters(), strict=True))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (chunk(2, 0, 0), "knows cars 0 to 1"),
        (chunk(0, 0, 0)._replace(episode=-1), "count from 0"),
        (chunk(0, 0, 0)._replace(rewards=np.zeros(3, np.float32)), "same task and version"),
        (chunk(0, 0, 0, 0), "same task and version"),
        (chunk(0, 0, 0)._replace(rewards=np.full(10, np.nan, np.float32)), "not finite"),
        (chunk(0, 0, 0)._replace(rewards=np.zeros(10)), "single-precision"),
    ],
)
def test_chunks_that_no_agent_can_learn_from(wrong, words):
    agent = agent_of()
    with pytest.raises(ExperienceError, match=words):
        agent.absorb(wrong)
    assert agent.steps == 0
    assert agent.absorb(chunk(0, 0, 0)) == 10
