"""What the twin remembers of a car between two physics steps, and what stays fixed during a control period."""

from __future__ import annotations

from typing import NamedTuple

Four = tuple[float, float, float, float]
"""One number for each wheel: FL, FR, RL, RR."""


class CarState(NamedTuple):
    """Changes in every physics step.

    Attributes:
        place: [m] Along the centre line from the start of the car's road cell.
        offset: [m] From the centre line, left positive.
        heading: [rad] Relative to the road, left positive.
        vx, vy: [m/s] Velocity of the centre of gravity in car axes.
        yaw_rate: [rad/s] To the left.
        heave, heave_rate: [m], [m/s] Body height above static ride height.
        pitch, pitch_rate: [rad], [rad/s] Relative to the road, nose down positive.
        roll, roll_rate: [rad], [rad/s] Relative to the road, right side down positive.
        wheel_speed: [rad/s] Spin.
        slip_ratio: [-] Relaxed longitudinal slip, driving positive.
        slip_tangent: [-] Relaxed lateral slip, velocity to the left positive.
        engine_speed: [rad/s] Crank.
        boost: [-] Share of full boost.
        steer, throttle, brake: [-] What the actuators have reached.
        shift_timer: [s] Time left in a gear shift.
        force_x: [N] Tyre force forward in the last step.
        force_y_front, force_y_rear: [N] Tyre forces to the left in the last step.
        load: [N] Tyre loads.
        use: [-] Combined slip over the slip of peak force.
        slip_work: [J] Work of slip since the control period began.
        wall_work: [J] Energy lost to walls since the control period began.
        ax, ay, az: [m/s²] Acceleration in car axes.
        height_front, height_rear: [m] Ride heights.
        abs_cut, tc_cut: [-] Largest share cut by the assists since the control period began.
    """

    place: float
    offset: float
    heading: float
    vx: float
    vy: float
    yaw_rate: float
    heave: float
    heave_rate: float
    pitch: float
    pitch_rate: float
    roll: float
    roll_rate: float
    wheel_speed: Four
    slip_ratio: Four
    slip_tangent: Four
    engine_speed: float
    boost: float
    steer: float
    throttle: float
    brake: float
    shift_timer: float
    force_x: float
    force_y_front: float
    force_y_rear: float
    load: Four
    use: Four
    slip_work: Four
    wall_work: float
    ax: float
    ay: float
    az: float
    height_front: float
    height_rear: float
    abs_cut: float
    tc_cut: float


class Clock(NamedTuple):
    """Lap and sector timing; changes once in a control period.

    Attributes:
        lap_periods: [-] Control periods since the line was crossed or the clock was started; counted, because a sum of
            single-precision times would drift by milliseconds in a lap.
        lap_offset: [s] What the clock already showed when the count began.
        sector_start: [s] Lap time at which the sector began.
        sector: [-] Index of the sector.
        lap_count: [-] Completed laps.
        lap_valid, last_lap_valid: [-] 1 valid, 0 not.
        last_lap_time, best_lap_time, last_sector_time: [s] 0 before there is one.
        opening: [-] What the next line crossing means: 0 completes a lap, 1 opens the first lap, 2 nothing (start from
            the grid).
        behind: [-] Line crossings in reverse that have to be made good first.
    """

    lap_periods: float
    lap_offset: float
    sector_start: float
    sector: float
    lap_count: float
    lap_valid: float
    last_lap_valid: float
    last_lap_time: float
    best_lap_time: float
    last_sector_time: float
    opening: float
    behind: float


class SlowState(NamedTuple):
    """Changes once in a control period.

    Attributes:
        gear: [-] Engaged gear, -1 reverse, 0 neutral, 1 first.
        drs: [-] Flap, 0 or 1.
        fuel: [kg] On board.
        surface_temperature, core_temperature: [°C] Tyres.
        wear: [km] Virtual kilometres of the tyres.
        wind_x, wind_y: [m/s] Velocity of the air in world axes, beside the weather's; since the start.
        clock: Lap and sector timing.
    """

    gear: float
    drs: float
    fuel: float
    surface_temperature: Four
    core_temperature: Four
    wear: Four
    wind_x: float
    wind_y: float
    clock: Clock


class Period(NamedTuple):
    """Fixed during one control period.

    Attributes:
        steer, throttle, brake, clutch: [-] Targets of the actuators.
        ratio: [-] Overall gear ratio, 0 in neutral.
        drs: [-] Flap.
        per_mass, mass: [1/kg], [kg] One over the mass with fuel, and the mass.
        grip: [-] Friction factor of each wheel: surface, weather, temperature, wear.
        rolling: [-] Rolling resistance of each wheel.
        grade: [-] Slope of the road along it, rising positive.
        banking: [rad] Helps a left turn when positive.
        vertical_curvature: [1/m] Of the road, dips positive.
        wall_left, wall_right: [m] From the centre line.
        wind_x, wind_y: [m/s] Air velocity along and across the road.
        density: [kg/m³] Air density.
        abs_on, tc_on: [-] Assists.
        start_distance, start_rate: [m], [m/s] Lap distance and its rate as the period began.
        surface: [-] Code under each wheel.
        tyres_out: [-] Wheels beyond the track limits.
    """

    steer: float
    throttle: float
    brake: float
    clutch: float
    ratio: float
    drs: float
    per_mass: float
    mass: float
    grip: Four
    rolling: Four
    grade: float
    banking: float
    vertical_curvature: float
    wall_left: float
    wall_right: float
    wind_x: float
    wind_y: float
    density: float
    abs_on: float
    tc_on: float
    start_distance: float
    start_rate: float
    surface: Four
    tyres_out: float
