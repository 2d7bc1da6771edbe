"""How well a policy drives a running game without exploration: one drive from the grid, judged as in the twin."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from actwin.agents.registry import DrivingPolicy
from actwin.analysis.laps import find_laps
from actwin.analysis.rollout import Rollout
from actwin.cockpit.live import LiveCockpit
from actwin.driving.interruption import Interruption
from actwin.driving.live_drive import grid_pose
from actwin.driving.policy import PolicyDriver
from actwin.driving.realtime import Drive, drive
from actwin.env.task import Task
from actwin.errors import SourceError
from actwin.telemetry.channels import CONTROLS, FRAME, Controls, Frames
from actwin.training.drives import measured
from actwin.training.evaluation import PATIENCE, SLOWEST, STANDSTILL
from actwin.training.live_wire import Message, pack
from actwin.training.protocols import Score
from actwin.training.scores import rate, scalars

KIND: Final = "evaluation"
INTERRUPTED: Final = "interrupted"
"""How a drive ended that says nothing about the driver."""


class Seen(NamedTuple):
    """What a driver saw and did in an evaluation."""

    version: int
    """Of the policy."""
    start: str
    """"grid", or "here" where the game cannot put the car there."""
    ended: str
    """"finished", "stopped" (the car stood), "out of time", or `INTERRUPTED`."""
    reward: float
    """Sum of the task's reward, up to where the task would have called the episode failed."""
    missed: int
    """Deadlines."""
    frames: Frames
    """FRAME[T]"""
    sent: Controls
    """CONTROLS[T]"""


class _Judged(PolicyDriver):
    """A policy that keeps what it sees and does, and stops when its laps are done or the car stands.

    Args:
        task: For one car.
        policy: Drives.
        laps: Flying ones.
        stop: To end the drive.
    """

    def __init__(self, task: Task, policy: DrivingPolicy, laps: int, stop: Interruption) -> None:
        super().__init__(task, policy)
        self._laps, self._stop = laps, stop
        self._patience = round(PATIENCE / task.config.period)
        self.frames: list[Frames] = []
        self.sent: list[Controls] = []
        self.reward, self.ended = 0.0, INTERRUPTED
        self._crossed = self._standing = 0
        self._paid = True

    def act(self, frames: Frames) -> Controls:
        """Controls for the next period; judges the one before."""
        if self.frames:
            self._judge(frames)
        else:
            self.task.begin(frames)
        controls = super().act(frames)
        self.frames.append(frames.copy())
        self.sent.append(controls.copy())
        return controls

    def _judge(self, frames: Frames) -> None:
        self.task.judge(frames)
        judged, before, length = self.task.judged, self.frames[-1]["lap_distance"][0], self.task.track.length
        self.reward += float(judged.reward[0]) if self._paid else 0.0
        self._paid &= not judged.terminated[0]
        self._crossed += bool(before - frames["lap_distance"][0] > 0.5 * length)
        self._standing = 0 if frames["speed"][0] > STANDSTILL else self._standing + 1
        if self._crossed > self._laps + before_the_line(self.frames[0], self.task):
            self._finish("finished")
        elif self._standing > self._patience:
            self._finish("stopped")

    def _finish(self, ended: str) -> None:
        self.ended = ended
        self._stop.ask()


def drive_to_be_judged(
    cockpit: LiveCockpit, task: Task, policy: DrivingPolicy, version: int, laps: int, stopped: Callable[[], bool]
) -> Seen:
    """Drives from the grid without exploration until the laps are done, the car stands or time is up.

    Args:
        cockpit: The seat.
        task: For one car; gives the longest time.
        policy: Drives.
        version: Of the policy.
        laps: Flying ones, from line to line.
        stopped: Whether nobody wants to know any more.

    Raises:
        SourceError: There is no game.
    """
    if cockpit.status != "live":
        cockpit.reconnect()
    start = "grid" if cockpit.place(grid_pose(task.track)) else "here"
    stop = Interruption()
    driver = _Judged(task, policy, laps, stop)

    def turn(done: Drive, frames: Frames, sent: Controls) -> None:
        if done.breaks or cockpit.moved or stopped():
            driver.ended = INTERRUPTED
            stop.ask()

    done = drive(cockpit, driver, seconds=longest(task, laps), stop=stop, on_period=turn, pacer=cockpit.pacer)
    ended = INTERRUPTED if done.failed or done.breaks else "out of time" if done.ended == "time" else driver.ended
    frames, sent = np.concatenate(driver.frames), np.concatenate(driver.sent)
    return Seen(version, start, ended, driver.reward, done.missed, frames, sent)


def pack_seen(seen: Seen) -> bytes:
    """An evaluation as a message."""
    facts: dict[str, Any] = seen._asdict()
    records = {name: facts.pop(name) for name in ("frames", "sent")}
    arrays = {name: np.ascontiguousarray(kept).view(np.uint8).reshape(len(kept), -1) for name, kept in records.items()}
    return pack(KIND, facts, arrays)


def seen_of(message: Message) -> Seen:
    """The evaluation in a message of the kind `KIND`.

    Raises:
        SourceError: It is none.
    """
    try:
        facts = message.facts
        records = [
            np.ascontiguousarray(message.arrays[name]).view(kind).reshape(-1)
            for name, kind in (("frames", FRAME), ("sent", CONTROLS))
        ]
        numbers = int(facts["version"]), str(facts["start"]), str(facts["ended"]), float(facts["reward"])
        seen = Seen(*numbers, int(facts["missed"]), *records)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"An evaluation came that is none ({error}). Both sides must run the same version."
        ) from error
    if not (math.isfinite(seen.reward) and len(seen.frames) == len(seen.sent) > 0):
        raise SourceError("An evaluation came without frames. Both sides must run the same version of actwin.")
    return seen


def longest(task: Task, laps: int) -> float:
    """[s] That an evaluation may take.

    Args:
        task: Of the run.
        laps: Flying ones, beside the one from the start.
    """
    return (laps + 1) * SLOWEST * task.reference.lap_time


def before_the_line(first: Frames, task: Task) -> bool:
    """Whether a drive begins shortly before the line, so that it is crossed once before the lap from the start.

    Args:
        first: FRAME[1].
        task: Of the run.
    """
    return bool(first["lap_distance"][0] > 0.5 * task.track.length)


def judge(seen: Seen, task: Task, laps: int) -> Score:
    """What an evaluation comes to, by the same figures as in the twin.

    Args:
        seen: What came from the driver.
        task: Of the run.
        laps: Flying ones that were asked for.
    """
    run = Rollout(seen.frames, task.config.period, task.track.name, task.car.identity.name, "policy")
    found, opening = find_laps(run, task.track), math.nan
    if seen.start == "grid":
        standing = before_the_line(seen.frames, task)
        if len(found) >= 1:
            opening = found[0].end if standing else found[0].begin
        found = found[1:] if standing else found
    drives = [measured(run, seen.sent, seen.start, laps, seen.ended, found, opening, seen.reward, task.car)]
    shown = dict(scalars(drives)) | {"opening_lap": opening, "missed": float(seen.missed)}
    return Score(rate(drives, task.reference.lap_time), drives[0].best, shown)
