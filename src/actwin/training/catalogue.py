"""All training runs below a folder, from what they wrote."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from actwin.errors import ConfigError
from actwin.training.config import RunConfig, load_config
from actwin.training.folder import CONFIG, RECORD, RUNNING, is_locked, read_record
from actwin.training.metrics import JOURNAL, TABLE, metrics_table
from actwin.training.runs import BEST, LAST

DEPTH: Final = 4
"""Levels of folders that are searched."""
KILLED: Final = "killed"
"""State of a run whose process ended without a word."""
UNKNOWN: Final = ""
"""State of a run of a version that kept no record."""


class Run(NamedTuple):
    """One run as its folder tells it."""

    folder: Path
    config: RunConfig
    steps: int
    """Car steps so far."""
    seconds: float
    """[s] Training time so far."""
    best_lap: float
    """[s] Fastest clean evaluation lap, NaN when there is none."""
    clean_share: float
    """[-] Of the last evaluation, NaN before there is one."""
    updated: datetime
    """When it wrote last."""
    checkpoint: Path | None
    """The best one."""
    state: str = UNKNOWN
    """"running", "finished", "stopped", "failed" or "killed"."""
    note: str = ""
    """Why it failed."""
    git: str = ""
    """Commit of the sources, where they had one."""

    @property
    def running(self) -> bool:
        """Whether a process trains in it now."""
        return self.state == RUNNING


def find_runs(root: str | Path) -> list[Run]:
    """The runs below a folder, the one that wrote last first; folders that are no runs are passed over.

    Args:
        root: Searched `DEPTH` levels deep.

    Raises:
        ConfigError: There is no such folder.
    """
    return scan_runs(root)[0]


def scan_runs(root: str | Path) -> tuple[list[Run], dict[Path, str]]:
    """The runs below a folder, and those that cannot be read, with the reason.

    Args:
        root: As in `find_runs`.

    Raises:
        ConfigError: There is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ConfigError(
            f"{root}: there is no such folder. Train a driver with: actwin train configs/bc_ppo_monza.yaml"
        )
    files = {path for depth in range(DEPTH + 1) for path in root.glob(f"{'*/' * depth}{CONFIG}")}
    runs, broken = [], {}
    for path in files:
        try:
            runs.append(_read(path.parent))
        except (ConfigError, OSError, ValueError, KeyError) as error:
            if any((path.parent / name).is_file() for name in (RECORD, TABLE, JOURNAL, LAST)):
                broken[path.parent] = " ".join(str(error).split())
    return sorted(runs, key=lambda run: run.updated, reverse=True), dict(sorted(broken.items()))


def _read(folder: Path) -> Run:
    config = load_config(folder / CONFIG)
    table = metrics_table(folder, ("evaluation/best_lap", "evaluation/clean_share"))
    seen = {name: table[name].drop_null().to_numpy() for name in table.column_names}
    laps, shares = seen.get("evaluation/best_lap", ()), seen.get("evaluation/clean_share", ())
    written = max(path.stat().st_mtime for name in (CONFIG, JOURNAL, TABLE) if (path := folder / name).is_file())
    known = [path for path in (folder / BEST, folder / LAST) if path.is_file()]
    record = read_record(folder) or {}
    return Run(
        folder,
        config,
        int(seen["step"][-1]) if len(table) else 0,
        float(seen["seconds"][-1]) if len(table) else 0.0,
        float(min(laps, default=math.nan)),
        float(shares[-1]) if len(shares) else math.nan,
        datetime.fromtimestamp(written, UTC),
        known[0] if known else None,
        _state(folder, record),
        str(record.get("note", "")),
        _commit(record),
    )


def _state(folder: Path, record: dict[str, Any]) -> str:
    if is_locked(folder):
        return RUNNING
    state = str(record.get("state", UNKNOWN))
    return KILLED if state == RUNNING else state


def _commit(record: dict[str, Any]) -> str:
    versions = record.get("versions")
    return str(versions.get("git", "")) if isinstance(versions, dict) else ""
