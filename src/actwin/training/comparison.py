"""Races in numbers: one line for each driver, and one for each configuration that ran with several seeds."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from actwin.training.drives import Drive
from actwin.training.evaluation import RANDOM
from actwin.training.intervals import Interval, mean_interval, share_interval
from actwin.training.race import Entry, Race

PROFILE: Final = "speed profile"
UNKNOWN: Final = Interval(math.nan, math.nan, math.nan, 0)


class Line(NamedTuple):
    """A line of the comparison. Its means are over random starts where there are some, else over all.

    Fixed starts end the same every time, so that they say nothing about a spread. The means of a line for several seeds
    are over the means of its runs: episodes of one training are no independent evidence about the next one.
    """

    name: str
    of: str
    """"run", "seeds", "expert" or "prediction"."""
    seeds: int
    """Trainings it is from, 0 for what was not trained."""
    episodes: int
    clean: int
    """Episodes without anything to complain about."""
    clean_share: Interval
    """By Wilson's interval: of the episodes counted in the means; for several seeds, of the seeds that were all
    clean."""
    best: float
    """[s] Fastest valid lap, NaN when there is none."""
    sectors: tuple[float, ...]
    """[s] Of that lap."""
    lap: Interval
    """[s] Mean of an episode's valid laps; for several seeds, mean of the runs' means."""
    opening: float
    """[s] Lap from the standing start, NaN without one."""
    gap: float
    """[-] Fastest lap's share beyond the speed profile's."""
    excursions: int
    contacts: int
    collision: float
    """[J]"""
    mean_speed: Interval
    """[m/s]"""
    reward: Interval
    steering: Interval
    """[1/s]"""
    pedals: Interval
    """[1/s]"""
    centre_border: float
    """[m] The least of all episodes."""
    outline_border: float
    """[m] The least of all episodes."""


def compare(race: Race) -> list[Line]:
    """The drivers of a race as they appear, each several seeds after their last run, then the speed profile.

    Args:
        race: From `hold_races`.
    """
    lines = []
    groups = _groups(race.entries)
    for entry in race.entries:
        lines.append(_line_of(entry, race.predicted))
        group = groups.get(entry.entrant.configuration, [])
        if len(group) > 1 and entry is group[-1]:
            lines.append(_line_of_seeds(group, race.predicted))
    return [*lines, _prediction(PROFILE, race.predicted, race.predicted)]


def counted(drives: Sequence[Drive]) -> list[Drive]:
    """The episodes whose means are shown: random starts where there are some, else all."""
    return [drive for drive in drives if drive.start == RANDOM] or list(drives)


def _groups(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Runs by their configuration; a seed that is there twice, by two checkpoints of a run, makes no group."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.entrant.configuration:
            groups.setdefault(entry.entrant.configuration, []).append(entry)
    return {name: group for name, group in groups.items() if len({each.entrant.seed for each in group}) == len(group)}


def _line_of(entry: Entry, predicted: float) -> Line:
    drives = entry.drives
    sample = counted(drives)
    # Fixed starts are no sample of anything: their means have no interval.
    of = mean_interval if any(drive.start == RANDOM for drive in drives) else _mean_only
    means: dict[str, Any] = {name: of([value(drive) for drive in sample]) for name, value in MEANS.items()}
    trained = entry.entrant.checkpoint is not None
    return _line(entry.entrant.name, "run" if trained else "expert", int(trained), drives, predicted)._replace(
        clean_share=share_interval(sum(drive.clean for drive in sample), len(sample)), **means
    )


def _line_of_seeds(group: Sequence[Entry], predicted: float) -> Line:
    names = [entry.entrant.name for entry in group]
    runs = [counted(entry.drives) for entry in group]
    # Character by character: "monza_seed_0" and "monza_seed_1" are both "monza".
    common = os.path.commonprefix(names).rstrip("_-/. ").removesuffix("seed").rstrip("_-/. ")  # noqa: RUF071
    means: dict[str, Any] = {
        name: mean_interval([_mean([value(drive) for drive in run]) for run in runs]) for name, value in MEANS.items()
    }
    drives = [drive for entry in group for drive in entry.drives]
    name = f"{common or group[0].entrant.kind} × {len(group)} seeds"
    return _line(name, "seeds", len(group), drives, predicted)._replace(
        clean_share=share_interval(sum(all(drive.clean for drive in run) for run in runs), len(runs)), **means
    )


MEANS: Final[dict[str, Callable[[Drive], float]]] = {
    "lap": lambda drive: drive.mean,
    "mean_speed": lambda drive: drive.mean_speed,
    "reward": lambda drive: drive.reward,
    "steering": lambda drive: drive.steering,
    "pedals": lambda drive: drive.pedals,
}
"""What a line has the means of, from an episode."""


def _line(name: str, of: str, seeds: int, drives: Sequence[Drive], predicted: float) -> Line:
    """A line with everything but what is estimated."""
    laps = [lap for drive in drives for lap in drive.laps if lap.valid]
    best = min(laps, key=lambda lap: lap.time, default=None)
    fastest = best.time if best else math.nan
    openings = [drive.opening for drive in drives if math.isfinite(drive.opening)]
    return _prediction(name, fastest, predicted)._replace(
        of=of,
        seeds=seeds,
        episodes=len(drives),
        clean=sum(drive.clean for drive in drives),
        sectors=best.sectors if best else (),
        opening=min(openings, default=math.nan),
        excursions=sum(drive.excursions for drive in drives),
        contacts=sum(drive.contacts for drive in drives),
        collision=sum(drive.collision for drive in drives),
        centre_border=min(drive.centre_border for drive in drives),
        outline_border=min(drive.outline_border for drive in drives),
    )


def _prediction(name: str, lap: float, predicted: float) -> Line:
    """A lap that nobody drove."""
    return Line(
        name=name, of="prediction", seeds=0, episodes=0, clean=0, clean_share=UNKNOWN, best=lap, sectors=(),
        lap=UNKNOWN, opening=math.nan, gap=lap / predicted - 1.0, excursions=0, contacts=0, collision=0.0,
        mean_speed=UNKNOWN, reward=UNKNOWN, steering=UNKNOWN, pedals=UNKNOWN,
        centre_border=math.nan, outline_border=math.nan,
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan


def _mean_only(values: Sequence[float]) -> Interval:
    count = sum(math.isfinite(value) for value in values)
    return Interval(_mean(values), math.nan, math.nan, count)
