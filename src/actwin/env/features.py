"""What the driver may see: the named features with their presets.

Every feature says its size, unit, scaling and range, so that the observation table can be printed. A feature reads
FRAME, the controls sent before, and the road as the driver knows it; whether the frames come from the twin or the game
makes no difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from actwin.env.config import ObservationConfig
from actwin.errors import UnknownNameError
from actwin.telemetry.channels import FRAME_CHANNEL, WHEELS

Source = Literal["channel", "code", "controls", "line", "points", "samples", "rays"]
"""Where a feature comes from, in the order in which an observation holds them."""
ORDER: Final[tuple[Source, ...]] = ("channel", "code", "controls", "line", "points", "samples", "rays")


@dataclass(frozen=True)
class Feature:
    """One named part of the observation.

    Attributes:
        name: Name in the settings.
        source: What computes it.
        unit: Unit before scaling.
        doc: What it says, with its sign.
        scale: Value for which the observation shows 1, in the unit.
        low, high: Range before scaling, in the unit.
        column: Channel, or column of the road table, that it reads.
    """

    name: str
    source: Source
    unit: str
    doc: str
    scale: float
    low: float = -math.inf
    high: float = math.inf
    column: str = ""

    def labels(self, config: ObservationConfig) -> tuple[str, ...]:
        """Names of its columns."""
        if self.source in {"channel", "code"}:
            return tuple(f"{self.name}_{w}" for w in WHEELS) if FRAME_CHANNEL[self.column].wheels else (self.name,)
        if self.source == "controls":
            return tuple(
                f"{part}_{k + 1}_ago" for k in range(config.history) for part in ("steer", "throttle", "brake")
            )
        if self.source == "points":
            return tuple(f"{self.name}_{axis}_{p}" for axis in "xy" for p in range(config.points))
        if self.source == "samples":
            return tuple(f"{self.name}_{p}" for p in range(config.points))
        if self.source == "rays":
            return tuple(f"ray_{r}" for r in range(config.rays))
        return (self.name,)


def _channel(name: str, scale: float, column: str = "") -> Feature:
    channel = FRAME_CHANNEL[column or name]
    source: Source = "code" if channel.integer else "channel"
    return Feature(name, source, channel.unit, channel.meaning, scale, channel.low, channel.high, channel.name)


_CAR_FRAME = "in the car frame, x ahead then y to the left; each point's scale grows with its share of the reach"

FEATURES: Final[Mapping[str, Feature]] = {
    feature.name: feature
    for feature in (
        _channel("speed", 60.0),
        _channel("vx", 60.0),
        _channel("vy", 10.0),
        _channel("yaw_rate", 1.0),
        _channel("ax", 30.0),
        _channel("ay", 30.0),
        _channel("az", 30.0),
        _channel("slip_ratio", 0.2),
        _channel("slip_angle", 0.2),
        _channel("load", 5000.0),
        _channel("grip_use", 1.0),
        _channel("wheel_speed", 200.0),
        _channel("suspension_travel", 0.03),
        _channel("tyre_surface_temperature", 100.0),
        _channel("tyre_core_temperature", 100.0),
        _channel("tyre_wear", 100.0),
        _channel("ride_height_front", 0.05),
        _channel("ride_height_rear", 0.05),
        _channel("pitch", 0.05),
        _channel("roll", 0.05),
        _channel("rpm", 10_000.0),
        _channel("boost", 1.0),
        _channel("fuel", 100.0),
        _channel("steer", 1.0),
        _channel("steer_angle", 6.0),
        _channel("throttle", 1.0),
        _channel("brake", 1.0),
        _channel("clutch", 1.0),
        _channel("drs", 1.0),
        _channel("border_left", 10.0),
        _channel("border_right", 10.0),
        _channel("lateral_offset", 10.0),
        _channel("heading_error", 1.0),
        _channel("road_curvature", 0.05),
        _channel("lap_progress", 1.0),
        _channel("lap_time", 100.0),
        _channel("gear", 8.0),
        _channel("tyres_out", 4.0),
        _channel("surface", 4.0),
        _channel("abs_active", 1.0),
        _channel("tc_active", 1.0),
        _channel("lap_valid", 1.0),
        Feature(
            "previous_controls",
            "controls",
            "-",
            "steering, throttle and brake sent in the control periods before, newest first",
            1.0,
            -1.0,
            1.0,
        ),
        Feature(
            "line_offset",
            "line",
            "m",
            "offset of the car from the racing line, left positive",
            5.0,
            -50.0,
            50.0,
            "line_offset",
        ),
        Feature(
            "line_angle",
            "line",
            "rad",
            "heading minus direction of the racing line, left positive",
            1.0,
            -math.pi,
            math.pi,
            "line_angle",
        ),
        Feature(
            "line_curvature",
            "line",
            "1/m",
            "curvature of the racing line here, left positive",
            0.05,
            -0.5,
            0.5,
            "line_curvature",
        ),
        Feature("line_speed", "line", "m/s", "racing speed here", 60.0, 0.0, 130.0, "speed"),
        Feature(
            "left_border", "points", "m", f"points of the left track edge ahead, {_CAR_FRAME}", 1.0, column="left_x"
        ),
        Feature(
            "right_border", "points", "m", f"points of the right track edge ahead, {_CAR_FRAME}", 1.0, column="right_x"
        ),
        Feature("racing_line", "points", "m", f"points of the racing line ahead, {_CAR_FRAME}", 1.0, column="line_x"),
        Feature(
            "curvature_ahead",
            "samples",
            "1/m",
            "curvature of the centre line ahead, left positive",
            0.02,
            -0.5,
            0.5,
            "curvature",
        ),
        Feature(
            "line_curvature_ahead",
            "samples",
            "1/m",
            "curvature of the racing line ahead, left positive",
            0.02,
            -0.5,
            0.5,
            "line_curvature",
        ),
        Feature("speed_ahead", "samples", "m/s", "racing speed ahead", 60.0, 0.0, 130.0, "speed"),
        Feature(
            "width_left_ahead", "samples", "m", "centre line to the left edge ahead", 10.0, 0.0, 50.0, "width_left"
        ),
        Feature(
            "width_right_ahead", "samples", "m", "centre line to the right edge ahead", 10.0, 0.0, 50.0, "width_right"
        ),
        Feature(
            "rays", "rays", "m", "distance to the nearest border along rays, from right to left", 100.0, 0.0, 1000.0
        ),
    )
}

_CAR: Final = (
    "vx",
    "vy",
    "yaw_rate",
    "ax",
    "ay",
    "slip_ratio",
    "slip_angle",
    "load",
    "rpm",
    "steer",
    "throttle",
    "brake",
    "border_left",
    "border_right",
    "heading_error",
    "gear",
    "tyres_out",
    "previous_controls",
)

_FULL: Final = (*_CAR, "line_offset", "line_angle", "left_border", "right_border", "racing_line")

PRESETS: Final[Mapping[str, tuple[str, ...]]] = {
    "full": _FULL,
    "with_speed": (*_FULL, "line_speed", "speed_ahead"),
    "with_curvature": (*_CAR, "line_offset", "line_angle", "curvature_ahead", "speed_ahead"),
    "with_rays": (*_CAR, "rays", "curvature_ahead"),
    "roadmap": ("speed", "rpm", "steer_angle", "throttle", "brake", "lap_progress", "gear"),
}
"""Named lists of features: `roadmap` is the seven channels of the recordings, nothing else."""


def expand(names: Sequence[str]) -> tuple[Feature, ...]:
    """The features behind names and presets, each once, in the order in which an observation holds them.

    Raises:
        UnknownNameError: Neither a feature nor a preset.
    """
    wanted: dict[str, Feature] = {}
    for name in names:
        for part in PRESETS.get(name, (name,)):
            if part not in FEATURES:
                raise UnknownNameError("feature", part, [*FEATURES, *PRESETS])
            wanted[part] = FEATURES[part]
    return tuple(sorted(wanted.values(), key=lambda feature: ORDER.index(feature.source)))
