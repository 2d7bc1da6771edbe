"""Corners of laps as a table: one row for each lap in each corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from actwin.analysis.compare import Trace
from actwin.analysis.corner_points import NEEDS, CornerPoints, corner_points
from actwin.analysis.corner_spans import CornerSpan
from actwin.analysis.driven_laps import pandas
from actwin.analysis.pattern_channels import known

if TYPE_CHECKING:
    from pandas import DataFrame

FIRST: Final = ("driver", "lap", "corner", "label")
"""Columns before those of `CornerPoints`."""
COMPARED: Final = (
    "brake_point", "brake_release", "turn_in", "apex", "minimum_speed", "throttle_on", "full_throttle", "exit_speed",
    "time",
)  # fmt: skip
"""What consistency is told of."""


def corner_table(traces: Sequence[Trace], spans: Sequence[CornerSpan], laps: Sequence[int] | None = None) -> DataFrame:
    """One row for each lap in each corner, laps in the given order.

    Columns are `driver`, `lap`, `corner` (its number), `label`, and those of `CornerPoints`. A number that no lap has
    the channels for is NaN throughout, and `table.attrs["absent"]` says why, by column.

    Args:
        traces: Laps.
        spans: Corners, in order of their apexes.
        laps: Numbers to show; 1, 2, ... when not given.
    """
    numbers = list(range(1, len(traces) + 1)) if laps is None else list(laps)
    keys, rows = [], []
    for number, lap in zip(numbers, traces, strict=True):
        rows += corner_points(lap, spans)
        keys += [(lap.driver, number, span.number, span.label) for span in spans]
    frame = pandas().DataFrame
    table = frame(keys, columns=list(FIRST)).join(frame(rows, columns=list(CornerPoints._fields)))
    table.attrs["absent"] = absent_columns(traces)
    return table


def absent_columns(traces: Sequence[Trace]) -> dict[str, str]:
    """Why a column of the corner table is empty, by column: the channels that no lap has."""
    reasons = {}
    for column, choices in NEEDS.items():
        needed = [choice.split(" and ") for choice in choices]
        if choices and not any(all(known(lap, name) for name in choice) for choice in needed for lap in traces):
            reasons[column] = f"needs {' or '.join(choices)}, which was not recorded"
    return reasons


def corner_consistency(table: DataFrame) -> DataFrame:
    """How well each driver repeats each corner: standard deviations over laps, the least steady corner first.

    Args:
        table: As `corner_table` makes it.

    Returns:
        Columns `driver`, `corner`, `label`, `laps` (that drove the whole corner), for each number of `COMPARED` its
        standard deviation `<number>_std` (N - 1 in the denominator; NaN below two laps), and `lost`: the mean time in
        the corner above the driver's best there [s], which is what repeating the best would be worth.
    """
    groups = table.groupby(["driver", "corner", "label"], sort=False)
    spread = groups[list(COMPARED)].std(ddof=1).add_suffix("_std")
    times = groups["time"]
    spread.insert(0, "laps", times.count())
    spread["lost"] = times.mean() - times.min()
    return spread.reset_index().sort_values("lost", ascending=False, ignore_index=True, kind="stable")
