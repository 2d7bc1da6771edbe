"""Replay memory of many cars: steps in time order, n-step returns worked out when a batch is drawn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from actwin.agents.arrays import Flags, Floats
from actwin.errors import ConfigError


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
    ended: Flags
    """bool[T, N]: nothing that is known follows this step, so its value is not bootstrapped."""
    usable: Flags
    """bool[T, N]: the step belongs to an episode; what a car did after a failure does not."""


class Replay:
    """A ring of steps of N cars.

    A window of n steps ends with its episode: rewards of the next one never leak into it. An episode that was cut off
    continues in value from its last observation before the reset, one that terminated has none.

    Args:
        steps: Steps of each car that are kept.
        cars: N.
        observations, width: Columns of an observation and of an action.
        n_step: Longest window.
        gamma: Discount of one step.

    Raises:
        ConfigError: Fewer steps than a window has.
    """

    def __init__(self, steps: int, cars: int, observations: int, width: int, n_step: int, gamma: float) -> None:
        if steps <= n_step:
            raise ConfigError(
                f"A replay memory of {steps} steps for each of {cars} cars holds no window of {n_step} steps. "
                "Raise agent.replay, or lower train.cars or agent.n_step."
            )
        self.steps, self.cars, self.n_step, self.gamma = steps, cars, n_step, gamma
        self.observations = torch.zeros(steps, cars, observations)
        self.actions = torch.zeros(steps, cars, width)
        self.rewards = torch.zeros(steps, cars)
        self.terminated = torch.zeros(steps, cars, dtype=torch.bool)
        self.truncated = torch.zeros(steps, cars, dtype=torch.bool)
        self._cut = torch.zeros(0, observations)
        self._cut_row = torch.full((steps, cars), -1, dtype=torch.int64)
        self._free: list[int] = []
        self._starts: Tensor | None = None
        self.added = 0

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
        memory.terminated.copy_(torch.from_numpy(experience.ended))
        memory.added = steps
        starts = experience.usable.copy()
        starts[-n_step:] = False
        memory._starts = torch.from_numpy(np.flatnonzero(starts.reshape(-1)))
        return memory

    def last_ended(self) -> Tensor:
        """bool[N]: whose episode ended with the step that was added last."""
        row = (self.added - 1) % self.steps
        return self.terminated[row] | self.truncated[row]

    def __len__(self) -> int:
        """Transitions that can be drawn."""
        return max(min(self.added, self.steps) - self.n_step, 0) * self.cars

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
        row = self.added % self.steps
        self._release(row)
        self.observations[row], self.actions[row], self.rewards[row] = observation, action, reward
        self.terminated[row] = terminated
        self.truncated[row] = truncated & ~terminated
        cut = self.truncated[row].nonzero().squeeze(-1)
        if len(cut):
            places = torch.tensor([self._place() for _ in range(len(cut))])
            self._cut[places] = final_observation[cut]
            self._cut_row[row, cut] = places
        self.added += 1

    def _release(self, row: int) -> None:
        held = self._cut_row[row]
        if bool((held >= 0).any()):
            self._free += held[held >= 0].tolist()
            held.fill_(-1)

    def _place(self) -> int:
        """A free row for a last observation; room doubles when there is none."""
        if not self._free:
            before = len(self._cut)
            more = max(before, 64)
            self._cut = torch.cat([self._cut, torch.zeros(more, self._cut.shape[1])])
            self._free = list(range(before + more - 1, before - 1, -1))
        return self._free.pop()

    def sample(self, size: int, generator: torch.Generator) -> Transitions:
        """Draws transitions evenly, with replacement.

        Args:
            size: B.
            generator: Of the draw.
        """
        if self._starts is not None:
            flat = self._starts[torch.randint(len(self._starts), (size,), generator=generator)]
            return self.windows(flat // self.cars, flat % self.cars)
        filled = min(self.added, self.steps)
        ages = torch.randint(self.n_step, filled, (size,), generator=generator)
        cars = torch.randint(self.cars, (size,), generator=generator)
        return self.windows((self.added - 1 - ages) % self.steps, cars)

    def windows(self, rows: Tensor, cars: Tensor) -> Transitions:
        """The windows that begin at these rows of the ring.

        Args:
            rows, cars: int64[B]; at least `n_step` steps must have been added after each.
        """
        path = (rows.unsqueeze(-1) + torch.arange(self.n_step)) % self.steps
        flat = path * self.cars + cars.unsqueeze(-1)
        ended = (self.terminated.take(flat) | self.truncated.take(flat)).float()
        # A step belongs to the window while no step before it ended the episode.
        inside = torch.cat([torch.ones_like(ended[:, :1]), (1.0 - ended[:, :-1]).cumprod(-1)], -1)
        powers = self.gamma ** torch.arange(self.n_step)
        returns = (self.rewards.take(flat) * inside * powers).sum(-1)
        length = inside.sum(-1).long()
        last = flat.gather(-1, length.unsqueeze(-1) - 1).squeeze(-1)
        following = ((rows + length) % self.steps) * self.cars + cars
        width = self.observations.shape[-1]
        after = self.observations.view(-1, width).index_select(0, following)
        cut = self._cut_row.take(last)
        if bool((cut >= 0).any()):
            after[cut >= 0] = self._cut[cut[cut >= 0]]
        first = rows * self.cars + cars
        discounts = torch.where(self.terminated.take(last), 0.0, self.gamma ** length.float())
        return Transitions(
            self.observations.view(-1, width).index_select(0, first),
            self.actions.view(-1, self.actions.shape[-1]).index_select(0, first),
            returns,
            after,
            discounts,
        )

    def mean_reward(self) -> float:
        """Of a step, over all that is kept."""
        filled = min(self.added, self.steps)
        return float(self.rewards[:filled].mean()) if filled else 0.0

    def state(self) -> dict[str, Any]:
        """All that is kept, as tensors and numbers."""
        filled = min(self.added, self.steps)
        names = ("observations", "actions", "rewards", "terminated", "truncated", "_cut_row")
        kept = {name: getattr(self, name)[:filled].clone() for name in names}
        return kept | {"cut": self._cut.clone(), "free": list(self._free), "added": self.added}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of a memory of the same size."""
        filled = len(state["rewards"])
        for name in ("observations", "actions", "rewards", "terminated", "truncated", "_cut_row"):
            getattr(self, name)[:filled] = state[name]
        self._cut, self._free, self.added = state["cut"].clone(), list(state["free"]), int(state["added"])
