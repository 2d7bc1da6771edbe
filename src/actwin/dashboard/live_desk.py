"""What the gauges of the live page ask for by themselves, a few times a second, past Streamlit."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Any, Final

from actwin.dashboard.live_feed import LiveFeed
from actwin.dashboard.live_picture import Reference, picture

PREFIX: Final = "/actwin/live/"
MOST: Final = 50
"""Pairs of feed and reference that can be asked for."""

_lock = threading.Lock()
_offered: OrderedDict[str, tuple[LiveFeed, Reference | None]] = OrderedDict()


def offer(feed: LiveFeed, reference: Reference | None) -> str:
    """The address under which gauges find a feed.

    Args:
        feed: To be shown.
        reference: The lap for the delta time.
    """
    words = (feed.name, reference.track, reference.words, float(reference.time[-1])) if reference else (feed.name,)
    name = hashlib.sha256(repr(words).encode()).hexdigest()[:32]
    with _lock:
        _offered[name] = feed, reference
        _offered.move_to_end(name)
        while len(_offered) > MOST:
            _offered.popitem(last=False)
    return PREFIX + name


def look(name: str, seen: str = "", map_drawn: str = "") -> dict[str, Any] | None:
    """What the gauges show now; None when they show it already.

    Args:
        name: The end of the address.
        seen: Number of the reading that they show.
        map_drawn: Name of the track that they have drawn; its drawing is not sent again.

    Raises:
        LookupError: There is no such feed.
    """
    with _lock:
        feed, reference = _offered[name]
    view = feed.view()
    if not feed.alive:
        words = "Another source was chosen, or nobody looked for a while. Reload the page."
        return {"number": -1, "state": "dead", "words": "Ended", "facts": words, "who": "", "against": ""}
    if str(view.number) == seen:
        return None
    shown = {"number": view.number} | picture(view, reference)
    track = shown.get("track")
    if track is not None and track["name"] == map_drawn:
        shown["track"] = {"name": map_drawn}
    return shown
