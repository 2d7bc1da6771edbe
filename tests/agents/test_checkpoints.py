from pathlib import Path

import pytest
import torch

from actwin.agents.checkpoints import load_checkpoint, require_same_task, save_checkpoint
from actwin.errors import CheckpointError


def checkpoint() -> dict:
    return {
        "format": 1, "kind": "ppo", "config": {"seed": 1}, "spec": {"observations": 3},
        "task": {"fingerprint": "a", "config": {"track": "monza", "reward": {"progress": 1.0}}},
        "agent": {"weight": torch.arange(6.0)}, "counters": {"env_steps": 10}, "versions": {}, "numerics": {},
    }  # fmt: skip


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "run" / "last.pt", checkpoint())
    loaded = load_checkpoint(tmp_path / "run" / "last.pt")
    assert torch.equal(loaded.pop("agent")["weight"], torch.arange(6.0))
    assert loaded == {key: value for key, value in checkpoint().items() if key != "agent"}
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["last.pt"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, checkpoint())
    before = path.read_bytes()

    def full_disk(content: object, file: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(CheckpointError, match="free disk space"):
        save_checkpoint(path, checkpoint())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "none.pt")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.98])
def test_a_truncated_file(tmp_path: Path, share: float) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, checkpoint())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"truncated or damaged.*another checkpoint"):
        load_checkpoint(path)


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.pt"
    path.write_text("not a checkpoint, but long enough to look at\n" * 20, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"notes\.pt"):
        load_checkpoint(path)


def test_code_is_not_run(tmp_path: Path) -> None:
    torch.save({"format": 1, "agent": Path("x")}, tmp_path / "foreign.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of actwin"):
        load_checkpoint(tmp_path / "foreign.pt")


def test_weights_of_something_else(tmp_path: Path) -> None:
    torch.save({"layer": torch.zeros(2)}, tmp_path / "foreign.pt")
    with pytest.raises(CheckpointError, match="without format, kind"):
        load_checkpoint(tmp_path / "foreign.pt")


def test_another_format(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "new.pt", checkpoint() | {"format": 99})
    with pytest.raises(CheckpointError, match="has format 99, this version 1"):
        load_checkpoint(tmp_path / "new.pt")


def test_another_task_is_refused_with_the_difference() -> None:
    theirs = checkpoint()["task"]
    require_same_task(Path("last.pt"), theirs, theirs)
    ours = {"fingerprint": "b", "config": {"track": "spa", "reward": {"progress": 1.0, "bonus": 2.0}}}
    with pytest.raises(CheckpointError) as error:
        require_same_task(Path("last.pt"), ours, theirs)
    assert "reward.bonus was None, here 2.0; track was 'monza', here 'spa'" in str(error.value)
