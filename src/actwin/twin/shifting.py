"""Gear changes: the automatic shifter and the driver's own wishes."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, minimum, select
from actwin.twin.drivetrain import DrivetrainParams, gear_ratio
from actwin.units import RPM_PER_RADS


class Shift(NamedTuple):
    """Outcome of a shift decision.

    Attributes:
        gear: [-] Engaged or coming gear.
        timer: [s] Time left until drive returns.
    """

    gear: float
    timer: float


@jit
def shift_gear(
    wanted: float,
    gear: float,
    timer: float,
    wheel_speed: float,
    ground_speed: float,
    throttle: float,
    top: float,
    drive: DrivetrainParams,
) -> Shift:
    """Decides on a gear change once in a control period.

    The automatic shifter (`wanted` -2) goes up at the up-shift speed and down when the next lower gear would stay
    below it; from neutral or reverse it takes first. A wish for a lower gear that would over-rev the engine is
    ignored, as a sequential gearbox does.

    Args:
        wanted: [-] Gear asked for, -2 automatic.
        gear: [-] Engaged gear.
        timer: [s] Time left in a shift under way; no new one begins before it ends.
        wheel_speed: [rad/s] Mean of the driven wheels.
        ground_speed: [rad/s] What it would be without slip; the shifter does not mistake wheel spin for speed.
        throttle: [-] Pedal; the shifter goes up under power only.
        top: [1/min] Speed that no down-shift may exceed.
        drive: The drivetrain.
    """
    ratio = gear_ratio(gear, drive) * RPM_PER_RADS
    below = ground_speed * gear_ratio(gear - 1.0, drive) * RPM_PER_RADS
    grounded = ground_speed * ratio
    up = (
        (wheel_speed * ratio > drive.up_rpm)
        & (grounded > 0.9 * drive.up_rpm)
        & (gear < drive.gears)
        & (throttle > 0.05)
    )
    down = (grounded < drive.down_rpm) & (gear > 1.5) & (below < 0.96 * drive.up_rpm)
    automatic = gear + select(up, 1.0, 0.0) - select(down, 1.0, 0.0)
    automatic = select(gear < 0.5, 1.0, automatic)
    manual = clip(wanted, -1.0, drive.gears)
    over = wheel_speed * gear_ratio(manual, drive) * RPM_PER_RADS > top
    manual = select(over & (manual < gear), gear, manual)
    target = select(wanted < -1.5, automatic, manual)
    # One gear at a time, except through neutral to reverse.
    target = minimum(maximum(target, gear - 1.0), gear + 1.0)
    target = select(timer > 0.0, gear, target)
    time = select(target > gear, drive.up_time, drive.down_time)
    return Shift(target, select(target == gear, timer, maximum(time, timer)))
