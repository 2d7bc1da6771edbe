"""Numbers and pictures about laps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actwin.analysis.session import DrivenLap, DrivenSession, Laps, find_lap, open_session

__all__ = ["DrivenLap", "DrivenSession", "Laps", "find_lap", "open_session"]


def __getattr__(name: str) -> Any:
    """The library's front door, opened when somebody knocks: reading sessions imports Arrow."""
    if name in __all__:
        from actwin.analysis import session

        return getattr(session, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
