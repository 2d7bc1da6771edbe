"""The real-time loop: reads a car, lets a driver decide, sends the controls, measures every turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from actwin.cockpit.protocol import Cockpit
from actwin.driving.driver import Driver
from actwin.driving.interruption import Interruption
from actwin.errors import SourceError
from actwin.pacing import Pacer, Spread
from actwin.telemetry.channels import Controls, Frames, neutral_controls
from actwin.twin.simulator import PHYSICS_STEP

DECIDE: Final = "decide"
SEND: Final = "send"
ANSWER: Final = "decide and send"
WAIT: Final = "wait for the game"
"""Sections of a turn; `ANSWER` is what lies between a decoded frame and the controls that were sent for it."""

LATE: Final = 0.5
"""[-] Share of a control period by which frames may come later before a deadline counts as missed."""


class LapDriven(NamedTuple):
    """A lap that was completed while driving.

    Attributes:
        number: Laps completed since the session began.
        time: [s] As the game's own clock has it.
        valid: No track-limit offence was counted.
    """

    number: int
    time: float
    valid: bool


@dataclass
class Drive:
    """How a drive went; it is filled while driving.

    Attributes:
        period: [s] Control period.
        periods: Controls that were sent.
        steps: Physics steps of the game that passed meanwhile.
        missed: Control periods of the game that passed without new controls.
        laps: Those completed, in order.
        breaks: Why the game could not be driven for a while, in order.
        sections: Durations of the parts of a turn.
        ended: Why it ended: `time`, `laps`, `stopped`, or the words of the error.
        failed: Whether it ended because the game could no longer be read or driven.
    """

    period: float
    periods: int = 0
    steps: int = 0
    missed: int = 0
    laps: list[LapDriven] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    sections: dict[str, Spread] = field(default_factory=dict)
    ended: str = ""
    failed: bool = False

    @property
    def game_time(self) -> float:
        """[s] Of driving, on the game's clock."""
        return self.steps * PHYSICS_STEP

    @property
    def best(self) -> LapDriven | None:
        """The fastest valid lap."""
        return min((lap for lap in self.laps if lap.valid and lap.time > 0.0), key=lambda lap: lap.time, default=None)


def drive(
    cockpit: Cockpit,
    driver: Driver,
    *,
    seconds: float | None = None,
    laps: int | None = None,
    stop: Interruption | None = None,
    on_period: Callable[[Drive, Frames, Controls], None] | None = None,
    pacer: Pacer | None = None,
) -> Drive:
    """Drives one car until time, laps or somebody ends it, then lets go of the controls.

    The cockpit paces the loop: its `read` returns when the next control is due. A deadline is missed when the game's
    own count of physics steps says that more than one control period passed between two frames. When the game stands
    still or vanishes, the cockpit is reset, which looks for it again, and the drive goes on.

    Args:
        cockpit: Of one car, ready to be reset.
        driver: For one car.
        seconds: [s] Of game time to drive; None means without end.
        laps: To complete; None means without end.
        stop: Ends it; by default Ctrl-C and a request to end the process do.
        on_period: Called after each turn with the drive so far, FRAME[1] that was answered and CONTROLS[1] that were
            sent.
        pacer: That measures; by default a new one without a period.

    Returns:
        How it went. A game that does not come back ends the drive and is told there.

    Raises:
        SourceError: The drive could not begin.
    """
    done, pacer = Drive(cockpit.period), pacer or Pacer()
    with stop or Interruption() as stop:
        loop = _Loop(cockpit, driver, done, pacer)
        try:
            while not (_finished(done, seconds, laps) or _asked(stop, done)):
                try:
                    frames, sent = loop.answer()
                    if on_period:
                        on_period(done, frames, sent)
                    loop.wait()
                except SourceError as error:
                    done.breaks.append(str(error))
                    loop.begin()
        except SourceError as error:
            done.ended, done.failed = ("stopped", False) if stop.asked else (str(error), True)
        finally:
            _let_go(cockpit)
            done.sections = pacer.spreads()
    return done


class _Loop:
    """The turns of a drive."""

    def __init__(self, cockpit: Cockpit, driver: Driver, done: Drive, pacer: Pacer) -> None:
        self._cockpit, self._driver, self._done, self._pacer = cockpit, driver, done, pacer
        self._clock = DriveClock(cockpit.period, done)
        self.begin()

    def begin(self) -> None:
        """Starts from where the car is."""
        self._frames = self._cockpit.reset()
        self._driver.reset()
        self._clock.begin(self._frames)

    def answer(self) -> tuple[Frames, Controls]:
        """Decides and sends; the frames that were answered, and what was sent."""
        with self._pacer.section(ANSWER):
            with self._pacer.section(DECIDE):
                controls = self._driver.act(self._frames)
            with self._pacer.section(SEND):
                sent = self._cockpit.send(controls)
        self._done.periods += 1
        return self._frames, sent

    def wait(self) -> None:
        """Reads the frames of the next turn; a car that was put elsewhere makes the driver forget."""
        with self._pacer.section(WAIT):
            self._frames = self._cockpit.read()
        began_anew = self._clock.advance(self._frames)
        if began_anew or getattr(self._cockpit, "moved", False):
            self._driver.reset()


def _finished(done: Drive, seconds: float | None, laps: int | None) -> bool:
    if seconds is not None and done.steps >= round(seconds / PHYSICS_STEP):
        done.ended = "time"
    elif laps is not None and len(done.laps) >= laps:
        done.ended = "laps"
    return bool(done.ended)


def _asked(stop: Interruption, done: Drive) -> bool:
    if stop.asked:
        done.ended = "stopped"
    return stop.asked


def _let_go(cockpit: Cockpit) -> None:
    """Pedals up, whatever ended the drive; a game that is gone has its own guard for that."""
    with contextlib.suppress(SourceError):
        cockpit.send(neutral_controls(1))


class DriveClock:
    """Counts time, missed periods and laps by what the game says."""

    def __init__(self, period: float, done: Drive) -> None:
        self._steps, self._done = round(period / PHYSICS_STEP), done
        self._packet = self._lap = 0

    def begin(self, frames: Frames) -> None:
        """Takes the first frames."""
        self._packet, self._lap = int(frames["packet_id"][0]), int(frames["lap_count"][0])

    def advance(self, frames: Frames) -> bool:
        """Takes the frames after a turn; whether the session began anew."""
        frame, done = frames[0], self._done
        passed = int(frame["packet_id"]) - self._packet
        restarted = passed < 0 or int(frame["lap_count"]) < self._lap
        if restarted:
            self.begin(frames)
            return True
        self._packet += passed
        done.steps += passed or self._steps  # a source without packet numbers counts our own turns
        done.missed += max(0, int(np.floor(passed / self._steps + 1.0 - LATE)) - 1)
        if int(frame["lap_count"]) > self._lap:
            self._lap = int(frame["lap_count"])
            done.laps.append(LapDriven(self._lap, float(frame["last_lap_time"]), bool(frame["last_lap_valid"])))
        return False
