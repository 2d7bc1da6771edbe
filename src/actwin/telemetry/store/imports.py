"""Recordings of other programs as sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from actwin.errors import SessionError
from actwin.telemetry.store import acgym, shared_memory_log
from actwin.telemetry.store.csv_table import CsvFile
from actwin.telemetry.store.folder import DEFAULT
from actwin.telemetry.store.imported import Imported
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.motec_csv import import_motec_csv, is_motec_csv
from actwin.telemetry.store.motec_import import import_ld
from actwin.telemetry.store.own_csv import is_own_csv, read_own_csv
from actwin.telemetry.store.session import Session, write_session

LD: Final = ".ld"
LONGEST: Final = 1e7
"""[s] A recording lasts at most; a third of a year."""
_UNDERSTOOD: Final = "a MoTeC log (.ld), or a CSV of MoTeC i2, assetto_corsa_gym, a shared-memory logger or actwin"

_Reader = Callable[[CsvFile, list[str], int], Imported]


def read_recording(path: str | Path) -> Imported:
    """Reads a recording of another program; what it is is told by its content.

    Args:
        path: A `.ld` or CSV file.

    Raises:
        SessionError: The file cannot be read, is of none of these kinds, or is damaged.
    """
    path = Path(path)
    if path.suffix.lower() == LD:
        return import_ld(path)
    file = CsvFile(path)
    line, first = next(file.rows(), (0, []))
    if is_motec_csv(first):
        return import_motec_csv(file)
    names = [name.strip() for name in first]
    reader = _reader(names)
    if reader is None:
        shown = ", ".join(names[:6]) or "nothing"
        raise file.bad(f"is no recording that is known; it begins with {shown[:200]}. Import {_UNDERSTOOD}")
    return reader(file, names, line)


def _reader(names: list[str]) -> _Reader | None:
    if set(names) >= acgym.SIGNATURE:
        return acgym.read_acgym
    if set(names) >= shared_memory_log.SIGNATURE:
        return shared_memory_log.read_shared_memory_log
    return read_own_csv if is_own_csv(names) else None


def import_file(
    path: str | Path, root: str | Path = DEFAULT, *, track: str = "", car: str = "", driver: str = ""
) -> Session:
    """Makes a session of a recording of another program.

    Every column of the file is kept unchanged under `source_<name>`, beside the channels it stands for.

    Args:
        path: As `read_recording` takes it.
        root: Folder of all sessions.
        track, car, driver: What the file does not tell, or tells wrongly.

    Returns:
        The session.

    Raises:
        SessionError: The file cannot be used, or the session not be written.
    """
    path = Path(path)
    made = read_recording(path)
    if made.time[-1] > LONGEST:
        raise SessionError(f"{path}: lasts {made.time[-1]:.3g} s. At most {LONGEST:g} s are imported; check its times.")
    settings = {"source_names": made.renamed} if made.renamed else {}
    if made.started is None:
        made.notes.append("It does not tell when it was made; the date of the file stands for it.")
    meta = SessionMeta(
        started=made.started or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        source="import",
        track=track or made.track,
        car=car or made.car,
        layout=made.layout,
        driver=driver or made.driver,
        facts=made.facts,
        settings=settings,
        period=_period(made),
        missing=made.missing,
        origin=path.name,
        notes=" ".join(made.notes),
    )
    try:
        return write_session(root, meta, made.time, made.frames, made.game, made.sent, extra=made.extra)
    except MemoryError as error:
        raise SessionError(f"{path}: is too large for the memory of this machine. Import a part of it.") from error


def _period(made: Imported) -> float | None:
    """[s] The usual step from row to row."""
    steps = np.diff(made.time)
    steps = steps[steps > 0.0]
    return round(float(np.median(steps)), 6) or None if len(steps) else None
