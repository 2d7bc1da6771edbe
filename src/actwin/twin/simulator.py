"""The simulator: N cars on one track, stepped together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.content.track import Track
from actwin.errors import ConfigError, ControlError, UnknownNameError
from actwin.jit import LANES
from actwin.telemetry.channels import CONTROLS, FRAME, Controls, Frames, as_floats, neutral_controls
from actwin.twin import kernels
from actwin.twin.layout import block_column, empty_blocks, field_paths, flatten
from actwin.twin.params import CarParams, car_params
from actwin.twin.road import RoadTable
from actwin.twin.start import AUTOMATIC, Start
from actwin.twin.world import Assists, Conditions, world

PHYSICS_STEP = 0.003
"""[s] AC's own physics step."""

SUBSTEPS = 13
"""Physics steps of a control period: 39 ms, the "25 Hz" of recordings from AC."""

SERIAL_BELOW = 1024
"""Cars up to which one thread is the better choice."""

STATE_FIELDS = kernels.STATE_WIDTH // LANES
"""Numbers in a car's state."""

Indices = npt.NDArray[np.int64]


def whole_steps(duration: float, step: float) -> int:
    """Physics steps in a delay of the controls.

    Args:
        duration: [s] Of the delay, at most one second.
        step: [s] Of the physics.

    Raises:
        ConfigError: It is not a whole number of them.
    """
    steps = round(duration / step) if 0.0 <= duration <= 1.0 else -1
    if steps < 0 or abs(steps * step - duration) > 1.0e-6:
        raise ConfigError(
            f"The controls cannot be delayed by {duration} s. Give a multiple of the physics step of {step} s, "
            "from 0 to 1 s."
        )
    return steps


@dataclass(frozen=True)
class State:
    """Exact states of some cars, for `Simulator.restore`.

    Attributes:
        values: float[M, fields] State of each car.
        ints: int32[M, 2] Road cell and step counter.
    """

    values: npt.NDArray[Any]
    ints: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> State:
        """The states of some rows (an index array, a slice or a mask)."""
        return State(self.values[rows], self.ints[rows])


class Simulator:
    """N cars on one track; they do not meet each other.

    The same seed gives the same bits, whatever N and wherever in the batch a car is: every car is one vector lane of
    the same code.

    Args:
        track: The track.
        car: One car for all, or one for each.
        n: Number of cars.
        substeps: Physics steps of a control period.
        physics_step: [s] Length of a physics step.
        threads: Threads that share the blocks; default one below 1,024 cars, else two.
        conditions: Weather, road, rules.
        assists: Electronic aids.
        control_delay: [s] From `step` being given controls to the car following them, a whole number of physics steps.
        precision: `"single"`, or `"double"` as the reference that tests compare with.

    Attributes:
        frames: FRAME[N], one array for the life of the simulator, renewed by `step` and `reset`.
        control_period: [s] Time that a `step` covers.

    Raises:
        ConfigError: A count or step length that makes no sense.
    """

    def __init__(
        self,
        track: Track,
        car: Car | Sequence[Car],
        n: int = 1,
        *,
        substeps: int = SUBSTEPS,
        physics_step: float = PHYSICS_STEP,
        threads: int | None = None,
        conditions: Conditions | None = None,
        assists: Assists | None = None,
        control_delay: float = 0.0,
        precision: str = "single",
    ) -> None:
        if n < 1:
            raise ConfigError(f"A simulator needs at least one car, not {n}.")
        if substeps < 1 or not 0.0 < physics_step <= 0.005:
            raise ConfigError(
                f"{substeps} physics steps of {physics_step} s make no control period. "
                "Use at least one step of at most 0.005 s; AC's own are 0.003 s."
            )
        self.n = n
        self.track = track
        self.substeps = substeps
        self.physics_step = physics_step
        self.control_period = substeps * physics_step
        self.conditions = conditions or Conditions()
        self.assists = assists or Assists()
        delay = whole_steps(control_delay, physics_step)
        self._delayed, self._late = divmod(delay, substeps)
        self._past = np.repeat(neutral_controls(n)[None], self._delayed + 2 if delay else 0, axis=0)
        self._turn = 0
        self.road = RoadTable(track)
        self.frames: Frames = np.zeros(n, FRAME)
        self._float = np.float64 if precision == "double" else np.float32
        self._blocks = -(-n // LANES)
        self._state: npt.NDArray[Any] = np.zeros((self._blocks, kernels.STATE_WIDTH), self._float)
        self._ints = np.zeros((self._blocks, 2 * LANES), np.int32)
        self._rows = np.ascontiguousarray(self.road.rows, self._float).reshape(-1)
        self._curvature = np.ascontiguousarray(self.road.rows[:, :2], self._float).reshape(-1)
        self._sectors = self.road.sectors.astype(self._float)
        self._world = np.array(
            world(
                self.conditions,
                self.assists,
                track.altitude,
                track.length,
                self.road.cell_length,
                self.road.cells,
                physics_step,
            ),
            self._float,
        )
        self._frame_floats = as_floats(self.frames).reshape(-1)
        self._own: dict[int, tuple[Car, npt.NDArray[Any]]] = {}
        self.threads = (1 if n < SERIAL_BELOW else 2) if threads is None else max(1, threads)
        self._pool = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None
        self._set_all(car)
        self.reset(distance=0.0)

    @property
    def cars(self) -> tuple[Car, ...]:
        """The car model of each place."""
        return tuple(self._cars)

    def _set_all(self, car: Car | Sequence[Car]) -> None:
        cars = [car] * self.n if isinstance(car, Car) else list(car)
        if len(cars) != self.n:
            raise ConfigError(f"{len(cars)} cars were given for {self.n} places. Give one car, or one for each place.")
        self._cars = cars
        self._fuel = np.array([model.chassis.fuel for model in cars])
        if all(model is cars[0] for model in cars):
            column = np.array(flatten(car_params(cars[0])), self._float)
            self._params: npt.NDArray[Any] = np.repeat(column, LANES)[None, :]
            self._which = np.zeros(self._blocks, np.int32)
        else:
            self._separate()
            known: dict[int, CarParams] = {}
            for index, model in enumerate(cars):
                params = known.setdefault(id(model), car_params(model))
                self._write_params(np.array([index]), params)

    def _separate(self) -> None:
        """Gives every block its own parameters."""
        blocks = empty_blocks(CarParams, self._blocks, self._float)
        if hasattr(self, "_params") and len(self._params) != self._blocks:
            blocks[:] = self._params[self._which]
        elif hasattr(self, "_params"):
            return
        else:
            # Lanes without a car need values that cannot divide by zero.
            blocks[:] = np.repeat(np.array(flatten(car_params(self._cars[0])), self._float), LANES)
        self._params = blocks
        self._which = np.arange(self._blocks, dtype=np.int32)

    def _write_params(self, index: Indices, params: CarParams) -> None:
        columns = self._params.reshape(self._blocks, -1, LANES)
        columns[index // LANES, :, index % LANES] = np.array(flatten(params), self._float)

    def set_car(self, index: npt.ArrayLike, car: Car) -> None:
        """Gives some cars another model; it acts from their next step on, so reset them to start cleanly.

        Args:
            index: Which cars.
            car: The model.
        """
        where = self._indices(index)
        self._separate()
        self._write_params(where, car_params(car))
        self._fuel[where] = car.chassis.fuel
        for i in where:
            self._cars[int(i)] = car

    def scale(self, index: npt.ArrayLike | None = None, **factors: npt.ArrayLike) -> None:
        """Multiplies parameters of some cars, for randomisation.

        Args:
            index: Which cars; None means all.
            factors: Parameter paths with double underscores, a number or one for each car: `front_tyre__grip_y=1.02`,
                `chassis__mass=[0.98, 1.03]`.

        Raises:
            UnknownNameError: No such parameter.
        """
        where = self._indices(index)
        self._separate()
        paths = field_paths(CarParams)
        columns = self._params.reshape(self._blocks, -1, LANES)
        for name, factor in factors.items():
            path = name.replace("__", ".")
            if path not in paths:
                raise UnknownNameError("car parameter", path, paths)
            columns[where // LANES, paths.index(path), where % LANES] *= np.broadcast_to(
                np.asarray(factor, self._float), where.shape
            )

    def vary(self, index: npt.ArrayLike, factors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Gives some cars their own model's parameters times these factors; what was scaled before is forgotten.

        Args:
            index: Which cars.
            factors: float[K] By parameter path, such as "chassis.mass".

        Raises:
            UnknownNameError: No such parameter.
        """
        where = self._indices(index)
        self._separate()
        paths, columns = field_paths(CarParams), self._params.reshape(self._blocks, -1, LANES)
        models = {id(self._cars[i]): self._cars[i] for i in where}
        for name in models.keys() - self._own.keys():
            # The model is kept beside its numbers: its identity would be given to another one if it were gone.
            self._own[name] = models[name], np.array(flatten(car_params(models[name])), self._float)
        places = {name: place for place, name in enumerate(models)}
        own = np.array([self._own[name][1] for name in models])
        mine = np.array([places[id(self._cars[i])] for i in where], np.int64)
        for path, factor in factors.items():
            if path not in paths:
                raise UnknownNameError("car parameter", path, paths)
            at = paths.index(path)
            columns[where // LANES, at, where % LANES] = own[mine, at] * factor

    def parameters(self) -> npt.NDArray[Any]:
        """float[N, fields of CarParams]: what every car is made of now, scaled or not."""
        blocks = self._params[self._which].reshape(self._blocks, -1, LANES)
        return np.array(blocks.transpose(0, 2, 1).reshape(self._blocks * LANES, -1)[: self.n])

    def set_parameters(self, values: npt.NDArray[Any]) -> None:
        """Makes every car of what `parameters` returned.

        Args:
            values: float[N, fields of CarParams].
        """
        self._separate()
        where = np.arange(self.n)
        self._params.reshape(self._blocks, -1, LANES)[where // LANES, :, where % LANES] = values

    def reset_params(self, index: npt.ArrayLike | None = None) -> None:
        """Takes back all scaling of some cars; None means all."""
        where = self._indices(index)
        self._separate()
        for model in {id(self._cars[int(i)]): self._cars[int(i)] for i in where}.values():
            mine = np.array([i for i in where if self._cars[int(i)] is model], np.int64)
            self._write_params(mine, car_params(model))

    def reset(
        self,
        index: npt.ArrayLike | None = None,
        *,
        distance: npt.ArrayLike,
        lateral: npt.ArrayLike = 0.0,
        heading: npt.ArrayLike = 0.0,
        speed: npt.ArrayLike = 0.0,
        gear: npt.ArrayLike = AUTOMATIC,
        fuel: npt.ArrayLike | None = None,
        tyre_temperature: npt.ArrayLike | None = None,
        tyre_wear: npt.ArrayLike = 0.0,
        wind: tuple[npt.ArrayLike, npt.ArrayLike] = (0.0, 0.0),
    ) -> Frames:
        """Puts cars on the road with clocks at zero and no laps.

        Args:
            index: Which cars; None means all. All other arguments are one number, or one for each of these cars.
            distance: [m] Lap distance, wrapped around the lap.
            lateral: [m] Offset from the centre line, left positive.
            heading: [rad] Relative to the road.
            speed: [m/s] Forward, not negative.
            gear: -2 chooses one for the speed.
            fuel: [kg] On board; None takes the car's default.
            tyre_temperature: [°C] None takes the middle of the front tyres' window.
            tyre_wear: [-] Share of the virtual kilometres of a worn-out tyre.
            wind: [m/s] Velocity of the air in world axes x and y, beside the weather's, until the next reset.

        Returns:
            FRAME[N] of all cars.

        Raises:
            ConfigError: A value that is not finite.
        """
        where = self._indices(index)
        along = np.broadcast_to(np.asarray(distance, float), where.shape)
        if not np.isfinite(along).all():
            raise ConfigError("A car cannot start at a distance that is not finite. Check the arguments of reset().")
        cell, into = self.road.locate(along)
        columns = (
            block_column(CarParams, "front_tyre.temperature_low"),
            block_column(CarParams, "front_tyre.temperature_high"),
        )
        middle = 0.5 * (self._params[self._which[0], columns[0]][0] + self._params[self._which[0], columns[1]][0])
        starts = np.empty((len(where), len(Start._fields)), self._float)
        values = (
            cell * self.road.cell_length + into,
            lateral,
            heading,
            speed,
            gear,
            self._fuel[where] if fuel is None else fuel,
            middle if tyre_temperature is None else tyre_temperature,
            tyre_wear,
            *wind,
        )
        for column, value in enumerate(values):
            starts[:, column] = value
        if not np.isfinite(starts).all():
            raise ConfigError("A car cannot start with a value that is not finite. Check the arguments of reset().")
        kernels.put(
            self._state,
            self._ints,
            self._params,
            self._which,
            self._rows,
            self._sectors,
            self._world,
            self._frame_floats,
            where,
            cell.astype(np.int32),
            starts,
            self.substeps,
        )
        self._forget_controls(where)
        return self.frames

    def step(self, controls: Controls) -> Frames:
        """Drives all cars through one control period.

        Args:
            controls: CONTROLS[N]; values beyond their range are limited to it.

        Returns:
            FRAME[N], the array `frames`.

        Raises:
            ControlError: Controls of another length or type, or with a value that is not finite.
        """
        asked = self._control_floats(controls)
        earlier, floats = self._in_force(controls) if len(self._past) else (asked, asked)
        if self._pool is None:
            self._advance(earlier, floats, 0, self._blocks)
        else:
            cuts = [self._blocks * i // self.threads for i in range(self.threads + 1)]
            jobs = [self._pool.submit(self._advance, earlier, floats, a, b) for a, b in pairwise(cuts[1:])]
            self._advance(earlier, floats, cuts[0], cuts[1])
            for job in jobs:
                job.result()
        return self.frames

    def _in_force(self, controls: Controls) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Controls that act in the first steps of this period, and those that act in the rest of it."""
        self._turn += 1
        self._past[self._turn % len(self._past)] = controls
        now = self._past[(self._turn - self._delayed) % len(self._past)]
        before = self._past[(self._turn - self._delayed - 1) % len(self._past)]
        return as_floats(before).reshape(-1), as_floats(now).reshape(-1)

    def delayed_controls(self) -> npt.NDArray[np.int32]:
        """int32[P, N, fields of CONTROLS]: the bits of what was asked and has not come through yet, newest first.

        There must be a delay.
        """
        order = (self._turn - np.arange(len(self._past))) % len(self._past)
        return self._past[order].view(np.int32).reshape(len(self._past), self.n, -1)

    def set_delayed_controls(self, bits: npt.NDArray[np.int32]) -> None:
        """Goes on from `delayed_controls`, after `restore`."""
        order = (self._turn - np.arange(len(self._past))) % len(self._past)
        self._past.view(np.int32).reshape(len(self._past), self.n, -1)[order] = bits

    def _forget_controls(self, where: Indices) -> None:
        """What was asked of these cars before they were moved no longer comes through; they go on as they are."""
        if not len(self._past):
            return
        calm = neutral_controls(len(where))
        for name in ("steer", "throttle", "brake", "gear"):
            calm[name] = self.frames[name][where]
        self._past[:, where] = calm

    def _advance(
        self, earlier: npt.NDArray[np.float32], controls: npt.NDArray[np.float32], first: int, last: int
    ) -> None:
        kernels.advance(
            self._state,
            self._ints,
            self._params,
            self._which,
            self._rows,
            self._curvature,
            self._sectors,
            self._world,
            earlier,
            controls,
            self._frame_floats,
            self.n,
            first,
            last,
            self._late,
            self.substeps,
        )

    def _control_floats(self, controls: Controls) -> npt.NDArray[np.float32]:
        if not isinstance(controls, np.ndarray) or controls.dtype != CONTROLS or controls.shape != (self.n,):
            kind = getattr(controls, "dtype", type(controls).__name__)
            shape = getattr(controls, "shape", None)
            raise ControlError(
                f"Controls must be a CONTROLS[{self.n}] record array, not {kind} of shape {shape}. "
                f"Start from neutral_controls({self.n})."
            )
        floats = np.ascontiguousarray(controls).view(np.float32)
        columns = floats.reshape(self.n, -1)
        # A sum is finite only if every term is; the fifth column holds integer bits.
        if not np.isfinite(columns[:, :4].sum() + columns[:, 5].sum()):
            self._refuse(controls)
        return floats

    def _refuse(self, controls: Controls) -> None:
        for name in ("steer", "throttle", "brake", "clutch", "drs"):
            bad = np.flatnonzero(~np.isfinite(controls[name]))
            if len(bad):
                raise ControlError(
                    f"The control '{name}' of car {bad[0]} is {controls[name][bad[0]]}. "
                    "Send finite numbers; nothing was driven."
                )

    def snapshot(self, index: npt.ArrayLike | None = None) -> State:
        """Exact states of some cars; None means all."""
        where = self._indices(index)
        values = self._state.reshape(self._blocks, -1, LANES)[where // LANES, :, where % LANES]
        ints = self._ints.reshape(self._blocks, 2, LANES)[where // LANES, :, where % LANES]
        return State(values, ints)

    def restore(self, state: State, index: npt.ArrayLike | None = None) -> Frames:
        """Puts cars back into earlier states, clocks included.

        Args:
            state: One state for each car, from a simulator of the same track and precision.
            index: Which cars; None means all.

        Returns:
            FRAME[N] of all cars.

        Raises:
            ConfigError: Another number of states than cars, or of numbers in a state.
        """
        where = self._indices(index)
        if len(state) != len(where):
            raise ConfigError(f"{len(state)} states were given for {len(where)} cars. Give one state for each.")
        if state.values.shape[1:] != (STATE_FIELDS,):
            raise ConfigError(
                f"A car's state has {STATE_FIELDS} numbers, not {state.values.shape[1]}: another version kept "
                "it. A policy of that version still drives, but its run cannot go on: begin a new one."
            )
        self._state.reshape(self._blocks, -1, LANES)[where // LANES, :, where % LANES] = state.values
        self._ints.reshape(self._blocks, 2, LANES)[where // LANES, :, where % LANES] = state.ints
        kernels.write_frames(
            self._state, self._ints, self._params, self._which, self._world, self._frame_floats, where, self.substeps
        )
        self._forget_controls(where)
        return self.frames

    def _indices(self, index: npt.ArrayLike | None) -> Indices:
        if index is None:
            return np.arange(self.n, dtype=np.int64)
        where = np.atleast_1d(np.asarray(index))
        where = np.flatnonzero(where) if where.dtype == bool else where.astype(np.int64)
        if len(where) and (where.min() < 0 or where.max() >= self.n):
            raise ConfigError(
                f"Car {where.max()} does not exist in a simulator of {self.n}. Indices run from 0 to {self.n - 1}."
            )
        return where
