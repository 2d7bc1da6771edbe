"""Suspension: spring, damper, bump-stop and anti-roll-bar forces at four corners, and what links carry past them.

The body moves in heave z (up), pitch (nose down positive) and roll (right side down positive, ISO 8855) about static
ride height; unsprung masses ride with it, tyre springs are in series with the wheel rates. Part of the load transfer
does not pass
the springs: roll centres and anti-dive carry it directly (Milliken, "Race Car Vehicle Dynamics", ch. 17 and 18).
"""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import jit, maximum, select


class AxleParams(NamedTuple):
    """Suspension of one axle; forces are at the contact patch.

    Attributes:
        rate: [N/m] Ride rate of one wheel: wheel rate in series with the tyre.
        bump, rebound: [N s/m] Damping of one wheel in compression and extension.
        bar: [N/m] Anti-roll bar: force for each metre of difference between the wheels.
        stop_gap: [m] Compression at which the bump stop touches.
        stop_rate: [N/m] Its stiffness.
        roll_centre: [m] Height of the roll centre.
        link_roll: [-] Load that the links move across for each newton of the axle's lateral force: roll centre over
            track.
        half_track: [m] Half the distance between the wheels.
        camber: [rad] Static camber, top outwards positive (race cars: negative).
        camber_gain: [-] Camber recovered for each radian of roll: 0 leans with the body, 1 stays upright.
        toe: [rad] Toe-in of each wheel.
        static_height: [m] Ride height at rest with the default fuel.
        static_load: [N] Load of one wheel at rest.
    """

    rate: float
    bump: float
    rebound: float
    bar: float
    stop_gap: float
    stop_rate: float
    roll_centre: float
    link_roll: float
    half_track: float
    camber: float
    camber_gain: float
    toe: float
    static_height: float
    static_load: float


@jit
def corner_force(compression: float, velocity: float, other: float, axle: AxleParams) -> float:
    """Vertical force of one corner on the body.

    Args:
        compression: [m] From static ride height, this corner.
        velocity: [m/s] Rate of compression.
        other: [m] Compression of the other side, for the bar.
        axle: The axle.

    Returns:
        [N] Upwards; may be negative when the corner hangs.
    """
    damping = select(velocity > 0.0, axle.bump, axle.rebound)
    stop = axle.stop_rate * maximum(compression - axle.stop_gap, 0.0)
    return axle.static_load + axle.rate * compression + damping * velocity + axle.bar * (compression - other) + stop


@jit
def roll_stiffness(axle: AxleParams) -> float:
    """[N m/rad] Roll stiffness of an axle's springs and bar: 2 (k + 2 k_bar) (t/2)²."""
    return 2.0 * (axle.rate + 2.0 * axle.bar) * axle.half_track * axle.half_track
