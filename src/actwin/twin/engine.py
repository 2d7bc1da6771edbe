"""Engine: torque map, throttle, limiter, engine braking, idle control, turbo."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, minimum

Nine = tuple[float, float, float, float, float, float, float, float, float]


class EngineParams(NamedTuple):
    """Engine of a car.

    The torque map is resampled to nine points, evenly spaced between `rpm_low` and the limiter, and stored as the
    torque at `rpm_low`, the first slope and the changes of slope, so that a lane evaluates it without a table look-up.

    Attributes:
        hinge: [N m] Torque at `rpm_low`, first difference, and the seven second differences of the nine points.
        rpm_low: [1/min] First point of the map.
        per_rpm_step: [min] One over the distance of the points.
        idle, per_idle: [1/min], [min] Idle speed and its reciprocal.
        limiter, per_limiter: [1/min], [min] Rev limiter and its reciprocal.
        per_inertia: [1/(kg m²)] One over the inertia of engine and clutch.
        coast_torque: [N m] Engine braking at the limiter with the throttle closed.
        turbo_lag: [s] Time constant of the boost; 0 without a turbo.
        turbo_share: [-] Share of the torque that comes from boost.
        fuel_rate: [kg/J] Fuel for each joule at the crank.
    """

    hinge: Nine
    rpm_low: float
    per_rpm_step: float
    idle: float
    limiter: float
    per_limiter: float
    per_idle: float
    per_inertia: float
    coast_torque: float
    turbo_lag: float
    turbo_share: float
    fuel_rate: float


@jit
def full_torque(rpm: float, engine: EngineParams) -> float:
    """[N m] Crank torque at full throttle and full boost; the map's ends hold beyond it."""
    u = clip((rpm - engine.rpm_low) * engine.per_rpm_step, 0.0, 8.0)
    h = engine.hinge
    low = h[0] + h[1] * u + h[2] * maximum(u - 1.0, 0.0) + h[3] * maximum(u - 2.0, 0.0) + h[4] * maximum(u - 3.0, 0.0)
    high = h[5] * maximum(u - 4.0, 0.0) + h[6] * maximum(u - 5.0, 0.0) + h[7] * maximum(u - 6.0, 0.0)
    return low + high + h[8] * maximum(u - 7.0, 0.0)


@jit
def engine_torque(rpm: float, throttle: float, boost: float, engine: EngineParams) -> float:
    """Crank torque.

    Throttle blends between full torque and engine braking; the limiter closes it over the last half per cent of the
    speed range, idle control opens it below idle.

    Args:
        rpm: [1/min] Engine speed, not negative.
        throttle: [-] 0 to 1.
        boost: [-] Share of full boost.
        engine: The engine.

    Returns:
        [N m] Torque, negative under engine braking.
    """
    limited = throttle * clip((engine.limiter - rpm) * 200.0 * engine.per_limiter, 0.0, 1.0)
    opened = maximum(limited, 0.3 * clip((engine.idle - rpm) * 5.0 * engine.per_idle, 0.0, 1.0))
    drive = full_torque(rpm, engine) * (1.0 - engine.turbo_share * (1.0 - boost))
    drag = engine.coast_torque * minimum(rpm * engine.per_limiter, 1.2)
    return opened * drive - (1.0 - opened) * drag
