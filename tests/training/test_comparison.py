"""What is said of few values, worked out by hand; lines of drivers and of seeds."""

import math

import pytest

from actwin.analysis.laps import Lap
from actwin.env.task import Task, TaskConfig
from actwin.training.comparison import PROFILE, compare
from actwin.training.drives import Drive
from actwin.training.intervals import mean_interval, share_interval
from actwin.training.race import EXPERT, Entrant, Entry, Race

OVAL = TaskConfig.of(track="oval")


def drive(start: str, *laps: float, valid: bool = True, reward: float = 0.0, border: float = 0.5) -> Drive:
    """An episode by its laps."""
    made = [Lap("x", i, 0, 1, 0.0, time, (0.4 * time, 0.6 * time), valid, 50.0, 0) for i, time in enumerate(laps)]
    return Drive(
        "x", start, 0.0, len(laps), "finished" if laps else "stopped", None, None, made,
        95.0 if start == "grid" else math.nan, 0, 0, 0.0, 50.0, 0.1, 0.2, reward, border + 1.0, border,
    )  # fmt: skip


def entry(name: str, *drives: Drive, seed: int | None = 0, configuration: str = "same", steps: int = 9) -> Entry:
    """A driver with its episodes."""
    return Entry(Entrant(name, name, "sac", OVAL, configuration, seed, steps), list(drives))


@pytest.fixture(scope="module")
def task() -> Task:
    return Task(OVAL)


def race(task: Task, *entries: Entry) -> Race:
    return Race("oval", task, list(entries))


def test_a_mean_by_hand() -> None:
    """Three values: mean 2, deviation 1, t = 4.30265 at two degrees of freedom; what is not known does not count."""
    value = mean_interval([1.0, 2.0, 3.0, math.inf, math.nan])
    assert (value.mean, value.values) == (2.0, 3)
    assert value.half == pytest.approx(4.30265 / math.sqrt(3.0), rel=1e-5)
    assert (value.low + value.high) / 2 == pytest.approx(2.0)


def test_two_values_by_hand() -> None:
    """80 and 82: deviation sqrt(2), error 1, t = 12.7062 at one degree of freedom."""
    assert mean_interval([80.0, 82.0]).half == pytest.approx(12.7062, rel=1e-5)


def test_one_value_has_no_spread() -> None:
    value = mean_interval([5.0])
    assert (value.mean, value.values) == (5.0, 1)
    assert math.isnan(value.low)
    assert math.isnan(value.half)
    assert math.isnan(mean_interval([]).mean)


def test_shares_by_hand() -> None:
    """Wilson: with z² = 3.8415, n of n has the lower bound n / (n + z²)."""
    assert share_interval(32, 32).low == pytest.approx(32 / 35.8415, rel=1e-4)
    assert share_interval(32, 32).high == 1.0
    assert share_interval(0, 3) == pytest.approx((0.0, 0.0, 3.8415 / 6.8415, 3), rel=1e-4)
    # 5 of 10: (p + z²/2n) / (1 + z²/n) = 1/2, z/(1 + z²/n) sqrt(p(1-p)/n + z²/4n²) = 0.26341.
    half = share_interval(5, 10)
    assert (half.mean, half.low, half.high) == pytest.approx((0.5, 0.5 - 0.26341, 0.5 + 0.26341), rel=1e-4)
    assert share_interval(1, 1).low == pytest.approx(1 / 4.8415, rel=1e-4)
    assert math.isnan(share_interval(0, 0).mean)


def test_means_are_over_random_starts(task: Task) -> None:
    drives = drive("grid", 99.0), drive("random", 80.0, 82.0), drive("random", 83.0)
    line, profile = compare(race(task, entry("a", *drives)))
    assert (line.name, line.of, line.episodes, line.clean, line.seeds) == ("a", "run", 3, 3, 1)
    # Means of the episodes: 81 and 83.
    assert line.lap.mean == 82.0
    assert line.lap.half == pytest.approx(12.7062, rel=1e-5)
    assert line.clean_share.values == 2
    assert (line.best, line.opening) == (80.0, 95.0)
    assert line.sectors == pytest.approx((32.0, 48.0))
    assert line.gap == pytest.approx(80.0 / task.reference.lap_time - 1.0)
    assert (profile.name, profile.best, profile.gap) == (PROFILE, task.reference.lap_time, 0.0)


def test_fixed_starts_have_no_interval(task: Task) -> None:
    line, _ = compare(race(task, entry("a", drive("grid", 90.0), drive("flying", 80.0))))
    assert line.lap.mean == 85.0
    assert math.isnan(line.lap.half)


def test_seeds_of_one_configuration_are_one_line_over_their_runs(task: Task) -> None:
    """The runs' means are 80, 81 and 82, however their episodes scatter: error 1/sqrt(3)."""
    runs = [
        entry(f"monza_seed_{seed}", drive("random", mean - 3.0), drive("random", mean + 3.0), seed=seed)
        for seed, mean in enumerate((80.0, 81.0, 82.0))
    ]
    other = entry("td3", drive("random", 90.0), configuration="other")
    lines = compare(race(task, *runs, other))
    assert [line.name for line in lines] == [
        "monza_seed_0", "monza_seed_1", "monza_seed_2", "monza × 3 seeds", "td3", PROFILE,
    ]  # fmt: skip
    seeds = lines[3]
    assert (seeds.of, seeds.seeds, seeds.episodes, seeds.clean, seeds.best) == ("seeds", 3, 6, 6, 77.0)
    assert (seeds.lap.mean, seeds.lap.values) == (81.0, 3)
    assert seeds.lap.half == pytest.approx(4.30265 / math.sqrt(3.0), rel=1e-5)
    assert seeds.clean_share.values == 3
    assert seeds.clean_share.low == pytest.approx(3 / 6.8415, rel=1e-4)


def test_two_checkpoints_of_one_run_are_no_two_seeds(task: Task) -> None:
    lines = compare(race(task, entry("a/best.pt", drive("random", 80.0)), entry("a/last.pt", drive("random", 81.0))))
    assert [line.name for line in lines] == ["a/best.pt", "a/last.pt", PROFILE]


def test_a_driver_without_laps_and_the_expert_have_lines(task: Task) -> None:
    expert = Entry(Entrant(EXPERT, None, EXPERT, OVAL, "", None, None), [drive("random", 85.0, valid=False)])
    lost, theirs, _ = compare(race(task, entry("a", drive("random")), expert))
    assert (lost.clean, lost.lap.values) == (0, 0)
    assert math.isnan(lost.best)
    assert math.isnan(lost.gap)
    assert (theirs.of, theirs.seeds, theirs.clean) == ("expert", 0, 0)
    assert math.isnan(theirs.best)
