"""Training runs as a page lists them: bounded, and inside the folder of runs whatever links there are."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import streamlit as st

from actwin.dashboard import training_jobs
from actwin.dashboard.folders import MOST_LISTED, one_line
from actwin.errors import ActwinError, ConfigError
from actwin.training.config import RunConfig, load_config
from actwin.training.folder import CONFIG, read_record
from actwin.training.metrics import JOURNAL, TABLE, metrics_table

if TYPE_CHECKING:
    import pandas as pd

MOST_CONFIG: Final = 1 << 20
"""Bytes of a run's settings."""
MOST_METRICS: Final = 256 << 20
"""Bytes of what a run measured."""
MOST_ROWS: Final = 2_000_000


class Row(NamedTuple):
    """A run in the list."""

    name: str
    """Its path below the folder of runs; what a page passes on."""
    folder: Path
    state: str
    note: str
    """Why it failed."""
    algorithm: str
    track: str
    car: str
    steps: int
    seconds: float
    """[s] Training time."""
    best_lap: float
    """[s] Fastest clean evaluation lap, NaN when there is none."""
    share: float
    """[-] Of its budget."""
    updated: datetime


def list_runs(root: Path) -> list[Row]:
    """Runs up to two levels below a folder, the one that wrote last first; what is none is passed over.

    Args:
        root: Folder of runs; one that does not exist holds none.
    """
    rows = []
    try:
        inside = root.resolve()
        places = sorted({*root.glob(f"*/{CONFIG}"), *root.glob(f"*/*/{CONFIG}")})
    except OSError:
        return []
    for path in places[:MOST_LISTED]:
        if not _inside(path.parent, inside):
            continue
        try:
            rows.append(_row(path.parent, path.parent.relative_to(root).as_posix()))
        except (ActwinError, OSError, ValueError, ArithmeticError, LookupError):
            continue
    rows += [_begun(folder) for folder in _beginning(root, inside)]
    return sorted(rows, key=lambda row: row.updated, reverse=True)


def _inside(folder: Path, root: Path) -> bool:
    """Whether a run's folder and what is read of it lie below the folder of runs."""
    try:
        paths = (folder, folder / CONFIG, folder / TABLE, folder / JOURNAL)
        small = (folder / CONFIG).stat().st_size <= MOST_CONFIG
        return small and all(path.resolve().is_relative_to(root) for path in paths)
    except (OSError, RuntimeError):
        return False


def _beginning(root: Path, inside: Path) -> list[Path]:
    """Runs that were started from a page and have no settings of their own yet, or failed before."""
    found = [path.parent for path in root.glob(f"*/{training_jobs.LOG}") if not (path.parent / CONFIG).exists()]
    return [folder for folder in found if folder.resolve().is_relative_to(inside)]


def _begun(folder: Path) -> Row:
    alive = training_jobs.goes_on(folder)
    lines = training_jobs.last_words(folder).splitlines()
    note = one_line(lines[-1], 300) if lines and not alive else ""
    written = datetime.fromtimestamp((folder / training_jobs.LOG).stat().st_mtime, UTC)
    state = "starting" if alive else "failed"
    return Row(one_line(folder.name), folder, state, note, "", "", "", 0, 0.0, math.nan, 0.0, written)


def _row(folder: Path, name: str) -> Row:
    config = _config(folder, (folder / CONFIG).stat().st_mtime_ns)
    table = _metrics(folder, _stamp(folder))
    steps = int(table["step"].iloc[-1]) if len(table) else 0
    seconds = float(table["seconds"].iloc[-1]) if len(table) else 0.0
    best = float(table["evaluation/best_lap"].min()) if "evaluation/best_lap" in table else math.nan
    record = read_record(folder) or {}
    alive = training_jobs.goes_on(folder)
    state = str(record.get("state", "")) or "ended"
    if state == "running" and not alive:
        state = "killed"
    train = config.train
    share = max(steps / train.steps, seconds / (60.0 * train.minutes) if train.minutes else 0.0)
    written = max(
        path.stat().st_mtime for path in (folder / CONFIG, folder / TABLE, folder / JOURNAL) if path.is_file()
    )
    return Row(
        one_line(name), folder, state, str(record.get("note", "")), config.agent.type, str(config.env.track),
        str(config.env.car), steps, seconds, best, min(max(share, 0.0), 1.0), datetime.fromtimestamp(written, UTC),
    )  # fmt: skip


def _stamp(folder: Path) -> tuple[int, ...]:
    files = [path.stat() for path in (folder / TABLE, folder / JOURNAL) if path.is_file()]
    return tuple(value for file in files for value in (file.st_mtime_ns, file.st_size))


@st.cache_data(max_entries=2 * MOST_LISTED, show_spinner=False)
def _config(folder: Path, stamp: int) -> RunConfig:
    return load_config(folder / CONFIG)


def metrics_of(row: Row) -> pd.DataFrame:
    """What a run measured, a line for each writing, `step` and `seconds` first.

    Args:
        row: The run.

    Raises:
        ConfigError: It is too large or damaged.
    """
    return _metrics(row.folder, _stamp(row.folder))


@st.cache_data(max_entries=64, show_spinner=False)
def _metrics(folder: Path, stamp: tuple[int, ...]) -> pd.DataFrame:
    size = sum(path.stat().st_size for path in (folder / TABLE, folder / JOURNAL) if path.is_file())
    if size > MOST_METRICS:
        raise ConfigError(f"{folder.name}: its metrics are larger than {MOST_METRICS >> 20} MB.")
    try:
        table = metrics_table(folder)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{folder.name}: its metrics cannot be read ({error}).") from error
    if table.num_rows > MOST_ROWS:
        raise ConfigError(f"{folder.name}: its metrics have more than {MOST_ROWS:,} rows.")
    return table.to_pandas()
