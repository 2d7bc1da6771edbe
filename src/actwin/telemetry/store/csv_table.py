"""CSV files of any origin as columns of numbers or text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SessionError

Array = npt.NDArray[np.float64]

FILE_LIMIT: Final = 1 << 30
"""Bytes of the largest file that is read."""
ROW_LIMIT: Final = 10_000_000
COLUMN_LIMIT: Final = 4096
CELL_LIMIT: Final = 100_000_000
"""Numbers kept in memory at once, 0.8 GB."""
_CHUNK: Final = 4096
_EXACT: Final = 2.0**53
"""Integers beyond this are not all floats; such a column stays text."""


@dataclass(eq=False)
class CsvTable:
    """The rows of a file, column by column.

    Attributes:
        names: In the order of the file, as they stand there.
        numbers: float64[T] by index of the column, NaN where the cell is empty.
        texts: object[T] by index of the column, for columns with cells that are no numbers.
        rows: T.
        short: Rows that ended early and were filled with empty cells.
    """

    names: list[str]
    numbers: dict[int, Array]
    texts: dict[int, npt.NDArray[Any]]
    rows: int
    short: int = 0
    _by_name: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {}
        for index, name in enumerate(self.names):
            self._by_name.setdefault(name, index)

    def by_name(self) -> dict[str, Array]:
        """Columns of numbers by name; of two with one name the first."""
        return {name: self.numbers[index] for name, index in self._by_name.items() if index in self.numbers}

    def text(self, name: str) -> npt.NDArray[Any] | None:
        """A column of text, None when there is none of that name."""
        return self.texts.get(self._by_name.get(name, -1))

    def column(self, index: int) -> npt.NDArray[Any]:
        """A column, numbers or text."""
        return self.numbers[index] if index in self.numbers else self.texts[index]


class CsvFile:
    """A CSV file that is read row by row, as often as needed.

    Args:
        path: At most `FILE_LIMIT` bytes of UTF-8; other bytes are kept visibly. Commas or semicolons.

    Raises:
        SessionError: The file cannot be read or is too large.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            size = self.path.stat().st_size
            if size > FILE_LIMIT:
                raise self.bad(f"has {size} bytes, of which at most {FILE_LIMIT} are read. Import a part of it")
            with self.path.open("rb") as file:
                first = file.readline(1 << 20)
        except OSError as error:
            raise self.bad(f"cannot be read ({error.strerror}). Check the path") from error
        self._delimiter = ";" if first.count(b";") > first.count(b",") else ","

    def bad(self, problem: str) -> SessionError:
        """The error that says what is wrong with the file and what to do."""
        return SessionError(f"{self.path}: {problem}.")

    def rows(self, start: int = 0) -> Iterator[tuple[int, list[str]]]:
        """Line number (from 1) and cells of each row that is not empty.

        Args:
            start: Lines to pass over.

        Raises:
            SessionError: It is no CSV file.
        """
        try:
            with self.path.open(encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
                for _ in range(start):
                    file.readline(1 << 20)
                reader = csv.reader(_without_nul(file), delimiter=self._delimiter, skipinitialspace=True)
                for row in reader:
                    if row and any(cell.strip() for cell in row):
                        yield start + reader.line_num, row
        except (OSError, csv.Error) as error:
            raise self.bad(f"cannot be read as CSV ({error}). Check that it is a text file") from error

    def table(self, names: list[str], start: int) -> CsvTable:
        """Every row below the header.

        Args:
            names: Of the columns.
            start: Lines to pass over: all up to the first row of values.

        Raises:
            SessionError: No rows, a row with more cells than names, or more than fits the memory.
        """
        if not 0 < len(names) <= COLUMN_LIMIT:
            raise self.bad(f"has {len(names)} columns. From 1 to {COLUMN_LIMIT} are read")
        reader = _Reader(self, len(names))
        for line, row in self.rows(start):
            reader.add(line, row)
        reader.flush()
        if not reader.rows:
            raise self.bad("has a header and no rows. Export it again")
        texts = self._texts(reader.words, start, len(names), reader.rows)
        return CsvTable(names, reader.columns(), texts, reader.rows, reader.short)

    def _texts(self, indices: set[int], start: int, width: int, count: int) -> dict[int, npt.NDArray[Any]]:
        """Columns of text, by reading the file a second time."""
        texts = {index: np.empty(count, object) for index in indices}
        if texts:
            for number, (_, row) in enumerate(self.rows(start)):
                row += [""] * (width - len(row))
                for index, column in texts.items():
                    column[number] = row[index]
        return texts


class _Reader:
    """Turns rows into columns of numbers, some thousands at a time.

    Args:
        file: For errors.
        width: Columns.
    """

    def __init__(self, file: CsvFile, width: int) -> None:
        self._file, self._width = file, width
        self._waiting: list[list[str]] = []
        self._chunks: list[list[Array]] = [[] for _ in range(width)]
        self.rows, self.short = 0, 0
        self.words: set[int] = set()

    def add(self, line: int, row: list[str]) -> None:
        """Takes a row."""
        if len(row) > self._width:
            if any(cell.strip() for cell in row[self._width :]):
                problem = f"line {line} has {len(row)} cells, the header {self._width}"
                raise self._file.bad(f"{problem}. Correct or remove the line")
            del row[self._width :]
        elif len(row) < self._width:
            self.short += 1
            row += [""] * (self._width - len(row))
        self._waiting.append(row)
        self.rows += 1
        if self.rows > ROW_LIMIT or self.rows * self._width > CELL_LIMIT:
            raise self._file.bad(f"has more than {self.rows - 1} rows of {self._width} columns. Import a part of it")
        if len(self._waiting) == _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Turns the rows taken so far into numbers."""
        if self._waiting:
            for index, cells in enumerate(zip(*self._waiting, strict=True)):
                if index in self.words:
                    continue
                values = _numbers(cells)
                if values is None:
                    self.words.add(index)
                    self._chunks[index] = []
                else:
                    self._chunks[index].append(values)
        self._waiting = []

    def columns(self) -> dict[int, Array]:
        """The columns that hold numbers only."""
        return {i: np.concatenate(chunks) for i, chunks in enumerate(self._chunks) if i not in self.words}


def _numbers(cells: tuple[str, ...]) -> Array | None:
    """The numbers in cells, NaN for empty ones; None when a cell is no number or too large to be exact."""
    if "_" in "".join(cells):  # Python's own notation of large numbers, no number in a file
        return None
    try:
        values = np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError:
        try:
            values = np.array([float(cell.replace(",", ".")) if cell.strip() else np.nan for cell in cells])
        except ValueError:
            return None
    # A float beyond 2^53 is written with a point or an exponent; bare digits are an integer that must not be rounded.
    rounded = any(cells[i].strip().lstrip("+-").isdigit() for i in np.flatnonzero(np.abs(values) >= _EXACT))
    return None if rounded else values


def _without_nul(file: io.TextIOBase | Any) -> Iterator[str]:
    """Lines without NUL characters, none longer than a mebibyte."""
    while line := file.readline(1 << 20):
        yield line.replace("\0", "")
