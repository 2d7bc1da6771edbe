"""How an episode begins: grid, pit exit, anywhere on the lap, a flying start, or shortly before a past mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.env.config import StartConfig
from actwin.env.look_ahead import locate, look_up
from actwin.env.reference import VIEW_COLUMN, Reference
from actwin.errors import ConfigError, UnknownNameError
from actwin.jit import jit, kernel, maximum
from actwin.units import from_kmh

STARTS: Final[Mapping[str, str]] = {
    "anywhere": "at a random place of the lap, at a random share of the racing speed, offset from the racing line",
    "grid": "standing on pole position",
    "pit_out": "leaving the pits at the speed limit of the pit lane",
    "flying": "on the racing line at racing speed, a run-up before the line",
    "replay": "in an exact state of the past, shortly before it went wrong; anywhere until there is one",
}
"""Every kind of start with its meaning, in the order of its code."""
START_NAMES: Final = tuple(STARTS)
ANYWHERE, GRID, PIT_OUT, FLYING, REPLAY = range(len(STARTS))

PIT_SPEED: Final = from_kmh(80.0)
"""[m/s] Speed limit of most pit lanes."""
MARGIN: Final = 1.5
"""[m] Least distance of a start from the track edge."""
SPEED, LEFT, RIGHT = VIEW_COLUMN["speed"], VIEW_COLUMN["width_left"], VIEW_COLUMN["width_right"]
LINE_OFFSET, LINE_ANGLE = VIEW_COLUMN["line_offset"], VIEW_COLUMN["line_angle"]

STEP_SEED, STEP_CAR, STEP_EPISODE, STEP_DRAW = (
    np.uint64(value) for value in (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7, 0xABC98388FB8FAC03)
)
MIX_ONE, MIX_TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
UNIT = 2.0**-24


@jit
def random_unit(seed: int, car: int, episode: int, draw: int) -> Any:
    """A random number in [0, 1) that depends on nothing but its arguments.

    SplitMix64's output function (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) of
    a counter, so that a car's episodes do not depend on how many other cars there are.
    """
    z = (
        np.uint64(seed) * STEP_SEED
        + np.uint64(car) * STEP_CAR
        + np.uint64(episode) * STEP_EPISODE
        + np.uint64(draw) * STEP_DRAW
    )
    for _ in range(2):
        z = (z ^ (z >> np.uint64(30))) * MIX_ONE
        z = (z ^ (z >> np.uint64(27))) * MIX_TWO
        z = z ^ (z >> np.uint64(31))
    return np.float32(z >> np.uint64(40)) * UNIT


@kernel
def random_units(seed: int, rows: Any, episodes: Any, draw: int, out: Any) -> None:
    """One random number in [0, 1) for each of some cars.

    Args:
        seed: Of the run.
        rows: int64[K] Which cars.
        episodes: int64[N] Counter of each car's episodes.
        draw: Which of the car's random numbers.
        out: float64[K] Gets the numbers.
    """
    for k in range(len(rows)):
        out[k] = random_unit(seed, rows[k], episodes[rows[k]], draw)


class Start(NamedTuple):
    """Where K cars begin."""

    kind: npt.NDArray[np.int64]
    """[K] Place in `STARTS`."""
    distance: npt.NDArray[np.float64]
    """[m] [K] Lap distance."""
    lateral: npt.NDArray[np.float64]
    """[m] [K] From the centre line, left positive."""
    heading: npt.NDArray[np.float64]
    """[rad] [K] Relative to the road."""
    speed: npt.NDArray[np.float64]
    """[m/s] [K] Forward."""


@kernel
def draw_starts(
    seed: int, rows: Any, episodes: Any, shares: Any, table: Any, numbers: Any, places: Any, out: Any
) -> None:
    """Draws starts.

    Args:
        seed: Of the run.
        rows: int64[K] Which cars.
        episodes: int64[N] Counter of each car's episodes.
        shares: float32[kinds] Cumulative probabilities of the kinds.
        table: float32[rows × VIEW_WIDTH] The road.
        numbers: float32: cells in a metre, lap length [m], slowest and fastest share of the racing speed, lateral
            spread, heading spread [rad].
        places: float64[kinds, 4] Distance, lateral offset, heading, speed of the kinds with a fixed place.
        out: float64[K, 5] Kind, distance, lateral, heading, speed.
    """
    length = numbers[1]
    for k in range(len(rows)):
        car, episode = rows[k], episodes[rows[k]]
        pick = random_unit(seed, car, episode, 0)
        kind = 0
        while kind < len(shares) - 1 and pick >= shares[kind]:
            kind += 1
        out[k, 0] = kind
        if kind in (GRID, PIT_OUT, FLYING):
            for column in range(4):
                out[k, 1 + column] = places[kind, column]
            continue
        distance = random_unit(seed, car, episode, 1) * length
        row, share = locate(distance, numbers[0])
        line = look_up(table, row, share, LINE_OFFSET)
        side = 2.0 * random_unit(seed, car, episode, 2) - 1.0
        room = look_up(table, row, share, LEFT) - line if side > 0.0 else look_up(table, row, share, RIGHT) + line
        pace = numbers[2] + (numbers[3] - numbers[2]) * random_unit(seed, car, episode, 3)
        out[k, 1] = distance
        out[k, 2] = line + side * numbers[4] * maximum(room - MARGIN, 0.0)
        out[k, 3] = look_up(table, row, share, LINE_ANGLE) + numbers[5] * (
            2.0 * random_unit(seed, car, episode, 4) - 1.0
        )
        out[k, 4] = pace * look_up(table, row, share, SPEED)


PLACES: Final = ("distance", "lateral", "heading", "speed")
"""Values that a reset may fix."""


def places(drawn: Start, fixed: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float64]]:
    """Where K cars begin, by name.

    Args:
        drawn: As `Starts.draw` returns it.
        fixed: What to use instead of the drawn values: some of `PLACES`, a number or one for each car.

    Raises:
        ConfigError: A start has no such value.
    """
    found = {name: getattr(drawn, name) for name in PLACES}
    for name, value in fixed.items():
        if name not in found:
            raise ConfigError(f"A start has no '{name}'. Known: {', '.join(PLACES)}.")
        found[name] = np.broadcast_to(np.asarray(value, np.float64), drawn.kind.shape)
    return found


class Starts:
    """Draws where episodes begin; the same for the same seed, car and episode, whatever the other cars do.

    Args:
        config: The settings.
        reference: The road.

    Raises:
        UnknownNameError: A kind of start that does not exist.
    """

    def __init__(self, config: StartConfig, reference: Reference) -> None:
        for name in config.mixture:
            if name not in STARTS:
                raise UnknownNameError("start", name, STARTS)
        self.config = config
        weights = np.array([config.mixture.get(name, 0.0) for name in STARTS])
        self.replays = bool(weights[REPLAY] > 0.0)
        self._shares = np.cumsum(weights / weights.sum()).astype(np.float32)
        self._shares[int(np.flatnonzero(weights)[-1]) :] = 2.0
        self._table = reference.table.reshape(-1)
        self._numbers = np.array(
            [
                1.0 / reference.cell_length,
                reference.track.length,
                config.slowest,
                config.fastest,
                config.lateral,
                config.heading,
            ],
            np.float32,
        )
        self._places = self._fixed_places(reference)

    def ease(self, difficulty: float) -> None:
        """Sets how far starts anywhere may be from the line and how fast, as shares of what is configured.

        Args:
            difficulty: [-] 1 is all of it; 0 is slow, on the line and straight.
        """
        config = self.config
        self._numbers[3] = config.slowest + difficulty * (config.fastest - config.slowest)
        self._numbers[4], self._numbers[5] = difficulty * config.lateral, difficulty * config.heading

    def _fixed_places(self, reference: Reference) -> npt.NDArray[np.float64]:
        track, places = reference.track, np.zeros((len(STARTS), 4))
        slots, offsets = track.grid_positions(1)
        places[GRID, :2] = slots[0], offsets[0]
        places[PIT_OUT] = track.pit_out[0], track.pit_out[1], 0.0, PIT_SPEED
        run_up = float(track.wrap(-self.config.flying_distance))
        places[FLYING] = run_up, *(float(reference.at(name, run_up)) for name in ("line_offset", "line_angle", "speed"))
        places[FLYING, 3] *= self.config.fastest
        return places

    def draw(
        self, seed: int, rows: npt.NDArray[np.int64], episodes: npt.NDArray[np.int64], kind: str | None = None
    ) -> Start:
        """Where some cars begin.

        Args:
            seed: Of the run, not negative.
            rows: int64[K] Which cars.
            episodes: int64[N] Counter of each car's episodes.
            kind: Name of the one kind of start to use instead of the mixture.

        Raises:
            UnknownNameError: A kind of start that does not exist.
        """
        shares = self._shares
        if kind is not None:
            if kind not in STARTS:
                raise UnknownNameError("start", kind, STARTS)
            shares = np.where(np.arange(len(STARTS)) >= START_NAMES.index(kind), 2.0, 0.0).astype(np.float32)
        out = np.empty((len(rows), 5))
        draw_starts(seed, rows, episodes, shares, self._table, self._numbers, self._places, out)
        return Start(out[:, 0].astype(np.int64), out[:, 1], out[:, 2], out[:, 3], out[:, 4])
