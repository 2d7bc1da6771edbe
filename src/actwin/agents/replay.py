"""Replay memory of many cars: steps in time order, n-step returns worked out when a batch is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from actwin.agents.arrays import Flags, Floats
from actwin.agents.disk_rows import DiskRows
from actwin.errors import CheckpointError, ConfigError, ExperienceError

TERMINATED: Final = 1
TRUNCATED: Final = 2
_COLUMNS: Final = ("rows", "rewards", "ends", "cut_row")
_COUNTERS: Final = ("heads", "filled", "run", "after_known")
LEAST_SPARE: Final = 64
"""Steps of each car on disk beyond those that are drawn from, at least."""


class Transitions(NamedTuple):
    """A batch of n-step transitions.

    R = sum over k < h of gamma^k r_k, where h is the number of steps up to n, or to the end of the episode.
    """

    observations: Tensor
    """float32[B, O]: raw, before the first step."""
    actions: Tensor
    """float32[B, width]: of the first step, in the environment's terms."""
    returns: Tensor
    """float32[B]: R."""
    following: Tensor
    """float32[B, O]: raw, after the last step; before the reset where the episode was cut off."""
    discounts: Tensor
    """float32[B]: gamma^h, 0 where the episode terminated."""


class Experience(NamedTuple):
    """What a demonstrator did and what came of it, in time order."""

    observations: Floats
    """float32[T, N, O]"""
    actions: Floats
    """float32[T, N, width] as they were sent."""
    rewards: Floats
    """float32[T, N]"""
    terminated: Flags
    """bool[T, N]: the episode ended with this step and nothing comes after it."""
    truncated: Flags
    """bool[T, N]: nothing that is known follows this step but the next row's observation, whose value counts."""
    usable: Flags
    """bool[T, N]: the step belongs to an episode; what a car did after a failure does not."""

    def joined(self) -> Experience:
        """The same as one car's: [T N, 1]. The last row of each car must not be usable."""
        columns: Any = (np.ascontiguousarray(part.swapaxes(0, 1)).reshape(-1, 1, *part.shape[2:]) for part in self)
        return Experience(*columns)


class Replay:
    """A ring of steps for each of N cars.

    Cars may step together (`add`) or each at its own pace (`extend`), as cars in a real game do. A window of n steps
    ends with its episode: rewards of the next one never leak into it. An episode that was cut off continues in value
    from its last observation before the reset, one that terminated has none. Windows that are not complete yet, because
    what follows their steps is not known, are not drawn.

    Args:
        steps: Steps of each car that are kept.
        cars: N.
        observations, width: Columns of an observation and of an action.
        n_step: Longest window.
        gamma: Discount of one step.
        folder: Where observations and actions lie, in a file; in memory if None. On disk there is room for a quarter
            more steps than are drawn from: what was saved is not written over at once, so that it outlives a kill.

    Raises:
        ConfigError: Fewer steps than a window has.
    """

    def __init__(
        self,
        steps: int,
        cars: int,
        observations: int,
        width: int,
        n_step: int,
        gamma: float,
        folder: Path | None = None,
    ) -> None:
        if steps <= n_step:
            raise ConfigError(
                f"A replay memory of {steps} steps for each of {cars} cars holds no window of {n_step} steps. "
                "Raise agent.replay, or lower train.cars or agent.n_step."
            )
        self.steps, self.cars, self.n_step, self.gamma = steps, cars, n_step, gamma
        self.size, self.width = observations, width
        self.folder = folder
        self._disk: DiskRows | None = None
        self._make_room(steps if folder is None else steps + max(steps // 4, LEAST_SPARE))
        self.heads = np.zeros(cars, np.int64)
        """Steps that each car ever added: the next one goes to row `heads % steps`."""
        self.filled = np.zeros(cars, np.int64)
        self.run = np.zeros(cars, np.int64)
        """Steps of each car since the last end of an episode."""
        self.after, self.after_known = torch.zeros(cars, observations), np.zeros(cars, np.bool_)
        """What followed each car's newest step, where it is known."""
        self._cut = torch.zeros(0, observations)
        self._free: list[int] = []
        self._saves, self._saved = 0, _Saved(-1, self.heads.copy(), self.filled.copy())
        self._starts: Tensor | None = None
        self._known: tuple[Tensor, Tensor] | None = None
        self._powers = (gamma ** np.arange(n_step + 1)).astype(np.float32)

    def _make_room(self, room: int) -> None:
        self.room = room
        on_disk = self.folder is not None
        self.rows = torch.zeros(0 if on_disk else room, self.cars, self.size + self.width)
        self.rewards = torch.zeros(room, self.cars)
        self.ends = torch.zeros(room, self.cars, dtype=torch.uint8)
        self.cut_row = torch.full((room, self.cars), -1, dtype=torch.int32)

    @classmethod
    def of(cls, experience: Experience, n_step: int, gamma: float) -> Replay:
        """A memory that holds demonstrations.

        Args:
            experience: In time order.
            n_step, gamma: As of the class.
        """
        steps, cars, observations = experience.observations.shape
        memory = cls(steps, cars, observations, experience.actions.shape[-1], n_step, gamma)
        memory.observations.copy_(torch.from_numpy(experience.observations))
        memory.actions.copy_(torch.from_numpy(experience.actions))
        memory.rewards.copy_(torch.from_numpy(experience.rewards))
        memory.ends.copy_(_ends(torch.from_numpy(experience.terminated), torch.from_numpy(experience.truncated)))
        memory.heads[:] = memory.filled[:] = steps
        starts = experience.usable.copy()
        starts[-n_step:] = False
        memory._starts = torch.from_numpy(np.flatnonzero(starts.reshape(-1)))
        return memory

    @property
    def observations(self) -> Tensor:
        """float32[steps, N, O]: before each step."""
        return self.rows[..., : self.size]

    @property
    def actions(self) -> Tensor:
        """float32[steps, N, width]"""
        return self.rows[..., self.size :]

    def __len__(self) -> int:
        """Transitions that can be drawn."""
        return len(self._starts) if self._starts is not None else int(self._complete().sum())

    def _complete(self) -> npt.NDArray[np.int64]:
        """int64[N]: steps of each car whose window is complete: all but the newest of an episode that goes on."""
        return self.filled - np.minimum(np.minimum(self.run, self.n_step), self.filled)

    def add(
        self,
        observation: Tensor,
        action: Tensor,
        reward: Tensor,
        terminated: Tensor,
        truncated: Tensor,
        final_observation: Tensor,
    ) -> None:
        """Keeps one step of all cars.

        Args:
            observation: float32[N, O] before the step.
            action: float32[N, width].
            reward: float32[N].
            terminated, truncated: bool[N] How the step ended an episode; termination wins where both are set.
            final_observation: float32[N, O] before the reset; read where truncated.
        """
        places = self.heads % self.room
        together = bool((places == places[0]).all())
        # One row of the ring is written several times faster than a place in each of N rows.
        at: Any = int(places[0]) if together else (torch.from_numpy(places), torch.arange(self.cars))
        ends = _ends(terminated, truncated)
        cut = (ends == TRUNCATED).nonzero().squeeze(-1)
        self._write(at, torch.cat([observation, action], -1), reward, ends)
        if len(cut):
            self._continue(torch.from_numpy(places)[cut], cut, final_observation[cut])
        self.heads += 1
        self.filled += self.filled < self.steps
        self.run = np.where(ends.numpy() > 0, 0, self.run + 1)
        self.after_known[:] = False

    def extend(
        self,
        stream: int,
        observations: Floats,
        actions: Floats,
        rewards: Floats,
        terminated: Flags,
        truncated: Flags,
        final_observation: Floats,
        following: Floats | None = None,
    ) -> None:
        """Keeps consecutive steps of one car; others may be behind or ahead.

        Args:
            stream: Which car.
            observations: float32[T, O] before each step. The first one is what followed the car's newest step, unless
                that ended an episode; where steps are missing in between, `cut` comes first.
            actions: float32[T, width].
            rewards: float32[T].
            terminated, truncated: bool[T] How each step ended an episode; termination wins where both are set.
            final_observation: float32[K, O] before the reset, one for each step that ended an episode, in order.
            following: float32[O] after the last step, if it is known; wanted only where a `cut` comes next.
        """
        count = len(rewards)
        if count > self.steps:
            raise ExperienceError(
                f"{count} steps at once do not fit a memory of {self.steps} steps for each car. Send shorter chunks."
            )
        rows = torch.from_numpy((self.heads[stream] + np.arange(count)) % self.room)
        ends = _ends(torch.from_numpy(terminated), torch.from_numpy(truncated))
        packed = torch.from_numpy(np.hstack([observations, actions]))
        self._write((rows, stream), packed, torch.from_numpy(rewards), ends, count)
        cut = ends[ends > 0] == TRUNCATED
        if bool(cut.any()):
            places = rows[ends == TRUNCATED]
            self._continue(places, torch.full_like(places, stream), torch.from_numpy(final_observation)[cut])
        self.heads[stream] += count
        self.filled[stream] = min(self.filled[stream] + count, self.steps)
        since = np.flatnonzero(ends.numpy()[::-1])
        self.run[stream] = since[0] if len(since) else self.run[stream] + count
        self.after_known[stream] = following is not None
        if following is not None:
            self.after[stream] = torch.from_numpy(following)

    def _write(self, at: Any, packed: Tensor, rewards: Tensor, ends: Tensor, count: int = 1) -> None:
        """Puts steps in their places, over the oldest; `count` of each car."""
        if not len(self.rows):
            assert self.folder is not None
            self._open(DiskRows.new(self.folder, (self.room, self.cars, self.size + self.width)))
        if self._disk is not None and self._left() < count:
            self._disk.write_over(self._saved.number)
        held = self.cut_row[at]
        if bool((held >= 0).any()):
            self._free += held[held >= 0].tolist()
            self.cut_row[at] = -1
        self.rows[at], self.rewards[at], self.ends[at] = packed, rewards, ends
        self._known = None

    def _open(self, disk: DiskRows) -> None:
        self._disk, self.rows = disk, disk.rows

    def _left(self) -> int:
        """Steps that can be added before the oldest one that was saved is written over."""
        saved = self._saved
        return self.room if saved.number < 0 else int((self.room - saved.filled - (self.heads - saved.heads)).min())

    @property
    def must_be_saved(self) -> bool:
        """Whether more steps would soon write over what the last save needs."""
        return self._disk is not None and self._left() < (self.room - self.steps) // 2

    def saved(self) -> None:
        """Whoever wrote the last `state()` says so when it is safely there."""
        self._saved = _Saved(self._saves, self.heads.copy(), self.filled.copy())
        if self._disk is not None:
            self._disk.tidy()

    def _continue(self, rows: Tensor, cars: Tensor, following: Tensor) -> None:
        """Keeps what followed steps that were the last before a cut."""
        places = torch.tensor([self._place() for _ in range(len(rows))], dtype=torch.int32)
        self._cut[places] = following
        self.cut_row[rows, cars] = places

    def cut(self, stream: int) -> bool:
        """Ends the episode of a car whose next steps were lost, as a truncation; False if it had ended already.

        Where it is not known what followed the newest step, that step is forgotten, but its observation is what
        followed the step before.
        """
        if not self.run[stream]:
            return False
        if self.after_known[stream]:
            self._end(int((self.heads[stream] - 1) % self.room), stream, self.after[stream])
            return True
        if self._disk is not None:  # its row will be another's, also where it was saved
            self._disk.write_over(self._saved.number)
        self.heads[stream] -= 1
        self.filled[stream] -= 1
        lost, row = (int((self.heads[stream] - back) % self.room) for back in (0, 1))
        if self.run[stream] > 1 and self.filled[stream]:
            self._end(row, stream, self.rows[lost, stream, : self.size])
        self.run[stream], self._known = 0, None
        return True

    def _end(self, row: int, stream: int, following: Tensor) -> None:
        """Makes a car's newest step the last before a cut."""
        self.ends[row, stream] = TRUNCATED
        self._continue(torch.tensor([row]), torch.tensor([stream]), following)
        self.run[stream], self._known = 0, None

    def _place(self) -> int:
        """A free row for a last observation; room doubles when there is none."""
        if not self._free:
            before = len(self._cut)
            more = max(before, 64)
            self._cut = torch.cat([self._cut, torch.zeros(more, self._cut.shape[1])])
            self._free = list(range(before + more - 1, before - 1, -1))
        return self._free.pop()

    def sample(self, size: int, generator: torch.Generator) -> Transitions:
        """Draws from all complete windows evenly, with replacement.

        Args:
            size: B.
            generator: Of the draw.
        """
        if self._starts is not None:
            flat = self._starts[torch.randint(len(self._starts), (size,), generator=generator)]
            return self.windows(flat // self.cars, flat % self.cars)
        if self._known is None:
            # A window's number counts on from car to car, and within a car from the oldest.
            counts = torch.from_numpy(self._complete())
            until = counts.cumsum(0)
            self._known = until, torch.from_numpy(self.heads - self.filled) - (until - counts)
        until, offset = self._known
        numbers = torch.randint(int(until[-1]), (size,), generator=generator)
        cars = torch.searchsorted(until, numbers, right=True)
        return self.windows((numbers + offset[cars]) % self.room, cars)

    def windows(self, rows: Tensor, cars: Tensor) -> Transitions:
        """The windows that begin at these rows of the ring.

        Args:
            rows, cars: int64[B]; the windows must be complete.
        """
        # Small integer work, in numpy: its calls cost a third of torch's.
        begin, stream = rows.numpy()[:, None], cars.numpy()[:, None]
        flat = (begin + np.arange(self.n_step)) % self.room * self.cars + stream
        rewards, ends, cuts = (each.numpy().reshape(-1) for each in (self.rewards, self.ends, self.cut_row))
        over = (ends[flat] > 0).cumsum(1)
        # A step belongs to the window while no step before it ended the episode.
        inside = np.ones_like(over, np.bool_)
        inside[:, 1:] = over[:, :-1] == 0
        length = inside.sum(1)
        returns = (rewards[flat] * inside) @ self._powers[: self.n_step]
        last = np.take_along_axis(flat, length[:, None] - 1, 1)[:, 0]
        discounts = np.where(ends[last] == TERMINATED, np.float32(0.0), self._powers[length])
        following = (begin[:, 0] + length) % self.room * self.cars + stream[:, 0]
        packed = self.rows.view(-1, self.size + self.width)
        first = packed.index_select(0, torch.from_numpy(flat[:, 0]))
        after = packed.index_select(0, torch.from_numpy(following))[:, : self.size]
        if (held := np.flatnonzero(cuts[last] >= 0)).size:
            after[torch.from_numpy(held)] = self._cut[torch.from_numpy(cuts[last[held]]).long()]
        return Transitions(
            first[:, : self.size], first[:, self.size :], torch.from_numpy(returns), after, torch.from_numpy(discounts)
        )

    def mean_reward(self) -> float:
        """Of a step, over all that is kept."""
        ages = (self.heads - 1 - np.arange(self.room)[:, None]) % self.room
        kept = torch.from_numpy(ages < self.filled)
        return float(self.rewards[kept].mean()) if self.filled.any() else 0.0

    def state(self) -> dict[str, Any]:
        """All that is kept, as tensors and numbers; rows on disk are there already."""
        self._saves += 1
        used = int(min(self.heads.max(), self.room))
        names = _COLUMNS if self._disk is None else _COLUMNS[1:]
        kept: dict[str, Any] = {name: getattr(self, name)[:used].clone() for name in names}
        if self._disk is not None:
            self._disk.flush()
            kept |= {"rows_file": self._disk.path.name, "room": self.room, "save": self._saves}
        kept |= {name: torch.from_numpy(getattr(self, name).copy()) for name in _COUNTERS}
        return kept | {"cut": self._cut.clone(), "free": list(self._free), "after": self.after.clone()}

    def load_state(self, state: dict[str, Any], folder: Path | None = None) -> None:
        """Goes on from `state()` of a memory of the same size, on disk if that was.

        Args:
            state: What was saved.
            folder: Where its rows lie, if they are on disk. They are copied if this memory's folder is another.

        Raises:
            CheckpointError: The rows are not there, or have been written over.
        """
        if "rows_file" in state:
            self._load_rows(state, folder)
        elif self.folder is not None:
            self.folder = None
            self._make_room(self.steps)
        used = len(state["rewards"])
        for name in _COLUMNS[1:] if self._disk else _COLUMNS:
            getattr(self, name)[:used] = state[name]
        for name in _COUNTERS:
            getattr(self, name)[:] = state[name].numpy()
        self._cut, self._free, self._known = state["cut"].clone(), list(state["free"]), None
        self.after.copy_(state["after"])
        if self._disk is not None:
            self._saves = int(state["save"])
            self._saved = _Saved(self._saves, self.heads.copy(), self.filled.copy())

    def _load_rows(self, state: dict[str, Any], folder: Path | None) -> None:
        name, room = Path(state["rows_file"]).name, int(state["room"])
        if folder is None or room < self.steps:
            raise CheckpointError(f"A memory of {room} steps on disk does not fit one of {self.steps} steps.")
        self.folder = self.folder or folder
        self._make_room(room)
        disk = DiskRows(folder / name, (room, self.cars, self.size + self.width))
        if disk.written_over(int(state["save"])):
            raise CheckpointError(
                f"{disk.path}: the run went on for so long after this checkpoint that what it needs was written over. "
                "Resume from the newest last.pt, or begin a new run."
            )
        self._open(disk if self.folder.resolve() == folder.resolve() else disk.copied(self.folder))


class _Saved(NamedTuple):
    """Where a memory was when it was last saved; number -1 before that."""

    number: int
    heads: npt.NDArray[np.int64]
    filled: npt.NDArray[np.int64]


def _ends(terminated: Tensor, truncated: Tensor) -> Tensor:
    """uint8 of the same shape: how steps ended; termination wins."""
    return torch.where(terminated, TERMINATED, truncated * TRUNCATED).to(torch.uint8)
