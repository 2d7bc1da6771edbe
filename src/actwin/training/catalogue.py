"""All training runs below a folder, from what they wrote."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from actwin.errors import ConfigError
from actwin.training.board import read_metrics
from actwin.training.config import RunConfig, load_config
from actwin.training.runs import BEST, LAST

RUNNING_WITHIN = 120.0
"""[s] A run that wrote something so recently counts as running."""


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

    @property
    def running(self) -> bool:
        """Whether it wrote something within the last two minutes and has not finished."""
        fresh = (datetime.now(UTC) - self.updated).total_seconds() < RUNNING_WITHIN
        train = self.config.train
        budget = math.inf if train.minutes is None else 60.0 * train.minutes
        return fresh and self.steps < train.steps and self.seconds < budget


def find_runs(root: str | Path) -> list[Run]:
    """The runs below a folder, the one that wrote last first; folders that are no runs are passed over.

    Args:
        root: Searched three levels deep.

    Raises:
        ConfigError: There is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ConfigError(
            f"{root}: there is no such folder. Train a driver with: actwin train configs/bc_ppo_monza.yaml"
        )
    files = {path for pattern in ("", "*/", "*/*/", "*/*/*/") for path in root.glob(f"{pattern}config.yaml")}
    runs = [run for path in files if (run := _read(path.parent)) is not None]
    return sorted(runs, key=lambda run: run.updated, reverse=True)


def _read(folder: Path) -> Run | None:
    try:
        config = load_config(folder / "config.yaml")
        rows = read_metrics(folder)
        written = max(path.stat().st_mtime for path in (folder / "config.yaml", *folder.glob("metrics.jsonl")))
    except (ConfigError, OSError, ValueError, KeyError):
        return None
    laps = [row["evaluation/best_lap"] for row in rows if "evaluation/best_lap" in row]
    shares = [row["evaluation/clean_share"] for row in rows if "evaluation/clean_share" in row]
    known = [path for path in (folder / BEST, folder / LAST) if path.is_file()]
    return Run(
        folder,
        config,
        int(rows[-1]["step"]) if rows else 0,
        float(rows[-1]["seconds"]) if rows else 0.0,
        min(laps, default=math.nan),
        shares[-1] if shares else math.nan,
        datetime.fromtimestamp(written, UTC),
        known[0] if known else None,
    )
