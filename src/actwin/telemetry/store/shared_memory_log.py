"""CSV logs of the game's shared memory as small Python loggers write them, with wheel names spelled out.

Seen on one public recording: accelerations in g, `g_force_x` forward, `g_force_y` to the left, steering as a share of
the lock to the right, yaw rate to the left; speed, acceleration, yaw rate and steering agree with each other in this
sense. That the one tyre temperature is the carcass's is inferred from how slowly it moves.
"""

from __future__ import annotations

import math
from typing import Final

from actwin.telemetry.store.csv_table import CsvFile
from actwin.telemetry.store.imported import Imported, Mapped, each_wheel
from actwin.telemetry.store.lap_clock import clock_seconds, laps_completed, session_time
from actwin.units import GRAVITY, KMH_PER_MS, PASCAL_PER_PSI

SIGNATURE: Final = frozenset({"current_time_str", "gas", "brake", "speed"})
"""Columns that tell such a file."""

_WHEELS: Final = ("front_left", "front_right", "rear_left", "rear_right")
_KMH: Final = 1.0 / KMH_PER_MS

TABLE: Final = (
    Mapped("normalized_car_position", "lap_progress"),
    Mapped("normalized_car_position", "spline_position"),
    Mapped("gas", "throttle"),
    Mapped("brake", "brake"),
    Mapped("clutch", "clutch"),
    Mapped("gear", "gear", 1.0, -1.0),
    Mapped("rpm", "rpm"),
    Mapped("steer", "steer", -1.0),
    Mapped("speed", "speed", _KMH),
    Mapped("g_force_x", "ax", GRAVITY),
    Mapped("g_force_y", "ay", GRAVITY),
    Mapped("g_force_z", "az", GRAVITY),
    Mapped("yaw_rate", "yaw_rate"),
    Mapped("air_temp", "air_temperature"),
    Mapped("road_temp", "road_temperature"),
    Mapped("wind_speed", "wind_speed", _KMH),
    Mapped("wind_direction", "wind_direction", math.pi / 180.0),
    *each_wheel("wheel_slip_{}", "grip_use", _WHEELS),
    *each_wheel("pressure_{}", "tyre_pressure", _WHEELS, PASCAL_PER_PSI),
    *each_wheel("tyre_temp_{}", "tyre_core_temperature", _WHEELS),
)


def read_shared_memory_log(file: CsvFile, names: list[str], start: int) -> Imported:
    """Reads such a log; laps are counted where the lap clock begins anew at the line.

    Args:
        file: The CSV file.
        names: Its columns.
        start: Lines before the first row.

    Raises:
        SessionError: The rows cannot be used.
    """
    table = file.table(names, start)
    columns, clock = table.by_name(), table.text("current_time_str")
    if clock is None:
        raise file.bad("column current_time_str has no times like 1:02:345")
    seconds = clock_seconds(clock)
    time, restarts = session_time(seconds)
    made = Imported(time)
    made.put("lap_time", seconds)
    made.put_mapped(TABLE, columns)
    made.keep_all(table)
    if "normalized_car_position" in columns:
        laps = laps_completed(restarts, columns["normalized_car_position"])
        made.put("lap_count", laps)
        found = f"{int(laps[-1])} laps are counted from the lap clock, which begins anew {len(restarts)} times."
        made.notes.append(found)
    return made
