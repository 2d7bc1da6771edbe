"""A bounded reader of Python literals, for plugins that answer with `str(...)` of their objects instead of JSON.

It knows dicts, lists, tuples, strings, numbers, True, False and None, nothing else, and evaluates nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from actwin.errors import SourceError

MAX_LENGTH: Final = 1 << 23
"""Characters of a text that is read at all."""
MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 500_000

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"[+-]?(?:inf|nan|\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?|\.\d{1,40}(?:[eE][+-]?\d{1,3})?)")
_STRING = re.compile(r"""'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)\"""")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_ESCAPED: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "0": "\0",
    "b": "\b",
    "f": "\f",
    "/": "/",
}
_WORDS: Final = {"True": True, "False": False, "None": None, "true": True, "false": False, "null": None}
_WORD = re.compile(r"[A-Za-z]{4,5}\b")
_BRACKETS = re.compile(rb"""[\[\](){}"'\\]""")
_CLOSING: Final = {"[": "]", "(": ")"}


def parse(text: str) -> Any:
    """The value of a JSON text or of a Python literal.

    Args:
        text: At most `MAX_LENGTH` characters, nested at most `MAX_DEPTH` deep when it is no JSON.

    Returns:
        Dicts, lists, tuples, strings, numbers, booleans and None.

    Raises:
        SourceError: It is neither.
    """
    if len(text) > MAX_LENGTH:
        raise SourceError(f"A message of {len(text)} characters is too long to be telemetry; at most {MAX_LENGTH} fit.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return parse_literal(text)


def parse_literal(text: str) -> Any:
    """The value of a Python literal.

    Args:
        text: At most `MAX_LENGTH` characters.

    Raises:
        SourceError: It is none, or nested too deeply.
    """
    if len(text) > MAX_LENGTH:
        raise SourceError(f"A message of {len(text)} characters is too long to be telemetry; at most {MAX_LENGTH} fit.")
    reader = _Reader(text)
    value = reader.value(0)
    reader.skip()
    if reader.at != len(text):
        raise reader.error("something follows the value")
    return value


class _Reader:
    """Where in a text the reading stands."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.items = text, 0, 0

    def error(self, problem: str) -> SourceError:
        """The refusal of this text, for a reason."""
        near = self.text[self.at : self.at + 20]
        return SourceError(
            f"An answer cannot be read: {problem} at character {self.at} ({near!r}). Is this the right port?"
        )

    def skip(self) -> None:
        """Goes past white space."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def take(self, character: str) -> bool:
        """Goes past a character when it is the next one."""
        self.skip()
        if self.text[self.at : self.at + 1] != character:
            return False
        self.at += 1
        return True

    def value(self, depth: int) -> Any:
        """The value that begins here."""
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise self.error("too much is nested or listed")
        self.skip()
        first = self.text[self.at : self.at + 1]
        if first == "{":
            return self._dict(depth)
        if first in ("[", "("):
            return self._sequence(first, depth)
        if first in ("'", '"'):
            return self._string()
        return self._scalar()

    def _dict(self, depth: int) -> dict[Any, Any]:
        self.at += 1
        found: dict[Any, Any] = {}
        while not self.take("}"):
            self.skip()
            if self.text[self.at : self.at + 1] in ("{", "[", "("):
                raise self.error("a key is no string or number")
            key = self.value(depth + 1)
            if not self.take(":"):
                raise self.error("a colon is missing")
            found[key] = self.value(depth + 1)
            if not self.take(","):
                if not self.take("}"):
                    raise self.error("a comma or a brace is missing")
                break
        return found

    def _sequence(self, opening: str, depth: int) -> Any:
        self.at += 1
        closing, found, commas = _CLOSING[opening], [], 0
        while not self.take(closing):
            found.append(self.value(depth + 1))
            if self.take(","):
                commas += 1
            elif not self.take(closing):
                raise self.error("a comma or a bracket is missing")
            else:
                break
        if opening == "[":
            return found
        return found[0] if len(found) == 1 and not commas else tuple(found)

    def _string(self) -> str:
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise self.error("a string does not end")
        self.at = match.end()
        inside = match[1] if match[1] is not None else match[2]
        return _ESCAPE.sub(_unescape, inside)

    def _scalar(self) -> Any:
        match = _WORD.match(self.text, self.at)
        if match is not None and match[0] in _WORDS:
            self.at = match.end()
            return _WORDS[match[0]]
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self.error("a value is missing")
        self.at = match.end()
        word = match[0]
        return int(word) if word.lstrip("+-").isdigit() else float(word)


def _unescape(match: re.Match[str]) -> str:
    word = match[1]
    if word[0] in "xuU" and len(word) > 1:
        number = int(word[1:], 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return _ESCAPED.get(word, f"\\{word}")


class Completeness:
    """Notices when a stream has brought one whole bracketed value.

    Attributes:
        complete: Whether the value that began with the first bracket has ended.
    """

    def __init__(self) -> None:
        self.complete = False
        self._depth = 0
        self._quote = b""
        self._escaped = False

    def feed(self, data: bytes) -> bool:
        """Looks at the next bytes.

        Returns:
            `complete`.
        """
        if self._escaped and data:
            data, self._escaped = data[1:], False
        after = 0
        for match in _BRACKETS.finditer(data):
            mark = match[0]
            if match.start() < after:
                continue  # behind a backslash
            if self._quote:
                if mark == b"\\":
                    after = match.end() + 1
                elif mark == self._quote:
                    self._quote = b""
            elif mark in (b'"', b"'"):
                self._quote = mark
            elif mark in (b"{", b"[", b"("):
                self._depth += 1
            elif mark != b"\\":
                self._depth -= 1
                self.complete = self.complete or self._depth <= 0
        self._escaped = after > len(data)
        return self.complete
