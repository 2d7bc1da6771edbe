"""Runs survive the disk; damaged files are refused with the file, the field and the cure."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.analysis.rollout import Rollout
from actwin.errors import ContentError
from actwin.telemetry.channels import FRAME


def rewrite(path, **changes):
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    parts.update(changes)
    np.savez(path, **{name: part for name, part in parts.items() if part is not None})


def test_what_is_saved_comes_back(known_run, tmp_path) -> None:
    run = known_run("Ayrton Ünïcode <b>")
    back = Rollout.load(run.save(tmp_path / "deep" / "run"))
    assert np.array_equal(back.frames, run.frames)
    assert (back.period, back.track, back.car, back.driver) == (run.period, run.track, run.car, run.driver)


def test_the_ending_is_added_once(known_run, tmp_path) -> None:
    assert known_run().save(tmp_path / "a.npz").name == "a.npz"
    assert known_run().save(tmp_path / "v1.5").name == "v1.5.npz"


def test_a_truncated_file_is_one_clear_error(known_run, tmp_path) -> None:
    path = known_run().save(tmp_path / "run.npz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ContentError, match=r"run\.npz.*not a readable run.*Record the run again"):
        Rollout.load(path)


def test_a_missing_file_is_one_clear_error(tmp_path) -> None:
    with pytest.raises(ContentError, match=r"gone\.npz: there is no such file"):
        Rollout.load(tmp_path / "gone.npz")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"driver": None}, "driver: is missing"),
        ({"driver": np.zeros(0, np.uint8)}, "driver: is empty"),
        ({"period": np.float64(0.0)}, "period: is 0.0 s"),
        ({"period": np.float64(np.nan)}, "period: is nan s"),
        ({"format": np.frombuffer(b"another", np.uint8)}, "format: is 'another'"),
        ({"frames": np.zeros(3, np.float32)}, "another channel table"),
        ({"frames": np.zeros((3, 2), FRAME)}, "2 dimensions"),
        ({"track": np.array(["monza"])}, "not a readable run"),
        ({"track": np.array(["monza"], object)}, "not a readable run"),
        ({"car": np.zeros(10_000, np.uint8)}, "larger than"),
    ],
)
def test_wrong_parts_are_named(known_run, tmp_path, changes, words) -> None:
    path = known_run().save(tmp_path / "run.npz")
    rewrite(path, **changes)
    with pytest.raises(ContentError, match=words):
        Rollout.load(path)
