"""Named sets of actions, for agents that choose one of many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Choice(NamedTuple):
    """One entry of a discrete set."""

    steer: float
    """Share of the steering range, or of the steering rate when the set is relative."""
    throttle: float
    brake: float


class DiscreteSet(NamedTuple):
    """A named set of actions."""

    relative: bool
    """Whether `steer` changes the steering instead of setting it."""
    choices: tuple[Choice, ...]
    doc: str


def _grid(steers: tuple[float, ...], pedals: tuple[tuple[float, float], ...]) -> tuple[Choice, ...]:
    return tuple(Choice(steer, *pedal) for steer in steers for pedal in pedals)


DISCRETE_SETS: Final[Mapping[str, DiscreteSet]] = {
    "iqn35": DiscreteSet(
        True,
        _grid((-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0), ((1.0, 0.0), (0.5, 0.0), (0.0, 0.0), (0.0, 0.5), (0.0, 1.0))),
        "seven steering rates × five pedal positions",
    ),
    "keyboard12": DiscreteSet(
        False,
        _grid((-1.0, 0.0, 1.0), ((1.0, 0.0), (0.0, 0.0), (0.0, 1.0), (1.0, 1.0))),
        "left, straight, right × accelerate, coast, brake, both, as arrow keys",
    ),
}
"""Named sets for agents that choose one action of many."""
