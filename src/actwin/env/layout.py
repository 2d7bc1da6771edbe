"""The layout of an observation: which feature lies in which columns, how it is scaled."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.env.config import ObservationConfig
from actwin.env.features import ORDER, Feature, Source, expand
from actwin.errors import ConfigError
from actwin.telemetry.channels import FRAME_COLUMN

EARLIER: Final = "earlier"
"""Name of the columns of earlier moments, where others have the name of their feature."""


class Column(NamedTuple):
    """One number of the observation."""

    label: str
    feature: str
    unit: str
    scale: float
    """Value, in the unit, for which the observation shows 1."""
    low: float
    """Least value of the observation."""
    high: float
    """Greatest value of the observation."""
    doc: str


def _earlier(column: Column, ago: int) -> Column:
    """The same so many control periods before."""
    return column._replace(label=f"{column.label}_{ago}_before", feature=EARLIER)


class Layout:
    """Where everything lies in an observation, resolved from the settings.

    Args:
        config: What to show.

    Attributes:
        features: In the order of their columns.
        columns: One entry for each number.
        size: Their count O.
        present: How many of them show this moment; those of earlier moments follow.
        moment: How many show a channel of the car, the first ones; they are repeated for each earlier moment.
        shares: float32[P] Look-ahead points as shares of the reach.
        angles: float32[R] [rad] Ray angles.

    Raises:
        UnknownNameError: Neither a feature nor a preset.
        ConfigError: Earlier moments of an observation that shows no channel of the car.
    """

    def __init__(self, config: ObservationConfig) -> None:
        self.config = config
        self.features = expand(config.features)
        p = np.arange(1, config.points + 1) / config.points
        self.shares = (p**config.progression).astype(np.float32)
        half = 0.5 * config.ray_fan if config.rays > 1 else 0.0
        self.angles = np.linspace(-half, half, config.rays, dtype=np.float32)
        columns: list[Column] = []
        for source in ORDER:
            mine = [self._columns(feature) for feature in self.of(source)]
            # Points come in the order in which they are computed: all lines of the first, then all of the second.
            groups = zip(*mine, strict=True) if source == "points" else mine
            columns += [column for group in groups for column in group]
        self.present = len(columns)
        self.moment = len(self.channel_columns("channel")) + len(self.channel_columns("code"))
        if config.frames > 1 and not self.moment:
            raise ConfigError(
                "observation.frames repeats channels of the car, but observation.features shows none. Add some, or set "
                "observation.frames=1."
            )
        moments = range(1, config.frames)
        columns += [_earlier(column, ago) for ago in moments for column in columns[: self.moment]]
        self.columns = tuple(columns)
        self.size = len(self.columns)

    def where(self, feature: str) -> npt.NDArray[np.int64]:
        """Columns of a feature."""
        return np.array([k for k, column in enumerate(self.columns) if column.feature == feature], np.int64)

    def _columns(self, feature: Feature) -> list[Column]:
        scales = self._scales(feature)
        limit = self.config.clip
        return [
            Column(
                label,
                feature.name,
                feature.unit,
                scale,
                max(feature.low / scale, -limit),
                min(feature.high / scale, limit),
                feature.doc,
            )
            for label, scale in zip(feature.labels(self.config), scales, strict=True)
        ]

    def _scales(self, feature: Feature) -> list[float]:
        if feature.source == "points":
            # A point's coordinates grow with its distance; about 60 m/s is the middle of a racing lap.
            reach = [10.0 + float(share) * self.config.horizon * 60.0 for share in self.shares]
            return [*reach, *(0.3 * length for length in reach)]
        return [feature.scale] * len(feature.labels(self.config))

    def of(self, source: Source) -> tuple[Feature, ...]:
        """The features of one source."""
        return tuple(feature for feature in self.features if feature.source == source)

    def channel_columns(self, source: Source) -> npt.NDArray[np.uint32]:
        """Columns of FRAME behind the features of `channel` or `code`, in order."""
        found: list[int] = []
        for feature in self.of(source):
            first = FRAME_COLUMN[feature.column]
            found += range(first, first + len(feature.labels(self.config)))
        return np.array(found, np.uint32)

    def table(self) -> str:
        """The observation as a Markdown table, one row for each feature."""
        lines = ["| columns | feature | unit | 1 stands for | low | high | meaning |", "|---|---|---|---|---|---|---|"]
        for feature in self.features:
            places = self.where(feature.name)
            mine = [self.columns[place] for place in places]
            step = int(places[1] - places[0]) if len(places) > 1 else 1
            span = f"{places[0]}" + (
                "" if len(places) == 1 else f"-{places[-1]}" if step == 1 else f", {places[1]}, … {places[-1]}"
            )
            scale = (
                f"{mine[0].scale:g}"
                if len({c.scale for c in mine}) == 1
                else f"{mine[0].scale:.3g} … {mine[-1].scale:.3g}"
            )
            lines.append(
                f"| {span} | {feature.name} | {feature.unit} | {scale} | {min(c.low for c in mine):.3g} | "
                f"{max(c.high for c in mine):.3g} | {feature.doc} |"
            )
        if self.config.frames > 1:
            meaning = f"columns 0-{self.moment - 1} as they were, the last period first"
            lines.append(f"| {self.present}-{self.size - 1} | {EARLIER} | | | | | {meaning} |")
        return "\n".join(lines)
