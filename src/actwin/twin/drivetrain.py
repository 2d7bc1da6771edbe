"""Drivetrain: clutch, gearbox and limited-slip differential as impulses between turning masses.

Friction devices (clutch, differential plates, brakes) either slip with a known torque or hold with whatever torque
holding takes.
Each is solved as one impulse a step: the impulse that would end all slip, limited to torque capacity times step
length. That is exact where it holds, right where it slips, and stable whatever the stiffness (the friction impulse of
Catto, "Iterative Dynamics with Temporal Coherence", GDC 2005, on shafts).
"""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, select
from actwin.twin.engine import Nine


class DrivetrainParams(NamedTuple):
    """Clutch, gearbox and final drive of a rear-driven car.

    Attributes:
        ratios: [-] Overall ratios (gear times final drive): reverse as a negative number, then first to eighth; 0
            where there is none.
        gears: [-] Number of forward gears.
        efficiency: [-] Share of engine torque that reaches the wheels.
        clutch_torque: [N m] Clutch capacity.
        up_time, down_time: [s] Duration of a shift, during which the engine is disengaged.
        up_rpm, down_rpm: [1/min] Shift points of the automatic shifter.
        preload: [N m] Locking torque of the differential without load.
        power, coast: [-] Locking torque for each newton metre of drive and of engine braking.
        tc_slip: [-] Slip ratio at which traction control begins to act; huge without it.
    """

    ratios: Nine
    gears: float
    efficiency: float
    clutch_torque: float
    up_time: float
    down_time: float
    up_rpm: float
    down_rpm: float
    preload: float
    power: float
    coast: float
    tc_slip: float


class Shafts(NamedTuple):
    """Speeds of the turning masses of the driven axle.

    Attributes:
        engine: [rad/s] Crank.
        left, right: [rad/s] Driven wheels.
    """

    engine: float
    left: float
    right: float


@jit
def gear_ratio(gear: float, drive: DrivetrainParams) -> float:
    """Overall ratio of a gear (-1 reverse, 0 neutral, 1 first); 0 in neutral."""
    r = drive.ratios
    ratio = select(gear < -0.5, r[0], 0.0)
    ratio = select(gear > 0.5, r[1], ratio)
    ratio = select(gear > 1.5, r[2], ratio)
    ratio = select(gear > 2.5, r[3], ratio)
    ratio = select(gear > 3.5, r[4], ratio)
    ratio = select(gear > 4.5, r[5], ratio)
    ratio = select(gear > 5.5, r[6], ratio)
    ratio = select(gear > 6.5, r[7], ratio)
    return select(gear > 7.5, r[8], ratio)


@jit
def friction_impulse(slip: float, inverse_inertia: float, capacity: float) -> float:
    """Impulse of a friction device in one step.

    Args:
        slip: [rad/s] Speed difference it works against.
        inverse_inertia: [1/(kg m²)] Change of the slip for each unit of impulse.
        capacity: [N m s] Torque capacity times step length.

    Returns:
        [N m s] What takes the slip to zero, at most the capacity.
    """
    return clip(slip / inverse_inertia, -capacity, capacity)


@jit
def drive_shafts(
    shafts: Shafts,
    ratio: float,
    engagement: float,
    free_engine: float,
    free_left: float,
    free_right: float,
    dt: float,
    drive: DrivetrainParams,
) -> Shafts:
    """Couples engine and driven wheels through clutch, gear and differential for one step.

    Args:
        shafts: Speeds before the coupling.
        ratio: [-] Overall ratio, 0 in neutral.
        engagement: [-] Share of the clutch's capacity, 0 pressed to 1 released.
        free_engine, free_left, free_right: [1/(kg m²)] One over the inertia of the engine and the effective ones of
            the wheels.
        dt: [s] Step length.
        drive: The drivetrain.

    Returns:
        Speeds after it.
    """
    # A differential halves torque and averages speed.
    slip = shafts.engine - ratio * 0.5 * (shafts.left + shafts.right)
    mobility = free_engine + 0.25 * ratio * ratio * (free_left + free_right)
    meshed = select(ratio * ratio > 1.0e-6, 1.0, 0.0)
    clutch = friction_impulse(slip, mobility, meshed * engagement * drive.clutch_torque * dt)
    # Losses take their share of what is driven; under engine braking they would help it, so they are left out there.
    share = select(clutch * ratio * (shafts.left + shafts.right) > 0.0, drive.efficiency, 1.0)
    half = 0.5 * ratio * share * clutch
    engine = shafts.engine - clutch * free_engine
    left = shafts.left + half * free_left
    right = shafts.right + half * free_right
    ramp = select(clutch > 0.0, drive.power, drive.coast)
    size = maximum(clutch * ratio, -clutch * ratio)
    lock = friction_impulse(left - right, free_left + free_right, drive.preload * dt + ramp * size)
    return Shafts(engine, left - lock * free_left, right + lock * free_right)
