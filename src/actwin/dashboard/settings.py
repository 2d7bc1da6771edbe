"""What the dashboard was started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actwin.telemetry.store.folder import DEFAULT


@dataclass(frozen=True)
class Settings:
    """Where the dashboard looks. Pages offer what lies in these folders and nothing else.

    Attributes:
        sessions: Folder of all sessions.
        runs: Folder of training runs.
        configs: Folder of settings files a run can be started with.
        source: Live telemetry, as `open_source` takes it.
    """

    sessions: Path = DEFAULT
    runs: Path = Path("runs")
    configs: Path = Path("configs")
    source: str = "auto"


_current = Settings()


def configure(settings: Settings) -> None:
    """Sets what the pages of this process show."""
    global _current
    _current = settings


def current() -> Settings:
    """What the pages of this process show."""
    return _current
