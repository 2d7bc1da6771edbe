"""The judge: follows every car's episode, pays the reward terms, calls the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.env.config import TaskConfig
from actwin.env.ends import LAST_TERMINATION, end_reason, limits
from actwin.env.look_ahead import locate, look_up
from actwin.env.reference import VIEW_COLUMN, Reference
from actwin.env.rewards import TERMS, Moment, excess_slip, reward_terms
from actwin.jit import clip, jit, kernel, maximum, wrap_angle
from actwin.telemetry.channels import FRAME_COLUMN, Frames, as_floats, as_integers

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

DISTANCE, SPEED, AX = (FRAME_COLUMN[name] for name in ("lap_distance", "speed", "ax"))
OFFSET, HEADING, COLLISION = (FRAME_COLUMN[name] for name in ("lateral_offset", "heading_error", "collision"))
USE, YAW_RATE, LAST_LAP = FRAME_COLUMN["grip_use"], FRAME_COLUMN["yaw_rate"], FRAME_COLUMN["last_lap_time"]
TYRES_OUT, LAP_COUNT, LAP_VALID = (FRAME_COLUMN[name] for name in ("tyres_out", "lap_count", "last_lap_valid"))
SECTOR, SECTOR_TIME, LAP_VALID_NOW = (FRAME_COLUMN[name] for name in ("sector", "last_sector_time", "lap_valid"))
LINE_OFFSET, LINE_ANGLE = VIEW_COLUMN["line_offset"], VIEW_COLUMN["line_angle"]
LINE_DISTANCE, LINE_TIME = VIEW_COLUMN["line_distance"], VIEW_COLUMN["time"]
LEFT, RIGHT = VIEW_COLUMN["width_left"], VIEW_COLUMN["width_right"]

MEMORY: Final = (
    "place",
    "clock",
    "periods",
    "off_periods",
    "stalled_periods",
    "progress",
    "furthest",
    "crossings",
    "laps",
    "valid_laps",
    "excursions",
    "off_total",
    "collision",
    "reward",
    "best_lap",
    "last_lap",
    "sector",
    "whole_sector",
)
"""What the judge remembers of an episode: place [m] and clock [s] on the racing line, control periods driven, off the
track and standing; progress [m], line crossings seen, laps, how often and how long off the track, energy lost [J],
return, lap times [s]; the sector, and whether the car came into it over its beginning."""
(
    PLACE,
    CLOCK,
    PERIODS,
    OFF,
    STALLED,
    PROGRESS,
    FURTHEST,
    CROSSINGS,
    LAPS,
    VALID_LAPS,
    EXCURSIONS,
    OFF_TOTAL,
    ENERGY,
    REWARD,
    BEST_LAP,
    LATEST_LAP,
    IN_SECTOR,
    WHOLE,
) = range(len(MEMORY))
TERM_COUNT: Final = len(TERMS)
FAILURE: Final = list(TERMS).index("failure")
HUGE: Final = 1.0e9
"""Beyond it a state counts as broken."""


@jit
def _forward(now: float, before: float, lap: float) -> float:
    """Signed way between two places of a lap, whichever direction is shorter."""
    step = now - before
    if step > 0.5 * lap:
        step -= lap
    if step < -0.5 * lap:
        step += lap
    return step


@kernel
def begin_episodes(frames: Any, codes: Any, table: Any, numbers: Any, rows: Any, memory: Any, sums: Any) -> None:
    """Starts the books of some cars; arguments as in `judge_cars`, `rows` int64[K] which cars."""
    for k in range(len(rows)):
        car = rows[k]
        row, share = locate(clip(frames[car, DISTANCE], 0.0, numbers[2]), numbers[1])
        for column in range(len(MEMORY)):
            memory[car, column] = 0.0
        memory[car, PLACE] = look_up(table, row, share, LINE_DISTANCE)
        memory[car, CLOCK] = look_up(table, row, share, LINE_TIME)
        memory[car, CROSSINGS] = np.float32(codes[car, LAP_COUNT])
        memory[car, IN_SECTOR] = np.float32(codes[car, SECTOR])
        for column in range(TERM_COUNT):
            sums[car, column] = 0.0


@jit
def _follow(
    frame: Any, code: Any, place: float, clock: float, numbers: Any, limit: Any, mine: Any
) -> tuple[float, float, float]:
    """Brings an episode's memory up to date; progress [m], time [s] gained and valid laps of this period."""
    progress = _forward(place, mine[PLACE], numbers[3])
    gain = _forward(clock, mine[CLOCK], numbers[4])
    mine[PLACE], mine[CLOCK] = place, clock
    mine[PERIODS] += 1.0
    mine[PROGRESS] += progress
    mine[FURTHEST] = maximum(mine[FURTHEST], mine[PROGRESS])
    crossings = np.float32(code[LAP_COUNT])
    lap = 0.0
    if crossings > mine[CROSSINGS] and frame[LAST_LAP] > 0.0:
        mine[LAPS] += 1.0
        mine[LATEST_LAP] = frame[LAST_LAP]
        if code[LAP_VALID] > 0:
            lap = 1.0
            mine[VALID_LAPS] += 1.0
            if mine[BEST_LAP] <= 0.0 or frame[LAST_LAP] < mine[BEST_LAP]:
                mine[BEST_LAP] = frame[LAST_LAP]
    mine[CROSSINGS] = crossings
    if code[TYRES_OUT] >= limit[0]:
        if mine[OFF] == 0.0:
            mine[EXCURSIONS] += 1.0
        mine[OFF] += 1.0
        mine[OFF_TOTAL] += 1.0
    else:
        mine[OFF] = 0.0
    mine[STALLED] = mine[STALLED] + 1.0 if frame[SPEED] < limit[4] else 0.0
    mine[ENERGY] += frame[COLLISION]
    return progress, gain, lap


@jit
def _split(frame: Any, code: Any, mine: Any) -> Any:
    """[s] Time of a sector that ended in this period, driven from end to end and without an offence; else 0."""
    entered, time = np.float32(code[SECTOR]), np.float32(0.0)
    if entered != mine[IN_SECTOR]:
        line = entered == 0.0
        valid = code[LAP_VALID] if line else code[LAP_VALID_NOW]
        if mine[WHOLE] > 0.0 and valid > 0:
            time = frame[SECTOR_TIME]
        mine[WHOLE] = 1.0 if line or entered == mine[IN_SECTOR] + 1.0 else 0.0
        mine[IN_SECTOR] = entered
    return time


@jit
def _moment(
    frame: Any,
    code: Any,
    sent: Any,
    table: Any,
    row: Any,
    share: Any,
    period: Any,
    mine: Any,
    progress: Any,
    gain: Any,
    lap: Any,
    failed: bool,
) -> Moment:
    """What the reward terms read, from a car's FRAME, the controls sent and the place on the road."""
    steer, throttle, brake = sent[0] - sent[3], sent[1] - sent[4], sent[2] - sent[5]
    half_width = 0.5 * (look_up(table, row, share, LEFT) + look_up(table, row, share, RIGHT))
    front = excess_slip(frame[USE]) + excess_slip(frame[USE + 1])
    tyres_out: Any = np.float32(code[TYRES_OUT])
    return Moment(
        period,
        progress,
        gain,
        tyres_out,
        frame[SPEED],
        (frame[OFFSET] - look_up(table, row, share, LINE_OFFSET)) / maximum(half_width, 1.0),
        wrap_angle(frame[HEADING] - look_up(table, row, share, LINE_ANGLE)),
        steer * steer + throttle * throttle + brake * brake,
        -frame[AX],
        front + excess_slip(frame[USE + 2]) + excess_slip(frame[USE + 3]),
        lap,
        frame[COLLISION],
        1.0 if mine[STALLED] > 0.0 else 0.0,
        1.0 if failed else 0.0,
    )


@kernel
def judge_cars(
    frames: Any,
    codes: Any,
    history: Any,
    table: Any,
    numbers: Any,
    limit: Any,
    weights: Any,
    paid: Any,
    memory: Any,
    sums: Any,
    terms: Any,
    reward: Any,
    terminated: Any,
    truncated: Any,
    reasons: Any,
    splits: Any,
    first: int,
    last: int,
) -> None:
    """Judges the control period that the cars [first, last) have driven.

    Args:
        frames, codes: float32[N, W] and int32[N, W], the same FRAMEs.
        history: float32[N, H] Controls sent, newest first.
        table: float32[rows × VIEW_WIDTH] The road.
        numbers: float32: control period [s], cells in a metre, lap length [m], racing line's length [m], its lap time
            [s].
        limit: float32 From `ends.limits`.
        weights: float32[T] Of the reward terms.
        paid: uint32 The terms that have a weight.
        memory: float32[N, MEMORY] The episodes' books.
        sums: float32[N, T] Weighted terms summed over the episode.
        terms: float32[T, N] Gets the weighted terms.
        reward: float32[N] Gets their sums.
        terminated, truncated: bool[N] Get the ends.
        reasons: int8[N] Gets the codes of `ends.REASONS`.
        splits: float32[N] Gets the times [s] of sectors that ended, 0 elsewhere.
        first, last: Which cars.
    """
    for car in range(first, last):
        frame, code, mine, sent = frames[car], codes[car], memory[car], history[car]
        total = frame[DISTANCE] + frame[SPEED] + frame[OFFSET] + frame[HEADING] + frame[YAW_RATE]
        # Written so because fast maths folds total - total; a comparison with NaN is still false.
        finite = abs(total) < HUGE
        row, share = locate(clip(frame[DISTANCE], 0.0, numbers[2]), numbers[1])
        progress, gain, lap = _follow(
            frame,
            code,
            look_up(table, row, share, LINE_DISTANCE),
            look_up(table, row, share, LINE_TIME),
            numbers,
            limit,
            mine,
        )
        splits[car] = _split(frame, code, mine)
        reason = end_reason(
            limit,
            mine[OFF],
            abs(frame[HEADING]),
            mine[FURTHEST] - mine[PROGRESS],
            mine[STALLED],
            frame[COLLISION],
            finite,
            mine[PERIODS],
            mine[LAPS],
        )
        failed = reason > 0 and reason <= LAST_TERMINATION
        moment = _moment(frame, code, sent, table, row, share, numbers[0], mine, progress, gain, lap, failed)
        values = reward_terms(moment)
        earned = np.float32(0.0)
        for k in paid:
            value = weights[k] * values[k] if finite or k == FAILURE else np.float32(0.0)
            terms[k, car] = value
            sums[car, k] += value
            earned += value
        reward[car] = earned
        mine[REWARD] += earned
        terminated[car] = failed
        truncated[car] = reason > LAST_TERMINATION
        reasons[car] = reason


class Judge:
    """Pays and ends the episodes of N cars.

    Args:
        config: The task's settings.
        reference: The road.
        n: Number of cars.

    Attributes:
        reward: float32[N] Of the last control period.
        terms: Weighted arrays float32[N] by the names of the terms that have a weight; they sum to `reward`.
        terminated, truncated: bool[N] Whether the episode ended in it.
        reasons: int8[N] Codes of `ends.REASONS`.
        splits: float32[N] [s] Times of sectors that ended in it, driven whole and without an offence; 0 elsewhere.
        memory: float32[N, MEMORY] The episodes' books.
        sums: float32[N, T] Weighted terms summed over the episode.
    """

    def __init__(self, config: TaskConfig, reference: Reference, n: int) -> None:
        self.weights = np.array([config.reward.get(name, 0.0) for name in TERMS], np.float32)
        self._paid = np.flatnonzero(self.weights).astype(np.uint32)
        self.reward: Floats = np.zeros(n, np.float32)
        self._terms: Floats = np.zeros((TERM_COUNT, n), np.float32)
        self.terms: Mapping[str, Floats] = {
            name: self._terms[k] for k, name in enumerate(TERMS) if self.weights[k] > 0.0
        }
        self.terminated: Flags = np.zeros(n, np.bool_)
        self.truncated: Flags = np.zeros(n, np.bool_)
        self.reasons: npt.NDArray[np.int8] = np.zeros(n, np.int8)
        self.splits: Floats = np.zeros(n, np.float32)
        self.memory: Floats = np.zeros((n, len(MEMORY)), np.float32)
        self.sums: Floats = np.zeros((n, TERM_COUNT), np.float32)
        self._table = reference.table.reshape(-1)
        self._numbers = np.array(
            [
                config.period,
                1.0 / reference.cell_length,
                reference.track.length,
                reference.line_length,
                reference.lap_time,
            ],
            np.float32,
        )
        self._limits = limits(config.end, config.period)

    def begin(self, frames: Frames, rows: npt.NDArray[np.int64]) -> None:
        """Starts new episodes of some cars.

        Args:
            frames: FRAME[N] Where they begin.
            rows: int64[K] Which cars.
        """
        begin_episodes(as_floats(frames), as_integers(frames), self._table, self._numbers, rows, self.memory, self.sums)

    def age(self, periods: npt.NDArray[np.float64]) -> None:
        """Makes the episodes of all cars older, for their time limit.

        Args:
            periods: [-] [N] Control periods.
        """
        self.memory[:, PERIODS] = np.floor(periods)

    def judge(self, frames: Frames, history: Floats, first: int = 0, last: int | None = None) -> None:
        """Judges the control period that led to these frames.

        Args:
            frames: FRAME[N].
            history: float32[N, H] Steering, throttle and brake sent, newest first, at least two periods.
            first, last: Which cars; by default all.
        """
        judge_cars(
            as_floats(frames),
            as_integers(frames),
            history,
            self._table,
            self._numbers,
            self._limits,
            self.weights,
            self._paid,
            self.memory,
            self.sums,
            self._terms,
            self.reward,
            self.terminated,
            self.truncated,
            self.reasons,
            self.splits,
            first,
            len(frames) if last is None else last,
        )
