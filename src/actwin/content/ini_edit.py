"""Single values of an INI file, read and changed without touching the rest of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_SECTION: Final = re.compile(r"\s*\[\s*(?P<name>[^\]]*?)\s*\]")
_BOM: Final = "\N{LATIN SMALL LETTER I WITH DIAERESIS}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}¿"
"""The three bytes of UTF-8's byte order mark, read as Latin-1."""


class _Line(NamedTuple):
    """One line with the section it stands in, in lower case; its heading belongs to the section it opens."""

    text: str
    section: str
    is_heading: bool


def read_value(data: bytes, section: str, key: str) -> str | None:
    """The value of a key, without a trailing comment; the last one where the key is repeated.

    Section and key are found whatever their case, as the game finds them.

    Args:
        data: The file's bytes; any encoding that keeps ASCII.
        section, key: Names.
    """
    found = None
    for line in _lines(data):
        match = _key_line(key).match(line.text) if line.section == section.lower() else None
        if match:
            found = match["value"]
    return found


def with_value(data: bytes, section: str, key: str, value: str) -> bytes:
    """The file with a key set; every other byte stays, comments behind the value too.

    A missing key is added at the end of its section, a missing section at the end of the file.

    Args:
        data: The file's bytes, empty for a new file.
        section, key, value: ASCII, without line breaks.
    """
    lines = list(_lines(data))
    changed, last, seen = [], None, False
    for i, line in enumerate(lines):
        text = line.text
        if line.section == section.lower():
            if line.is_heading or text.strip():
                last = i
            if match := _key_line(key).match(text):
                text, seen = f"{match['head']}{value}{text[match.end('value') :]}", True
        changed.append(text)
    if not seen:
        _insert(changed, last, section, f"{key}={value}")
    return "".join(changed).encode("latin-1")


def without_value(data: bytes, section: str, key: str) -> bytes:
    """The file without a key; a section that holds nothing else goes too."""
    kept = [line for line in _lines(data) if not (line.section == section.lower() and _key_line(key).match(line.text))]
    inside = [line for line in kept if line.section == section.lower()]
    if all(line.is_heading or not line.text.strip() for line in inside):
        kept = [line for line in kept if line.section != section.lower()]
    return "".join(line.text for line in kept).encode("latin-1")


def _lines(data: bytes) -> Iterator[_Line]:
    """Latin-1 maps every byte to one character and back, so the file's own encoding need not be known."""
    section = ""
    for text in re.findall(r"[^\n]*\n|[^\n]+", data.decode("latin-1")):
        heading = _SECTION.match(text.removeprefix(_BOM))
        if heading:
            section = heading["name"].lower()
        yield _Line(text, section, heading is not None)


def _key_line(key: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<head>[ \t]*{re.escape(key)}[ \t]*=[ \t]*)(?P<value>.*?)[ \t]*(?:(?:;|//).*)?[\r\n]*$", re.I
    )


def _insert(texts: list[str], last: int | None, section: str, line: str) -> None:
    """Adds a line behind the last one of its section, or both at the end of the file."""
    newline = "\n" if texts and "\r\n" not in "".join(texts) else "\r\n"
    if last is not None:
        if not texts[last].endswith("\n"):
            texts[last] += newline
        texts.insert(last + 1, line + newline)
        return
    if texts and not texts[-1].endswith("\n"):
        texts[-1] += newline
    gap = newline if texts and texts[-1].strip() else ""
    texts.append(f"{gap}[{section}]{newline}{line}{newline}")
