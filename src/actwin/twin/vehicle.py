"""The equations of motion: one physics step of one car.

A body with six degrees of freedom on four tyres, in road coordinates (place along the centre line, offset, heading
relative to it), so
that no search for the nearest point is needed: ds/dt = (vx cos - vy sin) / (1 - offset · curvature). Velocities come
first and positions follow with the new velocities (symplectic Euler); wheels and drivetrain are solved implicitly, see
`wheels` and `drivetrain`. Axes are ISO 8855: x forward, y left, z up.
"""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, minimum, select, sin_cos
from actwin.twin.aero import aero_force
from actwin.twin.brakes import RELEASE_GAIN, abs_factor
from actwin.twin.drivetrain import Shafts, drive_shafts
from actwin.twin.engine import engine_torque
from actwin.twin.params import CarParams
from actwin.twin.state import CarState, Four, Period
from actwin.twin.suspension import AxleParams, corner_force
from actwin.twin.walls import wall_force
from actwin.twin.wheels import Rolling, roll_wheel, wheel_slip
from actwin.units import GRAVITY, RADS_PER_RPM, RPM_PER_RADS

ANTI_STALL_GAIN = 1.0 / 0.6
"""[-] The automatic clutch is open at idle and fully closed 60 % above it."""

REV_MATCH_TIME = 0.01
"""[s] Time constant with which cut or blip bring the engine to the speed of the next gear during a shift."""

BLIP_GAIN = 0.02
"""[s/rad] Throttle shown for each rad/s that the engine is short of the next gear during a shift."""


class Loads(NamedTuple):
    """Vertical tyre loads, and what they do to the body.

    Attributes:
        load: [N] Of the tyres, not negative.
        lift: [N] Sum of spring, damper and stop forces.
        pitch_moment, roll_moment: [N m] Of those forces on the body.
    """

    load: Four
    lift: float
    pitch_moment: float
    roll_moment: float


class Driven(NamedTuple):
    """Engine and driven wheels after one step of engine, clutch and differential.

    Attributes:
        engine: [rad/s] Crank.
        left, right: [rad/s] Spin of the driven wheels before their brakes.
        throttle: [-] What was left by the assists.
        cut: [-] Share that traction control took.
    """

    engine: float
    left: float
    right: float
    throttle: float
    cut: float


class Corner(NamedTuple):
    """A wheel at the end of a step.

    Attributes:
        speed: [rad/s] Spin.
        slip_ratio, slip_tangent: [-] Relaxed slips.
        use: [-] Combined slip over the slip of peak force.
        fx, fy: [N] Tyre force in car axes.
        power: [W] Work of slip.
        brake: [-] Share of the brake torque that anti-lock control left.
    """

    speed: float
    slip_ratio: float
    slip_tangent: float
    use: float
    fx: float
    fy: float
    power: float
    brake: float


@jit
def _axle_loads(
    drop: float,
    drop_rate: float,
    roll: float,
    roll_rate: float,
    direct_roll: float,
    direct_pitch: float,
    axle: AxleParams,
) -> tuple[float, float, float, float]:
    """Loads (left, right), their spring sum and roll moment; what links carry is added to the loads alone."""
    side = axle.half_track * roll
    side_rate = axle.half_track * roll_rate
    left, right = drop - side, drop + side
    spring_left = corner_force(left, drop_rate - side_rate, right, axle)
    spring_right = corner_force(right, drop_rate + side_rate, left, axle)
    load_left = maximum(spring_left - direct_roll + direct_pitch, 0.0)
    load_right = maximum(spring_right + direct_roll + direct_pitch, 0.0)
    return load_left, load_right, spring_left + spring_right, axle.half_track * (spring_left - spring_right)


@jit
def wheel_loads(car: CarState, p: CarParams) -> Loads:
    """Tyre loads from body movement and from what the links carry directly.

    Args:
        car: The state; its last tyre forces load the links.
        p: Parameters.
    """
    front, rear = p.front_axle, p.rear_axle
    body = p.chassis
    direct_front = car.force_y_front * front.link_roll
    direct_rear = car.force_y_rear * rear.link_roll
    direct_pitch = body.link_pitch * car.force_x
    front_drop = body.front_arm * car.pitch - car.heave
    front_rate = body.front_arm * car.pitch_rate - car.heave_rate
    rear_drop = -body.rear_arm * car.pitch - car.heave
    rear_rate = -body.rear_arm * car.pitch_rate - car.heave_rate
    fl, fr, front_sum, front_roll = _axle_loads(
        front_drop, front_rate, car.roll, car.roll_rate, direct_front, -direct_pitch, front
    )
    rl, rr, rear_sum, rear_roll = _axle_loads(
        rear_drop, rear_rate, car.roll, car.roll_rate, direct_rear, direct_pitch, rear
    )
    pitch_moment = body.rear_arm * rear_sum - body.front_arm * front_sum
    return Loads((fl, fr, rl, rr), front_sum + rear_sum, pitch_moment, front_roll + rear_roll)


@jit
def road_wheel_angles(steer: float, p: CarParams) -> tuple[float, float]:
    """[rad] Angles of the left and right front wheel for a steering share; Ackermann turns the inner wheel further."""
    angle = steer * p.chassis.lock
    spread = p.chassis.ackermann * angle * angle
    toe = p.front_axle.toe
    return angle + spread - toe, angle - spread + toe


@jit
def drive(
    car: CarState, period: Period, left: Rolling, right: Rolling, throttle: float, boost: float, dt: float, p: CarParams
) -> Driven:
    """Engine, clutch and differential of one step.

    Args:
        car: State before the step.
        period: Gear, clutch and assists.
        left, right: The driven wheels after their tyres' reaction.
        throttle: [-] Pedal.
        boost: [-] Share of full boost.
        dt: [s] Step length.
        p: Parameters.
    """
    engine = p.engine
    spin = maximum(car.slip_ratio[2], car.slip_ratio[3])
    cut = period.tc_on * clip(RELEASE_GAIN * (spin - p.drive.tc_slip), 0.0, 1.0)
    shifting = car.shift_timer > 0.0
    # During a shift the engine is brought to the speed of the next gear, so that the clutch meets no slip to speak of.
    short = maximum(period.ratio * 0.5 * (left.speed + right.speed), engine.idle * RADS_PER_RPM) - car.engine_speed
    opened = select(shifting, clip(BLIP_GAIN * short, 0.0, 1.0), throttle * (1.0 - cut))
    rpm = car.engine_speed * RPM_PER_RADS
    torque = engine_torque(rpm, opened, boost, engine)
    closing = clip((rpm - engine.idle) * engine.per_idle * ANTI_STALL_GAIN, 0.0, 1.0)
    engagement = select(shifting, 0.0, period.clutch * closing)
    change = select(shifting, short / REV_MATCH_TIME, torque * engine.per_inertia)
    free = maximum(car.engine_speed + dt * change, 0.0)
    shafts = drive_shafts(
        Shafts(free, left.speed, right.speed),
        period.ratio,
        engagement,
        engine.per_inertia,
        left.mobility,
        right.mobility,
        dt,
        p.drive,
    )
    crank = clip(shafts.engine, 0.0, RADS_PER_RPM * 1.3 * engine.limiter)
    return Driven(crank, shafts.left, shafts.right, opened, cut * select(throttle > 0.05, 1.0, 0.0))


@jit
def settle_wheel(
    wheel: Rolling,
    speed: float,
    slip_before: float,
    sine: float,
    cosine: float,
    brake_torque: float,
    rolling_torque: float,
    period: Period,
    dt: float,
    p: CarParams,
) -> Corner:
    """Brakes a wheel and settles its slip and force at the end of the step.

    Args:
        wheel: The wheel after its tyre's reaction.
        speed: [rad/s] Its spin, drive included.
        slip_before: [-] Slip ratio before the step, which anti-lock control sees.
        sine, cosine: Of its steering angle.
        brake_torque: [N m] Of the brake as pressed.
        rolling_torque: [N m] Of rolling resistance.
        period: Assists.
        dt: [s] Step length.
        p: Parameters.
    """
    left = abs_factor(slip_before, p.brakes.abs_slip, period.abs_on)
    impulse = (brake_torque * left + rolling_torque) * dt
    final = speed - clip(speed * wheel.inertia, -impulse, impulse) * wheel.mobility
    slip = wheel_slip(wheel, final)
    force = wheel.secant * slip
    power = maximum(force * (final * wheel.radius - wheel.vx) - wheel.side * wheel.vy, 0.0)
    return Corner(
        final,
        slip,
        wheel.slip_tangent,
        wheel.use,
        force * cosine - wheel.side * sine,
        force * sine + wheel.side * cosine,
        power,
        left,
    )


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

    # Actuators
    steer = car.steer + clip(period.steer - car.steer, -body.steer_rate * dt, body.steer_rate * dt)
    throttle = period.throttle
    brake = car.brake + (period.brake - car.brake) * (dt / (p.brakes.response + dt))
    boost = car.boost + (throttle - car.boost) * (dt / (p.engine.turbo_lag + dt))

    # Road
    sine, cosine = sin_cos(car.heading)
    along = car.vx * cosine - car.vy * sine
    across = car.vx * sine + car.vy * cosine
    stretch = 1.0 / (1.0 - car.offset * curvature)
    rate = along * stretch
    push = rate * rate * (period.vertical_curvature + curvature * period.banking)
    gravity_x = GRAVITY * (period.banking * sine - period.grade * cosine)
    gravity_y = GRAVITY * (period.banking * cosine + period.grade * sine)

    # Loads and air
    loads = wheel_loads(car, p)
    height_front = front.static_height + car.heave - body.front_arm * car.pitch
    height_rear = rear.static_height + car.heave + body.rear_arm * car.pitch
    air_x = car.vx - (period.wind_x * cosine + period.wind_y * sine)
    air_y = car.vy - (period.wind_y * cosine - period.wind_x * sine)
    air = aero_force(air_x, air_y, height_front, height_rear, period.drs, period.density, p.aero)

    # Tyres
    angle_left, angle_right = road_wheel_angles(steer, p)
    sine_left, cosine_left = sin_cos(angle_left)
    sine_right, cosine_right = sin_cos(angle_right)
    turn_front = car.yaw_rate * front.half_track
    turn_rear = car.yaw_rate * rear.half_track
    side_front = car.vy + car.yaw_rate * body.front_arm
    side_rear = car.vy - car.yaw_rate * body.rear_arm
    lean_front = car.roll * (1.0 - front.camber_gain)
    lean_rear = car.roll * (1.0 - rear.camber_gain)
    ft, rt = p.front_tyre, p.rear_tyre
    toe = rear.toe
    resistance = body.rolling_resistance
    torque_front, torque_rear = brake * p.brakes.torque_front, brake * p.brakes.torque_rear
    load = loads.load

    # The driven axle first, then each front wheel to its end: few quantities are alive at a time, which keeps them in
    # registers.
    left = roll_wheel(
        car.vx - turn_rear,
        side_rear,
        -toe,
        1.0,
        car.wheel_speed[2],
        car.slip_ratio[2],
        car.slip_tangent[2],
        load[2],
        rear.camber - lean_rear,
        period.grip[2],
        dt,
        rt,
    )
    right = roll_wheel(
        car.vx + turn_rear,
        side_rear,
        toe,
        1.0,
        car.wheel_speed[3],
        car.slip_ratio[3],
        car.slip_tangent[3],
        load[3],
        -rear.camber - lean_rear,
        period.grip[3],
        dt,
        rt,
    )
    line = drive(car, period, left, right, throttle, boost, dt, p)
    rl = settle_wheel(
        left,
        line.left,
        car.slip_ratio[2],
        -toe,
        1.0,
        torque_rear,
        resistance * period.rolling[2] * load[2] * left.radius,
        period,
        dt,
        p,
    )
    rr = settle_wheel(
        right,
        line.right,
        car.slip_ratio[3],
        toe,
        1.0,
        torque_rear,
        resistance * period.rolling[3] * load[3] * right.radius,
        period,
        dt,
        p,
    )
    front_left = roll_wheel(
        car.vx - turn_front,
        side_front,
        sine_left,
        cosine_left,
        car.wheel_speed[0],
        car.slip_ratio[0],
        car.slip_tangent[0],
        load[0],
        front.camber - lean_front,
        period.grip[0],
        dt,
        ft,
    )
    fl = settle_wheel(
        front_left,
        front_left.speed,
        car.slip_ratio[0],
        sine_left,
        cosine_left,
        torque_front,
        resistance * period.rolling[0] * load[0] * front_left.radius,
        period,
        dt,
        p,
    )
    front_right = roll_wheel(
        car.vx + turn_front,
        side_front,
        sine_right,
        cosine_right,
        car.wheel_speed[1],
        car.slip_ratio[1],
        car.slip_tangent[1],
        load[1],
        -front.camber - lean_front,
        period.grip[1],
        dt,
        ft,
    )
    fr = settle_wheel(
        front_right,
        front_right.speed,
        car.slip_ratio[1],
        sine_right,
        cosine_right,
        torque_front,
        resistance * period.rolling[1] * load[1] * front_right.radius,
        period,
        dt,
        p,
    )

    force_x = fl.fx + fr.fx + rl.fx + rr.fx
    force_y_front, force_y_rear = fl.fy + fr.fy, rl.fy + rr.fy
    abs_cut = (1.0 - minimum(minimum(fl.brake, fr.brake), minimum(rl.brake, rr.brake))) * select(brake > 0.05, 1.0, 0.0)
    wall = wall_force(
        car.offset,
        sine,
        cosine,
        along,
        across,
        car.yaw_rate,
        period.wall_left,
        period.wall_right,
        body.half_width,
        body.half_length,
        period.mass,
    )
    yaw_moment = (
        body.front_arm * force_y_front
        - body.rear_arm * force_y_rear
        + front.half_track * (fr.fx - fl.fx)
        + rear.half_track * (rr.fx - rl.fx)
        + wall.yaw_moment
    )

    # Body
    ax = (force_x + air.fx + wall.fx) * period.per_mass
    ay = (force_y_front + force_y_rear + air.fy + wall.fy) * period.per_mass
    az = (loads.lift - air.down_front - air.down_rear) * period.per_mass - GRAVITY - push
    pitch_moment = (
        loads.pitch_moment
        - (1.0 - body.anti_pitch) * body.cog_height * force_x
        + body.front_arm * air.down_front
        - body.rear_arm * air.down_rear
    )
    roll_moment = (
        loads.roll_moment
        + (body.cog_height - front.roll_centre) * force_y_front
        + (body.cog_height - rear.roll_centre) * force_y_rear
    )
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
        boost=boost,
        steer=steer,
        throttle=line.throttle,
        brake=brake,
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
        abs_cut=maximum(car.abs_cut, abs_cut),
        tc_cut=maximum(car.tc_cut, line.cut),
    )
