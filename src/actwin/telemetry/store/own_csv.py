"""CSV files with our own column names, as `actwin export` writes them."""

from __future__ import annotations

from typing import Final

import numpy as np

from actwin.telemetry.channels import AUTO_GEAR
from actwin.telemetry.store.csv_table import CsvFile
from actwin.telemetry.store.imported import Imported, in_kind
from actwin.telemetry.store.schema import COLUMN, QUALITY, SOURCE, TIME, absent

FEWEST: Final = 3
"""Columns of ours a file must have besides the time."""


def is_own_csv(names: list[str]) -> bool:
    """Whether these are columns of ours."""
    return TIME in names and sum(name in COLUMN for name in names) >= FEWEST


def read_own_csv(file: CsvFile, names: list[str], start: int) -> Imported:
    """Reads an exported session back; single precision makes the round trip without loss.

    Args:
        file: The CSV file.
        names: Its columns.
        start: Lines before the first row.

    Raises:
        SessionError: The rows cannot be used.
    """
    table = file.table(names, start)
    columns = table.by_name()
    time = columns.get(TIME)
    if time is None or not np.isfinite(time).all() or np.any(np.diff(time) < 0.0):
        raise file.bad("the column time must hold seconds that do not fall. Export it again")
    made = Imported(time)
    sent = absent("sent", len(time))
    for name, values in columns.items():
        column = COLUMN.get(name)
        if column is None:
            continue
        if column.part == "sent":
            sent[column.channel.name] = in_kind(values, column.channel.integer, AUTO_GEAR)
            made.sent = sent
        elif np.isfinite(values).any():
            made.put(column.channel.name, values, column.wheel)
    for index, name in enumerate(names):
        if name not in COLUMN and name not in (TIME, QUALITY):
            made.keep(name.removeprefix(SOURCE), table.column(index))
    return made
