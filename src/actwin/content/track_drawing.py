"""A track drawn with characters, for terminals."""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
from numpy.typing import NDArray

from actwin.content.track import Track

BRAILLE: Final = 0x2800
"""Code point of the empty braille pattern; the dots are bits of the low byte."""
DOTS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bit of each dot of a braille character, [row, column]."""
ARROWS: Final = "→↗↑↖←↙↓↘"
PLAIN_ARROWS: Final = ">/^\\<\\v/"
START: Final = "◆"
PLAIN_START: Final = "S"


def draw(track: Track, width: int = 60, height: int = 20, encoding: str | None = None) -> str:
    """Plan of a track, north up, with the start line and the driving direction marked.

    Braille characters give two by four dots each; where the output cannot show them the road is drawn with `#`.

    Args:
        track: The track.
        width: Columns at most, at least 10.
        height: Lines at most, at least 5.
        encoding: Encoding of the output; that of the standard output when None.

    Returns:
        Lines joined by newlines, without one at the end.
    """
    width, height = max(width, 10), max(height, 5)
    fine = _can_show(encoding or getattr(sys.stdout, "encoding", None) or "ascii")
    # a character is twice as high as wide: two by four dots are square, one character alone is not
    across, down = (2, 4) if fine else (1, 1)
    stretch = 1.0 if fine else 0.5
    s = np.linspace(0.0, track.length, max(200, round(track.length)), endpoint=False)
    x, y = track.position(s)
    room = min((width * across - 1) / np.ptp(x), (height * down - 1) / (np.ptp(y) * stretch))
    column = np.rint((x - x.min()) * room).astype(np.intp)
    row = np.rint((y.max() - y) * room * stretch).astype(np.intp)
    cells = np.zeros((row.max() // down + 1, column.max() // across + 1), dtype=np.intp)
    dots = DOTS if fine else np.array([[1]])
    np.bitwise_or.at(cells, (row // down, column // across), dots[row % down, column % across])
    lines = [[_character(int(cell), fine) for cell in line] for line in cells]
    _mark(lines, track, row // down, column // across, fine)
    return "\n".join("".join(line).rstrip() for line in lines)


def _can_show(encoding: str) -> bool:
    """Whether an encoding has the characters of the fine drawing."""
    try:
        (chr(BRAILLE + 1) + ARROWS + START).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _character(cell: int, fine: bool) -> str:
    if not cell:
        return " "
    return chr(BRAILLE + cell) if fine else "#"


def _mark(lines: list[list[str]], track: Track, row: NDArray[np.intp], column: NDArray[np.intp], fine: bool) -> None:
    """Puts the start line, and an arrow in the driving direction in the next free cell after it."""
    octant = round(float(track.heading(0.0)) / (np.pi / 4.0)) % 8
    lines[row[0]][column[0]] = START if fine else PLAIN_START
    away = np.flatnonzero((np.abs(row - row[0]) > 0) | (np.abs(column - column[0]) > 1))
    if len(away):
        lines[row[away[0]]][column[away[0]]] = (ARROWS if fine else PLAIN_ARROWS)[octant]
