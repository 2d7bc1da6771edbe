"""Styles of driving: laps as points in the space of their habits, and groups among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from actwin.analysis.driven_laps import pandas
from actwin.analysis.pattern_channels import Floats
from actwin.analysis.patterns import PATTERNS
from actwin.errors import ConfigError

if TYPE_CHECKING:
    from pandas import DataFrame

Labels = npt.NDArray[np.int64]

CORNER_HABITS: Final = ("brake_before_apex", "peak_brake", "trail_distance", "apex_gap")
"""Columns of the corner table whose mean over the corners tells of a style."""
MOST_GROUPS: Final = 6
"""Groups that are tried when their number is not given."""
FEWEST: Final = 6
"""Laps below which grouping says nothing."""
_FAR: Final = 3.0
MISSING: Final = 0.1
"""[-] Share of laps that may lack a feature; it is then taken at the mean of the others."""


@dataclass(frozen=True, eq=False)
class Styles:
    """Groups of laps that were driven alike, and how far that is to be believed.

    Attributes:
        groups: Number of each lap's group, from 0, the largest group first, [N].
        count: Groups.
        silhouette: [-] Mean silhouette of the laps (Rousseeuw 1987): 1 for tight groups far apart, 0 for none.
        by_chance: [-] The same, on average, for as many groups in clouds of laps of one style, see `group_styles`.
        by_chance_95: [-] And what 95 % of the clouds stay below.
        p_value: [-] Share of clouds that stand out from the others as much or more, whatever number of groups.
        features: Habits that were used.
    """

    groups: Labels
    count: int
    silhouette: float
    by_chance: float
    by_chance_95: float
    p_value: float
    features: tuple[str, ...]

    @property
    def separated(self) -> bool:
        """Whether the groups are more than chance would make, at 1 in 20."""
        return self.p_value <= 0.05

    @property
    def sentence(self) -> str:
        """For people."""
        found = f"{self.count} groups of laps, silhouette {self.silhouette:.2f}"
        chance = f"{self.by_chance:.2f} by chance, p = {self.p_value:.3f}"
        return f"{found} ({chance})" if self.separated else f"no separate styles: {found} ({chance})"


def style_features(patterns: DataFrame, corners: DataFrame | None = None) -> DataFrame:
    """One row for each lap, one column for each habit that tells laps apart; lap times are not among them.

    The columns are those of the pattern table and, when a corner table is given, the means over the corners of
    `CORNER_HABITS` and of the way from the slowest point to the throttle (`throttle_delay`). Habits that more than a
    tenth of the laps lack, and those that do not differ, are left out; other gaps are filled with the mean.

    Args:
        patterns: As from `pattern_table`.
        corners: As from `corner_table`, of the same laps in the same order.

    Raises:
        ConfigError: The tables are of different laps.
    """
    table = patterns[[pattern.name for pattern in PATTERNS if pattern.name in patterns]].reset_index(drop=True)
    if corners is not None:
        table = table.join(_corner_means(corners, len(patterns)))
    table = table.loc[:, table.isna().mean() <= MISSING]
    table = table.fillna(table.mean())
    spread = table.std(ddof=0)
    return table.loc[:, spread > 1e-9 * (1.0 + table.abs().mean())]


def _corner_means(corners: DataFrame, laps: int) -> DataFrame:
    count = corners["corner"].nunique()
    if len(corners) != laps * count:
        raise ConfigError(f"{len(corners)} rows of corners do not fit {laps} laps. Make both tables of the same laps.")
    row = np.repeat(np.arange(laps), count)
    values = corners[list(CORNER_HABITS)].assign(throttle_delay=corners["throttle_on"] - corners["minimum_speed_at"])
    return values.groupby(row).mean().add_prefix("corner_")


def standardised(features: DataFrame) -> Floats:
    """[N, F] Habits in standard deviations from their mean. Values further than three times the middle half of the laps
    outside it (Tukey's far outliers) are drawn in to there first, lest a lap that went wrong hides the rest."""
    values = features.to_numpy(np.float64)
    low, high = np.quantile(values, (0.25, 0.75), axis=0)
    reach = np.where(high > low, _FAR * (high - low), np.inf)  # most laps alike to the digit: no outliers to speak of
    values = np.clip(values, low - reach, high + reach)
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0))


def group_styles(features: DataFrame, count: int | None = None, clouds: int = 200, seed: int = 0) -> Styles:
    """Groups laps that were driven alike, by Ward's method on standardised habits.

    Any set of laps falls into groups of some kind, so the same is done with clouds of laps that are one style by
    construction: normally distributed with the spread and the correlations of these laps (the null hypothesis of
    SigClust; Liu, Hayes, Nobel and Marron, Journal of the American Statistical Association 103, 2008). Shuffling the
    habits among the laps would not do: habits of one driver go together, and every shuffle would lose to that. The
    number of groups is the one whose silhouette lies furthest above that of the clouds, in their standard deviations
    (as in the gap statistic of Tibshirani, Walther and Hastie 2001); every cloud chooses its own, so the choice is in
    the p-value.

    Args:
        features: As from `style_features`.
        count: Number of groups; 2 to 6 are tried when not given.
        clouds: To compare with.
        seed: Of the clouds.

    Raises:
        ConfigError: Fewer than 6 laps, no habits, or more groups than laps.
    """
    laps = len(features)
    if laps < FEWEST or features.shape[1] == 0:
        raise ConfigError(
            f"{laps} laps with {features.shape[1]} habits that differ cannot be grouped. Give {FEWEST} laps or more."
        )
    if count is not None and not 2 <= count < laps:
        raise ConfigError(f"{laps} laps cannot be put into {count} groups. Choose 2 to {laps - 1}.")
    wanted = range(2, min(MOST_GROUPS, laps - 1) + 1) if count is None else range(count, count + 1)
    points = standardised(features)
    labels, scores = _grouped(points, wanted)
    random = np.random.default_rng(seed)
    _, size, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    spread_out = size[:, None] * axes / np.sqrt(laps - 1)
    drawn = (random.standard_normal((laps, len(size))) @ spread_out for _ in range(clouds))
    chance = np.array([_grouped(cloud, wanted)[1] for cloud in drawn])
    usual, spread = chance.mean(axis=0), np.maximum(chance.std(axis=0), 1e-9)
    above = (scores - usual) / spread
    best = int(np.argmax(above))
    as_good = np.count_nonzero(((chance - usual) / spread).max(axis=1) >= above[best])
    order = np.argsort(-np.bincount(labels[best]), kind="stable")
    return Styles(
        groups=np.argsort(order)[labels[best]].astype(np.int64),
        count=len(order),
        silhouette=float(scores[best]),
        by_chance=float(usual[best]),
        by_chance_95=float(np.quantile(chance[:, best], 0.95)),
        p_value=float((1 + as_good) / (1 + clouds)),
        features=tuple(map(str, features.columns)),
    )


def _grouped(points: Floats, wanted: range) -> tuple[list[Labels], Floats]:
    """Groups and silhouette for each number of groups."""
    apart = pdist(points)
    tree = linkage(apart, "ward")
    square = squareform(apart)
    tried = [np.unique(fcluster(tree, k, "maxclust"), return_inverse=True)[1].astype(np.int64) for k in wanted]
    return tried, np.array([silhouette(square, labels) for labels in tried])


def silhouette(apart: Floats, labels: Labels) -> float:
    """[-] Mean silhouette: how much nearer laps are to their own group than to the next one.

    Rousseeuw, "Silhouettes", Journal of Computational and Applied Mathematics 20 (1987). A lap alone in its group
    counts 0.

    Args:
        apart: [N, N] Distances.
        labels: [N] Groups, from 0 without gaps.
    """
    members = np.eye(int(labels.max()) + 1)[labels]
    sizes = members.sum(axis=0)
    if len(sizes) < 2:
        return 0.0
    sums = apart @ members
    rows = np.arange(len(labels))
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1.0, 1.0)
    means = sums / sizes
    means[rows, labels] = np.inf
    nearest = means.min(axis=1)
    value = (nearest - own) / np.maximum(np.maximum(nearest, own), 1e-12)
    return float(np.where(sizes[labels] > 1.0, value, 0.0).mean())


def style_profile(features: DataFrame, styles: Styles) -> DataFrame:
    """What is special about each group: the mean of every habit in standard deviations of all laps, by group."""
    scores = pandas().DataFrame(standardised(features), columns=features.columns)
    return scores.groupby(styles.groups).mean()
