"""Drawn figures that the browser fetches by address: too large for Streamlit's way, and asked for once only."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Any, Final

PREFIX: Final = "/actwin/figure/"
MOST_BYTES: Final = 256 << 20
"""Bytes of figures that are kept; the one that was asked for least recently goes first."""

_lock = threading.Lock()
_kept: OrderedDict[str, bytes] = OrderedDict()


def keep(drawn: Any) -> str:
    """Keeps a figure for the browser.

    Args:
        drawn: A plotly figure.

    Returns:
        Its address, the same for the same figure, so that one that did not change is not fetched again.
    """
    text = str(drawn.to_json()).encode()
    name = hashlib.sha256(text).hexdigest()[:32]
    with _lock:
        _kept[name] = text
        _kept.move_to_end(name)
        while len(_kept) > 1 and sum(map(len, _kept.values())) > MOST_BYTES:
            _kept.popitem(last=False)
    return PREFIX + name


def fetch(name: str) -> bytes | None:
    """A figure as JSON; None when it is not kept any more.

    Args:
        name: The end of its address.
    """
    with _lock:
        if name in _kept:
            _kept.move_to_end(name)
        return _kept.get(name)
