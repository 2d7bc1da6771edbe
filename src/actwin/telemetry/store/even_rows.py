"""A recorded drive at even times: what can be used of it, in unbroken pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.errors import SessionError
from actwin.telemetry.ac.pages import Status
from actwin.telemetry.channels import FRAME, FRAME_CHANNEL, FRAME_CHANNELS, WHEELS, Controls, Frames
from actwin.telemetry.quality import findings as marks
from actwin.telemetry.store.resampling import resampled
from actwin.telemetry.store.schema import absent
from actwin.telemetry.store.tape import Rows, Tape

SLOWEST: Final = 0.2
"""[s] From row to row at most: between rows that lie further apart a driver does more than a line can tell."""
BRIDGED: Final = 2.5
"""Usual steps over which a drive goes on, so that a row may be missing."""
LEAP: Final = 4.0
"""[m] Further than its speed explains a car does not come by driving."""
STANDS: Final = 1.0
"""[m/s] Below it, with the throttle closed, a car waits."""
CLOSED: Final = 0.05

WRONG: Final = (
    marks.TIME, marks.DUPLICATE, marks.FROZEN, marks.NOT_FINITE, marks.RANGE, marks.TELEPORT, marks.UNIT, marks.MOTION,
)  # fmt: skip
"""Findings of a check whose rows are not used."""
BROKEN: Final = (marks.GAP, marks.TELEPORT, marks.PAUSE, marks.RESTART)
"""Findings before whose rows something is missing."""

Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.float64]


class EvenRows(NamedTuple):
    """A drive at even times."""

    time: Times
    """[s] [G] Of the recording."""
    frames: Frames
    """FRAME[G]"""
    sent: Controls
    """CONTROLS[G]: what was sent at these times, NaN where nothing was."""
    begins: Flags
    """[G]: nothing that is known leads to this row; the rows up to the next such one are a control period apart."""
    rows: int
    """Of the recording."""
    left_out: Counter[str]
    """Rows of the recording that were not used, by the reason."""


def even_rows(tape: Tape, period: float, needed: Collection[str], accept: Collection[str] = ()) -> EvenRows:
    """Brings what can be used of a drive to even times.

    Numbers are interpolated, counts and gears hold their last value. A piece ends where rows are missing, where the car
    was put somewhere else, where the game paused or began anew, and where rows cannot be used: those that a check
    marked, those without a number where one is needed, in the pits, in a pause or a replay, and while the car waits.

    Args:
        tape: The drive.
        period: [s] Between the rows that are wanted.
        needed: Channels of FRAME without whose numbers a row is of no use.
        accept: Names of findings of a check whose rows are used all the same.

    Raises:
        SessionError: Its rows are too far apart, or cannot be read.
    """
    slowest = max(SLOWEST, period)
    if not tape.step <= slowest * 1.05:
        rate = f"has {1.0 / tape.step:.3g} rows a second" if tape.step > 0.0 else "has fewer than two rows"
        raise SessionError(
            f"{tape.name}: {rate}, which is too few for a driver who decides every {1000.0 * period:.0f} ms: at least "
            f"{1.0 / slowest:.3g} are needed. Record it at a higher rate."
        )
    sieve = _Sieve(tape, period, needed, accept)
    grid = _Grid(period)
    for rows in tape.pieces():
        grid.add(*sieve.take(rows))
    time, frames, sent, begins = grid.done()
    return EvenRows(time, frames, sent, begins, sieve.rows, +sieve.left_out)


class _Sieve:
    """Takes the rows that can be used, and knows where a drive is broken."""

    def __init__(self, tape: Tape, period: float, needed: Collection[str], accept: Collection[str]) -> None:
        self._told, self._needed = tape.told, sorted(set(needed) & tape.told)
        self._longest = max(BRIDGED * tape.step, 2.0 * period if tape.step < period else 0.0)
        self._wrong = {kind.name: np.uint32(kind.mask) for kind in WRONG if kind.name not in accept}
        self._broken = np.uint32(sum(kind.mask for kind in BROKEN if kind.name not in accept))
        self._last: tuple[float, float, float, float] | None = None
        self._cut = True
        self.rows, self.left_out = 0, Counter[str]()

    def take(self, rows: Rows) -> tuple[Rows, Flags]:
        """What is left of some rows, and before which of them the drive is broken."""
        self.rows += len(rows.time)
        reasons = dict(self._reasons(rows))
        used = np.ones(len(rows.time), np.bool_)
        for name, flags in reasons.items():
            self.left_out[name] += int(np.count_nonzero(flags & used))
            used &= ~flags
        broken = (rows.quality & self._broken) != 0
        # What happened on a row that is left out happened before the next one that is not.
        count = np.concatenate([[0], np.cumsum(broken)])
        kept = np.flatnonzero(used)
        before = np.concatenate([[0], kept[:-1] + 1])[: len(kept)]
        happened = count[kept + 1] - count[before] > 0 if len(kept) else np.zeros(0, np.bool_)
        left = rows.take(kept)
        begins = self._breaks(left) | happened
        if len(kept):
            begins[0] |= self._cut
            self._cut = bool(count[-1] - count[kept[-1] + 1])
        else:
            self._cut = self._cut or bool(count[-1])
        return left, begins

    def _reasons(self, rows: Rows) -> Iterator[tuple[str, Flags]]:
        """Why rows are not used."""
        frames, game, told = rows.frames, rows.game, self._told
        last = -np.inf if self._last is None else self._last[0]
        highest = np.maximum.accumulate(np.concatenate([[last], np.nan_to_num(rows.time[:-1], nan=-np.inf)]))
        yield "time stands or runs back", ~(rows.time > highest)
        for name, mask in self._wrong.items():
            yield f"marked {name}", (rows.quality & mask) != 0
        known = np.ones(len(rows.time), np.bool_)
        for name in self._needed:
            values = frames[name]
            known &= np.isfinite(values) if values.ndim == 1 else np.isfinite(values).all(axis=1)
        yield "no number", ~known
        if "status" in told:
            yield "pause or replay", game["status"] != Status.LIVE
        for name, words in (("in_pit", "in the pits"), ("in_pit_lane", "in the pit lane")):
            if name in told:
                yield words, game[name] != 0
        if {"speed", "throttle"} <= told:
            yield "waiting", (frames["speed"] < STANDS) & (frames["throttle"] < CLOSED)

    def _breaks(self, rows: Rows) -> Flags:
        """Before which rows time or way is missing."""
        time, frames = rows.time, rows.frames
        here = np.stack([time, *(frames[name].astype(np.float64) for name in ("x", "y", "speed"))], axis=1)
        if not len(here):
            return np.zeros(0, np.bool_)
        first = here[:1] if self._last is None else np.array([self._last])
        before = np.concatenate([first, here[:-1]])
        self._last = tuple(here[-1])
        passed = here[:, 0] - before[:, 0]
        moved = np.hypot(here[:, 1] - before[:, 1], here[:, 2] - before[:, 2])
        explained = np.fmax(here[:, 3], before[:, 3]) * passed * 1.5 + LEAP
        return np.asarray((passed > self._longest) | (moved > explained))


class _Grid:
    """Brings rows that come in turns to even times; the result does not depend on where the turns are cut."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._last: Rows | None = None
        self._start, self._number = 0.0, 0
        self._made: list[tuple[Times, Frames, Controls, Flags]] = []

    def add(self, rows: Rows, begins: Flags) -> None:
        """Takes further rows, and before which of them the drive is broken."""
        if not len(rows.time):
            return
        if self._last is not None:
            rows = self._last.followed_by(rows)
            begins = np.concatenate([[False], begins])
        edges = [0, *(np.flatnonzero(begins[1:]) + 1), len(begins)]
        for first, last in pairwise(edges):
            if begins[first]:
                self._start, self._number = float(rows.time[first]), 0
            self._add_piece(rows.take(slice(first, last)))
        self._last = rows.take(slice(-1, None))

    def _add_piece(self, rows: Rows) -> None:
        number = int(np.floor((rows.time[-1] - self._start) / self._period + 1e-6)) + 1
        count = number - self._number
        if count <= 0:
            return
        at: Times = self._start + self._period * np.arange(self._number, number, dtype=np.float64)
        begins: Flags = np.zeros(count, np.bool_)
        begins[0] = self._number == 0
        self._made.append((at, _frames_at(rows, at), _sent_at(rows, at), begins))
        self._number = number

    def done(self) -> tuple[Times, Frames, Controls, Flags]:
        """Everything at even times."""
        if not self._made:
            return np.zeros(0), np.zeros(0, FRAME), absent("sent", 0), np.zeros(0, np.bool_)
        times, frames, sent, begins = zip(*self._made, strict=True)
        return np.concatenate(times), np.concatenate(frames), np.concatenate(sent), np.concatenate(begins)


def _frames_at(rows: Rows, at: Times) -> Frames:
    """FRAME at other times; a channel that tells nothing stays NaN, or 0."""
    made = absent("frame", len(at))
    for channel in FRAME_CHANNELS:
        values = rows.frames[channel.name]
        for wheel in range(len(WHEELS) if channel.wheels else 1):
            column = values[:, wheel] if channel.wheels else values
            if not np.isfinite(column).any():
                continue
            found = resampled(rows.time, column.astype(np.float64), at, channel.name)
            if FRAME_CHANNEL[channel.name].wheels:
                made[channel.name][:, wheel] = found
            else:
                made[channel.name] = found
    return made


def _sent_at(rows: Rows, at: Times) -> Controls:
    """CONTROLS at other times: a control that is held for a row and then changes counts by the time of each."""
    made = absent("sent", len(at))
    before = np.clip(np.searchsorted(rows.time, at + 1e-6, side="right") - 1, 0, len(rows.time) - 1)
    after = np.minimum(before + 1, len(rows.time) - 1)
    span = rows.time[after] - rows.time[before]
    share = np.clip((at - rows.time[before]) / np.where(span > 0.0, span, 1.0), 0.0, 1.0)
    for name in ("steer", "throttle", "brake", "clutch", "drs"):
        values = rows.sent[name].astype(np.float64)
        mixed = values[before] + share * (values[after] - values[before])
        made[name] = np.where(share < 1e-3, values[before], mixed)
    made["gear"] = rows.sent["gear"][before]
    return made
