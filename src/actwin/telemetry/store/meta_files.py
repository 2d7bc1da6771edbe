"""Where the meta of a session is read from, and the words for one that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from actwin.errors import SessionError
from actwin.telemetry.store.folder import META, STREAM, TABLE
from actwin.telemetry.store.meta import JSON_LIMIT, SessionMeta, parse
from actwin.telemetry.store.schema import META_KEY
from actwin.telemetry.store.table import stream_schema


def read_meta(folder: Path) -> SessionMeta:
    """The meta of a session: from `session.json`, or from the telemetry file when that is newer, or alone readable.

    The Parquet file gets its place before `session.json` does; a recorder that was killed in between left an old one.

    Args:
        folder: Of the session.

    Raises:
        SessionError: There is none that can be read.
    """
    if _table_is_newer(folder) and (kept := _kept_meta(folder)) is not None:
        return parse(kept, folder)
    try:
        with (folder / META).open("rb") as file:
            return parse(file.read(JSON_LIMIT + 1), folder / META)
    except (OSError, SessionError) as error:
        kept = _kept_meta(folder)
        if kept is None:
            raise error if isinstance(error, SessionError) else damaged(folder, error) from error
        return parse(kept, folder)


def _table_is_newer(folder: Path) -> bool:
    try:
        return (folder / TABLE).stat().st_mtime_ns > (folder / META).stat().st_mtime_ns
    except OSError:
        return False


def _kept_meta(folder: Path) -> bytes | None:
    if not (folder / TABLE).is_file():
        schema = stream_schema(folder / STREAM)
        return None if schema is None else (schema.metadata or {}).get(META_KEY)
    try:
        with pq.ParquetFile(folder / TABLE) as file:
            kept: bytes | None = (file.metadata.metadata or {}).get(META_KEY)
            return kept
    except (pa.ArrowException, OSError):
        return None


def damaged(folder: Path, error: Exception) -> SessionError:
    """The error of a session that cannot be read.

    Args:
        folder: Of the session.
        error: What the reader said.
    """
    return SessionError(f"{folder}: cannot be read ({words(error)}). Move it away and record again.")


def words(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())
