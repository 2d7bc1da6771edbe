"""CSV files that MoTeC i2 exports: a block about the log, names, units, rows."""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.store.csv_table import CsvFile
from actwin.telemetry.store.imported import Array, Imported
from actwin.telemetry.store.motec import log_date
from actwin.telemetry.store.motec_channels import unit_of
from actwin.telemetry.store.motec_import import lines_for, local_time, put_beacons

MARK: Final = "motec csv file"
TIME: Final = "time"
_HEADER_ROWS: Final = 200
_BEACON_LIMIT: Final = 10_000
_TOLD: Final = {"comment": "comment", "session": "session", "device": "device", "range": "range"}


class _Header(NamedTuple):
    """What stands above the rows.

    Attributes:
        told: Values by key in small letters.
        beacons: [s] As written.
        names, units: Of the columns.
        start: Lines before the first row.
    """

    told: dict[str, str]
    beacons: list[float]
    names: list[str]
    units: list[str]
    start: int


def is_motec_csv(first_row: list[str]) -> bool:
    """Whether the first row of a CSV file is that of an export of i2."""
    return any(cell.strip().lower() == MARK for cell in first_row[:2])


def import_motec_csv(file: CsvFile) -> Imported:
    """Reads an export of MoTeC i2.

    Args:
        file: The CSV file.

    Raises:
        SessionError: There is no row of names, or the rows cannot be used.
    """
    header = _read_header(file)
    table = file.table(header.names, header.start)
    clock = table.by_name().get(header.names[0])
    if clock is None or not np.isfinite(clock).all():
        raise file.bad("the column Time holds something other than seconds. Export it with time as its base")
    if np.any(np.diff(clock) < 0.0):
        raise file.bad("the column Time falls. Export one stretch of time")
    made = Imported(clock - clock[0])
    _describe(made, header)
    has_running = "Running Lap Time" in header.names
    made.keep_all(table, header.units)
    for index, (name, unit) in enumerate(zip(header.names, header.units, strict=True)):
        if index in table.numbers:
            _put(made, name, unit, table.numbers[index], has_running)
    origin = _seconds(header.told.get("origin time", ""))
    beacons = [time - origin - float(clock[0]) for time in header.beacons]
    put_beacons(made, [time for time in beacons if 0.0 <= time <= made.time[-1]])
    return made


def _put(made: Imported, name: str, unit: str, values: Array, has_running: bool) -> None:
    for line in lines_for(name, has_running):
        known = unit_of(line, unit)
        if known is not None and not (line.wheel < 0 and made.has(line.channel)):
            with np.errstate(over="ignore"):
                ours = values * known.scale + known.offset
            made.put(line.channel, ours, line.wheel)


def _read_header(file: CsvFile) -> _Header:
    told: dict[str, str] = {}
    beacons: list[float] = []
    rows = islice(file.rows(), _HEADER_ROWS)
    for _, row in rows:
        if _is_names(row):
            names = [cell.strip() for cell in row]
            break
        if row[0].strip().lower() == "beacon markers":
            beacons = _numbers(row[1:])
        for key, value in zip(row[0::4], row[1::4], strict=False):  # pairs stand side by side, a unit between them
            told.setdefault(key.strip().lower(), value.strip())
    else:
        raise file.bad("has no row of channel names that begins with Time. Export it again")
    units = [""] * len(names)
    for line, row in rows:
        if _is_number(row[0]):
            return _Header(told, beacons, names, units, line - 1)
        if not any(units):
            units = [cell.strip() for cell in row][: len(names)]
            units += [""] * (len(names) - len(units))
    raise file.bad("has channel names and no rows. Export it again")


def _is_names(row: list[str]) -> bool:
    """Whether a row holds the names of the channels; `Time` is also a key of the block above in some files."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return row[0].strip().lower() == TIME and len(cells) > 2 and not any(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _numbers(cells: list[str]) -> list[float]:
    """The numbers in cells, of which one may hold several."""
    words = re.split(r"[\s;,]+", " ".join(cells))[:_BEACON_LIMIT]
    return sorted(value for word in words if _is_number(word) and math.isfinite(value := float(word)))


def _seconds(text: str) -> float:
    return float(text) if _is_number(text) and "," not in text and math.isfinite(float(text)) else 0.0


def _describe(made: Imported, header: _Header) -> None:
    told = header.told
    made.track, made.car, made.driver = (told.get(key, "") for key in ("venue", "vehicle", "driver"))
    date = told.get("log date", "")
    made.started = local_time(log_date(date, told.get("log time", "")) or log_date(date, "00:00"))
    made.facts |= {name: told[key] for key, name in _TOLD.items() if told.get(key)}
