"""Whether the twin knows what a game drives, and whether the game tells enough to be driven."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeVar

import numpy as np

from actwin.cockpit.completion import FLOATS, NEEDED
from actwin.content.track import Track
from actwin.errors import SourceError, UnknownNameError
from actwin.telemetry.ac import app_frames, frames
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import FRAME, Frames

FARTHEST: Final = 200.0
"""[m] From the centre line; a car further away is on another track."""
SAME_LENGTH: Final = 0.03
"""[-] By which the game's reference line may be longer or shorter than the centre line."""
Thing = TypeVar("Thing")


def named(load: Callable[[str], Thing], kind: str, name: str) -> Thing:
    """What the game names, from the library.

    Args:
        load: The library's function.
        kind: What is loaded, in the singular.
        name: As the game has it.

    Raises:
        UnknownNameError: The library does not know the name.
    """
    try:
        return load(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"{kind} (give one by hand, the game's is)", name, error.known) from error


def missing_channels(first: Frames, source: str) -> frozenset[str]:
    """Channels of FRAME that a source does not tell: as it declares, and as its first frame shows.

    Args:
        first: FRAME[1].
        source: Its name.
    """
    declared = app_frames.MISSING if source == "app" else frames.MISSING.get(source, frozenset())
    blank = {name for name in FLOATS if np.isnan(first[name]).any()}
    return (declared & set(FRAME.names or ())) | blank


def require_what_driving_needs(lacking: Collection[str], source: str) -> None:
    """Raises `SourceError` when channels without which nobody can drive are among the lacking ones of a source."""
    absent = sorted(set(NEEDED) & set(lacking))
    if absent:
        raise SourceError(
            f"The source '{source}' does not tell {', '.join(absent)}, without which nobody can drive. "
            "Use shared memory (`memory`) or the in-game app (`app`)."
        )


def require_the_same_road(track: Track, info: GameInfo, offset: float) -> None:
    """Raises `SourceError` when the game drives on another road.

    Args:
        track: That the twin has in mind.
        info: What the game says.
        offset: [m] Of the car from the track's centre line.
    """
    problem = ""
    if not abs(offset) <= FARTHEST:
        problem = f"the car is {abs(offset):.0f} m from its road"
    elif info.track_length > 0.0 and abs(info.track_length / track.length - 1.0) > SAME_LENGTH:
        problem = f"its lap has {track.length:.0f} m, the game's {info.track_length:.0f} m"
    if problem:
        raise SourceError(
            f"The game does not drive on '{track.name}' but on '{info.track}': {problem}. "
            "Give the track that the game drives on."
        )
