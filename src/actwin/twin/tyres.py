"""Tyres: combined slip with load sensitivity, relaxation, camber, temperature and wear.

Slip is normalised by the slip of peak force in each direction and combined to one resultant,
s = sqrt((kappa / kappa_p)² + (tan alpha / alpha_p)²); one curve gives the force, whose direction is that of the slip
(Pacejka, "Tire and Vehicle Dynamics", 3rd ed., ch. 4.3.2, the similarity method). ISO 8855: a positive slip angle,
velocity to the left of the wheel's plane, gives a force to the right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from actwin.jit import clip, jit, maximum, minimum


class TyreParams(NamedTuple):
    """One tyre of an axle.

    Lengths and slips that the equations divide by are stored as their reciprocals: divisions are the dearest operation
    of a step.

    Attributes:
        radius: [m] Unloaded rolling radius at standstill.
        angular_growth: [m s/rad] Growth of the radius with angular speed (AC's RADIUS_ANGULAR_K).
        inertia: [kg m²] Spin inertia of wheel, tyre and brake disc.
        per_load: [1/N] One over the load at which grip and peak slips are stated (the nominal load).
        grip_x, grip_y: [-] Peak friction coefficients at nominal load.
        grip_slope_x, grip_slope_y: [-] Their change for each nominal load above nominal, usually negative.
        grip_curve: [-] The same, quadratic, for both directions.
        per_slip_ratio: [-] One over the slip ratio of peak longitudinal force, at nominal load.
        per_slip_tangent: [-] One over the tangent of the slip angle of peak lateral force, at nominal load.
        peak_slip_slope: [-] Relative change of both peak slips for each nominal load above nominal.
        stiffness: [-] Initial slope of the force curve times peak slip over peak force, at least 2.
        falloff: [-] Force far beyond the peak over peak force, 0 to 1.
        per_relaxation_x, per_relaxation_y: [1/m] One over the relaxation lengths.
        camber_stiffness: [-] Slip tangent that gives as much force as one radian of camber.
        surface_heat: [K/J] Warming of the surface by slip work.
        roll_heat: [K/(N m)] Warming of the core for each newton of load and metre rolled.
        core_transfer: [1/s] Heat exchange of the core with the surface, in shares of their difference.
        surface_transfer: [1/s] Heat exchange of the surface with the core.
        air_cooling: [1/m] Share of the difference to the air that the surface loses for each metre of way.
        temperature_low, temperature_high: [°C] Window of full grip.
        cold_grip, hot_grip: [1/K] Relative grip lost for each kelvin below and above the window.
        wear_rate: [km/J] Virtual kilometres for each joule of slip work.
        wear_full: [km] Virtual kilometres of a worn-out tyre.
        wear_grip: [-] Relative grip of a worn-out tyre.
    """

    radius: float
    angular_growth: float
    inertia: float
    per_load: float
    grip_x: float
    grip_y: float
    grip_slope_x: float
    grip_slope_y: float
    grip_curve: float
    per_slip_ratio: float
    per_slip_tangent: float
    peak_slip_slope: float
    stiffness: float
    falloff: float
    per_relaxation_x: float
    per_relaxation_y: float
    camber_stiffness: float
    surface_heat: float
    roll_heat: float
    core_transfer: float
    surface_transfer: float
    air_cooling: float
    temperature_low: float
    temperature_high: float
    cold_grip: float
    hot_grip: float
    wear_rate: float
    wear_full: float
    wear_grip: float


class TyreForce(NamedTuple):
    """Force of one tyre in its wheel's axes.

    Attributes:
        fx: [N] Along the wheel's plane, driving positive.
        fy: [N] To the left.
        secant: [N] fx over slip ratio, not negative and finite at zero slip.
        use: [-] Combined slip over the slip of peak force; 1 at the limit of grip.
    """

    fx: float
    fy: float
    secant: float
    use: float


@jit
def curve_secant(slip: float, stiffness: float, falloff: float) -> float:
    """Normalised force over normalised slip.

    The rational curve f(s) = s (k g + (1 - g) s) / (s² + (k - 2) g s + g) with g = 1 - falloff has slope k at zero,
    its peak of exactly 1 at s = 1 and tends to the fall-off level, like Pacejka's Magic Formula (they differ by at
    most 0.025 for the shapes of race tyres), without a transcendental function. What is returned is f(s) / s, finite
    at zero slip.

    Args:
        slip: [-] Combined slip over peak slip, not negative.
        stiffness: [-] k, at least 2.
        falloff: [-] Level far beyond the peak, 0 to 1.
    """
    rest = 1.0 - falloff
    return (stiffness * rest + falloff * slip) / (slip * slip + (stiffness - 2.0) * rest * slip + rest)


@jit
def load_excess(load: float, tyre: TyreParams) -> float:
    """[-] Load [N] over nominal load, less one; limited to the range in which the laws of load are meant, up to four
    times nominal."""
    return clip(load * tyre.per_load - 1.0, -1.0, 3.0)


@jit
def peak_grip(load: float, tyre: TyreParams) -> tuple[float, float]:
    """Peak friction coefficients (longitudinal, lateral) under a load [N]; falls with load, never below a fifth of
    nominal."""
    return _grip_at(load_excess(load, tyre), tyre)


@jit
def _grip_at(excess: float, tyre: TyreParams) -> tuple[float, float]:
    common = tyre.grip_curve * excess * excess
    mu_x = maximum(tyre.grip_x + tyre.grip_slope_x * excess + common, 0.2 * tyre.grip_x)
    mu_y = maximum(tyre.grip_y + tyre.grip_slope_y * excess + common, 0.2 * tyre.grip_y)
    return mu_x, mu_y


@jit
def tyre_force(
    slip_ratio: float, slip_tangent: float, load: float, camber: float, grip: float, tyre: TyreParams
) -> TyreForce:
    """Steady-state force of one tyre in combined slip.

    Args:
        slip_ratio: [-] (omega r - Vx) / |Vx|, driving positive.
        slip_tangent: [-] Vy / |Vx|, tangent of the slip angle.
        load: [N] Vertical load, not negative.
        camber: [rad] Inclination to the road, top to the left positive; its force points to the left.
        grip: [-] Factor on the friction coefficient: surface, temperature, wear.
        tyre: The tyre.

    Returns:
        The force in wheel axes.
    """
    excess = load_excess(load, tyre)
    mu_x, mu_y = _grip_at(excess, tyre)
    # Peak slips grow as 1 + slope · excess; the series of its reciprocal is within 1 % for a slope of 0.1 at three
    # times nominal load.
    growth = tyre.peak_slip_slope * excess
    narrowing = 1.0 - growth * (1.0 - growth)
    per_x = narrowing * tyre.per_slip_ratio
    x = slip_ratio * per_x
    y = (slip_tangent - tyre.camber_stiffness * camber) * (narrowing * tyre.per_slip_tangent)
    use = np.sqrt(x * x + y * y + 1.0e-12)
    force = grip * load * curve_secant(use, tyre.stiffness, tyre.falloff)
    secant = force * mu_x * per_x
    return TyreForce(secant * slip_ratio, -force * mu_y * y, secant, use)


@jit
def rolling_radius(wheel_speed: float, tyre: TyreParams) -> float:
    """[m] Radius that turns angular speed [rad/s] into rolling speed; grows with it, as in AC."""
    size = wheel_speed if wheel_speed > 0.0 else -wheel_speed
    return tyre.radius + tyre.angular_growth * size


@jit
def temperature_grip(surface: float, core: float, tyre: TyreParams) -> float:
    """Grip factor of temperature: 1 in the window, falling linearly outside it, never below a half.

    Grip follows 25 % of the surface's and 75 % of the core's temperature [°C], as in AC.
    """
    felt = 0.25 * surface + 0.75 * core
    cold = maximum(tyre.temperature_low - felt, 0.0) * tyre.cold_grip
    hot = maximum(felt - tyre.temperature_high, 0.0) * tyre.hot_grip
    return maximum(1.0 - cold - hot, 0.5)


@jit
def wear_grip(wear: float, tyre: TyreParams) -> float:
    """Grip factor of wear [virtual km]: linear down to the loss of a worn-out tyre."""
    return 1.0 - (1.0 - tyre.wear_grip) * minimum(wear / tyre.wear_full, 1.0)


@jit
def heat(
    surface: float, core: float, slip_work: float, load: float, way: float, air: float, dt: float, tyre: TyreParams
) -> tuple[float, float]:
    """One step of surface and core temperature.

    Slip work warms the surface, rolling under load warms the core, the two exchange heat, air cools the surface.

    Args:
        surface, core: [°C] Temperatures.
        slip_work: [J] Work done by slip in this step.
        load: [N] Vertical load.
        way: [m] Way rolled in this step.
        air: [°C] Air temperature.
        dt: [s] Length of the step; short against the time constants.
        tyre: The tyre.

    Returns:
        Surface and core temperature after the step.
    """
    difference = surface - core
    gained = tyre.surface_heat * slip_work
    lost = dt * tyre.surface_transfer * difference + way * tyre.air_cooling * (surface - air)
    return surface + gained - lost, core + dt * tyre.core_transfer * difference + tyre.roll_heat * load * way
