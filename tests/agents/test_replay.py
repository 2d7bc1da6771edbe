import numpy as np
import pytest
import torch

from actwin.agents.replay import Experience, Replay
from actwin.errors import ConfigError

GAMMA = 0.9


def filled(steps: int, ends: dict[int, str], rewards=None, room: int = 20, n_step: int = 3) -> Replay:
    """One car; the observation of step t is t, the one before a reset after step t is 100 + t."""
    memory = Replay(room, 1, 1, 1, n_step, GAMMA)
    for t in range(steps):
        memory.add(
            torch.tensor([[float(t)]]),
            torch.tensor([[float(-t)]]),
            torch.tensor([1.0 if rewards is None else rewards[t]]),
            torch.tensor([ends.get(t) == "terminated"]),
            torch.tensor([ends.get(t) == "truncated"]),
            torch.tensor([[100.0 + t]]),
        )
    return memory


def window(memory: Replay, row: int):
    batch = memory.windows(torch.tensor([row % memory.steps]), torch.tensor([0]))
    return tuple(float(part.flatten()[0]) for part in batch)


def test_windows_of_an_episode_that_terminates_and_one_that_is_cut_off():
    """Steps 0 to 2 end in a termination, 3 and 4 in a cut; worked out by hand."""
    memory = filled(9, {2: "terminated", 4: "truncated"}, rewards=[1, 2, 4, 8, 16, 32, 64, 128, 256])
    # observation, action, return, following, discount
    assert window(memory, 0) == pytest.approx((0, 0, 1 + 0.9 * 2 + 0.81 * 4, 3, 0))
    assert window(memory, 1) == pytest.approx((1, -1, 2 + 0.9 * 4, 3, 0))
    assert window(memory, 2) == pytest.approx((2, -2, 4, 3, 0))
    assert window(memory, 3) == pytest.approx((3, -3, 8 + 0.9 * 16, 104, 0.81))
    assert window(memory, 4) == pytest.approx((4, -4, 16, 104, 0.9))
    assert window(memory, 5) == pytest.approx((5, -5, 32 + 0.9 * 64 + 0.81 * 128, 8, 0.729))


def test_windows_cross_the_end_of_the_ring():
    memory = filled(25, {22: "truncated"}, rewards=list(range(25)))
    assert window(memory, 18) == pytest.approx((18, -18, 18 + 0.9 * 19 + 0.81 * 20, 21, 0.729))
    assert window(memory, 21) == pytest.approx((21, -21, 21 + 0.9 * 22, 122, 0.81))


def test_only_whole_windows_are_drawn_and_the_newest_data_is_among_them():
    memory = filled(33, {})
    drawn = memory.sample(4000, torch.Generator().manual_seed(0)).observations.flatten()
    assert set(drawn.tolist()) == set(range(13, 30))
    assert len(memory) == 17


def test_room_for_last_observations_is_used_again():
    memory = Replay(8, 64, 1, 1, 1, GAMMA)
    everything = torch.ones(64, dtype=torch.bool)
    for t in range(100):
        value = torch.full((64, 1), float(t))
        memory.add(value, value, torch.zeros(64), ~everything, everything, 1000.0 + value)
    assert len(memory._cut) <= 1024
    batch = memory.sample(256, torch.Generator().manual_seed(0))
    assert torch.equal(batch.following, batch.observations + 1000.0)


def test_demonstrations_become_a_memory():
    rng = np.random.default_rng(0)
    shape = (30, 4)
    experience = Experience(
        rng.random((*shape, 2), np.float32), rng.random((*shape, 1), np.float32), rng.random(shape, np.float32),
        np.arange(30)[:, None].repeat(4, 1) % 10 == 9, np.zeros(shape, np.bool_),
        np.arange(30)[:, None].repeat(4, 1) % 10 < 9,
    )  # fmt: skip
    memory = Replay.of(experience, 3, GAMMA)
    drawn = memory.sample(500, torch.Generator().manual_seed(0)).actions.flatten()
    assert set(drawn.tolist()) <= set(experience.actions[experience.usable].flatten().tolist())
    batch = memory.windows(torch.tensor([9, 12]), torch.tensor([1, 2]))
    assert batch.discounts.tolist() == pytest.approx([0.0, GAMMA**3])
    assert batch.returns[0] == pytest.approx(experience.rewards[9, 1])
    assert torch.equal(batch.following[1], torch.from_numpy(experience.observations[15, 2]))


def test_state_and_back():
    memory = filled(25, {4: "truncated", 22: "truncated"})
    other = Replay(20, 1, 1, 1, 3, GAMMA)
    other.load_state(memory.state())
    for seed in range(3):
        pairs = zip(*(m.sample(64, torch.Generator().manual_seed(seed)) for m in (memory, other)), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_a_memory_smaller_than_a_window_is_refused():
    with pytest.raises(ConfigError, match=r"agent\.replay"):
        Replay(3, 4, 1, 1, 3, GAMMA)
