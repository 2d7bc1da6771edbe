"""CSV files that assetto_corsa_gym writes: one row a control step.

World axes are ours already (its x is the game's Z, its y the game's X, its z up), except `velocity_*`, which keep the
game's. `packetId` there counts the graphics page (10 ms), not physics steps, so it is not our `packet_id`. All of this
was checked on recordings: positions, course, yaw and both velocities agree to 0.1 %.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.channels import AUTO_GEAR, Controls
from actwin.telemetry.store.csv_table import CsvFile, CsvTable
from actwin.telemetry.store.imported import Array, Imported, Mapped, each_wheel
from actwin.telemetry.store.lap_clock import session_time
from actwin.telemetry.store.schema import absent
from actwin.units import GRAVITY, PASCAL_PER_PSI

SIGNATURE: Final = frozenset({"currentTime", "speed", "world_position_x", "world_position_y"})
"""Columns that tell such a file."""
ACTIONS: Final = ("current_action_abs_0", "current_action_abs_1", "current_action_abs_2")
"""Steering, throttle and brake as sent, each -1 to 1."""

_DEGREE: Final = math.pi / 180.0
_MS: Final = 1e-3

TABLE: Final = (
    Mapped("currentTime", "lap_time"),
    Mapped("LapCount", "lap_count"),
    Mapped("completedLaps", "lap_count"),
    Mapped("iLastTime", "last_lap_time", _MS),
    Mapped("BestLap", "best_lap_time", _MS),
    Mapped("LapInvalidated", "lap_valid", -1.0, 1.0),
    Mapped("LapDist", "lap_distance"),
    Mapped("NormalizedSplinePosition", "lap_progress"),
    Mapped("NormalizedSplinePosition", "spline_position"),
    Mapped("numberOfTyresOut", "tyres_out"),
    Mapped("world_position_x", "x"),
    Mapped("world_position_y", "y"),
    Mapped("world_position_z", "z"),
    Mapped("yaw", "yaw"),
    Mapped("pitch", "pitch", -1.0),
    Mapped("roll", "roll"),
    Mapped("speed", "speed"),
    Mapped("local_velocity_x", "vx"),
    Mapped("local_velocity_y", "vy"),
    Mapped("local_velocity_z", "vz"),
    Mapped("angular_velocity_x", "pitch_rate"),
    Mapped("angular_velocity_y", "yaw_rate"),
    Mapped("angular_velocity_z", "roll_rate"),
    Mapped("accelX", "ay", GRAVITY),
    Mapped("accelY", "ax", GRAVITY),
    Mapped("steerAngle", "steer_angle", -_DEGREE),
    Mapped("accStatus", "throttle"),
    Mapped("brakeStatus", "brake"),
    Mapped("actualGear", "gear", 1.0, -1.0),
    Mapped("RPM", "rpm"),
    Mapped("LastFF", "force_feedback"),
    Mapped("cgHeight", "cg_height"),
    Mapped("isInPit", "in_pit"),
    Mapped("penaltyTime", "penalty_time"),
    *each_wheel("SlipAngle_{}", "slip_angle", scale=_DEGREE),
    *each_wheel("tyre_slip_ratio_{}", "slip_ratio"),
    *each_wheel("wheel_speed_{}", "wheel_speed"),
    *each_wheel("{}_wheel_load", "load"),
    *each_wheel("{}_tire_temperature_core", "tyre_core_temperature"),
    *each_wheel("{}_tire_pressure", "tyre_pressure", scale=PASCAL_PER_PSI),
    *each_wheel("{}_damper_linear_potentiometer", "suspension_travel"),
)

_NOT_YET: Final = 1e-29
"""[m/s] The app sends 1e-30 in all three velocities until the car first moves."""


def read_acgym(file: CsvFile, names: list[str], start: int) -> Imported:
    """Reads a recording of assetto_corsa_gym.

    Args:
        file: The CSV file.
        names: Its columns.
        start: Lines before the first row.

    Raises:
        SessionError: The rows cannot be used.
    """
    table = file.table(names, start)
    columns = table.by_name()
    if absent_columns := SIGNATURE - set(columns):
        raise file.bad(f"column {min(absent_columns)} holds text where numbers belong")
    time, restarts = session_time(columns["currentTime"])
    made = Imported(time)
    made.put_mapped(TABLE, columns)
    _put_velocity(made, columns)
    made.sent = _sent(columns, len(time))
    made.notes = _notes(table, restarts)
    made.keep_all(table)
    return made


def _notes(table: CsvTable, restarts: npt.NDArray[np.intp]) -> list[str]:
    notes = ["The lap distance is that along the game's own line."] if "LapDist" in table.names else []
    if len(restarts):
        notes.append(f"The lap clock begins anew {len(restarts)} times, where the time of one step is taken.")
    return notes


def _put_velocity(made: Imported, columns: dict[str, Array]) -> None:
    """Velocity in the car frame from the world's, on a level road, when the file has only that one."""
    if made.has("vx") or not {"velocity_x", "velocity_z", "yaw"} <= set(columns):
        return
    east, north, yaw = columns["velocity_z"], columns["velocity_x"], columns["yaw"]
    unknown = (np.abs(east) < _NOT_YET) & (np.abs(north) < _NOT_YET) & (east != 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        forward = east * np.cos(yaw) + north * np.sin(yaw)
        left = north * np.cos(yaw) - east * np.sin(yaw)
    made.put("vx", np.where(unknown, np.nan, forward))
    made.put("vy", np.where(unknown, np.nan, left))


def _sent(columns: dict[str, Array], count: int) -> Controls | None:
    """CONTROLS[T]: what was sent in answer to each row, which stands in the row after it."""
    if not set(ACTIONS) <= set(columns):
        return None
    sent = absent("sent", count)
    steer, throttle, brake = (columns[name][1:] for name in ACTIONS)
    answer = sent[:-1]
    with np.errstate(over="ignore"):
        answer["steer"], answer["throttle"], answer["brake"] = -steer, (throttle + 1.0) / 2.0, (brake + 1.0) / 2.0
    answer["clutch"], answer["drs"], answer["gear"] = 1.0, 0.0, AUTO_GEAR
    if "steps" in columns:
        sent[:-1][columns["steps"][1:] != columns["steps"][:-1] + 1.0] = absent("sent", 1)[0]
    return sent
