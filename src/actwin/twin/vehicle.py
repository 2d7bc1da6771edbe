"""The equations of motion: one physics step of one car.

A body with six degrees of freedom on four tyres, in road coordinates (place along the centre line, offset, heading
relative to it), so that no search for the nearest point is needed: with the offset n and the road's curvature c,
ds/dt = (vx cos - vy sin) / (1 - n c). Velocities come first and positions follow with the new velocities (symplectic
Euler); wheels and drivetrain are solved implicitly, see `wheels` and `drivetrain`. Axes are ISO 8855: x forward, y
left, z up.
"""

from __future__ import annotations

from actwin.jit import jit, maximum, sin_cos
from actwin.twin.aero import aero_force
from actwin.twin.axles import anti_lock_cut, front_wheels, move_actuators, rear_wheels
from actwin.twin.loads import wheel_loads
from actwin.twin.params import CarParams
from actwin.twin.state import CarState, Period
from actwin.twin.walls import wall_force
from actwin.units import GRAVITY


@jit
def physics_step(car: CarState, period: Period, curvature: float, dt: float, p: CarParams) -> CarState:
    """One physics step of one car.

    Args:
        car: State before the step.
        period: What stays fixed during the control period.
        curvature: [1/m] Of the centre line at the car's place.
        dt: [s] Step length.
        p: Parameters.

    Returns:
        The state after the step; `place` has grown by the way travelled along the centre line.
    """
    body, front, rear = p.chassis, p.front_axle, p.rear_axle
    actuators = move_actuators(car, period, dt, p)

    # Road
    sine, cosine = sin_cos(car.heading)
    along = car.vx * cosine - car.vy * sine
    across = car.vx * sine + car.vy * cosine
    stretch = 1.0 / (1.0 - car.offset * curvature)
    rate = along * stretch
    push = rate * rate * (period.vertical_curvature + curvature * period.banking)
    gravity_x = GRAVITY * (period.banking * sine - period.grade * cosine)
    gravity_y = GRAVITY * (period.banking * cosine + period.grade * sine)

    # Forces: loads, air, tyres (the driven axle first), walls
    loads = wheel_loads(car, p)
    height_front = front.static_height + car.heave - body.front_arm * car.pitch
    height_rear = rear.static_height + car.heave + body.rear_arm * car.pitch
    air_x = car.vx - (period.wind_x * cosine + period.wind_y * sine)
    air_y = car.vy - (period.wind_y * cosine - period.wind_x * sine)
    air = aero_force(air_x, air_y, height_front, height_rear, period.drs, period.density, p.aero)
    rl, rr, line = rear_wheels(car, period, loads.load, actuators, dt, p)
    fl, fr = front_wheels(car, period, loads.load, actuators, dt, p)
    force_x = fl.fx + fr.fx + rl.fx + rr.fx
    force_y_front, force_y_rear = fl.fy + fr.fy, rl.fy + rr.fy
    walls = (period.wall_left, period.wall_right)
    wall = wall_force(car.offset, sine, cosine, along, across, car.yaw_rate, walls, body, period.mass)

    # Moments
    yaw_moment = (
        body.front_arm * force_y_front
        - body.rear_arm * force_y_rear
        + front.half_track * (fr.fx - fl.fx)
        + rear.half_track * (rr.fx - rl.fx)
        + wall.yaw_moment
    )
    lift = body.front_arm * air.down_front - body.rear_arm * air.down_rear
    pitch_moment = loads.pitch_moment - (1.0 - body.anti_pitch) * body.cog_height * force_x + lift
    lean_front = (body.cog_height - front.roll_centre) * force_y_front
    lean_rear = (body.cog_height - rear.roll_centre) * force_y_rear
    roll_moment = loads.roll_moment + lean_front + lean_rear

    # Velocities first, positions with the new velocities
    ax = (force_x + air.fx + wall.fx) * period.per_mass
    ay = (force_y_front + force_y_rear + air.fy + wall.fy) * period.per_mass
    az = (loads.lift - air.down_front - air.down_rear) * period.per_mass - GRAVITY - push
    vx = car.vx + dt * (ax + gravity_x + car.yaw_rate * car.vy)
    # With the new vx the turning of the axes is symplectic: it neither adds nor takes energy, however fast the car
    # spins.
    vy = car.vy + dt * (ay + gravity_y - car.yaw_rate * vx)
    yaw_rate = car.yaw_rate + dt * yaw_moment * body.per_yaw_inertia
    heave_rate = car.heave_rate + dt * az
    pitch_rate = car.pitch_rate + dt * pitch_moment * body.per_pitch_inertia
    roll_rate = car.roll_rate + dt * roll_moment * body.per_roll_inertia
    new_along = vx * cosine - vy * sine
    new_rate = new_along * stretch

    return CarState(
        place=car.place + dt * new_rate,
        offset=car.offset + dt * (vx * sine + vy * cosine),
        heading=car.heading + dt * (yaw_rate - curvature * new_rate),
        vx=vx,
        vy=vy,
        yaw_rate=yaw_rate,
        heave=car.heave + dt * heave_rate,
        heave_rate=heave_rate,
        pitch=car.pitch + dt * pitch_rate,
        pitch_rate=pitch_rate,
        roll=car.roll + dt * roll_rate,
        roll_rate=roll_rate,
        wheel_speed=(fl.speed, fr.speed, rl.speed, rr.speed),
        slip_ratio=(fl.slip_ratio, fr.slip_ratio, rl.slip_ratio, rr.slip_ratio),
        slip_tangent=(fl.slip_tangent, fr.slip_tangent, rl.slip_tangent, rr.slip_tangent),
        engine_speed=line.engine,
        boost=actuators.boost,
        steer=actuators.steer,
        throttle=line.throttle,
        brake=actuators.brake,
        shift_timer=maximum(car.shift_timer - dt, 0.0),
        force_x=force_x,
        force_y_front=force_y_front,
        force_y_rear=force_y_rear,
        load=loads.load,
        use=(fl.use, fr.use, rl.use, rr.use),
        slip_work=(
            car.slip_work[0] + dt * fl.power,
            car.slip_work[1] + dt * fr.power,
            car.slip_work[2] + dt * rl.power,
            car.slip_work[3] + dt * rr.power,
        ),
        wall_work=car.wall_work + dt * wall.power,
        ax=ax,
        ay=ay,
        az=az,
        height_front=height_front,
        height_rear=height_rear,
        abs_cut=maximum(car.abs_cut, anti_lock_cut(actuators.brake, fl, fr, rl, rr)),
        tc_cut=maximum(car.tc_cut, line.cut),
    )
