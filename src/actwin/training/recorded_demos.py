"""Recorded drives as demonstrations: what the driver saw, did and earned, by the task's own eyes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.agents.arrays import Flags, Floats
from actwin.agents.bc import Demonstrations
from actwin.agents.replay import Experience
from actwin.env.actions import ActionMap
from actwin.env.task import Task
from actwin.errors import ConfigError
from actwin.telemetry.channels import AUTO_GEAR, Controls, Frames, neutral_controls
from actwin.telemetry.store.even_rows import EvenRows, even_rows
from actwin.telemetry.store.tape import Tape
from actwin.training.imitation import ASTRAY, CUTTING, join_demonstrations, join_experience
from actwin.training.imitation_config import ImitationConfig
from actwin.training.recorded_drives import Channels, chosen
from actwin.training.recorded_laps import Laps, lap_numbers, rows_of_laps

ELSEWHERE: Final = 30.0
"""[m] From the centre line; a drive that is mostly further away was on another road."""
STINT: Final = 20.0
"""[s] Of driving that stands for a lap when there are too few of them."""
FEW_LAPS: Final = 4
"""Laps below which stints are kept for validation instead: one lap of three is too much to lose."""


class Account(NamedTuple):
    """What became of the recorded rows."""

    drives: tuple[str, ...]
    """Names."""
    rows: int
    """Rows that were recorded."""
    hours: float
    """[h] Of driving that demonstrates."""
    laps: int
    """Laps, or parts of one, that it comes from."""
    stints: bool
    """Whether there were so few that stints of 20 s stand for laps in the validation."""
    left_out: dict[str, float]
    """Share of what was recorded that is not used, by the reason."""
    unchecked: int
    """Sessions that `actwin check` has not looked at."""

    def words(self) -> str:
        """One line for the user."""
        many = f"{len(self.drives)} drives" if len(self.drives) != 1 else "1 drive"
        parts = [f"{self.hours:.2f} h and {self.laps} laps of {many}"]
        left = [f"{name} {share:.1%}" for name, share in self.left_out.items() if share >= 5e-4]
        if left:
            parts.append(f"left out: {', '.join(left)}")
        if self.stints:
            parts.append(f"too few laps: {STINT:.0f} s stints are kept for validation")
        if self.unchecked:
            parts.append(f"{self.unchecked} not checked (actwin check)")
        return "; ".join(parts)


class _Part(NamedTuple):
    """What one drive gives."""

    shown: Demonstrations
    experience: Experience | None
    rows: int
    left_out: Counter[str]
    """In periods of the task, so that drives of any rate can be added up."""
    steps: int
    """Periods of the task that were recorded."""


def recorded_demonstrations(
    config: ImitationConfig, task: Task, rewards: bool, on_progress: Callable[[float], None] | None = None
) -> tuple[Demonstrations, Experience | None, Account]:
    """Makes demonstrations of the recorded drives that the settings name.

    A drive is brought to the task's control period, its frames are completed as those of a live game are, and then the
    task looks at them one after the other, with a history of what the driver really did. Drives are read in pieces:
    two hours at 333 rows a second need less than a gigabyte.

    Args:
        config: Names the drives.
        task: For one car.
        rewards: Whether the task's judge pays them, for agents that learn from a memory.
        on_progress: Called with the share that is done.

    Returns:
        What was seen and done; the same with rewards, in time order, None when they are not wanted; the account.

    Raises:
        ConfigError: The drives do not fit the task, or nothing is left of them.
        SessionError: A drive cannot be read, is still being recorded, or has too few rows a second.
    """
    tapes = chosen(config, task)
    parts: list[_Part] = []
    for number, tape in enumerate(tapes):
        parts.append(_part(tape, config, task, rewards))
        if on_progress:
            on_progress((number + 1) / len(tapes))
    shown = join_demonstrations([part.shown for part in parts])
    account, laps = _account(tapes, parts, shown.laps, task.config.period)
    kept = [part.experience for part in parts if part.experience is not None]
    return shown._replace(laps=laps), join_experience(kept) if kept else None, account


def _account(tapes: Sequence[Tape], parts: Sequence[_Part], laps: Laps, period: float) -> tuple[Account, Laps]:
    """What became of the rows, and the lap of each that demonstrates, or what stands for it."""
    left: Counter[str] = sum((part.left_out for part in parts), Counter())
    steps = max(sum(part.steps for part in parts), 1)
    shares = {name: count / steps for name, count in left.most_common()}
    used, count = len(laps), len(np.unique(laps))
    if not used:
        reasons = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        raise ConfigError(
            f"imitation.sessions: nothing is left to imitate of {', '.join(tape.name for tape in tapes)}; left out: "
            f"{reasons}. Give other drives, or accept findings of actwin check with imitation.accept."
        )
    few = count < FEW_LAPS
    numbers = np.arange(used) // max(round(STINT / period), 1) if few else laps
    if len(np.unique(numbers)) < 2:
        raise ConfigError(
            f"imitation.sessions: {used * period:.0f} s of driving are too little to imitate, at least {2 * STINT:.0f} "
            "s are needed. Record more."
        )
    unchecked = sum(tape.ours and not tape.checked for tape in tapes)
    names = tuple(tape.name for tape in tapes)
    rows = sum(part.rows for part in parts)
    return Account(names, rows, used * period / 3600.0, count, few, shares, unchecked), numbers


def _part(tape: Tape, config: ImitationConfig, task: Task, rewards: bool) -> _Part:
    """What a drive demonstrates."""
    channels, period = Channels(tape, task, rewards), task.config.period
    even = even_rows(tape, period, channels.needed, config.accept)
    frames = even.frames
    if channels.completion is not None and len(frames):
        channels.completion.fill_series(frames, even.begins)
        _require_the_same_road(tape, task, frames)
    elif "steer" not in tape.told:
        frames["steer"] = np.clip(frames["steer_angle"] / task.car.steering.wheel_lock, -1.0, 1.0)
    driven = _driven(tape, even, task)
    laps = lap_numbers(frames, even.begins, task.track.length if channels.completion is not None else 1.0)
    by_laps, why = rows_of_laps(frames, even, laps, config, channels.tells_validity, tape.name)
    sees = _Eyes(task, frames, driven, even.begins, rewards)
    left = Counter({name: round(count * tape.step / period) for name, count in even.left_out.items()})
    usable = np.ones(len(frames), np.bool_)
    for name, fine in (
        ("begin and end of a piece", sees.full),
        *zip(why, by_laps, strict=True),
        ("off the road", (frames["tyres_out"] < CUTTING) & ~(np.abs(frames["heading_error"]) > ASTRAY)),
        ("reverse", frames["gear"] != -1),
    ):
        left[name] += int(np.count_nonzero(usable & ~fine))
        usable &= fine
    shown = Demonstrations(sees.observations[usable], sees.actions[usable], laps[usable])
    steps = len(frames) + sum(round(count * tape.step / period) for count in even.left_out.values())
    return _Part(shown, sees.experience() if rewards else None, even.rows, left, steps)


def _require_the_same_road(tape: Tape, task: Task, frames: Frames) -> None:
    away = float(np.median(np.abs(frames["lateral_offset"])))
    if not away <= ELSEWHERE:
        raise ConfigError(
            f"{tape.name}: was not driven on '{task.track.name}': the car is {away:.0f} m from the road. Leave it out "
            "of imitation.sessions, or give its own track as env.track."
        )


def _driven(tape: Tape, even: EvenRows, task: Task) -> Controls:
    """CONTROLS[G]: what the driver did in the period that begins with each row.

    What was sent, where this package sent it. Else what the car's controls were at the period's end, which is the next
    row: at its beginning they are still the answer to what was seen before.
    """
    frames, driven = even.frames, neutral_controls(len(even.frames))
    following = np.minimum(np.arange(len(frames)) + 1, max(len(frames) - 1, 0))
    sent = tape.ours & np.isfinite(even.sent["steer"])
    for name in ("steer", "throttle", "brake"):
        driven[name] = np.where(sent, even.sent[name], frames[name][following])
    driven["steer"] = np.clip(driven["steer"], -1.0, 1.0)
    if task.actions.gears:
        engaged = _wanted_gear(frames["gear"][following])
        asked = np.where(sent, even.sent["gear"], AUTO_GEAR)
        driven["gear"] = np.where(asked >= 1, asked, engaged)
    return driven


def _wanted_gear(gears: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """[G] Gears in which neutral, which a gearbox shows while it shifts, stands for the gear that follows."""
    rows = np.where(gears != 0, np.arange(len(gears)), len(gears) - 1)
    following = np.minimum.accumulate(rows[::-1])[::-1]
    return np.maximum(gears[following], 1)


class _Eyes:
    """The task looks at a drive, row by row.

    Attributes:
        observations, actions: float32[G, …].
        full: bool[G] Whether history and future of a row are known, so that it can demonstrate.
    """

    def __init__(self, task: Task, frames: Frames, driven: Controls, begins: Flags, rewards: bool) -> None:
        count = len(frames)
        self._task, self._frames, self._driven = task, frames, driven
        self.observations: Floats = np.zeros((count, task.observation_size), np.float32)
        self.actions: Floats = np.zeros((count, task.action_space.width), np.float32)
        self.full = np.zeros(count, np.bool_)
        self._rewards: Floats = np.zeros(count, np.float32)
        self._terminated, self._truncated, self._alive = np.zeros((3, count), np.bool_)
        view = task.config.observation
        self._lead = max(view.history, view.frames - 1)
        # What is chosen is kept apart from what was done: a set of actions never does quite the same, and what is
        # missing has to be made up for by the next one.
        gears = len(task.car.transmission.gears)
        self._chosen = ActionMap(task.config.action, task.config.period, 1, gears, view.history)
        edges = [*np.flatnonzero(begins).tolist(), count]
        for first, last in pairwise(edges):
            self._look(first, last - 1, rewards)

    def _look(self, first: int, last: int, rewards: bool) -> None:
        """Looks at one unbroken piece; of its last row nothing is known that follows."""
        task, frames, driven = self._task, self._frames, self._driven
        self._enter(first)
        for row in range(first, last):
            now = frames[row : row + 1]
            task.observe(now, self.observations[row : row + 1])
            done = driven[row : row + 1]
            self.actions[row] = self._chosen.encode(done, now)
            self._chosen.decode(self.actions[row : row + 1], now)
            if rewards and not self._alive[row]:
                self._alive[row] = self._begin_episode(now)
            task.remember(done, now)
            if rewards and self._alive[row]:
                self._judge(row, last)
        if last > first:
            task.observe(frames[last : last + 1], self.observations[last : last + 1])
        self.full[first + self._lead : last] = True

    def _enter(self, first: int) -> None:
        """Begins with a history that was always as the car's controls are now."""
        task, now = self._task, self._frames[first : first + 1]
        held = neutral_controls(1)
        for name in ("steer", "throttle", "brake"):
            held[name] = now[name]
        task.begin(now)
        for _ in range(self._lead):
            task.remember(held, now)
            self._chosen.remember(held)

    def _begin_episode(self, now: Frames) -> bool:
        """Begins an episode where the car is, unless it is where one would end at once."""
        end = self._task.config.end
        sound = (
            now["tyres_out"][0] < end.off_track_wheels
            and abs(now["heading_error"][0]) < end.spin_angle
            and now["speed"][0] >= end.stall_speed
        )
        if sound:
            self._task.judged.begin(now, np.zeros(1, np.int64))
        return bool(sound)

    def _judge(self, row: int, last: int) -> None:
        """Pays the period that begins with a row."""
        task = self._task
        task.judge(self._frames[row + 1 : row + 2])
        judged = task.judged
        self._rewards[row] = judged.reward[0]
        self._terminated[row] = judged.terminated[0]
        self._truncated[row] = not judged.terminated[0] and (judged.truncated[0] or row + 1 == last)
        if row + 1 < last:
            self._alive[row + 1] = not (judged.terminated[0] or judged.truncated[0])

    def experience(self) -> Experience:
        """The drive with its rewards, as one car's."""
        columns: Any = (
            self.observations, self.actions, self._rewards, self._terminated, self._truncated,
            self._alive & self.full,
        )  # fmt: skip
        return Experience(*(column[:, None] for column in columns))
