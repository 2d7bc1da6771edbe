"""Recording takes every sample, and ends for a reason that it tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from actwin.driving import record as module
from actwin.driving.interruption import Interruption
from actwin.driving.record import Recording, record, record_session
from actwin.errors import SourceError
from actwin.telemetry.ac.frames import BLANK_FRAME, BLANK_GAME
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.store.listing import sessions
from actwin.telemetry.store.recorder import Recorder

INFO = GameInfo(source="memory", car="dallara_f317", track="monza", driver="Ada")
PERIOD = 0.04


def lap(number: int, samples: int = 50, first: float = 0.0) -> Iterator[Callable[[np.ndarray], None]]:
    """What changes from frame to frame in a lap."""
    for step in range(samples):

        def change(frame: np.ndarray, step: int = step) -> None:
            frame["lap_count"], frame["lap_time"], frame["speed"] = number, first + step * PERIOD, step

        yield change


class ScriptedSource:
    """A source that tells what a script says, without waiting.

    Args:
        script: Functions that change a frame; None stands for nothing new, a `GameInfo` for another session, an error
            is raised by `read`.
        info: To begin with.
    """

    name = "scripted"

    def __init__(self, script: object, info: GameInfo = INFO) -> None:
        self._script, self._found = iter(script), info
        self._frame, self._count = BLANK_FRAME.copy(), 0
        self.status, self.closed, self.connected = "live", False, 0

    def connect(self, timeout: float = 2.0) -> GameInfo:
        self.connected += 1
        self.dropped = 0
        return self._found

    def read(self, timeout: float = 0.1) -> Sample | None:
        event = next(self._script, None)
        if event is None:
            self.status = "dead"
            return None
        if isinstance(event, GameInfo):
            self._found, self.status = event, "dead"
            return None
        if isinstance(event, str):
            self.status = event
            return None
        if isinstance(event, Exception):
            raise event
        self.status, self.dropped = "live", 3
        event(self._frame)
        self._count += 1
        return Sample(self._count * PERIOD, self._frame, BLANK_GAME.copy())

    def health(self) -> Health:
        return Health(self.status, 25.0, self.dropped, 0.0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """The clock of the loop runs a tenth of a second at each look."""
    clock = iter(range(10**9))
    monkeypatch.setattr(module, "perf_counter", lambda: next(clock) * 0.1)
    monkeypatch.setattr(module, "sleep", lambda seconds: None)


def run(folder, source: ScriptedSource, **limits: object) -> tuple[Recording, Recorder]:
    with Recorder(folder, source.connect(), patient=True) as recorder:
        return record(source, recorder, INFO, **limits), recorder


def test_every_sample_is_recorded(tmp_path) -> None:
    done, recorder = run(tmp_path, ScriptedSource([*lap(0), *lap(1)]))
    session = recorder.close()
    assert done.frames == len(session) == 100
    assert session.frames["speed"].tolist() == [*range(50), *range(50)]
    assert done.seconds == pytest.approx(99 * PERIOD)
    assert done.intervals.p50 == pytest.approx(PERIOD)
    assert done.health is not None
    assert done.missed == 3
    assert "nothing came for 10 s" in done.ended


def test_time_ends_it(tmp_path) -> None:
    done, _ = run(tmp_path, ScriptedSource([*lap(0), *lap(1)]), seconds=1.0)
    assert (done.ended, done.frames) == ("time", 26)


def test_laps_end_it_when_they_are_whole(tmp_path) -> None:
    script = [*lap(3, first=40.0), *lap(4), *lap(5), *lap(6)]
    done, _ = run(tmp_path, ScriptedSource(script), laps=2)
    assert (done.ended, done.laps, done.frames) == ("laps", 2, 151)


def test_a_lap_from_a_standing_start_is_whole(tmp_path) -> None:
    done, recorder = run(tmp_path, ScriptedSource([*lap(0), *lap(1)]), laps=1)
    assert (done.ended, done.frames) == ("laps", 51)
    assert [mark.whole for mark in recorder.close().meta.laps] == [True]


def test_a_restarted_session_counts_anew(tmp_path) -> None:
    script = [*lap(5, first=20.0), *lap(0), *lap(1), *lap(2)]
    done, recorder = run(tmp_path, ScriptedSource(script))
    assert done.laps == 2
    assert [mark.number for mark in recorder.close().meta.laps] == [1, 2]


def test_somebody_ends_it(tmp_path) -> None:
    stop = Interruption()
    done, _ = run(tmp_path, ScriptedSource(lap(0)), stop=stop, on_progress=lambda now: stop.ask())
    assert done.ended == "stopped"


def test_a_pause_is_waited_for(tmp_path) -> None:
    script = [*lap(0, 10), *["paused"] * 1000, *lap(0, 10)]
    done, _ = run(tmp_path, ScriptedSource(script), patience=5.0)
    assert done.frames == 20


def test_a_game_that_comes_back_is_recorded_on(tmp_path) -> None:
    source = ScriptedSource([*lap(0, 10), *[None] * 20, *lap(0, 10), SourceError("gone"), *lap(0, 10)])
    done, _ = run(tmp_path, source, patience=30.0)
    assert done.frames == 30
    assert source.connected > 2
    assert done.missed == 3 + 3


@pytest.mark.parametrize("change", [{"car": "ks_mazda_miata"}, {"track": "spa"}, {"layout": "junior"}])
def test_another_car_or_track_is_not_for_this_recording(tmp_path, change) -> None:
    done, _ = run(tmp_path, ScriptedSource([*lap(0, 10), INFO._replace(**change), *lap(0, 10)]))
    assert "the game changed to" in done.ended
    assert next(iter(change.values())) in done.ended
    assert done.frames == 10


def test_a_source_that_notices_by_itself(tmp_path) -> None:
    source = ScriptedSource(lap(0, 10))
    source.info, before = INFO, []

    def change(now: Recording) -> None:
        before.append(now.frames)
        source.info = INFO._replace(car="ks_mazda_miata")

    done, _ = run(tmp_path, source, on_progress=change)
    assert "ks_mazda_miata" in done.ended
    assert done.frames == before[0] < 10


@pytest.mark.parametrize(("given", "asked"), [("steer", "steer_angle"), ("steer_angle", "steer")])
def test_the_known_steering_lock_completes_the_steering(tmp_path, given, asked) -> None:
    def steer(frame: np.ndarray) -> None:
        frame["steer"] = frame["steer_angle"] = math.nan
        frame[given] = 0.5

    _, recorder = run(tmp_path, ScriptedSource([steer]))
    assert np.isfinite(recorder.close().frames[asked]).all()
    with Recorder(tmp_path, INFO) as recorder:
        record(ScriptedSource([steer]), recorder, INFO._replace(car="unknown"))
    assert np.isnan(recorder.close().frames[asked]).all()


def test_a_session_from_a_source_by_name(tmp_path, monkeypatch) -> None:
    source = ScriptedSource(lap(0, 60))
    monkeypatch.setattr(module, "open_source", lambda text: source)
    done = record_session("memory", tmp_path, driver="me", notes="dry", exports=("csv", "json"), seconds=2.0)
    assert source.closed
    assert done.session is not None
    assert (done.session.meta.driver, done.session.meta.notes) == ("me", "dry")
    assert [path.suffix for path in done.exported] == [".csv", ".json"]
    assert all(path.parent == done.session.folder for path in done.exported)
    assert len(done.exported[0].read_text(encoding="utf-8").splitlines()) == done.frames + 1
    assert done.session.table(["lap_valid"]).column(0).null_count == done.frames


def test_nothing_recorded_leaves_nothing(tmp_path, monkeypatch) -> None:
    source = ScriptedSource([])
    monkeypatch.setattr(module, "open_source", lambda text: source)
    with pytest.raises(SourceError, match="no telemetry came"):
        record_session("memory", tmp_path)
    assert source.closed
    assert sessions(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_program_still_leaves_the_session(tmp_path, monkeypatch) -> None:
    source = ScriptedSource([*lap(0, 10), ValueError("a bug")])
    monkeypatch.setattr(module, "open_source", lambda text: source)
    with pytest.raises(ValueError, match="a bug"):
        record_session("memory", tmp_path)
    assert source.closed
    assert [len(session) for session in sessions(tmp_path)] == [10]
