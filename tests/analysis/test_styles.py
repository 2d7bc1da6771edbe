"""Styles are found where there are some, and not where there are none; drivers are told apart as well as claimed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from actwin.analysis.recognise import confidence, judge_recognition, learn_drivers
from actwin.analysis.style import group_styles, silhouette, style_features, style_profile
from actwin.errors import ConfigError

pd = pytest.importorskip("pandas")

HABITS = [f"habit_{i}" for i in range(6)]


def laps_of(centres: np.ndarray, each: int, spread: float = 1.0, seed: int = 0):
    """Laps around the habits of some drivers, whose habits go together."""
    random = np.random.default_rng(seed)
    mix = np.eye(6) + 0.6
    points = np.repeat(centres, each, axis=0) + spread * random.standard_normal((len(centres) * each, 6)) @ mix
    return pd.DataFrame(points, columns=HABITS), [f"driver {i}" for i in range(len(centres)) for _ in range(each)]


CENTRES = 9.0 * np.array([[1.0, 0, 0, -1, 0, 0], [0, 1, 0, 0, -1, 0], [0, 0, 1, 0, 0, -1]])


def test_three_drivers_are_three_groups() -> None:
    features, drivers = laps_of(CENTRES, 12)
    styles = group_styles(features, clouds=60)
    assert styles.count == 3
    assert styles.separated
    assert styles.silhouette > styles.by_chance_95 > styles.by_chance
    assert len({(driver, int(group)) for driver, group in zip(drivers, styles.groups, strict=True)}) == 3
    assert styles.sentence.startswith("3 groups of laps, silhouette 0.")
    profile = style_profile(features, styles)
    assert profile.shape == (3, 6)


def test_one_driver_is_no_group_as_often_as_promised() -> None:
    believed = [
        group_styles(laps_of(np.zeros((1, 6)), 30, seed=seed)[0], clouds=40, seed=seed).separated for seed in range(12)
    ]
    assert sum(believed) <= 2, "1 in 20 by chance"


def test_a_lap_gone_wrong_does_not_hide_the_drivers() -> None:
    features, _ = laps_of(CENTRES[:2], 15, spread=0.3)
    features.iloc[3, 2] = 1e4
    styles = group_styles(features, count=2, clouds=20)
    assert styles.silhouette > styles.by_chance_95
    assert sorted(np.bincount(styles.groups)) == [15, 15]


def test_the_silhouette_is_that_of_its_definition() -> None:
    points = np.array([[0.0], [1.0], [10.0], [11.0], [13.0]])
    labels = np.array([0, 0, 1, 1, 1])
    apart = squareform(pdist(points))
    expected = []
    for i in range(5):
        own = [apart[i, j] for j in range(5) if labels[j] == labels[i] and j != i]
        other = [apart[i, j] for j in range(5) if labels[j] != labels[i]]
        a, b = np.mean(own), np.mean(other)
        expected.append((b - a) / max(a, b))
    assert silhouette(apart, labels) == pytest.approx(float(np.mean(expected)))
    assert silhouette(apart, np.zeros(5, int)) == 0.0


def test_grouping_refuses_what_cannot_be_grouped() -> None:
    features, _ = laps_of(CENTRES, 2)
    with pytest.raises(ConfigError, match="5 laps with 6 habits"):
        group_styles(features.head(5))
    with pytest.raises(ConfigError, match="into 6 groups"):
        group_styles(features, count=6)


def test_features_leave_out_what_is_missing_or_does_not_differ() -> None:
    table = pd.DataFrame(
        {
            "driver": list("AAAABBBBBBBB"), "lap_time": 80.0 + np.arange(12.0), "full_throttle": np.arange(12.0) / 20.0,
            "overlap": 0.0, "upshift_miss": np.nan, "braking": [np.nan, *np.linspace(0.1, 0.2, 11)],
        }
    )  # fmt: skip
    features = style_features(table)
    assert list(features) == ["full_throttle", "braking"]
    assert features["braking"][0] == pytest.approx(0.15), "one gap is filled with the mean"
    corners = pd.DataFrame({"corner": [1]})
    with pytest.raises(ConfigError, match="1 rows of corners do not fit 12 laps"):
        style_features(table, corners)


def test_drivers_who_differ_are_recognised_well_above_the_baseline() -> None:
    features, drivers = laps_of(CENTRES / 3.0, 20)
    found = judge_recognition(features, drivers)
    assert found.laps == 60
    assert found.baseline == pytest.approx(1.0 / 3.0)
    assert found.low <= found.accuracy <= found.high
    assert found.low > found.baseline
    assert found.confusion.to_numpy().sum() == 60
    assert np.trace(found.confusion.to_numpy()) == found.correct
    assert found.sentence.endswith("split by lap")


def test_drivers_who_do_not_differ_are_not_recognised() -> None:
    inside = 0
    for seed in range(10):
        features, drivers = laps_of(np.zeros((2, 6)), 20, seed=seed)
        found = judge_recognition(features, drivers, seed=seed)
        inside += found.low <= 0.5 <= found.high
    assert inside >= 8


def test_a_stint_is_not_taken_for_its_driver() -> None:
    """Each driver has two stints that are far apart by the weather alone: by lap that is easy, by stint impossible."""
    random = np.random.default_rng(0)
    stints = np.repeat(np.arange(4), 10)
    points = 20.0 * random.standard_normal((4, 6))[stints] + random.standard_normal((40, 6))
    features, drivers = pd.DataFrame(points, columns=HABITS), np.array(["A", "B", "A", "B"])[stints]
    by_lap = judge_recognition(features, drivers)
    by_stint = judge_recognition(features, drivers, [int(stint) for stint in stints])
    assert by_lap.accuracy > 0.95
    assert by_stint.accuracy < 0.8
    assert by_stint.held_out == "groups"


def test_a_model_names_new_laps() -> None:
    features, drivers = laps_of(CENTRES / 2.0, 20)
    model = learn_drivers(features, drivers)
    later, truth = laps_of(CENTRES / 2.0, 5, seed=9)
    assert np.mean(np.array(model.recognise(later)) == truth) > 0.9
    likely = model.probabilities(later)
    assert likely.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert list(likely) == ["driver 0", "driver 1", "driver 2"]
    with pytest.raises(ConfigError, match="lack habit_0"):
        model.recognise(later.drop(columns="habit_0"))


@pytest.mark.parametrize(
    ("drivers", "message"),
    [
        (["A"] * 6, "laps given: A 6"),
        (["A"] * 5 + ["B"], "laps given: A 5, B 1"),
        (["A", "B"], "2 drivers do not fit 6"),
    ],
)
def test_recognition_says_what_it_needs(drivers: list[str], message: str) -> None:
    features = laps_of(CENTRES, 2)[0]
    with pytest.raises(ConfigError, match=message):
        judge_recognition(features, drivers)


def test_groups_must_leave_something_to_learn_from() -> None:
    features, drivers = laps_of(CENTRES, 4)
    with pytest.raises(ConfigError, match="All laps of driver 0 are in one group"):
        judge_recognition(features, drivers, drivers)
    with pytest.raises(ConfigError, match="2 groups do not fit 12 laps"):
        judge_recognition(features, drivers, [1, 2])


def test_the_confidence_interval_is_wilsons() -> None:
    assert confidence(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert confidence(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert confidence(0, 10)[0] == 0.0
