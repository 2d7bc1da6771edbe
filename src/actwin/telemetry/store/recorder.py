"""The recorder: takes samples while a car is driven, never waits for the disk, and leaves a session."""

from __future__ import annotations

import contextlib
import queue
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from actwin.errors import SessionError
from actwin.telemetry.channels import Controls
from actwin.telemetry.store.folder import DEFAULT, STREAM, WriterLock, new_folder, remove
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.schema import ROW, absent, raw_batch, stream_schema_with
from actwin.telemetry.store.session import Session
from actwin.telemetry.store.table import compact

if TYPE_CHECKING:
    from actwin.telemetry.ac.source import GameInfo, Sample

FLUSH: Final = 0.5
"""[s] Rows of so much time go to disk together; a kill costs no more than these and those just being written."""
BLOCK_ROWS: Final = 1024
"""Rows of a block in memory; it goes to disk when it is full or `FLUSH` old."""
BLOCKS: Final = 16
"""Blocks in all, 10 MB: the disk may stall for eight seconds before samples are lost."""

_Rows = npt.NDArray[Any]


_SIZE: Final = ROW.itemsize
_CLOCK: Final = struct.Struct("<d")


def _span(part: str) -> tuple[int, int]:
    """First byte of a field of `ROW` and the one behind it."""
    assert ROW.fields is not None
    kind, start = ROW.fields[part][:2]
    return start, start + kind.itemsize


_FRAME, _GAME, _SENT = _span("frame"), _span("game"), _span("sent")


class Recorder:
    """Writes what a car does into a new session.

    Rows are gathered in memory and handed to a thread twice a second, which appends them to an Arrow stream; `close`
    turns the stream into a Parquet file. What a killed recorder wrote is recovered when its session is next opened.

    ```
    with Recorder("data/sessions", source.connect(), driver="me") as recorder:
        while driving:
            sample = source.read()
            if sample:
                recorder.add(sample)
    session = recorder.close()
    ```

    Args:
        root: Folder of all sessions.
        info: What the source told about car and track; or a complete meta, to which nothing below is added.
        driver: Label of who drives.
        settings: Kept in the meta: task, weather, options; values that JSON knows.
        period: [s] Expected time between samples, kept in the meta.
        missing: Channels the source cannot give, stored as unknown.
        patient: Waits for the disk rather than lose samples; for what runs faster than real time.
        notes: Kept in the meta.

    Attributes:
        folder: Of the session.
        frames: Samples taken.
        problem: Why, in words; empty when all is well.

    Raises:
        SessionError: The folder cannot be written.
    """

    def __init__(
        self,
        root: str | Path,
        info: GameInfo | SessionMeta,
        driver: str = "",
        settings: Mapping[str, Any] | None = None,
        period: float | None = None,
        missing: tuple[str, ...] = (),
        patient: bool = False,
        notes: str = "",
    ) -> None:
        more = {"settings": dict(settings or {}), "period": period, "missing": missing, "notes": notes}
        self.meta = info if isinstance(info, SessionMeta) else SessionMeta.of(info, driver, **more)
        self.frames, self.problem = 0, ""
        self._lost_behind, self._lost_refused = 0, 0
        self._patient = patient
        self._session: Session | None = None
        self._start: float | None = None
        self.folder = new_folder(Path(root or DEFAULT), self.meta.started, self.meta.track, self.meta.car,
                                 self.meta.dump())  # fmt: skip
        self._lock = WriterLock(self.folder)
        self._lock.acquire()
        self._open_stream()
        self._free: queue.SimpleQueue[_Rows] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[tuple[_Rows, int] | None] = queue.SimpleQueue()
        for _ in range(BLOCKS - 1):
            self._free.put(np.empty(BLOCK_ROWS, ROW))
        self._nothing_sent = absent("sent", 1).tobytes()
        self._take(np.empty(BLOCK_ROWS, ROW))
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def _open_stream(self) -> None:
        self._schema = stream_schema_with(self.meta.dump())
        # lz4 because it costs next to nothing; one thread because a batch is small and the cores have other work.
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        try:
            self._file = pa.OSFile(str(self.folder / STREAM), "wb")
            self._stream = pa.ipc.new_stream(self._file, self._schema, options=options)
        except (pa.ArrowException, OSError) as error:
            raise SessionError(f"{self.folder}: cannot be written ({error}). Choose another folder.") from error

    def _take(self, block: _Rows) -> None:
        self._block, self._bytes = block, block.view(np.uint8).reshape(-1).data
        self._used, self._begin = 0, 0.0

    def add(self, sample: Sample, sent: Controls | None = None) -> None:
        """Takes one sample; costs some microseconds and does not wait.

        Args:
            sample: As a source gives it; its frame and game records are copied.
            sent: CONTROLS[1] that went to the car for it.
        """
        if self._start is None:
            self._start = sample.time
        time, at, memory = sample.time - self._start, self._used * _SIZE, self._bytes
        if at == 0:
            self._begin = time
        # Bytes, not fields: ten times as fast, and records of another size are refused.
        _CLOCK.pack_into(memory, at, time)
        memory[at + _FRAME[0] : at + _FRAME[1]] = sample.frame.tobytes()
        memory[at + _GAME[0] : at + _GAME[1]] = sample.game.tobytes()
        memory[at + _SENT[0] : at + _SENT[1]] = self._nothing_sent if sent is None else sent.tobytes()
        self._used += 1
        self.frames += 1
        if self._used == BLOCK_ROWS or not 0.0 <= time - self._begin < FLUSH:
            self._hand_over()

    def _hand_over(self) -> None:
        try:
            block = self._free.get(block=self._patient)
        except queue.Empty:
            if self._used < BLOCK_ROWS:  # there is still room in this one
                return
            self._lost_behind += self._used
            self.problem = self.problem or "the disk did not keep up"
            block = self._block
        else:
            self._full.put((self._block, self._used))
        self._take(block)

    def _write(self) -> None:
        broken = False
        while (item := self._full.get()) is not None:
            block, used = item
            try:
                if not broken:
                    self._stream.write_batch(raw_batch(block[:used], self._schema))
            except (pa.ArrowException, OSError) as error:
                # The stream ends within a batch now: nothing that is appended could be read again.
                broken, self.problem = True, f"the disk refused: {' '.join(str(error).split())}"
            if broken:
                self._lost_refused += used
            self._free.put(block)

    @property
    def lost(self) -> int:
        """Samples that did not reach the disk."""
        return self._lost_behind + self._lost_refused

    def close(self) -> Session:
        """Writes what is left and makes the session complete; again gives the same session.

        Returns:
            The session, opened for reading. When the disk is full it stays as its stream, to be read or made complete
            later; `problem` says so.
        """
        if self._session is None:
            if self._used:
                self._full.put((self._block, self._used))
            self._full.put(None)
            self._thread.join()
            with contextlib.suppress(pa.ArrowException, OSError):  # the end of a stream is not needed to read it
                self._stream.close()
            with contextlib.suppress(pa.ArrowException, OSError):
                self._file.close()
            self._session = Session(self.folder, self._complete())
            self._lock.release()
        return self._session

    def _complete(self) -> SessionMeta:
        meta = self.meta.changed(state="complete", lost=self.lost)
        try:
            return compact(self.folder, meta)
        except (pa.ArrowException, OSError) as error:
            self.problem = self.problem or f"the disk refused: {' '.join(str(error).split())}"
            return meta

    def discard(self) -> None:
        """Closes and removes the session, for a recording that came to nothing."""
        self.close()
        remove(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
