"""Records what a source tells until time, laps or somebody ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from actwin.driving.interruption import Interruption
from actwin.errors import SourceError
from actwin.pacing import Durations, Spread
from actwin.telemetry.ac.source import GameInfo, Health, Sample, Source, open_source
from actwin.telemetry.store.export import export
from actwin.telemetry.store.folder import DEFAULT
from actwin.telemetry.store.recorder import Recorder
from actwin.telemetry.store.session import Session

PATIENCE: Final = 10.0
"""[s] A game that is gone so long does not come back into this recording."""
RECONNECT: Final = 1.0
"""[s] Between two looks for a game that is gone."""
REPORT: Final = 0.5
"""[s] Between two calls of `on_progress`."""
READ: Final = 0.1
"""[s] To wait for one sample."""
LAP_BEGINS: Final = 0.5
"""[s] A lap whose clock shows less at the first sample is recorded from its beginning."""


@dataclass
class Recording:
    """How a recording goes; it is filled while it runs.

    Attributes:
        info: What the source told about car and track.
        seconds: [s] From the first sample to the last.
        frames: Samples.
        laps: Completed laps that were recorded from their beginning.
        health: Of the source.
        intervals: [s] From sample to sample, as they arrived.
        ended: Why it ended, in words.
        session: What was recorded, once it has ended.
        problem: What went wrong on disk, in words; empty when nothing did.
        exported: Files that were also written.
    """

    info: GameInfo
    seconds: float = 0.0
    frames: int = 0
    laps: int = 0
    health: Health | None = None
    intervals: Spread = field(default_factory=lambda: Durations().spread())
    ended: str = ""
    session: Session | None = None
    problem: str = ""
    exported: list[Path] = field(default_factory=list)


class _LapCount:
    """Counts laps that were seen from their beginning, as the car's own count goes up."""

    def __init__(self) -> None:
        self.done = 0
        self._completed: int | None = None
        self._whole = False

    def add(self, sample: Sample) -> None:
        """Looks at the next sample."""
        completed = int(sample.frame["lap_count"][0])
        if self._completed is None:
            self._whole = bool(sample.frame["lap_time"][0] < LAP_BEGINS)
        elif completed != self._completed:
            self.done += completed > self._completed and self._whole
            self._whole = True
        self._completed = completed


class _Presence:
    """Notices when the game is gone, looks for it again, and says when that has become another session.

    Args:
        source: Connected.
        info: What it told then.
        patience: [s] How long the game may be gone.
    """

    def __init__(self, source: Source, info: GameInfo, patience: float) -> None:
        self._source, self._info, self._patience = source, info, patience
        self._gone_since: float | None = None
        self._looked = 0.0

    def back(self) -> None:
        """A sample came."""
        self._gone_since = None

    def over(self, health: Health) -> str:
        """Why the recording is over; empty while it is not.

        Args:
            health: Of the source, now.
        """
        now = perf_counter()
        if health.status != "dead":
            self._gone_since = None
            return ""
        self._gone_since = now if self._gone_since is None else self._gone_since
        if now - self._gone_since > self._patience:
            return f"nothing came for {self._patience:g} s"
        return self._look() if now - self._looked > RECONNECT else ""

    def _look(self) -> str:
        self._looked = perf_counter()
        try:
            found = self._source.connect(timeout=READ)
        except SourceError:
            return ""
        here, there = (f"{info.car} on {info.track} {info.layout}".strip() for info in (self._info, found))
        return "" if here == there else f"the game changed to {there}"


def record(
    source: Source,
    recorder: Recorder,
    info: GameInfo,
    *,
    seconds: float | None = None,
    laps: int | None = None,
    patience: float = PATIENCE,
    stop: Interruption | None = None,
    on_progress: Callable[[Recording], None] | None = None,
) -> Recording:
    """Takes every sample of a source until time, laps or somebody ends it, or the game is gone.

    Args:
        source: Connected.
        recorder: To write with; it stays open.
        info: What the source told when it was connected.
        seconds: [s] To record; None means without end.
        laps: To record from their beginning to their end; None means without end.
        patience: [s] How long the game may be gone; a paused game is not gone.
        stop: Ends it; by default Ctrl-C and a request to end the process do.
        on_progress: Called twice a second, whether or not samples come.

    Returns:
        How it went.
    """
    done, presence, intervals = Recording(info), _Presence(source, info, patience), Durations()
    lap_count, first, last, reported = _LapCount(), 0.0, 0.0, 0.0
    with stop or Interruption() as stop:
        while not done.ended:
            sample = source.read(READ)
            if sample is not None:
                recorder.add(sample)
                lap_count.add(sample)
                presence.back()
                if done.frames:
                    intervals.add(sample.time - last)
                else:
                    first = sample.time
                last, done.frames, done.laps = sample.time, done.frames + 1, lap_count.done
                done.seconds = last - first
            if seconds is not None and done.seconds >= seconds:
                done.ended = "time"
            elif laps is not None and done.laps >= laps:
                done.ended = "laps"
            elif stop.asked:
                done.ended = "stopped"
            elif sample is None:
                done.ended = presence.over(source.health())
            if (now := perf_counter()) - reported > REPORT or done.ended:
                done.health, done.intervals, reported = source.health(), intervals.spread(), now
                if on_progress:
                    on_progress(done)
    return done


def record_session(
    source: str,
    root: str | Path = DEFAULT,
    *,
    driver: str = "",
    notes: str = "",
    settings: Mapping[str, Any] | None = None,
    exports: Sequence[str] = (),
    columns: str = "",
    **limits: Any,
) -> Recording:
    """Opens a source, records it into a new session, and closes both.

    Args:
        source: As `open_source` takes it.
        root: Folder of all sessions.
        driver: Label of who drives; empty takes the name the game gives.
        notes: Kept with the session.
        settings: Kept with the session.
        exports: Formats as which it is also written, beside the session's own files.
        columns: Of these, as `export` takes them.
        limits: `seconds`, `laps`, `patience`, `stop` and `on_progress` of `record`.

    Returns:
        How it went, with the session.

    Raises:
        SourceError: Nobody answers, or no sample came.
        SessionError: The folder cannot be written.
    """
    opened = open_source(source)
    try:
        info = opened.connect()
        kept = dict(settings or {}) | {"source": source}
        with Recorder(root, info, driver, kept, missing=_missing(info), notes=notes) as recorder:
            done = record(opened, recorder, info, **limits)
        if not done.frames:
            recorder.discard()
            raise SourceError(f"'{opened.name}' answered, but no telemetry came. Drive, then record again.")
    finally:
        opened.close()
    done.session, done.problem = recorder.close(), recorder.problem
    done.exported = [export(done.session, to, recorder.folder / f"telemetry.{to}", columns) for to in exports]
    return done


def _missing(info: GameInfo) -> tuple[str, ...]:
    from actwin.telemetry.ac.frames import MISSING

    return tuple(sorted(MISSING.get(info.source.partition(":")[0], ())))
