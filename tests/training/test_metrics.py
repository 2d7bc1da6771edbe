"""Rows of a run survive kills, full disks and resumes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from actwin.training import metrics as module
from actwin.training.metrics import JOURNAL, TABLE, Metrics, metrics_table, read_metrics


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Metrics]]:
    """Writers that are closed at the end."""
    writers: list[Metrics] = []

    def make() -> Metrics:
        writers.append(Metrics(tmp_path))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close()


def row(step: int, **more: float) -> dict[str, float]:
    return {"step": step, "seconds": step / 10.0} | more


def test_rows_come_back_from_journal_and_table(opened: Callable[[], Metrics], tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    writer = opened()
    rows = [row(1, a=0.5), row(2, b=1.5), row(2, a=2.0, c=3.0), row(3)]
    writer.write(rows[0])
    assert read_metrics(tmp_path) == rows[:1]
    writer.write(rows[1])
    writer.settle()
    assert pq.read_metadata(tmp_path / TABLE).num_rows == 2
    writer.write(rows[2])
    assert read_metrics(tmp_path) == rows[:3]
    writer.settle()
    writer.write(rows[3])
    writer.close()
    assert read_metrics(tmp_path) == rows
    again = opened()
    again.settle()
    assert read_metrics(tmp_path) == rows
    assert pq.read_table(tmp_path / TABLE).num_rows == 4


def test_the_table_for_analysis(opened: Callable[[], Metrics], tmp_path: Path) -> None:
    writer = opened()
    writer.write(row(1, a=0.5, b=2.0))
    writer.settle()
    writer.write(row(2, a=1.5))
    table = metrics_table(tmp_path, ["a", "never"])
    assert table.column_names == ["step", "seconds", "a"]
    assert table["a"].to_pylist() == [0.5, 1.5]
    assert metrics_table(tmp_path)["b"].to_pylist() == [2.0, None]
    assert str(table.schema.field("step").type) == "int64"


def test_a_kill_between_table_and_journal_counts_no_row_twice(opened: Callable[[], Metrics], tmp_path: Path) -> None:
    writer = opened()
    writer.write(row(1))
    writer.write(row(2))
    journal = (tmp_path / JOURNAL).read_bytes()
    writer.settle()
    writer.close()
    (tmp_path / JOURNAL).write_bytes(journal)
    assert [each["step"] for each in read_metrics(tmp_path)] == [1, 2]
    resumed = opened()
    resumed.write(row(3))
    assert [each["step"] for each in read_metrics(tmp_path)] == [1, 2, 3]


def test_a_line_that_a_kill_cut_off_is_left_out(opened: Callable[[], Metrics], tmp_path: Path) -> None:
    writer = opened()
    writer.write(row(1))
    writer.close()
    with (tmp_path / JOURNAL).open("a", encoding="utf-8") as file:
        file.write('{"step": 2, "sec')
    again = opened()
    again.write(row(3))
    assert [each["step"] for each in read_metrics(tmp_path)] == [1, 3]


def test_journals_without_a_head_are_read(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text('{"step": 1, "seconds": 0.5, "a": 2}\n[1]\n{"a": 1}\n', encoding="utf-8")
    assert read_metrics(tmp_path) == [{"step": 1, "seconds": 0.5, "a": 2}]


def test_a_resume_forgets_what_came_after_its_checkpoint(opened: Callable[[], Metrics], tmp_path: Path) -> None:
    writer = opened()
    for step in (1, 2):
        writer.write(row(step))
    writer.settle()
    for step in (3, 4):
        writer.write(row(step))
    writer.close()
    resumed = opened()
    resumed.cut(3, 0.3)
    resumed.write(row(4, a=1.0))
    assert read_metrics(tmp_path) == [row(1), row(2), row(3), row(4, a=1.0)]


def test_a_full_disk_loses_nothing(
    opened: Callable[[], Metrics], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = opened()
    writer.write(row(1))
    writer.settle()
    before = (tmp_path / TABLE).read_bytes()

    def full(*words: object, **settings: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        writer.write(row(2))
        with pytest.raises(OSError, match="No space"):
            writer.settle()
        assert (tmp_path / TABLE).read_bytes() == before
    writer.write(row(3))
    writer.settle()
    assert [each["step"] for each in read_metrics(tmp_path)] == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == [JOURNAL, TABLE]
