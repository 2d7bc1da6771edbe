"""Records what a source tells until time, laps or somebody ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final

from actwin.content.library import car_names, load_car
from actwin.driving.interruption import Interruption
from actwin.errors import SessionError, SourceError
from actwin.pacing import Durations, Spread
from actwin.telemetry.ac.opening import open_source
from actwin.telemetry.ac.source import GameInfo, Health, Sample, Source
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
        health: Of the source, now.
        missed: Samples that the source knows to be lost.
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
    missed: int = 0
    intervals: Spread = field(default_factory=lambda: Durations().spread())
    ended: str = ""
    session: Session | None = None
    problem: str = ""
    exported: list[Path] = field(default_factory=list)


class _Tally:
    """Keeps a recording's numbers as samples come.

    Args:
        done: To fill.
    """

    def __init__(self, done: Recording) -> None:
        self._done, self._intervals = done, Durations()
        self._first = self._last = 0.0
        self._completed: int | None = None
        self._whole = False
        self._dropped = 0

    def add(self, sample: Sample) -> None:
        """The next sample."""
        done = self._done
        if done.frames:
            self._intervals.add(sample.time - self._last)
        else:
            self._first = sample.time
        self._last, done.frames, done.seconds = sample.time, done.frames + 1, sample.time - self._first
        self._count_laps(sample)

    def _count_laps(self, sample: Sample) -> None:
        """Laps that were seen from their beginning, as the car's own count goes up."""
        completed = int(sample.frame["lap_count"][0])
        if self._completed is None:
            self._whole = bool(sample.frame["lap_time"][0] < LAP_BEGINS)
        elif completed != self._completed:
            self._done.laps += completed > self._completed and self._whole
            self._whole = True
        self._completed = completed

    def look(self, health: Health) -> None:
        """How the source is; it counts anew when it was connected again."""
        self._done.missed += max(health.dropped - self._dropped, 0)
        self._done.health, self._dropped = health, health.dropped

    def reached(self, seconds: float | None, laps: int | None) -> str:
        """Which limit is reached, "" for none."""
        if seconds is not None and self._done.seconds >= seconds:
            return "time"
        return "laps" if laps is not None and self._done.laps >= laps else ""

    def intervals(self) -> Spread:
        """[s] From sample to sample."""
        return self._intervals.spread()


class _Presence:
    """Reads a source, notices when the game is gone, looks for it again, and says when it is another session.

    Args:
        source: Connected.
        info: What it told then.
        patience: [s] How long the game may be gone.
    """

    def __init__(self, source: Source, info: GameInfo, patience: float) -> None:
        self._source, self._info, self._patience = source, info, patience
        self._gone_since: float | None = None
        self._lost_contact = False
        self._looked = 0.0

    def read(self) -> Sample | None:
        """The next sample, None when there is none."""
        if self._lost_contact:
            sleep(READ)
            return None
        try:
            sample = self._source.read(READ)
        except SourceError:  # it wants to be connected again
            self._lost_contact = True
            return None
        if sample is not None:
            self._gone_since = None
        # The first sample of another car is not for this recording.
        return None if self._changed(self._told()) else sample

    def _told(self) -> GameInfo:
        """What a source says now that notices a change by itself."""
        info: GameInfo = getattr(self._source, "info", self._info)
        return info

    def over(self) -> str:
        """Why the recording is over; empty while it is not."""
        now = perf_counter()
        if not self._lost_contact and self._source.health().status != "dead":
            self._gone_since = None
            return self._changed(self._told())
        self._gone_since = now if self._gone_since is None else self._gone_since
        if now - self._gone_since > self._patience:
            return f"nothing came for {self._patience:g} s"
        return self._look(now) if now - self._looked > RECONNECT else ""

    def _look(self, now: float) -> str:
        self._looked = now
        try:
            found = self._source.connect(timeout=READ)
        except SourceError:
            self._lost_contact = True
            return ""
        self._lost_contact = False
        return self._changed(found)

    def _changed(self, found: GameInfo) -> str:
        if found is self._info:
            return ""
        here, there = (f"{info.car} on {info.track} {info.layout}".strip() for info in (self._info, found))
        return "" if here == there else f"the game changed to {there}"


class _Steering:
    """Gives `steer` where a source tells the angle of the wheel only, and the other way round.

    Args:
        info: Names the car; one that is not in the library leaves frames as they are.
    """

    def __init__(self, info: GameInfo) -> None:
        self._lock = info.steer_lock
        if not self._lock > 0.0 and info.car in car_names():
            self._lock = load_car(info.car).steering.wheel_lock

    def fill(self, sample: Sample) -> None:
        """Completes FRAME[1]."""
        if not self._lock > 0.0:
            return
        frame = sample.frame
        share, angle = float(frame["steer"][0]), float(frame["steer_angle"][0])
        if isnan(angle):
            frame["steer_angle"] = share * self._lock
        elif isnan(share):
            frame["steer"] = angle / self._lock


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
    done, presence, reported = Recording(info), _Presence(source, info, patience), 0.0
    tally, steering = _Tally(done), _Steering(info)
    with stop or Interruption() as stop:
        while not done.ended:
            sample = presence.read()
            if sample is not None:
                steering.fill(sample)
                recorder.add(sample)
                tally.add(sample)
            due = (now := perf_counter()) - reported > REPORT
            done.ended = tally.reached(seconds, laps) or ("stopped" if stop.asked else "")
            if not done.ended and (due or sample is None):
                done.ended = presence.over()
            if due or done.ended:
                reported = now
                tally.look(source.health())
                if on_progress:
                    on_progress(done)
    done.intervals = tally.intervals()
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
    for to in exports:
        try:
            done.exported.append(export(done.session, to, recorder.folder / f"telemetry.{to}", columns))
        except SessionError as error:  # the recording itself is safe
            done.problem = str(error)
    return done


def _missing(info: GameInfo) -> tuple[str, ...]:
    from actwin.telemetry.ac import app_frames, frames

    told = {**frames.MISSING, "app": app_frames.MISSING}
    return tuple(sorted(told.get(info.source.partition(":")[0], frozenset()) - {"steer", "steer_angle"}))
