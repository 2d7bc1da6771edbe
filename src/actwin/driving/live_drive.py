"""Drives a car in the game, or in what plays it, with the expert or a checkpoint."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from actwin.cockpit.actuators.opening import open_actuator
from actwin.cockpit.actuators.protocol import Pose
from actwin.cockpit.live import LiveCockpit
from actwin.content.library import load_car, load_track
from actwin.content.track import Track
from actwin.driving.driver import Driver
from actwin.driving.interruption import Interruption
from actwin.driving.priority import raised
from actwin.driving.realtime import Drive, drive
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.opening import open_source
from actwin.telemetry.ac.source import Sample
from actwin.telemetry.channels import Controls, Frames

EXPERT: Final = "expert"
STARTS: Final = ("here", "grid", "pits")
"""Where a drive may begin: where the car is, on pole position, where the game puts a car."""
MOST_QUEUED: Final = 10_000
"""Datagrams that may wait: more than any system's buffer holds."""


@dataclass(frozen=True)
class LiveDrive:
    """What is driven.

    Attributes:
        driver: `expert`, or the path of a checkpoint.
        source: As `open_source` takes it.
        actuator: As `open_actuator` takes it.
        track, car: Names or paths; None takes those that the game names, or that a checkpoint was trained with.
        start: One of `STARTS`.
        record: Folder of all sessions, to record the drive as one of them; None does not record.
        reconnect: [s] How long a game that vanished is looked for.
    """

    driver: str = EXPERT
    source: str = "auto"
    actuator: str = "auto"
    track: str | None = None
    car: str | None = None
    start: str = STARTS[0]
    record: Path | None = None
    reconnect: float = 60.0

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ConfigError(f"A drive cannot begin at '{self.start}'. Choose {', '.join(STARTS)}.")


@dataclass(frozen=True)
class Driven:
    """A drive in the game, with where and by whom.

    Attributes:
        drive: How it went.
        track, car: Names, as the twin has them.
        driver: Who drove.
        source, actuator: By which it was read and moved.
        lacking: Channels that the source does not tell and that cannot be derived; the driver saw 0 there.
        session: Folder of the recording, None without one.
        problem: What went wrong while recording; empty when nothing did.
    """

    drive: Drive
    track: str
    car: str
    driver: str
    source: str
    actuator: str
    lacking: tuple[str, ...] = ()
    session: Path | None = None
    problem: str = ""


def drive_live(
    wanted: LiveDrive,
    *,
    seconds: float | None = None,
    laps: int | None = None,
    stop: Interruption | None = None,
    on_period: Callable[[Drive, Frames, Controls], None] | None = None,
    on_stage: Callable[[str], None] | None = None,
) -> Driven:
    """Connects, prepares the driver, drives, lets go.

    Args:
        wanted: What to drive.
        seconds: [s] Of game time to drive; None means without end.
        laps: To complete; None means without end.
        stop: Ends it; by default Ctrl-C and a request to end the process do.
        on_period: As of `drive`.
        on_stage: Gets told what is done next.

    Raises:
        SourceError: No game, no controls, or not the track that the driver knows.
        UnknownNameError: The game's track or car is not known; give it by hand.
        CheckpointError: The checkpoint cannot be used.
        SessionError: The folder of recordings cannot be written.
    """
    tell = on_stage or (lambda words: None)
    with stop or Interruption() as stop:
        policy = None if wanted.driver == EXPERT else _policy(wanted)
        cockpit = _cockpit(wanted, policy, stop)
        try:
            tell("Looking for the game")
            cockpit.connect()
            tell(f"Preparing the driver for {cockpit.car.name} on {cockpit.track.name}")
            driver = policy or _expert(cockpit)
            # The first call compiles; nobody should wait for that on the track.
            driver.act(cockpit.frames.copy())
            tell("Driving; Ctrl-C stops")
            return _drive(cockpit, driver, wanted, seconds, laps, stop, on_period)
        finally:
            cockpit.close()


def _policy(wanted: LiveDrive) -> Any:
    from actwin.driving.policy import real_time_driver  # plans a line, which the game need not wait for

    return real_time_driver(Path(wanted.driver), 1, track=wanted.track, car=wanted.car)


def _cockpit(wanted: LiveDrive, policy: Any, stop: Interruption) -> LiveCockpit:
    """The seat for a driver: a checkpoint's with the period, the track and the car it was trained with."""

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise SourceError("Stopped while looking for the game.")

    track = None if wanted.track is None else load_track(wanted.track)
    car = None if wanted.car is None else load_car(wanted.car)
    period = {} if policy is None else {"period": policy.task.config.period}
    if policy is not None:
        track, car = policy.task.track, policy.task.car
    source = open_source(wanted.source)
    return LiveCockpit(
        source, lambda: open_actuator(wanted.actuator, source), track, car,
        reconnect=wanted.reconnect, sleep=pause, **period,
    )  # fmt: skip


def _expert(cockpit: LiveCockpit) -> Driver:
    from actwin.driving.line_follower import LineFollower  # plans a line, which a checkpoint does without

    return LineFollower(cockpit.track, cockpit.car)


def _skip_what_came_meanwhile(cockpit: LiveCockpit) -> None:
    """Reads past the datagrams that queued up while the driver was prepared; they are seconds old."""
    for _ in range(MOST_QUEUED):
        if cockpit.source.read(0.0) is None:
            return


def _take_place(cockpit: LiveCockpit, start: str) -> None:
    """Puts the car where the drive begins.

    Raises:
        SourceError: The actuator cannot.
    """
    if start == STARTS[0]:
        return
    if not cockpit.place(grid_pose(cockpit.track) if start == "grid" else None):
        raise SourceError(
            f"The actuator '{cockpit.actuator.name}' cannot put the car at '{start}'. "
            "Drive there and use --start here, or use custom_ai."
        )


def grid_pose(track: Track) -> Pose:
    """Pole position."""
    slots, offsets = track.grid_positions(1)
    x, y, z = track.to_world(slots[0], offsets[0])
    return Pose(float(x), float(y), float(z), float(track.heading(slots[0])))


def _drive(
    cockpit: LiveCockpit,
    driver: Driver,
    wanted: LiveDrive,
    seconds: float | None,
    laps: int | None,
    stop: Interruption,
    on_period: Callable[[Drive, Frames, Controls], None] | None,
) -> Driven:
    # Told now: after a game that does not come back, the cockpit no longer knows.
    who = (cockpit.track.name, cockpit.car.name, wanted.driver, cockpit.info.source, cockpit.actuator.name)
    lacking = tuple(sorted(cockpit.lacking))
    tape = None if wanted.record is None else _Tape(cockpit, wanted)

    def turn(done: Drive, frames: Frames, sent: Controls) -> None:
        if tape is not None:
            tape.add(frames, sent)
        if on_period:
            on_period(done, frames, sent)

    # What was made so far stays; looking through it again and again would cost milliseconds on the track.
    gc.collect()
    gc.freeze()
    try:
        _skip_what_came_meanwhile(cockpit)
        _take_place(cockpit, wanted.start)
        with raised():
            done = drive(cockpit, driver, seconds=seconds, laps=laps, stop=stop, on_period=turn, pacer=cockpit.pacer)
    finally:
        gc.unfreeze()
        session, problem = tape.close() if tape else (None, "")
    return Driven(done, *who, lacking, session, problem)


class _Tape:
    """Records a drive: each frame that was answered, with the controls sent for it."""

    def __init__(self, cockpit: LiveCockpit, wanted: LiveDrive) -> None:
        from actwin.telemetry.store.recorder import Recorder  # brings pyarrow

        settings = {"source": wanted.source, "actuator": wanted.actuator, "driver": wanted.driver}
        assert wanted.record is not None
        self._cockpit = cockpit
        self._recorder = Recorder(
            wanted.record, cockpit.info, wanted.driver, settings, cockpit.period, tuple(sorted(cockpit.lacking))
        )

    def add(self, frames: Frames, sent: Controls) -> None:
        sample = self._cockpit.sample
        if sample is not None:
            self._recorder.add(Sample(sample.time, frames, sample.game), sent)

    def close(self) -> tuple[Path | None, str]:
        if not self._recorder.frames:
            self._recorder.discard()
            return None, ""
        self._recorder.close()
        return self._recorder.folder, self._recorder.problem
