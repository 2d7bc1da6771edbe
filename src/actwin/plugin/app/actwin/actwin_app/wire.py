"""Text on the wire: messages that are valid JSON and valid Python literals at once, controls read strictly.

The two languages differ in true/false/null, so truth is 0 or 1 here and what is not known is absent.
"""

import json
import re

MAX_CONTROLS = 1024
"""[byte] A control message is a flat dict of a few numbers."""

_PAIR = re.compile(
    r"""\s*(?:"(\w{1,32})"|'(\w{1,32})')\s*:\s*(-?\d[\d.eE+-]{0,31}|true|false|null|True|False|None)\s*([,}])""",
    re.ASCII,
)
_WORDS = {"true": 1.0, "True": 1.0, "false": 0.0, "False": 0.0, "null": None, "None": None}
_HUGE = 1e30


def clean(value):
    """The value as both languages can say it; None when they cannot.

    Args:
        value: Numbers, texts, and lists, tuples or dicts of them.
    """
    if isinstance(value, float):
        return float("%.9g" % value) if -_HUGE < value < _HUGE else None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        pairs = [(str(key), clean(item)) for key, item in value.items()]
        return {key: item for key, item in pairs if item is not None}
    if isinstance(value, (list, tuple)):
        items = [clean(item) for item in value]
        return None if any(item is None for item in items) else items
    return None


def encode(value):
    """The value as bytes.

    Args:
        value: A dict or a list; what cannot be said is left out.
    """
    return json.dumps(clean(value), allow_nan=False, ensure_ascii=False).encode("utf-8", "replace")


def parse_controls(data):
    """Read a control message: one flat dict of numbers, as JSON or as a Python literal.

    Args:
        data: Bytes from the network.

    Returns:
        Name and finite float of each entry, or None when it is anything else.
    """
    if len(data) > MAX_CONTROLS:
        return None
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    if not text.startswith("{"):
        return None
    values, at = {}, 1
    while True:
        match = _PAIR.match(text, at)
        if match is None:
            return None
        number = _number(match.group(3))
        if number is not None:
            if number != number or not -_HUGE < number < _HUGE:
                return None
            values[match.group(1) or match.group(2)] = number
        at = match.end()
        if match.group(4) == "}":
            return values if at == len(text) and values else None


def _number(word):
    """The float of a word; None for no value, NaN for what is no number."""
    if word in _WORDS:
        return _WORDS[word]
    try:
        return float(word)
    except ValueError:
        return float("nan")
