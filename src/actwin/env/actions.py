"""What the driver's numbers mean: actions turned into controls, and controls back into actions.

An action is `width` numbers: the continuous controls in [-1, 1], then the index of the discrete choice where there is
one (a gear, or an entry of a named set).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.env.action_sets import DISCRETE_SETS
from actwin.env.config import ActionConfig
from actwin.errors import ControlError, UnknownNameError
from actwin.jit import clip, jit, kernel, maximum, minimum
from actwin.telemetry.channels import (
    AUTO_GEAR,
    CONTROLS_COLUMN,
    FRAME_COLUMN,
    Controls,
    Frames,
    as_floats,
    as_integers,
    neutral_controls,
)

Floats = npt.NDArray[np.float32]

STEER, THROTTLE, BRAKE, GEAR = (CONTROLS_COLUMN[name] for name in ("steer", "throttle", "brake", "gear"))
SPEED = FRAME_COLUMN["speed"]
ABSOLUTE, RATE, DISCRETE = range(3)
ONE_AXIS, SEPARATE = range(2)
SENT: Final = 3
"""Controls remembered of each period: steering, throttle, brake."""


class ActionSpace(NamedTuple):
    """Size of an action: `continuous` numbers in [-1, 1], then the index of one of `choices`, if any."""

    continuous: int
    choices: int

    @property
    def width(self) -> int:
        """Numbers in an action."""
        return self.continuous + (1 if self.choices else 0)


@jit
def steering_range(speed: float, steer_speed: float, least: float) -> float:
    """Share of the lock that full action reaches at a speed [m/s]: least + (1 - least) min(1, (v0 / v)²)."""
    if steer_speed <= 0.0:
        least = 1.0
    ratio = minimum(steer_speed / maximum(speed, 0.1), 1.0)
    return least + (1.0 - least) * ratio * ratio


@kernel
def decode_cars(
    actions: Any,
    frames: Any,
    history: Any,
    choices: Any,
    numbers: Any,
    kind: int,
    pedals: int,
    gears: int,
    relative: bool,
    floats: Any,
    integers: Any,
    first: int,
    last: int,
) -> None:
    """Controls of the cars [first, last), which also go to the front of their history.

    Args:
        actions: float32[N, A].
        frames: float32[N, W] FRAMEs that the driver saw.
        history: float32[N, 3 H] Controls sent, newest first.
        choices: float32[C, 3] The discrete set.
        numbers: float32: most steering change, as a share of its range, and most pedal change in a period, steering
            speed [m/s], least steering range.
        kind, pedals: Codes of the settings.
        gears: Number of gears when they are learned, else 0.
        relative: Whether the discrete set's steering is a rate.
        floats, integers: float32[N, 6] and int32[N, 6], the CONTROLS.
        first, last: Which cars.
    """
    for car in range(first, last):
        action, sent = actions[car], history[car]
        reach = steering_range(frames[car, SPEED], numbers[2], numbers[3])
        if kind == DISCRETE:
            choice = choices[min(max(int(action[0]), 0), len(choices) - 1)]
            steer, throttle, brake = choice[0] * reach, choice[1], choice[2]
            if relative:
                steer = sent[0] + choice[0] * numbers[0] * reach
        else:
            turn, push = clip(action[0], -1.0, 1.0), clip(action[1], -1.0, 1.0)
            pull = clip(action[2], -1.0, 1.0) if pedals == SEPARATE else push
            if kind == RATE:
                steer = sent[0] + turn * numbers[0] * reach
                throttle, brake = sent[1] + push * numbers[1], sent[2] + pull * numbers[1]
                pedal = sent[1] - sent[2] + push * numbers[1]
            else:
                steer = turn * reach
                throttle, brake, pedal = 0.5 + 0.5 * push, 0.5 + 0.5 * pull, push
            if pedals == ONE_AXIS:
                throttle, brake = maximum(pedal, 0.0), maximum(-pedal, 0.0)
        steer = clip(steer, -reach, reach)
        throttle, brake = clip(throttle, 0.0, 1.0), clip(brake, 0.0, 1.0)
        for k in range(len(sent) - 1, SENT - 1, -1):
            sent[k] = sent[k - SENT]
        sent[0], sent[1], sent[2] = steer, throttle, brake
        floats[car, STEER], floats[car, THROTTLE], floats[car, BRAKE] = steer, throttle, brake
        if gears > 0:
            integers[car, GEAR] = 1 + min(max(int(action[len(action) - 1]), 0), gears - 1)


class ActionMap:
    """Decodes actions of N cars and remembers what was sent.

    Args:
        config: The settings.
        period: [s] Control period.
        n: Number of cars.
        gears: Forward gears of the car.
        history: Control periods to remember, at least two.

    Attributes:
        space: Size of an action.
        controls: CONTROLS[N], renewed by `decode`.
        history: float32[N, 3 × periods] Steering, throttle, brake that were sent, newest first.

    Raises:
        UnknownNameError: No such discrete set.
    """

    def __init__(self, config: ActionConfig, period: float, n: int, gears: int, history: int) -> None:
        if config.discrete_set not in DISCRETE_SETS:
            raise UnknownNameError("discrete action set", config.discrete_set, DISCRETE_SETS)
        self.config = config
        self.set = DISCRETE_SETS[config.discrete_set]
        self.gears = gears if config.gear == "learned" and config.kind != "discrete" else 0
        if config.kind == "discrete":
            self.space = ActionSpace(0, len(self.set.choices))
        else:
            self.space = ActionSpace(2 if config.pedals == "one_axis" else 3, self.gears)
        self.controls: Controls = neutral_controls(n)
        self.history: Floats = np.zeros((n, SENT * max(history, 2)), np.float32)
        self._numbers = np.array(
            [config.steer_rate * period, config.pedal_rate * period, config.steer_speed, config.least_steer], np.float32
        )
        self._kind = {"absolute": ABSOLUTE, "rate": RATE, "discrete": DISCRETE}[config.kind]
        self._pedals = ONE_AXIS if config.pedals == "one_axis" else SEPARATE
        self._choices = np.array(self.set.choices, np.float32)

    def begin(self, rows: npt.NDArray[np.int64]) -> None:
        """Forgets what was sent to some cars."""
        self.history[rows] = 0.0

    def check(self, actions: npt.ArrayLike) -> Floats:
        """Actions as float32[N, A].

        Raises:
            ControlError: Another shape, or a value that is not finite.
        """
        n = len(self.controls)
        given = np.ascontiguousarray(actions, np.float32)
        if given.shape != (n, self.space.width):
            raise ControlError(
                f"Actions must have the shape {(n, self.space.width)}, not {given.shape}. See the action table."
            )
        if not np.isfinite(given.sum()):
            rows = np.flatnonzero(~np.isfinite(given).all(axis=1))
            if len(rows):
                values = given[rows[0]].tolist()
                raise ControlError(f"The action of car {rows[0]} is {values}. Send finite numbers; nothing was driven.")
        return given

    def decode(self, actions: Floats, frames: Frames, first: int = 0, last: int | None = None) -> Controls:
        """Turns actions into controls and remembers these.

        Args:
            actions: float32[N, A], as `check` returns them.
            frames: FRAME[N] that the driver saw.
            first, last: Which cars; by default all.

        Returns:
            CONTROLS[N], the array `controls`.
        """
        decode_cars(
            actions,
            as_floats(frames),
            self.history,
            self._choices,
            self._numbers,
            self._kind,
            self._pedals,
            self.gears,
            self.set.relative,
            as_floats(self.controls),
            as_integers(self.controls),
            first,
            len(frames) if last is None else last,
        )
        return self.controls

    def encode(self, controls: Controls, frames: Frames) -> Floats:
        """The actions that give these controls, the inverse of `decode`; what is out of reach is cut to it.

        The history must hold what was sent before, as it does when every control is followed by `remember`.

        Args:
            controls: CONTROLS[N].
            frames: FRAME[N] that the driver saw; tells the gear where the controls leave it to the automatic.

        Returns:
            float32[N, A].
        """
        steer, throttle, brake = (controls[name].astype(np.float64) for name in ("steer", "throttle", "brake"))
        before = self.history.astype(np.float64)
        reach = self._reach(frames)
        change, pedal_change = float(self._numbers[0]) * reach, float(self._numbers[1])
        if self._kind == DISCRETE:
            return self._nearest(steer, throttle, brake, reach)
        pedal = throttle - brake
        if self._kind == ABSOLUTE:
            columns = (
                [steer / reach, pedal] if self._pedals == ONE_AXIS else [steer / reach, 2 * throttle - 1, 2 * brake - 1]
            )
        elif self._pedals == ONE_AXIS:
            columns = [(steer - before[:, 0]) / change, (pedal - before[:, 1] + before[:, 2]) / pedal_change]
        else:
            columns = [
                (steer - before[:, 0]) / change,
                (throttle - before[:, 1]) / pedal_change,
                (brake - before[:, 2]) / pedal_change,
            ]
        columns = [np.clip(column, -1.0, 1.0) for column in columns]
        if self.gears:
            gear = np.where(controls["gear"] == AUTO_GEAR, frames["gear"], controls["gear"])
            columns.append(np.clip(gear, 1, self.gears) - 1.0)
        return np.stack(columns, axis=1).astype(np.float32)

    def remember(self, controls: Controls) -> None:
        """Puts controls that somebody else sent at the front of the history."""
        self.history[:, SENT:] = self.history[:, :-SENT].copy()
        for k, name in enumerate(("steer", "throttle", "brake")):
            self.history[:, k] = controls[name]

    def _reach(self, frames: Frames) -> npt.NDArray[np.float64]:
        """Steering range of each car."""
        speed, config = frames["speed"].astype(np.float64), self.config
        if config.steer_speed <= 0.0:
            return np.ones(len(speed))
        ratio = config.steer_speed / np.maximum(speed, config.steer_speed)
        return np.asarray(config.least_steer + (1.0 - config.least_steer) * ratio**2)

    def _nearest(self, steer: Any, throttle: Any, brake: Any, reach: Any) -> Floats:
        """Index of the entry of the discrete set that comes nearest to controls."""
        choices = self._choices.astype(np.float64)
        change = float(self._numbers[0]) * reach
        wanted = (steer - self.history[:, 0]) / change if self.set.relative else steer / reach
        target = np.stack([np.clip(wanted, -1.0, 1.0), throttle, brake], axis=1)
        index = ((target[:, None, :] - choices[None]) ** 2).sum(axis=2).argmin(axis=1)
        return np.asarray(index[:, None], np.float32)

    def table(self) -> str:
        """The action as a Markdown table."""
        lines = ["| index | action | low | high | meaning |", "|---|---|---|---|---|"]
        if self._kind == DISCRETE:
            meaning = f"entry of `{self.config.discrete_set}`: {self.set.doc}"
            return "\n".join([*lines, f"| 0 | choice | 0 | {len(self.set.choices) - 1} | {meaning} |"])
        rate = " change of the" if self._kind == RATE else ""
        rows = [("steer", f"{rate} steering, left positive")]
        if self._pedals == ONE_AXIS:
            rows.append(("pedal", f"{rate} pedal: positive throttle, negative brake"))
        else:
            rows += [("throttle", f"{rate} throttle"), ("brake", f"{rate} brake")]
        lines += [f"| {k} | {name} | -1 | 1 |{doc} |" for k, (name, doc) in enumerate(rows)]
        if self.gears:
            lines.append(f"| {len(rows)} | gear | 0 | {self.gears - 1} | index of the gear: 0 is first |")
        return "\n".join(lines)
