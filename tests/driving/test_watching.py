from __future__ import annotations

import json

import pytest

import actwin.driving.watching as watching
from actwin.driving.interruption import Interruption
from actwin.driving.watching import as_object, watch
from actwin.errors import SourceError
from fake_source import FakeSource


def test_one_reading_is_there_at_once() -> None:
    (reading,) = watch(FakeSource(), seconds=0.0)
    assert reading.sample is not None
    assert reading.sample.frame["speed"][0] == 50.0
    assert reading.info.car == "ks_mazda_miata"


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(SourceError, match="Start the game"):
        next(watch(FakeSource(answers=False)))


def test_it_ends_when_asked() -> None:
    stop, count = Interruption(), 0
    for _ in watch(FakeSource(), period=1e-4, stop=stop):
        count += 1
        if count == 3:
            stop.ask()
    assert count == 3


def test_a_vanished_game_is_looked_for(monkeypatch) -> None:
    monkeypatch.setattr(watching, "BACK_OFF", (0.0, 0.0))
    source, stop = FakeSource(samples=2), Interruption()
    readings = []
    for reading in watch(source, period=0.0, stop=stop):
        readings.append(reading)
        source.answers = False
        if source.connects >= 3:
            stop.ask()
    assert readings[-1].health.status == "dead"
    assert readings[-1].sample is not None


def test_what_is_not_told_is_null_in_json() -> None:
    (reading,) = watch(FakeSource(), seconds=0.0)
    found = json.loads(json.dumps(as_object(reading), allow_nan=False))
    assert found["vel"] == 50.0
    assert found["fuel"] is None
    assert found["info"]["track_length"] is None
    assert found["surface_grip"] == pytest.approx(0.97)
    assert found["load_fl"] == 0.0
