"""The task: what is observed, what is paid, what an action means, how an episode begins and ends."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.content.library import load_car, load_track
from actwin.content.track import Track
from actwin.env.actions import ActionMap, ActionSpace
from actwin.env.config import TaskConfig as TaskConfig
from actwin.env.judge import Judge
from actwin.env.layout import Layout
from actwin.env.moments import Moments
from actwin.env.observation import Observer
from actwin.env.reference import FASTEST, Reference, racing_reference
from actwin.env.starts import Starts
from actwin.errors import ConfigError
from actwin.telemetry.channels import Controls, Frames
from actwin.twin.simulator import Simulator
from actwin.twin.world import Assists

Floats = npt.NDArray[np.float32]

TASK_VERSION: Final = 1
"""Raised when the same settings begin to mean something else."""


class Task:
    """The contract between training and racing, for N cars that the twin or the game drives.

    A driver's step is `observe(frames)`, its decision, `decode(actions, frames)`. A trainer adds `judge(frames)` after
    the cars have moved and `begin(frames, rows)` where episodes begin. Nothing but FRAME comes from the simulator.

    Args:
        config: The settings.
        n: Number of cars.
        track, car, reference: To use instead of what the settings name.

    Attributes:
        config, n, track, car, reference: As given or loaded.
        layout: Columns of the observation.
        actions: What actions mean.
        moments: What was observed before.
        judged: Rewards and ends.
        starts: How episodes begin.

    Raises:
        UnknownNameError: A track, car, feature, action set or start that does not exist.
    """

    def __init__(
        self,
        config: TaskConfig,
        n: int = 1,
        *,
        track: Track | None = None,
        car: Car | None = None,
        reference: Reference | None = None,
    ) -> None:
        if n < 1:
            raise ConfigError(f"A task needs at least one car, not {n}.")
        self.config, self.n = config, n
        self.track = load_track(config.track) if track is None else track
        self.car = load_car(config.car) if car is None else car
        view = config.observation
        self.layout = Layout(view)
        reach = max(view.horizon * FASTEST, view.least_reach, 1.5 * view.ray_range)
        self.reference = reference or racing_reference(self.track, self.car, config.conditions.grip, reach)
        self.actions = ActionMap(config.action, config.period, n, len(self.car.transmission.gears), view.history)
        self.judged = Judge(config, self.reference, n)
        self.starts = Starts(config.start, self.reference)
        self.moments = Moments(self.layout, n)
        self._observer = Observer(self.layout, self.reference)
        self.observation: Floats = np.zeros((n, self.layout.size), np.float32)

    @property
    def observation_size(self) -> int:
        """Numbers in an observation."""
        return self.layout.size

    @property
    def action_space(self) -> ActionSpace:
        """Size of an action."""
        return self.actions.space

    @property
    def fuel(self) -> float:
        """[kg] To start with: the car's default, which is for one quick lap, for each lap in the time limit."""
        laps = self.config.end.time_limit / self.reference.lap_time
        return min(self.car.chassis.fuel * max(1.0, laps), self.car.chassis.fuel_capacity)

    def simulator(self, threads: int | None = None) -> Simulator:
        """The twin that the settings describe, with N cars."""
        physics = self.config.physics
        return Simulator(
            self.track,
            self.car,
            self.n,
            substeps=physics.substeps,
            physics_step=physics.physics_step,
            threads=threads,
            conditions=self.config.conditions,
            assists=Assists(abs=physics.abs, traction_control=physics.traction_control),
            control_delay=physics.control_delay,
        )

    def begin(self, frames: Frames, rows: npt.NDArray[np.int64] | None = None) -> None:
        """Starts new episodes of some cars, by default all: forgets what was sent and opens the judge's books.

        Args:
            frames: FRAME[N] Where they begin.
            rows: int64[K] Which cars.
        """
        which = np.arange(self.n) if rows is None else rows
        self.forget(which)
        self.judged.begin(frames, which)

    def forget(self, rows: npt.NDArray[np.int64]) -> None:
        """Forgets what was seen of some cars, and sent to them.

        Args:
            rows: int64[K] Which cars.
        """
        self.actions.begin(rows)
        self.moments.begin(rows)

    def observe(self, frames: Frames, out: Floats | None = None, first: int = 0, last: int | None = None) -> Floats:
        """What the drivers see.

        Args:
            frames: FRAME[N].
            out: float32[N, O] Gets the observations; by default the array `observation`.
            first, last: Which cars; by default all.

        Returns:
            `out`.
        """
        seen = self.observation if out is None else out
        self._observer.observe(frames, self.actions.history, seen, first, last)
        self.moments.show(seen, first, self.n if last is None else last)
        return seen

    def observe_rows(self, frames: Frames, rows: npt.NDArray[np.int64], out: Floats) -> None:
        """Renews the observations of some cars.

        Args:
            frames: FRAME[N].
            rows: int64[K] Which cars.
            out: float32[N, O].
        """
        self._observer.observe_rows(frames, self.actions.history, rows, out)
        self.moments.show_rows(rows, out)

    def decode(self, actions: npt.ArrayLike, frames: Frames) -> Controls:
        """What the actions ask of the cars.

        Args:
            actions: float[N, A].
            frames: FRAME[N] that the drivers saw.

        Returns:
            CONTROLS[N], one array that is renewed.

        Raises:
            ControlError: Another shape, or a value that is not finite.
        """
        controls = self.actions.decode(self.actions.check(actions), frames)
        self.moments.keep(frames)
        return controls

    def encode(self, controls: Controls, frames: Frames) -> Floats:
        """The actions that give these controls; follow it by `remember` when they were really sent.

        Args:
            controls: CONTROLS[N].
            frames: FRAME[N] that the drivers saw.

        Returns:
            float32[N, A].
        """
        return self.actions.encode(controls, frames)

    def remember(self, controls: Controls, frames: Frames) -> None:
        """Takes note of controls that somebody else sent, as `decode` does of its own.

        Args:
            controls: CONTROLS[N].
            frames: FRAME[N] that they answered.
        """
        self.actions.remember(controls)
        self.moments.keep(frames)

    def judge(self, frames: Frames, first: int = 0, last: int | None = None) -> None:
        """Pays and ends episodes after the cars have moved; the results are in `judged`.

        Args:
            frames: FRAME[N] after the move.
            first, last: Which cars; by default all.
        """
        self.judged.judge(frames, self.actions.history, first, last)

    def identity(self) -> dict[str, Any]:
        """`{"fingerprint", "config"}`: what a checkpoint keeps, in plain values, to rebuild the task and to compare it.

        The fingerprint covers the settings and what they resolve to: columns of the observation with their scales,
        actions with their meaning, control period.
        """
        config = self.config.model_dump(mode="json")
        meaning = {
            "version": TASK_VERSION,
            # Without what is as usual, so that a setting which is added later leaves older tasks what they are.
            "config": self.config.model_dump(mode="json", exclude_defaults=True),
            "columns": [
                [c.label, c.unit, round(c.scale, 6), round(c.low, 6), round(c.high, 6)] for c in self.layout.columns
            ],
            "action": self.actions.table(),
            "gears": self.actions.gears,
            "period": round(self.config.period, 9),
        }
        text = json.dumps(meaning, sort_keys=True, ensure_ascii=True)
        return {"fingerprint": hashlib.sha256(text.encode()).hexdigest()[:16], "config": config}

    def fingerprint(self) -> str:
        """Hash of all that the task means."""
        return str(self.identity()["fingerprint"])
