"""A race of N cars against the clock: the task, the twin and the books, stepped together on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.cockpit.twin import TwinCockpit
from actwin.env.config import RandomisationConfig
from actwin.env.curriculum import Curriculum
from actwin.env.ends import LAST_TERMINATION
from actwin.env.judge import MEMORY
from actwin.env.mistakes import Mistakes
from actwin.env.randomisation import Randomiser, add_noise
from actwin.env.rewards import TERMS
from actwin.env.starts import REPLAY, places
from actwin.env.task import Task
from actwin.telemetry.channels import Frames
from actwin.twin.simulator import State

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

RECORDED: Final = {
    "progress": "progress",
    "laps": "laps",
    "valid_laps": "valid_laps",
    "best_lap": "best_lap",
    "last_lap": "last_lap",
    "excursions": "excursions",
    "collision": "collision",
    "return": "reward",
}
"""Statistics of an episode by the names of the judge's books."""


class Race:
    """N cars that drive episodes of a task in the twin; the arrays are the same ones in every step.

    Args:
        task: The task, for N cars.
        threads: Threads that share the cars; by default as many as the simulator uses.

    Attributes:
        task, cockpit: As given; the seat in the twin.
        frames: FRAME[N] of this moment.
        observation: float32[N, O] What the drivers see now; of the new episode where one ended.
        final_observation: float32[N, O] In rows whose episode ended in the last step, what was seen at its end.
        curriculum: How hard new episodes are.
        ended: int64[K] Cars whose episode ended in the last step.
        episodes: int64[N] How many episodes each car has begun before this one.
    """

    def __init__(self, task: Task, threads: int | None = None) -> None:
        self.task = task
        self.cockpit = TwinCockpit(task.simulator(threads))
        self.frames: Frames = self.cockpit.frames
        self.observation: Floats = task.observation
        self.final_observation: Floats = np.zeros_like(task.observation)
        self.episodes: Indices = np.full(task.n, -1, np.int64)
        self.ended: Indices = np.zeros(0, np.int64)
        self.seed = 0
        self._all = np.arange(task.n)
        random = task.config.randomisation
        changes = random != RandomisationConfig()
        self.curriculum = Curriculum(task.config.curriculum)
        changes |= bool(task.config.curriculum.window)
        eased = bool(task.config.curriculum.window and task.config.curriculum.extra_grip)
        self._randomiser = Randomiser(random, self.cockpit.simulator, eased) if changes else None
        self._noise = random.sensor_noise
        self._mistakes: Mistakes | None = None
        self._splits: list[tuple[Indices, Floats]] = []
        self._records: list[dict[str, npt.NDArray[Any]]] = []
        workers = self.cockpit.simulator.threads
        self._cuts = [task.n * i // workers for i in range(workers + 1)]
        self._pool = ThreadPoolExecutor(workers - 1) if workers > 1 else None

    def reset(
        self,
        seed: int | None = None,
        rows: Indices | None = None,
        start: str | None = None,
        place: Mapping[str, Any] | None = None,
    ) -> Floats:
        """Begins new episodes.

        Args:
            seed: Begins a new run with this seed; None goes on with the one in use.
            rows: int64[K] Which cars; None means all.
            start: Kind of start to use instead of the mixture.
            place: `distance`, `lateral`, `heading`, `speed` to use instead of the drawn ones.

        Returns:
            float32[N, O], the array `observation`.
        """
        if seed is not None:
            self.seed = int(seed)
            self.episodes[:] = -1
            self._mistakes = None
        if self._mistakes is None and self.task.starts.replays:
            self._mistakes = Mistakes(self.task.config.start, self.cockpit.simulator, self.seed)
        which = self._all if rows is None else rows
        self._begin(which, start, place or {})
        self.ended = np.zeros(0, np.int64)
        self.task.observe(self.frames)
        return self._disturb(self._all)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What is remembered of the episodes that are going on."""
        judged, moments = self.task.judged, self.task.moments
        shown = {"moments": moments.past, "known": moments.known} if moments.past.shape[1] else {}
        return shown | {
            "history": self.task.actions.history, "episodes": self.episodes,
            "memory": judged.memory, "sums": judged.sums,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on: copies of arrays, numbers, and dicts of them."""
        cars = self.cockpit.simulator.snapshot()
        kept: dict[str, Any] = {"seed": self.seed, "curriculum": self.curriculum.state()}
        kept |= {"values": cars.values, "ints": cars.ints}
        if self._randomiser is not None:
            kept["parameters"] = self.cockpit.simulator.parameters().copy()
        if self.task.config.physics.control_delay:
            kept["delayed"] = self.cockpit.simulator.delayed_controls()
        if self._mistakes is not None:
            kept["mistakes"] = self._mistakes.state()
        return kept | {name: array.copy() for name, array in self._arrays().items()}

    def load_state(self, state: Mapping[str, Any]) -> Floats:
        """Goes on from `state()` of a race of the same task with as many cars; the observation float32[N, O]."""
        self.curriculum.load_state(state["curriculum"])
        self.reset(int(state["seed"]))
        if self._randomiser is not None:
            self.cockpit.simulator.set_parameters(state["parameters"])
        self.cockpit.restore(State(state["values"], state["ints"]))
        if "delayed" in state:
            self.cockpit.simulator.set_delayed_controls(state["delayed"])
        for name, array in self._arrays().items():
            array[:] = state[name]
        if self._mistakes is not None and "mistakes" in state:
            self._mistakes.load_state(state["mistakes"])
        self.task.observe(self.frames)
        return self._disturb(self._all)

    def _disturb(self, rows: Indices) -> Floats:
        """Adds errors of the sensors to what some cars see; the observation float32[N, O]."""
        if self._noise:
            periods = self.task.judged.memory[:, MEMORY.index("periods")]
            add_noise(self.seed, rows, self.episodes, periods, self._noise, self.observation)
        return self.observation

    def _begin(self, rows: Indices, start: str | None, place: Mapping[str, Any]) -> None:
        """Puts some cars at the beginning of new episodes."""
        self.episodes[rows] += 1
        self.task.starts.ease(self.curriculum.difficulty)
        drawn = self.task.starts.draw(self.seed, rows, self.episodes, start)
        carried: dict[str, Any] = {"fuel": self.task.fuel}
        if self._randomiser is not None:
            self._randomiser.vary(self.seed, rows, self.episodes, self.curriculum.extra_grip)
            carried = self._randomiser.start(self.seed, rows, self.episodes, self.task.fuel)
        self.cockpit.reset(rows, **carried, **places(drawn, place))
        if self._mistakes is not None:
            self._mistakes.begin(rows)
            again = rows[drawn.kind == REPLAY]
            if len(again) and len(self._mistakes):
                self.cockpit.restore(self._mistakes.pick(again, self.episodes), again)
        self.task.begin(self.frames, rows)

    def step(self, actions: npt.ArrayLike) -> None:
        """Drives all cars through one control period and begins new episodes where one ended.

        Args:
            actions: float[N, A].

        Raises:
            ControlError: Another shape, or a value that is not finite; nothing is driven.
        """
        self.advance(actions)
        if len(self.ended):
            self.renew()

    def advance(self, actions: npt.ArrayLike) -> None:
        """Drives all cars through one control period; where an episode ended, the car stays as it is."""
        task = self.task
        self.cockpit.send(task.decode(actions, self.frames))
        self.cockpit.read()
        self._share(self._judge_and_observe)
        self._disturb(self._all)
        if self._mistakes is not None:
            self._mistakes.watch()
        if len(passed := np.flatnonzero(task.judged.splits)):
            before = task.judged.memory[passed, MEMORY.index("sector")].astype(np.int64) - 1
            self._splits.append((before % len(task.track.sectors), task.judged.splits[passed]))
        reasons = task.judged.reasons
        self.ended = np.flatnonzero(reasons)
        if len(self.ended):
            self._record(self.ended)
            self.curriculum.count(reasons[self.ended] <= LAST_TERMINATION)
            if self._mistakes is not None:
                failed = self.ended[reasons[self.ended] <= LAST_TERMINATION]
                self._mistakes.add(failed, self.episodes)

    def renew(self) -> None:
        """Begins new episodes where one ended, keeping the last observation of the old ones."""
        self.final_observation[self.ended] = self.observation[self.ended]
        self._begin(self.ended, None, {})
        self.task.observe_rows(self.frames, self.ended, self.observation)
        self._disturb(self.ended)

    def close(self) -> None:
        """Ends the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _judge_and_observe(self, first: int, last: int) -> None:
        self.task.judge(self.frames, first, last)
        self.task.observe(self.frames, None, first, last)

    def _share(self, work: Callable[[int, int], None]) -> None:
        """Runs `work(first, last)` over all cars, shared among the threads."""
        if self._pool is None:
            work(0, self.task.n)
            return
        jobs = [self._pool.submit(work, a, b) for a, b in zip(self._cuts[1:-1], self._cuts[2:], strict=True)]
        work(self._cuts[0], self._cuts[1])
        for job in jobs:
            job.result()

    def _record(self, rows: Indices) -> None:
        """Keeps the books of episodes that ended."""
        judged = self.task.judged
        books = judged.memory[rows]
        column = {name: books[:, k] for k, name in enumerate(MEMORY)}
        record: dict[str, npt.NDArray[Any]] = {
            "car": rows,
            "reason": judged.reasons[rows],
            "duration": column["periods"] * np.float32(self.task.config.period),
            "off_track_time": column["off_total"] * np.float32(self.task.config.period),
        }
        record |= {name: column[book] for name, book in RECORDED.items()}
        sums = judged.sums[rows]
        record |= {f"term/{name}": sums[:, k] for k, name in enumerate(TERMS) if name in judged.terms}
        self._records.append(record)

    def sector_times(self) -> dict[int, Floats]:
        """Hands out, and forgets, the times [s] of sectors driven whole since the last call, by sector from 0."""
        noted, self._splits = self._splits, []
        if not noted:
            return {}
        sectors, times = (np.concatenate(parts) for parts in zip(*noted, strict=True))
        return {int(sector): times[sectors == sector] for sector in np.unique(sectors)}

    def episode_stats(self) -> dict[str, npt.NDArray[Any]]:
        """Hands out, and forgets, the books of the episodes that ended since the last call.

        Returns:
            Arrays [E] by name: `car`, `reason` (codes of `ends.REASONS`), `duration` [s], `off_track_time` [s],
            `progress` [m], `laps`, `valid_laps`, `best_lap` [s] and `last_lap` [s] (0 for none), `excursions`,
            `collision` [J], `return`, and `term/<name>` for each reward term; empty when no episode ended.
        """
        records, self._records = self._records, []
        return {name: np.concatenate([record[name] for record in records]) for name in records[0]} if records else {}
