"""Colours, fonts and a pen for pictures that are drawn large and then reduced, so that edges are smooth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

FINE: Final = 2
"""Drawn this much larger."""

Colour = tuple[int, int, int]
GRASS: Final[tuple[Colour, Colour]] = ((44, 66, 47), (47, 70, 50))
BEYOND: Final[tuple[Colour, Colour]] = ((30, 41, 34), (32, 44, 36))
GRAVEL: Final[Colour] = (128, 112, 84)
APRON: Final[Colour] = (72, 75, 80)
ROAD: Final[Colour] = (56, 59, 66)
WALL: Final[Colour] = (150, 156, 166)
EDGE: Final[Colour] = (232, 234, 238)
LINE: Final[Colour] = (255, 176, 32)
CAR: Final[Colour] = (64, 196, 255)
DARK: Final[Colour] = (12, 13, 16)
PANEL: Final[Colour] = (18, 20, 25)
TRACE: Final[Colour] = (44, 47, 54)
QUIET: Final[Colour] = (138, 144, 156)
GREEN: Final[Colour] = (76, 200, 110)
AMBER: Final[Colour] = (255, 176, 32)
RED: Final[Colour] = (236, 84, 76)

Array = npt.NDArray[np.float64]
Points = Sequence[tuple[float, float]]


@cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size * FINE)


@cache
def _digit_width(size: int) -> float:
    """[px] Of the widest digit."""
    return max(float(_font(size).getlength(digit)) for digit in "0123456789") / FINE


class Stamp(NamedTuple):
    """A shape that is drawn often, at one place."""

    mask: Image.Image
    """In fine pixels."""
    x: int
    """In fine pixels, of its upper left corner."""
    y: int


class Pen:
    """Draws on an image in pixels of the finished picture.

    Args:
        width, height: [px] Of the picture.
        colour: Of its ground.
    """

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width * FINE, height * FINE), colour)
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Points, fill: Colour) -> None:
        """A filled area."""
        if len(points) > 2:
            self._draw.polygon([(FINE * x, FINE * y) for x, y in points], fill=fill)

    def line(self, points: Points, colour: Colour, width: float = 1.0) -> None:
        """A bent line."""
        if len(points) > 1:
            fine = [(FINE * x, FINE * y) for x, y in points]
            self._draw.line(fine, fill=colour, width=max(1, round(FINE * width)))

    def box(self, x: float, y: float, width: float, height: float, fill: Colour, radius: float = 0.0) -> None:
        """A rectangle from its upper left corner, with round corners."""
        if min(width, height) > 0.5:
            place = (FINE * x, FINE * y, FINE * (x + width) - 1.0, FINE * (y + height) - 1.0)
            self._draw.rounded_rectangle(place, FINE * radius, fill=fill)

    def ring(self, x: float, y: float, radius: float, colour: Colour, width: float = 1.0) -> None:
        """A circle."""
        place = (FINE * (x - radius), FINE * (y - radius), FINE * (x + radius), FINE * (y + radius))
        self._draw.ellipse(place, outline=colour, width=max(1, round(FINE * width)))

    def dot(self, x: float, y: float, radius: float, fill: Colour) -> None:
        """A disc."""
        place = (FINE * (x - radius), FINE * (y - radius), FINE * (x + radius), FINE * (y + radius))
        self._draw.ellipse(place, fill=fill)

    def text(self, x: float, y: float, text: str, size: int, colour: Colour, anchor: str = "lm") -> None:
        """Words; anchors are Pillow's."""
        self._draw.text((FINE * x, FINE * y), text, fill=colour, font=_font(size), anchor=anchor)

    def figures(self, x: float, y: float, text: str, size: int, colour: Colour) -> None:
        """A number that ends at x; digits have one width, so that it stands still while it changes."""
        for sign in reversed(text):
            wide = _digit_width(size) if sign.isdigit() else float(_font(size).getlength(sign)) / FINE
            self.text(x - 0.5 * wide, y, sign, size, colour, "mm")
            x -= wide

    def stamp(self, stamp: Stamp, colour: Colour) -> None:
        """Draws what was drawn before."""
        self.image.paste(colour, (stamp.x, stamp.y), stamp.mask)

    def width_of(self, text: str, size: int) -> float:
        """[px] Of words."""
        return float(_font(size).getlength(text)) / FINE

    def finished(self) -> npt.NDArray[np.uint8]:
        """The picture, uint8[height, width, 3]."""
        return np.asarray(self.image.reduce(FINE))


def line_stamp(points: Points, width: float) -> Stamp:
    """A bent line for `Pen.stamp`.

    Args:
        points: In pixels of the picture.
        width: [px]
    """
    fine = FINE * np.array(points)
    low, high = np.floor(fine.min(axis=0)) - FINE * width, np.ceil(fine.max(axis=0)) + FINE * width
    size = (high - low).astype(int) + 1
    mask = Image.new("L", (int(size[0]), int(size[1])), 0)
    shifted = [(x, y) for x, y in (fine - low).tolist()]
    ImageDraw.Draw(mask).line(shifted, fill=255, width=round(FINE * width), joint="curve")
    return Stamp(mask, int(low[0]), int(low[1]))


def turned(
    shape: Iterable[tuple[float, float]], x: float, y: float, angle: float, scale: float
) -> list[tuple[float, float]]:
    """A shape (ahead, left) in pixels of the picture.

    Args:
        shape: Its corners.
        x, y: [px] Where its origin is.
        angle: [rad] By which it is turned to the left of straight up.
        scale: [px] Of its unit.
    """
    sine, cosine = float(np.sin(angle)), float(np.cos(angle))
    return [
        (x - scale * (cosine * left + sine * ahead), y - scale * (cosine * ahead - sine * left))
        for ahead, left in shape
    ]
