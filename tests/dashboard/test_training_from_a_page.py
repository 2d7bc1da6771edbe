"""Starting and ending runs from a page."""

from __future__ import annotations

import _thread
import sys
import threading
import time

import pytest

from actwin.cli import training_child
from actwin.dashboard import training_jobs
from actwin.errors import ConfigError


@pytest.fixture
def configs(tmp_path):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "short.yaml").write_text("seed: 1\n")
    return folder


def started(configs, runs, monkeypatch, script: str, name: str = "one"):
    """A run whose process is a short script instead of a training."""
    detached = training_jobs._detached
    monkeypatch.setattr(
        training_jobs, "_detached", lambda command, log: detached([sys.executable, "-c", script, *command[3:]], log)
    )
    return training_jobs.start(configs, "short.yaml", runs, name, 5.0, 3)


def wait_for(condition, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        time.sleep(0.05)
    return condition()


def test_a_run_is_a_child_with_the_settings_that_were_chosen(configs, tmp_path, monkeypatch) -> None:
    script = "import sys, time; print(sys.argv[1:], flush=True); time.sleep(60)"
    folder = started(configs, tmp_path / "runs", monkeypatch, script)
    assert training_jobs.goes_on(folder)
    assert wait_for(lambda: "train.minutes=5" in training_jobs.last_words(folder))
    said = training_jobs.last_words(folder)
    assert "seed=3" in said
    assert "short.yaml" in said
    assert training_jobs.started_here(folder)
    training_jobs._children[-1].kill()
    assert wait_for(lambda: not training_jobs.goes_on(folder))


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a\\b", ".hidden", "x" * 41, "nul\0", "<script>", "-o"])
def test_a_run_cannot_be_given_a_path_for_a_name(configs, tmp_path, name) -> None:
    with pytest.raises(ConfigError, match="letters, digits"):
        training_jobs.start(configs, "short.yaml", tmp_path / "runs", name, 5.0, 0)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("preset", ["other.yaml", "../short.yaml", "/etc/passwd", ""])
def test_only_listed_settings_can_be_run(configs, tmp_path, preset) -> None:
    with pytest.raises(ConfigError, match="no settings file"):
        training_jobs.start(configs, preset, tmp_path / "runs", "one", 5.0, 0)


def test_a_taken_name_is_refused(configs, tmp_path, monkeypatch) -> None:
    started(configs, tmp_path / "runs", monkeypatch, "pass")
    with pytest.raises(ConfigError, match="is there already"):
        training_jobs.start(configs, "short.yaml", tmp_path / "runs", "one", 5.0, 0)
    training_jobs._children[-1].wait(30.0)


def test_links_out_of_the_folder_of_settings_are_not_offered(configs, tmp_path) -> None:
    (tmp_path / "secret.yaml").write_text("seed: 1\n")
    try:
        (configs / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    except OSError:
        pytest.skip("this system makes no links")
    assert training_jobs.presets(configs) == ["short.yaml"]
    assert training_jobs.presets(tmp_path / "none") == []


def test_a_request_to_stop_interrupts_the_run_once(tmp_path, monkeypatch) -> None:
    interrupted = threading.Event()
    monkeypatch.setattr(_thread, "interrupt_main", interrupted.set)
    monkeypatch.setattr(training_child, "LOOK", 0.01)
    watcher = threading.Thread(target=training_child._watch, args=(tmp_path / training_child.STOP,), daemon=True)
    watcher.start()
    assert not interrupted.wait(0.1)
    training_jobs.ask_to_stop(tmp_path)
    assert interrupted.wait(5.0)
    watcher.join(5.0)
    assert not training_jobs.stopping(tmp_path)
