"""Who drove: recognises drivers by the habits of a lap, and says how well that works."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from actwin.analysis.driven_laps import pandas
from actwin.analysis.pattern_channels import Floats
from actwin.errors import ConfigError

if TYPE_CHECKING:
    from pandas import DataFrame

SHRINKAGE: Final = 0.2
"""[-] Weight of the identity in the covariance: laps are few and habits go together."""
FOLDS: Final = 5
"""Parts of a cross-validation, fewer when a driver has fewer laps."""
_Z95: Final = 1.959964


@dataclass(frozen=True, eq=False)
class DriverModel:
    """Linear discriminants of several drivers (Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning",
    2nd ed., sec. 4.3), with a covariance that is drawn towards the identity.

    Attributes:
        drivers: Names, D.
        features: Habits, F.
        mean, scale: [F] To standardise them by.
        weights: [F, D]
        bias: [D]
    """

    drivers: tuple[str, ...]
    features: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    bias: Floats

    def probabilities(self, features: DataFrame) -> DataFrame:
        """[-] How likely each driver drove each lap, one row for each; of these drivers one it must be.

        Raises:
            ConfigError: A habit is missing that the model was made of.
        """
        missing = [name for name in self.features if name not in features]
        if missing:
            raise ConfigError(f"The laps lack {', '.join(missing)}. Make the features of all laps in one table.")
        score = self._scores(features[list(self.features)].to_numpy(np.float64))
        share = np.exp(score - score.max(axis=1, keepdims=True))
        return pandas().DataFrame(share / share.sum(axis=1, keepdims=True), columns=list(self.drivers))

    def recognise(self, features: DataFrame) -> list[str]:
        """The likeliest driver of each lap."""
        return [self.drivers[i] for i in self.probabilities(features).to_numpy().argmax(axis=1)]

    def _scores(self, values: Floats) -> Floats:
        return np.asarray((values - self.mean) / self.scale @ self.weights + self.bias)


@dataclass(frozen=True, eq=False)
class Recognition:
    """How often the driver of a lap was recognised that the model had not seen.

    Attributes:
        laps: Judged.
        correct: Of them.
        accuracy: [-]
        low, high: [-] 95 % confidence interval of the accuracy (Wilson).
        baseline: [-] Share that would be right by always naming the driver with the most laps.
        confusion: Laps by true driver (rows) and recognised one (columns).
        held_out: What was kept back at a time: "laps" or "groups".
    """

    laps: int
    correct: int
    accuracy: float
    low: float
    high: float
    baseline: float
    confusion: DataFrame
    held_out: str

    @property
    def sentence(self) -> str:
        """For people."""
        return (
            f"{self.correct} of {self.laps} laps recognised, {100.0 * self.accuracy:.0f} % "
            f"(95 % confidence {100.0 * self.low:.0f} to {100.0 * self.high:.0f} %), "
            f"always naming the commonest driver {100.0 * self.baseline:.0f} %; split by {self.held_out[:-1]}"
        )


def learn_drivers(features: DataFrame, drivers: Sequence[str]) -> DriverModel:
    """A model of drivers from laps whose drivers are known.

    Args:
        features: As from `style.style_features`, [N] rows.
        drivers: Who drove each.

    Raises:
        ConfigError: Fewer than two drivers, or a driver with a single lap.
    """
    names, labels = _labels(features, drivers)
    return _fit(features.to_numpy(np.float64), labels, names, tuple(map(str, features.columns)))


def _labels(features: DataFrame, drivers: Sequence[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    names, labels, counts = np.unique(np.asarray(drivers, dtype=str), return_inverse=True, return_counts=True)
    if len(labels) != len(features):
        raise ConfigError(f"{len(labels)} drivers do not fit {len(features)} laps. Name one for each lap.")
    if len(names) < 2 or counts.min() < 2:
        told = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True)) or "none"
        raise ConfigError(f"Drivers are told apart by two laps or more of two or more drivers; laps given: {told}.")
    if features.shape[1] == 0:
        raise ConfigError("The laps do not differ in any habit. Record pedals and steering.")
    return tuple(map(str, names)), labels.astype(np.int64)


def _fit(
    values: Floats, labels: npt.NDArray[np.int64], names: tuple[str, ...], columns: tuple[str, ...]
) -> DriverModel:
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    points = (values - mean) / scale
    members = np.eye(len(names))[labels]
    sizes = members.sum(axis=0)
    centres = members.T @ points / np.maximum(sizes, 1.0)[:, None]
    rest = points - centres[labels]
    within = rest.T @ rest / max(len(points) - len(names), 1)
    size = max(float(np.trace(within)) / len(within), 1e-6)
    within = (1.0 - SHRINKAGE) * within + SHRINKAGE * size * np.eye(len(within))
    weights = np.linalg.solve(within, centres.T)
    prior = np.where(sizes > 0.0, np.log(np.maximum(sizes, 1.0) / len(points)), -np.inf)
    bias = prior - 0.5 * (centres.T * weights).sum(axis=0)
    return DriverModel(names, columns, mean, scale, weights, bias)


def judge_recognition(
    features: DataFrame,
    drivers: Sequence[str],
    groups: Sequence[Hashable] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> Recognition:
    """Cross-validated accuracy: every lap is judged by a model that was made without it.

    Laps of one stint resemble each other by more than their driver (fuel, tyres, weather); where stints or sessions are
    known, pass them as groups, and whole groups are kept back. Standardisation is made within each part.

    Args:
        features: As from `style.style_features`.
        drivers: Who drove each lap.
        groups: Stint or session of each lap; None splits by lap, evenly for each driver.
        folds: Parts; no more than the laps of the driver with the fewest.
        seed: Of the split.

    Raises:
        ConfigError: As for `learn_drivers`; or a driver whose laps are all in one group.
    """
    names, labels = _labels(features, drivers)
    part = _parts(labels, folds, seed) if groups is None else _group_parts(labels, names, groups)
    values, columns = features.to_numpy(np.float64), tuple(map(str, features.columns))
    told = np.empty(len(labels), np.int64)
    commonest = np.empty(len(labels), np.int64)
    for k in np.unique(part):
        kept, judged = part != k, part == k
        model = _fit(values[kept], labels[kept], names, columns)
        told[judged] = model._scores(values[judged]).argmax(axis=1)
        commonest[judged] = np.bincount(labels[kept], minlength=len(names)).argmax()
    correct = int(np.count_nonzero(told == labels))
    low, high = confidence(correct, len(labels))
    table = np.zeros((len(names), len(names)), int)
    np.add.at(table, (labels, told), 1)
    return Recognition(
        laps=len(labels),
        correct=correct,
        accuracy=correct / len(labels),
        low=low,
        high=high,
        baseline=max(float((commonest == labels).mean()), float(np.bincount(labels).max()) / len(labels)),
        confusion=pandas().DataFrame(table, index=list(names), columns=list(names)),
        held_out="laps" if groups is None else "groups",
    )


def _parts(labels: npt.NDArray[np.int64], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Part of each lap, every driver's laps shared out evenly."""
    count = max(2, min(folds, int(np.bincount(labels).min())))
    part = np.empty(len(labels), np.int64)
    random = np.random.default_rng(seed)
    for driver in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == driver))
        part[mine] = np.arange(len(mine)) % count
    return part


def _group_parts(
    labels: npt.NDArray[np.int64], names: tuple[str, ...], groups: Sequence[Hashable]
) -> npt.NDArray[np.int64]:
    numbers = {group: k for k, group in enumerate(dict.fromkeys(groups))}
    part = np.array([numbers[group] for group in groups], np.int64)
    if len(part) != len(labels):
        raise ConfigError(f"{len(part)} groups do not fit {len(labels)} laps. Name one for each lap.")
    for driver in np.unique(labels):
        if len(np.unique(part[labels == driver])) < 2:
            raise ConfigError(
                f"All laps of {names[driver]} are in one group, so none is left to learn from. Split by lap instead."
            )
    return part


def confidence(correct: int, count: int) -> tuple[float, float]:
    """[-] 95 % confidence interval of a share (Wilson 1927).

    Args:
        correct: Successes.
        count: Trials, at least one.
    """
    share, z2 = correct / count, _Z95**2
    middle = (share + z2 / (2.0 * count)) / (1.0 + z2 / count)
    half = _Z95 / (1.0 + z2 / count) * math.sqrt(share * (1.0 - share) / count + z2 / (4.0 * count**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)
