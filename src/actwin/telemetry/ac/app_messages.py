"""What the in-game app says about the cars, read strictly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.ac.app_frames import REQUIRED, SHAPES
from actwin.telemetry.ac.literal import parse, parse_literal

MAX_TELEMETRY: Final = 1 << 16
"""[byte] No datagram is longer."""
MAX_NAMES: Final = 400
MAX_NAME: Final = 64
MAX_TEXT: Final = 1024
MAX_VECTOR: Final = 64
HUGE: Final = 1e30
"""Numbers beyond it are nonsense for every name."""

SEPARATOR: Final = b"HEADER-END"
MAX_OPPONENTS: Final = 1 << 20
"""[byte] Of a list of opponents."""


def telemetry(data: bytes) -> dict[str, Any] | None:
    """Reads a message about the driven car.

    Args:
        data: A datagram.

    Returns:
        Finite numbers, texts and tuples of finite numbers by name; what the sender did not know is absent. None when it
        is no telemetry.
    """
    if len(data) > MAX_TELEMETRY:
        return None
    try:
        text = data.decode("utf-8")
        try:
            found = json.loads(text, parse_constant=lambda word: None)
        except ValueError:
            found = parse_literal(text)
        message = mapping(found)
    except (UnicodeDecodeError, RecursionError, SourceError):
        return None
    return message if message.keys() >= REQUIRED and all(_fits(*entry) for entry in message.items()) else None


def _fits(name: str, value: Any) -> bool:
    """Whether a value has the shape that its name asks for."""
    length = SHAPES.get(name)
    if length is None:
        return True
    return isinstance(value, int | float) if length == 0 else isinstance(value, tuple) and len(value) == length


def mapping(found: Any) -> dict[str, Any]:
    """A flat dict in which every value is a finite number, a text or a tuple of finite numbers.

    Args:
        found: As a parser returned it. Unknown values (None, NaN) are left out, anything else is refused.

    Raises:
        SourceError: It has another shape.
    """
    if not isinstance(found, dict) or len(found) > MAX_NAMES:
        _refuse("it is no list of names and values")
    return {name: value for name, value in _entries(found) if value is not None}


def _entries(found: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if not isinstance(name, str) or len(name) > MAX_NAME:
            _refuse("a name is no short text")
        yield name, _value(name, value)


def _value(name: str, value: Any) -> Any:
    """A value as the protocol knows it, None for what the sender did not know."""
    kind = type(value)
    if kind is float:
        # NaN fails the first comparison, infinities are as unknown.
        return value if -HUGE < value < HUGE else _unknown(name, value)
    if kind is int:
        return value if -HUGE < value < HUGE else _refuse(f"'{name}' is beyond all measure")
    if kind is list or kind is tuple:
        if len(value) > MAX_VECTOR:
            _refuse(f"'{name}' has too many values")
        numbers = tuple([_value(name, item) for item in value])
        return numbers if all(isinstance(item, int | float) for item in numbers) else None
    if kind is bool:
        return int(value)
    if kind is str:
        return value if len(value) <= MAX_TEXT else _refuse(f"'{name}' is too long")
    return None if value is None else _refuse(f"'{name}' is nested")


def _unknown(name: str, value: float) -> None:
    """None for NaN and infinity, a refusal for any other number."""
    if math.isfinite(value):
        _refuse(f"'{name}' is beyond all measure")


def _refuse(problem: str) -> NoReturn:
    raise SourceError(f"The answer is not the in-game app's: {problem}. Is this its port?")


def opponents(data: bytes) -> list[dict[str, Any]]:
    """Reads a list of opponents.

    Args:
        data: JSON or a Python literal.

    Returns:
        `id`, `world_position` (three numbers), `speedKMH`, `yaw` of each, as far as known.

    Raises:
        SourceError: It is no such list.
    """
    try:
        found = parse(data.decode("utf-8"))
    except UnicodeDecodeError:
        _refuse("it is no text")
    if not isinstance(found, list) or len(found) > MAX_NAMES:
        _refuse("it is no list of cars")
    return [mapping(car) for car in found]


def road(found: Any) -> dict[str, npt.NDArray[np.float64]]:
    """Rows of numbers or of points, by name.

    Args:
        found: As a parser returned it.

    Returns:
        float[K] or float[K, 2] each, all finite.

    Raises:
        SourceError: It has another shape.
    """
    if not isinstance(found, dict) or len(found) > MAX_NAMES:
        _refuse("it is no list of names and values")
    rows = {}
    for name, value in found.items():
        try:
            row = np.array(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            _refuse("a row of the road is no row of numbers")
        if not isinstance(name, str) or row.ndim not in (1, 2) or row.shape[1:] not in ((), (2,)):
            _refuse("a row of the road is no row of points")
        if not np.all(np.abs(row) < HUGE):
            _refuse("a point of the road is nowhere")
        rows[name] = row
    return rows


class OpponentStream:
    """Cuts the stream of opponents into lists, however TCP splits or joins it.

    Attributes:
        count: Opponents that the greeting promised, None before it came.
    """

    def __init__(self) -> None:
        self.count: int | None = None
        self._buffer = b""

    def feed(self, data: bytes) -> list[list[dict[str, Any]]]:
        """Takes the next bytes.

        Returns:
            The lists that are complete now.

        Raises:
            SourceError: It is another stream.
        """
        self._buffer += data
        if len(self._buffer) > 2 * MAX_OPPONENTS:
            _refuse("a list of opponents is too long")
        found = []
        while (at := self._buffer.find(SEPARATOR)) >= 0:
            head = self._header(self._buffer[:at])
            if head is None:
                break
            begin = at + len(SEPARATOR)
            size = _encoded_length(self._buffer, begin, head)
            if size is None:
                break
            found.append(opponents(self._buffer[begin : begin + size]))
            self._buffer = self._buffer[begin + size :]
        if len(self._buffer) > 16 and SEPARATOR not in self._buffer:
            _refuse("no length comes before a list")
        return found

    def _header(self, head: bytes) -> int | None:
        """Length of the next list; the first header has the number of opponents before it."""
        if not head.isdigit() or len(head) > 10:
            _refuse("no length comes before a list")
        if self.count is not None:
            length = int(head)
        else:
            split = self._split_greeting(head)
            if split is None:
                return None
            self.count, length = split
        if length > MAX_OPPONENTS:
            _refuse("a list of opponents is too long")
        return length

    def _split_greeting(self, head: bytes) -> tuple[int, int] | None:
        """Number of opponents and length of the first list, which follow each other without a mark.

        The list itself tells where to cut: it ends with its closing bracket, and has as many cars.
        """
        begin = self._buffer.find(SEPARATOR) + len(SEPARATOR)
        cuts = [
            (int(head[:cut]), int(head[cut:])) for cut in range(1, len(head)) if head[cut:] == b"%d" % int(head[cut:])
        ]
        possible = [(count, length) for count, length in cuts if length <= MAX_OPPONENTS]
        for count, length in possible:
            body = self._buffer[begin : begin + length]
            try:
                if len(body) == length and len(opponents(body)) == count:
                    return count, length
            except SourceError:
                continue
        if all(len(self._buffer) - begin >= length for _, length in possible):
            _refuse("the number of opponents does not fit the list")
        return None


def _encoded_length(buffer: bytes, begin: int, characters: int) -> int | None:
    """[byte] Of so many characters of UTF-8, None when they are not all there."""
    part = buffer[begin : begin + characters]
    if len(part) == characters and part.isascii():
        return characters
    try:
        text = buffer[begin:].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return None
    return len(text[:characters].encode("utf-8")) if len(text) >= characters else None
