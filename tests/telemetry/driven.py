"""A drive in the twin, recorded as a game would record it, with defects put in on known rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from actwin.content.library import load_car, load_track
from actwin.driving.line_follower import LineFollower
from actwin.telemetry.channels import FRAME, Frames
from actwin.telemetry.quality.recording import Recording
from actwin.twin.simulator import Simulator

TRACK, CAR = "monza", "dallara_f317"
STEP = 0.003
BEFORE_LINE, SECONDS = 600.0, 135.0
MIDDLE = 60.0
"""[s] Where defects are put in: in a straight-line acceleration between two corners, far from the line."""
PICTURES = 60.0
"""[1/s] How often a game writes its graphics page."""
GRAPHICS = (
    "x", "y", "z", "lap_time", "lap_progress", "lap_distance", "lap_count", "sector", "last_lap_time", "best_lap_time",
    "last_sector_time",
)  # fmt: skip


class Expected(NamedTuple):
    """What a check must find for a defect."""

    kind: str
    first: int
    last: int
    channel: str


Defect = Callable[[Recording, float], tuple[Recording, list[Expected]]]


@cache
def drive() -> Frames:
    """FRAME at every physics step: over the line, a whole lap, and on. Made once, not to be written to."""
    track, car = load_track(TRACK), load_car(CAR)
    simulator, driver = Simulator(track, car, substeps=1), LineFollower(track, car)
    simulator.reset(distance=track.length - BEFORE_LINE, speed=50.0)
    steps = round(SECONDS / STEP)
    frames = np.empty(steps + 1, FRAME)
    frames[0] = simulator.frames[0]
    for step in range(steps):
        if step % 13 == 0:
            controls = driver.act(simulator.frames)
        frames[step + 1] = simulator.step(controls)[0]
    frames.flags.writeable = False
    return frames


def sampled(frames: Frames, rate: float, start: float = 0.0, end: float = SECONDS) -> Recording:
    """Every so many steps of a part of the drive, as a reader at this rate sees it.

    Args:
        frames: At every physics step.
        rate: [1/s].
        start, end: [s].
    """
    rows = np.unique(np.round(np.arange(start, end, 1.0 / rate) / STEP).astype(int))
    rows = rows[rows < len(frames)]
    return Recording(rows * STEP, frames[rows].copy(), track_length=load_track(TRACK).length)


def as_a_game_writes(recording: Recording, seed: int = 0) -> Recording:
    """The same from two pages, one of which is renewed 60 times a second, read by a clock that jitters by 0.2 ms."""
    picture = np.floor(recording.time * PICTURES).astype(int)
    shown = np.searchsorted(picture, picture)
    changed = recording.copy()
    for name in GRAPHICS:
        changed.frames[name] = recording.frames[name][shown]
    changed.time[:] += np.random.default_rng(seed).normal(0.0, 2e-4, len(recording))
    changed.time.sort()
    return changed


def row_at(recording: Recording, time: float = MIDDLE) -> int:
    """First row at or after a time."""
    return int(np.searchsorted(recording.time, time))


def lap_end(recording: Recording) -> int:
    """First row after the whole lap."""
    return int(np.flatnonzero(np.diff(recording.frames["lap_count"]) > 0)[-1]) + 1


def rows_of(rate: float, seconds: float, least: int = 4) -> int:
    """Rows of a time."""
    return max(least, int(rate * seconds))


def gap(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    kept = np.delete(np.arange(len(recording)), slice(row, row + 3))
    return recording.take(kept), [Expected("gap", row, row, "*")]


def duplicate(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    made = recording.take(np.insert(np.arange(len(recording)), row, [row - 1, row - 1]))
    made.time[row - 1 : row + 3] = np.linspace(made.time[row - 1], made.time[row + 2], 4)
    return made, [Expected("duplicate", row, row + 1, "*")]


def late_row(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row, order = row_at(recording), np.arange(len(recording))
    order[row : row + 3] = row + 1, row + 2, row
    return recording.take(order), [Expected("time", row + 2, row + 2, "time")]


def wrong_time(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.time[row] += 7.0
    return recording, [Expected("time", row, row, "time")]


def pause(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.time[row:] += 10.0
    return recording, [Expected("pause", row, row, "*")]


def restart(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    made = recording.take(np.concatenate([np.arange(row), np.arange(min(row, len(recording) - row))]))
    made.time[:] = recording.time[: len(made)]
    return made, [Expected("restart", row, row, "*")]


def _frozen(name: str, *fields: str) -> Defect:
    def frozen(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
        row, count = row_at(recording), rows_of(rate, 0.7)
        for field in fields:
            recording.frames[field][row : row + count] = recording.frames[field][row - 1]
        return recording, [Expected("frozen", row, row + count - 1, name)]

    return frozen


def stale(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row, count = row_at(recording), rows_of(rate, 1.2, 6)
    counted = recording.frames["packet_id"].copy()
    recording.frames[row : row + count] = recording.frames[row - 1]
    recording.frames["packet_id"] = counted
    return recording, [Expected("frozen", row, row + count - 1, "*")]


def no_number(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["speed"][row : row + 5] = np.nan
    recording.frames["x"][row : row + 2] = np.inf
    return recording, [Expected("not_finite", row, row + 1, "x"), Expected("not_finite", row, row + 4, "vel")]


def out_of_range(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["throttle"][row : row + 4] = 1.7
    recording.frames["gear"][row] = 99
    recording.frames["y"][row] = -1e9
    wanted = [("gear", row), ("throttle", row + 3), ("y", row)]
    return recording, [Expected("range", row, last, name) for name, last in wanted]


def teleport(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["x"][row:] += 40.0
    recording.frames["y"][row:] -= 30.0
    return recording, [Expected("teleport", row, row, "x")]


def sideways(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    """By less than the car drives in a step at 5 Hz, so that only its direction gives it away."""
    row = row_at(recording)
    yaw, way = float(recording.frames["yaw"][row]), 8.0 if rate > 20.0 else 20.0
    recording.frames["x"][row:] -= way * np.sin(yaw)
    recording.frames["y"][row:] += way * np.cos(yaw)
    return recording, [Expected("teleport", row, row, "x")]


def there_and_back(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["x"][row : row + 3] += 60.0
    return recording, [Expected("teleport", row, row + 2, "x")]


def wrong_place_on_lap(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["lap_distance"][row] += 200.0
    return recording, [Expected("teleport", row, row, "lap_distance")]


def speed_of_other_scale(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row, count = row_at(recording), rows_of(rate, 2.0)
    recording.frames["speed"][row : row + count] *= 2.0
    return recording, [Expected("motion", row, row + count - 1, "vel")]


def velocity_spike(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["vx"][row : row + 2] *= 0.2
    return recording, [Expected("motion", row, row + 1, "vx")]


def hit(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    """A change of velocity that no acceleration accounts for, on one row and back."""
    row = row_at(recording)
    recording.frames["speed"][row] += 25.0
    recording.frames["vx"][row] = np.sqrt(recording.frames["speed"][row] ** 2 - recording.frames["vy"][row] ** 2)
    return recording, [Expected("motion", row, row, "vx")]


ROW_DEFECTS: dict[str, Defect] = {
    "gap": gap,
    "duplicate": duplicate,
    "late row": late_row,
    "wrong time": wrong_time,
    "pause": pause,
    "restart": restart,
    "frozen position": _frozen("x", "x", "y"),
    "frozen speed": _frozen("vel", "speed"),
    "frozen yaw rate": _frozen("yaw_rate", "yaw_rate"),
    "frozen lap clock": _frozen("lap_time", "lap_time"),
    "stale": stale,
    "no number": no_number,
    "out of range": out_of_range,
    "teleport": teleport,
    "sideways": sideways,
    "there and back": there_and_back,
    "wrong place on lap": wrong_place_on_lap,
    "speed of other scale": speed_of_other_scale,
    "velocity spike": velocity_spike,
    "hit": hit,
}
"""Found on exactly these rows at every rate."""


def more_laps(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = row_at(recording)
    recording.frames["lap_count"][row:] += 1
    return recording, [Expected("lap", row, row, "lap_count")]


def lap_not_counted(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = lap_end(recording)
    recording.frames["lap_count"][row:] -= 1
    recording.frames["lap_valid"] = 1
    return recording, [Expected("lap", row, row, "lap_count")]


def clock_reset(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row, end = row_at(recording), lap_end(recording)
    recording.frames["lap_time"][row:end] -= recording.frames["lap_time"][row]
    return recording, [Expected("lap", row, row, "lap_time"), Expected("lap", end, end, "last_lap_time")]


def wrong_lap_time(recording: Recording, rate: float) -> tuple[Recording, list[Expected]]:
    row = lap_end(recording)
    recording.frames["last_lap_time"][row:] += 1.5
    return recording, [Expected("lap", row, row, "last_lap_time")] * 2


LAP_DEFECTS: dict[str, Defect] = {
    "more laps": more_laps,
    "lap not counted": lap_not_counted,
    "clock reset": clock_reset,
    "wrong lap time": wrong_lap_time,
}
