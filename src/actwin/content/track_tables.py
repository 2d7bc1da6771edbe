"""Readers of surveyed tracks: centre line with widths, or both borders, as CSV tables or the game's AI line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from actwin.content.ai_line import SUFFIX, read_ai_line
from actwin.content.track_checks import check_widths
from actwin.errors import ContentError

Array = NDArray[np.float64]

FEWEST: Final = 20
"""Points below which a table describes no road."""
SPACING: Final = 4.0
"""[m] Spacing to which dense border tables are thinned."""
BLEND: Final = 6.0
"""[m] Distance over which the borders beside an AI line are smoothed (standard deviation)."""

CENTRE_LINE: Final = ("x_m", "y_m", "w_tr_right_m", "w_tr_left_m")
BORDERS: Final = ("left_border_x", "left_border_y", "right_border_x", "right_border_y")


class CentreLineTable(NamedTuple):
    """A closed centre line with the widths beside it, in driving order; the first point is not repeated at the end."""

    x: Array
    """[m] [M] World x."""
    y: Array
    """[m] [M] World y."""
    width_left: Array
    """[m] [M] Centre line to the left edge."""
    width_right: Array
    """[m] [M] Centre line to the right edge."""


def read_centre_line(path: str | Path) -> CentreLineTable:
    """Reads a surveyed track.

    Two forms of CSV are understood, told apart by the first line:

    - columns x, y, width right, width left [m], as in the TUM racetrack database; a first line that begins with `#` or
      holds these names is skipped;
    - a header with `left_border_x, left_border_y, right_border_x, right_border_y` [m], further columns ignored. The
      centre line is half way between the borders.

    A file with the ending `.ai` is read as the game's AI line, whose borders lie to its left and right.

    Raises:
        ContentError: Not a table of numbers, too few points, an open lap, or borders that cross.
    """
    path = Path(path)
    table = _beside_ai_line(path) if path.suffix.lower() == SUFFIX else _from_columns(path)
    table = _without_repeated_end(table)
    check_widths(table.width_left, "width_left", path)
    check_widths(table.width_right, "width_right", path)
    _check_lap(table, path)
    return table


def _beside_ai_line(path: Path) -> CentreLineTable:
    """Half way between the borders that the game's AI line knows."""
    line = read_ai_line(path)
    if len(line.x) < FEWEST:
        raise ContentError(path, "", f"has {len(line.x)} points.", f"A track needs at least {FEWEST}.")
    bare = line.side_left + line.side_right <= 0.0
    if np.any(bare):
        problem = f"has no borders beside {int(bare.sum())} of its {len(bare)} points."
        raise ContentError(path, "side_left", problem, "Drive the borders in the game's line editor and save the line.")
    # The borders are told in steps where barriers begin and end; a centre line half way would have corners there.
    spread = BLEND / (float(np.median(np.diff(line.distance))) or 1.0)
    left, right = (gaussian_filter1d(side, spread, mode="wrap") for side in (line.side_left, line.side_right))
    return _between_borders(list(line._replace(side_left=left, side_right=right).borders()), path)


def _from_columns(path: Path) -> CentreLineTable:
    """The table in a CSV file."""
    header, values = _read_numbers(path)
    if set(BORDERS) <= set(header):
        return _between_borders([values[:, header.index(name)] for name in BORDERS], path)
    if values.shape[1] == len(CENTRE_LINE):
        return CentreLineTable(values[:, 0], values[:, 1], values[:, 3], values[:, 2])
    problem = f"has {values.shape[1]} columns that are neither a centre line nor two borders."
    cure = f"Columns must be {', '.join(CENTRE_LINE)} or include {', '.join(BORDERS)}."
    raise ContentError(path, "", problem, cure)


def _read_numbers(path: Path) -> tuple[list[str], Array]:
    """Column names (empty when there are none) and the numbers [M, C] of a CSV file."""
    try:
        rows = [
            row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if any(c.strip() for c in row)
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = f"cannot be read: {error}."
        raise ContentError(path, "", problem, "Check the path and that the file is UTF-8 text.") from error
    header: list[str] = []
    if rows and not _is_number(rows[0][0]):
        header = [name.strip(" #").lower() for name in rows.pop(0)]
    if len(rows) < FEWEST:
        raise ContentError(path, "", f"has {len(rows)} points.", f"A track needs at least {FEWEST}, about 5 m apart.")
    for line, row in enumerate(rows, start=2 if header else 1):
        if len(row) != len(rows[0]) or not all(_is_number(cell) for cell in row):
            raise ContentError(path, f"line {line}", "is not a row of finite numbers.", "Correct or remove the row.")
    values = np.array([[float(cell) for cell in row] for row in rows])
    return header, values


def _is_number(cell: str) -> bool:
    """Whether a cell holds a finite number."""
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _between_borders(columns: list[Array], path: Path) -> CentreLineTable:
    """Centre line half way between two borders, thinned to about `SPACING` metres."""
    left_x, left_y, right_x, right_y = columns
    x, y = 0.5 * (left_x + right_x), 0.5 * (left_y + right_y)
    step = np.hypot(np.diff(x, append=x[0]), np.diff(y, append=y[0]))
    distance = np.concatenate([[0.0], np.cumsum(step)])
    _, first = np.unique(np.floor(distance[:-1] / SPACING), return_index=True)
    x, y = x[first], y[first]
    tangent_x, tangent_y = np.roll(x, -1) - np.roll(x, 1), np.roll(y, -1) - np.roll(y, 1)
    norm = np.hypot(tangent_x, tangent_y)
    across_x, across_y = (left_x - right_x)[first], (left_y - right_y)[first]
    # signed: negative where the right border lies to the left of the left one
    signed = (across_y * tangent_x - across_x * tangent_y) / np.where(norm > 0.0, norm, 1.0)
    if np.any(signed <= 0.0):
        at = int(first[int(np.argmax(signed <= 0.0))])
        problem = f"the borders cross at point {at}."
        cure = "The left border must be on the left in the driving direction; swap the columns or mend the points."
        raise ContentError(path, "left_border", problem, cure)
    return CentreLineTable(x, y, 0.5 * signed, 0.5 * signed)


def _without_repeated_end(table: CentreLineTable) -> CentreLineTable:
    """Drops a last point that repeats the first one."""
    repeated = np.hypot(table.x[-1] - table.x[0], table.y[-1] - table.y[0]) < 0.05
    return CentreLineTable(*(column[:-1] for column in table)) if repeated else table


def _check_lap(table: CentreLineTable, path: Path) -> None:
    """Points follow each other all around the lap."""
    step = np.hypot(np.diff(table.x, append=table.x[0]), np.diff(table.y, append=table.y[0]))
    usual = float(np.median(step[:-1]))
    if np.any(step[:-1] < 1e-3):
        at = int(np.argmin(step[:-1]))
        raise ContentError(path, f"point {at + 1}", "repeats the one before.", "Remove the duplicate.")
    if step[-1] > 5.0 * usual + 10.0:
        problem = f"the lap is not closed: its ends are {step[-1]:.0f} m apart, the points {usual:.1f} m."
        raise ContentError(path, "", problem, "Continue the table to the start line; only closed tracks are supported.")
    if np.any(step[:-1] > 20.0 * usual):
        at = int(np.argmax(step))
        raise ContentError(path, f"point {at + 1}", f"lies {step[at]:.0f} m from the one before.", "Mend the gap.")
