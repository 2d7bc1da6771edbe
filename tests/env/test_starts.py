"""Where episodes begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwin.env.config import StartConfig, TaskConfig
from actwin.env.starts import PIT_SPEED, START_NAMES, STARTS, Starts, random_units
from actwin.errors import ConfigError, UnknownNameError


def draw(reference: Any, n: int = 200, seed: int = 0, episode: int = 0, **settings: Any) -> Any:
    starts = Starts(StartConfig(**settings), reference)
    return starts.draw(seed, np.arange(n), np.full(n, episode, np.int64))


def test_random_numbers_are_uniform_and_unrelated() -> None:
    values = np.empty((40, 40))
    for episode in range(40):
        random_units(7, np.arange(40), np.full(40, episode), 1, values[episode])
    assert values.min() >= 0.0
    assert values.max() < 1.0
    assert values.mean() == pytest.approx(0.5, abs=0.03)
    assert values.var() == pytest.approx(1.0 / 12.0, rel=0.1)
    assert abs(np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]) < 0.08


def test_a_car_starts_where_it_starts_whatever_the_others_do(reference: Any) -> None:
    many = draw(reference, 200)
    starts = Starts(StartConfig(), reference)
    for car in (0, 17, 199):
        alone = starts.draw(0, np.array([car]), np.zeros(200, np.int64))
        assert [float(column[0]) for column in alone] == [float(column[car]) for column in many]


def test_seeds_and_episodes_give_other_places(reference: Any) -> None:
    places = [draw(reference, seed=seed, episode=episode).distance for seed, episode in ((0, 0), (1, 0), (0, 1))]
    assert not np.allclose(places[0], places[1])
    assert not np.allclose(places[0], places[2])
    np.testing.assert_array_equal(places[0], draw(reference).distance)


def test_starts_anywhere_are_on_the_road_at_racing_speed(reference: Any) -> None:
    start = draw(reference, 2000, mixture={"anywhere": 1.0}, lateral=1.0, slowest=0.5, fastest=0.9)
    track = reference.track
    assert (start.lateral < track.width_left(start.distance)).all()
    assert (start.lateral > -track.width_right(start.distance)).all()
    assert start.lateral.std() > 1.0
    assert np.histogram(start.distance, 10, (0.0, track.length))[0].min() > 120
    share = start.speed / 40.0
    assert 0.5 <= share.min() < 0.52
    assert 0.88 < share.max() <= 0.9


def test_places_of_the_fixed_kinds(reference: Any) -> None:
    track = reference.track
    grid = draw(reference, 2, mixture={"grid": 1.0})
    assert (grid.distance[0], grid.lateral[0], grid.speed[0]) == (*(v[0] for v in track.grid_positions(1)), 0.0)
    pit = draw(reference, 2, mixture={"pit_out": 1.0})
    assert (pit.distance[0], pit.lateral[0], pit.speed[0]) == (*track.pit_out, PIT_SPEED)
    flying = draw(reference, 2, mixture={"flying": 1.0}, flying_distance=200.0, fastest=0.9)
    assert flying.distance[0] == pytest.approx(track.length - 200.0)
    assert flying.speed[0] == pytest.approx(36.0, rel=1e-3)
    assert flying.lateral[0] == pytest.approx(float(reference.at("line_offset", track.length - 200.0)), abs=1e-3)


def test_mixture_shares(reference: Any) -> None:
    kind = draw(reference, 4000, mixture={"anywhere": 2.0, "grid": 1.0, "flying": 1.0}).kind
    shares = np.bincount(kind, minlength=len(STARTS)) / 4000
    np.testing.assert_allclose(shares, [0.5, 0.25, 0.0, 0.25, 0.0], atol=0.03)


@pytest.mark.parametrize("kind", STARTS)
def test_one_kind_can_be_asked_for(kind: str, reference: Any) -> None:
    starts = Starts(StartConfig(), reference)
    drawn = starts.draw(0, np.arange(5), np.zeros(5, np.int64), kind)
    assert (drawn.kind == START_NAMES.index(kind)).all()


def test_unknown_kinds_are_refused(reference: Any) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean grid"):
        Starts(StartConfig(mixture={"gird": 1.0}), reference)
    with pytest.raises(UnknownNameError, match="Did you mean grid"):
        Starts(StartConfig(), reference).draw(0, np.arange(1), np.zeros(1, np.int64), "gird")
    with pytest.raises(ConfigError, match="mixture"):
        TaskConfig.of({"start": {"mixture": {}}})
