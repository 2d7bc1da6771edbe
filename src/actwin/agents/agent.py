"""What a trainer needs to know of a learning agent."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from actwin.agents.arrays import Flags, Floats
from actwin.agents.replay import Replay


class Agent(Protocol):
    """A learner in four verbs: `act`, `process`, `update`, and `policy` for driving without exploration.

    A trainer's step is `act(observation)`, a step of the environments, `process(...)`, and `update()` whenever `ready`.
    """

    kind: str
    """Name of the algorithm in configurations and checkpoints."""
    updates: int
    """How often it has learned."""

    @property
    def policy(self) -> Any:
        """The network that would drive now, on the host."""
        ...

    @property
    def memory(self) -> Replay | None:
        """What it did, where it learns from that."""
        ...

    @property
    def ready(self) -> bool:
        """Whether there is enough new experience for `update`."""
        ...

    def act(self, observation: Floats) -> Floats:
        """Actions float32[N, width] with exploration for float32[N, observations]."""
        ...

    def process(
        self, reward: Floats, terminated: Flags, truncated: Flags, observation: Floats, final_observation: Floats
    ) -> None:
        """Takes in what the last actions led to.

        Args:
            reward: float32[N].
            terminated: bool[N], the episode ended and nothing comes after it.
            truncated: bool[N], the episode was cut off and would have gone on.
            observation: float32[N, observations] after the step; of the new episode where one ended.
            final_observation: float32[N, observations] before the reset; read only where an episode ended.
        """
        ...

    def update(self) -> dict[str, float]:
        """Learns from the experience and returns what the board should show."""
        ...

    def evidence(self) -> dict[str, Tensor]:
        """The experience that the last update learned from, for whoever looks for what broke it."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on, as tensors, numbers, lists and dicts."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of an agent of the same configuration."""
        ...
