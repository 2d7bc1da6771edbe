"""A memory in a file: the same draws, whole after a kill at any moment, honest when it is not."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from actwin.agents import disk_rows
from actwin.agents.checkpoints import load_memory, save_memory
from actwin.agents.disk_rows import DiskRows, belongs_on_disk
from actwin.agents.networks import ActionSpec
from actwin.agents.replay import Replay
from actwin.agents.sac import SAC, SACConfig
from actwin.errors import CheckpointError, ConfigError

STEPS = 256
"""Of each car; 64 more are on disk."""


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_rows, "SPARE", 1 << 20)


def memory_in(folder: Path | None) -> Replay:
    return Replay(STEPS, 2, 3, 1, 3, 0.9, folder)


def go_on(memory: Replay, steps: int) -> None:
    """Adds steps that depend on nothing but how many there were before."""
    for t in range(int(memory.heads[0]), int(memory.heads[0]) + steps):
        random = np.random.default_rng(t)
        seen, last = torch.from_numpy(random.normal(size=(2, 2, 3)).astype(np.float32))
        ends = torch.from_numpy(random.random((2, 2)) < 0.1)
        memory.add(seen, seen[:, :1], torch.full((2,), float(t)), *ends, last)


def same(first: Replay, second: Replay) -> bool:
    draws = [memory.sample(500, torch.Generator().manual_seed(1)) for memory in (first, second)]
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(*draws, strict=True))


def save(memory: Replay, folder: Path) -> None:
    save_memory(folder / "replay.pt", memory, 7)
    memory.saved()


@pytest.mark.parametrize("steps", [50, STEPS, 1000])
def test_draws_what_a_memory_in_memory_draws(tmp_path: Path, steps: int) -> None:
    there, here = memory_in(tmp_path), memory_in(None)
    for memory in (there, here):
        go_on(memory, steps)
    assert same(there, here)
    assert there.mean_reward() == pytest.approx(here.mean_reward())
    written = np.fromfile(next(tmp_path.glob("*.rows")), np.float32)
    assert np.array_equal(written, there.rows.flatten())


@pytest.mark.parametrize("before", [30, 280, 700])
@pytest.mark.parametrize("after", [0, 1, 40, 64])
def test_a_run_that_went_on_and_was_killed_is_resumed_exactly(tmp_path: Path, before: int, after: int) -> None:
    memory, reference = memory_in(tmp_path), memory_in(None)
    go_on(memory, before)
    save(memory, tmp_path)
    go_on(memory, after)  # of which the checkpoint knows nothing
    del memory
    go_on(reference, before)
    resumed = memory_in(tmp_path)
    load_memory(tmp_path / "replay.pt", resumed, 7)
    assert same(resumed, reference)
    for each in (resumed, reference):
        go_on(each, 100)
    assert same(resumed, reference)
    assert len(list(tmp_path.glob("*.rows"))) == 1


def test_asks_to_be_saved_before_it_writes_over_what_was(tmp_path: Path) -> None:
    memory = memory_in(tmp_path)
    go_on(memory, 1000)
    assert not memory.must_be_saved  # never saved: nothing to lose
    save(memory, tmp_path)
    go_on(memory, 32)
    assert not memory.must_be_saved
    go_on(memory, 1)
    assert memory.must_be_saved
    save(memory, tmp_path)
    assert not memory.must_be_saved


def test_a_save_that_was_written_over_is_refused(tmp_path: Path) -> None:
    memory = memory_in(tmp_path)
    go_on(memory, 400)
    save(memory, tmp_path)
    go_on(memory, 65)
    with pytest.raises(CheckpointError, match="written over"):
        load_memory(tmp_path / "replay.pt", memory_in(tmp_path), 7)
    save(memory, tmp_path)
    load_memory(tmp_path / "replay.pt", memory_in(tmp_path), 7)


def test_a_save_that_did_not_get_through_changes_nothing(tmp_path: Path) -> None:
    """Killed after the memory's next file and before the checkpoint: the old pair still fits."""
    memory, reference = memory_in(tmp_path), memory_in(None)
    for each in (memory, reference):
        go_on(each, 300)
    save(memory, tmp_path)
    go_on(memory, 60)
    save_memory(tmp_path / "replay_next.pt", memory, 8)
    resumed = memory_in(tmp_path)
    load_memory(tmp_path / "replay.pt", resumed, 7)
    assert same(resumed, reference)


def test_a_new_run_in_the_folder_leaves_the_old_rows_until_it_has_saved_its_own(tmp_path: Path) -> None:
    old, new = memory_in(tmp_path), memory_in(tmp_path)
    go_on(old, 50)
    save(old, tmp_path)
    go_on(new, 80)
    load_memory(tmp_path / "replay.pt", resumed := memory_in(tmp_path), 7)
    assert same(resumed, old)
    save(new, tmp_path)
    assert len(list(tmp_path.glob("*.rows"))) == 1


def test_resumed_elsewhere_the_rows_are_copied(tmp_path: Path) -> None:
    memory, reference = memory_in(tmp_path / "a"), memory_in(None)
    for each in (memory, reference):
        go_on(each, 500)
    save(memory, tmp_path / "a")
    resumed = memory_in(tmp_path / "b")
    load_memory(tmp_path / "a" / "replay.pt", resumed, 7)
    go_on(resumed, 30)
    load_memory(tmp_path / "a" / "replay.pt", again := memory_in(tmp_path / "a"), 7)
    assert same(again, reference)
    go_on(reference, 30)
    assert same(resumed, reference)


def test_what_was_saved_decides_where_a_resumed_memory_lies(tmp_path: Path) -> None:
    for first, second in ((None, tmp_path), (tmp_path, None)):
        memory = memory_in(first)
        go_on(memory, 300)
        save(memory, tmp_path)
        resumed = memory_in(second)
        load_memory(tmp_path / "replay.pt", resumed, 7)
        assert same(resumed, memory)
        assert (resumed.folder is None) == (first is None)


def test_cars_apart_survive_a_kill_too(tmp_path: Path) -> None:
    def send(memory: Replay, car: int, count: int) -> None:
        random = np.random.default_rng(int(memory.heads[car]))
        seen, nothing = random.normal(size=(count + 1, 3)).astype(np.float32), np.zeros(count, np.bool_)
        memory.extend(car, seen[:-1], seen[:-1, :1], seen[:-1, 0], nothing, nothing, seen[:0], seen[-1])

    def drive(memory: Replay) -> None:
        for turn in range(40):
            send(memory, turn % 3 % 2, 9)
            if turn % 7 == 0:
                memory.cut(turn % 2)

    memory, reference = memory_in(tmp_path), memory_in(None)
    drive(memory)
    drive(reference)
    save(memory, tmp_path)
    for _ in range(3):
        memory.cut(0)
        send(memory, 0, 9)
    resumed = memory_in(tmp_path)
    load_memory(tmp_path / "replay.pt", resumed, 7)
    assert same(resumed, reference)
    for each in (resumed, reference):
        each.cut(0)
        send(each, 0, 20)
    assert same(resumed, reference)


def test_rows_that_are_gone_or_cut_short(tmp_path: Path) -> None:
    memory = memory_in(tmp_path)
    go_on(memory, 20)
    save(memory, tmp_path)
    rows = next(tmp_path.glob("*.rows"))
    del memory
    rows.write_bytes(rows.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="has 100 bytes"):
        load_memory(tmp_path / "replay.pt", memory_in(tmp_path), 7)
    rows.unlink()
    with pytest.raises(CheckpointError, match="is missing"):
        load_memory(tmp_path / "replay.pt", memory_in(tmp_path), 7)


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(ConfigError, match=r"no room for a memory.*agent\.replay"):
        go_on(memory_in(tmp_path), 1)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_while_room_is_taken(tmp_path: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(disk_rows, "_reserve", full)
    with pytest.raises(ConfigError, match="No space left"):
        DiskRows.new(tmp_path, (10, 2, 3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [True, False])
def test_room_is_really_taken(tmp_path: Path, monkeypatch, there: bool) -> None:
    """A sparse file would let the process die when the disk is full."""
    if not there:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    rows = DiskRows.new(tmp_path, (1000, 8, 100))
    assert rows.path.stat().st_size == 3_200_000
    if hasattr(os.stat_result, "st_blocks"):
        assert 512 * rows.path.stat().st_blocks >= 3_200_000


def test_which_memories_belong_on_disk() -> None:
    assert belongs_on_disk(True, 1)
    assert not belongs_on_disk(False, 1 << 50)
    assert belongs_on_disk("auto", 3 << 30)
    assert not belongs_on_disk("auto", 1 << 20)


def test_an_agent_keeps_its_memory_in_the_folder_of_its_run(tmp_path: Path) -> None:
    config = SACConfig(hidden=(8,), batch=16, replay=400, replay_on_disk=True)
    agent = SAC(3, ActionSpec(1), 2, 0.1, config, 0, folder=tmp_path)
    seen = np.ones((2, 3), np.float32)
    agent.act(seen)
    agent.process(np.zeros(2, np.float32), *np.zeros((2, 2), np.bool_), seen, seen)
    assert len(list(tmp_path.glob("replay_*.rows"))) == 1
    with pytest.raises(ConfigError, match="needs the folder"):
        SAC(3, ActionSpec(1), 2, 0.1, config, 0)
